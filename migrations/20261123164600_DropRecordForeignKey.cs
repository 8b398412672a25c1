using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace BulkImporter.Migrations
{
    /// <summary>
    /// The check of the import for each record took two thirds of the time of reading a manifest in. Records are only written in the
    /// transaction that writes their chunks, and a chunk's import is still checked.
    /// </summary>
    public partial class DropRecordForeignKey : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.DropForeignKey(
            name: "fk_import_record_import_import_id", schema: "importer", table: "import_record");

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.AddForeignKey(
            name: "fk_import_record_import_import_id", schema: "importer", table: "import_record", column: "import_id",
            principalSchema: "importer", principalTable: "import", principalColumn: "id", onDelete: ReferentialAction.Cascade);
    }
}
