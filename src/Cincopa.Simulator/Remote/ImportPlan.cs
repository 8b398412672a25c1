using Cincopa.Simulator.Faults;

namespace Cincopa.Simulator.Remote;

/// <summary>What becomes of an accepted import.</summary>
internal sealed record ImportPlan
{
    public static readonly ImportPlan Succeeds = new();

    /// <summary>The status call's <c>more</c> when the import ends failed; null when it succeeds.</summary>
    public string? FailureText { get; init; }

    /// <summary>Holds for the first accepted import of a URL only.</summary>
    public bool FirstOnly { get; init; }

    /// <summary>Stops at <see cref="Assumptions.StalledAt"/> and never ends.</summary>
    public bool Stalls { get; init; }

    /// <summary>Moves on, slower and slower, and never ends.</summary>
    public bool NeverEnds { get; init; }

    /// <summary>Factor on the time that it takes.</summary>
    public double Slowness { get; init; } = 1;

    /// <summary>Only the first half of the file arrives, and the import ends ready all the same.</summary>
    public bool IsCut { get; init; }

    /// <summary>In place of the script's.</summary>
    public ResidTiming? Resid { get; init; }

    /// <summary>In place of the script's.</summary>
    public StatusVocabulary? Vocabulary { get; init; }

    public static ImportPlan Fails(string text) => new() { FailureText = text };
}
