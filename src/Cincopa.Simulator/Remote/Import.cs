using Cincopa.Simulator.Faults;

namespace Cincopa.Simulator.Remote;

/// <summary>One accepted submit. Nothing ticks: where it stands follows from the time at which it is asked.</summary>
/// <param name="Number">Counts accepted submits and pushed files together, from 0; status_id, rid and asset id are made of it.</param>
/// <param name="AttachTo">The number of the asset that it attaches a file to, in place of making one.</param>
/// <param name="Takes"><see cref="TimeSpan.MaxValue"/> when it stalls.</param>
internal sealed record Import(int Number, string Input, string? Fid, int? AttachTo, long StartedAt, TimeSpan Takes, ImportPlan Plan)
{
    private int polls;

    /// <summary>How far it was when it was aborted, 0 to 1; null when nobody aborted it.</summary>
    public double? AbortedAt { get; set; }

    /// <summary>The asset that its gallery shows already; null unless the script lets it show from the start.</summary>
    public Asset? ShownEarly { get; set; }

    /// <summary>Bytes of the file, made up from the URL.</summary>
    public int Size => Assumptions.SmallestFile
        + (int)(Mix.Of(0, Input, 0) % (Assumptions.LargestFile - Assumptions.SmallestFile));

    /// <summary>Bytes of it that arrive.</summary>
    public int Arriving => Plan.IsCut ? Size / 2 : Size;

    /// <summary>The how-manieth status call this is, from 1.</summary>
    public int CountPoll() => Interlocked.Increment(ref polls);

    /// <summary>The share that is done after so much time, 0 to 1.</summary>
    public double DoneAfter(TimeSpan age) =>
        AbortedAt ?? (Plan.NeverEnds ? age / (age + Takes + TimeSpan.FromMilliseconds(1)) : Plan.Stalls
            ? Assumptions.StalledAt : age >= Takes ? 1 : age / Takes);
}

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
