using System.Diagnostics;
using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Records;
using Microsoft.Extensions.Options;

namespace BulkImporter.Benchmarks;

/// <summary>Somebody at a server process: uploads, exports, and looks at lists and pages with a watch in the hand.</summary>
internal sealed class ServeClient(Bench bench, ServerProcess server, ResultTable table)
{
    private const int Looks = 60;

    /// <summary>
    /// Uploads a manifest and waits until it is parsed. Returns the import, the manifest's size and the rows that came in in a second.
    /// </summary>
    public async Task<(int Import, double Megabytes, double Rate)> IngestAsync(
        int rows, string label, int descriptionLength = 0, SampleColumns columns = SampleColumns.All)
    {
        var file = Path.Combine(bench.Folder, label + ".csv");
        SampleManifest.Write(file, rows, label, descriptionLength, columns);
        await using var manifest = File.OpenRead(file);
        var megabytes = manifest.Length / 1e6;
        using var body = new StreamContent(manifest) { Headers = { ContentType = new("text/csv") } };
        var started = Stopwatch.GetTimestamp();
        using var answer = await bench.Http.PostAsync(new Uri(server.Address, $"api/v1/imports?name={label}"), body);
        if (!answer.IsSuccessStatusCode) throw new InvalidOperationException(await answer.Content.ReadAsStringAsync());
        var import = await bench.OneAsync<int>("SELECT max(id) FROM importer.import");
        await bench.UntilAsync(import, ImportState.Review);
        var rate = rows / Stopwatch.GetElapsedTime(started).TotalSeconds;
        File.Delete(file);
        return (import, megabytes, rate);
    }

    public async Task StartAsync(int import)
    {
        using var answer = await bench.Http.PostAsync(new Uri(server.Address, $"api/v1/imports/{import}/start"), null);
        if (!answer.IsSuccessStatusCode) throw new InvalidOperationException(await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Returns seconds.</summary>
    public async Task<double> ExportAsync(int import)
    {
        var started = Stopwatch.GetTimestamp();
        using var answer = await bench.Http.GetAsync(new Uri(server.Address, $"api/v1/imports/{import}/results"),
            HttpCompletionOption.ResponseHeadersRead);
        answer.EnsureSuccessStatusCode();
        await using var results = await answer.Content.ReadAsStreamAsync();
        await results.CopyToAsync(Stream.Null);
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    public async Task ReadsAsync(int import, int rows)
    {
        var imports = new ReadImports(new Contexts(bench.Database, []), Options.Create(new WorkOptions()));
        var records = new ReadRecords(new Contexts(bench.Database, []));
        var deep = rows / 2;
        await LookAsync("list of imports", () => imports.ListAsync(ImportFilter.All, null, 50, CancellationToken.None));
        await LookAsync("one import", () => imports.FindAsync(import, CancellationToken.None));
        await LookAsync("its rates", () => imports.RatesAsync(import, 120, CancellationToken.None));
        await LookAsync("records, first page", () => records.ListAsync(import, RecordFilter.All, 0, 100, CancellationToken.None));
        await LookAsync("records, page in the middle", () =>
            records.ListAsync(import, RecordFilter.All, deep, 100, CancellationToken.None));
        await LookAsync("failed records, first page", () =>
            records.ListAsync(import, new RecordFilter { State = RecordState.Failed }, 0, 100, CancellationToken.None));
        await LookAsync("failed records, page in the middle", () =>
            records.ListAsync(import, new RecordFilter { State = RecordState.Failed }, deep, 100, CancellationToken.None));
        await LookAsync("unknown records, first page", () =>
            records.ListAsync(import, new RecordFilter { State = RecordState.Unknown }, 0, 100, CancellationToken.None));
        await LookAsync("submitted records, first page", () =>
            records.ListAsync(import, new RecordFilter { State = RecordState.Submitted }, 0, 100, CancellationToken.None));
        await LookAsync("records by code, page in the middle", () =>
            records.ListAsync(import, new RecordFilter { Code = "source_forbidden" }, deep, 100, CancellationToken.None));
        await LookAsync("one record", () => records.FindAsync(import, deep, CancellationToken.None));
    }

    /// <summary>
    /// The first content of each page as a browser gets it: the whole document that the server draws. What comes alive afterwards
    /// (findings, the rest of a look through all records) is not in it.
    /// </summary>
    public async Task PagesAsync(int import, int rows, string name)
    {
        var deep = rows / 2;
        foreach (var path in new[]
        {
            "", "?state=review", $"?search={name}", $"imports/{import}", $"imports/{import}/records",
                $"imports/{import}/records?after={deep}",
            $"imports/{import}/records?state=failed", $"imports/{import}/records?state=failed&code=source_forbidden",
            $"imports/{import}/records?code=source_not_found&after={deep}",
            $"imports/{import}/records?state=unknown", $"imports/{import}/records?search=nothing+of+that+name",
            $"imports/{import}/records?state=failed&search=R{deep}",
            $"imports/{import}/records?state=submitted&stalledMinutes=30", $"imports/{import}/records/{deep}", "accounts", "people",
            "keys", "audit", $"audit?import={import}", "me", "upload", "hangfire/imports",
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

    /// <summary>
    /// Sixty looks at the same thing, judged by the 95th percentile in milliseconds. As many before them are not timed: a server that has
    /// run for a minute has compiled what a page needs.
    /// </summary>
    public async Task LookAsync<T>(string what, Func<Task<T>> look, double target = 100)
    {
        for (var i = 0; i < Looks; i++) await look();
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
