using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using BulkImporter.Access;
using BulkImporter.Accounts;
using BulkImporter.Dispatch;
using BulkImporter.Hosting;
using BulkImporter.Parse;
using BulkImporter.Reconcile;
using BulkImporter.Status;
using BulkImporter.Tests.Simulator;
using BulkImporter.Undo;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace BulkImporter.Tests;

/// <summary>
/// After a run in which Cincopa says the worst that it could, everything that the program wrote is read: its log at the finest level, every
/// value in the database, every answer of its doors. The account's token, the hash of an upload address and the secret of a signed address
/// stand nowhere. A source's own address is what the operator gave us to send: it is kept, and comes back whole in the result file of an
/// operator, and nowhere else.
/// </summary>
public sealed class SecretScanTests(ImporterDatabase database) : IClassFixture<ImporterDatabase>
{
    private const string ApiToken = "1000001iscan0the0secrets";
    private const string UploadHash = "5f0ehash0of0an0upload";
    private const string Signed = "51gn4tur3of4s1gned4ddress";

    /// <summary>What a careless server may put into an error.</summary>
    private const string Careless =
        $"failed: GET https://api.example/v2/x.json?api_token={ApiToken}&input=https%3A%2F%2Fbucket.example%2Fa.mp4%3FX-Amz-Signature%3D{Signed} (upload https://up.example/post.jpg?uid=1&d=abc&hash={UploadHash})";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_a_run_full_of_errors_no_secret_stands_anywhere()
    {
        // What was accepted is being imported for as long as its clock stands, so that it can be aborted.
        await using var cincopa = await RunningSimulator.StartAsync();
        var log = new KeptLog();
        await using var app = await StartAsync(log, cincopa.Http.BaseAddress!);
        using var client = app.GetTestClient();
        var key = (await app.Services.GetRequiredService<MakeKey>().RunAsync("ada", Role.Admin, null, "test", Token)).Secret;
        var viewer = (await app.Services.GetRequiredService<MakeKey>().RunAsync("eve", Role.Viewer, null, "test", Token)).Secret;
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);

        // A run with a fault of every kind, each of which says too much.
        await PostAsync(client, "/api/v1/accounts", new JsonObject
        { ["name"] = "scan", ["token"] = ApiToken, ["baseUrl"] = cincopa.Http.BaseAddress!.AbsoluteUri });
        var id = await SubmitAsync(client, app.Services);
        var faults = new[] { "refused", "unavailable", "rate_limited", "permission_missing", "token_rejected", "quota_exceeded",
            "bad_gateway", "invalid_json", "reply_cut", "reply_lost", "no_status_id" };
        foreach (var fault in faults)
        {
            await cincopa.ScriptAsync(Script(fault));
            await PostAsync(client, "/api/v1/accounts/scan/check", null);
            await GetAsync(client, "/api/v1/accounts/scan/galleries");
            await RoundAsync(client, app.Services, id);
        }
        await cincopa.ScriptAsync(Script(null));
        await RoundAsync(client, app.Services, id);
        await PostAsync(client, $"/api/v1/imports/{id}/cancel?abortRemote=true", null);
        await cincopa.ScriptAsync(Script("refused"));
        await RoundAsync(client, app.Services, id);
        await cincopa.ScriptAsync(Script(null));
        cincopa.Clock.Advance(TimeSpan.FromMinutes(1));
        await RoundAsync(client, app.Services, id);
        Assert.True(await database.OneAsync<long>("SELECT count(*) FROM importer.import_record WHERE state = 'imported'") > 0,
            "The run imported nothing.");
        Assert.True(log.Lines.Count > 50);
        Assert.True(await database.OneAsync<long>("SELECT count(*) FROM importer.attempt WHERE message LIKE '%***%'") > 5,
            "The run had no error that said too much.");

