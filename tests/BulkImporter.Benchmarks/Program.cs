using BulkImporter.Benchmarks;

if (!BenchOptions.TryRead(args, out var options, out var complaint))
{
    await Console.Error.WriteLineAsync(complaint);
    await Console.Error.WriteLineAsync(BenchOptions.Usage);
    return 2;
}

var table = new ResultTable();
await using (var bench = await Bench.StartAsync(options))
{
    if (options.Runs("path")) await new PathBenchmark(bench, table).RunAsync();
    if (options.Runs("workers")) await new WorkersBenchmark(bench, table).RunAsync();
    if (options.Runs("snapshot")) await new SnapshotBenchmark(bench, table).RunAsync();
    if (options.Runs("ingest")) await new IngestBenchmark(bench, table).RunAsync();
    if (options.Runs("million")) await new MillionBenchmark(bench, table).RunAsync();
    if (options.Runs("wide")) await new MillionBenchmark(bench, table).WideAsync();
    if (options.Runs("large")) await new LargeBenchmark(bench, table).RunAsync();
    if (bench.Limit is { } limit)
        table.Note($"the product's processes went through it within {options.Memory} MiB of the kernel; the most that they took, MB",
            ResultTable.Number(limit.PeakMegabytes()));
}
table.Print(Console.Out);
return 0;
