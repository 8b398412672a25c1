using System.Diagnostics;
using System.Net.Http.Headers;
using BulkImporter.Imports;
using BulkImporter.Records;
using Microsoft.Extensions.Options;

namespace BulkImporter.Benchmarks;

/// <summary>
/// A million rows through one server process, by its API as a client would: upload, parse, export, lists and pages; with the part "full" it
/// is dispatched too, which takes minutes, otherwise SQL gives the records the states of an import near its end. What counts
/// is the process's largest working set, and how long a person waits for a page.
/// </summary>
internal sealed class MillionBenchmark(Bench bench, ResultTable table)
{
    private const int Looks = 60;

    public async Task RunAsync()
    {
        var rows = bench.Options.Million;
        await bench.ResetSimulatorAsync(latencyMs: 0);
        await using var server = await StartAsync();
        var import = await PeakAsync(server, "ingest", () => IngestAsync(server, rows, "million"));
        if (bench.Options.Runs("full"))
        {
            var rate = await PeakAsync(server, "dispatch", () => DispatchBenchmark.DispatchToTheEndAsync(bench, import, rows));
            table.Note($"dispatch of {rows:N0} records, records/s", ResultTable.Number(rate));
        }
        await MixStatesAsync(import);
        var exported = await PeakAsync(server, "export", () => ExportAsync(server, import));
        table.Judge($"export of {rows:N0} rows by HTTP, rows/s", rows / exported, "", 100_000, atLeast: true);
        await ReadsAsync(import);
        await PagesAsync(server, import);
    }

    /// <summary>As many rows again, of at least 512 MB, while somebody looks at the list and at the import.</summary>
    public async Task WideAsync()
    {
        var rows = bench.Options.Million;
        await bench.ResetSimulatorAsync(latencyMs: 0);
        await using var server = await StartAsync();
        using var ended = new CancellationTokenSource();
        var looking = LookMeanwhileAsync(server, ended.Token);
        var import = await PeakAsync(server, "ingest, wide", () => IngestAsync(server, rows, "wide", 430));
        await ended.CancelAsync();
        table.Judge("pages while it is read, 95th percentile", (await looking).Percentile95(), " ms", 300, atLeast: false);
        var exported = await PeakAsync(server, "export, wide", () => ExportAsync(server, import));
        table.Note("export of the wide rows by HTTP, rows/s", ResultTable.Number(rows / exported));
    }

