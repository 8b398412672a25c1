using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.RegularExpressions;
using BulkImporter.Hosting;
using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Telemetry;
using Cincopa.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace BulkImporter.Tests.Hosting;

/// <summary>Alone, because the process has one meter: other tests would be measured too.</summary>
[CollectionDefinition(nameof(TelemetryTests), DisableParallelization = true)]
public sealed class AloneWithTheMeter;

[Collection(nameof(TelemetryTests))]
public sealed partial class TelemetryTests(ImporterDatabase database) : IClassFixture<ImporterDatabase>
{
    private const string Token = "a-token-for-scraping";
    private const string Secret = "1234567isecretsecretsecret";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>A row of the table of measures in docs/telemetry.md.</summary>
    private sealed record Documented(string Name, string Prometheus, string Kind, string Unit, string[] Labels);

    [Fact]
    public async Task The_document_names_every_measure_with_its_unit_and_labels_and_no_other()
    {
        var published = new ConcurrentDictionary<string, (string Kind, string Unit)>();
        var labels = new ConcurrentDictionary<string, ConcurrentDictionary<string, bool>>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listen) =>
            {
                if (instrument.Meter.Name != Measures.Source) return;
                published[instrument.Name] = (Kind(instrument), instrument.Unit ?? "");
                listen.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Note(instrument, tags));
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Note(instrument, tags));
        listener.SetMeasurementEventCallback<int>((instrument, _, tags, _) => Note(instrument, tags));
        listener.Start();
        await database.ImportAsync(ImportState.Running, [RecordState.Pending, RecordState.Unknown]);
        await using var app = await StartAsync();
        MeasureEverything();
        await app.Services.GetServices<IHostedService>().OfType<GaugeImports>().Single().ReadAsync(Cancelled);
        listener.RecordObservableInstruments();

        var documented = Table();
        Assert.Equal(
            published.OrderBy(p => p.Key).Select(p => $"{p.Key} {p.Value.Kind} {p.Value.Unit}"),
            documented.OrderBy(d => d.Name).Select(d => $"{d.Name} {d.Kind} {d.Unit}"));
        Assert.Equal(
            labels.OrderBy(l => l.Key).Select(l => $"{l.Key}: {string.Join(' ', l.Value.Keys.Order())}"),
            documented.OrderBy(d => d.Name).Select(d => $"{d.Name}: {string.Join(' ', d.Labels.Order())}"));

        var scraped = await ScrapeAsync(app);
        Assert.All(documented, d => Assert.Contains($"# TYPE {d.Prometheus} ", scraped, StringComparison.Ordinal));
        Assert.Contains("""state="unknown""", scraped, StringComparison.Ordinal);

        void Note(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var known = labels.GetOrAdd(instrument.Name, _ => new());
            foreach (var (name, _) in tags) known[name] = true;
        }
    }

    [Fact]
    public void The_document_names_every_span_and_what_it_carries()
    {
        var page = Repository.Read("docs/telemetry.md");
        var names = typeof(Spans).GetFields().Select(f => (string)f.GetValue(null)!);
        Assert.All(names, name => Assert.Contains(name, page, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("deploy/grafana/bulkimporter.json")]
    [InlineData("deploy/prometheus/alerts.yml")]
    public void Dashboard_and_alerts_ask_only_for_measures_and_labels_that_exist(string file)
    {
        var text = Repository.Read(file);
        if (file.EndsWith(".json", StringComparison.Ordinal)) using (JsonDocument.Parse(text)) { }
        var documented = Table();
        var names = documented.SelectMany(d => d.Kind == "histogram"
            ? new[] { d.Prometheus + "_bucket", d.Prometheus + "_sum", d.Prometheus + "_count" }
            : [d.Prometheus]).ToHashSet();
        var asked = MeasureName().Matches(text).Select(m => m.Value).Distinct().ToList();
        Assert.NotEmpty(asked);
        Assert.All(asked, name => Assert.Contains(name, names));
        string[] theirs = ["le", "job", "instance"];
        var labels = documented.SelectMany(d => d.Labels).Concat(theirs).ToHashSet();
        var used = Grouping().Matches(text).SelectMany(m => m.Groups[1].Value.Split(',', StringSplitOptions.TrimEntries))
            .Concat(Matcher().Matches(text).Select(m => m.Groups[1].Value));
        Assert.All(used.Distinct(), label => Assert.Contains(label, labels));
    }

    [Fact]
    public void Every_alert_says_what_to_do_where_the_operator_looks()
    {
        var page = Repository.Read("docs/operations.md");
        var alerts = Alert().Matches(Repository.Read("deploy/prometheus/alerts.yml")).Select(m => m.Groups[1].Value).ToList();
        Assert.NotEmpty(alerts);
        Assert.All(alerts, name => Assert.Contains($"### {name}", page, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Metrics_open_to_their_own_token_only()
    {
        await using (var app = await StartAsync())
        {
            using var client = app.GetTestClient();
            Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/metrics", Cancelled)).StatusCode);
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "another-token-of-the-length");
            Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/metrics", Cancelled)).StatusCode);
            Assert.Contains("bulkimporter_database_up", await ScrapeAsync(app), StringComparison.Ordinal);
        }
        await using var closed = await StartAsync(token: null);
        using var anybody = closed.GetTestClient();
        Assert.Equal(HttpStatusCode.NotFound, (await anybody.GetAsync("/metrics", Cancelled)).StatusCode);
    }

    [Fact]
    public async Task Gauges_are_gone_and_not_old_while_the_database_does_not_answer()
    {
        await using var cut = new CutDatabase(database.ConnectionString);
        await using var app = await StartAsync(connection: cut.ConnectionString);
        var gauges = app.Services.GetServices<IHostedService>().OfType<GaugeImports>().Single();
        Assert.True(await gauges.ReadAsync(Cancelled));
        Assert.Contains("bulkimporter_records{", await ScrapeAsync(app), StringComparison.Ordinal);

        await cut.CutAsync(Cancelled);
        Assert.False(await gauges.ReadAsync(Cancelled));
        var scraped = await ScrapeAsync(app);
        Assert.DoesNotContain("bulkimporter_records{", scraped, StringComparison.Ordinal);
        Assert.Matches(DatabaseDown(), scraped);
    }

    [Fact]
    public async Task Traces_and_measures_go_to_the_collector_that_is_named_and_hold_neither_token_nor_address()
    {
        var received = new ConcurrentBag<(string Path, string Body)>();
        await using var collector = await CollectAsync(received);
        await using var app = await StartAsync(collector: collector.Urls.First());
        var client = app.Services.GetRequiredService<ICincopaClient>();
        using (var chunk = Measures.Traces.StartActivity(Spans.Chunk, ActivityKind.Consumer))
        {
            Assert.NotNull(chunk);
            // Nobody listens at port 9: the call is measured as never sent.
            await client.UploadFromUrlAsync(new CincopaAccess(new Uri("http://127.0.0.1:9/v2/"), Secret),
                "https://media.example/private-film.mp4?sig=abc", null, null, Cancelled);
            chunk.Broke(new InvalidOperationException("token " + Secret));
        }
        app.Services.GetRequiredService<TracerProvider>().ForceFlush(10_000);
        app.Services.GetRequiredService<MeterProvider>().ForceFlush(10_000);

        Assert.Contains(received, r => r.Path == "/v1/traces" && r.Body.Contains(Spans.Chunk, StringComparison.Ordinal)
            && r.Body.Contains("cincopa submit", StringComparison.Ordinal));
        Assert.Contains(received, r => r.Path == "/v1/metrics" && r.Body.Contains("bulkimporter.call.duration", StringComparison.Ordinal)
            && r.Body.Contains("never_sent", StringComparison.Ordinal));
        Assert.All(received, r => Assert.DoesNotContain(Secret, r.Body, StringComparison.Ordinal));
        Assert.All(received, r => Assert.DoesNotContain("private-film", r.Body, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0.005, true)]
    [InlineData(0.02, false)]
    public void Of_the_calls_a_share_is_traced_and_of_the_chunks_every_one(double chance, bool traced)
    {
        var sampler = new TelemetrySetup.SampleCalls(0.01, () => chance);
        SamplingDecision Of(ActivityKind kind) =>
            sampler.ShouldSample(new SamplingParameters(default, ActivityTraceId.CreateRandom(), "any", kind)).Decision;
        Assert.Equal(traced ? SamplingDecision.RecordAndSample : SamplingDecision.Drop, Of(ActivityKind.Client));
        Assert.Equal(SamplingDecision.RecordAndSample, Of(ActivityKind.Consumer));
    }

    private static void MeasureEverything()
    {
        Measures.CallBegan("submit");
        Measures.CallEnded("submit", "accepted", "none", TimeSpan.FromSeconds(1));
        Measures.PermitWaited("submit", TimeSpan.Zero);
        Measures.ChunkEnded("done", TimeSpan.FromSeconds(1));
        Measures.LoopFailed("finisher", "item", 1);
        Measures.Repeated("40001");
        Measures.LeaseLost();
        Measures.LeaseRescued(1);
        Measures.ManifestRowsRead(1);
        Measures.CountersDiffered(1);
        Measures.Removed("attempts", 1);
    }

    private static List<Documented> Table() => [.. Row().Matches(Repository.Read("docs/telemetry.md")).Select(m => new Documented(
        m.Groups[1].Value, m.Groups[2].Value, m.Groups[3].Value, m.Groups[4].Value,
        [.. Word().Matches(m.Groups[5].Value).Select(w => w.Groups[1].Value)]))];

    private static string Kind(Instrument instrument) => instrument.GetType().Name.Split('`')[0] switch
    {
        "Histogram" => "histogram",
        "Counter" => "counter",
        "UpDownCounter" => "up-down counter",
        _ => "gauge",
    };

    private async Task<WebApplication> StartAsync(string? token = Token, string? connection = null, string? collector = null)
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        builder.Configuration["BulkImporter:Telemetry:MetricsToken"] = token;
        builder.Configuration["BulkImporter:Telemetry:CallSampleRatio"] = "1";
        if (collector is not null)
        {
            builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector;
            builder.Configuration["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
        }
        builder.Services.AddImporter(connection ?? database.ConnectionString).AddTelemetry(builder.Configuration);
        var app = builder.Build();
        app.MapWorkerProbes();
        await app.StartAsync(Cancelled);
        return app;
    }

    private static async Task<WebApplication> CollectAsync(ConcurrentBag<(string Path, string Body)> received)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseSetting("urls", "http://127.0.0.1:0");
        var collector = builder.Build();
        collector.MapPost("/{**path}", async (HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            received.Add((request.Path, System.Text.Encoding.Latin1.GetString(body.ToArray())));
        });
        await collector.StartAsync(Cancelled);
        return collector;
    }

    private static async Task<string> ScrapeAsync(WebApplication app)
    {
        using var client = app.GetTestClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        return await client.GetStringAsync("/metrics", Cancelled);
    }

    [GeneratedRegex(@"^\| `([a-z_.]+)` \| `([a-z_]+)` \| ([a-z-]+(?: counter)?) \| `([^`]+)` \| ([^|]*) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`([a-z_]+)`")]
    private static partial Regex Word();

    [GeneratedRegex(@"\bbulkimporter_[a-z_]+")]
    private static partial Regex MeasureName();

    [GeneratedRegex(@"\bby ?\(([a-z_, ]+)\)")]
    private static partial Regex Grouping();

    [GeneratedRegex(@"[{,]\s*([a-z_]+)(?:=~|!=|=)")]
    private static partial Regex Matcher();

    [GeneratedRegex(@"- alert: (\w+)")]
    private static partial Regex Alert();

    [GeneratedRegex(@"bulkimporter_database_up(?:\{[^}]*\})? 0\b")]
    private static partial Regex DatabaseDown();
}
