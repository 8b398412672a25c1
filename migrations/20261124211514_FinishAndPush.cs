using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace BulkImporter.Migrations
{
    /// <inheritdoc />
    public partial class FinishAndPush : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "is_push",
                schema: "importer",
                table: "import_record",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<string>(
                name: "transfer",
                schema: "importer",
                table: "import",
                type: "text",
                nullable: false,
                defaultValue: "pull");

            migrationBuilder.CreateTable(
                name: "named_gallery",
                schema: "importer",
                columns: table => new
                {
                    account_id = table.Column<int>(type: "integer", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    fid = table.Column<string>(type: "text", nullable: true),
                    claimed_until = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_named_gallery", x => new { x.account_id, x.name });
                    table.ForeignKey(
                        name: "fk_named_gallery_account_account_id",
                        column: x => x.account_id,
                        principalSchema: "importer",
                        principalTable: "account",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "push_upload",
                schema: "importer",
                columns: table => new
                {
                    import_id = table.Column<int>(type: "integer", nullable: false),
                    row_number = table.Column<int>(type: "integer", nullable: false),
                    attempt = table.Column<short>(type: "smallint", nullable: false),
                    url_protected = table.Column<string>(type: "text", nullable: false),
                    unique_id = table.Column<string>(type: "text", nullable: false),
                    file_name = table.Column<string>(type: "text", nullable: false),
                    source_tag = table.Column<string>(type: "text", nullable: true),
                    sent_bytes = table.Column<long>(type: "bigint", nullable: false),
                    total_bytes = table.Column<long>(type: "bigint", nullable: true),
                    last_begun_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_push_upload", x => new { x.import_id, x.row_number });
                })
                .Annotation("Npgsql:StorageParameter:fillfactor", 60);

            migrationBuilder.CreateTable(
                name: "record_finish",
                schema: "importer",
                columns: table => new
                {
                    import_id = table.Column<int>(type: "integer", nullable: false),
                    row_number = table.Column<int>(type: "integer", nullable: false),
                    account_id = table.Column<int>(type: "integer", nullable: false),
                    rid = table.Column<string>(type: "text", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    next_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    failed_count = table.Column<short>(type: "smallint", nullable: false),
                    error_code = table.Column<string>(type: "text", nullable: true),
                    error_message = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_record_finish", x => new { x.import_id, x.row_number });
                    table.CheckConstraint("finish_state_is_known", "state IN ('pending', 'done', 'failed')");
                })
                .Annotation("Npgsql:StorageParameter:autovacuum_vacuum_scale_factor", 0.02)
                .Annotation("Npgsql:StorageParameter:fillfactor", 60);

            migrationBuilder.CreateTable(
                name: "record_meta",
                schema: "importer",
                columns: table => new
                {
                    import_id = table.Column<int>(type: "integer", nullable: false),
                    row_number = table.Column<int>(type: "integer", nullable: false),
                    description = table.Column<string>(type: "text", nullable: true),
                    long_description = table.Column<string>(type: "text", nullable: true),
                    tags = table.Column<string>(type: "text", nullable: true),
                    related_link_text = table.Column<string>(type: "text", nullable: true),
                    related_link_url = table.Column<string>(type: "text", nullable: true),
                    gallery = table.Column<string>(type: "text", nullable: true),
                    fid = table.Column<string>(type: "text", nullable: true),
                    file_name = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_record_meta", x => new { x.import_id, x.row_number });
                });

            migrationBuilder.AddCheckConstraint(
                name: "import_transfer_is_known",
                schema: "importer",
                table: "import",
                sql: "transfer IN ('pull', 'push', 'auto')");

            migrationBuilder.CreateIndex(
                name: "ix_record_finish_account_id_next_at",
                schema: "importer",
                table: "record_finish",
                columns: new[] { "account_id", "next_at" },
                filter: "state = 'pending'");

            migrationBuilder.CreateIndex(
                name: "ix_record_finish_import_id_state",
                schema: "importer",
                table: "record_finish",
                columns: new[] { "import_id", "state" },
                filter: "state <> 'done'");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "named_gallery",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "push_upload",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "record_finish",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "record_meta",
                schema: "importer");

            migrationBuilder.DropCheckConstraint(
                name: "import_transfer_is_known",
                schema: "importer",
                table: "import");

            migrationBuilder.DropColumn(
                name: "is_push",
                schema: "importer",
                table: "import_record");

            migrationBuilder.DropColumn(
                name: "transfer",
                schema: "importer",
                table: "import");
        }
    }
}
