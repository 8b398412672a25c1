using System.Globalization;
using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Records;
using Cincopa.Client;

namespace BulkImporter.Tests.Records;

/// <summary>
/// Random lives of a small import against the database and against a model in memory: after each step both must agree, and the
/// invariants hold. A failure names its seed; <c>BULKIMPORTER_TEST_SEED</c> runs that one.
/// </summary>
public sealed class RecordModelTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private const int Steps = 70;

    public static TheoryData<int> Seeds()
    {
        if (Environment.GetEnvironmentVariable("BULKIMPORTER_TEST_SEED") is { Length: > 0 } one)
            return [int.Parse(one, CultureInfo.InvariantCulture)];
        // Some that are always the same, and some that nobody has seen before.
        return [1, 2, 3, 4, 5, 6, .. Enumerable.Range(0, 4).Select(_ => Random.Shared.Next())];
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task A_random_life_agrees_with_the_model_after_every_step(int seed)
    {
        var model = new Model(database, new Random(seed));
        await model.BeginAsync();
        for (var step = 1; step <= Steps; step++)
        {
            var before = model.ToString();
            var what = await model.StepAsync();
            try
            {
                await model.CompareAsync();
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {seed}, step {step}, {what}. Before it:\n{before}\n{e.Message}", e);
            }
        }
        Assert.True(model.Moves >= 10, $"Seed {seed} moved only {model.Moves} records.");
    }

    /// <summary>What a record should be.</summary>
    private sealed class Row
    {
        public RecordState State = RecordState.Pending;
        public int Attempts;
        public int Left = Model.MaxAttempts;
        public string? StatusId;
        public bool Twice;

        public bool WasImported;

        /// <summary>Imported by an asset that was found for it.</summary>
        public bool IsAdopted;

        public override string ToString() =>
            $"{EnumText<RecordState>.Of(State)} {Attempts} {Left} {StatusId ?? "-"} {(Twice ? "twice" : "once")}";
    }

    /// <summary>A call that was made, with its answer once the worker has it.</summary>
    private sealed record Call(Lease Lease, Intent Intent)
    {
        public Answer? Answer { get; set; }
    }

    private sealed class Model(EngineDatabase database, Random random)
    {
        public const int MaxAttempts = 3;
        private const int Rows = 6;
        private const int ChunkSize = 3;
        private readonly Row[] rows = [.. Enumerable.Range(0, Rows).Select(_ => new Row())];
        private readonly Lease?[] leases = new Lease?[Rows / ChunkSize];
        private readonly List<Lease> lost = [];
        private readonly List<Call> calls = [];
        private readonly List<(int Row, string StatusId)> tickets = [];
        private ImportState import = ImportState.Running;
        private readonly bool resubmit = random.Next(3) == 0;
        private int id;

        private static CancellationToken Token => TestContext.Current.CancellationToken;

        public int Moves { get; private set; }

        public async Task BeginAsync()
        {
            id = await database.ImportAsync(Rows, ChunkSize, maxAttempts: MaxAttempts);
            if (!resubmit) return;
            await database.ListingFailsAsync(id);
            await database.SqlAsync("UPDATE importer.import SET when_unknown = 'resubmit' WHERE id = $1", id);
        }

        /// <summary>An import that does not run is soon set going again, or most of a life would be spent in looking at it.</summary>
        public Task<string> StepAsync() => import != ImportState.Running && random.Next(3) == 0
            ? import == ImportState.Paused ? PauseOrResumeAsync() : RerunAsync()
            : AnyStepAsync();

        private Task<string> AnyStepAsync() => random.Next(23) switch
        {
            < 6 => IntentsAsync(),
            < 11 => AnswerAsync(),
            < 14 => ConcludeAsync(),
            14 => RescueAsync(),
            15 => RescueTooEarlyAsync(),
            16 => RerunAsync(),
            17 => random.Next(6) == 0 ? CancelAsync() : FollowAsync(),
            18 => PauseOrResumeAsync(),
            19 => ResubmitAsync(),
            20 => AdoptAsync(),
            21 => DeleteAsync(),
            _ => ReleaseAsync(),
        };

        public async Task CompareAsync()
        {
            var real = await database.Source.QueryAsync("""
                SELECT concat_ws(' ', state, attempt_count, attempts_left, coalesce(status_id, '-'), CASE WHEN possibly_duplicated
                    THEN 'twice' ELSE 'once' END)
                FROM importer.record_now WHERE import_id = $1 ORDER BY row_number
                """, r => r.GetString(0), Token, id);
            Assert.Equal(rows.Select(r => r.ToString()), real);
            Assert.Equal(EnumText<ImportState>.Of(import), await database.ImportStateAsync(id));
            await database.AssertSoundAsync(id);
        }

        public override string ToString() => $"{import}: {string.Join(", ", rows.Select((r, i) => $"{i + 1} {r}"))}";

        private async Task<string> IntentsAsync()
        {
            var chunk = random.Next(leases.Length);
            // Now and then a worker that has lost its lease and does not know it.
            var stale = lost.Count > 0 && random.Next(5) == 0;
            var lease = stale ? lost[random.Next(lost.Count)] : leases[chunk] ??= await database.LeaseAsync(id, chunk + 1);
            int[] wanted = [.. Enumerable.Range(lease.FirstRow, ChunkSize).Where(_ => random.Next(2) == 0)];
            var expected = stale || import != ImportState.Running ? [] : wanted.Where(r => Of(r).State == RecordState.Pending).ToArray();

            var intents = await database.Transitions.SubmittingAsync(lease, wanted, Token);
            Assert.Equal(expected, intents.Select(i => i.RowNumber).Order());
            foreach (var intent in intents)
            {
                var row = Of(intent.RowNumber);
                Assert.False(row.WasImported, $"Row {intent.RowNumber} was imported and is sent again.");
                Move(row, RecordState.Submitting);
                Assert.Equal(++row.Attempts, intent.Attempt);
                row.Left--;
                calls.Add(new(lease, intent));
            }
            return $"intents of {string.Join(",", wanted)} under a {(stale ? "lost" : "live")} lease of chunk {lease.ChunkNumber}";
        }

        private async Task<string> AnswerAsync()
        {
            if (calls.Count == 0) return "no call to answer";
            var call = calls[random.Next(calls.Count)];
            // An attempt has one answer; a worker that lost the acknowledgement of its commit writes it again, however late.
            var again = call.Answer is not null;
            var answer = call.Answer ??= RandomAnswer(call.Intent);
            var row = Of(call.Intent.RowNumber);
            var counts = row.Attempts == answer.Attempt && row.State is (RecordState.Submitting or RecordState.Unknown);
            var ofAdopted = row.IsAdopted && row.Attempts == answer.Attempt;
            var late = answer.To == RecordState.Submitted && !counts && !ofAdopted && row.StatusId != answer.StatusId?.Value;
            if (counts)
            {
                if (answer.GiveBack) row.Left++;
                Move(row, answer.To == RecordState.Pending && row.Left <= 0 ? RecordState.Failed : answer.To);
                row.StatusId = answer.StatusId?.Value;
            }
            row.Twice |= late;
            if (answer.StatusId is { } ticket) tickets.Add((answer.RowNumber, ticket.Value));

            Assert.Equal(late ? [answer] : [], await database.AnswerAsync(call.Lease, answer));
            return $"answer {answer.To} to attempt {answer.Attempt} of row {answer.RowNumber}{(again ? " again" : "")}";
        }

        private Answer RandomAnswer(Intent intent) => random.Next(8) switch
        {
            < 4 => EngineDatabase.Accepted(intent),
            4 => EngineDatabase.Failed(intent, RecordState.Pending, FailureCode.RemoteError),
            5 => EngineDatabase.Failed(intent, RecordState.Pending, FailureCode.RateLimited),
            6 => EngineDatabase.Failed(intent, RecordState.Failed, FailureCode.InvalidInput),
            _ => EngineDatabase.Failed(intent, RecordState.Unknown, FailureCode.ReplyTimeout),
        };

        private async Task<string> ConcludeAsync()
        {
            if (tickets.Count == 0) return "no ticket to conclude";
            var (number, ticket) = tickets[random.Next(tickets.Count)];
            RecordState to = random.Next(5)
                switch
            { < 2 => RecordState.Imported, 2 => RecordState.Failed, 3 => RecordState.Unknown, _ => RecordState.Pending };
            var row = Of(number);
            var counts = row.State == RecordState.Submitted && row.StatusId == ticket;
            if (counts)
            {
                Move(row, to == RecordState.Pending && row.Left <= 0 ? RecordState.Failed : to);
                row.WasImported |= to == RecordState.Imported;
            }
            // The adopted call's own end names another asset than the one that was found.
            row.Twice |= row.IsAdopted && to == RecordState.Imported
                && ticket == EngineDatabase.StatusIdOf(new(number, (short)row.Attempts, default));
            Assert.Equal(counts ? 1 : 0,
                await database.ConcludeAsync(id, number, ticket, to, to == RecordState.Imported ? null : FailureCode.SourceTimeout));
            return $"conclusion {to} for {ticket}";
        }

        private async Task<string> RescueAsync()
        {
            var chunk = random.Next(leases.Length);
            if (leases[chunk] is not { } lease) return "no lease to run out";
            await database.ExpireAsync(id, chunk + 1);
            Assert.Equal(Lose(chunk, lease), await database.Transitions.RescuedAsync(id, chunk + 1, Token));
            return $"rescue of chunk {chunk + 1}";
        }

        private async Task<string> RescueTooEarlyAsync()
        {
            Assert.Null(await database.Transitions.RescuedAsync(id, random.Next(leases.Length) + 1, Token));
            return "rescue of a chunk whose lease lives or that nobody has";
        }

        private async Task<string> ReleaseAsync()
        {
            var chunk = random.Next(leases.Length);
            if (leases[chunk] is not { } lease || InChunk(chunk).Any(r => r.State == RecordState.Submitting)) return "no lease to release";
            await database.ReleaseAsync(id, chunk + 1);
            Assert.Equal(0, Lose(chunk, lease));
            return $"release of chunk {chunk + 1}";
        }

        private async Task<string> RerunAsync()
        {
            var unknownToo = random.Next(2) == 0;
            await database.RerunAsync(id, unknownToo ? new RecordFilter { RowNumbers = [.. Enumerable.Range(1, Rows)] } : RecordFilter.All);
            var moved = rows.Where(r => r.State is RecordState.Failed or RecordState.Cancelled
                || (unknownToo && r.State is RecordState.Unknown or RecordState.Deleted)).ToList();
            foreach (var row in moved)
            {
                Move(row, RecordState.Pending);
                (row.Left, row.StatusId) = (MaxAttempts, null);
            }
            if (moved.Count > 0 && import != ImportState.Paused) import = ImportState.Running;
            return $"rerun{(unknownToo ? " of unknown too" : "")}";
        }

        private async Task<string> CancelAsync()
        {
            await database.CancelAsync(id);
            if (import is ImportState.Running or ImportState.Paused)
            {
                CancelPending();
                import = ImportState.Cancelled;
            }
            return "cancel";
        }

        private async Task<string> FollowAsync()
        {
            await database.Follow.RunAsync(Token);
            if (import == ImportState.Cancelled) CancelPending();
            if (import == ImportState.Running
                && rows.All(r => r.State is not (RecordState.Pending or RecordState.Submitting or RecordState.Submitted)))
            {
                // What will be submitted again by itself keeps the import running.
                if (!resubmit || rows.All(r => r.State != RecordState.Unknown || r.Left <= 0)) import = ImportState.Finished;
            }
            return "a round of the import follower";
        }

        private async Task<string> ResubmitAsync()
        {
            var moved = resubmit && import == ImportState.Running
                ? rows.Where(r => r.State == RecordState.Unknown && r.Left > 0).ToList() : [];
            Assert.Equal(moved.Count, await database.Transitions.ResubmittedAsync(id, TimeSpan.Zero, Token));
            foreach (var row in moved) Move(row, RecordState.Pending);
            return "resubmission of what is in doubt";
        }

        private async Task<string> AdoptAsync()
        {
            var number = random.Next(Rows) + 1;
            var row = Of(number);
            // Now and then for an attempt that is not the last.
            var attempt = row.Attempts - random.Next(2);
            var counts = row.State == RecordState.Unknown && attempt == row.Attempts;
            if (counts)
            {
                Move(row, RecordState.Imported);
                row.WasImported = row.IsAdopted = true;
            }
            Assert.Equal(counts ? 1 : 0, await database.AdoptAsync(id, number, (short)attempt, $"adopted{number}"));
            return $"adoption by attempt {attempt} of row {number}";
        }

        private async Task<string> DeleteAsync()
        {
            var number = random.Next(Rows) + 1;
            var row = Of(number);
            // Now and then another asset. An undo leaves what was adopted.
            var rid = random.Next(4) == 0 ? "another" : $"rid{number}";
            var counts = row.State == RecordState.Imported && !row.IsAdopted && rid != "another";
            if (counts)
            {
                Move(row, RecordState.Deleted);
                row.WasImported = false;
            }
            Assert.Equal(counts ? 1 : 0, await database.Transitions.DeletedAsync([new(id, number, new Rid(rid))], Token));
            return $"deletion of asset {rid} of row {number}";
        }

        private async Task<string> PauseOrResumeAsync()
        {
            if (import == ImportState.Paused)
            {
                await new ResumeImport(database.Source).RunAsync(id, "ann", Token);
                import = ImportState.Running;
                return "resume";
            }
            await new PauseImport(database.Source).RunAsync(id, "ann", Token);
            if (import == ImportState.Running) import = ImportState.Paused;
            return "pause";
        }

        private int Lose(int chunk, Lease lease)
        {
            lost.Add(lease);
            leases[chunk] = null;
            var inDoubt = InChunk(chunk).Where(r => r.State == RecordState.Submitting).ToList();
            foreach (var row in inDoubt) Move(row, RecordState.Unknown);
            return inDoubt.Count;
        }

        private void CancelPending()
        {
            foreach (var row in rows.Where(r => r.State == RecordState.Pending)) Move(row, RecordState.Cancelled);
        }

        private Row Of(int number) => rows[number - 1];

        private IEnumerable<Row> InChunk(int chunk) => rows.Skip(chunk * ChunkSize).Take(ChunkSize);

        private void Move(Row row, RecordState to)
        {
            row.State = to;
            Moves++;
        }
    }
}
