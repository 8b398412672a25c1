namespace BulkImporter.Benchmarks;

/// <summary>
/// Whether a second worker process helps where it should: with a remote side that takes its time, and no limit of the account.
/// </summary>
internal sealed class WorkersBenchmark(Bench bench, ResultTable table)
{
    private const int LatencyMs = 35;

    // 32 calls in flight per process: 900 calls a second, far from what the processors can do.
    private const int Workers = 4;
    private const int Window = 8;

    public async Task RunAsync()
    {
        var rows = bench.Options.Rows / 2;
        var one = new List<double>();
        var two = new List<double>();
        for (var round = 1; round <= Math.Min(3, bench.Options.Rounds); round++)
        {
            one.Add(await RunAsync(1, rows / 2, $"one{round}"));
            two.Add(await RunAsync(2, rows, $"two{round}"));
            await Console.Error.WriteLineAsync(
                $"workers round {round}: one {one[^1]:N0}/s, two {two[^1]:N0}/s, load {ProcFile.LoadAverage():N1}");
        }
        table.Judge($"two workers ÷ one at {LatencyMs} ms latency", two.Median() / one.Median(), "", 1.8, atLeast: true);
        table.Note("one worker, two workers, records/s", $"{ResultTable.Number(one.Median())}, {ResultTable.Number(two.Median())}");
    }

    private async Task<double> RunAsync(int processes, int rows, string label)
    {
        var servers = new List<ServerProcess>();
        try
        {
            for (var i = 0; i < processes; i++)
                servers.Add(await bench.StartServerAsync("work", ("BulkImporter__Work__Workers", $"{Workers}"),
                    ("BulkImporter__Work__Window", $"{Window}")));
            await bench.HoldStatusAsync();
            await bench.ResetSimulatorAsync(latencyMs: 0);
            var warm = await bench.ParsedImportAsync(4_000, label + "warm");
            await bench.DispatchToTheEndAsync(warm, 4_000);
            var import = await bench.ParsedImportAsync(rows, label);
            await bench.ResetSimulatorAsync(LatencyMs);
            return await bench.DispatchToTheEndAsync(import, rows);
        }
        finally
        {
            foreach (var server in servers) await server.DisposeAsync();
        }
    }
}
