using System.Reflection;
using BulkImporter.Accounts;
using BulkImporter.Finish;
using BulkImporter.Manifests;
using BulkImporter.Reconcile;
using BulkImporter.Records;
using BulkImporter.Status;
using BulkImporter.Tests.Accounts;
using BulkImporter.Undo;
using Cincopa.Client;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Records;

/// <summary>
/// Every statement that is given a list of keys, or claims some rows of many, reads these and no others: in tables that nobody ever
/// analyzed, also when it was planned and kept while they were small; and after an ANALYZE that saw no transient state (the planner then
/// believes that such a state selects next to nothing). The plans are the server's own, told by auto_explain, for which the test's user must be a
/// superuser.
/// </summary>
public sealed class HotStatementTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private const int Rows = 200_000;
    private const int ChunkSize = 500;

    /// <summary>Keys that a statement is given here, or rows that it may claim.</summary>
    private const int Most = 100;

    private static readonly string[] Tables =
        [
            "import_record", "import_chunk", "attempt", "status_poll", "record_finish", "record_undo", "record_meta", "record_asset",
            "push_upload", "reconcile_candidate", "work_batch",
        ];

    /// <summary>They are given lists of values and no keys: what they do is to insert them, or to find a sentence for each code.</summary>
    private static readonly string[] GivenNoKeys = ["importer.manifest_source_file", "importer.finding", "AS c(code)"];

    private readonly ProtectToken tokens = new(new EphemeralDataProtectionProvider());
    private readonly ScriptedCincopa cincopa = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Statements_that_are_given_keys_read_no_other_rows_whatever_the_statistics_say()
    {
        foreach (var table in Tables)
            await database.SqlAsync($"ALTER TABLE importer.{table} SET (autovacuum_enabled = false)");
        string[] planModes = ["force_custom_plan", "force_generic_plan", "auto"];
        var explained = planModes.Select(mode => new ExplainedDatabase(database.ConnectionString, mode)).ToList();
        var seen = new HashSet<string>();
        try
        {
            // 1. Every statement is prepared, and planned for any parameters, while the tables hold next to nothing.
            var small = await ImportAsync(ChunkSize * planModes.Length);
            foreach (var (one, n) in explained.Select((e, n) => (e, n)))
            {
                for (var time = 0; time < 7; time++) await PlayAsync(one, small, 1 + n, time);
                seen.UnionWith(one.TakePlans().Select(TextOf));
            }

            // 2. They are large, and nobody has told the planner.
            var large = await ImportAsync(Rows);
            await FillAsync(large);
            await AssertAsync("never analyzed", firstChunk: 10);

            // 3. The planner has seen them, in a moment when nothing was on its way.
            foreach (var table in Tables) await database.SqlAsync($"ANALYZE importer.{table}");
            await AssertAsync("analyzed", firstChunk: 20);

            async Task AssertAsync(string statistics, int firstChunk)
            {
                foreach (var (one, n) in explained.Select((e, n) => (e, n)))
                {
                    await PlayAsync(one, large, firstChunk + n, 0);
                    one.AssertReads(Most, $"statements, {statistics}, {planModes[n]},", plan => IsHot(TextOf(plan)));
                }
            }
        }
        finally
        {
            foreach (var one in explained) await one.DisposeAsync();
        }

        // 4. There is no other such statement in the product.
        Assert.DoesNotContain(GivenKeys(), sql => !seen.Contains(sql.Trim()));
    }

    private static bool IsHot(string sql) =>
        sql.Contains("unnest($", StringComparison.Ordinal) || sql.Contains("SKIP LOCKED", StringComparison.Ordinal);

    private static string TextOf(string plan)
    {
        var text = plan[(plan.IndexOf("Query Text:", StringComparison.Ordinal) + "Query Text:".Length)..];
        // The plan's first line says what its node costs, as no statement does.
        var end = text.IndexOf("  (cost=", StringComparison.Ordinal);
        return text[..text.LastIndexOf('\n', end)].Trim();
    }

    /// <summary>All statements of the product that are given a list.</summary>
    private static IEnumerable<string> GivenKeys() =>
        from type in typeof(RecordTransitions).Assembly.GetTypes()
        where !type.ContainsGenericParameters
        from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
        where field.FieldType == typeof(string)
        let sql = (string?)field.GetValue(null)
        where sql is not null && sql.Contains("unnest($", StringComparison.Ordinal)
            && !GivenNoKeys.Any(words => sql.Contains(words, StringComparison.Ordinal))
        select sql;

    private async Task<int> ImportAsync(int rows)
    {
        var account = await database.AccountAsync();
        await database.SqlAsync("UPDATE importer.account SET token_protected = $2 WHERE id = $1", account, tokens.Protect("token"));
        return await database.ImportAsync(rows, ChunkSize, account, maxAttempts: 100);
    }

    /// <summary>Each record has been tried before, and has a row in every table in which it can have one; none is due.</summary>
    private async Task FillAsync(int import)
    {
        await database.SqlAsync("UPDATE importer.import_record SET attempt_count = 1 WHERE import_id = $1", import);
        await database.SqlAsync("""
            INSERT INTO importer.attempt (import_id, row_number, number, started_at, worker, finished_at, outcome)
            SELECT $1, n, 1, now(), 'w', now(), 'remote_error' FROM generate_series(1, $2) n
            """, import, Rows);
        await database.SqlAsync("""
            INSERT INTO importer.status_poll (import_id, row_number, attempt, account_id, status_id, submitted_at, next_poll_at, moved_at)
            SELECT $1, n, 1, account_id, 'of-' || n, now(), now() + interval '1 hour', now()
            FROM generate_series($3::int, $2) n, importer.import i WHERE i.id = $1
            """, import, Rows, 100 * ChunkSize);
        await database.SqlAsync("""
            INSERT INTO importer.record_finish (import_id, row_number, account_id, rid, state, next_at, failed_count)
            SELECT $1, n, account_id, 'of-' || n, 'pending', now() + interval '1 hour', 0
            FROM generate_series($3::int, $2) n, importer.import i WHERE i.id = $1
            """, import, Rows, 100 * ChunkSize);
        await database.SqlAsync("""
            INSERT INTO importer.record_undo (import_id, row_number, account_id, rid, state, next_at, failed_count, in_doubt)
            SELECT $1, n, account_id, 'of-' || n, 'pending', now() + interval '1 hour', 0, false
            FROM generate_series($3::int, $2) n, importer.import i WHERE i.id = $1
            """, import, Rows, 100 * ChunkSize);
        await database.SqlAsync("""
            INSERT INTO importer.record_meta (import_id, row_number, description, expected_bytes)
            SELECT $1, n, 'A clip', 1 FROM generate_series($3::int, $2) n
            """, import, Rows, 100 * ChunkSize);
        await database.SqlAsync("""
            INSERT INTO importer.record_asset (import_id, row_number, rid, seen_at, size_bytes, expected_bytes)
            SELECT $1, n, 'of-' || n, now(), 1, 1 FROM generate_series($3::int, $2) n
            """, import, Rows, 100 * ChunkSize);
        await database.SqlAsync("""
            INSERT INTO importer.push_upload (import_id, row_number, attempt, url_protected, unique_id, file_name, sent_bytes)
            SELECT $1, n, 1, 'nowhere', 'of-' || n, n || '.mp4', 0 FROM generate_series($3::int, $2) n
            """, import, Rows, 100 * ChunkSize);
    }

    /// <summary>What a record can go through, for forty records of a chunk at a time.</summary>
    private async Task PlayAsync(ExplainedDatabase explained, int import, int chunk, int time)
    {
        const int rowsAtATime = 40;
        var source = explained.Source;
        var transitions = new RecordTransitions(source);
        var lease = await database.LeaseAsync(import, chunk);
        int[] rows = [.. Enumerable.Range(lease.FirstRow + time * rowsAtATime, rowsAtATime)];
        await database.SqlAsync("UPDATE importer.import_record SET caption = 'Clip' WHERE import_id = $1 AND row_number = ANY($2)",
            import, rows);
        await database.SqlAsync("""
            INSERT INTO importer.record_meta (import_id, row_number, expected_bytes) SELECT $1, n, 1 FROM unnest($2::int[]) n
            ON CONFLICT (import_id, row_number) DO NOTHING
            """, import, rows[..6]);

        // 1. Dispatch: accepted, failed for good, in doubt, and never answered.
        List<Intent> intents = [.. await transitions.SubmittingAsync(lease, rows[..20], Token),
            .. await transitions.SubmittingAsync(lease with { PerHost = rowsAtATime }, rows[20..], Token)];
        Assert.Equal(rowsAtATime, intents.Count);
        Assert.Equal(rowsAtATime, (await transitions.OpenIntentsAsync(lease, rows, Token)).Count);
        Answer[] accepted = [.. intents.Take(20).Select(EngineDatabase.Accepted)];
        await transitions.AnsweredAsync(lease,
            [.. accepted, .. intents.Skip(20).Take(4).Select(i => EngineDatabase.Failed(i, RecordState.Failed, FailureCode.InvalidInput)),
                .. intents.Skip(24).Take(6).Select(i => EngineDatabase.Failed(i, RecordState.Unknown, FailureCode.ReplyLost))],
            TimeSpan.Zero, Token);

        // 2. Ten are in, ten are on their way.
        var done = accepted.Take(10).Select(a => a.StatusId!.Value.Value).ToHashSet();
        cincopa.OnStatus = ticket => done.Contains(ticket)
            ? new StatusResult.Done(new Rid("rid-" + ticket), ticket.EndsWith('1') ? 1 : null) : new StatusResult.Running(50, 500, 1000, null, null);
        var needs = Rounds.Over(source, tokens, cincopa);
        var poller = new StatusPoller(needs, transitions, HostsUnderTest.New(source),
            new PollSchedule(TimeSpan.FromHours(1), TimeSpan.FromHours(1), () => 0),
            new RetrySchedule(TimeSpan.Zero, TimeSpan.Zero, () => 0), NullLogger<StatusPoller>.Instance);
        Assert.Equal(20, await poller.RunAsync(Token));
        await HostsUnderTest.New(source).NoteAsync([.. accepted.Take(10).Select(a => new Conclusion(
            import, a.RowNumber, a.StatusId!.Value, RecordState.Failed, null, FailureCode.SourceForbidden, null, null))], Token);
        // From now on each is followed by itself.
        await database.SqlAsync("UPDATE importer.status_poll SET next_poll_at = now() WHERE import_id = $1 AND row_number = ANY($2)",
            import, rows);
        Assert.Equal(10, await poller.RunAsync(Token));

        // 3. Their assets are finished; some are not, and a person orders it again.
        await database.SqlAsync("UPDATE importer.import_record SET reference_id = 'R' WHERE import_id = $1 AND row_number = $2", import, rows[0]);
        cincopa.OnList = query => Task.FromResult(ScriptedCincopa.Page(query, query.Rid is { } rid
            ? [new RemoteAsset(rid, "clip.mp4", 1, null, null, null, "video", "synced")] : []));
        cincopa.OnSetMeta = (_, _) => new ChangeResult.Failed(ScriptedCincopa.Error(RemoteErrorKind.InvalidInput));
        var finisher = new FinishRecords(needs, new NameGallery(source, cincopa, NullLogger<NameGallery>.Instance),
            new RetrySchedule(TimeSpan.Zero, TimeSpan.Zero, () => 0), Options.Create(new ManifestOptions()), NullLogger<FinishRecords>.Instance);
        Assert.Equal(10, await finisher.RunAsync(Token));
        Assert.Equal(10, await new FinishAgain(source).RunAsync(import, new RecordFilter { RowNumbers = [.. rows] }, "ann", Token));
        Assert.Equal(10, await finisher.RunAsync(Token));
        Assert.Equal(10, await new FinishAgain(source).RunAsync(import, new RecordFilter { RowNumbers = [.. rows] }, "ann", Token));
        cincopa.OnList = query => Task.FromResult(ScriptedCincopa.Page(query, []));
        Assert.Equal(10, await finisher.RunAsync(Token));
        await database.SqlAsync("UPDATE importer.record_finish SET state = 'failed' WHERE import_id = $1", import);
        Assert.Equal(10, await new FinishAgain(source).RunAsync(import, new RecordFilter { RowNumbers = [.. rows] }, "ann", Token));

        // 4. Answers and ends that come too late, of pushes too.
        await transitions.AnsweredAsync(lease, [.. accepted.Skip(10).Select(a => a with { StatusId = new StatusId("late" + a.RowNumber) }),
            .. accepted.Take(5).Select(a => a with { To = RecordState.Imported, StatusId = null, Rid = new Rid("late" + a.RowNumber) })],
            TimeSpan.Zero, Token);
        await transitions.ConcludedAsync([.. accepted.Take(10).Select(a =>
            new Conclusion(import, a.RowNumber, a.StatusId!.Value, RecordState.Imported, new Rid("late"), null, null, null))], Token);

        // 5. Doubt: adopted, looked for, sent again.
        await using (var connection = await source.OpenConnectionAsync(Token))
        await using (var transaction = await connection.BeginTransactionAsync(Token))
        {
            var (made, _) = await transitions.AdoptedAsync(connection, lease.AccountId, [.. intents.Skip(24).Take(2).Select(i =>
                new Adoption(import, i.RowNumber, i.Attempt, new Rid($"found-{import}-{i.RowNumber}"), "Found."))], Token);
            Assert.Equal(2, made.Count);
            await transaction.CommitAsync(Token);
        }
        Assert.Equal(0, await transitions.PushedAgainAsync(
            [.. intents.Skip(26).Take(2).Select(i => new AttemptKey(import, i.RowNumber, i.Attempt))], Token));
        await database.AgeAsync(import, 11, [.. intents.Skip(26).Take(4).Select(i => i.RowNumber)]);
        await database.SqlAsync("UPDATE importer.reconcile_look SET next_at = now()");
        Assert.Equal(1, await new ReconcileUnknown(needs, transitions, new WalkAssets(cincopa),
            NullLogger<ReconcileUnknown>.Instance).RunAsync(Token));

        // 6. What was never answered is rescued, what failed is corrected.
        await database.ExpireAsync(import, chunk);
        Assert.Equal(10, await transitions.RescuedAsync(import, chunk, Token));
        await using (var connection = await source.OpenConnectionAsync(Token))
        await using (var transaction = await connection.BeginTransactionAsync(Token))
        {
            Assert.Equal(4, (await transitions.CorrectedAsync(connection, import, [.. intents.Skip(20).Take(4).Select(i =>
                new RecordCorrection(i.RowNumber, null, null, "Another", null, null))], "ann", Token)).Count);
            Assert.Equal(4, (await Correction.NoteAsync(connection, import, [.. intents.Take(4).Select(i =>
                new RecordCorrection(i.RowNumber, null, null, "In review", null, null))], "ann", Token)).Count);
            await transaction.CommitAsync(Token);
        }

        // 7. The import is cancelled, what is on its way is aborted.
        await database.SqlAsync("""
            UPDATE importer.import SET state = 'cancelled', abort_remote = true, finished_at = now() WHERE id = $1
            """, import);
        Assert.InRange(await new AbortRemote(needs, NullLogger<AbortRemote>.Instance).RunAsync(Token), 10, Most);
        await database.SqlAsync("""
            UPDATE importer.import SET state = 'running', abort_remote = false, finished_at = NULL WHERE id = $1
            """, import);
        await database.SqlAsync("""
            UPDATE importer.status_poll SET next_poll_at = now() + interval '1 hour', abort_answered_at = NULL, next_abort_at = NULL
            WHERE next_poll_at <= now() OR abort_answered_at IS NOT NULL OR next_abort_at IS NOT NULL
            """);
        await database.SqlAsync("UPDATE importer.record_finish SET next_at = now() + interval '1 hour' WHERE next_at <= now()");
        await database.SqlAsync("DELETE FROM importer.work_batch");

        // 8. Its assets are deleted; some are not.
        var deletions = 0;
        cincopa.OnDelete = _ => Interlocked.Increment(ref deletions) % 2 == 0
            ? new ChangeResult.Ok() : new ChangeResult.Failed(ScriptedCincopa.Error(RemoteErrorKind.InvalidInput));
        cincopa.OnList = query => Task.FromResult(ScriptedCincopa.Page(query,
            query.Rid is { } rid ? [new RemoteAsset(rid, null, null, null, null, null, null, null)] : []));
        await database.SqlAsync("""
            INSERT INTO importer.record_undo (import_id, row_number, account_id, rid, state, next_at, failed_count, in_doubt)
            SELECT r.import_id, r.row_number, i.account_id, r.rid, 'pending', now(), 0, false
            FROM importer.import_record r JOIN importer.import i ON i.id = r.import_id
            WHERE r.import_id = $1 AND r.row_number = ANY($2) AND r.state = 'imported'
            """, import, rows);
        Assert.InRange(await new DeleteAssets(needs, transitions,
            new RetrySchedule(TimeSpan.Zero, TimeSpan.Zero, () => 0), NullLogger<DeleteAssets>.Instance).RunAsync(Token), 10, Most);
        cincopa.OnList = query => Task.FromResult(ScriptedCincopa.Page(query, []));
    }
}
