using System.Diagnostics;
using System.Globalization;
using System.Net;
using Npgsql;

namespace BulkImporter.EndToEndTests.Durability;

/// <summary>
/// Everything at once and for long: three workers at a steady load, faults in every kind of call, a kill each minute, a database that stops
/// twice. Nothing is lost, nothing is there twice, and nothing grows. A minute of it in CI, in full with
/// <c>BULKIMPORTER_SOAK_MINUTES=30</c>.
/// </summary>
[Trait("Category", "Soak")]
public sealed class SoakTests(ITestOutputHelper output) : IAsyncDisposable
{
    /// <summary>
    /// Records per second, far below what the machine can do: what grows is to be seen, and not who is short of a processor.
    /// </summary>
    private const int Rate = 100;

    private const int Rows = 500;

    /// <summary>What is smaller may grow: a few pages more of a table with a few rows say nothing.</summary>
    private const double Small = 0.5;

    /// <summary>Only then has autovacuum, which looks around once a minute, been there often enough to be judged.</summary>
    private static readonly TimeSpan LongEnough = TimeSpan.FromMinutes(15);

    /// <summary>No answer of a worker comes so late. An import that ended before that stays as it is.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(30);

    /// <summary>After the database is back, until every connection of every pool has found that it is a dead one.</summary>
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(20);

    private static readonly int? Minutes =
        int.TryParse(Environment.GetEnvironmentVariable("BULKIMPORTER_SOAK_MINUTES"), CultureInfo.InvariantCulture, out var minutes)
            ? minutes : null;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(Minutes ?? 1);

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(10);

    // What is in doubt is looked for and sent again within the run, and not looked for through all of it.
    private static readonly Settings Impatient = new()
    {
        ["BulkImporter__Work__RetryCap"] = "00:00:05",
        ["BulkImporter__Work__LookAfter"] = "00:00:05",
    };

    /// <summary>Tables whose rows change, or come and go; with as many rows at the end as after a third of the time.</summary>
    private static readonly string[] Churned =
    [
        "importer.import", "importer.import_chunk", "importer.import_record", "importer.attempt", "importer.status_poll", "importer.work_batch",
        "importer.chunk_failure", "importer.chunk_host", "importer.call_budget",
        "hangfire.jobqueue", "hangfire.lock", "hangfire.counter", "hangfire.server",
    ];

    /// <summary>Tables that keep the ended jobs for hours: only a row of theirs must not become larger.</summary>
    private static readonly string[] Jobs = ["hangfire.job", "hangfire.jobparameter", "hangfire.state"];

    private static readonly string ReadTables = string.Join(" UNION ALL ", Churned.Concat(Jobs).Select(table => $"""
        SELECT '{table}', pg_total_relation_size('{table}'), (SELECT count(*) FROM {table}), n_dead_tup, autovacuum_count
        FROM pg_stat_user_tables WHERE relid = '{table}'::regclass
        """));

    private static readonly Figure Load = new("records ended per second", l => l.Rate);

    private static readonly Figure[] Figures =
    [
        Load,
        new("the worker that is never killed, MB", l => l.WorkerMegabytes, 1.25),
        new("web, MB", l => l.WebMegabytes, 1.25),
        .. Churned.Select(table => new Figure($"{table}, MB", l => l.Tables[table].Bytes / 1e6, 1.4, Small, FollowsLoad: true)),
        .. Jobs.Select(table =>
            new Figure($"{table}, bytes per row", l => (double)l.Tables[table].Bytes / Math.Max(1, l.Tables[table].Rows), 1.25)),
        new("dead rows in these tables", l => l.Dead),
    ];

    private readonly Stage stage = new();

    /// <summary>Imports that have to be there at the end. There may be others, of uploads that were not answered.</summary>
    private readonly HashSet<int> kept = [];

    private readonly List<int> running = [];
    private readonly Queue<(int Id, TimeSpan At)> ended = new();
    private readonly List<Look> looks = [];
    private readonly Stopwatch clock = new();
    private Company company = null!;
    private Task<RunningProgram>[] workers = [];
    private TimeSpan databaseBackAt = -Recovery;
    private int kills;
    private int uploads;

