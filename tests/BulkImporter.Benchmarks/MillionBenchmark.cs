using System.Diagnostics;

namespace BulkImporter.Benchmarks;

/// <summary>
/// A million rows through one server process, by its API as a client would: upload, parse, export, lists and pages; with the part "full" it
/// is dispatched too, which takes minutes, otherwise SQL gives the records the states of an import near its end. What counts
/// is the process's largest working set, and how long a person waits for a page.
/// </summary>
internal sealed class MillionBenchmark(Bench bench, ResultTable table)
{
    public async Task RunAsync()
    {
        var rows = bench.Options.Million;
        await bench.ResetSimulatorAsync(latencyMs: 0);
        await using var server = await StartAsync();
        var client = new ServeClient(bench, server, table);
        var import = await PeakAsync(server, "ingest", () => IngestAsync(client, rows, "million"));
        if (bench.Options.Runs("full"))
        {
            var rate = await PeakAsync(server, "dispatch", () => bench.DispatchToTheEndAsync(import, rows));
            table.Note($"dispatch of {rows:N0} records, records/s", ResultTable.Number(rate));
        }
        await MixStatesAsync(import);
        var exported = await PeakAsync(server, "export", () => client.ExportAsync(import));
        table.Judge($"export of {rows:N0} rows by HTTP, rows/s", rows / exported, "", 100_000, atLeast: true);
        await client.ReadsAsync(import, rows);
        await client.PagesAsync(import, rows, "million");
    }

    /// <summary>As many rows again, of at least 512 MB, while somebody looks at the list and at the import.</summary>
    public async Task WideAsync()
    {
        var rows = bench.Options.Million;
        await bench.ResetSimulatorAsync(latencyMs: 0);
        await using var server = await StartAsync();
        var client = new ServeClient(bench, server, table);
        using var ended = new CancellationTokenSource();
        var looking = LookMeanwhileAsync(server, ended.Token);
        var import = await PeakAsync(server, "ingest, wide", () => IngestAsync(client, rows, "wide", 430));
        await ended.CancelAsync();
        table.Judge("pages while it is read, 95th percentile", (await looking).Percentile95(), " ms", 300, atLeast: false);
        var exported = await PeakAsync(server, "export, wide", () => client.ExportAsync(import));
        table.Note("export of the wide rows by HTTP, rows/s", ResultTable.Number(rows / exported));
    }

    private async Task<ServerProcess> StartAsync()
    {
        var server = await bench.StartServerAsync("serve");
        await bench.HoldStatusAsync();
        return server;
    }

    /// <summary>The list of imports and the newest import, in turns, four times a second. Returns milliseconds.</summary>
    private async Task<List<double>> LookMeanwhileAsync(ServerProcess server, CancellationToken ended)
    {
        var times = new List<double>();
        for (var look = 0; !ended.IsCancellationRequested; look++)
        {
            var newest = await bench.OneAsync<int>("SELECT coalesce(max(id), 0) FROM importer.import");
            var started = Stopwatch.GetTimestamp();
            using var answer = await bench.Http.GetAsync(new Uri(server.Address, look % 2 == 0 || newest == 0 ? "" : $"imports/{newest}"),
                CancellationToken.None);
            await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync(CancellationToken.None);
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            await Task.Delay(250, CancellationToken.None);
        }
        return times;
    }

    private async Task<T> PeakAsync<T>(ServerProcess server, string what, Func<Task<T>> work)
    {
        ProcFile.ForgetPeak(server.Id);
        var result = await work();
        table.Judge($"largest working set of `serve` during {what}", ProcFile.PeakMegabytes(server.Id), " MB", 250, atLeast: false);
        return result;
    }

    private async Task<int> IngestAsync(ServeClient client, int rows, string label, int descriptionLength = 0)
    {
        var (import, megabytes, rate) = await client.IngestAsync(rows, label, descriptionLength);
        table.Note($"upload by HTTP and parse by job of {rows:N0} rows, {megabytes:N0} MB, rows/s", ResultTable.Number(rate));
        return import;
    }

    /// <summary>
    /// The end of a long import: most is imported, 2 % failed with two codes, one record in a thousand is unknown, the last tenth is on its
    /// way.
    /// </summary>
    private async Task MixStatesAsync(int import)
    {
        await bench.ExecuteAsync($"""
            CREATE TEMP TABLE mix AS
            SELECT row_number, CASE WHEN row_number > {bench.Options.Million / 10 * 9} THEN 'submitted' WHEN row_number % 50 = 0
                THEN 'failed' WHEN row_number % 1000 = 1 THEN 'unknown' ELSE 'imported' END AS state
            FROM importer.import_record WHERE import_id = {import};
            UPDATE importer.import_record r
            SET state = mix.state, status_id = 'S' || r.row_number, rid = CASE mix.state WHEN 'imported' THEN 'R' || r.row_number END,
                error_code = CASE mix.state WHEN 'failed' THEN CASE r.row_number % 100 WHEN 0 THEN 'source_not_found' ELSE 'source_forbidden' END WHEN 'unknown' THEN 'reply_timeout' END,
                error_message = CASE mix.state WHEN 'failed' THEN 'source returned 404' WHEN 'unknown' THEN 'no complete reply within 100 s' END,
                submitted_at = now(), finished_at = CASE mix.state WHEN 'submitted' THEN NULL ELSE now() END
            FROM mix WHERE r.import_id = {import} AND r.row_number = mix.row_number;
            """);
        await bench.ExecuteAsync("VACUUM ANALYZE importer.import_record, importer.import_chunk, importer.attempt, importer.status_poll");
    }
}
