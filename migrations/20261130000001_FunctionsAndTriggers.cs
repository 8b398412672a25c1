using BulkImporter.Data;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace BulkImporter.Migrations;

/// <summary>What the model cannot say: functions, the trigger that counts, and how a column of hashes is stored.</summary>
[DbContext(typeof(ImporterDb))]
[Migration("20261130000001_FunctionsAndTriggers")]
public sealed class FunctionsAndTriggers : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        // The host of a source, with its port when it names one; null for what is not a web address.
        migrationBuilder.Sql("""
            CREATE FUNCTION importer.host_of(url text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
                $$SELECT CASE WHEN lower(left(url, 8)) LIKE ANY (ARRAY['http://%', 'https://']) THEN
                    nullif(lower(split_part(split_part(split_part(split_part(url, '/', 3), '?', 1), '#', 1), '@', -1)), '') END$$;
            """);

        // The counters of import_chunk, chunk_failure and chunk_host follow import_record once per statement, so no statement can forget them. The same
        // trigger makes the chunk due when a record becomes pending: retry and rerun need no second mechanism.
        migrationBuilder.Sql("""
            CREATE FUNCTION importer.count_record_states() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE
                change record;
                failures boolean := false;
                ends boolean := false;
            BEGIN
                -- Each chunk by its whole key: joined to the changes instead, all chunks of all imports are read as soon as they are some hundred.
                FOR change IN
                    SELECT import_id, chunk_number,
                        coalesce(sum(n) FILTER (WHERE state = 'pending'), 0) AS pending,
                        coalesce(sum(n) FILTER (WHERE state = 'submitted'), 0) AS submitted,
                        coalesce(sum(n) FILTER (WHERE state = 'imported'), 0) AS imported,
                        coalesce(sum(n) FILTER (WHERE state = 'failed'), 0) AS failed,
                        coalesce(sum(n) FILTER (WHERE state = 'unknown'), 0) AS unknown,
                        coalesce(sum(n) FILTER (WHERE state = 'cancelled'), 0) AS cancelled,
                        coalesce(sum(n) FILTER (WHERE state = 'invalid'), 0) AS invalid,
                        coalesce(sum(n) FILTER (WHERE state = 'duplicate'), 0) AS duplicate,
                        coalesce(sum(n) FILTER (WHERE state = 'deleted'), 0) AS deleted,
                        min(due_at) AS due_at,
                        bool_or(state IN ('failed', 'unknown')) AS failures,
                        bool_or(state IN ('imported', 'failed', 'unknown')) AS ends
                    FROM (
                        SELECT import_id, chunk_number, state, -count(*) AS n, NULL::timestamptz AS due_at FROM before_update GROUP BY 1, 2, 3
                        UNION ALL
                        SELECT import_id, chunk_number, state, count(*), CASE WHEN state = 'pending' THEN min(coalesce(next_attempt_at, now())) END
                        FROM after_update GROUP BY 1, 2, 3
                    ) both_sides
                    GROUP BY import_id, chunk_number
                    ORDER BY import_id, chunk_number
                LOOP
                    failures := failures OR change.failures;
                    ends := ends OR change.ends;
                    UPDATE importer.import_chunk c
                    SET unanswered_count = c.unanswered_count + change.pending,
                        submitted_count = c.submitted_count + change.submitted,
                        imported_count = c.imported_count + change.imported,
                        failed_count = c.failed_count + change.failed,
                        unknown_count = c.unknown_count + change.unknown,
                        cancelled_count = c.cancelled_count + change.cancelled,
                        invalid_count = c.invalid_count + change.invalid,
                        duplicate_count = c.duplicate_count + change.duplicate,
                        deleted_count = c.deleted_count + change.deleted,
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

                -- The chunk's row is held since the loop, so that these are taken by one at a time.
                IF ends THEN
                    INSERT INTO importer.chunk_host AS h (import_id, chunk_number, host, hour, code, count, first_at)
                    -- Materialized, or the host would be taken out of each URL twice.
                    WITH ended AS MATERIALIZED (
                        SELECT import_id, chunk_number, importer.host_of(source_url) AS host, date_trunc('hour', finished_at, 'UTC') AS hour,
                            CASE WHEN state = 'imported' THEN '' ELSE error_code END AS code, finished_at, -1 AS n
                        FROM before_update WHERE state IN ('imported', 'failed', 'unknown')
                        UNION ALL
                        SELECT import_id, chunk_number, importer.host_of(source_url), date_trunc('hour', finished_at, 'UTC'),
                            CASE WHEN state = 'imported' THEN '' ELSE error_code END, finished_at, 1
                        FROM after_update WHERE state IN ('imported', 'failed', 'unknown')
                    )
                    SELECT import_id, chunk_number, host, hour, code, sum(n), min(finished_at)
                    FROM ended
                    WHERE host IS NOT NULL AND code IS NOT NULL
                    GROUP BY import_id, chunk_number, host, hour, code HAVING sum(n) <> 0
                    ON CONFLICT (import_id, chunk_number, host, hour, code) DO UPDATE SET count = h.count + excluded.count,
                        first_at = CASE WHEN h.count = 0 THEN excluded.first_at ELSE least(h.first_at, excluded.first_at) END;
                END IF;
                RETURN NULL;
            END $$;

            CREATE TRIGGER count_record_states AFTER UPDATE ON importer.import_record
            REFERENCING OLD TABLE AS before_update NEW TABLE AS after_update
            FOR EACH STATEMENT EXECUTE FUNCTION importer.count_record_states();
            """);

        // The counters of what arrived, likewise. An upsert is an insert and an update to triggers, and each sees its own rows only, so each
        // event has a trigger and names the side that it has.
        migrationBuilder.Sql("""
            CREATE FUNCTION importer.count_arrivals() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE
                both_sides text := concat_ws(' UNION ALL ',
                    CASE WHEN TG_OP <> 'INSERT' THEN 'SELECT import_id, row_number, arrival, -1 AS n FROM before_change' END,
                    CASE WHEN TG_OP <> 'DELETE' THEN 'SELECT import_id, row_number, arrival, 1 AS n FROM after_change' END);
                any_change boolean;
                change record;
            BEGIN
                -- Most statements that could change one do not, and to plan the query for nothing would cost them more than their own work.
                IF TG_OP = 'INSERT' THEN
                    any_change := EXISTS (SELECT 1 FROM after_change WHERE arrival IS NOT NULL);
                ELSE
                    any_change := EXISTS (SELECT 1 FROM before_change);
                END IF;
                IF NOT any_change THEN
                    RETURN NULL;
                END IF;

                FOR change IN EXECUTE format($query$
                    SELECT import_id, chunk_number,
                        coalesce(sum(n) FILTER (WHERE arrival = 'verified'), 0) AS verified,
                        coalesce(sum(n) FILTER (WHERE arrival = 'size_differs'), 0) AS size_differs,
                        coalesce(sum(n) FILTER (WHERE arrival = 'duration_differs'), 0) AS duration_differs,
                        coalesce(sum(n) FILTER (WHERE arrival = 'md5_differs'), 0) AS md5_differs
                    FROM (
                        -- Each by its whole key.
                        SELECT b.*, (
                            SELECT r.chunk_number FROM importer.import_record r
                            WHERE r.import_id = b.import_id AND r.row_number = b.row_number) AS chunk_number
                        FROM (%s) b WHERE b.arrival IS NOT NULL) changed
                    GROUP BY import_id, chunk_number
                    ORDER BY import_id, chunk_number
                    $query$, both_sides)
                LOOP
                    UPDATE importer.import_chunk c
                    SET verified_count = c.verified_count + change.verified,
                        size_differs_count = c.size_differs_count + change.size_differs,
                        duration_differs_count = c.duration_differs_count + change.duration_differs,
                        md5_differs_count = c.md5_differs_count + change.md5_differs
                    WHERE c.import_id = change.import_id AND c.number = change.chunk_number
                        AND (change.verified, change.size_differs, change.duration_differs, change.md5_differs) <> (0, 0, 0, 0);
                END LOOP;
                RETURN NULL;
            END $$;

            CREATE TRIGGER count_new_arrivals AFTER INSERT ON importer.record_asset
            REFERENCING NEW TABLE AS after_change
            FOR EACH STATEMENT EXECUTE FUNCTION importer.count_arrivals();

            CREATE TRIGGER count_changed_arrivals AFTER UPDATE ON importer.record_asset
            REFERENCING OLD TABLE AS before_change NEW TABLE AS after_change
            FOR EACH STATEMENT EXECUTE FUNCTION importer.count_arrivals();

            CREATE TRIGGER count_left_arrivals AFTER DELETE ON importer.record_asset
            REFERENCING OLD TABLE AS before_change
            FOR EACH STATEMENT EXECUTE FUNCTION importer.count_arrivals();
            """);

        // Records and attempts as a person knows them. A record on the wire stands in its chunk until it is answered, and the attempt that
        // made an asset, or is on the way to, is told by the record: neither costs a write of its own.
        migrationBuilder.Sql("""
            CREATE VIEW importer.record_now AS
            SELECT r.import_id, r.row_number, r.chunk_number, r.line_number,
                CASE WHEN w.is_on_wire THEN 'submitting' ELSE r.state END AS state,
                r.source_key, r.source_url, r.caption, r.reference_id, r.is_push,
                CASE WHEN w.is_on_wire THEN r.attempt_count + 1 ELSE r.attempt_count END::smallint AS attempt_count,
                CASE WHEN w.is_on_wire THEN r.attempts_left - 1 ELSE r.attempts_left END::smallint AS attempts_left,
                CASE WHEN w.is_on_wire THEN NULL ELSE r.next_attempt_at END AS next_attempt_at,
                r.status_id, r.rid, r.error_code, r.error_message, r.possibly_duplicated, r.is_adopted, r.submitted_at, r.finished_at
            FROM importer.import_record r
            -- Asked once for each row, and of its chunk only where the row is pending.
            CROSS JOIN LATERAL (
                SELECT r.state = 'pending' AND EXISTS (
                    SELECT 1 FROM importer.import_chunk c
                    WHERE c.import_id = r.import_id AND c.number = r.chunk_number AND r.row_number = ANY (c.on_wire)) AS is_on_wire
                OFFSET 0) w;

            CREATE VIEW importer.attempt_now AS
            SELECT import_id, row_number, number, started_at, worker, status_id, finished_at, outcome, http_status, message, size_bytes, looked_at
            FROM importer.attempt
            UNION ALL
            SELECT r.import_id, r.row_number, r.attempt_count, r.submitted_at, NULL, r.status_id,
                CASE r.state WHEN 'imported' THEN r.finished_at END, CASE r.state WHEN 'imported' THEN 'imported' ELSE 'accepted' END,
                NULL, p.note, NULL, NULL
            FROM importer.import_record r
            LEFT JOIN importer.status_poll p ON p.import_id = r.import_id AND p.row_number = r.row_number AND p.status_id = r.status_id
            WHERE r.state IN ('submitted', 'imported') AND r.submitted_at IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM importer.attempt t
                WHERE t.import_id = r.import_id AND t.row_number = r.row_number AND t.number = r.attempt_count)
            UNION ALL
            SELECT r.import_id, r.row_number, (r.attempt_count + 1)::smallint, w.started_at, c.lease_owner || ':' || c.fence, NULL, NULL, NULL,
                NULL, NULL, NULL, NULL
            FROM importer.import_chunk c
            CROSS JOIN LATERAL unnest(c.on_wire, c.on_wire_since) AS w(row_number, started_at)
            JOIN importer.import_record r ON r.import_id = c.import_id AND r.row_number = w.row_number
            WHERE c.state <> 'waiting';
            """);

        // When an import with this start and window may send: null for now, infinity for never. Statements over all imports ask it, and a
        // server upgrade may take a zone's name away: one import's name must not make them raise, so such an import never opens and is
        // paused with its reason. Other times stay where .NET can read them.
        migrationBuilder.Sql("""
            CREATE FUNCTION importer.opens_at(start_at timestamptz, window_from time, window_until time, window_zone text) RETURNS timestamptz
            LANGUAGE plpgsql STABLE AS $$
            DECLARE
                earliest timestamp;
            BEGIN
                IF window_zone IS NULL THEN RETURN CASE WHEN start_at > now() THEN start_at END; END IF;
                BEGIN
                    earliest := greatest(start_at, now()) AT TIME ZONE window_zone;
                EXCEPTION WHEN invalid_parameter_value THEN
                    RETURN 'infinity';
                END;
                IF (CASE WHEN window_from < window_until THEN earliest::time >= window_from AND earliest::time < window_until
                         ELSE earliest::time >= window_from OR earliest::time < window_until END)
                THEN RETURN CASE WHEN start_at > now() THEN start_at END; END IF;
                RETURN least((earliest::date + CASE WHEN earliest::time < window_from THEN 0 ELSE 1 END + window_from) AT TIME ZONE window_zone, '9999-12-31 00:00+00');
            END
            $$;
            """);

        // How long what failed so many times in a row rests, where the count stands in the row (RetrySchedule elsewhere). Without jitter.
        migrationBuilder.Sql("""
            CREATE FUNCTION importer.backoff(first_wait interval, longest_wait interval, times integer) RETURNS interval LANGUAGE sql IMMUTABLE AS
                'SELECT least(longest_wait, first_wait * power(2, least(times, 20)))';
            """);

        // What the statements of the hot paths take as one parameter, many in an array. Each is a record of the program (StoredAsRow).
        migrationBuilder.Sql("""
            CREATE TYPE importer.outcome AS (import_id int, row_number int, attempt smallint, started_at timestamptz, status_id text, state text,
                rid text, code text, http_status smallint, message text, retry_after interval, give_back smallint,
                size_bytes bigint, sha256 text, md5 text);
            CREATE TYPE importer.row_correction AS (row_number int, url text, source_key uuid, caption text, reference_id text, is_push boolean);
            CREATE TYPE importer.poll_progress AS (import_id int, row_number int, status_id text, wait interval, percent smallint, bytes bigint,
                total bigint, moved boolean, not_found boolean, submitted_at timestamptz);
            CREATE TYPE importer.finish_end AS (import_id int, row_number int, state text, wait interval, failed_count smallint, code text,
                message text, account_id int, rid text);
            CREATE TYPE importer.undo_end AS (import_id int, row_number int, rid text, state text, wait interval, failed_count smallint,
                in_doubt boolean, code text, message text);
            CREATE TYPE importer.seen_asset AS (import_id int, row_number int, rid text, type text, size_bytes bigint,
                seconds double precision, file_url text, thumbnail_url text, playable boolean);
            CREATE TYPE importer.found_asset AS (import_id int, row_number int, attempt smallint, rid text, file_name text, size_bytes bigint,
                uploaded_at timestamptz, caption text, type text);
            """);

        // The least generation that a program must know to work on this database (SchemaGeneration).
        migrationBuilder.Sql("CREATE FUNCTION importer.oldest_program() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';");

        // Hashes do not compress: trying to costs more than the copy.
        migrationBuilder.Sql("ALTER TABLE importer.source_key_block ALTER COLUMN keys SET STORAGE EXTERNAL;");
    }

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("""
        ALTER TABLE importer.source_key_block ALTER COLUMN keys SET STORAGE EXTENDED;
        DROP VIEW importer.attempt_now, importer.record_now;
        DROP FUNCTION importer.oldest_program();
        DROP FUNCTION importer.backoff(interval, interval, integer);
        DROP TYPE importer.outcome, importer.row_correction, importer.poll_progress, importer.finish_end, importer.undo_end,
            importer.seen_asset, importer.found_asset;
        DROP FUNCTION importer.opens_at(timestamptz, time, time, text);
        DROP TRIGGER count_new_arrivals ON importer.record_asset;
        DROP TRIGGER count_changed_arrivals ON importer.record_asset;
        DROP TRIGGER count_left_arrivals ON importer.record_asset;
        DROP FUNCTION importer.count_arrivals();
        DROP TRIGGER count_record_states ON importer.import_record;
        DROP FUNCTION importer.count_record_states();
        DROP FUNCTION importer.host_of(text);
        """);
}
