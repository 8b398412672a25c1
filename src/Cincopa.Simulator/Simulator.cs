using Cincopa.Simulator.Faults;
using Cincopa.Simulator.Remote;

namespace Cincopa.Simulator;

/// <summary>The remote platform as state: who may call, what it holds, how it misbehaves, and what it was asked.</summary>
public sealed class Simulator
{
    private volatile FaultDeck faults;

    public Simulator(SimulatorOptions options)
    {
        Clock = options.Clock;
        Tokens = new Tokens(options.Tokens, Clock);
        Ledger = new Ledger(Clock);
        Library = new Library(Clock);
        Webhooks = new Webhooks(this);
        faults = new FaultDeck(options.Script);
    }

    public TimeProvider Clock { get; }

    /// <summary>Every call that arrived.</summary>
    public Ledger Ledger { get; }

    /// <summary>Imports, assets and galleries.</summary>
    public Library Library { get; }

    /// <summary>Who is told of files that came in.</summary>
    internal Webhooks Webhooks { get; }

    /// <summary>Which tokens are accepted, and for what.</summary>
    public Tokens Tokens { get; }

    /// <summary>
    /// The script in force. Setting it starts its counters (<c>skip</c>, <c>times</c>) afresh; running imports keep the durations they were
    /// given.
    /// </summary>
    public FaultScript Script
    {
        get => faults.Script;
        set => faults = new FaultDeck(value);
    }

    internal FaultDeck Faults => faults;

    /// <summary>Forgets every call, import, asset and gallery. Script and tokens stay.</summary>
    public void Reset()
    {
        Library.Reset();
        Ledger.Reset();
    }

    /// <summary>True when the connection that just opened is to be closed before a byte of it is read.</summary>
    internal bool ClosesUnread()
    {
        if (!faults.HasConnectionRules)
            return false;
        var entry = Ledger.Open(Operation.Connection, method: "", input: null, out var ordinal);
        var draw = faults.Draw(Operation.Connection, input: null, ordinal);
        Ledger.Close(entry, new Answer(draw.Rule is null ? CallOutcome.Ok : CallOutcome.ClosedUnread, HttpStatus: 0));
        return draw.Rule is not null;
    }
}
