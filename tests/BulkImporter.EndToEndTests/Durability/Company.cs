using System.Globalization;
using System.Text;
using Npgsql;

namespace BulkImporter.EndToEndTests.Durability;

/// <summary>How long the suite plays: short in CI, in full with <c>BULKIMPORTER_DURABILITY=full</c>.</summary>
internal static class Form
{
    public static bool IsFull { get; } = Environment.GetEnvironmentVariable("BULKIMPORTER_DURABILITY") == "full";

    public static int Of(int shortly, int inFull) => IsFull ? inFull : shortly;
}

/// <summary>An external PostgreSQL, a <c>web</c> process, the simulator, and any number of <c>work</c> processes: the set-up of a real installation.</summary>
internal sealed class Company
{
    public const int Workers = 2;
    public const int Window = 8;

    /// <summary>Design, section 3: what the death of one process can leave in doubt.</summary>
    public const int MostInDoubt = 2 * Workers * Window;

    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(9);
    public static readonly TimeSpan RunLimit = TimeSpan.FromMinutes(Form.Of(5, 20));

    public static readonly Settings WorkSettings = new()
    {
        ["BulkImporter__Dispatch__Workers"] = $"{Workers}",
        ["BulkImporter__Dispatch__Window"] = $"{Window}",
        ["BulkImporter__Dispatch__LeaseDuration"] = $"{Lease:c}",
        ["BulkImporter__Dispatch__LeaseRenewal"] = $"{Lease / 3:c}",
        ["BulkImporter__Dispatch__RequeueAfter"] = "00:00:10",
        ["BulkImporter__Status__ShortestInterval"] = "00:00:01",
        ["BulkImporter__Status__ClaimFor"] = "00:00:10",
    };

    // One statement, one snapshot: what the counters say beside what a count says.
    private const string Miscounted = """
        SELECT coalesce(string_agg(format('%s: %s counted, %s by the counters', state, counted, kept), '; '), '') FROM (
            SELECT state, sum(counted) AS counted, sum(kept) AS kept FROM (
                SELECT state, count(*) AS counted, 0 AS kept FROM importer.import_record GROUP BY state
                UNION ALL
                SELECT s.state, 0, s.kept FROM importer.import_chunk c CROSS JOIN LATERAL (VALUES
                    ('pending', c.pending_count), ('submitting', c.submitting_count), ('submitted', c.submitted_count), ('imported', c.imported_count),
                    ('failed', c.failed_count), ('unknown', c.unknown_count), ('cancelled', c.cancelled_count), ('invalid', c.invalid_count), ('duplicate', c.duplicate_count)
                ) s(state, kept)) both_ways
            GROUP BY state HAVING sum(counted) <> sum(kept)) differences
        """;

    private readonly Stage stage;

    private Company(Stage stage, PrivateCluster postgres, SimulatedCincopa cincopa, ImporterApi api) => (this.stage, Postgres, Cincopa, Api) = (stage, postgres, cincopa, api);

    public PrivateCluster Postgres { get; }

    public SimulatedCincopa Cincopa { get; }

    public ImporterApi Api { get; }

    /// <param name="cincopaPort">Where the processes look for Cincopa when that is not the simulator itself but a proxy before it.</param>
    public static async Task<Company> FoundAsync(Stage stage, string behaviour, Func<SimulatedCincopa, int>? cincopaPort = null)
    {
        var simulator = stage.StartSimulatorAsync();
        var postgres = await stage.StartPostgresAsync();
        await stage.MigrateAsync(postgres.ConnectionString);
        var cincopa = await simulator;
        await cincopa.BehaveAsync(behaviour);
        var (_, api) = await stage.WebAsync(cincopaPort is null ? cincopa.ApiAddress : $"http://127.0.0.1:{cincopaPort(cincopa)}/v2/", postgres.ConnectionString);
        await api.LiftLimitsAsync();
        return new(stage, postgres, cincopa, api);
    }

