using System.Collections.Concurrent;

namespace Cincopa.Simulator.Remote;

/// <summary>What a token may do. The body of <c>POST /_sim/tokens</c>.</summary>
public sealed record TokenGrant
{
    public required string Token { get; init; }

    /// <summary>Atoms between pipes, as <c>ping</c> shows them.</summary>
    public string Permissions { get; init; } = Assumptions.DefaultPermissions;

    /// <summary>403 or 401: the token is rejected with this status. Absent: it is good.</summary>
    public int? RejectedWith { get; init; }

    /// <summary>Whether the grant covers an atom such as <c>asset.upload</c>: by itself, by <c>asset.*</c>, or by <c>*</c>.</summary>
    internal bool Covers(string atom)
    {
        var family = atom.AsSpan(0, atom.IndexOf('.', StringComparison.Ordinal));
        foreach (var range in Permissions.AsSpan().Split('|'))
        {
            var held = Permissions.AsSpan()[range];
            if (held.SequenceEqual(atom) || held is "*" || (held.EndsWith(".*") && held[..^2].SequenceEqual(family)))
                return true;
        }

        return false;
    }
}

/// <summary>The tokens the simulator knows.</summary>
public sealed class Tokens
{
    private static readonly TokenGrant Anyone = new() { Token = "" };

    private readonly IReadOnlyList<TokenGrant> _atStart;
    private readonly ConcurrentDictionary<string, TokenGrant> _known = new(StringComparer.Ordinal);

    internal Tokens(IReadOnlyList<TokenGrant> atStart)
    {
        _atStart = atStart;
        Reset();
    }

    /// <summary>Adds a token, or changes what it may do from the next call on.</summary>
    public void Set(TokenGrant grant) => _known[grant.Token] = grant;

    /// <summary>Back to the tokens of the start.</summary>
    public void Reset()
    {
        _known.Clear();
        foreach (var grant in _atStart)
            Set(grant);
    }

    /// <summary>The grant of a token; null when it is not known and only named tokens are accepted, or when none was sent.</summary>
    internal TokenGrant? Find(string? token) =>
        string.IsNullOrEmpty(token) ? null
        : _known.TryGetValue(token, out var grant) ? grant
        : _atStart.Count == 0 ? Anyone : null;
}
