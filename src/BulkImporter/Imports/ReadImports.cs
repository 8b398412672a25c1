using System.Text.Json;
using BulkImporter.Accounts;
using BulkImporter.Manifests;
using BulkImporter.Records;

namespace BulkImporter.Imports;

/// <summary>
/// Imports as they stand at this moment. Counts come from the chunks' counters, so they are exact and cost the same at a million records.
/// </summary>
public sealed class ReadImports(IDbContextFactory<ImporterDb> contexts, IOptions<WorkOptions> options)
{
    /// <summary>
    /// A rate is told when the ticks span this long and at least <see cref="LeastFinished"/> records ended between them: less would make an
    /// ETA that jumps.
    /// </summary>
    private const double LeastSeconds = 5;

    private const int LeastFinished = 10;

    /// <summary>
    /// How many records of import <c>i</c> are at Cincopa and have not moved for $1. In an import that is younger than that there is none,
    /// and none need be read.
    /// </summary>
    internal const string CountStalled = """
        CASE WHEN i.started_at < now() - $1::interval THEN
            (SELECT count(*) FROM importer.status_poll p WHERE p.import_id = i.id AND p.moved_at < now() - $1::interval)
            + (SELECT coalesce(sum(cardinality(w.rows)), 0) FROM importer.work_batch w
                WHERE w.import_id = i.id AND w.step = 'look' AND w.since < now() - $1::interval) ELSE 0 END::int
        """;

    /// <summary>What is counted, summed up or looked for of imports; what they are themselves, their entities tell.</summary>
    private static readonly string Numbers = $$"""
        SELECT i.id, c.*, tick.finished, tick.seconds, failure.codes, failure.counts,
            finish.pending AS finish_pending, finish.failed AS finish_failed, undo.pending AS undo_pending, undo.failed AS undo_failed,
            block.until AS blocked_until, block.reason AS blocked_reason,
            (SELECT max(e.id) FROM importer.manifest own
                JOIN importer.manifest same ON same.sha256 = own.sha256 AND same.received_at IS NOT NULL
                JOIN importer.import e ON e.manifest_id = same.id AND e.id < i.id
             WHERE own.id = i.manifest_id) AS same_manifest_as,
            CASE WHEN c.submitted > 0 THEN {{CountStalled}} ELSE 0 END AS stalled,
            CASE WHEN i.started_at IS NOT NULL THEN (
                SELECT e.actor FROM importer.audit_entry e WHERE e.import_id = i.id AND e.action = 'import_started' ORDER BY e.id LIMIT 1)
                    END AS started_by,
            CASE WHEN i.state = 'running' AND c.pending > 0
                THEN importer.opens_at(i.start_at, i.window_from, i.window_until, i.window_zone) END AS waits_until,
            CASE WHEN i.state = 'running' AND c.pending > 0 AND c.submitting + c.submitted = 0
                THEN (SELECT min(d.due_at) FROM importer.import_chunk d WHERE d.import_id = i.id HAVING min(d.due_at) > now())
                END AS next_try_at,
            CASE WHEN i.state = 'running' AND c.pending > 0 THEN (
                SELECT json_agg(json_build_object('host', w.host, 'failedInARow', w.failed_in_a_row, 'since', w.since, 'code', w.code,
                    'askedAt', w.asked_at, 'records', w.records) ORDER BY w.records DESC, w.host)::text
                FROM (
                    SELECT h.*, sum(w.count) AS records
                    FROM importer.failing_host h
                    JOIN importer.import_chunk d ON d.import_id = i.id AND d.waits_for <> '{}' AND d.pending_count > 0
                    CROSS JOIN LATERAL unnest(d.waits_for, d.waits_for_count) AS w(host, count)
                    WHERE h.account_id = i.account_id AND h.asked_at IS NOT NULL AND w.host = h.host
                    GROUP BY h.account_id, h.host) w)
                END AS waiting_hosts
        FROM importer.import i
        CROSS JOIN LATERAL (
            SELECT {{Chunk.Sums([.. Chunk.States, .. Chunk.Arrivals])}} FROM importer.import_chunk WHERE import_id = i.id) c
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
            SELECT count(*) FILTER (WHERE f.state = 'pending')::int + (
                    SELECT coalesce(sum(cardinality(w.rows)), 0)::int FROM importer.work_batch w
                    WHERE w.import_id = i.id AND w.step = 'finish'
                ) AS pending, count(*) FILTER (WHERE f.state = 'failed')::int AS failed
            FROM importer.record_finish f WHERE f.import_id = i.id) finish
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE u.state = 'pending')::int AS pending, count(*) FILTER (WHERE u.state = 'failed')::int AS failed
            FROM importer.record_undo u WHERE u.import_id = i.id) undo
        LEFT JOIN LATERAL (
            SELECT b.blocked_until AS until, b.blocked_reason AS reason FROM importer.call_budget b
            WHERE b.account_id = i.account_id AND b.blocked_until > now() ORDER BY b.kind DESC LIMIT 1) block ON true
        """;

