using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Npgsql;

namespace BulkImporter.EndToEndTests.Durability;

/// <summary>How long the suite plays: short in CI, in full with <c>BULKIMPORTER_DURABILITY=full</c>.</summary>
internal static class Form
{
    public static bool IsFull { get; } = Environment.GetEnvironmentVariable("BULKIMPORTER_DURABILITY") == "full";

    public static int Of(int shortly, int inFull) => IsFull ? inFull : shortly;

    /// <summary>
    /// Of all that is left to chance: that of <c>BULKIMPORTER_DURABILITY_SEED</c>, or a new one. It is printed, so that it can be played
    /// again.
    /// </summary>
    public static int Seed(ITestOutputHelper output)
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("BULKIMPORTER_DURABILITY_SEED"), out var given)
            ? given : Random.Shared.Next();
        output.WriteLine($"To play it again: BULKIMPORTER_DURABILITY_SEED={seed}");
        return seed;
    }
}

/// <summary>One company for all tests of a class, which play on it one after the other; each with imports of its own.</summary>
public sealed class SharedCompany : IAsyncLifetime
{
    internal Stage Stage { get; } = new();

    internal Company Company { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Company = await Company.FoundAsync(Stage, Company.Brisk, wired: true);

    public ValueTask DisposeAsync() => Stage.DisposeAsync();
}

/// <summary>
/// An external PostgreSQL, a <c>web</c> process, the simulator, and any number of <c>work</c> processes: the set-up of a real installation.
/// Its numbers are watched from the start of an import to its audit, which judges by the simulator's ledger.
/// </summary>
internal sealed class Company : IDisposable
{
    public const int Workers = 2;
    public const int Window = 8;

    /// <summary>What the death of one process can leave in doubt (ARCHITECTURE.md, When something dies).</summary>
    public const int MostInDoubt = 2 * Workers * Window;

    /// <summary>Small chunks, so that there are many leases to lose.</summary>
    public const int ChunkSize = 100;

    /// <summary>A remote side that answers soon, but not so soon that nothing is ever under way.</summary>
    public const string Brisk = """{"latencyMs":[40,160],"statusLatencyMs":0,"importMs":[20,400]}""";

    private static readonly string Small = $"&chunkSize={ChunkSize}";

    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(9);
    public static readonly TimeSpan RunLimit = TimeSpan.FromMinutes(Form.Of(10, 20));

    public static readonly Settings WorkSettings = new()
    {
        ["BulkImporter__Work__Workers"] = $"{Workers}",
        ["BulkImporter__Work__Window"] = $"{Window}",
        ["BulkImporter__Work__LeaseDuration"] = $"{Lease:c}",
    };

    // One statement, one snapshot: what the counters say beside what a count says, and both beside the rows of the manifest. Of an import
    // that was deleted the rows go in steps.
    private const string Miscounted = """
        SELECT coalesce(string_agg(difference, '; '), '') FROM (
            SELECT format('import %s: %s %s counted, %s by the counters', import_id, sum(counted), state, sum(kept)) AS difference FROM (
                SELECT import_id, state, count(*) AS counted, 0 AS kept FROM importer.record_now GROUP BY import_id, state
                UNION ALL
                SELECT c.import_id, s.state, 0, s.kept FROM importer.import_chunk c CROSS JOIN LATERAL (VALUES
                    ('pending', c.pending_count), ('submitting', c.submitting_count), ('submitted', c.submitted_count), ('imported', c.imported_count),
                    ('failed', c.failed_count), ('unknown', c.unknown_count), ('cancelled', c.cancelled_count), ('invalid', c.invalid_count), ('duplicate', c.duplicate_count), ('deleted', c.deleted_count)
                ) s(state, kept)) both_ways
            WHERE import_id NOT IN (SELECT id FROM importer.import WHERE state = 'deleting')
            GROUP BY import_id, state HAVING sum(counted) <> sum(kept)
            UNION ALL
            SELECT format('import %s: %s records of %s rows', i.id, count(r.row_number), i.row_count)
            FROM importer.import i LEFT JOIN importer.import_record r ON r.import_id = i.id
            WHERE i.state NOT IN ('parsing', 'deleting')
            GROUP BY i.id HAVING count(r.row_number) IS DISTINCT FROM i.row_count) differences
        """;

    private readonly Stage stage;
    private readonly string database;
    private readonly Wire? wire;
    private readonly ConcurrentDictionary<int, Watch> watches = new();
    private readonly List<Deleted> deleted = [];
    private int imports;

    private Company(
        Stage stage, PrivateCluster postgres, string database, SimulatedCincopa cincopa, Wire? wire, RunningProgram web, ImporterApi api) =>
        (this.stage, Postgres, this.database, Cincopa, this.wire, Web, Api) = (stage, postgres, database, cincopa, wire, web, api);

