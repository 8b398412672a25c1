using BulkImporter.Accounts;
using BulkImporter.Records;
using BulkImporter.Telemetry;
using Cincopa.Client;

namespace BulkImporter.Status;

/// <summary>
/// Asks Cincopa to abort what it still imports for cancelled imports, where the person who cancelled wanted that. The order stands with the
/// import, so it survives every restart, and reaches records too whose acceptance came after it. An answer to it ends nothing: the record
/// is submitted until the status call tells how the import ended, which is asked right afterwards.
/// </summary>
internal sealed class AbortRemote(RoundNeeds needs, ILogger<AbortRemote> log)
    : AccountRound<AbortRemote.Due, AbortRemote.Answer>(needs, Loop)
{
    public const string Loop = "abort sender";

    private const int Batch = 100;

    /// <summary>How long an order that fails unexpectedly is given again.</summary>
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromMinutes(10);

    private const string Claim = $"""
        WITH due AS (
            SELECT p.import_id, p.row_number, i.finished_at
            FROM importer.import i
            JOIN importer.account a ON a.id = i.account_id AND a.state = 'active'
            {WorkBatch.WithOpenBudget}
            CROSS JOIN LATERAL (
                SELECT import_id, row_number FROM importer.status_poll
                WHERE import_id = i.id AND abort_answered_at IS NULL AND (next_abort_at IS NULL OR next_abort_at <= now())
                ORDER BY row_number LIMIT $1
                FOR UPDATE SKIP LOCKED
            ) p
            WHERE i.state = 'cancelled' AND i.abort_remote
            LIMIT $1
        )
        UPDATE importer.status_poll p SET next_abort_at = now() + $2
        FROM due
        WHERE p.import_id = due.import_id AND p.row_number = due.row_number
        RETURNING p.import_id, p.row_number, p.attempt, p.account_id, p.status_id,
            GREATEST(due.finished_at, p.submitted_at) < now() - $3 AS is_old
        """;

    private const string NoteAnswers = """
        UPDATE importer.status_poll p SET abort_answered_at = now(), next_poll_at = now(), note = a.message
        FROM unnest($1::importer.outcome[]) a
        WHERE p.import_id = a.import_id AND p.row_number = a.row_number AND p.status_id = a.status_id AND p.abort_answered_at IS NULL
        """;

    protected override int CallsInFlight => 8;

    // So long, too, an order that could not be given waits for the next time.
    protected override TimeSpan ClaimFor => TimeSpan.FromSeconds(30);

    protected override async Task<IReadOnlyList<Due>> ClaimAsync(CancellationToken cancellationToken) =>
        await Database.QueryByKeyAsync<Due>(Claim, cancellationToken, Batch, ClaimFor, GiveUpAfter);

    protected override int AccountOf(Due item) => item.AccountId;

    protected override string NameOf(Due item) => $"import {item.ImportId} row {item.RowNumber}";

    protected override async Task<Answer?> WorkAsync(Due item, AccountCalls calls, CancellationToken stop)
    {
        if (!await calls.MayCallAsync()) return null;
        switch (await Cincopa.AbortUploadAsync(calls.Access, item.StatusId, CancellationToken.None))
        {
            case AbortResult.Unavailable unavailable:
                await calls.CloseAsync(unavailable.Error);
                return null;
            case AbortResult.Refused refused:
                return new(item, $"Cincopa did not accept the request to abort it: {refused.Error.Message}");
            default:
                return new(item, "Cincopa accepted the request to abort it.");
        }
    }

    protected override Answer? Broken(Due item, Exception error) =>
        item.IsOld && !error.MayPass() ? new(item, $"The request to abort it could not be sent: {error.Reason()}") : null;

    protected override async Task WriteAsync(List<Answer> ends)
    {
        OutcomeRow[] rows = [.. ends.Select(a =>
            OutcomeRow.Of(new AttemptKey(a.Record.ImportId, a.Record.RowNumber, a.Record.Attempt))
                with { StatusId = a.Record.StatusId.Value, Message = a.Note })];
        await Database.ExecuteByKeyAsync(NoteAnswers, CancellationToken.None, [rows]);
        Log.AbortsAnswered(log, ends[0].Record.AccountId, ends.Count);
    }

    protected override Answer Unstorable(Answer end) => end with { Note = Outcome.UnstorableMessage };

    internal sealed record Answer(Due Record, string Note);

    /// <param name="IsOld">The order was given so long ago that it is not given again when it fails unexpectedly.</param>
    internal sealed record Due(int ImportId, int RowNumber, short Attempt, int AccountId, StatusId StatusId, bool IsOld);
}
