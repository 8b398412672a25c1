using System.Diagnostics.Metrics;
using BulkImporter.Telemetry;

namespace BulkImporter.Imports;

/// <summary>
/// What the database says about all imports, as gauges: read from the chunks' counters at most once in an interval, whoever
/// asks for the measures and however often. Every process tells the same numbers, so they are not to be added up over processes.
/// When the database does not answer there are no numbers, rather than old ones.
/// </summary>
public sealed class GaugeImports : BackgroundService
{
    private static readonly string Records = Counted(Chunk.States, "true");

    private static readonly string Differing = Counted(Chunk.Differences, "i.state IN ('running', 'paused')");

    private const string Imports = "SELECT state, count(*) AS count FROM importer.import GROUP BY state";

    private const string Accounts = """
        SELECT a.name, a.state = 'suspended' AS suspended, a.backlog_limit,
            EXISTS (SELECT 1 FROM importer.call_budget b WHERE b.account_id = a.id AND b.blocked_until > now()) AS blocked
        FROM importer.account a
        """;

    // The due chunk that has waited longest although its import and its account run: near zero while there are workers enough.
    private const string Lag = """
        SELECT coalesce(extract(epoch FROM now() - min(c.due_at)), 0)::float8
        FROM importer.import i
        JOIN importer.account a ON a.id = i.account_id AND a.state = 'active'
        JOIN importer.import_chunk c ON c.import_id = i.id AND c.due_at <= now() AND c.state <> 'running'
        WHERE i.state = 'running'
        """;

    private readonly NpgsqlDataSource database;
    private readonly TimeProvider clock;
    private readonly TimeSpan interval;
    private readonly ILogger<GaugeImports> log;
    private volatile Reading? last;

    public GaugeImports(NpgsqlDataSource database, IMeterFactory meters, TimeProvider clock, TimeSpan interval, ILogger<GaugeImports> log)
    {
        (this.database, this.clock, this.interval, this.log) = (database, clock, interval, log);
        var meter = meters.Create(Measures.Source);
        meter.CreateObservableGauge("bulkimporter.records", () => Told(r => r.Records), "{record}", "Records by account and state.");
        meter.CreateObservableGauge("bulkimporter.records.differing", () => Told(r => r.Differing), "{record}",
            "Imported records of running and paused imports where what arrived differs from what was expected.");
        meter.CreateObservableGauge("bulkimporter.imports", () => Told(r => r.Imports), "{import}", "Imports by state.");
        meter.CreateObservableGauge("bulkimporter.backlog.limit", () =>
            Told(r => r.BacklogLimits), "{record}", "Most records of an account that may be submitted and not finished; 0 for no limit.");
        meter.CreateObservableGauge("bulkimporter.account.suspended", () =>
            Told(r => r.Suspended), "{account}", "1 while the account is suspended.");
        meter.CreateObservableGauge("bulkimporter.account.blocked", () =>
            Told(r => r.Blocked), "{account}", "1 while the remote side asks us to wait.");
        meter.CreateObservableGauge("bulkimporter.dispatch.lag", () => last is { } reading ? [new Measurement<double>(reading.LagSeconds)]
            : Array.Empty<Measurement<double>>(), "s", "How long the due chunk that waits longest has waited.");
        meter.CreateObservableGauge("bulkimporter.database.up", () =>
            last is null ? 0 : 1, "{database}", "1 if the last read of the database worked.");
    }

    /// <summary>Reads once. False when the database did not answer.</summary>
    public async Task<bool> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            var records = await database.QueryAsync<RecordCount>(Records, cancellationToken);
            var differing = await database.QueryAsync<RecordCount>(Differing, cancellationToken);
            var imports = await database.QueryAsync<ImportCount>(Imports, cancellationToken);
            var accounts = await database.QueryAsync<AccountGauge>(Accounts, cancellationToken);
            var lag = await database.QueryAsync<double>(Lag, cancellationToken);
            last = new Reading(
                records.ConvertAll(r => Of(r.Count, ("account", r.Account), ("state", r.State))),
                differing.ConvertAll(r => Of(r.Count, ("account", r.Account), ("arrival", r.State))),
                imports.ConvertAll(i => Of(i.Count, ("state", i.State))),
                accounts.ConvertAll(a => Of(a.BacklogLimit, ("account", a.Name))),
                accounts.ConvertAll(a => Of(a.Suspended ? 1 : 0, ("account", a.Name))),
                accounts.ConvertAll(a => Of(a.Blocked ? 1 : 0, ("account", a.Name))), lag[0]);
            return true;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            last = null;
            Log.GaugesNotRead(log, e.Message);
            return false;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            using var timer = new PeriodicTimer(interval, clock);
            do await ReadAsync(stoppingToken);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process ends.
        }
    }

    /// <summary>What the chunks of imports <c>i</c> count, by account and by what is counted.</summary>
    private static string Counted(IReadOnlyList<string> counted, string which) => $"""
        SELECT a.name AS account, s.state, s.n::bigint AS count
        FROM importer.account a
        CROSS JOIN LATERAL (
            SELECT {string.Join(", ", counted.Select(c => $"coalesce(sum(c.{c}_count), 0) AS {c}"))}
            FROM importer.import i JOIN importer.import_chunk c ON c.import_id = i.id WHERE i.account_id = a.id AND {which}
        ) t
        CROSS JOIN LATERAL (VALUES {string.Join(", ", counted.Select(c => $"('{c}', t.{c})"))}) s(state, n)
        """;

    private List<Measurement<long>> Told(Func<Reading, List<Measurement<long>>> which) => last is { } reading ? which(reading) : [];

    private static Measurement<long> Of(long value, params (string Name, string Value)[] labels) =>
        new(value, labels.Select(l => new KeyValuePair<string, object?>(l.Name, l.Value)));

    private sealed record RecordCount(string Account, string State, long Count);

    private sealed record ImportCount(string State, long Count);

    private sealed record AccountGauge(string Name, bool Suspended, int BacklogLimit, bool Blocked);

    private sealed record Reading(
        List<Measurement<long>> Records, List<Measurement<long>> Differing, List<Measurement<long>> Imports,
        List<Measurement<long>> BacklogLimits, List<Measurement<long>> Suspended, List<Measurement<long>> Blocked, double LagSeconds);
}
