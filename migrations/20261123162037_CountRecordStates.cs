using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace BulkImporter.Migrations
{
    /// <summary>
    /// The counters of import_chunk follow import_record by a trigger, once per statement, so no statement can forget them. The same
    /// trigger makes the chunk due when a record becomes pending: retry and rerun need no second mechanism.
    /// </summary>
    public partial class CountRecordStates : Migration
    {
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("""
        CREATE FUNCTION importer.count_record_states() RETURNS trigger LANGUAGE plpgsql AS $$
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

        CREATE TRIGGER count_record_states AFTER UPDATE ON importer.import_record
        REFERENCING OLD TABLE AS before_update NEW TABLE AS after_update
        FOR EACH STATEMENT EXECUTE FUNCTION importer.count_record_states();
        """);
        }

        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("""
        DROP TRIGGER count_record_states ON importer.import_record;
        DROP FUNCTION importer.count_record_states();
        """);
        }
    }
}
