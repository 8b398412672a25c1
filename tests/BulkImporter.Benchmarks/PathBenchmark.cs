using System.Globalization;
using BulkImporter.Accounts;
using BulkImporter.Imports;

namespace BulkImporter.Benchmarks;

/// <summary>
/// What a person waits for: one <c>serve</c>, a manifest that is uploaded, started and finished, beside the bare loop that makes the same
/// calls with as many in flight. The account has no limits. The product's time is the database's, from the start to the import's end.
/// </summary>
internal sealed class PathBenchmark(Bench bench, ResultTable table)
{
    private const int SlowMs = 35;

    private int InFlight => bench.Options.Workers * bench.Options.Window;

    public async Task RunAsync()
    {
        await using var server = await bench.StartServerAsync("serve",
            ("BulkImporter__Work__Workers", $"{bench.Options.Workers}"), ("BulkImporter__Work__Window", $"{bench.Options.Window}"));

        // Both are compiled and warm before they are measured.
        await RunAsync(server, new Variant(4_000, 0, Captions: true), "warm");
        await BareLoop.PathSecondsAsync(bench.SimulatorAddress, 4_000, InFlight, captions: true);

        foreach (var captions in new[] { false, true })
        {
            var costs = new List<double>();
            foreach (var rows in bench.Options.PathRows) costs.Add(await MeasureAsync(server, new Variant(rows, 0, captions)));
            if (costs.Count > 1)
                table.Judge($"{Name(captions)}: cost per record of the largest import ÷ of the smallest", costs[^1] / costs[0], "", 1.15,
                    atLeast: false);
        }
        // A larger import waits no otherwise for the network than a small one.
        foreach (var captions in new[] { false, true })
            await MeasureAsync(server, new Variant(bench.Options.PathRows[0], SlowMs, captions));

        // What most people run: an account as it is added. Each call leaves as soon as another has come back, if nothing waits for a commit.
        var limits = new AccountLimits();
        await bench.ExecuteAsync($"""
            UPDATE importer.account SET submit_rate = {limits.Rate}, status_rate = {limits.StatusRate}, max_in_flight = {limits.MaxInFlight},
                backlog_limit = {limits.Backlog}, updated_at = now()
            """);
        await MeasureDefaultAsync(server, limits.MaxInFlight, SlowMs, rows: 2_000, target: 0.9);
        await MeasureDefaultAsync(server, limits.MaxInFlight, 250, rows: 400, target: 0.97);
    }

    /// <summary>How near the submit calls come to what the account's calls in flight allow.</summary>
    private async Task MeasureDefaultAsync(ServerProcess server, int inFlight, int latencyMs, int rows, double target)
    {
        var (import, _) = await RunAsync(server, new Variant(rows, latencyMs, Captions: false), $"default-{latencyMs}");
        // The first and the last calls do not have all the others beside them.
        var perSecond = await bench.OneAsync<double>("""
            SELECT count(*) / extract(epoch FROM max(submitted_at) - min(submitted_at))::float8 FROM (
                SELECT submitted_at, percent_rank() OVER (ORDER BY submitted_at) AS place FROM importer.import_record WHERE import_id = $1) r
            WHERE place BETWEEN 0.1 AND 0.9
            """, import);
        table.Judge($"an account as it is added, {inFlight} calls in flight, {latencyMs} ms: submits ÷ what they allow",
            perSecond * latencyMs / 1000 / inFlight, "", target, atLeast: true);
    }

