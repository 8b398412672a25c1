using BulkImporter.Imports;

namespace BulkImporter.Benchmarks;

/// <summary>
/// The product's dispatch, a bare HTTP loop of the same concurrency, and one Hangfire job per row, in turns against one simulator. The
/// product's time is the database's: from the first committed intent to the last committed answer.
/// </summary>
internal sealed class DispatchBenchmark(Bench bench, ResultTable table)
{
    private int Workers => bench.Options.Workers;
    private int Window => bench.Options.Window;

    private const int RowsOfJobPerRow = 1_500;

    public async Task RunAsync()
    {
        var rows = bench.Options.Rows;
        await bench.ResetSimulatorAsync(latencyMs: 0);
        await using var server = await bench.StartServerAsync("work",
            ("BulkImporter__Work__Workers", $"{Workers}"), ("BulkImporter__Work__Window", $"{Window}"));
        await bench.HoldStatusAsync();

        // Both are compiled and warm before they are measured.
        await DispatchAsync(server, rows / 4, "warm");
        await BareLoop.RunAsync(bench.SimulatorAddress, rows / 4, Workers * Window);

        var dispatched = new List<DispatchRun>();
        var bare = new List<double>();
        var bareCpu = new List<double>();
        for (var round = 1; round <= bench.Options.Rounds; round++)
        {
            await bench.ResetSimulatorAsync(latencyMs: 0);
            var cpu = Environment.CpuUsage.TotalTime;
            bare.Add(await BareLoop.RunAsync(bench.SimulatorAddress, rows, Workers * Window));
            bareCpu.Add((Environment.CpuUsage.TotalTime - cpu).TotalSeconds / rows);
            await bench.ResetSimulatorAsync(latencyMs: 0);
            dispatched.Add(await DispatchAsync(server, rows, $"round{round}"));
            await Console.Error.WriteLineAsync(
                $"dispatch round {round}: bare {bare[^1]:N0}/s with {bareCpu[^1] * 1e6:N0} µs, product {dispatched[^1].Rate:N0}/s, "
                    + $"{dispatched[^1].Cpu.PerRecord(rows)}, load {ProcFile.LoadAverage():N1}");
        }
        await Console.Error.WriteLineAsync(await bench.ProfileAsync());
        await bench.ResetSimulatorAsync(latencyMs: 0);
        var jobPerRow = await new JobPerRow(bench).RunAsync(RowsOfJobPerRow);

        table.Judge("largest working set of `work` during dispatch", ProcFile.PeakMegabytes(server.Id), " MB", 250, atLeast: false);
        var rate = dispatched.Select(d => d.Rate).Median();
        table.Judge("dispatch ÷ bare HttpClient loop", rate / bare.Median(), "", 0.85, atLeast: true);
        table.Judge("dispatch ÷ one Hangfire job per row", rate / jobPerRow.ProcessRate, "", 30, atLeast: true);
        table.Judge("SQL statements per record at dispatch", dispatched.Select(d => d.OurStatements + d.HangfireStatements)
            .Median() / rows, "", 0.5, atLeast: false);
        table.Note("… of which Hangfire's", ResultTable.Number(dispatched.Select(d => d.HangfireStatements).Median() / rows));
        table.Note("dispatch, records/s", string.Join(", ", dispatched.Select(d => d.Rate).Select(ResultTable.Number)));
        table.Note("bare loop, calls/s", string.Join(", ", bare.Select(ResultTable.Number)));
        table.Note("one job per row: processed/s, enqueued/s",
            $"{ResultTable.Number(jobPerRow.ProcessRate)}, {ResultTable.Number(jobPerRow.EnqueueRate)}");
        table.Note("processor time per record",
            $"{dispatched[dispatched.Count / 2].Cpu.PerRecord(rows)}; the bare loop itself {bareCpu.Median() * 1e6:N0} µs");
        table.Note("updates of records that stayed in their page (HOT)", ResultTable.Number(await bench.OneAsync<double>(
            "SELECT 100.0::float8 * n_tup_hot_upd / n_tup_upd FROM pg_stat_user_tables WHERE relname = 'import_record'")) + " %");
        table.Note("WAL bytes per record", ResultTable.Number(dispatched.Select(d => d.WalBytes).Median() / rows));
    }

    private async Task<DispatchRun> DispatchAsync(ServerProcess server, int rows, string label)
    {
        var import = await ParsedImportAsync(bench, rows, label);
        await bench.ExecuteAsync("VACUUM ANALYZE importer.import_record, importer.import_chunk, importer.attempt, importer.status_poll");
        await bench.ExecuteAsync("CHECKPOINT");
        await bench.ExecuteAsync("SELECT pg_stat_statements_reset()");
        var cpu = bench.Cpu(server);
        var wal = await bench.WalPositionAsync();
        var rate = await DispatchToTheEndAsync(bench, import, rows);
        return new DispatchRun(
            rate,
            await StatementsAsync("NOT LIKE '%hangfire%'"),
            await StatementsAsync("LIKE '%hangfire%'"),
            bench.Cpu(server) - cpu,
            await bench.WalPositionAsync() - wal);
    }

    public static async Task<int> ParsedImportAsync(Bench bench, int rows, string label)
    {
        var file = Path.Combine(bench.Folder, $"{label}.csv");
        SampleManifest.Write(file, rows, label);
        await using var manifest = File.OpenRead(file);
        var import = await bench.CreateImportAsync(manifest, $"{label}.csv");
        await bench.UntilAsync(import, ImportState.Review);
        return import;
    }

    /// <summary>Starts the import and waits until every record is submitted. Answers records a second.</summary>
    public static async Task<double> DispatchToTheEndAsync(Bench bench, int import, int rows)
    {
        await bench.ExecuteAsync(
            $"UPDATE importer.import SET state = 'running', started_at = now(), start_when_parsed = true WHERE id = {import}");
        var deadline = bench.Deadline();
        while (await bench.OneAsync<long>("SELECT sum(submitted_count) FROM importer.import_chunk WHERE import_id = $1 /* bench */",
            import) < rows)
            await deadline($"import {import} was not dispatched");
        var seconds = await bench.OneAsync<double>("""
            SELECT extract(epoch FROM (SELECT max(submitted_at) FROM importer.import_record WHERE import_id = $1)
                - (SELECT min(submitted_at) FROM importer.import_record WHERE import_id = $1))::float8 /* bench */
            """, import);
        return rows / seconds;
    }

    /// <summary>Statements sent by clients, transaction control included; what a trigger runs inside a statement is part of it.</summary>
    private Task<double> StatementsAsync(string condition) => bench.OneAsync<double>($"""
        SELECT coalesce(sum(calls), 0)::float8 FROM pg_stat_statements WHERE query {condition} AND query NOT LIKE '%bench%'
            AND query NOT LIKE '%pg_stat_statements%'
        """);

    private sealed record DispatchRun(double Rate, double OurStatements, double HangfireStatements, CpuTimes Cpu, double WalBytes);
}