        // Every answer of the doors.
        var said = new StringBuilder();
        foreach (var path in new[]
        {
            "/api/v1/accounts", "/api/v1/imports", $"/api/v1/imports/{id}", $"/api/v1/imports/{id}/findings", "/api/v1/audit",
                "/api/v1/notifications", "/", $"/imports/{id}",
            $"/imports/{id}/records", "/accounts", "/openapi/v1.json",
        })
        {
            said.Append(await GetAsync(client, path));
        }
        var records = JsonNode.Parse(await GetAsync(client, $"/api/v1/imports/{id}/records?limit=1000"))!["items"]!.AsArray();
        foreach (var record in records)
        {
            said.Append(await GetAsync(client, $"/api/v1/imports/{id}/records/{(int)record!["rowNumber"]!}"))
                .Append(await GetAsync(client, $"/imports/{id}/records/{(int)record["rowNumber"]!}"));
        }
        Assert.Contains("https://bucket.example/7.mp4?X-Amz-Signature=***", said.ToString(), StringComparison.Ordinal);

        // The result files: a viewer's without any secret, an operator's with the addresses that he gave us, to be uploaded again.
        foreach (var format in new[] { "csv", "jsonl", "map" })
        {
            var whole = await GetAsync(client, $"/api/v1/imports/{id}/results?format={format}");
            AssertClean($"an operator's {format} file", whole, null);
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", viewer);
            var viewed = await GetAsync(client, $"/api/v1/imports/{id}/results?format={format}");
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
            AssertClean($"a viewer's {format} file", viewed, Signed);
            Assert.Equal(whole.Replace($"X-Amz-Signature={Signed}", "X-Amz-Signature=***", StringComparison.Ordinal), viewed);
            Assert.Contains(Signed, whole, StringComparison.Ordinal);
        }