    /// <summary>Returns the processor seconds of the product and PostgreSQL per record.</summary>
    private async Task<double> MeasureAsync(ServerProcess server, Variant variant)
    {
        var (rows, calls) = (variant.Rows, variant.Rows * variant.CallsPerRecord);
        var what = string.Create(CultureInfo.InvariantCulture, $"{Name(variant.Captions)}, {rows:N0} rows, {variant.LatencyMs} ms");
        await bench.ResetSimulatorAsync(variant.LatencyMs);
        // No longer than is needed to know: at 35 ms it does not depend on the processor.
        var bareRows = Math.Min(rows, 20_000);
        var bare = bareRows * variant.CallsPerRecord
            / await BareLoop.PathSecondsAsync(bench.SimulatorAddress, bareRows, InFlight, variant.Captions);
        var (_, path) = await RunAsync(server, variant, $"path{rows}-{variant.LatencyMs}-{variant.Captions}");
        await Console.Error.WriteLineAsync(
            $"{what}: bare {bare:N0} calls/s, product {calls / path.Seconds:N0} ({rows / path.Seconds:N0} records/s), "
                + $"{path.Cpu.PerRecord(rows)}, load {ProcFile.LoadAverage():N1}\n{await bench.ProfileAsync()}");

        table.Judge($"{what}: path ÷ bare loop", calls / path.Seconds / bare, "", variant.Captions ? 0.5 : 0.6, atLeast: true);
        table.Note($"{what}: calls/s of the path, of the bare loop",
            $"{ResultTable.Number(calls / path.Seconds)}, {ResultTable.Number(bare)}");
        table.Judge($"{what}: processor time of `serve` per record", path.Cpu.Product / rows * 1e6, " µs", variant.Captions ? 150 : 100,
            atLeast: false);
        table.Judge($"{what}: processor time of PostgreSQL per record", path.Cpu.Postgres / rows * 1e6, " µs", variant.Captions ? 90 : 60,
            atLeast: false);
        table.Note($"{what}: WAL bytes, bytes of database per record",
            $"{ResultTable.Number(path.WalBytes / (double)rows)}, {ResultTable.Number(path.DatabaseBytes / (double)rows)}");
        table.Judge($"{what}: largest working set of `serve`", path.PeakMegabytes, " MB", 250, atLeast: false);
        return (path.Cpu.Product + path.Cpu.Postgres) / rows;
    }

    private async Task<(int Import, Path Path)> RunAsync(ServerProcess server, Variant variant, string label)
    {
        await bench.ResetSimulatorAsync(variant.LatencyMs);
        await bench.ExecuteAsync("CHECKPOINT");
        var size = await bench.OneAsync<long>("SELECT pg_database_size(current_database())");
        ProcFile.ForgetPeak(server.Id);
        var client = new ServeClient(bench, server, table);
        var (import, _, _) = await client.IngestAsync(
            variant.Rows, label, columns: variant.Captions ? SampleColumns.UrlAndCaption : SampleColumns.Url);
        await bench.ExecuteAsync("SELECT pg_stat_statements_reset()");
        var cpu = bench.Cpu(server);
        var wal = await bench.WalPositionAsync();
        await client.StartAsync(import);
        await bench.UntilAsync(import, ImportState.Finished);
        var spent = bench.Cpu(server) - cpu;
        if (await bench.OneAsync<long>("""
            SELECT (SELECT sum(imported_count) FROM importer.import_chunk WHERE import_id = $1)
                - (SELECT count(*) FROM importer.record_finish WHERE import_id = $1)
            """, import) != variant.Rows) throw new InvalidOperationException("Not every record was imported and finished.");
        return (import, new Path(
            await bench.OneAsync<double>(
                "SELECT extract(epoch FROM finished_at - started_at)::float8 FROM importer.import WHERE id = $1", import),
            spent,
            await bench.WalPositionAsync() - wal,
            await bench.OneAsync<long>("SELECT pg_database_size(current_database())") - size,
            ProcFile.PeakMegabytes(server.Id)));
    }

    private static string Name(bool captions) => captions ? "with captions" : "url only";

    private sealed record Variant(int Rows, int LatencyMs, bool Captions)
    {
        public int CallsPerRecord => Captions ? 3 : 2;
    }

    private sealed record Path(double Seconds, CpuTimes Cpu, long WalBytes, long DatabaseBytes, double PeakMegabytes);
}