    public PrivateCluster Postgres { get; }

    public SimulatedCincopa Cincopa { get; }

    /// <summary>The way to the simulator, for a company that is wired.</summary>
    public Wire ToCincopa => wire ?? throw new InvalidOperationException("This company calls the simulator directly.");

    public RunningProgram Web { get; }

    public ImporterApi Api { get; }

    /// <summary>Records that were imported, or are unknown, in imports that were deleted since.</summary>
    public int DeletedRecords => deleted.Sum(d => d.Records.Count);

    /// <param name="stage">Where it plays.</param>
    /// <param name="behaviour">The simulator's, in its own JSON.</param>
    /// <param name="wired">Whether its processes call the simulator by way of <see cref="ToCincopa"/>.</param>
    /// <param name="postgresSettings">More of the database server's command line.</param>
    /// <param name="address">The simulator's, of this machine.</param>
    /// <param name="door">The port by which all its processes reach the database, when it is not the server's own.</param>
    public static async Task<Company> FoundAsync(
        Stage stage, string behaviour, bool wired = false, string postgresSettings = "", string address = "127.0.0.1",
        Func<PrivateCluster, Task<int>>? door = null)
    {
        var simulator = stage.StartSimulatorAsync(address);
        var postgres = await stage.StartPostgresAsync(postgresSettings);
        var cincopa = await simulator;
        await cincopa.BehaveAsync(behaviour);
        var wire = wired ? stage.Kept(new Wire(new Uri(cincopa.Address).Port)) : null;
        var database = door is null ? postgres.ConnectionString : postgres.ThroughPort(await door(postgres));
        var (web, api) = await stage.WebAsync(wire is null ? cincopa.ApiAddress : $"http://127.0.0.1:{wire.Port}/v2/", database);
        await api.LiftLimitsAsync();
        return stage.Kept(new Company(stage, postgres, database, cincopa, wire, web, api));
    }

    /// <summary>Nobody watches any more what a failed test left.</summary>
    public void Dispose()
    {
        foreach (var watch in watches.Values) watch.Stop();
    }

    public Task<RunningProgram> HireAsync() => HireAsync([]);

    public Task<RunningProgram> HireAsync(Settings settings, int? databasePort = null) =>
        stage.WorkAsync(databasePort is { } port ? Postgres.ThroughPort(port) : database, settings.With(WorkSettings));

    /// <inheritdoc cref="Stage.WorkAsync"/>
    public Task<RunningProgram> HireAsync(string connectionString, string host, string[] within) =>
        stage.WorkAsync(connectionString, WorkSettings, host, within);

    public Task<RunningProgram[]> HireAsync(int count, Settings? settings = null) =>
        Task.WhenAll(Enumerable.Range(0, count).Select(_ => HireAsync(settings ?? [])));

    /// <summary>A manifest whose addresses, and file names, no other manifest of this company holds.</summary>
    public string Manifest(int rows)
    {
        var number = Interlocked.Increment(ref imports);
        var manifest = new StringBuilder("url,caption\n");
        for (var row = 1; row <= rows; row++)
            manifest.Append(CultureInfo.InvariantCulture,
                $"https://media.example.com/library-{number}/clip-{number}-{row:0000000}.mp4,Clip {row}\n");
        return manifest.ToString();
    }

    /// <summary>Starts an import and watches its numbers until <see cref="AuditAsync"/>.</summary>
    /// <param name="rows">All of them good.</param>
    /// <param name="query">More of the upload's query, as in <c>&amp;priority=1</c>.</param>
    public Task<int> ImportAsync(int rows, string query = "") => ImportAsync(Manifest(rows), query);

    /// <inheritdoc cref="ImportAsync(int, string)"/>
    public async Task<int> ImportAsync(string manifest, string query = "") => Watched(await Api.StartAsync(manifest, Small + query));

    /// <summary>Makes an import that only waits for its start, and watches it likewise.</summary>
    public async Task<int> ReviewAsync(int rows, string query = "")
    {
        var id = Watched(await Api.UploadAsync(Manifest(rows), Small + query));
        await Api.UntilAsync(id, import => import.State == "review", RunLimit);
        return id;
    }

    /// <summary>Empty when every counter is exact.</summary>
    public Task<string> MiscountedAsync() => Postgres.AskAsync<string>(Miscounted);

    /// <summary>The addresses of an import's records in a state, in the order of their rows.</summary>
    public Task<List<string>> UrlsAsync(int id, string state) => Postgres.ReadAsync(
        $"SELECT source_url FROM importer.record_now WHERE import_id = {id} AND state = '{state}' ORDER BY row_number", r =>
            r.GetString(0));

