using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace BulkImporter.Migrations
{
    /// <inheritdoc />
    public partial class LimitRows : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "import_settings_are_positive",
                schema: "importer",
                table: "import");

            migrationBuilder.AddColumn<int>(
                name: "first_rows",
                schema: "importer",
                table: "import",
                type: "integer",
                nullable: true);

            migrationBuilder.AddCheckConstraint(
                name: "import_settings_are_positive",
                schema: "importer",
                table: "import",
                sql: "chunk_size > 0 AND max_attempts > 0 AND first_rows > 0");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "import_settings_are_positive",
                schema: "importer",
                table: "import");

            migrationBuilder.DropColumn(
                name: "first_rows",
                schema: "importer",
                table: "import");

            migrationBuilder.AddCheckConstraint(
                name: "import_settings_are_positive",
                schema: "importer",
                table: "import",
                sql: "chunk_size > 0 AND max_attempts > 0");
        }
    }
}
