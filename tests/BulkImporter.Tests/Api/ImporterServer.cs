using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using BulkImporter.Access;
using BulkImporter.Accounts;
using BulkImporter.Api;
using BulkImporter.Hosting;
using BulkImporter.Imports;
using Cincopa.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace BulkImporter.Tests.Api;

/// <summary>The doors over HTTP, in this process, on a database of their own, with a key for each role.</summary>
public sealed class ImporterServer(TestServer server) : IAsyncLifetime
{
    /// <summary>More than the tests of one class make.</summary>
    public const int SignInsPerMinute = 200;

    private WebApplication app = null!;

    public ImporterDatabase Database { get; } = new(server);

    public IServiceProvider Services => app.Services;

    public WebApplication App => app;

    /// <summary>What the account's token is answered with.</summary>
    public PingResult Ping { get; set; } = new PingResult.Ok("AMDA1", null, TokenPermissions.Parse("|asset.*|"));

    /// <summary>What the account's assets are, when they are asked for.</summary>
    public Func<AssetListQuery, AssetListResult> List { get; set; } = query => ScriptedCincopa.Page(query, []);

    /// <summary>Cincopa as the doors meet it.</summary>
    internal ScriptedCincopa Cincopa { get; } = new();

    public string ViewerKey { get; private set; } = "";
    public string OperatorKey { get; private set; } = "";
    public string AdminKey { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        await Database.InitializeAsync();
        Cincopa.OnPing = () => Ping;
        Cincopa.OnList = query => Task.FromResult(List(query));
        app = await StartAnotherAsync();
        await Database.SqlAsync("UPDATE importer.account SET token_protected = $1", Services.GetRequiredService<ProtectToken>()
            .Protect("1i2"));
        var make = Services.GetRequiredService<MakeKey>();
        ViewerKey = (await make.RunAsync("vera", Role.Viewer, null, "test", default)).Secret;
        OperatorKey = (await make.RunAsync("otto", Role.Operator, null, "test", default)).Secret;
        AdminKey = (await make.RunAsync("ada", Role.Admin, null, "test", default)).Secret;
    }

    /// <summary>One more server on the same database, as after a restart or beside this one; the caller ends it.</summary>
    public async Task<WebApplication> StartAnotherAsync(Dictionary<string, string?>? settings = null)
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseTestServer();
        builder.Configuration.AddInMemoryCollection(settings ?? []);
        builder.Configuration["BulkImporter:Access:SignInsPerMinute"] =
            SignInsPerMinute.ToString(System.Globalization.CultureInfo.InvariantCulture);
        builder.Logging.ClearProviders();
        // A hash is made to cost; what the tests ask does not depend on how much.
        builder.Services.Configure<PasswordHasherOptions>(o => o.IterationCount = 1000);
        builder.Services.AddSingleton<ICincopaClient>(Cincopa);
        builder.Services.AddImporter(Database.ConnectionString).AddTelemetry(builder.Configuration).AddWeb();
        var another = builder.Build();
        another.MapWeb();
        await another.StartAsync();
        return another;
    }

    public async ValueTask DisposeAsync()
    {
        if (app is not null) await app.DisposeAsync();
        await Database.DisposeAsync();
    }

    public HttpClient Client(string? key)
    {
        var client = app.GetTestClient();
        if (key is not null) client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    public async Task<(int Status, JsonNode? Body)> SendAsync(string? key, HttpMethod method, string path, HttpContent? content = null,
        string? idempotencyKey = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        if (idempotencyKey is not null) request.Headers.Add("Idempotency-Key", idempotencyKey);
        using var response = await Client(key).SendAsync(request, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var body = response.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true
            ? JsonNode.Parse(text) : null;
        // Whatever a test provokes: a problem is of a type that docs/api.md lists.
        if (response.Content.Headers.ContentType?.MediaType == "application/problem+json")
            Assert.Contains((string?)body!["type"], ProblemTypes);
        return ((int)response.StatusCode, body);
    }

    /// <summary>All members of <see cref="ProblemType"/>.</summary>
    public static IReadOnlyList<string> ProblemTypes { get; } =
        [.. typeof(ProblemType).GetFields().Select(f => (string)f.GetRawConstantValue()!)];

    /// <summary>Waits until the feed has read such an import, which Hangfire's page of imports then shows.</summary>
    public async Task FedAsync(Func<ImportView, bool> isIt)
    {
        using var live = await Client(ViewerKey).GetAsync("/hangfire/imports/live", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, live.StatusCode);
        var feed = Services.GetRequiredService<ImportFeed>();
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watching = feed.WatchList(ImportFilter.All, null, r =>
        {
            if (r.Value is { } list && list.Items.Any(isIt)) told.TrySetResult();
        });
        feed.Hurry(0);
        await told.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    public Task<(int Status, JsonNode? Body)> GetAsync(string? key, string path) => SendAsync(key, HttpMethod.Get, path);

    public Task<(int Status, JsonNode? Body)> PostAsync(string? key, string path, string json = "{}") =>
        SendAsync(key, HttpMethod.Post, path, new StringContent(json, Encoding.UTF8, "application/json"));
}