    // Not the same for both: a plan for any list of imports costs more than one for this list, so one import would be planned anew each
    // time.
    private static readonly string One = $"{Numbers} WHERE i.id = $2";

    private static readonly string Several = $"{Numbers} WHERE i.id = ANY($2)";

    private const string Rates = """
        SELECT bucket_end AS at, submitted / seconds AS submitted_per_second, finished / seconds AS finished_per_second FROM (
            SELECT max(at) AS bucket_end,
                greatest(0, max(submitted_count) - lag(max(submitted_count)) OVER w)::float8 AS submitted,
                greatest(0, max(finished_count) - lag(max(finished_count)) OVER w)::float8 AS finished,
                extract(epoch FROM max(at) - lag(max(at)) OVER w)::float8 AS seconds
            FROM (
                SELECT t.*, width_bucket(extract(epoch FROM t.at), extract(epoch FROM range.first), extract(epoch FROM range.last) + 0.001,
                    $2) AS bucket
                FROM importer.import_tick t,
                    (SELECT min(at) AS first, max(at) AS last FROM importer.import_tick WHERE import_id = $1) range
                WHERE t.import_id = $1) ticks
            GROUP BY bucket
            WINDOW w AS (ORDER BY bucket)) buckets
        WHERE seconds > 0
        ORDER BY bucket_end
        """;

    public async Task<ImportView?> FindAsync(int importId, CancellationToken cancellationToken) =>
        await contexts.ReadAsync(db => ReadAsync(db, db.Set<Import>().Where(i => i.Id == importId), cancellationToken)) is [var import]
            ? import : null;

    /// <summary>A page of the imports that the filter selects, in its order.</summary>
    /// <param name="after">The <see cref="Page{T}.Next"/> of the page before, or null for the first.</param>
    public async Task<Page<ImportView>> ListAsync(ImportFilter filter, int? after, int limit, CancellationToken cancellationToken) =>
        Page<ImportView>.Of(
            await contexts.ReadAsync(db => ReadAsync(db, filter.Behind(db, after).Take(limit + 1), cancellationToken)), limit, i => i.Id);

    /// <summary>
    /// A page of the imports that the filter selects, as a person walks them. The list of all begins with those that run, as many as a page
    /// holds, above the first page of the others.
    /// </summary>
    /// <param name="after">The <see cref="ListedPage{T}.Next"/> of the page before; null for the first.</param>
    /// <param name="before">The <see cref="ListedPage{T}.Previous"/> of the page behind it; null to go on or to begin.</param>
    public async Task<ListedPage<ImportView>> PageAsync(
        ImportFilter filter, int? after, int? before, int limit, CancellationToken cancellationToken)
    {
        await using var db = contexts.CreateDbContext();
        var total = await filter.Selected(db).CountAsync(cancellationToken);
        var first = filter.IsRunningFirst
            ? await db.Set<Import>().Where(i => i.State == ImportState.Running).OrderByDescending(i => i.Id).Take(limit).Select(i => i.Id)
                .ToListAsync(cancellationToken)
            : [];
        var page = await ListedPage<ImportView>.WalkAsync(
            after, before, limit, i => i.Id, total,
            (id, count) => ReadAsync(db, filter.Ahead(db, id).Where(i => !first.Contains(i.Id)).Take(count), cancellationToken),
            (id, count) => ReadAsync(db, filter.Behind(db, id).Where(i => !first.Contains(i.Id)).Take(count), cancellationToken));
        if (page.Previous is not null || first.Count == 0) return page;
        var running = await ReadAsync(
            db, db.Set<Import>().Where(i => first.Contains(i.Id)).OrderByDescending(i => i.Id), cancellationToken);
        return page with { Items = [.. running, .. page.Items] };
    }

