namespace BulkImporter.Reconcile;

/// <summary>
/// What speaks for each asset that a record in doubt may have become: the size of the source, and how soon after the attempt it came. That
/// is enough to mark one for a person and never enough to adopt it without one.
/// </summary>
internal static class CompareCandidates
{
    /// <summary>The others must be this many times as far from the attempt.</summary>
    private const double Clearly = 2;

    /// <summary>Times differ by this much for no reason: clocks, and how Cincopa rounds.</summary>
    private static readonly TimeSpan Blur = TimeSpan.FromSeconds(1);

    /// <param name="attemptedAt">When the attempt began; null when nothing is known of it.</param>
    /// <param name="sourceSize">Bytes of the source; null when they are not known.</param>
    public static IReadOnlyList<CandidateView> Judged(
        IReadOnlyList<CandidateView> candidates, DateTimeOffset? attemptedAt, long? sourceSize)
    {
        var likeliest = candidates.Count > 1 ? Likeliest(candidates, attemptedAt, sourceSize) : null;
        return [.. candidates.Select(c =>
            c with { Reason = Reason(c, attemptedAt, sourceSize), IsLikeliest = ReferenceEquals(c, likeliest) })];
    }

    /// <summary>Null when none is clearly ahead.</summary>
    private static CandidateView? Likeliest(IReadOnlyList<CandidateView> candidates, DateTimeOffset? attemptedAt, long? sourceSize)
    {
        var fitting = sourceSize is { } size && candidates.Any(c => c.SizeBytes == size)
            ? candidates.Where(c => c.SizeBytes == size).ToList() : [.. candidates];
        if (fitting is [var only]) return only;
        if (attemptedAt is not { } began) return null;
        List<CandidateView> nearest = [.. fitting.OrderBy(c => Distance(c, began))];
        return Distance(nearest[1], began) >= (Distance(nearest[0], began) * Clearly) + Blur ? nearest[0] : null;
    }

    private static TimeSpan Distance(CandidateView candidate, DateTimeOffset began) => (candidate.UploadedAt - began).Duration();

    private static string Reason(CandidateView candidate, DateTimeOffset? attemptedAt, long? sourceSize)
    {
        List<string> parts = [];
        if (sourceSize is { } size && candidate.SizeBytes is { } own)
            parts.Add(size == own ? "same size as the source" : "another size than the source");
        if (attemptedAt is { } began)
        {
            var after = candidate.UploadedAt - began;
            parts.Add(after.Duration() < Blur ? "uploaded within a second of the attempt"
                : $"uploaded {Words(after.Duration())} {(after < TimeSpan.Zero ? "before" : "after")} the attempt");
        }
        return string.Join(", ", parts);
    }

    private static string Words(TimeSpan time) => time switch
    {
        { TotalMinutes: < 2 } => $"{Math.Floor(time.TotalSeconds)} s",
        { TotalHours: < 2 } => $"{Math.Floor(time.TotalMinutes)} min",
        _ => $"{Math.Floor(time.TotalHours)} h",
    };
}
