using System.Collections.Concurrent;
using BulkImporter.Accounts;
using BulkImporter.Data;
using Cincopa.Client;
using Npgsql;

namespace BulkImporter.Status;

/// <summary>
/// Asks Cincopa to abort what it still imports for cancelled imports, where the person who cancelled wanted that. The order stands with the import,
/// so it survives every restart, and reaches records too whose acceptance came after it. An answer to it ends nothing: the record is submitted until
/// the status call tells how the import ended, which is asked right afterwards.
/// </summary>
public sealed class AbortRemote(
    NpgsqlDataSource database, AccountAccess accounts, CallGovernor governor, AccountHealth health, ICincopaClient cincopa, TimeProvider clock, ILogger<AbortRemote> log)
{
    private const int Batch = 100;
    private const int CallsInFlight = 8;

    /// <summary>How long a claim holds, and how long an order that could not be given waits for the next time.</summary>
    private static readonly TimeSpan ClaimFor = TimeSpan.FromSeconds(30);

    private const string Claim = """
        WITH due AS (
            SELECT p.import_id, p.row_number
            FROM importer.import i
            JOIN importer.account a ON a.id = i.account_id AND a.state = 'active'
            JOIN importer.call_budget b ON b.account_id = a.id AND b.kind = 'status' AND (b.blocked_until IS NULL OR b.blocked_until <= now())
            JOIN importer.status_poll p ON p.import_id = i.id
            WHERE i.state = 'cancelled' AND i.abort_remote AND p.abort_answered_at IS NULL AND (p.next_abort_at IS NULL OR p.next_abort_at <= now())
            ORDER BY p.import_id, p.row_number LIMIT $1
            FOR UPDATE OF p SKIP LOCKED
        )
        UPDATE importer.status_poll p SET next_abort_at = now() + $2
        FROM due
        WHERE p.import_id = due.import_id AND p.row_number = due.row_number
        RETURNING p.import_id, p.row_number, p.attempt, p.account_id, p.status_id
        """;

    private const string NoteAnswers = """
        WITH answer AS (
            SELECT * FROM unnest($1::int[], $2::int[], $3::smallint[], $4::text[], $5::text[]) AS a(import_id, row_number, attempt, status_id, note)
        ), answered AS (
            UPDATE importer.status_poll p SET abort_answered_at = now(), next_poll_at = now()
            FROM answer a
            WHERE p.import_id = a.import_id AND p.row_number = a.row_number AND p.status_id = a.status_id AND p.abort_answered_at IS NULL
            RETURNING p.import_id, p.row_number, p.attempt, a.note
        )
        UPDATE importer.attempt t SET message = concat_ws(' ', t.message, a.note)
        FROM answered a WHERE t.import_id = a.import_id AND t.row_number = a.row_number AND t.number = a.attempt
        """;

    /// <summary>One round. Answers how many orders Cincopa answered.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var due = await database.QueryAsync(Claim,
            r => new Due(r.GetInt32(0), r.GetInt32(1), r.GetInt16(2), r.GetInt32(3), new StatusId(r.GetString(4))), cancellationToken, Batch, ClaimFor);
        var answered = 0;
        foreach (var account in due.GroupBy(d => d.AccountId)) answered += await AbortAsync(account.Key, [.. account], cancellationToken);
        return answered;
    }

    private async Task<int> AbortAsync(int accountId, List<Due> due, CancellationToken cancellationToken)
    {
        var (access, version) = await accounts.GetAsync(accountId, cancellationToken);
        var answers = new ConcurrentBag<(Due Record, string Note)>();
        // What is not asked in half of the claim's time is left to the claim's end.
        using var late = new CancellationTokenSource(ClaimFor / 2, clock);
        using var closed = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        await Parallel.ForEachAsync(due, new ParallelOptions { MaxDegreeOfParallelism = CallsInFlight }, async (record, _) =>
        {
            if (closed.IsCancellationRequested || !await HavePermitAsync(accountId, closed.Token)) return;
            switch (await cincopa.AbortUploadAsync(access, record.StatusId, CancellationToken.None))
            {
                case AbortResult.Agreed:
                    answers.Add((record, "Cincopa took the order to abort it."));
                    break;
                case AbortResult.Refused refused:
                    answers.Add((record, $"Cincopa did not take the order to abort it: {refused.Error.Message}"));
                    break;
                case AbortResult.Unavailable unavailable when !closed.IsCancellationRequested:
                    await closed.CancelAsync();
                    Log.AbortUnavailable(log, accountId, unavailable.Error.Message);
                    await health.FailedAsync(accountId, version, CallKind.Status, unavailable.Error);
                    break;
            }
        });
        if (answers.IsEmpty) return 0;
        var noted = answers.ToArray();
        await database.ExecuteAsync(NoteAnswers, CancellationToken.None,
            noted.Select(a => a.Record.ImportId).ToArray(),
            noted.Select(a => a.Record.RowNumber).ToArray(),
            noted.Select(a => a.Record.Attempt).ToArray(),
            noted.Select(a => a.Record.StatusId.Value).ToArray(),
            noted.Select(a => a.Note).ToArray());
        Log.AbortsAnswered(log, accountId, noted.Length);
        return noted.Length;
    }

    private async Task<bool> HavePermitAsync(int accountId, CancellationToken cancellationToken)
    {
        try
        {
            var permits = await governor.TakeAsync(accountId, CallKind.Status, 1, cancellationToken);
            return await governor.MayStartAsync(accountId, CallKind.Status, permits, 0, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private sealed record Due(int ImportId, int RowNumber, short Attempt, int AccountId, StatusId StatusId);
}