    /// <summary>
    /// What a dead worker left is taken back within its lease and 15 s, by whoever lives: no lease is its, and nothing is being submitted
    /// without one.
    /// </summary>
    public Task RecoveredAsync(RunningProgram dead) =>
        Wait.UntilAsync(Lease + TimeSpan.FromSeconds(15), $"nothing is left in the hands of {dead.Id}", () => Postgres.AskAsync<bool>($"""
            SELECT NOT EXISTS (
                SELECT 1 FROM importer.import_chunk
                WHERE split_part(lease_owner, ':', 2) = '{dead.Id}' OR (lease_owner IS NULL AND submitting_count > 0))
            """));

    /// <summary>Deletes an import that has ended, and remembers for the audit what it was.</summary>
    public async Task DeleteAsync(int id)
    {
        var records = await Api.RecordsAsync(id);
        Assert.Equal((await Api.ImportAsync(id)).Rows, records.Count);
        var attempts = await AttemptsAsync($"i.id = {id}");
        await Api.DeleteAsync(id);
        deleted.Add(new(records, attempts));
    }

    /// <summary>
    /// The ended import against the ledger: every number true at every look and now, every record at its end, every imported record by a
    /// call of its own and with the asset of its own source, and the whole ledger explained by attempts. Returns the records that are
    /// unknown.
    /// </summary>
    public async Task<IReadOnlyList<RecordBody>> AuditAsync(int id, int rows)
    {
        Assert.True(watches.TryRemove(id, out var watch), $"Nobody watched import {id}.");
        Assert.InRange(await watch.EndAsync(), 2, int.MaxValue);
        var import = await Api.ImportAsync(id);
        Assert.True(import.State is "finished" or "cancelled"
            && import.Counts.Imported + import.Counts.Unknown + import.Counts.Cancelled == rows, $"{import}");
        Assert.Equal("", await MiscountedAsync());
        var records = await Api.RecordsAsync(id);
        Assert.Equal(rows, records.Count);
        return await JudgeAsync(records);
    }

    /// <summary>
    /// The same for all imports that there are and were, with one look at a ledger that is long by then. Nobody watched them.
    /// </summary>
    public async Task<IReadOnlyList<RecordBody>> AuditAllAsync()
    {
        Assert.Equal("", await MiscountedAsync());
        var records = deleted.SelectMany(d => d.Records).ToList();
        foreach (var id in await Postgres.ReadAsync("SELECT id FROM importer.import", r => r.GetInt32(0)))
            records.AddRange(await Api.RecordsAsync(id));
        return await JudgeAsync(records);
    }

    /// <summary>
    /// Every submit call of the ledger belongs to one attempt, and every attempt that has an answer to one call. A source was called for
    /// again only after a clear refusal, or after doubt where the import's setting prefers a duplicate to a gap. Returns the calls by
    /// source.
    /// </summary>
    public async Task<ILookup<string, LedgerCall>> AuditLedgerAsync()
    {
        var calls = (await Cincopa.SubmitsAsync()).ToLookup(c => c.Input!);
        var attempts = deleted.SelectMany(d => d.Attempts).Concat(await AttemptsAsync("i.state <> 'deleting'")).ToLookup(a => a.Url);
        Assert.All(calls, sent => Assert.True(attempts.Contains(sent.Key), $"{sent.Key} was sent and is no record's."));
        foreach (var record in attempts)
            new Match(record.Key, [.. record.Select(a => a.Attempt).OfType<Attempt>()], [.. calls[record.Key]])
                .Judge(record.First().Resubmits);
        return calls;
    }

    /// <summary>Each record against the calls for its source, and its asset. Returns the records that are unknown.</summary>
    private async Task<IReadOnlyList<RecordBody>> JudgeAsync(IReadOnlyList<RecordBody> records)
    {
        var calls = await AuditLedgerAsync();
        Assert.Equal(records.Count, records.Select(r => r.Url).Distinct().Count());
        Assert.DoesNotContain(records, r => r.PossiblyDuplicated);
        foreach (var record in records)
        {
            // An asset that was found for a record in doubt came without a status_id, perhaps of an earlier call than the last.
            var its = calls[record.Url!].LastOrDefault(c => record.StatusId is not null || c.Accepted);
            Assert.True(record.State is "unknown" or "cancelled"
                || (its is { Accepted: true } && (record.StatusId ?? its.StatusId) == its.StatusId && record.Rid is not null),
                    $"{record} is not of the call {its}");
        }

        var imported = records.Where(r => r.State == "imported").ToList();
        var sources = (await Cincopa.AssetsAsync()).ToDictionary(a => a.Rid, a => a.Input);
        Assert.All(imported, r => Assert.Equal(r.Url, sources[r.Rid!]));
        Assert.Equal(imported.Count, imported.Select(r => r.Rid).Distinct().Count());
        return [.. records.Where(r => r.State == "unknown")];
    }

