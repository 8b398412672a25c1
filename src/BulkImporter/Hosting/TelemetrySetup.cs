using System.ComponentModel.DataAnnotations;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using BulkImporter.Access;
using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Telemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace BulkImporter.Hosting;

/// <summary>
/// Metrics, traces and logs of the processes. Traces and metrics are sent to a collector with OpenTelemetry's own variables
/// (<c>OTEL_EXPORTER_OTLP_ENDPOINT</c>).
/// </summary>
public sealed class TelemetryOptions
{
    public const string Section = "BulkImporter:Telemetry";

    /// <summary>
    /// What a scraper presents at <c>/metrics</c>, as <c>Authorization: Bearer …</c>. Not set: <c>/metrics</c> is closed.
    /// </summary>
    public string? MetricsToken { get; set; }

    /// <summary>The share of calls to Cincopa that get their own span in their chunk's trace.</summary>
    [Range(0, 1)]
    public double CallSampleRatio { get; set; } = 0.01;

    /// <summary>One JSON object for each event of the log, for a collector, instead of a line for people.</summary>
    public bool JsonLog { get; set; }
}

/// <summary>
/// Measures and traces for whoever wants them: Prometheus asks at <c>/metrics</c>, a collector is sent both by OTLP when
/// <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> names one. Without a collector no trace is begun.
/// </summary>
public static class TelemetrySetup
{
    public const string MetricsPath = "/metrics";

    /// <summary>The standard variable; the exporter reads the others of its family by itself.</summary>
    internal const string CollectorVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>How often the numbers about all imports are read from the database: as often as scrapers ask.</summary>
    private static readonly TimeSpan ReadInterval = TimeSpan.FromSeconds(15);

    /// <summary>Shorter ones can be guessed.</summary>
    private const int ShortestToken = 16;

    public static IServiceCollection AddTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<TelemetryOptions>().BindConfiguration(TelemetryOptions.Section).ValidateDataAnnotations()
            .Validate(o => string.IsNullOrEmpty(o.MetricsToken) || o.MetricsToken.Length >= ShortestToken,
                $"BulkImporter:Telemetry:MetricsToken must have at least {ShortestToken} characters.")
            .Validate(o => PlainText.IsSendable(o.MetricsToken ?? ""),
                "BulkImporter:Telemetry:MetricsToken holds a character that cannot be sent. Use visible ASCII without blanks.")
            .ValidateOnStart();
        services.AddHostedService(p => new GaugeImports(
            p.GetRequiredService<NpgsqlDataSource>(), p.GetRequiredService<IMeterFactory>(), p.GetRequiredService<TimeProvider>(),
            ReadInterval, p.GetRequiredService<ILogger<GaugeImports>>()));

        services.AddGuesses();
        var toCollector = configuration[CollectorVariable] is { Length: > 0 };
        var telemetry = services.AddOpenTelemetry().WithMetrics(metrics =>
        {
            metrics.ConfigureResource(Name).AddMeter(Measures.Source, "Microsoft.AspNetCore.Hosting", "System.Runtime")
                .AddPrometheusExporter(o => o.ScrapeResponseCacheDurationMilliseconds = 0);
            // Room for series is taken in advance, for each measure: 7 MB by default, of which ours need a few dozen.
            metrics.AddView(_ => new MetricStreamConfiguration { CardinalityLimit = 400 });
            if (toCollector) metrics.AddOtlpExporter();
        });
        if (!toCollector) return services;
        telemetry.WithTracing(traces => traces
            .ConfigureResource(Name)
            .AddSource(Measures.Source)
            .SetSampler(p =>
                new SampleCalls(p.GetRequiredService<IOptions<TelemetryOptions>>().Value.CallSampleRatio,
                    p.GetRequiredService<Func<double>>()))
            .AddOtlpExporter());
        return services;

        void Name(ResourceBuilder resource) => resource.AddService(
            configuration["OTEL_SERVICE_NAME"] is { Length: > 0 } name ? name : "bulkimporter",
            serviceVersion: typeof(TelemetrySetup).Assembly.GetName().Version?.ToString(3),
            serviceInstanceId: WorkerIdentity.OfThisProcess().Name);
    }

    /// <summary>
    /// Prometheus' door. It has a token of its own and needs no database: it must answer just then when the database does not, and a
    /// scraper's credentials should open nothing else.
    /// </summary>
    public static void MapMetrics(this IEndpointRouteBuilder endpoints)
    {
        var expected = endpoints.ServiceProvider.GetRequiredService<IOptions<TelemetryOptions>>().Value.MetricsToken;
        var guesses = endpoints.ServiceProvider.GetRequiredService<Guesses>();
        endpoints.MapPrometheusScrapingEndpoint(MetricsPath, null, metrics => metrics.Use((context, next) =>
        {
            if (string.IsNullOrEmpty(expected))
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return context.Response.WriteAsync(
                    $"Metrics are closed. Set {TelemetryOptions.Section}:MetricsToken, and give it as Authorization: Bearer TOKEN.",
                    context.RequestAborted);
            }
            if (!guesses.MayTry(context)) return Task.CompletedTask;
            if (IsToken(context.Request.Headers.Authorization.ToString(), expected)) return next(context);
            guesses.Wrong(context);
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            context.Response.Headers.WWWAuthenticate = "Bearer";
            return context.Response.WriteAsync("Give the metrics token: Authorization: Bearer TOKEN.", context.RequestAborted);
        }), null).AllowAnonymous();
    }

    private static bool IsToken(string header, string expected) => CryptographicOperations.FixedTimeEquals(
        SHA256.HashData(Encoding.UTF8.GetBytes(header)), SHA256.HashData(Encoding.UTF8.GetBytes("Bearer " + expected)));

    /// <summary>Keeps every chunk and manifest, and of the calls a share: a chunk makes five hundred of them.</summary>
    internal sealed class SampleCalls(double ratio, Func<double> random) : Sampler
    {
        public override SamplingResult ShouldSample(in SamplingParameters samplingParameters) =>
            samplingParameters.Kind == ActivityKind.Client && random() >= ratio
                ? new(SamplingDecision.Drop) : new(SamplingDecision.RecordAndSample);
    }
}
