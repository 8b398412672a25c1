using Cincopa.Simulator.Endpoints;
using Cincopa.Simulator.Faults;
using Cincopa.Simulator.Remote;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Cincopa.Simulator;

/// <summary>How a simulator starts.</summary>
public sealed record SimulatorOptions
{
    /// <summary>Where to listen; port 0 takes a free one. Default: loopback, free port.</summary>
    public string Urls { get; init; } = "http://127.0.0.1:0";

    /// <summary>
    /// The only tokens accepted. Default: empty, any token is accepted with <see cref="Assumptions.DefaultPermissions"/>.
    /// </summary>
    public IReadOnlyList<TokenGrant> Tokens { get; init; } = [];

    /// <summary>The fault script at start. Default: none.</summary>
    public FaultScript Script { get; init; } = FaultScript.None;

    /// <summary>Runs import durations, latency and the ledger's times. A test may give a clock that it moves by hand.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}

/// <summary>A running simulator on a port of its own: in a process of its own, or inside a test or a benchmark.</summary>
public sealed class SimulatorHost : IAsyncDisposable
{
    private readonly WebApplication app;

    private SimulatorHost(WebApplication app, Simulator simulator, Uri baseAddress)
    {
        this.app = app;
        Simulator = simulator;
        BaseAddress = baseAddress;
    }

    /// <summary>Ends with <c>/v2/</c>, so that <c>new Uri(BaseAddress, "ping.json")</c> reaches the API.</summary>
    public Uri BaseAddress { get; }

    /// <summary>The state behind the port: ledger, faults, tokens, library.</summary>
    public Simulator Simulator { get; }

    public static async Task<SimulatorHost> StartAsync(SimulatorOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new SimulatorOptions();
        var simulator = new Simulator(options);

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddConsole().SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.UseUrls(options.Urls);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // A pushed chunk is 51 MB by default, and a URL may be longer than Kestrel likes: the simulator refuses it itself.
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MaxRequestLineSize = 64 * 1024;
            kestrel.ConfigureEndpointDefaults(listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.Use(next => connection => simulator.ClosesUnread() ? Close(connection) : next(connection));
            });
        });

        var app = builder.Build();
        var api = new ApiEndpoint(simulator, app.Lifetime.ApplicationStopping);
        var control = new ControlEndpoint(simulator);
        app.Run(context => context.Request.Path.StartsWithSegments("/_sim", StringComparison.Ordinal)
            ? control.HandleAsync(context)
            : context.Request.Path.StartsWithSegments("/media", StringComparison.Ordinal) ? MediaEndpoint.HandleAsync(context, simulator)
            : api.HandleAsync(context));
        await app.StartAsync(cancellationToken);

        var address = app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
        return new SimulatorHost(app, simulator, new Uri(new Uri(address), "/v2/"));

        static Task Close(Microsoft.AspNetCore.Connections.ConnectionContext connection)
        {
            connection.Abort();
            return Task.CompletedTask;
        }
    }

    /// <summary>Completes when the process is told to stop (Ctrl-C, SIGTERM).</summary>
    public Task WaitForShutdownAsync() => app.WaitForShutdownAsync();

    /// <summary>Stops at once: calls that hang are cut, as when a remote machine goes away.</summary>
    public async ValueTask DisposeAsync()
    {
        await app.StopAsync(new CancellationToken(canceled: true));
        await app.DisposeAsync();
        Simulator.Webhooks.Dispose();
    }
}
