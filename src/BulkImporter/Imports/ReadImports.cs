using BulkImporter.Accounts;
using BulkImporter.Data;
using BulkImporter.Parse;
using BulkImporter.Records;
using Microsoft.Extensions.Options;
using Npgsql;

namespace BulkImporter.Imports;

/// <summary>Imports as they stand at this moment. Counts come from the chunks' counters, so they are exact and cost the same at a million records.</summary>
public sealed class ReadImports(NpgsqlDataSource database, IOptions<ImportsOptions> options)
{
    /// <summary>A rate is told when the ticks span this long and at least <see cref="LeastFinished"/> records ended between them: less would make an ETA that jumps.</summary>
    private const double LeastSeconds = 5;

    private const int LeastFinished = 10;

    /// <summary>The poll <c>p</c> of import <c>i</c> has not moved for $1. In an import that is younger than that there is none, and none need be read.</summary>
    internal const string IsStalled = "p.import_id = i.id AND i.started_at < now() - $1::interval AND p.moved_at < now() - $1::interval";

    private const string Select = $"""
        SELECT i.id, i.name, a.name, m.file_name, encode(m.sha256, 'hex'), m.size_bytes, i.state,
            coalesce(i.reason, CASE WHEN i.state IN ('running', 'paused') THEN account_reason.text END),
            i.row_count,
            c.pending, c.submitting, c.submitted, c.imported, c.failed, c.unknown, c.cancelled, c.invalid, c.duplicate,
            tick.finished, tick.seconds,
            failure.codes, failure.counts,
            i.created_at, i.started_at, i.finished_at, i.created_by, i.parsed_rows, nullif(i.mapping, ''), i.start_when_parsed, i.max_attempts,
            i.when_unknown, i.priority, i.fid,
            (SELECT max(e.id) FROM importer.manifest same JOIN importer.import e ON e.manifest_id = same.id
             WHERE same.sha256 = m.sha256 AND same.received_at IS NOT NULL AND e.id < i.id),
            (SELECT count(*)::int FROM importer.status_poll p WHERE c.submitted > 0 AND {IsStalled}),
            a.state, i.first_rows,
            CASE WHEN i.started_at IS NOT NULL THEN coalesce(
                (SELECT e.actor FROM importer.audit_entry e WHERE e.import_id = i.id AND e.action = 'import_started' ORDER BY e.id LIMIT 1), i.created_by) END,
            i.encoding, i.template, i.already_imported, i.start_at, i.window_from, i.window_until, i.window_zone,
            CASE WHEN i.state = 'running' AND c.pending > 0 THEN importer.opens_at(i.start_at, i.window_from, i.window_until, i.window_zone) END,
            i.stop_at_failure_percent, i.stop_after_rows,
            finish.pending, finish.failed, i.transfer, i.duplicate_rows
        FROM importer.import i
        JOIN importer.account a ON a.id = i.account_id
        JOIN importer.manifest m ON m.id = i.manifest_id
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(pending_count), 0)::int AS pending, coalesce(sum(submitting_count), 0)::int AS submitting,
                coalesce(sum(submitted_count), 0)::int AS submitted, coalesce(sum(imported_count), 0)::int AS imported,
                coalesce(sum(failed_count), 0)::int AS failed, coalesce(sum(unknown_count), 0)::int AS unknown,
                coalesce(sum(cancelled_count), 0)::int AS cancelled, coalesce(sum(invalid_count), 0)::int AS invalid,
                coalesce(sum(duplicate_count), 0)::int AS duplicate
            FROM importer.import_chunk WHERE import_id = i.id) c
        CROSS JOIN LATERAL (
            SELECT (array_agg(finished_count ORDER BY at DESC))[1] - (array_agg(finished_count ORDER BY at))[1] AS finished,
                extract(epoch FROM max(at) - min(at))::float8 AS seconds
            FROM importer.import_tick WHERE import_id = i.id AND i.state = 'running' AND at > now() - interval '60 seconds') tick
        CROSS JOIN LATERAL (
            SELECT array_agg(code ORDER BY n DESC, code) AS codes, array_agg(n ORDER BY n DESC, code) AS counts
            FROM (
                SELECT code, sum(count)::int AS n FROM importer.chunk_failure
                WHERE import_id = i.id AND c.failed + c.unknown > 0
                GROUP BY code) by_code
            WHERE n > 0) failure
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE f.state = 'pending')::int AS pending, count(*) FILTER (WHERE f.state = 'failed')::int AS failed
            FROM importer.record_finish f WHERE f.import_id = i.id AND f.state <> 'done') finish
        LEFT JOIN LATERAL (
            SELECT CASE WHEN a.state = 'suspended' THEN 'Account ' || a.name || ' is suspended: ' || rtrim(coalesce(a.reason, 'no reason was given'), '.') || '.'
                ELSE (SELECT 'Account ' || a.name || ' waits until ' || to_char(b.blocked_until AT TIME ZONE 'UTC', 'HH24:MI:SS') || ' UTC: '
                          || coalesce(b.blocked_reason, 'the API asked for it') || '.'
                      FROM importer.call_budget b WHERE b.account_id = a.id AND b.blocked_until > now() ORDER BY b.kind DESC LIMIT 1) END AS text
        ) account_reason ON true
        """;

