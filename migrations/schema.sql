CREATE SCHEMA importer;

CREATE TYPE importer.finish_end AS (
	import_id integer,
	row_number integer,
	state text,
	wait interval,
	failed_count smallint,
	code text,
	message text,
	account_id integer,
	rid text
);

CREATE TYPE importer.found_asset AS (
	import_id integer,
	row_number integer,
	attempt smallint,
	rid text,
	file_name text,
	size_bytes bigint,
	uploaded_at timestamp with time zone,
	caption text,
	type text
);

CREATE TYPE importer.outcome AS (
	import_id integer,
	row_number integer,
	attempt smallint,
	started_at timestamp with time zone,
	status_id text,
	state text,
	rid text,
	code text,
	http_status smallint,
	message text,
	retry_after interval,
	give_back smallint,
	size_bytes bigint,
	sha256 text,
	md5 text
);

CREATE TYPE importer.poll_progress AS (
	import_id integer,
	row_number integer,
	status_id text,
	wait interval,
	percent smallint,
	bytes bigint,
	total bigint,
	moved boolean,
	not_found boolean,
	submitted_at timestamp with time zone
);

CREATE TYPE importer.row_correction AS (
	row_number integer,
	url text,
	source_key uuid,
	caption text,
	reference_id text,
	is_push boolean
);

CREATE TYPE importer.seen_asset AS (
	import_id integer,
	row_number integer,
	rid text,
	type text,
	size_bytes bigint,
	seconds double precision,
	file_url text,
	thumbnail_url text,
	playable boolean
);

CREATE TYPE importer.undo_end AS (
	import_id integer,
	row_number integer,
	rid text,
	state text,
	wait interval,
	failed_count smallint,
	in_doubt boolean,
	code text,
	message text
);

CREATE FUNCTION importer.backoff(first_wait interval, longest_wait interval, times integer) RETURNS interval
    LANGUAGE sql IMMUTABLE
    AS $$SELECT least(longest_wait, first_wait * power(2, least(times, 20)))$$;

CREATE FUNCTION importer.count_arrivals() RETURNS trigger
    LANGUAGE plpgsql
    AS $_$
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
END $_$;