    private bool MayBeAway => clock.Elapsed < databaseBackAt + Recovery;

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task Faults_kills_and_restarts_of_the_database_lose_nothing_double_nothing_and_nothing_grows()
    {
        var seed = Form.Seed(output);
        var random = new Random(seed);
        company = await Company.FoundAsync(stage, Faulty(seed));
        await company.Api.ChangeAccountAsync(new { rate = Rate });
        workers = [.. (await company.HireAsync(3, Impatient)).Select(Task.FromResult)];

        await PlayAsync(random);
        await Task.WhenAll(workers);
        await Wait.UntilAsync(TimeSpan.FromMinutes(10), "every import has ended, and what was deleted is gone", () =>
            company.Postgres.AskAsync<bool>("SELECT NOT EXISTS (SELECT 1 FROM importer.import WHERE state <> 'finished')"));
        Assert.False((await workers[0]).HasExited || company.Web.HasExited);
        Assert.Subset((await company.Postgres.ReadAsync("SELECT id FROM importer.import", r => r.GetInt32(0))).ToHashSet(), kept);
        var grown = Summed();

        var doubts = (await company.AuditAllAsync()).Select(r => r.Error!.Code).CountBy(code => code).ToDictionary();
        output.WriteLine(
            $"{uploads} imports of {Rows} records, {company.DeletedRecords} of these deleted, {kills} kills; in doubt for good: "
                + $"{string.Join(", ", doubts.Select(d => $"{d.Value} {d.Key}"))}.");
        Assert.Subset(new HashSet<string> { "worker_lost", "reply_lost", "reply_unreadable" }, doubts.Keys.ToHashSet());
        Assert.InRange(doubts.GetValueOrDefault("worker_lost"), 0, kills * Company.MostInDoubt);
        if (Window >= LongEnough) Assert.Empty(grown);
    }

    /// <summary>About one submit call in thirty, and fewer of those that make all workers wait.</summary>
    private static string Faulty(int seed) => $$"""
        {
          "seed": {{seed}}, "latencyMs": [40, 160], "statusLatencyMs": 0, "importMs": [20, 400], "rules": [
            { "on": "submit", "fault": "unavailable", "share": 0.015 },
            { "on": "submit", "fault": "rate_limited", "share": 0.002 },
            { "on": "submit", "fault": "reply_lost", "share": 0.004 },
            { "on": "submit", "fault": "reply_cut", "share": 0.002 },
            { "on": "submit", "fault": "bad_gateway", "commits": true, "share": 0.002 },
            { "on": "submit", "fault": "bad_gateway", "share": 0.002 },
            { "on": "submit", "fault": "reset", "share": 0.002 },
            { "on": "status", "fault": "unavailable", "share": 0.0005 },
            { "on": "status", "fault": "bad_gateway", "share": 0.0003 },
            { "on": "status", "fault": "reset", "share": 0.0003 }]
        }
        """;

