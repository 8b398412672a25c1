using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace BulkImporter.Migrations
{
    /// <inheritdoc />
    public partial class InitialSchema : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.EnsureSchema(
                name: "importer");

            migrationBuilder.CreateTable(
                name: "account",
                schema: "importer",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    name = table.Column<string>(type: "text", nullable: false),
                    base_url = table.Column<string>(type: "text", nullable: false),
                    token_protected = table.Column<string>(type: "text", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    reason = table.Column<string>(type: "text", nullable: true),
                    submit_verb = table.Column<string>(type: "text", nullable: false, defaultValue: "auto"),
                    verb_in_use = table.Column<string>(type: "text", nullable: false, defaultValue: "get"),
                    first_accepted_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    permissions = table.Column<string>(type: "text", nullable: true),
                    rejected_in_a_row = table.Column<int>(type: "integer", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    updated_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    backlog_limit = table.Column<int>(type: "integer", nullable: false),
                    max_in_flight = table.Column<int>(type: "integer", nullable: false),
                    per_host_limit = table.Column<int>(type: "integer", nullable: false, defaultValue: 0),
                    submit_rate = table.Column<double>(type: "double precision", nullable: false),
                    status_rate = table.Column<double>(type: "double precision", nullable: false),
                    embed_address = table.Column<string>(type: "text", nullable: false, defaultValue: "https://www.cincopa.com/media-platform/iframe.aspx?fid={fid}!{rid}"),
                    hls_address = table.Column<string>(type: "text", nullable: false, defaultValue: "https://rt.cincopa.com/{rid}.m3u8"),
                    player_template = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_account", x => x.id);
                    table.CheckConstraint("account_limits_are_not_negative", "submit_rate >= 0 AND status_rate >= 0 AND max_in_flight >= 0 AND per_host_limit >= 0 AND backlog_limit >= 0");
                    table.CheckConstraint("account_state_is_known", "state IN ('active', 'suspended')");
                    table.CheckConstraint("account_verbs_are_known", "submit_verb IN ('auto', 'get', 'post') AND verb_in_use IN ('get', 'post')");
                });

            migrationBuilder.CreateTable(
                name: "api_key",
                schema: "importer",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    name = table.Column<string>(type: "text", nullable: false),
                    prefix = table.Column<string>(type: "text", nullable: false),
                    hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    role = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    expires_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    revoked_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    last_used_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_api_key", x => x.id);
                    table.CheckConstraint("api_key_role_is_known", "role IN ('viewer', 'operator', 'admin')");
                });

            migrationBuilder.CreateTable(
                name: "app_user",
                schema: "importer",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    role = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    signed_in_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    locked_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    foreign_id = table.Column<string>(type: "text", nullable: true),
                    user_name = table.Column<string>(type: "text", nullable: false),
                    normalized_user_name = table.Column<string>(type: "text", nullable: false),
                    password_hash = table.Column<string>(type: "text", nullable: true),
                    security_stamp = table.Column<string>(type: "text", nullable: false),
                    concurrency_stamp = table.Column<string>(type: "text", nullable: false),
                    lockout_end = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    access_failed_count = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_app_user", x => x.id);
                    table.CheckConstraint("app_user_role_is_known", "role IN ('viewer', 'operator', 'admin')");
                });

            migrationBuilder.CreateTable(
                name: "attempt",
                schema: "importer",
                columns: table => new
                {
                    import_id = table.Column<int>(type: "integer", nullable: false),
                    row_number = table.Column<int>(type: "integer", nullable: false),
                    number = table.Column<short>(type: "smallint", nullable: false),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    worker = table.Column<string>(type: "text", nullable: true),
                    status_id = table.Column<string>(type: "text", nullable: true),
                    finished_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    outcome = table.Column<string>(type: "text", nullable: true),
                    http_status = table.Column<short>(type: "smallint", nullable: true),
                    message = table.Column<string>(type: "text", nullable: true),
                    size_bytes = table.Column<long>(type: "bigint", nullable: true),
                    looked_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_attempt", x => new { x.import_id, x.row_number, x.number });
                    table.CheckConstraint("attempt_numbers_start_at_one", "number >= 1");
                })
                .Annotation("Npgsql:StorageParameter:fillfactor", 75);

            migrationBuilder.CreateTable(
                name: "audit_entry",
                schema: "importer",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    actor = table.Column<string>(type: "text", nullable: false),
                    action = table.Column<string>(type: "text", nullable: false),
                    import_id = table.Column<int>(type: "integer", nullable: true),
                    account_id = table.Column<int>(type: "integer", nullable: true),
                    detail = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_audit_entry", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "data_protection_key",
                schema: "importer",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    friendly_name = table.Column<string>(type: "text", nullable: true),
                    xml = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_data_protection_key", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "failing_host",
                schema: "importer",
                columns: table => new
                {
                    account_id = table.Column<int>(type: "integer", nullable: false),
                    host = table.Column<string>(type: "text", nullable: false),
                    failed_in_a_row = table.Column<int>(type: "integer", nullable: false),
                    since = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    last_failed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    code = table.Column<string>(type: "text", nullable: false),
                    asked_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    asked_count = table.Column<int>(type: "integer", nullable: false, defaultValue: 0)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_failing_host", x => new { x.account_id, x.host });
                });

            migrationBuilder.CreateTable(
                name: "import_chunk",
                schema: "importer",
                columns: table => new
                {
                    import_id = table.Column<int>(type: "integer", nullable: false),
                    number = table.Column<int>(type: "integer", nullable: false),
                    first_row = table.Column<int>(type: "integer", nullable: false),
                    last_row = table.Column<int>(type: "integer", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    due_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    queued_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    lease_owner = table.Column<string>(type: "text", nullable: true),
                    lease_token = table.Column<Guid>(type: "uuid", nullable: true),
                    lease_until = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    lease_window = table.Column<int>(type: "integer", nullable: false),
                    fence = table.Column<long>(type: "bigint", nullable: false),
                    on_wire = table.Column<int[]>(type: "integer[]", nullable: false, defaultValueSql: "'{}'"),
                    on_wire_since = table.Column<DateTimeOffset[]>(type: "timestamp with time zone[]", nullable: false, defaultValueSql: "'{}'"),
                    waits_for = table.Column<string[]>(type: "text[]", nullable: false, defaultValueSql: "'{}'"),
                    waits_for_count = table.Column<int[]>(type: "integer[]", nullable: false, defaultValueSql: "'{}'"),
                    unanswered_count = table.Column<int>(type: "integer", nullable: false),
                    pending_count = table.Column<int>(type: "integer", nullable: false, computedColumnSql: "unanswered_count - cardinality(on_wire)", stored: true),
                    submitting_count = table.Column<int>(type: "integer", nullable: false, computedColumnSql: "cardinality(on_wire)", stored: true),
                    submitted_count = table.Column<int>(type: "integer", nullable: false),
                    imported_count = table.Column<int>(type: "integer", nullable: false),
                    failed_count = table.Column<int>(type: "integer", nullable: false),
                    unknown_count = table.Column<int>(type: "integer", nullable: false),
                    cancelled_count = table.Column<int>(type: "integer", nullable: false),
                    invalid_count = table.Column<int>(type: "integer", nullable: false),
                    duplicate_count = table.Column<int>(type: "integer", nullable: false),
                    deleted_count = table.Column<int>(type: "integer", nullable: false, defaultValue: 0),
                    verified_count = table.Column<int>(type: "integer", nullable: false, defaultValue: 0),
                    size_differs_count = table.Column<int>(type: "integer", nullable: false, defaultValue: 0),
                    duration_differs_count = table.Column<int>(type: "integer", nullable: false, defaultValue: 0),
                    md5_differs_count = table.Column<int>(type: "integer", nullable: false, defaultValue: 0)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_import_chunk", x => new { x.import_id, x.number });
                    table.CheckConstraint("chunk_counts_are_not_negative", "pending_count >= 0 AND submitting_count >= 0 AND submitted_count >= 0 AND imported_count >= 0 AND failed_count >= 0 AND unknown_count >= 0 AND cancelled_count >= 0 AND invalid_count >= 0 AND duplicate_count >= 0 AND deleted_count >= 0 AND verified_count >= 0 AND size_differs_count >= 0 AND duration_differs_count >= 0 AND md5_differs_count >= 0");
                    table.CheckConstraint("chunk_counts_sum_to_its_rows", "pending_count + submitting_count + submitted_count + imported_count + failed_count + unknown_count + cancelled_count + invalid_count + duplicate_count + deleted_count = last_row - first_row + 1");
                    table.CheckConstraint("chunk_leased_iff_running", "(state = 'running') = (lease_token IS NOT NULL) AND (lease_token IS NULL) = (lease_until IS NULL) AND (lease_token IS NULL) = (lease_owner IS NULL)");
                    table.CheckConstraint("chunk_state_is_known", "state IN ('waiting', 'queued', 'running')");
                })
                .Annotation("Npgsql:StorageParameter:autovacuum_vacuum_scale_factor", 0.050000000000000003)
                .Annotation("Npgsql:StorageParameter:fillfactor", 40);

            migrationBuilder.CreateTable(
                name: "import_record",
                schema: "importer",
                columns: table => new
                {
                    import_id = table.Column<int>(type: "integer", nullable: false),
                    row_number = table.Column<int>(type: "integer", nullable: false),
                    chunk_number = table.Column<int>(type: "integer", nullable: false),
                    line_number = table.Column<int>(type: "integer", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    source_key = table.Column<Guid>(type: "uuid", nullable: true),
                    source_url = table.Column<string>(type: "text", nullable: true),
                    caption = table.Column<string>(type: "text", nullable: true),
                    reference_id = table.Column<string>(type: "text", nullable: true),
                    is_push = table.Column<bool>(type: "boolean", nullable: false, defaultValue: false),
                    attempt_count = table.Column<short>(type: "smallint", nullable: false),
                    attempts_left = table.Column<short>(type: "smallint", nullable: false),
                    next_attempt_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    status_id = table.Column<string>(type: "text", nullable: true, comment: "Cincopa's opaque ticket of the current attempt; not a key of ours."),
                    rid = table.Column<string>(type: "text", nullable: true, comment: "Cincopa's opaque name of the asset."),
                    error_code = table.Column<string>(type: "text", nullable: true),
                    error_message = table.Column<string>(type: "text", nullable: true),
                    possibly_duplicated = table.Column<bool>(type: "boolean", nullable: false),
                    is_adopted = table.Column<bool>(type: "boolean", nullable: false, defaultValue: false),
                    submitted_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    finished_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_import_record", x => new { x.import_id, x.row_number });
                    table.CheckConstraint("record_finished_at_iff_ended", "(finished_at IS NOT NULL) = (state NOT IN ('pending', 'submitted'))");
                    table.CheckConstraint("record_imported_has_rid", "state NOT IN ('imported', 'deleted') OR rid IS NOT NULL");
                    table.CheckConstraint("record_state_is_known", "state IN ('pending', 'submitting', 'submitted', 'imported', 'failed', 'unknown', 'cancelled', 'invalid', 'duplicate', 'deleted') AND state <> 'submitting'");
                    table.CheckConstraint("record_submitted_has_status_id", "state <> 'submitted' OR status_id IS NOT NULL");
                    table.CheckConstraint("record_work_has_source", "state = 'invalid' OR source_url IS NOT NULL");
                })
                .Annotation("Npgsql:StorageParameter:autovacuum_vacuum_scale_factor", 0.050000000000000003)
                .Annotation("Npgsql:StorageParameter:fillfactor", 40);

            migrationBuilder.CreateTable(
                name: "manifest",
                schema: "importer",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    file_name = table.Column<string>(type: "text", nullable: false),
                    sha256 = table.Column<byte[]>(type: "bytea", nullable: true),
                    size_bytes = table.Column<long>(type: "bigint", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    received_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_manifest", x => x.id);
                    table.CheckConstraint("manifest_received_iff_hashed", "(received_at IS NULL) = (sha256 IS NULL)");
                });

            migrationBuilder.CreateTable(
                name: "notification_target",
                schema: "importer",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    name = table.Column<string>(type: "text", nullable: false),
                    url = table.Column<string>(type: "text", nullable: false),
                    secret_protected = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_notification_target", x => x.id);
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
                name: "record_asset",
                schema: "importer",
                columns: table => new
                {
                    import_id = table.Column<int>(type: "integer", nullable: false),
                    row_number = table.Column<int>(type: "integer", nullable: false),
                    rid = table.Column<string>(type: "text", nullable: false),
                    type = table.Column<string>(type: "text", nullable: true),
                    size_bytes = table.Column<long>(type: "bigint", nullable: true),
                    seconds = table.Column<double>(type: "double precision", nullable: true),
                    file_url = table.Column<string>(type: "text", nullable: true),
                    thumbnail_url = table.Column<string>(type: "text", nullable: true),
                    playable = table.Column<bool>(type: "boolean", nullable: true),
                    seen_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    sent_bytes = table.Column<long>(type: "bigint", nullable: true),
                    sent_sha256 = table.Column<string>(type: "text", nullable: true),
                    sent_md5 = table.Column<string>(type: "text", nullable: true),
                    expected_bytes = table.Column<long>(type: "bigint", nullable: true),
                    expected_seconds = table.Column<double>(type: "double precision", nullable: true),
                    expected_md5 = table.Column<string>(type: "text", nullable: true),
                    arrival = table.Column<string>(type: "text", nullable: true, computedColumnSql: "CASE WHEN size_bytes <> coalesce(expected_bytes, sent_bytes) THEN 'size_differs'\n    WHEN abs(seconds - expected_seconds) > greatest(2, expected_seconds / 100) THEN 'duration_differs'\n    WHEN sent_md5 <> expected_md5 THEN 'md5_differs'\n    WHEN size_bytes = coalesce(expected_bytes, sent_bytes) OR NOT abs(seconds - expected_seconds) > greatest(2, expected_seconds / 100) THEN 'verified' END", stored: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_record_asset", x => new { x.import_id, x.row_number });
                });

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
                    only_looks = table.Column<bool>(type: "boolean", nullable: false, defaultValue: false),
                    error_code = table.Column<string>(type: "text", nullable: true),
                    error_message = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_record_finish", x => new { x.import_id, x.row_number });
                    table.CheckConstraint("finish_state_is_known", "state IN ('pending', 'failed')");
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
                    file_name = table.Column<string>(type: "text", nullable: true),
                    old_url = table.Column<string>(type: "text", nullable: true),
                    expected_bytes = table.Column<long>(type: "bigint", nullable: true),
                    expected_md5 = table.Column<string>(type: "text", nullable: true),
                    expected_seconds = table.Column<double>(type: "double precision", nullable: true),
                    source_bytes = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_record_meta", x => new { x.import_id, x.row_number });
                });

            migrationBuilder.CreateTable(
                name: "record_undo",
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
                    in_doubt = table.Column<bool>(type: "boolean", nullable: false),
                    error_code = table.Column<string>(type: "text", nullable: true),
                    error_message = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_record_undo", x => new { x.import_id, x.row_number });
                    table.CheckConstraint("undo_state_is_known", "state IN ('pending', 'failed')");
                })
                .Annotation("Npgsql:StorageParameter:autovacuum_vacuum_scale_factor", 0.02)
                .Annotation("Npgsql:StorageParameter:fillfactor", 60);

            migrationBuilder.CreateTable(
                name: "source_file",
                schema: "importer",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    sha256 = table.Column<byte[]>(type: "bytea", nullable: true),
                    size_bytes = table.Column<long>(type: "bigint", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    received_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_source_file", x => x.id);
                    table.CheckConstraint("source_file_received_iff_hashed", "(received_at IS NULL) = (sha256 IS NULL)");
                });

            migrationBuilder.CreateTable(
                name: "status_poll",
                schema: "importer",
                columns: table => new
                {
                    import_id = table.Column<int>(type: "integer", nullable: false),
                    row_number = table.Column<int>(type: "integer", nullable: false),
                    attempt = table.Column<short>(type: "smallint", nullable: false),
                    account_id = table.Column<int>(type: "integer", nullable: false),
                    status_id = table.Column<string>(type: "text", nullable: false),
                    submitted_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    next_poll_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    progress_percent = table.Column<short>(type: "smallint", nullable: true),
                    progress_bytes = table.Column<long>(type: "bigint", nullable: true),
                    total_bytes = table.Column<long>(type: "bigint", nullable: true),
                    moved_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    not_found_since = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    next_abort_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    note = table.Column<string>(type: "text", nullable: true),
                    abort_answered_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_status_poll", x => new { x.import_id, x.row_number });
                })
                .Annotation("Npgsql:StorageParameter:autovacuum_vacuum_cost_delay", 0)
                .Annotation("Npgsql:StorageParameter:autovacuum_vacuum_scale_factor", 0.02)
                .Annotation("Npgsql:StorageParameter:fillfactor", 60);

            migrationBuilder.CreateTable(
                name: "work_batch",
                schema: "importer",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    account_id = table.Column<int>(type: "integer", nullable: false),
                    import_id = table.Column<int>(type: "integer", nullable: false),
                    step = table.Column<string>(type: "text", nullable: false),
                    rows = table.Column<int[]>(type: "integer[]", nullable: false),
                    since = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    next_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    tries = table.Column<short>(type: "smallint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_work_batch", x => x.id);
                    table.CheckConstraint("batch_step_is_known", "step IN ('look', 'finish')");
                })
                .Annotation("Npgsql:StorageParameter:autovacuum_vacuum_cost_delay", 0)
                .Annotation("Npgsql:StorageParameter:autovacuum_vacuum_scale_factor", 0.02)
                .Annotation("Npgsql:StorageParameter:fillfactor", 60);

            migrationBuilder.CreateTable(
                name: "call_budget",
                schema: "importer",
                columns: table => new
                {
                    account_id = table.Column<int>(type: "integer", nullable: false),
                    kind = table.Column<string>(type: "text", nullable: false),
                    next_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    blocked_until = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    blocked_reason = table.Column<string>(type: "text", nullable: true),
                    blocks_in_a_row = table.Column<int>(type: "integer", nullable: false),
                    backlog_room = table.Column<int>(type: "integer", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_call_budget", x => new { x.account_id, x.kind });
                    table.CheckConstraint("call_budget_kind_is_known", "kind IN ('submit', 'status')");
                    table.ForeignKey(
                        name: "fk_call_budget_account_account_id",
                        column: x => x.account_id,
                        principalSchema: "importer",
                        principalTable: "account",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                })
                .Annotation("Npgsql:StorageParameter:fillfactor", 20);

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
                name: "reconcile_look",
                schema: "importer",
                columns: table => new
                {
                    account_id = table.Column<int>(type: "integer", nullable: false),
                    next_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    looked_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    failing_since = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
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

            migrationBuilder.CreateTable(
                name: "password_link",
                schema: "importer",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    user_id = table.Column<int>(type: "integer", nullable: true),
                    stamp = table.Column<string>(type: "text", nullable: true),
                    expires_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    used_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_password_link", x => x.id);
                    table.ForeignKey(
                        name: "fk_password_link_user_user_id",
                        column: x => x.user_id,
                        principalSchema: "importer",
                        principalTable: "app_user",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "session",
                schema: "importer",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    key_id = table.Column<int>(type: "integer", nullable: true),
                    user_id = table.Column<int>(type: "integer", nullable: true),
                    stamp = table.Column<string>(type: "text", nullable: true),
                    began_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    seen_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    how = table.Column<string>(type: "text", nullable: false),
                    address = table.Column<string>(type: "text", nullable: true),
                    browser = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_session", x => x.id);
                    table.CheckConstraint("session_is_of_a_key_or_a_user", "(key_id IS NULL) <> (user_id IS NULL)");
                    table.ForeignKey(
                        name: "fk_session_api_key_key_id",
                        column: x => x.key_id,
                        principalSchema: "importer",
                        principalTable: "api_key",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "fk_session_user_user_id",
                        column: x => x.user_id,
                        principalSchema: "importer",
                        principalTable: "app_user",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "sign_in_link",
                schema: "importer",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    key_id = table.Column<int>(type: "integer", nullable: true),
                    hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    user_id = table.Column<int>(type: "integer", nullable: true),
                    stamp = table.Column<string>(type: "text", nullable: true),
                    expires_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    used_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_sign_in_link", x => x.id);
                    table.CheckConstraint("sign_in_link_is_of_a_key_or_a_user", "(key_id IS NULL) <> (user_id IS NULL)");
                    table.ForeignKey(
                        name: "fk_sign_in_link_api_key_key_id",
                        column: x => x.key_id,
                        principalSchema: "importer",
                        principalTable: "api_key",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "fk_sign_in_link_user_user_id",
                        column: x => x.user_id,
                        principalSchema: "importer",
                        principalTable: "app_user",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

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

            migrationBuilder.CreateTable(
                name: "chunk_host",
                schema: "importer",
                columns: table => new
                {
                    import_id = table.Column<int>(type: "integer", nullable: false),
                    chunk_number = table.Column<int>(type: "integer", nullable: false),
                    host = table.Column<string>(type: "text", nullable: false),
                    hour = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    code = table.Column<string>(type: "text", nullable: false),
                    count = table.Column<int>(type: "integer", nullable: false),
                    first_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_chunk_host", x => new { x.import_id, x.chunk_number, x.host, x.hour, x.code });
                    table.ForeignKey(
                        name: "fk_chunk_host_import_chunk_import_id_chunk_number",
                        columns: x => new { x.import_id, x.chunk_number },
                        principalSchema: "importer",
                        principalTable: "import_chunk",
                        principalColumns: new[] { "import_id", "number" },
                        onDelete: ReferentialAction.Cascade);
                })
                .Annotation("Npgsql:StorageParameter:autovacuum_vacuum_scale_factor", 0.050000000000000003)
                .Annotation("Npgsql:StorageParameter:fillfactor", 60);

            migrationBuilder.CreateTable(
                name: "import",
                schema: "importer",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    name = table.Column<string>(type: "text", nullable: false),
                    account_id = table.Column<int>(type: "integer", nullable: false),
                    manifest_id = table.Column<int>(type: "integer", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    reason = table.Column<string>(type: "text", nullable: true),
                    offered_encoding = table.Column<string>(type: "text", nullable: true),
                    mapping = table.Column<string>(type: "text", nullable: true),
                    template = table.Column<string>(type: "text", nullable: true),
                    start_when_parsed = table.Column<bool>(type: "boolean", nullable: false),
                    row_count = table.Column<int>(type: "integer", nullable: true),
                    parsed_rows = table.Column<int>(type: "integer", nullable: false),
                    parse_queued_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    checked_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    idempotency_key = table.Column<string>(type: "text", nullable: true),
                    breaker_finished_base = table.Column<int>(type: "integer", nullable: false),
                    breaker_failed_base = table.Column<int>(type: "integer", nullable: false),
                    breaker_compared_base = table.Column<int>(type: "integer", nullable: false),
                    breaker_differed_base = table.Column<int>(type: "integer", nullable: false),
                    last_served_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    trial_count = table.Column<int>(type: "integer", nullable: true),
                    trial_through = table.Column<int>(type: "integer", nullable: true),
                    abort_remote = table.Column<bool>(type: "boolean", nullable: false, defaultValue: false),
                    undo_ordered_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    created_by = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    finished_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    already_imported = table.Column<string>(type: "text", nullable: false, defaultValue: "skip"),
                    chunk_size = table.Column<int>(type: "integer", nullable: false),
                    duplicate_rows = table.Column<string>(type: "text", nullable: false, defaultValue: "skip"),
                    encoding = table.Column<string>(type: "text", nullable: true),
                    fid = table.Column<string>(type: "text", nullable: true),
                    first_rows = table.Column<int>(type: "integer", nullable: true),
                    links_as_written = table.Column<string>(type: "text", nullable: true),
                    match_by = table.Column<string>(type: "text", nullable: false, defaultValue: "url"),
                    max_attempts = table.Column<int>(type: "integer", nullable: false),
                    priority = table.Column<int>(type: "integer", nullable: false),
                    sheet = table.Column<string>(type: "text", nullable: true),
                    start_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    stop_after_rows = table.Column<int>(type: "integer", nullable: false, defaultValue: 1000),
                    stop_at_difference_percent = table.Column<int>(type: "integer", nullable: false, defaultValue: 100),
                    stop_at_failure_percent = table.Column<int>(type: "integer", nullable: false, defaultValue: 50),
                    transfer = table.Column<string>(type: "text", nullable: false, defaultValue: "pull"),
                    when_unknown = table.Column<string>(type: "text", nullable: false),
                    window_from = table.Column<TimeOnly>(type: "time without time zone", nullable: true),
                    window_until = table.Column<TimeOnly>(type: "time without time zone", nullable: true),
                    window_zone = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_import", x => x.id);
                    table.CheckConstraint("import_breaker_is_possible", "stop_at_failure_percent BETWEEN 1 AND 100 AND stop_at_difference_percent BETWEEN 1 AND 100 AND stop_after_rows > 0");
                    table.CheckConstraint("import_counted_once_parsed", "row_count IS NOT NULL OR state IN ('parsing', 'rejected', 'cancelled', 'deleting')");
                    table.CheckConstraint("import_encoding_is_known", "encoding IN ('windows-1252')");
                    table.CheckConstraint("import_finished_at_iff_ended", "(finished_at IS NOT NULL) = (state IN ('finished', 'cancelled', 'rejected', 'deleting'))");
                    table.CheckConstraint("import_match_by_is_known", "match_by IN ('url', 'reference_id', 'both')");
                    table.CheckConstraint("import_settings_are_positive", "chunk_size > 0 AND max_attempts > 0 AND first_rows > 0");
                    table.CheckConstraint("import_state_is_known", "state IN ('parsing', 'review', 'running', 'paused', 'finished', 'cancelled', 'rejected', 'deleting')");
                    table.CheckConstraint("import_transfer_is_known", "transfer IN ('pull', 'push', 'auto')");
                    table.CheckConstraint("import_trial_has_records", "trial_count > 0 AND (trial_through IS NULL OR trial_count IS NOT NULL)");
                    table.CheckConstraint("import_when_already_imported_is_known", "already_imported IN ('skip', 'import')");
                    table.CheckConstraint("import_when_duplicate_rows_is_known", "duplicate_rows IN ('skip', 'import')");
                    table.CheckConstraint("import_when_unknown_is_known", "when_unknown IN ('hold', 'resubmit')");
                    table.CheckConstraint("import_window_is_whole", "(window_from IS NULL) = (window_zone IS NULL) AND (window_until IS NULL) = (window_zone IS NULL) AND window_from <> window_until");
                    table.ForeignKey(
                        name: "fk_import_account_account_id",
                        column: x => x.account_id,
                        principalSchema: "importer",
                        principalTable: "account",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                    table.ForeignKey(
                        name: "fk_import_manifest_manifest_id",
                        column: x => x.manifest_id,
                        principalSchema: "importer",
                        principalTable: "manifest",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                })
                .Annotation("Npgsql:StorageParameter:fillfactor", 50);

            migrationBuilder.CreateTable(
                name: "manifest_part",
                schema: "importer",
                columns: table => new
                {
                    manifest_id = table.Column<int>(type: "integer", nullable: false),
                    number = table.Column<int>(type: "integer", nullable: false),
                    bytes = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_manifest_part", x => new { x.manifest_id, x.number });
                    table.ForeignKey(
                        name: "fk_manifest_part_manifest_manifest_id",
                        column: x => x.manifest_id,
                        principalSchema: "importer",
                        principalTable: "manifest",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "manifest_source_file",
                schema: "importer",
                columns: table => new
                {
                    manifest_id = table.Column<int>(type: "integer", nullable: false),
                    source_file_id = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_manifest_source_file", x => new { x.manifest_id, x.source_file_id });
                    table.ForeignKey(
                        name: "fk_manifest_source_file_manifest_manifest_id",
                        column: x => x.manifest_id,
                        principalSchema: "importer",
                        principalTable: "manifest",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "fk_manifest_source_file_source_file_source_file_id",
                        column: x => x.source_file_id,
                        principalSchema: "importer",
                        principalTable: "source_file",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "source_file_part",
                schema: "importer",
                columns: table => new
                {
                    source_file_id = table.Column<int>(type: "integer", nullable: false),
                    number = table.Column<int>(type: "integer", nullable: false),
                    bytes = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_source_file_part", x => new { x.source_file_id, x.number });
                    table.ForeignKey(
                        name: "fk_source_file_part_source_file_source_file_id",
                        column: x => x.source_file_id,
                        principalSchema: "importer",
                        principalTable: "source_file",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

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
                    table.CheckConstraint("correction_field_is_known", "field IN ('url', 'caption', 'reference_id', 'transfer')");
                    table.ForeignKey(
                        name: "fk_correction_import_import_id",
                        column: x => x.import_id,
                        principalSchema: "importer",
                        principalTable: "import",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "finding",
                schema: "importer",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    import_id = table.Column<int>(type: "integer", nullable: false),
                    row_number = table.Column<int>(type: "integer", nullable: false),
                    line_number = table.Column<long>(type: "bigint", nullable: false),
                    column_name = table.Column<string>(type: "text", nullable: true),
                    code = table.Column<string>(type: "text", nullable: false),
                    severity = table.Column<string>(type: "text", nullable: false),
                    value = table.Column<string>(type: "text", nullable: true),
                    other_row = table.Column<int>(type: "integer", nullable: true),
                    other_import = table.Column<int>(type: "integer", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_finding", x => x.id);
                    table.CheckConstraint("finding_severity_is_known", "severity IN ('error', 'warning')");
                    table.ForeignKey(
                        name: "fk_finding_import_import_id",
                        column: x => x.import_id,
                        principalSchema: "importer",
                        principalTable: "import",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "import_tick",
                schema: "importer",
                columns: table => new
                {
                    import_id = table.Column<int>(type: "integer", nullable: false),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    submitted_count = table.Column<int>(type: "integer", nullable: false),
                    finished_count = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_import_tick", x => new { x.import_id, x.at });
                    table.ForeignKey(
                        name: "fk_import_tick_import_import_id",
                        column: x => x.import_id,
                        principalSchema: "importer",
                        principalTable: "import",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "notification",
                schema: "importer",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    kind = table.Column<string>(type: "text", nullable: false),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    import_id = table.Column<int>(type: "integer", nullable: true),
                    account_id = table.Column<int>(type: "integer", nullable: false),
                    reason = table.Column<string>(type: "text", nullable: true),
                    body = table.Column<string>(type: "text", nullable: true),
                    addressed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_notification", x => x.id);
                    table.ForeignKey(
                        name: "fk_notification_account_account_id",
                        column: x => x.account_id,
                        principalSchema: "importer",
                        principalTable: "account",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "fk_notification_import_import_id",
                        column: x => x.import_id,
                        principalSchema: "importer",
                        principalTable: "import",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "probe",
                schema: "importer",
                columns: table => new
                {
                    import_id = table.Column<int>(type: "integer", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    sample = table.Column<int>(type: "integer", nullable: true),
                    step = table.Column<int>(type: "integer", nullable: false),
                    total_count = table.Column<int>(type: "integer", nullable: false),
                    probed_count = table.Column<int>(type: "integer", nullable: false),
                    problem_count = table.Column<int>(type: "integer", nullable: false),
                    last_row = table.Column<int>(type: "integer", nullable: false),
                    run = table.Column<int>(type: "integer", nullable: false),
                    queued_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    finished_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_probe", x => x.import_id);
                    table.CheckConstraint("probe_state_is_known", "state IN ('running', 'finished', 'stopped')");
                    table.ForeignKey(
                        name: "fk_probe_import_import_id",
                        column: x => x.import_id,
                        principalSchema: "importer",
                        principalTable: "import",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

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
                    caption = table.Column<string>(type: "text", nullable: true),
                    type = table.Column<string>(type: "text", nullable: true)
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
                name: "source_key_block",
                schema: "importer",
                columns: table => new
                {
                    import_id = table.Column<int>(type: "integer", nullable: false),
                    first_row = table.Column<int>(type: "integer", nullable: false),
                    keys = table.Column<byte[]>(type: "bytea", nullable: false),
                    generation = table.Column<short>(type: "smallint", nullable: false)
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

            migrationBuilder.CreateTable(
                name: "notification_delivery",
                schema: "importer",
                columns: table => new
                {
                    notification_id = table.Column<long>(type: "bigint", nullable: false),
                    target_id = table.Column<int>(type: "integer", nullable: false),
                    next_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    try_count = table.Column<int>(type: "integer", nullable: false),
                    delivered_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    problem = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_notification_delivery", x => new { x.notification_id, x.target_id });
                    table.ForeignKey(
                        name: "fk_notification_delivery_notification_notification_id",
                        column: x => x.notification_id,
                        principalSchema: "importer",
                        principalTable: "notification",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "fk_notification_delivery_notification_target_target_id",
                        column: x => x.target_id,
                        principalSchema: "importer",
                        principalTable: "notification_target",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "probe_host",
                schema: "importer",
                columns: table => new
                {
                    import_id = table.Column<int>(type: "integer", nullable: false),
                    host = table.Column<string>(type: "text", nullable: false),
                    probed_count = table.Column<int>(type: "integer", nullable: false),
                    problem_count = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_probe_host", x => new { x.import_id, x.host });
                    table.ForeignKey(
                        name: "fk_probe_host_probe_import_id",
                        column: x => x.import_id,
                        principalSchema: "importer",
                        principalTable: "probe",
                        principalColumn: "import_id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_account_name",
                schema: "importer",
                table: "account",
                column: "name",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_api_key_hash",
                schema: "importer",
                table: "api_key",
                column: "hash",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_app_user_foreign_id",
                schema: "importer",
                table: "app_user",
                column: "foreign_id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_app_user_normalized_user_name",
                schema: "importer",
                table: "app_user",
                column: "normalized_user_name",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_audit_entry_at",
                schema: "importer",
                table: "audit_entry",
                column: "at",
                filter: "action = 'server_started'");

            migrationBuilder.CreateIndex(
                name: "ix_audit_entry_import_id_id",
                schema: "importer",
                table: "audit_entry",
                columns: new[] { "import_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_correction_import_id_row_number_id",
                schema: "importer",
                table: "correction",
                columns: new[] { "import_id", "row_number", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_finding_import_id_other_row",
                schema: "importer",
                table: "finding",
                columns: new[] { "import_id", "other_row" },
                filter: "other_row IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_finding_import_id_row_number",
                schema: "importer",
                table: "finding",
                columns: new[] { "import_id", "row_number" });

            migrationBuilder.CreateIndex(
                name: "ix_import_account_id",
                schema: "importer",
                table: "import",
                column: "account_id");

            migrationBuilder.CreateIndex(
                name: "ix_import_idempotency_key",
                schema: "importer",
                table: "import",
                column: "idempotency_key",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_import_manifest_id",
                schema: "importer",
                table: "import",
                column: "manifest_id");

            migrationBuilder.CreateIndex(
                name: "ix_import_chunk_import_id_due_at",
                schema: "importer",
                table: "import_chunk",
                columns: new[] { "import_id", "due_at" },
                filter: "due_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_import_chunk_import_id_number",
                schema: "importer",
                table: "import_chunk",
                columns: new[] { "import_id", "number" },
                filter: "state <> 'waiting'");

            migrationBuilder.CreateIndex(
                name: "ix_import_chunk_import_id_number1",
                schema: "importer",
                table: "import_chunk",
                columns: new[] { "import_id", "number" },
                filter: "waits_for <> '{}'");

            migrationBuilder.CreateIndex(
                name: "ix_import_record_import_id_error_code_row_number",
                schema: "importer",
                table: "import_record",
                columns: new[] { "import_id", "error_code", "row_number" },
                filter: "error_code IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_manifest_sha256",
                schema: "importer",
                table: "manifest",
                column: "sha256",
                filter: "received_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_manifest_source_file_source_file_id",
                schema: "importer",
                table: "manifest_source_file",
                column: "source_file_id");

            migrationBuilder.CreateIndex(
                name: "ix_mapping_template_account_id_name",
                schema: "importer",
                table: "mapping_template",
                columns: new[] { "account_id", "name" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_notification_account_id",
                schema: "importer",
                table: "notification",
                column: "account_id");

            migrationBuilder.CreateIndex(
                name: "ix_notification_addressed_at",
                schema: "importer",
                table: "notification",
                column: "addressed_at");

            migrationBuilder.CreateIndex(
                name: "ix_notification_import_id",
                schema: "importer",
                table: "notification",
                column: "import_id");

            migrationBuilder.CreateIndex(
                name: "ix_notification_delivery_next_at",
                schema: "importer",
                table: "notification_delivery",
                column: "next_at");

            migrationBuilder.CreateIndex(
                name: "ix_notification_delivery_target_id",
                schema: "importer",
                table: "notification_delivery",
                column: "target_id");

            migrationBuilder.CreateIndex(
                name: "ix_notification_target_name",
                schema: "importer",
                table: "notification_target",
                column: "name",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_password_link_hash",
                schema: "importer",
                table: "password_link",
                column: "hash",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_password_link_user_id",
                schema: "importer",
                table: "password_link",
                column: "user_id");

            migrationBuilder.CreateIndex(
                name: "ix_record_asset_import_id_arrival_row_number",
                schema: "importer",
                table: "record_asset",
                columns: new[] { "import_id", "arrival", "row_number" },
                filter: "arrival IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_record_finish_account_id_next_at",
                schema: "importer",
                table: "record_finish",
                columns: new[] { "account_id", "next_at" },
                filter: "state = 'pending'");

            migrationBuilder.CreateIndex(
                name: "ix_record_undo_account_id_next_at",
                schema: "importer",
                table: "record_undo",
                columns: new[] { "account_id", "next_at" },
                filter: "state = 'pending'");

            migrationBuilder.CreateIndex(
                name: "ix_session_key_id",
                schema: "importer",
                table: "session",
                column: "key_id");

            migrationBuilder.CreateIndex(
                name: "ix_session_user_id",
                schema: "importer",
                table: "session",
                column: "user_id");

            migrationBuilder.CreateIndex(
                name: "ix_sign_in_link_hash",
                schema: "importer",
                table: "sign_in_link",
                column: "hash",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_sign_in_link_key_id",
                schema: "importer",
                table: "sign_in_link",
                column: "key_id");

            migrationBuilder.CreateIndex(
                name: "ix_sign_in_link_user_id",
                schema: "importer",
                table: "sign_in_link",
                column: "user_id");

            migrationBuilder.CreateIndex(
                name: "ix_source_file_sha256",
                schema: "importer",
                table: "source_file",
                column: "sha256",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_status_poll_account_id_next_poll_at",
                schema: "importer",
                table: "status_poll",
                columns: new[] { "account_id", "next_poll_at" });

            migrationBuilder.CreateIndex(
                name: "ix_work_batch_account_id_step_next_at",
                schema: "importer",
                table: "work_batch",
                columns: new[] { "account_id", "step", "next_at" });

            migrationBuilder.CreateIndex(
                name: "ix_work_batch_import_id_step",
                schema: "importer",
                table: "work_batch",
                columns: new[] { "import_id", "step" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "attempt",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "audit_entry",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "call_budget",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "chunk_failure",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "chunk_host",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "correction",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "data_protection_key",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "failing_host",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "finding",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "import_record",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "import_tick",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "manifest_part",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "manifest_source_file",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "mapping_template",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "named_gallery",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "notification_delivery",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "password_link",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "probe_host",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "push_upload",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "reconcile_candidate",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "reconcile_look",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "record_asset",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "record_finish",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "record_meta",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "record_undo",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "session",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "sign_in_link",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "source_file_part",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "source_header",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "source_key_block",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "status_poll",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "work_batch",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "import_chunk",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "notification",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "notification_target",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "probe",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "api_key",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "app_user",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "source_file",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "import",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "account",
                schema: "importer");

            migrationBuilder.DropTable(
                name: "manifest",
                schema: "importer");
        }
    }
}
