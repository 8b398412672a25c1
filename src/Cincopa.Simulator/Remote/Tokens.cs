using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;

namespace Cincopa.Simulator.Remote;

/// <summary>What a token may do. The body of <c>POST /_sim/tokens</c>.</summary>
public sealed record TokenGrant
{
    public required string Token { get; init; }

    /// <summary>Atoms between pipes, as <c>ping</c> shows them.</summary>
    public string Permissions { get; init; } = Assumptions.DefaultPermissions;

    /// <summary>403 or 401: the token is rejected with this status. Absent: it is good.</summary>
    public int? RejectedWith { get; init; }

    /// <summary>It is unknown from then on. Absent: it does not expire.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>The only address that may call with it. Absent: any.</summary>
    public string? SourceIp { get; init; }

    /// <summary>The sub-account that it was made for. Absent: the account itself.</summary>
    public string? SubAccount { get; init; }

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

    private const StringSplitOptions Apart = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;

    private bool Has(string atom) => atom.Contains('.') ? Covers(atom) : Permissions.Split('|').Contains(atom);

    /// <summary>The same for another token, with the wanted permissions as far as this grant has them; null wants them all.</summary>
    internal TokenGrant For(string token, string? permissions, DateTimeOffset? expiresAt, string? sourceIp) => this with
    {
        Token = token,
        Permissions = string.IsNullOrEmpty(permissions)
            ? Permissions
            : $"|{string.Join('|', permissions.Split('|', Apart).Where(Has))}|",
        ExpiresAt = ExpiresAt < expiresAt ? ExpiresAt : expiresAt ?? ExpiresAt,
        SourceIp = string.IsNullOrEmpty(sourceIp) ? SourceIp : sourceIp,
    };
}

/// <summary>A sub-account. Its assets are those of the account: one library is all there is.</summary>
public sealed record SubAccount(string Uid, string Name);

/// <summary>The tokens the simulator knows, and the sub-accounts that they can be made for.</summary>
public sealed class Tokens
{
    private static readonly TokenGrant Anyone = new() { Token = "" };

    private readonly IReadOnlyList<TokenGrant> atStart;
    private readonly TimeProvider clock;
    private readonly ConcurrentDictionary<string, TokenGrant> known = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<SubAccount> subAccounts = new();

    internal Tokens(IReadOnlyList<TokenGrant> atStart, TimeProvider clock)
    {
        this.atStart = atStart;
        this.clock = clock;
        Reset();
    }

    internal IReadOnlyCollection<SubAccount> SubAccounts => subAccounts;

    /// <summary>Adds a token, or changes what it may do from the next call on.</summary>
    public void Set(TokenGrant grant) => known[grant.Token] = grant;

    /// <summary>Back to the tokens of the start, without sub-accounts.</summary>
    public void Reset()
    {
        known.Clear();
        subAccounts.Clear();
        foreach (var grant in atStart)
            Set(grant);
    }

    /// <summary>
    /// The grant of a token; null when none was sent, it has expired, comes from an address that it is not for, or is not known and only
    /// named tokens are accepted. Without named tokens an offline token of a parent that was never seen passes as any other does.
    /// </summary>
    internal TokenGrant? Find(string? token, IPAddress? from)
    {
        if (string.IsNullOrEmpty(token))
            return null;
        var grant = known.GetValueOrDefault(token) ?? OfflineToken.Read(token, known.Values) ?? (atStart.Count == 0 ? Anyone : null);
        return grant is null || grant.ExpiresAt <= clock.GetUtcNow()
            || (grant.SourceIp is { } only && !(IPAddress.TryParse(only, out var address) && address.Equals(from)))
            ? null
            : grant;
    }

    /// <summary>A temporary token that may do no more than its parent.</summary>
    internal string Lend(TokenGrant parent, TimeSpan? lives, string? permissions, string? sourceIp)
    {
        var grant = parent.For(NewToken(), permissions, clock.GetUtcNow() + lives, sourceIp);
        Set(grant);
        return grant.Token;
    }

    internal TokenGrant Create(string? subAccount, string? permissions)
    {
        var grant = new TokenGrant
        {
            Token = NewToken(),
            Permissions = string.IsNullOrEmpty(permissions) ? Assumptions.DefaultPermissions : permissions,
            SubAccount = string.IsNullOrEmpty(subAccount) ? null : subAccount,
        };
        Set(grant);
        return grant;
    }

    /// <summary>The tokens of a sub-account, or of the account, that are not temporary.</summary>
    internal IReadOnlyList<TokenGrant> OfAccount(string? subAccount) =>
        [.. known.Values.Where(grant => grant.ExpiresAt is null && (grant.SubAccount ?? "") == (subAccount ?? ""))
            .OrderBy(grant => grant.Token, StringComparer.Ordinal)];

    internal SubAccount AddSubAccount(string name)
    {
        // In the form of account ids (OWN), counted from 1.
        var account = new SubAccount($"AMDA{subAccounts.Count + 1:D8}", name);
        subAccounts.Enqueue(account);
        return account;
    }

    private static string NewToken() =>
        $"{Assumptions.AccountNumber}i{RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz0123456789", Assumptions.TokenLength)}";
}
