using Cincopa.Simulator.Remote;

namespace Cincopa.Simulator.Faults;

/// <summary>
/// What the start of a file name brings about, so that a manifest of URLs alone shows every outcome: <c>…/missing-42.mp4</c> ends failed.
/// The one table; README.md repeats it for people. All of it is INF: nobody published a failed import.
/// </summary>
internal static class UrlPatterns
{
    private static readonly UrlPattern[] Table =
    [
        // Imports that end badly, or late, or not at all.
        new("missing", "ends failed: source returned 404") { Plan = ImportPlan.Fails("source returned 404") },
        new("forbidden", "ends failed: source returned 403") { Plan = ImportPlan.Fails("source returned 403") },
        new("timeout", "ends failed: source timed out") { Plan = ImportPlan.Fails("source timed out") },
        new("notmedia", "ends failed: unsupported media type") { Plan = ImportPlan.Fails(Assumptions.WebPageText) },
        new("broken", "ends failed without a reason") { Plan = ImportPlan.Fails("") },
        new("failonce", "the first import of the URL ends failed: temporary error; later ones succeed") { Plan =
            ImportPlan.Fails("temporary error") with { FirstOnly = true } },
        new("slow", "takes five times as long") { Plan = ImportPlan.Succeeds with { Slowness = 5 } },
        new("cut", "ready, with only the first half of the file") { Plan = ImportPlan.Succeeds with { IsCut = true } },
        new("stalled", "runs without end and without progress") { Plan = ImportPlan.Succeeds with { Stalls = true } },
        new("endless", "runs without end, with progress") { Plan = ImportPlan.Succeeds with { NeverEnds = true } },
        new("norid", "ready without resid, for good") { Plan = ImportPlan.Succeeds with { Resid = ResidTiming.Missing } },
        new("laterid", "ready first, resid later") { Plan = ImportPlan.Succeeds with { Resid = ResidTiming.Late } },
        new("vocab-b", "words of vocabulary B: pending, in_progress, completed") { Plan = ImportPlan.Succeeds
            with { Vocabulary = StatusVocabulary.B } },

        // Submits that are not simply accepted. The second submit of the same URL goes well, except that of "refused" and "quota".
        new("refused", "refused at once: invalid input") { Rule =
            new() { On = Operation.Submit, Fault = Fault.Refused, Style = ReplyStyle.SuccessFalse,
                Message = Assumptions.InvalidInputMessage } },
        new("quota", "refused at once: out of assets quota") { Rule = new() { On = Operation.Submit, Fault = Fault.QuotaExceeded } },
        new("flaky", "the first submit of the URL gets 429 with Retry-After: 1") { Rule =
            new() { On = Operation.Submit, Fault = Fault.RateLimited, PerInput = 1 } },
        new("busy", "the first submit of the URL gets 503: server busy") { Rule =
            new() { On = Operation.Submit, Fault = Fault.Unavailable, PerInput = 1 } },
        new("lost", "the first submit of the URL is accepted, and its reply is lost") { Rule =
            new() { On = Operation.Submit, Fault = Fault.ReplyLost, PerInput = 1 } },
        new("reset", "the first submit of the URL is not accepted, and its connection is reset") { Rule =
            new() { On = Operation.Submit, Fault = Fault.Reset, PerInput = 1 } },
        new("garbled", "the first submit of the URL is accepted, and its reply is no JSON") { Rule =
            new() { On = Operation.Submit, Fault = Fault.InvalidJson, PerInput = 1, Commits = true } },
    ];

    public static IReadOnlyList<UrlPattern> All => Table;

    /// <summary>The pattern that a source URL's file name begins with, or null.</summary>
    public static UrlPattern? Find(string? input)
    {
        if (input is null)
            return null;
        var name = FileNames.LastSegment(input);
        if (!name.Contains('-'))
            return null;
        foreach (var pattern in Table)
        {
            if (name.Length > pattern.Name.Length && name[pattern.Name.Length] == '-'
                && name.StartsWith(pattern.Name, StringComparison.Ordinal))
                return pattern;
        }

        return null;
    }

    /// <summary>The plan of the import outcome of that name, or null.</summary>
    public static ImportPlan? PlanOf(string name) => Array.Find(Table, pattern => pattern.Name == name)?.Plan;
}

/// <summary>One line of the table. The file name begins with <c>Name-</c>.</summary>
internal sealed record UrlPattern(string Name, string Effect)
{
    /// <summary>What becomes of an accepted import.</summary>
    public ImportPlan? Plan { get; init; }

    /// <summary>What becomes of the submit.</summary>
    public FaultRule? Rule { get; init; }
}
