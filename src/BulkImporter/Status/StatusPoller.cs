using System.Collections.Concurrent;
using BulkImporter.Accounts;
using BulkImporter.Records;
using BulkImporter.Telemetry;
using Cincopa.Client;

namespace BulkImporter.Status;

/// <summary>
/// Follows submitted records to their end: the first time as the batch in which they were accepted, then each by itself. Every worker
/// polls; a claim is nothing but a time moved ahead, so a poller that dies leaves nothing behind, and asking twice is harmless. A status
/// call that does not work changes nothing on the record.
/// </summary>
internal sealed class StatusPoller(
    RoundNeeds needs, RecordTransitions transitions, FailingHosts hosts, PollSchedule schedule, RetrySchedule retries,
    ILogger<StatusPoller> log) : AccountRound<StatusPoller.Due, StatusPoller.End>(needs, Loop)
{
    public const string Loop = "status poller";

    /// <summary>
    /// How long an unknown status_id is asked again before the record is in doubt: replication at the remote side may be slow (UNK).
    /// </summary>
    private static readonly TimeSpan NotFoundGrace = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How long an import may be done at the remote side without naming its asset: the name may be written a little after the end (INF).
    /// </summary>
    private static readonly TimeSpan UnnamedGrace = TimeSpan.FromMinutes(10);

    /// <summary>An import that has not ended after this long is in doubt: nothing that is fetched at all takes days.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromDays(3);

    // now() comes back with the rows, so that ages are measured by one clock.
    private static readonly string ClaimOwn = $"""
        WITH {WorkBatch.Due("importer.status_poll", dueAt: "next_poll_at", isWaiting: "true")}
        UPDATE importer.status_poll p
        SET next_poll_at = now() + $2
        FROM due
        WHERE p.import_id = due.import_id AND p.row_number = due.row_number
        RETURNING NULL::bigint AS batch_id, p.import_id, p.row_number, p.attempt, p.account_id, p.status_id, p.submitted_at,
            p.progress_bytes, p.progress_percent, p.not_found_since, now() AS now
        """;

    private static readonly string ClaimBatches = $"""
        WITH {WorkBatch.Claim(BatchStep.Look)}
        SELECT c.batch_id, c.import_id, c.row_number, r.attempt_count AS attempt, c.account_id, r.status_id, c.since AS submitted_at,
            NULL::bigint AS progress_bytes, NULL::smallint AS progress_percent, NULL::timestamptz AS not_found_since, now() AS now
        FROM claimed c
        LEFT JOIN importer.import_record r ON r.import_id = c.import_id AND r.row_number = c.row_number AND r.state = 'submitted'
        """;

    // Without a rate it does not matter how many are outstanding.
    private const string ReadBudgets = """
        SELECT a.id, a.status_rate AS rate, (
            SELECT coalesce(sum(c.submitted_count), 0)::bigint FROM importer.import i JOIN importer.import_chunk c ON c.import_id = i.id
            WHERE i.account_id = a.id) AS outstanding
        FROM importer.account a WHERE a.status_rate > 0
        """;

    private const string WriteProgress = """
        UPDATE importer.status_poll p
        SET next_poll_at = now() + s.wait, progress_percent = coalesce(s.percent, p.progress_percent),
            progress_bytes = coalesce(s.bytes, p.progress_bytes),
            total_bytes = coalesce(s.total, p.total_bytes), moved_at = CASE WHEN s.moved THEN now() ELSE p.moved_at END,
            not_found_since = CASE WHEN s.not_found THEN coalesce(p.not_found_since, now()) END
        FROM unnest($1::importer.poll_progress[]) s
        WHERE p.import_id = s.import_id AND p.row_number = s.row_number AND p.status_id = s.status_id
        """;

    // Its first look did not end it: from now on it is followed by itself. What an earlier attempt left behind here is of no use.
    private const string BeginFollowing = """
        INSERT INTO importer.status_poll (import_id, row_number, attempt, account_id, status_id, submitted_at, next_poll_at, moved_at,
            progress_percent, progress_bytes, total_bytes, not_found_since)
        SELECT s.import_id, s.row_number, r.attempt_count, (SELECT i.account_id FROM importer.import i WHERE i.id = s.import_id),
            s.status_id, s.submitted_at, now() + s.wait,
            CASE WHEN s.moved THEN now() ELSE s.submitted_at END, s.percent, s.bytes, s.total, CASE WHEN s.not_found THEN now() END
        FROM unnest($1::importer.poll_progress[]) s
        JOIN importer.import_record r ON r.import_id = s.import_id AND r.row_number = s.row_number AND r.status_id = s.status_id
        WHERE r.state = 'submitted'
        ON CONFLICT (import_id, row_number) DO UPDATE SET status_id = excluded.status_id, attempt = excluded.attempt,
            submitted_at = excluded.submitted_at, next_poll_at = excluded.next_poll_at, moved_at = excluded.moved_at,
            progress_percent = excluded.progress_percent, progress_bytes = excluded.progress_bytes, total_bytes = excluded.total_bytes,
            not_found_since = excluded.not_found_since, next_abort_at = NULL, abort_answered_at = NULL, note = NULL
        WHERE status_poll.status_id <> excluded.status_id
        """;

    private readonly ConcurrentDictionary<string, bool> wordsSeen = new();
    private Dictionary<int, Budget> budgets = [];
    private long? budgetsReadAt;

    // They are short, and the account's status rate is what limits.
    protected override int CallsInFlight => 16;

    // As long as a chunk is left to its worker.
    protected override TimeSpan ClaimFor => Work.LeaseDuration;

    protected override async Task<IReadOnlyList<Due>> ClaimAsync(CancellationToken cancellationToken)
    {
        var due = await Database.QueryByKeyAsync<Due>([ClaimBatches, ClaimOwn], cancellationToken, ClaimLimits(200));
        // Its end came by another way, for example with the answer to an older attempt.
        if (due.FindAll(d => d.StatusId is null) is { Count: > 0 } gone)
        {
            await Database.ExecuteBatchByKeyAsync(() => WorkBatch.Leave(gone.Select(d => (d.BatchId, d.RowNumber))), cancellationToken);
            due.RemoveAll(d => d.StatusId is null);
        }
        if (due.Count > 0) await ReadBudgetsAsync(cancellationToken);
        return due;
    }

    protected override int AccountOf(Due item) => item.AccountId;

    protected override string NameOf(Due item) => $"import {item.ImportId} row {item.RowNumber}";

    protected override async Task<End?> WorkAsync(Due item, AccountCalls calls, CancellationToken stop)
    {
        if (!await calls.MayCallAsync()) return calls.IsLate ? null : Later(item);
        var result = await Cincopa.GetUploadStatusAsync(calls.Access, item.Ticket, CancellationToken.None);
        if (await NotWorkingAsync(result, calls.Access) is { } trouble)
        {
            await calls.CloseAsync(trouble);
            return Later(item);
        }
        calls.Worked();
        if (Conclude(item, result) is not { } conclusion) return Follow(item, result);
        // The call worked, and told that the account does not: the quota is used up.
        if (conclusion.GiveBack && result is StatusResult.Failed failed) await calls.CloseAsync(failed.Error);
        return new End(item, conclusion, null);
    }

    /// <summary>
    /// As long as nothing can be told about a ticket, whatever the reason, it is asked about again; after that the record is in doubt.
    /// </summary>
    protected override End? Broken(Due item, Exception error)
    {
        if (error.MayPass()) return Later(item);
        return item.Now - item.NotFoundSince > NotFoundGrace
            ? new End(item, Ended(item, RecordState.Unknown, null, FailureCode.ReplyUnreadable,
                $"Its status could not be read for {NotFoundGrace}: {error.Reason()}"), null)
            : OnItsWay(item, null, moved: false, notFound: true);
    }

    protected override async Task WriteAsync(List<End> ends)
    {
        var conclusions = ends.Select(e => e.Conclusion).OfType<Conclusion>().ToList();
        if (conclusions.Count > 0)
        {
            Log.RecordsConcluded(log, await transitions.ConcludedAsync(conclusions, CancellationToken.None));
            await hosts.NoteAsync(conclusions, CancellationToken.None);
        }
        var onTheirWay = ends.FindAll(e => e.Progress is not null);
        var progress = onTheirWay.ToLookup(e => e.Record.BatchId is null, e => e.Progress!);
        if (progress[true].ToArray() is { Length: > 0 } own) await Database.ExecuteByKeyAsync(WriteProgress, CancellationToken.None, [own]);
        if (progress[false].ToArray() is { Length: > 0 } first)
        {
            await Database.ExecuteBatchByKeyAsync(
                () => [Sql.BatchCommand(BeginFollowing, [first]),
                    .. WorkBatch.Leave(onTheirWay.Select(e => (e.Record.BatchId, e.Record.RowNumber)))],
                CancellationToken.None);
        }
    }

    protected override End Unstorable(End end) =>
        end.Conclusion is { } conclusion ? end with { Conclusion = conclusion.Unstorable() } : Later(end.Record);

    /// <summary>
    /// Why the call says nothing about its record; null when it does. A page that says "not found" speaks for an API only where there is
    /// one.
    /// </summary>
    private async Task<RemoteError?> NotWorkingAsync(StatusResult result, CincopaAccess access) => result switch
    {
        StatusResult.Unavailable unavailable => unavailable.Error,
        StatusResult.NotFound { Error: { Kind: RemoteErrorKind.NotTheApi } page }
            when await Cincopa.IsElsewhereAsync(access, CancellationToken.None) => page,
        _ => null,
    };

    /// <summary>What the answer makes of the record, or null while it is still on its way.</summary>
    private Conclusion? Conclude(Due record, StatusResult result)
    {
        var age = record.Now - record.SubmittedAt;
        return result switch
        {
            StatusResult.Done done => Ended(record, RecordState.Imported, done.Rid, null, null) with { Bytes = done.Bytes },
            StatusResult.Failed failed => Failed(record, failed.Error.Code(), failed.Error),
            StatusResult.NotFound missing when record.Now - record.NotFoundSince > NotFoundGrace =>
                Ended(record, RecordState.Unknown, null, FailureCode.StatusLost, missing.Error.Message),
            StatusResult.DoneWithoutRid when record.Now - record.NotFoundSince > UnnamedGrace =>
                Ended(record, RecordState.Unknown, null, FailureCode.AssetUnnamed,
                    "Cincopa says that the import is done, but it never named the asset."),
            _ when age > Deadline =>
                Ended(record, RecordState.Unknown, null, FailureCode.DeadlineExceeded, $"The import did not end within {Deadline}."),
            _ => null,
        };
    }

    private Conclusion Failed(Due record, FailureCode code, RemoteError error) => code.Class() switch
    {
        FailureClass.Retryable => Ended(record, RecordState.Pending, null, code, error.Message) with
        {
            RetryAfter = retries.Wait(record.Attempt ?? 1, error.RetryAfter),
            GiveBack = code.IsNotTheRows(),
        },
        FailureClass.Permanent => Ended(record, RecordState.Failed, null, code, error.Message),
        FailureClass.Unknown => Ended(record, RecordState.Unknown, null, code, error.Message),
    };

    private static Conclusion Ended(Due record, RecordState to, Rid? rid, FailureCode? code, string? message) =>
        new(record.ImportId, record.RowNumber, record.Ticket, to, rid, code, message, null, BatchId: record.BatchId);

    private End Follow(Due record, StatusResult result)
    {
        if (result is StatusResult.Running { UnknownWord: { } word } && wordsSeen.TryAdd(word, true)) Log.StatusWordUnknown(log, word);
        var running = result as StatusResult.Running;
        var moved = running is not null
            && (running.ProgressBytes ?? 0, running.ProgressPercent ?? 0) != (record.ProgressBytes ?? 0, record.ProgressPercent ?? 0);
        return OnItsWay(record, running, moved, notFound: result is StatusResult.NotFound or StatusResult.DoneWithoutRid);
    }

    /// <summary>Not asked, or not answered: nothing is known that was not known before.</summary>
    private End Later(Due record) => OnItsWay(record, null, moved: false, notFound: record.NotFoundSince is not null);

    private End OnItsWay(Due record, StatusResult.Running? running, bool moved, bool notFound) => new(record, null, new(
        record.ImportId, record.RowNumber, record.Ticket.Value, Wait(record), (short?)running?.ProgressPercent, running?.ProgressBytes,
        running?.TotalBytes, moved, notFound, record.SubmittedAt));

    private TimeSpan Wait(Due record)
    {
        var budget = budgets.GetValueOrDefault(record.AccountId);
        return schedule.Interval(record.Now - record.SubmittedAt, budget.Outstanding, budget.Rate);
    }

    private async Task ReadBudgetsAsync(CancellationToken cancellationToken)
    {
        if (budgetsReadAt is { } readAt && Clock.GetElapsedTime(readAt) < TimeSpan.FromSeconds(5)) return;
        budgets = (await Database.QueryAsync<Budget>(ReadBudgets, cancellationToken)).ToDictionary(b => b.Id);
        budgetsReadAt = Clock.GetTimestamp();
    }

    /// <param name="BatchId">The batch that it waits in for its first look; null when it is followed by itself.</param>
    /// <param name="StatusId">Null when it waits in a batch and is not submitted any more.</param>
    internal sealed record Due(
        long? BatchId, int ImportId, int RowNumber, short? Attempt, int AccountId, StatusId? StatusId, DateTimeOffset SubmittedAt,
        long? ProgressBytes, short? ProgressPercent, DateTimeOffset? NotFoundSince, DateTimeOffset Now)
    {
        public StatusId Ticket => StatusId!.Value;
    }

    private readonly record struct Budget(int Id, double Rate, long Outstanding);

    /// <summary>What a status call makes of a record: its end, or how far it is.</summary>
    internal sealed record End(Due Record, Conclusion? Conclusion, Progress? Progress);

    /// <summary>How far it is, as the statement takes it.</summary>
    [StoredAsRow("poll_progress")]
    internal sealed record Progress(
        int ImportId, int RowNumber, string StatusId, TimeSpan Wait, short? Percent, long? Bytes, long? Total, bool Moved, bool NotFound,
        DateTimeOffset SubmittedAt);
}