    private async Task<ServerProcess> StartAsync()
    {
        var server = await bench.StartServerAsync("serve");
        await bench.HoldStatusAsync();
        bench.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Bench.ApiKey);
        return server;
    }

    /// <summary>The list of imports and the newest import, in turns, four times a second. Answers milliseconds.</summary>
    private async Task<List<double>> LookMeanwhileAsync(ServerProcess server, CancellationToken ended)
    {
        var times = new List<double>();
        for (var look = 0; !ended.IsCancellationRequested; look++)
        {
            var newest = await bench.OneAsync<int>("SELECT coalesce(max(id), 0) FROM importer.import");
            var started = Stopwatch.GetTimestamp();
            using var answer = await bench.Http.GetAsync(new Uri(server.Address, look % 2 == 0 || newest == 0 ? "" : $"imports/{newest}"), CancellationToken.None);
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

    private async Task<int> IngestAsync(ServerProcess server, int rows, string label, int descriptionLength = 0)
    {
        var file = Path.Combine(bench.Folder, label + ".csv");
        SampleManifest.Write(file, rows, label, descriptionLength);
        await using var manifest = File.OpenRead(file);
        var megabytes = manifest.Length / 1e6;
        using var body = new StreamContent(manifest) { Headers = { ContentType = new("text/csv") } };
        var started = Stopwatch.GetTimestamp();
        using var answer = await bench.Http.PostAsync(new Uri(server.Address, $"api/v1/imports?name={label}"), body);
        if (!answer.IsSuccessStatusCode) throw new InvalidOperationException(await answer.Content.ReadAsStringAsync());
        var import = await bench.OneAsync<int>("SELECT max(id) FROM importer.import");
        await bench.UntilAsync(import, ImportState.Review);
        table.Note($"upload by HTTP and parse by job of {rows:N0} rows, {megabytes:N0} MB, rows/s", ResultTable.Number(rows / Stopwatch.GetElapsedTime(started).TotalSeconds));
        return import;
    }

    /// <summary>Answers seconds.</summary>
    private async Task<double> ExportAsync(ServerProcess server, int import)
    {
        var started = Stopwatch.GetTimestamp();
        using var answer = await bench.Http.GetAsync(new Uri(server.Address, $"api/v1/imports/{import}/results"), HttpCompletionOption.ResponseHeadersRead);
        answer.EnsureSuccessStatusCode();
        await using var results = await answer.Content.ReadAsStreamAsync();
        await results.CopyToAsync(Stream.Null);
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>The end of a long import: most is imported, 2 % failed with two codes, one record in a thousand is unknown, the last tenth is on its way.</summary>
    private async Task MixStatesAsync(int import)
    {
        await bench.ExecuteAsync($"""
            CREATE TEMP TABLE mix AS
            SELECT row_number, CASE WHEN row_number > {bench.Options.Million / 10 * 9} THEN 'submitted' WHEN row_number % 50 = 0 THEN 'failed' WHEN row_number % 1000 = 1 THEN 'unknown' ELSE 'imported' END AS state
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

    private async Task ReadsAsync(int import)
    {
        var imports = new ReadImports(bench.Database, Options.Create(new ImportsOptions()));
        var records = new ReadRecords(bench.Database);
        var deep = bench.Options.Million / 2;
        await LookAsync("list of imports", () => imports.ListAsync(ImportFilter.All, null, 50, CancellationToken.None));
        await LookAsync("one import", () => imports.FindAsync(import, CancellationToken.None));
        await LookAsync("its rates", () => imports.RatesAsync(import, 120, CancellationToken.None));
        await LookAsync("records, first page", () => records.ListAsync(import, RecordFilter.All, 0, 100, CancellationToken.None));
        await LookAsync("records, page in the middle", () => records.ListAsync(import, RecordFilter.All, deep, 100, CancellationToken.None));
        await LookAsync("failed records, first page", () => records.ListAsync(import, new RecordFilter { State = RecordState.Failed }, 0, 100, CancellationToken.None));
        await LookAsync("failed records, page in the middle", () => records.ListAsync(import, new RecordFilter { State = RecordState.Failed }, deep, 100, CancellationToken.None));
        await LookAsync("unknown records, first page", () => records.ListAsync(import, new RecordFilter { State = RecordState.Unknown }, 0, 100, CancellationToken.None));
        await LookAsync("submitted records, first page", () => records.ListAsync(import, new RecordFilter { State = RecordState.Submitted }, 0, 100, CancellationToken.None));
        await LookAsync("records by code, page in the middle", () => records.ListAsync(import, new RecordFilter { Code = "source_forbidden" }, deep, 100, CancellationToken.None));
        await LookAsync("one record", () => records.FindAsync(import, deep, CancellationToken.None));
    }

    /// <summary>
    /// The first content of each page as a browser gets it: the whole document that the server draws. What comes alive afterwards (findings,
    /// the rest of a look through all records) is not in it.
    /// </summary>
    private async Task PagesAsync(ServerProcess server, int import)
    {
        var deep = bench.Options.Million / 2;
        foreach (var path in new[]
        {
            "", "?state=review", "?search=million", $"imports/{import}", $"imports/{import}/records", $"imports/{import}/records?after={deep}",
            $"imports/{import}/records?state=failed", $"imports/{import}/records?state=failed&code=source_forbidden", $"imports/{import}/records?code=source_not_found&after={deep}",
            $"imports/{import}/records?state=unknown", $"imports/{import}/records?search=nothing+of+that+name", $"imports/{import}/records?state=failed&search=R{deep}",
            $"imports/{import}/records?state=submitted&stalledMinutes=30", $"imports/{import}/records/{deep}", "accounts", "people", "keys", "audit", $"audit?import={import}", "me", "upload", "hangfire/imports",
        })
        {
            await LookAsync($"first content of /{path}", async () =>
            {
                using var answer = await bench.Http.GetAsync(new Uri(server.Address, path));
                answer.EnsureSuccessStatusCode();
                return await answer.Content.ReadAsStringAsync();
            }, target: 300);
        }
    }

    private async Task LookAsync<T>(string what, Func<Task<T>> look, double target = 100)
    {
        var times = new List<double>();
        for (var i = 0; i < Looks; i++)
        {
            var started = Stopwatch.GetTimestamp();
            await look();
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }
        table.Judge($"{what}, 95th percentile", times.Percentile95(), " ms", target, atLeast: false);
    }
}