CREATE FUNCTION importer.count_record_states() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION importer.host_of(url text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$SELECT CASE WHEN lower(left(url, 8)) LIKE ANY (ARRAY['http://%', 'https://']) THEN
        nullif(lower(split_part(split_part(split_part(split_part(url, '/', 3), '?', 1), '#', 1), '@', -1)), '') END$$;

CREATE FUNCTION importer.oldest_program() RETURNS integer
    LANGUAGE sql IMMUTABLE
    AS $$SELECT 1$$;

CREATE FUNCTION importer.opens_at(start_at timestamp with time zone, window_from time without time zone, window_until time without time zone, window_zone text) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    AS $$
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

CREATE TABLE importer.account (
    id integer NOT NULL,
    name text NOT NULL,
    base_url text NOT NULL,
    token_protected text NOT NULL,
    state text NOT NULL,
    reason text,
    submit_verb text DEFAULT 'auto'::text NOT NULL,
    verb_in_use text DEFAULT 'get'::text NOT NULL,
    first_accepted_at timestamp with time zone,
    permissions text,
    rejected_in_a_row integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    backlog_limit integer NOT NULL,
    max_in_flight integer NOT NULL,
    per_host_limit integer DEFAULT 0 NOT NULL,
    submit_rate double precision NOT NULL,
    status_rate double precision NOT NULL,
    embed_address text DEFAULT 'https://www.cincopa.com/media-platform/iframe.aspx?fid={fid}!{rid}'::text NOT NULL,
    hls_address text DEFAULT 'https://rt.cincopa.com/{rid}.m3u8'::text NOT NULL,
    player_template text,
    CONSTRAINT account_limits_are_not_negative CHECK (((submit_rate >= (0)::double precision) AND (status_rate >= (0)::double precision) AND (max_in_flight >= 0) AND (per_host_limit >= 0) AND (backlog_limit >= 0))),
    CONSTRAINT account_state_is_known CHECK ((state = ANY (ARRAY['active'::text, 'suspended'::text]))),
    CONSTRAINT account_verbs_are_known CHECK (((submit_verb = ANY (ARRAY['auto'::text, 'get'::text, 'post'::text])) AND (verb_in_use = ANY (ARRAY['get'::text, 'post'::text]))))
);

ALTER TABLE importer.account ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME importer.account_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE importer.api_key (
    id integer NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL,
    hash bytea NOT NULL,
    role text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    last_used_at timestamp with time zone,
    CONSTRAINT api_key_role_is_known CHECK ((role = ANY (ARRAY['viewer'::text, 'operator'::text, 'admin'::text])))
);

ALTER TABLE importer.api_key ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME importer.api_key_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE importer.app_user (
    id integer NOT NULL,
    role text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    signed_in_at timestamp with time zone,
    locked_at timestamp with time zone,
    foreign_id text,
    user_name text NOT NULL,
    normalized_user_name text NOT NULL,
    password_hash text,
    security_stamp text NOT NULL,
    concurrency_stamp text NOT NULL,
    lockout_end timestamp with time zone,
    access_failed_count integer NOT NULL,
    CONSTRAINT app_user_role_is_known CHECK ((role = ANY (ARRAY['viewer'::text, 'operator'::text, 'admin'::text])))
);

ALTER TABLE importer.app_user ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME importer.app_user_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE importer.attempt (
    import_id integer NOT NULL,
    row_number integer NOT NULL,
    number smallint NOT NULL,
    started_at timestamp with time zone NOT NULL,
    worker text,
    status_id text,
    finished_at timestamp with time zone,
    outcome text,
    http_status smallint,
    message text,
    size_bytes bigint,
    looked_at timestamp with time zone,
    CONSTRAINT attempt_numbers_start_at_one CHECK ((number >= 1))
)
WITH (fillfactor='75');

CREATE TABLE importer.import_chunk (
    import_id integer NOT NULL,
    number integer NOT NULL,
    first_row integer NOT NULL,
    last_row integer NOT NULL,
    state text NOT NULL,
    due_at timestamp with time zone,
    queued_at timestamp with time zone,
    lease_owner text,
    lease_token uuid,
    lease_until timestamp with time zone,
    lease_window integer NOT NULL,
    fence bigint NOT NULL,
    on_wire integer[] DEFAULT '{}'::integer[] NOT NULL,
    on_wire_since timestamp with time zone[] DEFAULT '{}'::timestamp with time zone[] NOT NULL,
    waits_for text[] DEFAULT '{}'::text[] NOT NULL,
    waits_for_count integer[] DEFAULT '{}'::integer[] NOT NULL,
    unanswered_count integer NOT NULL,
    pending_count integer GENERATED ALWAYS AS ((unanswered_count - cardinality(on_wire))) STORED NOT NULL,
    submitting_count integer GENERATED ALWAYS AS (cardinality(on_wire)) STORED NOT NULL,
    submitted_count integer NOT NULL,
    imported_count integer NOT NULL,
    failed_count integer NOT NULL,
    unknown_count integer NOT NULL,
    cancelled_count integer NOT NULL,
    invalid_count integer NOT NULL,
    duplicate_count integer NOT NULL,
    deleted_count integer DEFAULT 0 NOT NULL,
    verified_count integer DEFAULT 0 NOT NULL,
    size_differs_count integer DEFAULT 0 NOT NULL,
    duration_differs_count integer DEFAULT 0 NOT NULL,
    md5_differs_count integer DEFAULT 0 NOT NULL,
    CONSTRAINT chunk_counts_are_not_negative CHECK (((pending_count >= 0) AND (submitting_count >= 0) AND (submitted_count >= 0) AND (imported_count >= 0) AND (failed_count >= 0) AND (unknown_count >= 0) AND (cancelled_count >= 0) AND (invalid_count >= 0) AND (duplicate_count >= 0) AND (deleted_count >= 0) AND (verified_count >= 0) AND (size_differs_count >= 0) AND (duration_differs_count >= 0) AND (md5_differs_count >= 0))),
    CONSTRAINT chunk_counts_sum_to_its_rows CHECK (((((((((((pending_count + submitting_count) + submitted_count) + imported_count) + failed_count) + unknown_count) + cancelled_count) + invalid_count) + duplicate_count) + deleted_count) = ((last_row - first_row) + 1))),
    CONSTRAINT chunk_leased_iff_running CHECK ((((state = 'running'::text) = (lease_token IS NOT NULL)) AND ((lease_token IS NULL) = (lease_until IS NULL)) AND ((lease_token IS NULL) = (lease_owner IS NULL)))),
    CONSTRAINT chunk_state_is_known CHECK ((state = ANY (ARRAY['waiting'::text, 'queued'::text, 'running'::text])))
)
WITH (autovacuum_vacuum_scale_factor='0.05', fillfactor='40');

CREATE TABLE importer.import_record (
    import_id integer NOT NULL,
    row_number integer NOT NULL,
    chunk_number integer NOT NULL,
    line_number integer NOT NULL,
    state text NOT NULL,
    source_key uuid,
    source_url text,
    caption text,
    reference_id text,
    is_push boolean DEFAULT false NOT NULL,
    attempt_count smallint NOT NULL,
    attempts_left smallint NOT NULL,
    next_attempt_at timestamp with time zone,
    status_id text,
    rid text,
    error_code text,
    error_message text,
    possibly_duplicated boolean NOT NULL,
    is_adopted boolean DEFAULT false NOT NULL,
    submitted_at timestamp with time zone,
    finished_at timestamp with time zone,
    CONSTRAINT record_finished_at_iff_ended CHECK (((finished_at IS NOT NULL) = (state <> ALL (ARRAY['pending'::text, 'submitted'::text])))),
    CONSTRAINT record_imported_has_rid CHECK (((state <> ALL (ARRAY['imported'::text, 'deleted'::text])) OR (rid IS NOT NULL))),
    CONSTRAINT record_state_is_known CHECK (((state = ANY (ARRAY['pending'::text, 'submitting'::text, 'submitted'::text, 'imported'::text, 'failed'::text, 'unknown'::text, 'cancelled'::text, 'invalid'::text, 'duplicate'::text, 'deleted'::text])) AND (state <> 'submitting'::text))),
    CONSTRAINT record_submitted_has_status_id CHECK (((state <> 'submitted'::text) OR (status_id IS NOT NULL))),
    CONSTRAINT record_work_has_source CHECK (((state = 'invalid'::text) OR (source_url IS NOT NULL)))
)
WITH (autovacuum_vacuum_scale_factor='0.05', fillfactor='40');

COMMENT ON COLUMN importer.import_record.status_id IS 'Cincopa''s opaque ticket of the current attempt; not a key of ours.';

COMMENT ON COLUMN importer.import_record.rid IS 'Cincopa''s opaque name of the asset.';

CREATE TABLE importer.status_poll (
    import_id integer NOT NULL,
    row_number integer NOT NULL,
    attempt smallint NOT NULL,
    account_id integer NOT NULL,
    status_id text NOT NULL,
    submitted_at timestamp with time zone NOT NULL,
    next_poll_at timestamp with time zone NOT NULL,
    progress_percent smallint,
    progress_bytes bigint,
    total_bytes bigint,
    moved_at timestamp with time zone NOT NULL,
    not_found_since timestamp with time zone,
    next_abort_at timestamp with time zone,
    note text,
    abort_answered_at timestamp with time zone
)
WITH (autovacuum_vacuum_cost_delay='0', autovacuum_vacuum_scale_factor='0.02', fillfactor='60');

CREATE VIEW importer.attempt_now AS
 SELECT attempt.import_id,
    attempt.row_number,
    attempt.number,
    attempt.started_at,
    attempt.worker,
    attempt.status_id,
    attempt.finished_at,
    attempt.outcome,
    attempt.http_status,
    attempt.message,
    attempt.size_bytes,
    attempt.looked_at
   FROM importer.attempt
UNION ALL
 SELECT r.import_id,
    r.row_number,
    r.attempt_count AS number,
    r.submitted_at AS started_at,
    NULL::text AS worker,
    r.status_id,
        CASE r.state
            WHEN 'imported'::text THEN r.finished_at
            ELSE NULL::timestamp with time zone
        END AS finished_at,
        CASE r.state
            WHEN 'imported'::text THEN 'imported'::text
            ELSE 'accepted'::text
        END AS outcome,
    NULL::smallint AS http_status,
    p.note AS message,
    NULL::bigint AS size_bytes,
    NULL::timestamp with time zone AS looked_at
   FROM (importer.import_record r
     LEFT JOIN importer.status_poll p ON (((p.import_id = r.import_id) AND (p.row_number = r.row_number) AND (p.status_id = r.status_id))))
  WHERE ((r.state = ANY (ARRAY['submitted'::text, 'imported'::text])) AND (r.submitted_at IS NOT NULL) AND (NOT (EXISTS ( SELECT 1
           FROM importer.attempt t
          WHERE ((t.import_id = r.import_id) AND (t.row_number = r.row_number) AND (t.number = r.attempt_count))))))
UNION ALL
 SELECT r.import_id,
    r.row_number,
    ((r.attempt_count + 1))::smallint AS number,
    w.started_at,
    ((c.lease_owner || ':'::text) || c.fence) AS worker,
    NULL::text AS status_id,
    NULL::timestamp with time zone AS finished_at,
    NULL::text AS outcome,
    NULL::smallint AS http_status,
    NULL::text AS message,
    NULL::bigint AS size_bytes,
    NULL::timestamp with time zone AS looked_at
   FROM ((importer.import_chunk c
     CROSS JOIN LATERAL UNNEST(c.on_wire, c.on_wire_since) w(row_number, started_at))
     JOIN importer.import_record r ON (((r.import_id = c.import_id) AND (r.row_number = w.row_number))))
  WHERE (c.state <> 'waiting'::text);

CREATE TABLE importer.audit_entry (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    import_id integer,
    account_id integer,
    detail text
);

ALTER TABLE importer.audit_entry ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME importer.audit_entry_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE importer.call_budget (
    account_id integer NOT NULL,
    kind text NOT NULL,
    next_at timestamp with time zone NOT NULL,
    blocked_until timestamp with time zone,
    blocked_reason text,
    blocks_in_a_row integer NOT NULL,
    backlog_room integer,
    CONSTRAINT call_budget_kind_is_known CHECK ((kind = ANY (ARRAY['submit'::text, 'status'::text])))
)
WITH (fillfactor='20');

CREATE TABLE importer.chunk_failure (
    import_id integer NOT NULL,
    chunk_number integer NOT NULL,
    code text NOT NULL,
    count integer NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.05', fillfactor='60');

CREATE TABLE importer.chunk_host (
    import_id integer NOT NULL,
    chunk_number integer NOT NULL,
    host text NOT NULL,
    hour timestamp with time zone NOT NULL,
    code text NOT NULL,
    count integer NOT NULL,
    first_at timestamp with time zone NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.05', fillfactor='60');

CREATE TABLE importer.correction (
    id bigint NOT NULL,
    import_id integer NOT NULL,
    row_number integer NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    field text NOT NULL,
    old_value text,
    new_value text,
    CONSTRAINT correction_field_is_known CHECK ((field = ANY (ARRAY['url'::text, 'caption'::text, 'reference_id'::text, 'transfer'::text])))
);

ALTER TABLE importer.correction ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME importer.correction_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE importer.data_protection_key (
    id integer NOT NULL,
    friendly_name text,
    xml text
);

ALTER TABLE importer.data_protection_key ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME importer.data_protection_key_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE importer.failing_host (
    account_id integer NOT NULL,
    host text NOT NULL,
    failed_in_a_row integer NOT NULL,
    since timestamp with time zone NOT NULL,
    last_failed_at timestamp with time zone NOT NULL,
    code text NOT NULL,
    asked_at timestamp with time zone,
    asked_count integer DEFAULT 0 NOT NULL
);

CREATE TABLE importer.finding (
    id bigint NOT NULL,
    import_id integer NOT NULL,
    row_number integer NOT NULL,
    line_number bigint NOT NULL,
    column_name text,
    code text NOT NULL,
    severity text NOT NULL,
    value text,
    other_row integer,
    other_import integer,
    CONSTRAINT finding_severity_is_known CHECK ((severity = ANY (ARRAY['error'::text, 'warning'::text])))
);

ALTER TABLE importer.finding ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME importer.finding_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE importer.import (
    id integer NOT NULL,
    name text NOT NULL,
    account_id integer NOT NULL,
    manifest_id integer NOT NULL,
    state text NOT NULL,
    reason text,
    offered_encoding text,
    mapping text,
    template text,
    start_when_parsed boolean NOT NULL,
    row_count integer,
    parsed_rows integer NOT NULL,
    parse_queued_at timestamp with time zone,
    checked_at timestamp with time zone,
    idempotency_key text,
    breaker_finished_base integer NOT NULL,
    breaker_failed_base integer NOT NULL,
    breaker_compared_base integer NOT NULL,
    breaker_differed_base integer NOT NULL,
    last_served_at timestamp with time zone,
    trial_count integer,
    trial_through integer,
    abort_remote boolean DEFAULT false NOT NULL,
    undo_ordered_at timestamp with time zone,
    created_by text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    already_imported text DEFAULT 'skip'::text NOT NULL,
    chunk_size integer NOT NULL,
    duplicate_rows text DEFAULT 'skip'::text NOT NULL,
    encoding text,
    fid text,
    first_rows integer,
    links_as_written text,
    match_by text DEFAULT 'url'::text NOT NULL,
    max_attempts integer NOT NULL,
    priority integer NOT NULL,
    sheet text,
    start_at timestamp with time zone,
    stop_after_rows integer DEFAULT 1000 NOT NULL,
    stop_at_difference_percent integer DEFAULT 100 NOT NULL,
    stop_at_failure_percent integer DEFAULT 50 NOT NULL,
    transfer text DEFAULT 'pull'::text NOT NULL,
    when_unknown text NOT NULL,
    window_from time without time zone,
    window_until time without time zone,
    window_zone text,
    CONSTRAINT import_breaker_is_possible CHECK ((((stop_at_failure_percent >= 1) AND (stop_at_failure_percent <= 100)) AND ((stop_at_difference_percent >= 1) AND (stop_at_difference_percent <= 100)) AND (stop_after_rows > 0))),
    CONSTRAINT import_counted_once_parsed CHECK (((row_count IS NOT NULL) OR (state = ANY (ARRAY['parsing'::text, 'rejected'::text, 'cancelled'::text, 'deleting'::text])))),
    CONSTRAINT import_encoding_is_known CHECK ((encoding = 'windows-1252'::text)),
    CONSTRAINT import_finished_at_iff_ended CHECK (((finished_at IS NOT NULL) = (state = ANY (ARRAY['finished'::text, 'cancelled'::text, 'rejected'::text, 'deleting'::text])))),
    CONSTRAINT import_match_by_is_known CHECK ((match_by = ANY (ARRAY['url'::text, 'reference_id'::text, 'both'::text]))),
    CONSTRAINT import_settings_are_positive CHECK (((chunk_size > 0) AND (max_attempts > 0) AND (first_rows > 0))),
    CONSTRAINT import_state_is_known CHECK ((state = ANY (ARRAY['parsing'::text, 'review'::text, 'running'::text, 'paused'::text, 'finished'::text, 'cancelled'::text, 'rejected'::text, 'deleting'::text]))),
    CONSTRAINT import_transfer_is_known CHECK ((transfer = ANY (ARRAY['pull'::text, 'push'::text, 'auto'::text]))),
    CONSTRAINT import_trial_has_records CHECK (((trial_count > 0) AND ((trial_through IS NULL) OR (trial_count IS NOT NULL)))),
    CONSTRAINT import_when_already_imported_is_known CHECK ((already_imported = ANY (ARRAY['skip'::text, 'import'::text]))),
    CONSTRAINT import_when_duplicate_rows_is_known CHECK ((duplicate_rows = ANY (ARRAY['skip'::text, 'import'::text]))),
    CONSTRAINT import_when_unknown_is_known CHECK ((when_unknown = ANY (ARRAY['hold'::text, 'resubmit'::text]))),
    CONSTRAINT import_window_is_whole CHECK ((((window_from IS NULL) = (window_zone IS NULL)) AND ((window_until IS NULL) = (window_zone IS NULL)) AND (window_from <> window_until)))
)
WITH (fillfactor='50');

ALTER TABLE importer.import ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME importer.import_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE importer.import_tick (
    import_id integer NOT NULL,
    at timestamp with time zone NOT NULL,
    submitted_count integer NOT NULL,
    finished_count integer NOT NULL
);

CREATE TABLE importer.manifest (
    id integer NOT NULL,
    file_name text NOT NULL,
    sha256 bytea,
    size_bytes bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone,
    CONSTRAINT manifest_received_iff_hashed CHECK (((received_at IS NULL) = (sha256 IS NULL)))
);

ALTER TABLE importer.manifest ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME importer.manifest_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE importer.manifest_part (
    manifest_id integer NOT NULL,
    number integer NOT NULL,
    bytes bytea NOT NULL
);

CREATE TABLE importer.manifest_source_file (
    manifest_id integer NOT NULL,
    source_file_id integer NOT NULL
);

CREATE TABLE importer.mapping_template (
    id integer NOT NULL,
    account_id integer NOT NULL,
    name text NOT NULL,
    columns text[] NOT NULL,
    header text NOT NULL,
    mapping text NOT NULL,
    created_by text NOT NULL,
    created_at timestamp with time zone NOT NULL
);

ALTER TABLE importer.mapping_template ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME importer.mapping_template_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE importer.migration (
    migration_id character varying(150) NOT NULL,
    product_version character varying(32) NOT NULL
);

CREATE TABLE importer.named_gallery (
    account_id integer NOT NULL,
    name text NOT NULL,
    fid text,
    claimed_until timestamp with time zone NOT NULL
);

CREATE TABLE importer.notification (
    id bigint NOT NULL,
    kind text NOT NULL,
    at timestamp with time zone NOT NULL,
    import_id integer,
    account_id integer NOT NULL,
    reason text,
    body text,
    addressed_at timestamp with time zone
);

CREATE TABLE importer.notification_delivery (
    notification_id bigint NOT NULL,
    target_id integer NOT NULL,
    next_at timestamp with time zone,
    try_count integer NOT NULL,
    delivered_at timestamp with time zone,
    problem text
);

ALTER TABLE importer.notification ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME importer.notification_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE importer.notification_target (
    id integer NOT NULL,
    name text NOT NULL,
    url text NOT NULL,
    secret_protected text NOT NULL,
    created_at timestamp with time zone NOT NULL
);

ALTER TABLE importer.notification_target ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME importer.notification_target_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE importer.password_link (
    id integer NOT NULL,
    hash bytea NOT NULL,
    user_id integer,
    stamp text,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);

ALTER TABLE importer.password_link ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME importer.password_link_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE importer.probe (
    import_id integer NOT NULL,
    state text NOT NULL,
    sample integer,
    step integer NOT NULL,
    total_count integer NOT NULL,
    probed_count integer NOT NULL,
    problem_count integer NOT NULL,
    last_row integer NOT NULL,
    run integer NOT NULL,
    queued_at timestamp with time zone,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT probe_state_is_known CHECK ((state = ANY (ARRAY['running'::text, 'finished'::text, 'stopped'::text])))
);

CREATE TABLE importer.probe_host (
    import_id integer NOT NULL,
    host text NOT NULL,
    probed_count integer NOT NULL,
    problem_count integer NOT NULL
);

CREATE TABLE importer.push_upload (
    import_id integer NOT NULL,
    row_number integer NOT NULL,
    attempt smallint NOT NULL,
    url_protected text NOT NULL,
    unique_id text NOT NULL,
    file_name text NOT NULL,
    source_tag text,
    sent_bytes bigint NOT NULL,
    total_bytes bigint,
    last_begun_at timestamp with time zone
)
WITH (fillfactor='60');

CREATE TABLE importer.reconcile_candidate (
    import_id integer NOT NULL,
    row_number integer NOT NULL,
    rid text NOT NULL,
    attempt smallint NOT NULL,
    file_name text NOT NULL,
    size_bytes bigint,
    uploaded_at timestamp with time zone NOT NULL,
    caption text,
    type text
);

CREATE TABLE importer.reconcile_look (
    account_id integer NOT NULL,
    next_at timestamp with time zone NOT NULL,
    looked_at timestamp with time zone,
    failing_since timestamp with time zone,
    problem text
);

CREATE TABLE importer.record_asset (
    import_id integer NOT NULL,
    row_number integer NOT NULL,
    rid text NOT NULL,
    type text,
    size_bytes bigint,
    seconds double precision,
    file_url text,
    thumbnail_url text,
    playable boolean,
    seen_at timestamp with time zone,
    sent_bytes bigint,
    sent_sha256 text,
    sent_md5 text,
    expected_bytes bigint,
    expected_seconds double precision,
    expected_md5 text,
    arrival text GENERATED ALWAYS AS (
CASE
    WHEN (size_bytes <> COALESCE(expected_bytes, sent_bytes)) THEN 'size_differs'::text
    WHEN (abs((seconds - expected_seconds)) > GREATEST((2)::double precision, (expected_seconds / (100)::double precision))) THEN 'duration_differs'::text
    WHEN (sent_md5 <> expected_md5) THEN 'md5_differs'::text
    WHEN ((size_bytes = COALESCE(expected_bytes, sent_bytes)) OR (NOT (abs((seconds - expected_seconds)) > GREATEST((2)::double precision, (expected_seconds / (100)::double precision))))) THEN 'verified'::text
    ELSE NULL::text
END) STORED
);

CREATE TABLE importer.record_finish (
    import_id integer NOT NULL,
    row_number integer NOT NULL,
    account_id integer NOT NULL,
    rid text NOT NULL,
    state text NOT NULL,
    next_at timestamp with time zone NOT NULL,
    failed_count smallint NOT NULL,
    only_looks boolean DEFAULT false NOT NULL,
    error_code text,
    error_message text,
    CONSTRAINT finish_state_is_known CHECK ((state = ANY (ARRAY['pending'::text, 'failed'::text])))
)
WITH (autovacuum_vacuum_scale_factor='0.02', fillfactor='60');

CREATE TABLE importer.record_meta (
    import_id integer NOT NULL,
    row_number integer NOT NULL,
    description text,
    long_description text,
    tags text,
    related_link_text text,
    related_link_url text,
    gallery text,
    fid text,
    file_name text,
    old_url text,
    expected_bytes bigint,
    expected_md5 text,
    expected_seconds double precision,
    source_bytes bigint
);

CREATE VIEW importer.record_now AS
 SELECT r.import_id,
    r.row_number,
    r.chunk_number,
    r.line_number,
        CASE
            WHEN w.is_on_wire THEN 'submitting'::text
            ELSE r.state
        END AS state,
    r.source_key,
    r.source_url,
    r.caption,
    r.reference_id,
    r.is_push,
    (
        CASE
            WHEN w.is_on_wire THEN (r.attempt_count + 1)
            ELSE (r.attempt_count)::integer
        END)::smallint AS attempt_count,
    (
        CASE
            WHEN w.is_on_wire THEN (r.attempts_left - 1)
            ELSE (r.attempts_left)::integer
        END)::smallint AS attempts_left,
        CASE
            WHEN w.is_on_wire THEN NULL::timestamp with time zone
            ELSE r.next_attempt_at
        END AS next_attempt_at,
    r.status_id,
    r.rid,
    r.error_code,
    r.error_message,
    r.possibly_duplicated,
    r.is_adopted,
    r.submitted_at,
    r.finished_at
   FROM (importer.import_record r
     CROSS JOIN LATERAL ( SELECT ((r.state = 'pending'::text) AND (EXISTS ( SELECT 1
                   FROM importer.import_chunk c
                  WHERE ((c.import_id = r.import_id) AND (c.number = r.chunk_number) AND (r.row_number = ANY (c.on_wire)))))) AS is_on_wire
         OFFSET 0) w);

CREATE TABLE importer.record_undo (
    import_id integer NOT NULL,
    row_number integer NOT NULL,
    account_id integer NOT NULL,
    rid text NOT NULL,
    state text NOT NULL,
    next_at timestamp with time zone NOT NULL,
    failed_count smallint NOT NULL,
    in_doubt boolean NOT NULL,
    error_code text,
    error_message text,
    CONSTRAINT undo_state_is_known CHECK ((state = ANY (ARRAY['pending'::text, 'failed'::text])))
)
WITH (autovacuum_vacuum_scale_factor='0.02', fillfactor='60');

CREATE TABLE importer.session (
    id integer NOT NULL,
    key_id integer,
    user_id integer,
    stamp text,
    began_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    how text NOT NULL,
    address text,
    browser text,
    CONSTRAINT session_is_of_a_key_or_a_user CHECK (((key_id IS NULL) <> (user_id IS NULL)))
);

ALTER TABLE importer.session ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME importer.session_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE importer.sign_in_link (
    id integer NOT NULL,
    key_id integer,
    hash bytea NOT NULL,
    user_id integer,
    stamp text,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT sign_in_link_is_of_a_key_or_a_user CHECK (((key_id IS NULL) <> (user_id IS NULL)))
);

ALTER TABLE importer.sign_in_link ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME importer.sign_in_link_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE importer.source_file (
    id integer NOT NULL,
    sha256 bytea,
    size_bytes bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone,
    CONSTRAINT source_file_received_iff_hashed CHECK (((received_at IS NULL) = (sha256 IS NULL)))
);

ALTER TABLE importer.source_file ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME importer.source_file_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE importer.source_file_part (
    source_file_id integer NOT NULL,
    number integer NOT NULL,
    bytes bytea NOT NULL
);

CREATE TABLE importer.source_header (
    account_id integer NOT NULL,
    host text NOT NULL,
    name text NOT NULL,
    value_protected text NOT NULL,
    updated_at timestamp with time zone NOT NULL
);

CREATE TABLE importer.source_key_block (
    import_id integer NOT NULL,
    first_row integer NOT NULL,
    keys bytea NOT NULL,
    generation smallint NOT NULL
);
ALTER TABLE ONLY importer.source_key_block ALTER COLUMN keys SET STORAGE EXTERNAL;

CREATE TABLE importer.work_batch (
    id bigint NOT NULL,
    account_id integer NOT NULL,
    import_id integer NOT NULL,
    step text NOT NULL,
    rows integer[] NOT NULL,
    since timestamp with time zone NOT NULL,
    next_at timestamp with time zone NOT NULL,
    tries smallint NOT NULL,
    CONSTRAINT batch_step_is_known CHECK ((step = ANY (ARRAY['look'::text, 'finish'::text])))
)
WITH (autovacuum_vacuum_cost_delay='0', autovacuum_vacuum_scale_factor='0.02', fillfactor='60');

ALTER TABLE importer.work_batch ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME importer.work_batch_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY importer.account
    ADD CONSTRAINT pk_account PRIMARY KEY (id);

ALTER TABLE ONLY importer.api_key
    ADD CONSTRAINT pk_api_key PRIMARY KEY (id);

ALTER TABLE ONLY importer.app_user
    ADD CONSTRAINT pk_app_user PRIMARY KEY (id);

ALTER TABLE ONLY importer.attempt
    ADD CONSTRAINT pk_attempt PRIMARY KEY (import_id, row_number, number);

ALTER TABLE ONLY importer.audit_entry
    ADD CONSTRAINT pk_audit_entry PRIMARY KEY (id);

ALTER TABLE ONLY importer.call_budget
    ADD CONSTRAINT pk_call_budget PRIMARY KEY (account_id, kind);

ALTER TABLE ONLY importer.chunk_failure
    ADD CONSTRAINT pk_chunk_failure PRIMARY KEY (import_id, chunk_number, code);

ALTER TABLE ONLY importer.chunk_host
    ADD CONSTRAINT pk_chunk_host PRIMARY KEY (import_id, chunk_number, host, hour, code);

ALTER TABLE ONLY importer.correction
    ADD CONSTRAINT pk_correction PRIMARY KEY (id);

ALTER TABLE ONLY importer.data_protection_key
    ADD CONSTRAINT pk_data_protection_key PRIMARY KEY (id);

ALTER TABLE ONLY importer.failing_host
    ADD CONSTRAINT pk_failing_host PRIMARY KEY (account_id, host);

ALTER TABLE ONLY importer.finding
    ADD CONSTRAINT pk_finding PRIMARY KEY (id);

ALTER TABLE ONLY importer.import
    ADD CONSTRAINT pk_import PRIMARY KEY (id);

ALTER TABLE ONLY importer.import_chunk
    ADD CONSTRAINT pk_import_chunk PRIMARY KEY (import_id, number);

ALTER TABLE ONLY importer.import_record
    ADD CONSTRAINT pk_import_record PRIMARY KEY (import_id, row_number);

ALTER TABLE ONLY importer.import_tick
    ADD CONSTRAINT pk_import_tick PRIMARY KEY (import_id, at);

ALTER TABLE ONLY importer.manifest
    ADD CONSTRAINT pk_manifest PRIMARY KEY (id);

ALTER TABLE ONLY importer.manifest_part
    ADD CONSTRAINT pk_manifest_part PRIMARY KEY (manifest_id, number);

ALTER TABLE ONLY importer.manifest_source_file
    ADD CONSTRAINT pk_manifest_source_file PRIMARY KEY (manifest_id, source_file_id);

ALTER TABLE ONLY importer.mapping_template
    ADD CONSTRAINT pk_mapping_template PRIMARY KEY (id);

ALTER TABLE ONLY importer.migration
    ADD CONSTRAINT pk_migration PRIMARY KEY (migration_id);

ALTER TABLE ONLY importer.named_gallery
    ADD CONSTRAINT pk_named_gallery PRIMARY KEY (account_id, name);

ALTER TABLE ONLY importer.notification
    ADD CONSTRAINT pk_notification PRIMARY KEY (id);

ALTER TABLE ONLY importer.notification_delivery
    ADD CONSTRAINT pk_notification_delivery PRIMARY KEY (notification_id, target_id);

ALTER TABLE ONLY importer.notification_target
    ADD CONSTRAINT pk_notification_target PRIMARY KEY (id);

ALTER TABLE ONLY importer.password_link
    ADD CONSTRAINT pk_password_link PRIMARY KEY (id);

ALTER TABLE ONLY importer.probe
    ADD CONSTRAINT pk_probe PRIMARY KEY (import_id);

ALTER TABLE ONLY importer.probe_host
    ADD CONSTRAINT pk_probe_host PRIMARY KEY (import_id, host);

ALTER TABLE ONLY importer.push_upload
    ADD CONSTRAINT pk_push_upload PRIMARY KEY (import_id, row_number);

ALTER TABLE ONLY importer.reconcile_candidate
    ADD CONSTRAINT pk_reconcile_candidate PRIMARY KEY (import_id, row_number, rid);

ALTER TABLE ONLY importer.reconcile_look
    ADD CONSTRAINT pk_reconcile_look PRIMARY KEY (account_id);

ALTER TABLE ONLY importer.record_asset
    ADD CONSTRAINT pk_record_asset PRIMARY KEY (import_id, row_number);

ALTER TABLE ONLY importer.record_finish
    ADD CONSTRAINT pk_record_finish PRIMARY KEY (import_id, row_number);

ALTER TABLE ONLY importer.record_meta
    ADD CONSTRAINT pk_record_meta PRIMARY KEY (import_id, row_number);

ALTER TABLE ONLY importer.record_undo
    ADD CONSTRAINT pk_record_undo PRIMARY KEY (import_id, row_number);

ALTER TABLE ONLY importer.session
    ADD CONSTRAINT pk_session PRIMARY KEY (id);

ALTER TABLE ONLY importer.sign_in_link
    ADD CONSTRAINT pk_sign_in_link PRIMARY KEY (id);

ALTER TABLE ONLY importer.source_file
    ADD CONSTRAINT pk_source_file PRIMARY KEY (id);

ALTER TABLE ONLY importer.source_file_part
    ADD CONSTRAINT pk_source_file_part PRIMARY KEY (source_file_id, number);

ALTER TABLE ONLY importer.source_header
    ADD CONSTRAINT pk_source_header PRIMARY KEY (account_id, host, name);

ALTER TABLE ONLY importer.source_key_block
    ADD CONSTRAINT pk_source_key_block PRIMARY KEY (import_id, first_row);

ALTER TABLE ONLY importer.status_poll
    ADD CONSTRAINT pk_status_poll PRIMARY KEY (import_id, row_number);

ALTER TABLE ONLY importer.work_batch
    ADD CONSTRAINT pk_work_batch PRIMARY KEY (id);

CREATE UNIQUE INDEX ix_account_name ON importer.account USING btree (name);

CREATE UNIQUE INDEX ix_api_key_hash ON importer.api_key USING btree (hash);

CREATE UNIQUE INDEX ix_app_user_foreign_id ON importer.app_user USING btree (foreign_id);

CREATE UNIQUE INDEX ix_app_user_normalized_user_name ON importer.app_user USING btree (normalized_user_name);

CREATE INDEX ix_audit_entry_at ON importer.audit_entry USING btree (at) WHERE (action = 'server_started'::text);

CREATE INDEX ix_audit_entry_import_id_id ON importer.audit_entry USING btree (import_id, id);

CREATE INDEX ix_correction_import_id_row_number_id ON importer.correction USING btree (import_id, row_number, id);

CREATE INDEX ix_finding_import_id_other_row ON importer.finding USING btree (import_id, other_row) WHERE (other_row IS NOT NULL);

CREATE INDEX ix_finding_import_id_row_number ON importer.finding USING btree (import_id, row_number);

CREATE INDEX ix_import_account_id ON importer.import USING btree (account_id);

CREATE INDEX ix_import_chunk_import_id_due_at ON importer.import_chunk USING btree (import_id, due_at) WHERE (due_at IS NOT NULL);

CREATE INDEX ix_import_chunk_import_id_number ON importer.import_chunk USING btree (import_id, number) WHERE (state <> 'waiting'::text);

CREATE INDEX ix_import_chunk_import_id_number1 ON importer.import_chunk USING btree (import_id, number) WHERE (waits_for <> '{}'::text[]);

CREATE UNIQUE INDEX ix_import_idempotency_key ON importer.import USING btree (idempotency_key);

CREATE INDEX ix_import_manifest_id ON importer.import USING btree (manifest_id);

CREATE INDEX ix_import_record_import_id_error_code_row_number ON importer.import_record USING btree (import_id, error_code, row_number) WHERE (error_code IS NOT NULL);

CREATE INDEX ix_manifest_sha256 ON importer.manifest USING btree (sha256) WHERE (received_at IS NOT NULL);

CREATE INDEX ix_manifest_source_file_source_file_id ON importer.manifest_source_file USING btree (source_file_id);

CREATE UNIQUE INDEX ix_mapping_template_account_id_name ON importer.mapping_template USING btree (account_id, name);

CREATE INDEX ix_notification_account_id ON importer.notification USING btree (account_id);

CREATE INDEX ix_notification_addressed_at ON importer.notification USING btree (addressed_at);

CREATE INDEX ix_notification_delivery_next_at ON importer.notification_delivery USING btree (next_at);

CREATE INDEX ix_notification_delivery_target_id ON importer.notification_delivery USING btree (target_id);

CREATE INDEX ix_notification_import_id ON importer.notification USING btree (import_id);

CREATE UNIQUE INDEX ix_notification_target_name ON importer.notification_target USING btree (name);

CREATE UNIQUE INDEX ix_password_link_hash ON importer.password_link USING btree (hash);

CREATE INDEX ix_password_link_user_id ON importer.password_link USING btree (user_id);

CREATE INDEX ix_record_asset_import_id_arrival_row_number ON importer.record_asset USING btree (import_id, arrival, row_number) WHERE (arrival IS NOT NULL);

CREATE INDEX ix_record_finish_account_id_next_at ON importer.record_finish USING btree (account_id, next_at) WHERE (state = 'pending'::text);

CREATE INDEX ix_record_undo_account_id_next_at ON importer.record_undo USING btree (account_id, next_at) WHERE (state = 'pending'::text);

CREATE INDEX ix_session_key_id ON importer.session USING btree (key_id);

CREATE INDEX ix_session_user_id ON importer.session USING btree (user_id);

CREATE UNIQUE INDEX ix_sign_in_link_hash ON importer.sign_in_link USING btree (hash);

CREATE INDEX ix_sign_in_link_key_id ON importer.sign_in_link USING btree (key_id);

CREATE INDEX ix_sign_in_link_user_id ON importer.sign_in_link USING btree (user_id);

CREATE UNIQUE INDEX ix_source_file_sha256 ON importer.source_file USING btree (sha256);

CREATE INDEX ix_status_poll_account_id_next_poll_at ON importer.status_poll USING btree (account_id, next_poll_at);

CREATE INDEX ix_work_batch_account_id_step_next_at ON importer.work_batch USING btree (account_id, step, next_at);

CREATE INDEX ix_work_batch_import_id_step ON importer.work_batch USING btree (import_id, step);

CREATE TRIGGER count_changed_arrivals AFTER UPDATE ON importer.record_asset REFERENCING OLD TABLE AS before_change NEW TABLE AS after_change FOR EACH STATEMENT EXECUTE FUNCTION importer.count_arrivals();

CREATE TRIGGER count_left_arrivals AFTER DELETE ON importer.record_asset REFERENCING OLD TABLE AS before_change FOR EACH STATEMENT EXECUTE FUNCTION importer.count_arrivals();

CREATE TRIGGER count_new_arrivals AFTER INSERT ON importer.record_asset REFERENCING NEW TABLE AS after_change FOR EACH STATEMENT EXECUTE FUNCTION importer.count_arrivals();

CREATE TRIGGER count_record_states AFTER UPDATE ON importer.import_record REFERENCING OLD TABLE AS before_update NEW TABLE AS after_update FOR EACH STATEMENT EXECUTE FUNCTION importer.count_record_states();

ALTER TABLE ONLY importer.call_budget
    ADD CONSTRAINT fk_call_budget_account_account_id FOREIGN KEY (account_id) REFERENCES importer.account(id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.chunk_failure
    ADD CONSTRAINT fk_chunk_failure_import_chunk_import_id_chunk_number FOREIGN KEY (import_id, chunk_number) REFERENCES importer.import_chunk(import_id, number) ON DELETE CASCADE;

ALTER TABLE ONLY importer.chunk_host
    ADD CONSTRAINT fk_chunk_host_import_chunk_import_id_chunk_number FOREIGN KEY (import_id, chunk_number) REFERENCES importer.import_chunk(import_id, number) ON DELETE CASCADE;

ALTER TABLE ONLY importer.correction
    ADD CONSTRAINT fk_correction_import_import_id FOREIGN KEY (import_id) REFERENCES importer.import(id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.finding
    ADD CONSTRAINT fk_finding_import_import_id FOREIGN KEY (import_id) REFERENCES importer.import(id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.import
    ADD CONSTRAINT fk_import_account_account_id FOREIGN KEY (account_id) REFERENCES importer.account(id) ON DELETE RESTRICT;

ALTER TABLE ONLY importer.import
    ADD CONSTRAINT fk_import_manifest_manifest_id FOREIGN KEY (manifest_id) REFERENCES importer.manifest(id) ON DELETE RESTRICT;

ALTER TABLE ONLY importer.import_tick
    ADD CONSTRAINT fk_import_tick_import_import_id FOREIGN KEY (import_id) REFERENCES importer.import(id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.manifest_part
    ADD CONSTRAINT fk_manifest_part_manifest_manifest_id FOREIGN KEY (manifest_id) REFERENCES importer.manifest(id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.manifest_source_file
    ADD CONSTRAINT fk_manifest_source_file_manifest_manifest_id FOREIGN KEY (manifest_id) REFERENCES importer.manifest(id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.manifest_source_file
    ADD CONSTRAINT fk_manifest_source_file_source_file_source_file_id FOREIGN KEY (source_file_id) REFERENCES importer.source_file(id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.mapping_template
    ADD CONSTRAINT fk_mapping_template_account_account_id FOREIGN KEY (account_id) REFERENCES importer.account(id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.named_gallery
    ADD CONSTRAINT fk_named_gallery_account_account_id FOREIGN KEY (account_id) REFERENCES importer.account(id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.notification
    ADD CONSTRAINT fk_notification_account_account_id FOREIGN KEY (account_id) REFERENCES importer.account(id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.notification_delivery
    ADD CONSTRAINT fk_notification_delivery_notification_notification_id FOREIGN KEY (notification_id) REFERENCES importer.notification(id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.notification_delivery
    ADD CONSTRAINT fk_notification_delivery_notification_target_target_id FOREIGN KEY (target_id) REFERENCES importer.notification_target(id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.notification
    ADD CONSTRAINT fk_notification_import_import_id FOREIGN KEY (import_id) REFERENCES importer.import(id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.password_link
    ADD CONSTRAINT fk_password_link_user_user_id FOREIGN KEY (user_id) REFERENCES importer.app_user(id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.probe_host
    ADD CONSTRAINT fk_probe_host_probe_import_id FOREIGN KEY (import_id) REFERENCES importer.probe(import_id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.probe
    ADD CONSTRAINT fk_probe_import_import_id FOREIGN KEY (import_id) REFERENCES importer.import(id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.reconcile_candidate
    ADD CONSTRAINT fk_reconcile_candidate_import_import_id FOREIGN KEY (import_id) REFERENCES importer.import(id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.reconcile_look
    ADD CONSTRAINT fk_reconcile_look_account_account_id FOREIGN KEY (account_id) REFERENCES importer.account(id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.session
    ADD CONSTRAINT fk_session_api_key_key_id FOREIGN KEY (key_id) REFERENCES importer.api_key(id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.session
    ADD CONSTRAINT fk_session_user_user_id FOREIGN KEY (user_id) REFERENCES importer.app_user(id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.sign_in_link
    ADD CONSTRAINT fk_sign_in_link_api_key_key_id FOREIGN KEY (key_id) REFERENCES importer.api_key(id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.sign_in_link
    ADD CONSTRAINT fk_sign_in_link_user_user_id FOREIGN KEY (user_id) REFERENCES importer.app_user(id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.source_file_part
    ADD CONSTRAINT fk_source_file_part_source_file_source_file_id FOREIGN KEY (source_file_id) REFERENCES importer.source_file(id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.source_header
    ADD CONSTRAINT fk_source_header_account_account_id FOREIGN KEY (account_id) REFERENCES importer.account(id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.source_key_block
    ADD CONSTRAINT fk_source_key_block_import_import_id FOREIGN KEY (import_id) REFERENCES importer.import(id) ON DELETE CASCADE;