    private async Task PlayAsync(Random random)
    {
        var kill = Minutes ?? 2;
        var killsAt = new Queue<TimeSpan>(Enumerable.Range(0, kill).Select(k => Window / kill * (k + random.NextDouble())));
        var stopsAt = new Queue<TimeSpan>(Minutes is null ? [Window / 2] : [Window / 3, Window * 2 / 3]);
        clock.Start();
        // On a machine with much else to do some of it comes late, and all of it comes.
        while (clock.Elapsed < Window || killsAt.Count + stopsAt.Count > 0 || looks.Count < Window / BetweenLooks)
        {
            if (IsTime(killsAt)) await KillAsync(random.Next(1, workers.Length));
            // The last time as in a crash.
            if (IsTime(stopsAt)) await RestartDatabaseAsync(now: stopsAt.Count == 0);
            try
            {
                await FeedAsync();
                await DeleteAsync();
                if (clock.Elapsed >= BetweenLooks * (looks.Count + 1)) await LookAsync();
            }
            catch (Exception away) when (MayBeAway && away is NpgsqlException or HttpRequestException or TaskCanceledException)
            {
                // Asked again in a second. An upload that was not answered is an import all the same, and is audited like the others.
            }

            await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Once for each of the times.</summary>
    private bool IsTime(Queue<TimeSpan> times) => times.TryPeek(out var next) && next <= clock.Elapsed && times.TryDequeue(out _);

    /// <summary>The first worker is never a victim, so that its memory tells something.</summary>
    private async Task KillAsync(int victim)
    {
        (await workers[victim]).Kill();
        kills++;
        workers[victim] = company.HireAsync(Impatient);
    }

    private async Task RestartDatabaseAsync(bool now)
    {
        // A worker that comes up looks for its database, and this is not about that.
        await Task.WhenAll(workers);
        await (now ? company.Postgres.StopNowAsync() : company.Postgres.StopAsync());
        await company.Postgres.StartAsync();
        databaseBackAt = clock.Elapsed;
    }

    /// <summary>There is always something to send, of imports with either setting for what is in doubt.</summary>
    private async Task FeedAsync()
    {
        var waiting = 0;
        foreach (var id in running.ToList())
        {
            var import = await company.Api.ImportAsync(id);
            if (import.State != "finished")
            {
                waiting += import.State == "parsing" ? Rows : import.Counts.Pending;
                continue;
            }

            running.Remove(id);
            ended.Enqueue((id, clock.Elapsed));
        }

        if (waiting >= Rows) return;
        var started = await company.Api.StartAsync(company.Manifest(Rows),
            $"&chunkSize={Company.ChunkSize}&maxAttempts=20&whenUnknown={(uploads++ % 2 == 0 ? "hold" : "resubmit")}");
        kept.Add(started);
        running.Add(started);
    }

    /// <summary>
    /// What ended in the first third stays, what ends later is deleted: from then on there are as many rows as before, and dead ones whose
    /// room has to be used again.
    /// </summary>
    private async Task DeleteAsync()
    {
        // An order that is not answered may have been carried out. Here it must be known which.
        if (MayBeAway || !ended.TryPeek(out var oldest) || oldest.At + Settled > clock.Elapsed) return;
        if (oldest.At > Window / 3)
        {
            try
            {
                await company.DeleteAsync(oldest.Id);
            }
            catch (HttpRequestException refused) when (refused.StatusCode == HttpStatusCode.Conflict)
            {
                // An asset that was adopted after the end is still followed, and is waited for: this import is asked for again at the next
                // look.
                return;
            }
            kept.Remove(oldest.Id);
        }
        ended.Dequeue();
    }

    private async Task LookAsync()
    {
        Assert.Equal("", await company.MiscountedAsync());
        var tables = await company.Postgres.ReadAsync(ReadTables, r =>
            (Name: r.GetString(0), Table: new Table(r.GetInt64(1), r.GetInt64(2), r.GetInt64(3), r.GetInt64(4))));
        var (records, unknown) = (await company.Postgres.ReadAsync("""
            SELECT coalesce(sum(imported_count + unknown_count), 0), coalesce(sum(unknown_count), 0)
            FROM importer.import_chunk c JOIN importer.import i ON i.id = c.import_id WHERE i.state <> 'deleting'
            """, r => (r.GetInt64(0), r.GetInt64(1)))).Single();
        var (at, all) = (clock.Elapsed, records + company.DeletedRecords);
        var rate = looks is [.., var last] ? (all - last.Ended) / (at - last.At).TotalSeconds : all / at.TotalSeconds;
        var look = new Look(at, all, rate, (await workers[0]).Memory / 1e6, company.Web.Memory / 1e6,
            tables.ToDictionary(t => t.Name, t => t.Table));
        looks.Add(look);
        output.WriteLine(
            $"{at.TotalMinutes:0.0} min: {all} records ended, {rate:0}/s, {unknown} unknown; worker {look.WorkerMegabytes:0} MB, web "
                + $"{look.WebMegabytes:0} MB; tables {look.Tables.Values.Sum(t => t.Bytes) / 1e6:0.0} MB, {look.Dead} dead rows; {kills} "
                    + "kills");
    }

    /// <summary>Prints the figures as a table for the notes, and answers those that grew.</summary>
    private List<string> Summed()
    {
        var grown = new List<string>();
        // On a machine that has something else to do for a while the load is another afterwards, and with it the number of rows on their
        // way.
        var busier = Math.Max(1, Thirds(Load)[2] / Thirds(Load)[1]);
        output.WriteLine("| median in the | first third | second | last | may be times the second |");
        output.WriteLine("| --- | --- | --- | --- | --- |");
        foreach (var figure in Figures)
        {
            var thirds = Thirds(figure);
            var line = string.Create(CultureInfo.InvariantCulture,
                $"| {figure.Name} | {thirds[0]:0.##} | {thirds[1]:0.##} | {thirds[2]:0.##} | {figure.Most} |");
            output.WriteLine(line);
            if (figure.Most is { } most && thirds[2] > Math.Max(figure.Small, most * (figure.FollowsLoad ? busier : 1) * thirds[1]))
                grown.Add(line);
        }

        output.WriteLine(
            $"Autovacuum came {string.Join(", ", Churned.Concat(Jobs).Select(table => $"{Vacuums(table)} times to {table}"))}.");
        return grown;
    }

    private List<double> Thirds(Figure figure) =>
        [.. looks.Index().GroupBy(l => 3 * l.Index / looks.Count, l => figure.Of(l.Item))
            .Select(third => third.Order().ElementAt(third.Count() / 2))];

    /// <summary>A server that crashed counts from 0 again.</summary>
    private long Vacuums(string table) => looks.Select(l => l.Tables[table].Vacuums)
        .Aggregate((Sum: 0L, Last: 0L), (all, next) => (all.Sum + (next < all.Last ? next : next - all.Last), next)).Sum;

    private sealed record Table(long Bytes, long Rows, long Dead, long Vacuums);

    private sealed record Look(
        TimeSpan At, long Ended, double Rate, double WorkerMegabytes, double WebMegabytes, IReadOnlyDictionary<string, Table> Tables)
    {
        public long Dead => Tables.Values.Sum(t => t.Dead);
    }

    /// <param name="Most">How many times the median of the second third that of the last may be; null when it is only told.</param>
    /// <param name="Small">Up to this it may be anything.</param>
    /// <param name="FollowsLoad">It is larger when more records end in a second.</param>
    private sealed record Figure(string Name, Func<Look, double> Of, double? Most = null, double Small = 0, bool FollowsLoad = false);
}
