using System.Buffers;
using System.Security.Cryptography;
using BulkImporter.Access;
using BulkImporter.Sources;
using Microsoft.AspNetCore.DataProtection;

namespace BulkImporter.Accounts;

/// <summary>A header as every door shows it: never with its value.</summary>
public sealed record SourceHeaderView(string Host, string Name, DateTimeOffset UpdatedAt);

/// <summary>The request headers that an account's sources want. Values go in and come out again only on the way to their host.</summary>
public sealed class SourceHeaders(IDbContextFactory<ImporterDb> contexts, IDataProtectionProvider protection, TimeProvider clock)
{
    private const int MostOfAnAccount = 50;

    private const int LongestValue = 8192;

    /// <summary>Left alone by us: they say what is asked for, or where a message ends.</summary>
    private static readonly string[] Ours =
        ["host", "range", "if-range", "accept-encoding", "connection", "transfer-encoding", "te", "trailer", "upgrade", "expect",
            "content-length", "content-type", "proxy-authorization"];

    private static readonly SearchValues<char> TokenCharacters = SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz");

    private readonly IDataProtector protector = protection.CreateProtector("BulkImporter.Sources.Header");

    public async Task<IReadOnlyList<SourceHeaderView>> ListAsync(string account, CancellationToken cancellationToken) =>
        await contexts.ReadAsync(db => db.Set<SourceHeader>().Where(h => h.Account.Name == account)
            .OrderBy(h => h.Host).ThenBy(h => h.Name).Select(h => new SourceHeaderView(h.Host, h.Name, h.UpdatedAt))
            .ToListAsync(cancellationToken));

    /// <summary>Keeps a header, or replaces its value. False when there is no such account.</summary>
    /// <param name="host">A host over https, with its port unless that is 443; or <c>http://</c> and a host, for a header that may go in
    /// clear.</param>
    /// <exception cref="InvalidArgumentException">Host, name or value cannot be used.</exception>
    public async Task<bool> SetAsync(
        string account, string? host, string? name, string? value, string actor, CancellationToken cancellationToken)
    {
        var (toHost, header, text) = (HostOf(host), NameOf(name), (value ?? "").Trim());
        if (text.Length is 0 or > LongestValue || text.Any(c => c is < ' ' or > '~'))
            throw new InvalidArgumentException("value",
                $"The value of a header must have 1 to {LongestValue:N0} ASCII characters and no line break.");
        return await contexts.ChangeAsync(async db =>
        {
            if (await Account.IdAsync(db, account, cancellationToken) is not { } id) return false;
            var kept = await db.Set<SourceHeader>().Where(h => h.AccountId == id).ToListAsync(cancellationToken);
            var one = kept.Find(h => h.Host == toHost && h.Name == header);
            if (one is null && kept.Count >= MostOfAnAccount)
                throw new InvalidArgumentException("host", $"An account can have at most {MostOfAnAccount} headers; remove one first.");
            one ??= db.Add(new SourceHeader { AccountId = id, Host = toHost, Name = header, ValueProtected = "" }).Entity;
            (one.ValueProtected, one.UpdatedAt) = (protector.Protect(text), clock.GetUtcNow());
            db.Note(actor, "source_header_set", $"{header} for {toHost}", accountId: id);
            await db.SaveChangesAsync(cancellationToken);
            return true;
        }, cancellationToken);
    }

    /// <exception cref="InvalidArgumentException">Host or name cannot be one.</exception>
    public Task<bool> RemoveAsync(string account, string? host, string? name, string actor, CancellationToken cancellationToken)
    {
        var (toHost, header) = (HostOf(host), NameOf(name));
        return contexts.ChangeAsync(async db =>
        {
            if (await db.Set<SourceHeader>().SingleOrDefaultAsync(h =>
                h.Account.Name == account && h.Host == toHost && h.Name == header, cancellationToken) is not { } one) return false;
            db.Remove(one);
            db.Note(actor, "source_header_removed", $"{header} for {toHost}", accountId: one.AccountId);
            await db.SaveChangesAsync(cancellationToken);
            return true;
        }, cancellationToken);
    }

    /// <summary>With their values, for <see cref="ReachSource"/>.</summary>
    /// <exception cref="CryptographicException">The key ring has lost the key of one of them.</exception>
    internal async Task<IReadOnlyList<SecretHeader>> OfAccountAsync(int accountId, CancellationToken cancellationToken)
    {
        var kept = await contexts.ReadAsync(db =>
            db.Set<SourceHeader>().AsNoTracking().Where(h => h.AccountId == accountId).ToListAsync(cancellationToken));
        return kept.ConvertAll(h => new SecretHeader(h.Host, h.Name, protector.Unprotect(h.ValueProtected)));
    }

    private static string HostOf(string? host)
    {
        var text = (host ?? "").Trim();
        var inClear = text.StartsWith("http://", StringComparison.OrdinalIgnoreCase);
        return Uri.TryCreate(inClear ? text : $"https://{text}", UriKind.Absolute, out var url) && url.PathAndQuery == "/"
            && !text.EndsWith('/')
            && url.UserInfo.Length == 0 && url.Fragment.Length == 0 && Uri.CheckHostName(url.Host) != UriHostNameType.Unknown
            ? SecretHeader.PlaceOf(url)
            : throw new InvalidArgumentException("host",
                $"Invalid host '{text}'. Write media.example.com for https, media.example.com:8443 for another port, or "
                    + "http://media.example.com to send the header unencrypted.");
    }

    private static string NameOf(string? name)
    {
        var text = (name ?? "").Trim().ToLowerInvariant();
        if (text.Length is 0 or > 100 || text.AsSpan().ContainsAnyExcept(TokenCharacters))
            throw new InvalidArgumentException("name", $"'{text}' is not a valid header name; for example: Authorization.");
        return Ours.Contains(text) ? throw new InvalidArgumentException("name", $"'{text}' is set by BulkImporter itself.") : text;
    }
}