    private const string One = $"{Select} WHERE i.id = $2";

    private const string Several = $"{Select} JOIN unnest($2::int[]) WITH ORDINALITY AS page(id, place) ON page.id = i.id ORDER BY page.place";

    private const string Totals = """
        SELECT coalesce(sum(pending_count), 0)::int, coalesce(sum(submitting_count), 0)::int, coalesce(sum(submitted_count), 0)::int,
            coalesce(sum(imported_count), 0)::int, coalesce(sum(failed_count), 0)::int, coalesce(sum(unknown_count), 0)::int,
            coalesce(sum(cancelled_count), 0)::int, coalesce(sum(invalid_count), 0)::int, coalesce(sum(duplicate_count), 0)::int
        FROM importer.import_chunk
        """;

    private const string Rates = """
        SELECT bucket_end, submitted / seconds, finished / seconds FROM (
            SELECT max(at) AS bucket_end,
                greatest(0, max(submitted_count) - lag(max(submitted_count)) OVER w)::float8 AS submitted,
                greatest(0, max(finished_count) - lag(max(finished_count)) OVER w)::float8 AS finished,
                extract(epoch FROM max(at) - lag(max(at)) OVER w)::float8 AS seconds
            FROM (
                SELECT t.*, width_bucket(extract(epoch FROM t.at), extract(epoch FROM range.first), extract(epoch FROM range.last) + 0.001, $2) AS bucket
                FROM importer.import_tick t,
                    (SELECT min(at) AS first, max(at) AS last FROM importer.import_tick WHERE import_id = $1) range
                WHERE t.import_id = $1) ticks
            GROUP BY bucket
            WINDOW w AS (ORDER BY bucket)) buckets
        WHERE seconds > 0
        ORDER BY bucket_end
        """;

    /// <summary>The import, or null when there is none with this id.</summary>
    public async Task<ImportView?> FindAsync(int importId, CancellationToken cancellationToken) =>
        await database.QueryAsync(One, Read, cancellationToken, options.Value.StalledAfter, importId) is [var found] ? found : null;

    /// <summary>A page of the imports that the filter selects, in its order.</summary>
    /// <param name="after">The <see cref="Page{T}.Next"/> of the page before, or null for the first.</param>
    public async Task<Page<ImportView>> ListAsync(ImportFilter filter, int? after, int limit, CancellationToken cancellationToken)
    {
        // Which they are comes first: what is told of an import costs too much to be read of all of them for their order.
        var parameters = new List<object?> { after, limit + 1 };
        var sql = filter.PageSql(parameters);
        var ids = await database.QueryAsync(sql, r => r.GetInt32(0), cancellationToken, [.. parameters]);
        var page = Page<int>.Of(ids, limit, id => id);
        return new(await database.QueryAsync(Several, Read, cancellationToken, options.Value.StalledAfter, page.Items.ToArray()), page.Next);
    }