    public Task<RunningProgram> HireAsync() => HireAsync([]);

    public Task<RunningProgram> HireAsync(Settings settings, int? databasePort = null) =>
        stage.WorkAsync(databasePort is { } port ? Postgres.ThroughPort(port) : Postgres.ConnectionString, settings.With(WorkSettings));

    public Task<RunningProgram[]> HireAsync(int count, Settings? settings = null) => Task.WhenAll(Enumerable.Range(0, count).Select(_ => HireAsync(settings ?? [])));

    public Task<int> ImportAsync(int rows)
    {
        var manifest = new StringBuilder("url,caption\n");
        for (var row = 1; row <= rows; row++) manifest.Append(CultureInfo.InvariantCulture, $"{Url(row)},Clip {row}\n");
        // Small chunks, so that there are many leases to lose.
        return Api.StartAsync(manifest.ToString(), "&chunkSize=100");
    }

    public static string Url(int row) => string.Create(CultureInfo.InvariantCulture, $"https://media.example.com/library/clip-{row:0000000}.mp4");

    /// <summary>Empty when every counter is exact.</summary>
    public Task<string> MiscountedAsync() => Postgres.AskAsync<string>(Miscounted);

    /// <summary>Looks at the numbers again and again until it is told to stop; every look must be true. Answers how many looks there were.</summary>
    public async Task<int> WatchNumbersAsync(int id, CancellationToken stop)
    {
        for (var looks = 0; ; looks++)
        {
            try
            {
                Assert.Equal("", await MiscountedAsync());
                if (await Api.ImportAsync(id) is { State: not "parsing" } import) Assert.Equal(import.Rows, import.Counts.Total);
            }
            catch (Exception away) when (away is NpgsqlException or HttpRequestException or TaskCanceledException)
            {
                // The test takes the database away now and then; what is not answered is not false.
            }

            if (stop.IsCancellationRequested) return looks;
            await Task.Delay(TimeSpan.FromMilliseconds(300), CancellationToken.None);
        }
    }

    /// <summary>
    /// The finished import against the ledger: every record at its end, every submit call known as an attempt, no source sent twice
    /// (the policy is hold), every imported record by its own call. Answers the records that are unknown.
    /// </summary>
    public async Task<IReadOnlyList<RecordBody>> AuditAsync(int id, int rows)
    {
        var import = await Api.ImportAsync(id);
        Assert.True(import.State == "finished" && import.Counts.Imported + import.Counts.Unknown == rows, $"{import}");
        Assert.Equal("", await MiscountedAsync());

        var summary = await Cincopa.SummaryAsync();
        Assert.Equal(0, summary.InputsAcceptedMoreThanOnce);
        var records = (await Api.RecordsAsync(id)).ToDictionary(r => r.Url!);
        Assert.Equal(rows, records.Count);
        Assert.DoesNotContain(records.Values, r => r.PossiblyDuplicated);
        var calls = (await Cincopa.SubmitsAsync()).ToLookup(c => c.Input!);
        foreach (var sent in calls)
        {
            var record = records[sent.Key];
            // A call that was clearly refused may be followed by another; one that may have been accepted may not.
            Assert.True(sent.SkipLast(1).All(c => c.Outcome is "token_rejected" or "permission_missing" or "rate_limited"), $"{record} was sent twice: {string.Join("; ", sent)}");
            Assert.InRange(sent.Count(), 1, record.Attempts);
            Assert.True(record.State == "unknown" || record.StatusId == sent.Last().StatusId, $"{record} is not of the call {sent.Last()}");
        }

        var imported = records.Values.Where(r => r.State == "imported").ToList();
        Assert.All(imported, r => Assert.True(r.Rid is not null && calls.Contains(r.Url!), $"{r} was imported without a call"));
        Assert.Equal(imported.Count, imported.Select(r => r.Rid).Distinct().Count());
        return [.. records.Values.Where(r => r.State == "unknown")];
    }
}
