using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace BulkImporter.Migrations
{
    /// <inheritdoc />
    public partial class FollowAttempts : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<short>(
                name: "attempt",
                schema: "importer",
                table: "status_poll",
                type: "smallint",
                nullable: false,
                defaultValue: (short)0);

            migrationBuilder.CreateIndex(
                name: "ix_import_chunk_import_id_due_at",
                schema: "importer",
                table: "import_chunk",
                columns: new[] { "import_id", "due_at" },
                filter: "due_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_import_chunk_import_id_number",
                schema: "importer",
                table: "import_chunk",
                columns: new[] { "import_id", "number" },
                filter: "state <> 'waiting'");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_import_chunk_import_id_due_at",
                schema: "importer",
                table: "import_chunk");

            migrationBuilder.DropIndex(
                name: "ix_import_chunk_import_id_number",
                schema: "importer",
                table: "import_chunk");

            migrationBuilder.DropColumn(
                name: "attempt",
                schema: "importer",
                table: "status_poll");
        }
    }
}
