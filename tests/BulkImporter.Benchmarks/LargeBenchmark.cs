using System.Diagnostics;
using System.Net.Http.Headers;

namespace BulkImporter.Benchmarks;

/// <summary>
/// A database that has grown: ten times the million, in a hundred imports that have ended, each with its attempts. What a new import, a
/// person and the idle server need then is compared with what they needed when the database was empty.
/// </summary>
internal sealed class LargeBenchmark(Bench bench, ResultTable table)
{
    private const int Imports = 100;
    private const int Rounds = 3;
    private const string MetricsToken = "bench-metrics-0123456789";

    private int Rows => bench.Options.Million / 10;

    public async Task RunAsync()
    {
        await bench.ResetSimulatorAsync(latencyMs: 0);
        await using var server = await bench.StartServerAsync("serve", ("BulkImporter__Telemetry__MetricsToken", MetricsToken));
        await bench.HoldStatusAsync();
        var client = new ServeClient(bench, server, table);

        // Once so that everything is compiled, then as the database is when it is new.
        await DispatchAsync("warm");
        var dispatchedEmpty = await SeveralAsync(round => DispatchAsync($"empty{round}"));
        var ingested = new List<double>();
        for (var number = 1; number <= Imports; number++)
        {
            var (import, _, rate) = await client.IngestAsync(Rows, $"large{number:D3}");
            ingested.Add(rate);
            await EndAsync(import, Rows);
            if (number % 10 == 0)
                await Console.Error.WriteLineAsync(
                    $"large: {number} imports, the last ten read at {ingested.TakeLast(10).Median():N0} rows/s, load "
                        + $"{ProcFile.LoadAverage():N1}");
        }
        // What autovacuum does by and by.
        await bench.ExecuteAsync("VACUUM ANALYZE");
        await bench.ExecuteAsync("CHECKPOINT");

        var records = await bench.OneAsync<long>("SELECT count(*) FROM importer.import_record");
        table.Note($"records, most in {Imports} imports of {Rows:N0}", $"{records:N0}");
        table.Judge("database, bytes per record",
            await bench.OneAsync<long>("SELECT pg_database_size(current_database())") / (double)records, "", 600, atLeast: false);
        table.Note("ingest, rows/s, first ten imports and last ten",
            $"{ResultTable.Number(ingested.Take(10).Median())}, {ResultTable.Number(ingested.TakeLast(10).Median())}");
        var dispatchedFull = await SeveralAsync(round => DispatchAsync($"full{round}"));
        table.Note("dispatch, records/s, empty database", string.Join(", ", dispatchedEmpty.Select(ResultTable.Number)));
        table.Note("dispatch, records/s, full database", string.Join(", ", dispatchedFull.Select(ResultTable.Number)));
        table.Judge("dispatch, full ÷ empty", dispatchedFull.Median() / dispatchedEmpty.Median(), "", 0.8, atLeast: true);

        await MeasuresAsync(server, client);
        var middle = await bench.OneAsync<int>("SELECT id FROM importer.import WHERE name = $1", $"large{Imports / 2:D3}");
        await client.ReadsAsync(middle, Rows);
        await client.PagesAsync(middle, Rows, "large");
        table.Judge("export of one of them by HTTP, rows/s", Rows / await client.ExportAsync(middle), "", 100_000, atLeast: true);
        await IdleAsync();
        await DeleteAsync(server, middle);
        table.Note("largest working set of `serve` in all of it", $"{ResultTable.Number(ProcFile.PeakMegabytes(server.Id))} MB");
    }

    private static async Task<List<double>> SeveralAsync(Func<int, Task<double>> run)
    {
        var results = new List<double>();
        for (var round = 1; round <= Rounds; round++) results.Add(await run(round));
        return results;
    }

    /// <summary>A new import from its first call to its last answer. Returns records a second.</summary>
    private async Task<double> DispatchAsync(string label)
    {
        const int Records = 20_000;
        var import = await bench.ParsedImportAsync(Records, label);
        var rate = await bench.DispatchToTheEndAsync(import, Records);
        await EndAsync(import, Records);
        return rate;
    }

