using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace BulkImporter.Migrations
{
    /// <inheritdoc />
    public partial class DuplicatesAndSourceHeaders : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "correction_field_is_known",
                schema: "importer",
                table: "correction");

            migrationBuilder.AddColumn<string>(
                name: "duplicate_rows",
                schema: "importer",
                table: "import",
                type: "text",
                nullable: false,
                defaultValue: "skip");

            migrationBuilder.CreateTable(
                name: "source_header",
                schema: "importer",
                columns: table => new
                {
                    account_id = table.Column<int>(type: "integer", nullable: false),
                    host = table.Column<string>(type: "text", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    value_protected = table.Column<string>(type: "text", nullable: false),
                    updated_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_source_header", x => new { x.account_id, x.host, x.name });
                    table.ForeignKey(
                        name: "fk_source_header_account_account_id",
                        column: x => x.account_id,
                        principalSchema: "importer",
                        principalTable: "account",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.AddCheckConstraint(
                name: "import_when_duplicate_rows_is_known",
                schema: "importer",
                table: "import",
                sql: "duplicate_rows IN ('skip', 'import')");

            migrationBuilder.AddCheckConstraint(
                name: "correction_field_is_known",
                schema: "importer",
                table: "correction",
                sql: "field IN ('url', 'caption', 'reference_id', 'transfer')");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "source_header",
                schema: "importer");

            migrationBuilder.DropCheckConstraint(
                name: "import_when_duplicate_rows_is_known",
                schema: "importer",
                table: "import");

            migrationBuilder.DropCheckConstraint(
                name: "correction_field_is_known",
                schema: "importer",
                table: "correction");

            migrationBuilder.DropColumn(
                name: "duplicate_rows",
                schema: "importer",
                table: "import");

            migrationBuilder.AddCheckConstraint(
                name: "correction_field_is_known",
                schema: "importer",
                table: "correction",
                sql: "field IN ('url', 'caption', 'reference_id')");
        }
    }
}
