using Cincopa.Simulator.Faults;
using Cincopa.Simulator.Remote;

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