    private Task<List<Tried>> AttemptsAsync(string imports) => Postgres.ReadAsync($"""
        SELECT r.source_url, i.when_unknown = 'resubmit', t.number, t.outcome, t.status_id, t.started_at
        FROM importer.import_record r JOIN importer.import i ON i.id = r.import_id
        LEFT JOIN importer.attempt_now t ON t.import_id = r.import_id AND t.row_number = r.row_number
        WHERE r.source_url IS NOT NULL AND {imports}
        ORDER BY r.import_id, r.row_number, t.number
        """, r => new Tried(r.GetString(0), r.GetBoolean(1), Attempt.Read(r)));

    private int Watched(int id)
    {
        watches[id] = new Watch(this, id);
        return id;
    }

    /// <summary>What an import was that is not there any more.</summary>
    private sealed record Deleted(IReadOnlyList<RecordBody> Records, IReadOnlyList<Tried> Attempts);

    /// <summary>An attempt of a source; none for a record that was never tried.</summary>
    private sealed record Tried(string Url, bool Resubmits, Attempt? Attempt);

    /// <summary>An attempt as its row tells it.</summary>
    private sealed record Attempt(short Number, string? Outcome, string? StatusId, DateTime StartedAt)
    {
        /// <summary>Nothing left: the worker stopped in time, or nobody listened.</summary>
        public bool NeverLeft => Outcome is "not_sent" or "api_unreachable";

        /// <summary>A call may have arrived or not; nobody will know.</summary>
        public bool InDoubt => StatusId is null && Outcome is "worker_lost" or "reply_lost" or "reply_timeout" or "reply_unreadable"
            or "reconciled";

        /// <summary>Null for a record that was never tried.</summary>
        public static Attempt? Read(NpgsqlDataReader row) => row.IsDBNull(2) ? null
            : new(row.GetInt16(2), row.IsDBNull(3) ? null : row.GetString(3), row.IsDBNull(4)
                ? null : row.GetString(4), row.GetDateTime(5));
    }

    /// <summary>The attempts of one record beside the calls with its source.</summary>
    private sealed record Match(string Url, List<Attempt> Attempts, List<LedgerCall> Calls)
    {
        // The simulator counts on from one look at the clock, the database looks each time.
        private static readonly TimeSpan ClocksDiffer = TimeSpan.FromMilliseconds(500);

        public void Judge(bool resubmits)
        {
            var next = 0;
            for (var i = 0; i < Attempts.Count; i++)
            {
                var attempt = Attempts[i];
                True(attempt.Outcome is not null, $"attempt {attempt.Number} has no end");
                if (attempt.NeverLeft) continue;

                var call = Calls.ElementAtOrDefault(next);
                var later = Attempts.ElementAtOrDefault(i + 1);
                // A call is made after its attempt has begun and before the next one has; long before it, when the next one waited for the
                // doubt.
                var its = call is not null && call.At.UtcDateTime > attempt.StartedAt - ClocksDiffer
                    && (later is null || call.At.UtcDateTime < later.StartedAt + (attempt.InDoubt ? -ClocksDiffer : ClocksDiffer));
                if (its) next++;
                if (attempt.InDoubt)
                {
                    True(later is null || resubmits, $"after attempt {attempt.Number}, which is in doubt, there was another");
                    continue;
                }

                True(its, $"attempt {attempt.Number} has an answer and no call");
                True(attempt.StatusId == (call!.Accepted ? call.StatusId : null),
                    $"attempt {attempt.Number} has not the answer of its call");
                True(later is null || !call.Accepted, $"after attempt {attempt.Number}, which was accepted, there was another");
            }

            True(next == Calls.Count, "there are calls without an attempt");
        }

        private void True(bool condition, string complaint) =>
            Assert.True(condition, $"{Url}: {complaint}.\n{string.Join('\n', Attempts)}\n{string.Join('\n', Calls)}");
    }

    /// <summary>Looks at the numbers again and again; every look must be true.</summary>
    private sealed class Watch
    {
        private readonly Task<int> looking;
        private volatile bool ended;

        public Watch(Company company, int id) => looking = LookAsync(company, id);

        public void Stop() => ended = true;

        /// <summary>Returns how many looks there were.</summary>
        public Task<int> EndAsync()
        {
            Stop();
            return looking;
        }

        private async Task<int> LookAsync(Company company, int id)
        {
            for (var looks = 0; ;)
            {
                try
                {
                    Assert.Equal("", await company.MiscountedAsync());
                    if (await company.Api.ImportAsync(id) is { State: not "parsing" } import)
                        Assert.Equal(import.Rows, import.Counts.Total);
                    looks++;
                }
                catch (Exception away) when (away is NpgsqlException or HttpRequestException or TaskCanceledException)
                {
                    // The test takes the database away now and then; what is not answered is not false.
                }

                if (ended) return looks;
                await Task.Delay(TimeSpan.FromMilliseconds(300));
            }
        }
    }
}
