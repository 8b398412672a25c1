using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace BulkImporter.Migrations
{
    /// <inheritdoc />
    public partial class FindAssetsOfUnknown : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "looked_at",
                schema: "importer",
                table: "attempt",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "size_bytes",
                schema: "importer",
                table: "attempt",
                type: "bigint",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "reconcile_candidate",
                schema: "importer",
                columns: table => new
                {
                    import_id = table.Column<int>(type: "integer", nullable: false),
                    row_number = table.Column<int>(type: "integer", nullable: false),
                    rid = table.Column<string>(type: "text", nullable: false),
                    attempt = table.Column<short>(type: "smallint", nullable: false),
                    file_name = table.Column<string>(type: "text", nullable: false),
                    size_bytes = table.Column<long>(type: "bigint", nullable: true),
                    uploaded_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    caption = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_reconcile_candidate", x => new { x.import_id, x.row_number, x.rid });
                    table.ForeignKey(
                        name: "fk_reconcile_candidate_import_import_id",
                        column: x => x.import_id,
                        principalSchema: "importer",
                        principalTable: "import",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "reconcile_look",
                schema: "importer",
                columns: table => new
                {
                    account_id = table.Column<int>(type: "integer", nullable: false),
                    next_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    looked_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    failed_in_a_row = table.Column<int>(type: "integer", nullable: false),
                    problem = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_reconcile_look", x => x.account_id);
                    table.ForeignKey(
                        name: "fk_reconcile_look_account_account_id",
                        column: x => x.account_id,
                        principalSchema: "importer",
                        principalTable: "account",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "reconcile_candidate",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "reconcile_look",
                schema: "importer");

            migrationBuilder.DropColumn(
                name: "looked_at",
                schema: "importer",
                table: "attempt");

            migrationBuilder.DropColumn(
                name: "size_bytes",
                schema: "importer",
                table: "attempt");
        }
    }
}