    /// <summary>
    /// What an import has left in the database two days after its end: 2 % of its records failed, one in a thousand is unknown and was
    /// looked for in vain.
    /// </summary>
    private async Task EndAsync(int import, int rows)
    {
        await bench.ExecuteAsync($"""
            UPDATE importer.import_record
            SET state = CASE WHEN row_number % 50 = 0 THEN 'failed' WHEN row_number % 1000 = 1 THEN 'unknown' ELSE 'imported' END,
                status_id = 'S{import}-' || row_number, rid = CASE WHEN row_number % 50 <> 0 AND row_number % 1000 <> 1
                    THEN 'R{import}-' || row_number END,
                error_code = CASE WHEN row_number % 100 = 0 THEN 'source_not_found' WHEN row_number % 50 = 0 THEN 'source_forbidden' WHEN row_number % 1000 = 1 THEN 'reply_timeout' END,
                error_message = CASE WHEN row_number % 50 = 0 THEN 'source returned 404' WHEN row_number % 1000 = 1 THEN 'no complete reply within 100 s' END,
                attempt_count = 1, attempts_left = 4, submitted_at = now() - interval '2 days', finished_at = now() - interval '2 days'
            WHERE import_id = {import};
            INSERT INTO importer.attempt (import_id, row_number, number, started_at, finished_at, worker, status_id, outcome, looked_at)
            SELECT import_id, row_number, 1, submitted_at, finished_at, 'bench:1:1:1', status_id, error_code,
                CASE state WHEN 'unknown' THEN finished_at + interval '1 day' END
            FROM importer.import_record WHERE import_id = {import} AND state IN ('failed', 'unknown')
            ON CONFLICT (import_id, row_number, number) DO UPDATE SET outcome = excluded.outcome, looked_at = excluded.looked_at;
            DELETE FROM importer.work_batch WHERE import_id = {import};
            DELETE FROM importer.status_poll WHERE import_id = {import};
            UPDATE importer.import_chunk SET due_at = NULL WHERE import_id = {import} AND state = 'waiting';
            UPDATE importer.import SET state = 'finished', started_at = coalesce(started_at, now()), finished_at = now() - interval '2 days'
                WHERE id = {import};
            """);
        if (await bench.OneAsync<long>(
            $"SELECT sum(imported_count + failed_count + unknown_count) FROM importer.import_chunk WHERE import_id = {import}") != rows)
            throw new InvalidOperationException($"Import {import} did not end as it should.");
    }

    /// <summary>What a server with nothing to do asks of PostgreSQL in a minute, in which one record in doubt is looked for.</summary>
    private async Task IdleAsync()
    {
        await bench.ExecuteAsync(
            "UPDATE importer.attempt SET looked_at = NULL WHERE (import_id, row_number) = (SELECT max(id), 1 FROM importer.import)");
        await bench.ExecuteAsync("UPDATE importer.call_budget SET blocked_until = NULL, blocked_reason = NULL");
        await bench.ExecuteAsync("SELECT pg_stat_statements_reset()");
        await Task.Delay(TimeSpan.FromMinutes(1));
        table.Note("PostgreSQL's work for an idle `serve` and one walk, ms per second", ResultTable.Number(
            await bench.OneAsync<double>("SELECT sum(total_exec_time) / 60 FROM pg_stat_statements WHERE query NOT LIKE '%bench%'")));
        await Console.Error.WriteLineAsync(await bench.ProfileAsync());
        if (await bench.OneAsync<long>("SELECT count(*) FROM importer.reconcile_look WHERE looked_at IS NOT NULL") == 0)
            throw new InvalidOperationException("Nobody looked for the record in doubt.");
    }

    private Task MeasuresAsync(ServerProcess server, ServeClient client) => client.LookAsync("/metrics", async () =>
    {
        using var request = new HttpRequestMessage(HttpMethod.Get,
            new Uri(server.Address, "metrics"))
        { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", MetricsToken) } };
        using var answer = await bench.Http.SendAsync(request);
        return await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
    });

    /// <summary>One import goes, among all the others.</summary>
    private async Task DeleteAsync(ServerProcess server, int import)
    {
        var started = Stopwatch.GetTimestamp();
        using var answer = await bench.Http.DeleteAsync(new Uri(server.Address, $"api/v1/imports/{import}"));
        answer.EnsureSuccessStatusCode();
        var deadline = bench.Deadline();
        while (await bench.OneAsync<long>($"SELECT count(*) FROM importer.import WHERE id = {import}") > 0)
            await deadline($"import {import} was not deleted");
        table.Note("deletion of one of them, rows/s", ResultTable.Number(Rows / Stopwatch.GetElapsedTime(started).TotalSeconds));
    }
}
