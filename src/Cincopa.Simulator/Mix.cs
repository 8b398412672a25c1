namespace Cincopa.Simulator;

/// <summary>Numbers that look like chance and come out the same in every run, whatever order the calls arrive in.</summary>
internal static class Mix
{
    /// <summary>Spreads every bit of the value over the whole word (the finaliser of SplitMix64).</summary>
    public static ulong Spread(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }

    /// <summary>A hash of a text that does not change from process to process, unlike <see cref="string.GetHashCode()"/>.</summary>
    public static ulong Of(long seed, string? text, long ordinal)
    {
        var hash = Spread((ulong)seed);
        foreach (var c in text.AsSpan())
            hash = (hash ^ c) * 0x100000001B3;
        return Spread(hash ^ ((ulong)ordinal * 0xD1342543DE82EF95));
    }

    /// <summary>At least 0, below 1.</summary>
    public static double Unit(ulong bits) => (bits >> 11) * (1.0 / (1UL << 53));
}
