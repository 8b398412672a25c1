using BulkImporter.Accounts;
using BulkImporter.Records;
using BulkImporter.Telemetry;

namespace BulkImporter.Reconcile;

/// <summary>
/// Finds out what became of attempts whose end we did not see: one walk over an account's assets for all its records that are due. What is
/// certain is adopted, what is possible is noted for a person, and everything else stays as it is. A walk that breaks off changes nothing.
/// </summary>
internal sealed class ReconcileUnknown(RoundNeeds needs, RecordTransitions transitions, WalkAssets walk, ILogger<ReconcileUnknown> log)
    : AccountRound<int, ReconcileUnknown.Look>(needs, Loop)
{
    public const string Loop = "unknown reconciler";

    /// <summary>
    /// How long a record is looked for again, each time after twice the time that it is in doubt. What is not there after a day does not
    /// come.
    /// </summary>
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromHours(24);

    /// <summary>
    /// How far Cincopa's clock may be behind ours: an asset that was uploaded so long before an attempt began may still be its.
    /// </summary>
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan ShortestPutOff = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestPutOff = TimeSpan.FromMinutes(10);

    /// <summary>Records that one walk looks for; the next walk follows at once.</summary>
    private const int MostDoubts = 10_000;

    /// <summary>What the records that are in doubt have as their code.</summary>
    private static readonly string[] UnknownCodes =
        [.. Enum.GetValues<FailureCode>().Where(c => c.Class() == FailureClass.Unknown).Select(EnumText<FailureCode>.Of)];

    /// <summary>
    /// Attempts that may have made an asset which no record has: ended in doubt, or accepted too late to count, whatever became of the
    /// record since.
    /// </summary>
    private static readonly string[] UnknownEnds = [.. UnknownCodes, "accepted"];

    /// <summary>
    /// $1 is the grace, $2 the time after which looking is given up. The first look is due after the grace, each other one when the record
    /// is in doubt twice as long. By their codes the index finds the few that are in doubt among millions that are not; written out, so
    /// that the planner knows how few.
    /// </summary>
    private static readonly string InDoubt = $"""
        JOIN importer.import_record r ON r.import_id = i.id AND r.error_code IN ({string.Join(", ", UnknownCodes.Select(c => $"'{c}'"))})
            AND r.state = 'unknown'
        JOIN importer.attempt t ON t.import_id = r.import_id AND t.row_number = r.row_number AND t.number = r.attempt_count
            AND r.finished_at <= now() - $1
            AND (t.looked_at IS NULL OR (now() - t.looked_at >= t.looked_at - r.finished_at AND t.looked_at - r.finished_at <= $2 / 2))
        """;

    private static readonly string ReadDue = $"""
        SELECT a.id FROM importer.account a
        {WorkBatch.WithOpenBudget}
        LEFT JOIN importer.reconcile_look l ON l.account_id = a.id
        WHERE a.state = 'active' AND (l.next_at IS NULL OR l.next_at <= now())
            AND EXISTS (SELECT 1 FROM importer.import i {InDoubt} WHERE i.account_id = a.id)
        ORDER BY a.id
        """;

    // Where nobody has looked for long, it is not known that the account could not be listed meanwhile.
    private const string Claim = """
        INSERT INTO importer.reconcile_look AS l (account_id, next_at) VALUES ($1, now() + $2)
        ON CONFLICT (account_id) DO UPDATE SET next_at = excluded.next_at, problem = NULL,
            failing_since = CASE WHEN l.next_at > now() - $3 THEN l.failing_since END
        WHERE l.next_at <= now()
        RETURNING account_id
        """;

    private const string PutOff = "UPDATE importer.reconcile_look SET next_at = now() + $2 WHERE account_id = $1";

    private const string NoteComplete = """
        UPDATE importer.reconcile_look SET next_at = now(), looked_at = now(), failing_since = NULL, problem = NULL WHERE account_id = $1
        """;

    // The next look is due when it has failed for twice as long.
    private const string NoteProblem = """
        UPDATE importer.reconcile_look
        SET next_at = now() + least($4, greatest($3, now() - failing_since)), failing_since = coalesce(failing_since, now()), problem = $2
        WHERE account_id = $1
        """;

    private static readonly string ReadDoubts = $"""
        SELECT r.import_id, r.row_number, r.attempt_count, r.source_url, t.started_at, t.size_bytes, u.file_name, r.reference_id
        FROM importer.import i {InDoubt}
        LEFT JOIN importer.push_upload u ON u.import_id = r.import_id AND u.row_number = r.row_number AND u.attempt = r.attempt_count
        WHERE i.account_id = $3
        ORDER BY t.started_at LIMIT $4
        """;

    private const string ReadClaims = """
        SELECT r.source_url, r.import_id, r.row_number, t.started_at
        FROM importer.import i
        JOIN importer.attempt t ON t.import_id = i.id AND t.outcome = ANY($2)
        JOIN importer.import_record r ON r.import_id = t.import_id AND r.row_number = t.row_number
        WHERE i.account_id = $1
        UNION ALL
        SELECT r.source_url, r.import_id, r.row_number, r.submitted_at
        FROM importer.import i
        JOIN importer.import_chunk c ON c.import_id = i.id AND c.submitting_count + c.submitted_count > 0
        JOIN importer.record_now r ON r.import_id = c.import_id AND r.row_number BETWEEN c.first_row AND c.last_row
            AND r.state IN ('submitting', 'submitted')
        WHERE i.account_id = $1
        """;

    private const string ForgetCandidates = """
        DELETE FROM importer.reconcile_candidate k USING unnest($1::importer.outcome[]) l
        WHERE k.import_id = l.import_id AND k.row_number = l.row_number
        """;

    private const string NoteCandidates = """
        INSERT INTO importer.reconcile_candidate (import_id, row_number, attempt, rid, file_name, size_bytes, uploaded_at, caption, type)
        SELECT import_id, row_number, attempt, rid, file_name, size_bytes, uploaded_at, caption, type
        FROM unnest($1::importer.found_asset[])
        """;

    protected override int CallsInFlight => 1;

    // Moved on with every page.
    protected override TimeSpan ClaimFor => TimeSpan.FromMinutes(2);

    protected override TimeSpan Patience => Timeout.InfiniteTimeSpan;

    /// <summary>Accounts with records whose look is due.</summary>
    protected override async Task<IReadOnlyList<int>> ClaimAsync(CancellationToken cancellationToken)
    {
        var claimed = new List<int>();
        foreach (var accountId in await Database.QueryAsync<int>(ReadDue, cancellationToken, Work.LookAfter, GiveUpAfter))
            claimed.AddRange(await Database.QueryAsync<int>(Claim, cancellationToken, accountId, ClaimFor, LongestPutOff));
        return claimed;
    }

    protected override int AccountOf(int item) => item;

    protected override string NameOf(int item) => $"account {item}";

    protected override Look? Broken(int item, Exception error) => new(item, IsComplete: false, error.Reason());

    protected override async Task WriteAsync(List<Look> ends)
    {
        var shortest = Work.LookAfter < ShortestPutOff ? Work.LookAfter : ShortestPutOff;
        foreach (var look in ends)
        {
            if (look.IsComplete) await Database.ExecuteAsync(NoteComplete, CancellationToken.None, look.AccountId);
            else if (look.Problem is null) await Database.ExecuteAsync(PutOff, CancellationToken.None, look.AccountId, shortest);
            else await Database.ExecuteAsync(NoteProblem, CancellationToken.None, look.AccountId, look.Problem, shortest, LongestPutOff);
        }
    }

    protected override Look Unstorable(Look end) => end with { Problem = Outcome.UnstorableMessage };

    protected override async Task<Look?> WorkAsync(int accountId, AccountCalls calls, CancellationToken cancellationToken)
    {
        // 1. What is looked for.
        var due = await Database.QueryAsync<InDoubtRow>(ReadDoubts, cancellationToken, Work.LookAfter, GiveUpAfter, accountId, MostDoubts);
        var doubts = due.ConvertAll(r => new Doubt(r.ImportId, r.RowNumber, r.AttemptCount, r.FileName ?? SourceName.Of(r.SourceUrl),
            r.StartedAt, r.SizeBytes, r.FileName is not null, r.ReferenceId));
        if (doubts.Count == 0) return null;
        var names = doubts.Select(d => d.FileName).Where(n => n.Length > 0).ToHashSet(SourceName.Alike);
        var references = doubts.Select(d => d.ReferenceId).OfType<string>().ToHashSet(StringComparer.Ordinal);
        var since = doubts.Min(d => d.StartedAt) - ClockSkew;

        // 2. The assets. Nothing is written before the walk is complete.
        var ended = await walk.RunAsync(calls, since, a =>
            (a.FileName is { } name && names.Contains(name)) || (a.ReferenceId is { } reference && references.Contains(reference)),
            () => Database.ExecuteAsync(PutOff, cancellationToken, accountId, ClaimFor), cancellationToken);
        if (ended is Walk.Failed failed)
        {
            Log.ListUnavailable(log, accountId, failed.Error.Message);
            await calls.BlameAsync(failed.Error);
        }
        if (ended is not Walk.Complete complete) return new(accountId, IsComplete: false, (ended as Walk.Failed)?.Error.Message);
        calls.Worked();

        // 3. Who else may have made them, and who has them. In this order: what is submitted now and concluded in a moment is in the one or
        // in the other.
        var claims = await ReadClaimsAsync(accountId, names, cancellationToken);
        var owned = (await transitions.OwnersAsync(accountId, [.. complete.Assets.Select(a => a.Rid)], cancellationToken))
            .Select(o => o.Rid).ToHashSet();
        var matches = MatchAssets.Of(doubts, claims, complete.Assets.Where(a => !owned.Contains(a.Rid)), ClockSkew);

        // 4. The certain ones are adopted, the others noted.
        var adopted = new HashSet<(int, int)>();
        await KeepAsync([.. matches.Where(m => m.IsCertain)], async certain =>
        {
            // One import at a time, as RecordTransitions says of its locks.
            foreach (var its in certain.GroupBy(m => m.Doubt.ImportId))
                adopted.UnionWith(await AdoptAsync(accountId, [.. its], cancellationToken));
        }, WithoutCandidates, cancellationToken);
        // A pushed file has a name that nothing else has. It is there or it did not arrive.
        var lost = matches.Where(m => m.Doubt.IsPushed && m.Candidates.Count == 0).Select(m => m.Doubt.Key).ToList();
        if (lost.Count > 0) Log.PushesSentAgain(log, accountId, await transitions.PushedAgainAsync(lost, cancellationToken));
        await KeepAsync([.. matches.Where(m => !adopted.Contains((m.Doubt.ImportId, m.Doubt.RowNumber)))], open =>
            NoteAsync(open, cancellationToken), WithoutCandidates, cancellationToken);
        Log.AssetsLookedThrough(log, accountId, complete.Pages, doubts.Count, adopted.Count);
        return new(accountId, IsComplete: true, null);
    }

    /// <summary>Looks at every attempt of the account.</summary>
    private async Task<List<Claim>> ReadClaimsAsync(int accountId, HashSet<string> names, CancellationToken cancellationToken)
    {
        var claims = new List<Claim>();
        await foreach (var row in Database.StreamLongAsync<ClaimRow>(ReadClaims, cancellationToken, accountId, UnknownEnds))
        {
            var name = SourceName.Of(row.SourceUrl);
            if (names.Contains(name)) claims.Add(new(row.ImportId, row.RowNumber, name, row.StartedAt));
        }
        return claims;
    }

    /// <summary>What the database does not take of an asset is no candidate; the record stays in doubt, and was looked for.</summary>
    private static Match WithoutCandidates(Match match) => match with { Candidates = [] };

    private async Task<HashSet<(int, int)>> AdoptAsync(int accountId, IReadOnlyList<Match> certain, CancellationToken cancellationToken)
    {
        List<Match> storable = [.. certain.Where(m => m.Candidates.Count > 0)];
        if (storable.Count == 0) return [];
        List<Adoption> adoptions = [.. storable.Select(m => new Adoption(m.Doubt.ImportId, m.Doubt.RowNumber, m.Doubt.Attempt,
            m.Candidates[0].Rid, "Adopted automatically: the only asset that fits, and nothing else fits it."))];
        var (made, _) = await Database.TransactionAsync(connection =>
            transitions.AdoptedAsync(connection, accountId, adoptions, cancellationToken), cancellationToken);
        // What the walk said of them besides costs no call.
        var assets = storable.ToDictionary(m => (m.Doubt.ImportId, m.Doubt.RowNumber), m => m.Candidates[0]);
        await Database.ExecuteBatchByKeyAsync(() => RecordAsset.Keep(
            [.. made.Select(a => SeenAsset.Of(a.ImportId, a.RowNumber, assets[(a.ImportId, a.RowNumber)]))], []), cancellationToken);
        foreach (var adoption in made) Log.AssetAdopted(log, adoption.ImportId, adoption.RowNumber, adoption.Attempt, adoption.Rid);
        return [.. made.Select(a => (a.ImportId, a.RowNumber))];
    }

    private async Task NoteAsync(IReadOnlyList<Match> open, CancellationToken cancellationToken)
    {
        OutcomeRow[] looked = [.. open.Select(m => OutcomeRow.Of(m.Doubt.Key))];
        FoundRow[] found = [.. open.SelectMany(m => m.Candidates, (m, asset) => new FoundRow(
            m.Doubt.ImportId, m.Doubt.RowNumber, m.Doubt.Attempt, asset.Rid.Value, PlainText.Storable(asset.FileName), asset.FileSize,
            asset.Uploaded, PlainText.Storable(asset.Caption), PlainText.Storable(asset.Type)))];
        await Database.ExecuteBatchByKeyAsync(() =>
        [
            Sql.BatchCommand(Attempt.NoteLooked, [looked]), Sql.BatchCommand(ForgetCandidates, [looked]),
            Sql.BatchCommand(NoteCandidates, [found]),
        ], cancellationToken);
    }

    /// <param name="Problem">Why the assets could not be looked through; null when they were, or when there was no permit.</param>
    internal sealed record Look(int AccountId, bool IsComplete, string? Problem);

    private sealed record InDoubtRow(
        int ImportId, int RowNumber, short AttemptCount, string SourceUrl, DateTimeOffset StartedAt, long? SizeBytes, string? FileName,
        string? ReferenceId);

    private sealed record ClaimRow(string SourceUrl, int ImportId, int RowNumber, DateTimeOffset? StartedAt);

    /// <summary>A candidate, as the statement takes it.</summary>
    [StoredAsRow("found_asset")]
    internal sealed record FoundRow(
        int ImportId, int RowNumber, short Attempt, string Rid, string? FileName, long? SizeBytes, DateTimeOffset? UploadedAt,
        string? Caption, string? Type);
}
