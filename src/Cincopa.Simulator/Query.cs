namespace Cincopa.Simulator;

/// <summary>The arguments of a call: they travel in the query string only (OWN).</summary>
internal readonly struct Query(string? raw)
{
    public int Length => raw?.Length ?? 0;

    /// <summary>The decoded value of the first argument of that name, or null.</summary>
    public string? this[string name]
    {
        get
        {
            var rest = raw is { Length: > 1 } ? raw.AsSpan(1) : default;
            while (!rest.IsEmpty)
            {
                var cut = rest.IndexOf('&');
                var pair = cut < 0 ? rest : rest[..cut];
                rest = cut < 0 ? default : rest[(cut + 1)..];
                if (pair.Length > name.Length && pair[name.Length] == '=' && pair.StartsWith(name, StringComparison.Ordinal))
                    return Decode(pair[(name.Length + 1)..]);
            }

            return null;
        }
    }

    /// <summary>A number of at least <paramref name="least"/>; the fallback when it is absent or no number.</summary>
    public int Number(string name, int fallback, int least = 0) =>
        int.TryParse(this[name], out var value) ? Math.Max(value, least) : fallback;

    private static string Decode(ReadOnlySpan<char> text)
    {
        if (!text.ContainsAny('%', '+'))
            return text.ToString();
        return Uri.UnescapeDataString(text.ToString().Replace('+', ' '));
    }
}
