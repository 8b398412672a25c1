using System.IO.Enumeration;
using Cincopa.Simulator.Remote;

namespace Cincopa.Simulator.Faults;

/// <summary>A script in force: its rules with their counters, drawn from for every call.</summary>
internal sealed class FaultDeck
{
    private static readonly ImportPlan WebPage = ImportPlan.Fails(Assumptions.WebPageText);

    private readonly ArmedRule[] rules;

    /// <exception cref="ArgumentException">The script asks for what does not exist.</exception>
    public FaultDeck(FaultScript script)
    {
        if (script.Complaint() is { } complaint)
            throw new ArgumentException(complaint, nameof(script));
        Script = script;
        rules = [.. script.Rules.Select((rule, index) => new ArmedRule(rule, index))];
        HasConnectionRules = script.Rules.Any(rule => rule.On == Operation.Connection);
    }

    public FaultScript Script { get; }

    public bool HasConnectionRules { get; }

    /// <summary>The rule that strikes this call, if any, and how long its answer waits.</summary>
    /// <param name="input">The source URL of the call or of its import, if it has one.</param>
    /// <param name="ordinal">The how-manieth call it is: of this operation and URL, or of this operation; from 1.</param>
    public Draw Draw(Operation operation, string? input, long ordinal)
    {
        var struck = Array.Find(rules, armed => armed.Strikes(Script.Seed, operation, input, ordinal))?.Rule;
        if (struck is null && operation == Operation.Submit && UrlPatterns.Find(input)?.Rule is { } rule && !(ordinal > rule.PerInput))
            struck = rule;

        var latency = operation == Operation.Status ? Script.StatusLatencyMs ?? Script.LatencyMs : Script.LatencyMs;
        if (latency.IsZero && struck is not { DelayMs.IsZero: false })
            return new Draw(struck, TimeSpan.Zero);
        var wait = latency.At(Mix.Unit(Mix.Of(Script.Seed + (int)operation, input, ordinal)));
        return new Draw(struck, struck is null ? wait : wait + struck.DelayMs.At(Mix.Unit(Mix.Of(Script.Seed - 1, input, ordinal))));
    }

    /// <summary>What becomes of an import, and how long it takes.</summary>
    /// <param name="ordinal">The how-manieth accepted submit of this URL it is, from 1.</param>
    public (ImportPlan Plan, TimeSpan Takes) PlanImport(string input, int ordinal)
    {
        var plan = PlanFor(input, ordinal);
        if (plan.FirstOnly && ordinal > 1)
            plan = ImportPlan.Succeeds;
        var takes = Script.ImportMs.IsZero ? TimeSpan.Zero : Script.ImportMs.At(Mix.Unit(Mix.Of(Script.Seed, input, ordinal)));
        return (plan, plan.Stalls ? TimeSpan.MaxValue : takes * plan.Slowness);
    }

    private ImportPlan PlanFor(string input, int ordinal)
    {
        for (var i = 0; i < Script.Outcomes.Count; i++)
        {
            var rule = Script.Outcomes[i];
            if (Fits(rule.Input, input) && Mix.Unit(Mix.Of(Script.Seed + 1000 + i, input, ordinal)) < rule.Share)
                return UrlPatterns.PlanOf(rule.Outcome)!;
        }

        return UrlPatterns.Find(input)?.Plan ?? (FileNames.IsWatchPage(input) ? WebPage : ImportPlan.Succeeds);
    }

    private static bool Fits(string? pattern, string? input) =>
        pattern is null || (input is not null && FileSystemName.MatchesSimpleExpression(pattern, input, ignoreCase: false));

    /// <summary>A rule and how often it was met.</summary>
    private sealed class ArmedRule(FaultRule rule, int index)
    {
        private long met;

        public FaultRule Rule => rule;

        public bool Strikes(long seed, Operation operation, string? input, long ordinal)
        {
            if (rule.On is null ? operation == Operation.Connection : rule.On != operation)
                return false;
            if (ordinal > rule.PerInput || !Fits(rule.Input, input))
                return false;
            if (rule.Share < 1 && Mix.Unit(Mix.Of(seed + 7919L * (index + 1), input, ordinal)) >= rule.Share)
                return false;
            if (rule.Skip == 0 && rule.Times is null)
                return true;
            var met = Interlocked.Increment(ref this.met);
            return met > rule.Skip && !(met - rule.Skip > rule.Times);
        }
    }
}

/// <summary>What was drawn for a call.</summary>
internal readonly record struct Draw(FaultRule? Rule, TimeSpan Wait);
