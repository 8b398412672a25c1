using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace BulkImporter.Migrations
{
    /// <summary>The failures of a chunk by code are counted by the trigger too, so that nobody counts them over the records.</summary>
    public partial class CountFailures : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "chunk_failure",
                schema: "importer",
                columns: table => new
                {
                    import_id = table.Column<int>(type: "integer", nullable: false),
                    chunk_number = table.Column<int>(type: "integer", nullable: false),
                    code = table.Column<string>(type: "text", nullable: false),
                    count = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_chunk_failure", x => new { x.import_id, x.chunk_number, x.code });
                    table.ForeignKey(
                        name: "fk_chunk_failure_import_chunk_import_id_chunk_number",
                        columns: x => new { x.import_id, x.chunk_number },
                        principalSchema: "importer",
                        principalTable: "import_chunk",
                        principalColumns: new[] { "import_id", "number" },
                        onDelete: ReferentialAction.Cascade);
                })
                .Annotation("Npgsql:StorageParameter:autovacuum_vacuum_scale_factor", 0.050000000000000003)
                .Annotation("Npgsql:StorageParameter:fillfactor", 60);

            // Nobody changes a record between the count and the trigger that carries it on.
            migrationBuilder.Sql("""
        LOCK TABLE importer.import_record IN SHARE ROW EXCLUSIVE MODE;

        INSERT INTO importer.chunk_failure (import_id, chunk_number, code, count)
        SELECT import_id, chunk_number, error_code, count(*)
        FROM importer.import_record
        WHERE error_code IS NOT NULL AND state IN ('failed', 'unknown')
        GROUP BY import_id, chunk_number, error_code;

        CREATE OR REPLACE FUNCTION importer.count_record_states() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            change record;
            failures boolean := false;
        BEGIN
            -- Each chunk by its whole key: joined to the changes instead, all chunks of all imports are read as soon as they are some hundred.
            FOR change IN
                SELECT import_id, chunk_number,
                    coalesce(sum(n) FILTER (WHERE state = 'pending'), 0) AS pending,
                    coalesce(sum(n) FILTER (WHERE state = 'submitting'), 0) AS submitting,
                    coalesce(sum(n) FILTER (WHERE state = 'submitted'), 0) AS submitted,
                    coalesce(sum(n) FILTER (WHERE state = 'imported'), 0) AS imported,
                    coalesce(sum(n) FILTER (WHERE state = 'failed'), 0) AS failed,
                    coalesce(sum(n) FILTER (WHERE state = 'unknown'), 0) AS unknown,
                    coalesce(sum(n) FILTER (WHERE state = 'cancelled'), 0) AS cancelled,
                    coalesce(sum(n) FILTER (WHERE state = 'invalid'), 0) AS invalid,
                    coalesce(sum(n) FILTER (WHERE state = 'duplicate'), 0) AS duplicate,
                    min(due_at) AS due_at,
                    bool_or(state IN ('failed', 'unknown')) AS failures
                FROM (
                    SELECT import_id, chunk_number, state, -1 AS n, NULL::timestamptz AS due_at FROM before_update
                    UNION ALL
                    SELECT import_id, chunk_number, state, 1, CASE WHEN state = 'pending' THEN coalesce(next_attempt_at, now()) END FROM after_update
                ) both_sides
                GROUP BY import_id, chunk_number
                ORDER BY import_id, chunk_number
            LOOP
                failures := failures OR change.failures;
                UPDATE importer.import_chunk c
                SET pending_count = c.pending_count + change.pending,
                    submitting_count = c.submitting_count + change.submitting,
                    submitted_count = c.submitted_count + change.submitted,
                    imported_count = c.imported_count + change.imported,
                    failed_count = c.failed_count + change.failed,
                    unknown_count = c.unknown_count + change.unknown,
                    cancelled_count = c.cancelled_count + change.cancelled,
                    invalid_count = c.invalid_count + change.invalid,
                    duplicate_count = c.duplicate_count + change.duplicate,
                    due_at = LEAST(c.due_at, change.due_at)
                WHERE c.import_id = change.import_id AND c.number = change.chunk_number;
            END LOOP;

            IF failures THEN
                INSERT INTO importer.chunk_failure AS f (import_id, chunk_number, code, count)
                SELECT import_id, chunk_number, error_code, sum(n)
                FROM (
                    SELECT import_id, chunk_number, error_code, state, -1 AS n FROM before_update
                    UNION ALL
                    SELECT import_id, chunk_number, error_code, state, 1 FROM after_update
                ) both_sides
                WHERE state IN ('failed', 'unknown') AND error_code IS NOT NULL
                GROUP BY import_id, chunk_number, error_code HAVING sum(n) <> 0
                ON CONFLICT (import_id, chunk_number, code) DO UPDATE SET count = f.count + excluded.count;
            END IF;
            RETURN NULL;
        END $$;
        """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("""
        CREATE OR REPLACE FUNCTION importer.count_record_states() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE importer.import_chunk c
            SET pending_count = c.pending_count + change.pending,
                submitting_count = c.submitting_count + change.submitting,
                submitted_count = c.submitted_count + change.submitted,
                imported_count = c.imported_count + change.imported,
                failed_count = c.failed_count + change.failed,
                unknown_count = c.unknown_count + change.unknown,
                cancelled_count = c.cancelled_count + change.cancelled,
                invalid_count = c.invalid_count + change.invalid,
                duplicate_count = c.duplicate_count + change.duplicate,
                due_at = LEAST(c.due_at, change.due_at)
            FROM (
                SELECT import_id, chunk_number,
                    coalesce(sum(n) FILTER (WHERE state = 'pending'), 0) AS pending,
                    coalesce(sum(n) FILTER (WHERE state = 'submitting'), 0) AS submitting,
                    coalesce(sum(n) FILTER (WHERE state = 'submitted'), 0) AS submitted,
                    coalesce(sum(n) FILTER (WHERE state = 'imported'), 0) AS imported,
                    coalesce(sum(n) FILTER (WHERE state = 'failed'), 0) AS failed,
                    coalesce(sum(n) FILTER (WHERE state = 'unknown'), 0) AS unknown,
                    coalesce(sum(n) FILTER (WHERE state = 'cancelled'), 0) AS cancelled,
                    coalesce(sum(n) FILTER (WHERE state = 'invalid'), 0) AS invalid,
                    coalesce(sum(n) FILTER (WHERE state = 'duplicate'), 0) AS duplicate,
                    min(due_at) AS due_at
                FROM (
                    SELECT import_id, chunk_number, state, -1 AS n, NULL::timestamptz AS due_at FROM before_update
                    UNION ALL
                    SELECT import_id, chunk_number, state, 1, CASE WHEN state = 'pending' THEN coalesce(next_attempt_at, now()) END FROM after_update
                ) both_sides
                GROUP BY import_id, chunk_number
            ) change
            WHERE c.import_id = change.import_id AND c.number = change.chunk_number;
            RETURN NULL;
        END $$;
        """);

            migrationBuilder.DropTable(
                name: "chunk_failure",
                schema: "importer");
        }
    }
}
