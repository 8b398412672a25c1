using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace BulkImporter.Migrations
{
    /// <inheritdoc />
    public partial class ManifestsAsTheyAre : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "already_imported",
                schema: "importer",
                table: "import",
                type: "text",
                nullable: false,
                defaultValue: "skip");

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "checked_at",
                schema: "importer",
                table: "import",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "encoding",
                schema: "importer",
                table: "import",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "start_at",
                schema: "importer",
                table: "import",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "stop_after_rows",
                schema: "importer",
                table: "import",
                type: "integer",
                nullable: false,
                defaultValue: 1000);

            migrationBuilder.AddColumn<int>(
                name: "stop_at_failure_percent",
                schema: "importer",
                table: "import",
                type: "integer",
                nullable: false,
                defaultValue: 50);

            migrationBuilder.AddColumn<string>(
                name: "template",
                schema: "importer",
                table: "import",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<TimeOnly>(
                name: "window_from",
                schema: "importer",
                table: "import",
                type: "time without time zone",
                nullable: true);

            migrationBuilder.AddColumn<TimeOnly>(
                name: "window_until",
                schema: "importer",
                table: "import",
                type: "time without time zone",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "window_zone",
                schema: "importer",
                table: "import",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "other_import",
                schema: "importer",
                table: "finding",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "other_row",
                schema: "importer",
                table: "finding",
                type: "integer",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "correction",
                schema: "importer",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    import_id = table.Column<int>(type: "integer", nullable: false),
                    row_number = table.Column<int>(type: "integer", nullable: false),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    actor = table.Column<string>(type: "text", nullable: false),
                    field = table.Column<string>(type: "text", nullable: false),
                    old_value = table.Column<string>(type: "text", nullable: true),
                    new_value = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_correction", x => x.id);
                    table.CheckConstraint("correction_field_is_known", "field IN ('url', 'caption', 'reference_id')");
                    table.ForeignKey(
                        name: "fk_correction_import_import_id",
                        column: x => x.import_id,
                        principalSchema: "importer",
                        principalTable: "import",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "mapping_template",
                schema: "importer",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    account_id = table.Column<int>(type: "integer", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    columns = table.Column<string[]>(type: "text[]", nullable: false),
                    header = table.Column<string>(type: "text", nullable: false),
                    mapping = table.Column<string>(type: "text", nullable: false),
                    created_by = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_mapping_template", x => x.id);
                    table.ForeignKey(
                        name: "fk_mapping_template_account_account_id",
                        column: x => x.account_id,
                        principalSchema: "importer",
                        principalTable: "account",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "source_key_block",
                schema: "importer",
                columns: table => new
                {
                    import_id = table.Column<int>(type: "integer", nullable: false),
                    first_row = table.Column<int>(type: "integer", nullable: false),
                    keys = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_source_key_block", x => new { x.import_id, x.first_row });
                    table.ForeignKey(
                        name: "fk_source_key_block_import_import_id",
                        column: x => x.import_id,
                        principalSchema: "importer",
                        principalTable: "import",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.AddCheckConstraint(
                name: "import_breaker_is_possible",
                schema: "importer",
                table: "import",
                sql: "stop_at_failure_percent BETWEEN 1 AND 100 AND stop_after_rows > 0");

            migrationBuilder.AddCheckConstraint(
                name: "import_encoding_is_known",
                schema: "importer",
                table: "import",
                sql: "encoding IN ('windows-1252')");

            migrationBuilder.AddCheckConstraint(
                name: "import_when_already_imported_is_known",
                schema: "importer",
                table: "import",
                sql: "already_imported IN ('skip', 'import')");

            migrationBuilder.AddCheckConstraint(
                name: "import_window_is_whole",
                schema: "importer",
                table: "import",
                sql: "(window_from IS NULL) = (window_zone IS NULL) AND (window_until IS NULL) = (window_zone IS NULL) AND window_from <> window_until");

            migrationBuilder.CreateIndex(
                name: "ix_correction_import_id_row_number_id",
                schema: "importer",
                table: "correction",
                columns: new[] { "import_id", "row_number", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_mapping_template_account_id_name",
                schema: "importer",
                table: "mapping_template",
                columns: new[] { "account_id", "name" },
                unique: true);

            // When an import that runs may send: null for now. The one place that knows it; the feeder, the lease, the intent and the pages ask here.
            migrationBuilder.Sql("""
                CREATE FUNCTION importer.opens_at(start_at timestamptz, window_from time, window_until time, window_zone text) RETURNS timestamptz
                LANGUAGE sql STABLE AS $$
                    SELECT CASE
                        WHEN window_zone IS NULL OR CASE WHEN window_from < window_until THEN local::time >= window_from AND local::time < window_until
                                                         ELSE local::time >= window_from OR local::time < window_until END
                        THEN CASE WHEN start_at > now() THEN start_at END
                        ELSE (local::date + CASE WHEN local::time < window_from THEN 0 ELSE 1 END + window_from) AT TIME ZONE window_zone
                        END
                    FROM (SELECT greatest(start_at, now()) AT TIME ZONE window_zone AS local) earliest
                $$
                """);

            // Hashes do not compress: trying to costs more than the copy.
            migrationBuilder.Sql("ALTER TABLE importer.source_key_block ALTER COLUMN keys SET STORAGE EXTERNAL");
            migrationBuilder.Sql("""
                INSERT INTO importer.source_key_block (import_id, first_row, keys)
                SELECT import_id, min(row_number), string_agg(coalesce(uuid_send(source_key), decode(repeat('00', 16), 'hex')), ''::bytea ORDER BY row_number)
                FROM importer.import_record GROUP BY import_id, (row_number - 1) / 4096
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP FUNCTION importer.opens_at(timestamptz, time, time, text)");

            migrationBuilder.DropTable(
                name: "correction",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "mapping_template",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "source_key_block",
                schema: "importer");

            migrationBuilder.DropCheckConstraint(
                name: "import_breaker_is_possible",
                schema: "importer",
                table: "import");

            migrationBuilder.DropCheckConstraint(
                name: "import_encoding_is_known",
                schema: "importer",
                table: "import");

            migrationBuilder.DropCheckConstraint(
                name: "import_when_already_imported_is_known",
                schema: "importer",
                table: "import");

            migrationBuilder.DropCheckConstraint(
                name: "import_window_is_whole",
                schema: "importer",
                table: "import");

            migrationBuilder.DropColumn(
                name: "already_imported",
                schema: "importer",
                table: "import");

            migrationBuilder.DropColumn(
                name: "checked_at",
                schema: "importer",
                table: "import");

            migrationBuilder.DropColumn(
                name: "encoding",
                schema: "importer",
                table: "import");

            migrationBuilder.DropColumn(
                name: "start_at",
                schema: "importer",
                table: "import");

            migrationBuilder.DropColumn(
                name: "stop_after_rows",
                schema: "importer",
                table: "import");

            migrationBuilder.DropColumn(
                name: "stop_at_failure_percent",
                schema: "importer",
                table: "import");

            migrationBuilder.DropColumn(
                name: "template",
                schema: "importer",
                table: "import");

            migrationBuilder.DropColumn(
                name: "window_from",
                schema: "importer",
                table: "import");

            migrationBuilder.DropColumn(
                name: "window_until",
                schema: "importer",
                table: "import");

            migrationBuilder.DropColumn(
                name: "window_zone",
                schema: "importer",
                table: "import");

            migrationBuilder.DropColumn(
                name: "other_import",
                schema: "importer",
                table: "finding");

            migrationBuilder.DropColumn(
                name: "other_row",
                schema: "importer",
                table: "finding");
        }
    }
}