    /// <summary>How fast it went over its whole life, in at most <paramref name="points"/> points.</summary>
    public async Task<IReadOnlyList<RatePoint>> RatesAsync(int importId, int points, CancellationToken cancellationToken) =>
        await contexts.ReadAsync(db => db.QueryAsync<RatePoint>(Rates, cancellationToken, importId, points));

    public async Task<StateCounts> TotalsAsync(CancellationToken cancellationToken) => (await contexts.ReadAsync(db =>
        db.QueryAsync<StateCounts>($"SELECT {Chunk.Sums(Chunk.States)} FROM importer.import_chunk", cancellationToken)))[0];

    private async Task<List<ImportView>> ReadAsync(ImporterDb db, IQueryable<Import> which, CancellationToken cancellationToken)
    {
        var found = await (
            from i in which.AsNoTracking()
            join a in db.Set<Account>() on i.AccountId equals a.Id
            join m in db.Set<Manifest>() on i.ManifestId equals m.Id
            select new { Import = i, a.Name, a.State, a.Reason, Manifest = m }).ToListAsync(cancellationToken);
        // Read after the states: an import that has just ended shows "running" with nothing left, never "finished" with rows under way.
        var stalledAfter = options.Value.StalledAfter;
        var numbers = (found is [var one]
                ? await db.QueryAsync<ImportNumbers>(One, cancellationToken, stalledAfter, one.Import.Id)
                : await db.QueryAsync<ImportNumbers>(Several, cancellationToken, stalledAfter, found.Select(i => i.Import.Id).ToArray()))
            .ToDictionary(n => n.Id);
        // One of them may be gone since.
        return [.. found.Where(i => numbers.ContainsKey(i.Import.Id))
            .Select(i => View(numbers[i.Import.Id], i.Import, i.Manifest, i.Name, i.State, i.Reason))];
    }

    private static ImportView View(
        ImportNumbers n, Import i, Manifest manifest, string account, AccountState accountState, string? accountReason)
    {
        // Why the account does not send; null when it does.
        var trouble = accountState == AccountState.Suspended
            ? $"Account {account} is suspended: {(accountReason ?? "no reason was given").TrimEnd('.')}."
            : n.BlockedUntil is { } until
                ? $"Account {account} waits until {Utc(until)}: {n.BlockedReason ?? "the API asked for it"}."
                : null;
        var counts = new StateCounts(n.Pending, n.Submitting, n.Submitted, n.Imported, n.Failed, n.Unknown, n.Cancelled,
            n.Invalid, n.Duplicate, n.Deleted);
        WaitingHost[] waiting = n.WaitingHosts is null ? []
            : JsonSerializer.Deserialize<WaitingHost[]>(n.WaitingHosts, JsonSerializerOptions.Web)!;
        var reason = (i.UndoOrderedAt is null ? null : trouble ?? Undoing(n))
            ?? i.Reason ?? (i.State is ImportState.Running or ImportState.Paused ? trouble : null)
            ?? ImportSchedule.Sentence(n.WaitsUntil, i.Settings.Window)
            ?? (i.State != ImportState.Running ? null : i.TrialThrough is not null ? HeldBack(i.TrialCount!.Value, n)
                : Standstill(n, counts, waiting));
        var (rate, eta) = Rate(n, counts);
        return new ImportView(i.Settings)
        {
            Id = i.Id,
            Name = i.Name,
            Account = account,
            Manifest = new ManifestSummary(manifest.FileName, Convert.ToHexStringLower(manifest.Sha256!), manifest.SizeBytes),
            State = i.State,
            Reason = reason,
            OfferedEncoding = i.OfferedEncoding,
            Rows = i.RowCount,
            Counts = counts,
            RatePerSecond = rate,
            EtaSeconds = reason is null ? eta : null,
            Failures = [.. (n.Codes ?? []).Zip(n.Counts ?? [], (code, count) => new FailureCount(code, FailureCodes.ClassOf(code), count))],
            CreatedAt = i.CreatedAt,
            StartedAt = i.StartedAt,
            FinishedAt = i.FinishedAt,
            CreatedBy = i.CreatedBy,
            ParsedRows = i.ParsedRows,
            Mapping = i.Mapping is "" ? null : i.Mapping,
            Template = i.Template,
            StartWhenParsed = i.StartWhenParsed,
            SameManifestAs = n.SameManifestAs,
            Stalled = n.Stalled,
            AccountState = accountState,
            StartedBy = i.StartedAt is null ? null : n.StartedBy ?? i.CreatedBy,
            Finishing = new FinishCounts(n.FinishPending, n.FinishFailed),
            Arrival = new ArrivalCounts(n.Verified, n.SizeDiffers, n.DurationDiffers, n.Md5Differs,
                Math.Max(0, n.Imported - n.Verified - n.SizeDiffers - n.DurationDiffers - n.Md5Differs)),
            Undo = new UndoCounts(i.UndoOrderedAt is not null, n.UndoPending, n.UndoFailed),
            Trial = i is { State: ImportState.Running or ImportState.Paused, TrialCount: { } records }
                ? new TrialView(records, HasEnded: i.TrialThrough is null) : null,
            WaitsUntil = n.WaitsUntil,
            WaitingHosts = waiting,
        };
    }