    /// <summary>How fast it went over its whole life, in at most <paramref name="points"/> points.</summary>
    public async Task<IReadOnlyList<RatePoint>> RatesAsync(int importId, int points, CancellationToken cancellationToken) =>
        await database.QueryAsync(
            Rates, r => new RatePoint(r.GetFieldValue<DateTimeOffset>(0), r.GetDouble(1), r.GetDouble(2)), cancellationToken, importId, points);

    /// <summary>The records of all imports.</summary>
    public async Task<StateCounts> TotalsAsync(CancellationToken cancellationToken) =>
        (await database.QueryAsync(Totals, r => Counts(r, 0), cancellationToken))[0];

    /// <summary>Nine columns in the order of the states.</summary>
    internal static StateCounts Counts(NpgsqlDataReader r, int first) => new(
        r.GetInt32(first), r.GetInt32(first + 1), r.GetInt32(first + 2), r.GetInt32(first + 3), r.GetInt32(first + 4), r.GetInt32(first + 5),
        r.GetInt32(first + 6), r.GetInt32(first + 7), r.GetInt32(first + 8));

    private static ImportView Read(NpgsqlDataReader r)
    {
        var counts = Counts(r, 9);
        var (rate, eta) = Rate(r, counts);
        var window = ImportSchedule.Window(r, 42);
        var waitsUntil = r.Time(45);
        return new ImportView(
            r.GetInt32(0), r.GetString(1), r.GetString(2), new ManifestSummary(r.GetString(3), r.GetString(4), r.GetInt64(5)),
            EnumText<ImportState>.Parse(r.GetString(6)), r.Text(7) ?? ImportSchedule.Sentence(waitsUntil, window), r.Number(8), counts, rate, eta, Failures(r),
            r.GetFieldValue<DateTimeOffset>(22), r.Time(23), r.Time(24), r.GetString(25), r.GetInt32(26), r.Text(27), r.GetBoolean(28), r.GetInt32(29),
            EnumText<WhenUnknown>.Parse(r.GetString(30)), r.GetInt32(31), r.Text(32), r.Number(33), r.GetInt32(34),
            EnumText<AccountState>.Parse(r.GetString(35)), r.Number(36), r.Text(37), new FinishCounts(r.GetInt32(48), r.GetInt32(49)))
        {
            Encoding = r.Text(38),
            Template = r.Text(39),
            AlreadyImported = EnumText<WhenDuplicate>.Parse(r.GetString(40)),
            DuplicateRows = EnumText<WhenDuplicate>.Parse(r.GetString(51)),
            StartAt = r.Time(41),
            Window = window?.ToString(),
            WaitsUntil = waitsUntil,
            StopAtFailurePercent = r.GetInt32(46),
            StopAfterRows = r.GetInt32(47),
            Transfer = EnumText<ImportTransfer>.Parse(r.GetString(50)),
        };
    }

    private static (double? Rate, long? Eta) Rate(NpgsqlDataReader r, StateCounts counts)
    {
        if (r.Number(18) is not { } finished || r.GetDouble(19) is var seconds && seconds < LeastSeconds) return (null, null);
        // A rerun takes records back from their end, so the difference can be negative for a minute.
        var rate = Math.Max(0, finished) / seconds;
        return (Math.Round(rate, 2), finished < LeastFinished ? null : (long)Math.Ceiling(counts.Open / rate));
    }

    private static List<FailureCount> Failures(NpgsqlDataReader r)
    {
        if (r.IsDBNull(20)) return [];
        var codes = r.GetFieldValue<string[]>(20);
        var counts = r.GetFieldValue<int[]>(21);
        return [.. codes.Zip(counts, (code, count) => new FailureCount(code, FailureCodes.ClassOf(code), count))];
    }
}
