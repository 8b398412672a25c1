namespace BulkImporter.Benchmarks;

/// <summary>
/// What a forgotten transaction costs: dispatch with and without one that holds an old snapshot, in turns. While it stands, no dead version
/// of a row goes away, and whoever looks for work at the head of a queue wades through all of them; a chunk's key range knows where its
/// rows are.
/// </summary>
internal sealed class SnapshotBenchmark(Bench bench, ResultTable table)
{
    public async Task RunAsync()
    {
        var rows = bench.Options.Rows;
        await bench.ResetSimulatorAsync(latencyMs: 0);
        await using var server = await bench.StartServerAsync("work",
            ("BulkImporter__Work__Workers", $"{bench.Options.Workers}"), ("BulkImporter__Work__Window", $"{bench.Options.Window}"));
        await bench.HoldStatusAsync();
        await RunAsync(rows / 4, "snapwarm", held: false);

        var without = new List<double>();
        var with = new List<double>();
        for (var round = 1; round <= bench.Options.Rounds; round++)
        {
            without.Add(await RunAsync(rows, $"snapfree{round}", held: false));
            with.Add(await RunAsync(rows, $"snapheld{round}", held: true));
            await Console.Error.WriteLineAsync(
                $"snapshot round {round}: {without[^1]:N0}/s without, {with[^1]:N0}/s with one held, load {ProcFile.LoadAverage():N1}");
        }

        table.Judge("dispatch while an old snapshot is held ÷ without", with.Median() / without.Median(), "", 0.75, atLeast: true);
        table.Note("without, with, records/s", $"{ResultTable.Number(without.Median())}, {ResultTable.Number(with.Median())}");
    }

    private async Task<double> RunAsync(int rows, string label, bool held)
    {
        await bench.ResetSimulatorAsync(latencyMs: 0);
        await using var connection = await bench.Database.OpenConnectionAsync();
        await using var snapshot = connection.CreateCommand();
        if (held)
        {
            // Older than the import: every version of each of its rows stays.
            snapshot.CommandText = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT count(*) FROM importer.import";
            await snapshot.ExecuteNonQueryAsync();
        }

        var import = await bench.ParsedImportAsync(rows, label);
        await bench.ExecuteAsync("VACUUM ANALYZE importer.import_record, importer.import_chunk, importer.attempt, importer.status_poll");
        await bench.ExecuteAsync("CHECKPOINT");
        var rate = await bench.DispatchToTheEndAsync(import, rows);
        if (held)
        {
            snapshot.CommandText = "ROLLBACK";
            await snapshot.ExecuteNonQueryAsync();
        }
        return rate;
    }
}