    private static string Undoing(ImportNumbers n) => n.UndoPending == 0
        ? "Its undo has ended in this moment."
        : $"Its undo deletes its assets in Cincopa. {Of(n.UndoPending, "asset is", "assets are")} still to be deleted.";

    private static string Of(int count, string one, string many) => $"{count:N0} {(count == 1 ? one : many)}";

    /// <summary>Why nothing of a running import is being sent; null when something is.</summary>
    private static string? Standstill(ImportNumbers n, StateCounts counts, WaitingHost[] waiting)
    {
        if (n.NextTryAt is { } next)
            return $"{Of(counts.Pending, "record waits", "records wait")} for the next try at {Utc(next)}.";
        if (waiting is [var first, ..] && counts is { Submitting: 0, Submitted: 0 }) return first.Sentence;
        if (counts is { Pending: 0, Submitting: 0, Submitted: > 0 } && n.Finished is not > 0)
            return $"All files are sent. Cincopa is still fetching {Of(counts.Submitted, "file", "files")}.";
        if (counts.Open > 0) return null;
        if (n.FinishPending > 0)
            return $"All files are sent. {Of(n.FinishPending, "asset is", "assets are")} still being finished: texts, galleries, and the "
                + "look at what arrived.";
        // It would have finished, if they were not to be sent again.
        return counts.Unknown == 0 ? null
            : "All files are sent. Now Cincopa is searched for the assets of records in doubt.";
    }

    /// <summary>Of an import of which only the first records are sent.</summary>
    private static string HeldBack(int first, ImportNumbers n) =>
        $"Only the first {(first == 1 ? "record is" : $"{first:N0} records are")} sent for now."
            + (n.NextTryAt is { } next ? $" The next try is at {Utc(next)}." : "");

    /// <summary>As the pages find it in a sentence, to show it in the viewer's time zone.</summary>
    private static string Utc(DateTimeOffset time) => $"{time.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC";

    private static (double? Rate, long? Eta) Rate(ImportNumbers n, StateCounts counts)
    {
        if (n is not { Finished: { } finished, Seconds: { } seconds } || seconds < LeastSeconds) return (null, null);
        // A rerun takes records back from their end, so the difference can be negative for a minute.
        var rate = Math.Max(0, finished) / seconds;
        return (Math.Round(rate, 2), finished < LeastFinished || counts.Open == 0 ? null : (long)Math.Ceiling(counts.Open / rate));
    }

    private sealed record ImportNumbers(
        int Id, int Pending, int Submitting, int Submitted, int Imported, int Failed, int Unknown, int Cancelled,
        int Invalid, int Duplicate, int Deleted,
        int? Finished, double? Seconds, string[]? Codes, int[]? Counts, int FinishPending, int FinishFailed,
        int UndoPending, int UndoFailed, int Verified, int SizeDiffers, int DurationDiffers, int Md5Differs,
        DateTimeOffset? BlockedUntil, string? BlockedReason, int? SameManifestAs, int Stalled, string? StartedBy,
        DateTimeOffset? WaitsUntil, DateTimeOffset? NextTryAt, string? WaitingHosts);
}