        AssertClean("the answers of the doors", said.ToString(), Signed);
        AssertClean("the log", string.Join('\n', log.Lines), Signed);
        foreach (var (column, text) in await DumpAsync())
            AssertClean(column, text, column.EndsWith("import_record.source_url", StringComparison.Ordinal)
                || column.EndsWith("record_now.source_url", StringComparison.Ordinal) ? null : Signed);
    }

    private static void AssertClean(string where, string text, string? signed)
    {
        foreach (var secret in new[] { ApiToken, UploadHash, signed })
        {
            var at = secret is null ? -1 : text.IndexOf(secret, StringComparison.OrdinalIgnoreCase);
            Assert.True(at < 0, at < 0
                ? "" : $"A secret stands in {where}: …{text[Math.Max(0, at - 200)..Math.Min(text.Length, at + 60)]}");
        }
    }

    private static string Script(string? fault) => fault is null
        ? "{}" : $$"""{"rules":[{"fault":"{{fault}}","message":"{{Careless}}"}]}""";

    /// <summary>Every value of every column of our schema, as text; bytes too, in the form in which they hold text.</summary>
    private async Task<List<(string Column, string Text)>> DumpAsync()
    {
        var columns = await database.Source.QueryAsync("""
            SELECT table_schema || '.' || table_name, column_name, data_type FROM information_schema.columns
            WHERE table_schema IN ('importer', 'hangfire') AND data_type IN ('text', 'character varying', 'jsonb', 'json', 'bytea', 'ARRAY')
            """, r => (Table: r.GetString(0), Column: r.GetString(1), Type: r.GetString(2)), Token);
        Assert.True(columns.Count > 40);
        var dump = new List<(string, string)>();
        foreach (var (table, column, type) in columns)
        {
            var value = type == "bytea" ? $"encode(\"{column}\", 'escape')" : $"\"{column}\"::text";
            var texts = await database.Source.QueryAsync($"SELECT {value} FROM {table} WHERE \"{column}\" IS NOT NULL", r =>
                r.GetString(0), Token);
            dump.Add(($"{table}.{column}", string.Join('\n', texts)));
        }
        return dump;
    }

    private static async Task<int> SubmitAsync(HttpClient client, IServiceProvider services)
    {
        var manifest = "url,caption\n"
            + string.Concat(Enumerable.Range(1, 30).Select(n => $"https://bucket.example/{n}.mp4?X-Amz-Signature={Signed},Clip {n}\n"));
        using var body = new StringContent(manifest, Encoding.UTF8, "text/csv");
        using var created = await client.PostAsync("/api/v1/imports?account=scan&chunkSize=30&maxAttempts=50&set=whenUnknown%3Dhold", body,
            Token);
        var id = (int)JsonNode.Parse(await created.Content.ReadAsStringAsync(Token))!["id"]!;
        await services.GetRequiredService<ParseManifest>().RunAsync(id, "manifest", Token);
        await PostAsync(client, $"/api/v1/imports/{id}/start", null);
        return id;
    }

    /// <summary>Everything that a worker does, once, with all of it due.</summary>
    private async Task RoundAsync(HttpClient client, IServiceProvider services, int id)
    {
        await PostAsync(client, "/api/v1/accounts/scan/resume", null);
        await database.SqlAsync("UPDATE importer.import_record SET next_attempt_at = NULL WHERE next_attempt_at IS NOT NULL");
        await database.SqlAsync(
            "UPDATE importer.import_chunk SET state = 'queued', queued_at = now(), due_at = now(), lease_token = NULL, lease_owner = "
                + "NULL, lease_until = NULL, lease_window = 0");
        await services.GetRequiredService<DispatchChunk>().RunAsync(id, 1, "rows 1-30", Token);
        await PostAsync(client, "/api/v1/accounts/scan/resume", null);
        await database.SqlAsync("UPDATE importer.status_poll SET next_poll_at = now()");
        await database.SqlAsync("UPDATE importer.work_batch SET next_at = now()");
        await services.GetRequiredService<StatusPoller>().RunAsync(Token);
        await PostAsync(client, "/api/v1/accounts/scan/resume", null);
        await services.GetRequiredService<AbortRemote>().RunAsync(Token);
        await PostAsync(client, "/api/v1/accounts/scan/resume", null);
        await database.SqlAsync(
            "UPDATE importer.import_record SET finished_at = finished_at - interval '20 minutes' WHERE state = 'unknown'");
        await database.SqlAsync("UPDATE importer.reconcile_look SET next_at = now()");
        await services.GetRequiredService<ReconcileUnknown>().RunAsync(Token);
        await PostAsync(client, "/api/v1/accounts/scan/resume", null);
        await database.SqlAsync("""
            INSERT INTO importer.record_undo (import_id, row_number, account_id, rid, state, next_at, failed_count, in_doubt)
            SELECT r.import_id, r.row_number, i.account_id, r.rid, 'pending', now(), 0, false
            FROM importer.import_record r JOIN importer.import i ON i.id = r.import_id
            WHERE r.import_id = $1 AND r.state = 'imported' AND r.row_number % 2 = 0
            ON CONFLICT (import_id, row_number) DO UPDATE SET state = 'pending', next_at = now()
            """, id);
        await services.GetRequiredService<DeleteAssets>().RunAsync(Token);
    }

    private async Task<WebApplication> StartAsync(KeptLog log, Uri cincopa)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration[FirstAccount.BaseUrlKey] = cincopa.AbsoluteUri;
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Trace).AddProvider(log);
        builder.Services.AddImporter(database.ConnectionString).AddTelemetry(builder.Configuration).AddWeb().AddDispatch().AddStatus()
            .AddReconcile().AddUndo();
        var app = builder.Build();
        app.MapWeb();
        await app.StartAsync(Token);
        return app;
    }

    private static async Task<string> GetAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(path, Token);
        return await answer.Content.ReadAsStringAsync(Token);
    }

    private static async Task PostAsync(HttpClient client, string path, JsonObject? json)
    {
        using var body = new StringContent(json?.ToJsonString() ?? "{}", Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync(path, body, Token);
        AssertClean(path, await answer.Content.ReadAsStringAsync(Token), Signed);
    }

    /// <summary>All that was logged, exceptions in full.</summary>
    private sealed class KeptLog : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull
        {
            Lines.Enqueue(state.ToString() ?? "");
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
