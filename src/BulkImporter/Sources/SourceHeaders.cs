using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using BulkImporter.Data;
using BulkImporter.Manifests;
using Microsoft.AspNetCore.DataProtection;
using Npgsql;

namespace BulkImporter.Sources;

/// <summary>A header as every door shows it: never with its value.</summary>
public sealed record SourceHeaderView(string Host, string Name, DateTimeOffset UpdatedAt);

/// <summary>The request headers that an account's sources want. Values go in and come out again only on the way to their host.</summary>
public sealed class SourceHeaders(NpgsqlDataSource database, IDataProtectionProvider protection)
{
    private const int MostOfAnAccount = 50;

    private const int LongestValue = 8192;

    private const string Set = """
        WITH account AS (
            SELECT id FROM importer.account WHERE name = $1
        ), kept AS (
            INSERT INTO importer.source_header (account_id, host, name, value_protected, updated_at)
            SELECT id, $2, $3, $4, now() FROM account
            ON CONFLICT (account_id, host, name) DO UPDATE SET value_protected = excluded.value_protected, updated_at = excluded.updated_at
        )
        INSERT INTO importer.audit_entry (at, actor, action, account_id, detail) SELECT now(), $5, 'source_header_set', id, $3 || ' for ' || $2 FROM account
        """;

    private const string Remove = """
        WITH removed AS (
            DELETE FROM importer.source_header h USING importer.account a WHERE a.name = $1 AND h.account_id = a.id AND h.host = $2 AND h.name = $3
            RETURNING a.id
        )
        INSERT INTO importer.audit_entry (at, actor, action, account_id, detail) SELECT now(), $4, 'source_header_removed', id, $3 || ' for ' || $2 FROM removed
        """;

    /// <summary>Left alone by us: they say what is asked for, or where a message ends.</summary>
    private static readonly string[] Ours =
        ["host", "range", "if-range", "accept-encoding", "connection", "transfer-encoding", "te", "trailer", "upgrade", "expect", "content-length", "content-type", "proxy-authorization"];

    private static readonly SearchValues<char> TokenCharacters = SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz");

    private readonly IDataProtector protector = protection.CreateProtector("BulkImporter.Sources.Header");

    public async Task<IReadOnlyList<SourceHeaderView>> ListAsync(string account, CancellationToken cancellationToken) => await database.QueryAsync(
        "SELECT h.host, h.name, h.updated_at FROM importer.source_header h JOIN importer.account a ON a.id = h.account_id WHERE a.name = $1 ORDER BY h.host, h.name",
        r => new SourceHeaderView(r.GetString(0), r.GetString(1), r.GetFieldValue<DateTimeOffset>(2)), cancellationToken, account);

    /// <summary>Keeps a header, or replaces its value. False when there is no such account.</summary>
    /// <param name="host">A host over https, with its port unless that is 443; or <c>http://</c> and a host, for a header that may go in clear.</param>
    /// <exception cref="InvalidArgumentException">Host, name or value cannot be used.</exception>
    public async Task<bool> SetAsync(string account, string? host, string? name, string? value, string actor, CancellationToken cancellationToken)
    {
        var (toHost, header, text) = (HostOf(host), NameOf(name), (value ?? "").Trim());
        if (text.Length is 0 or > LongestValue || text.Any(c => c is < ' ' or > '~'))
            throw new InvalidArgumentException("value", $"The value of a header has 1 to {LongestValue:N0} characters of ASCII and no line break.");
        var known = await ListAsync(account, cancellationToken);
        if (known.Count >= MostOfAnAccount && !known.Any(h => h.Host == toHost && h.Name == header))
            throw new InvalidArgumentException("host", $"An account keeps at most {MostOfAnAccount} headers; remove one first.");
        return await database.ExecuteAsync(Set, cancellationToken, account, toHost, header, protector.Protect(text), actor) == 1;
    }

    /// <summary>False when there is no such header.</summary>
    /// <exception cref="InvalidArgumentException">Host or name cannot be one.</exception>
    public async Task<bool> RemoveAsync(string account, string? host, string? name, string actor, CancellationToken cancellationToken) =>
        await database.ExecuteAsync(Remove, cancellationToken, account, HostOf(host), NameOf(name), actor) == 1;

    /// <summary>With their values, for <see cref="ReachSource"/>.</summary>
    /// <exception cref="CryptographicException">The key ring has lost the key of one of them.</exception>
    internal async Task<IReadOnlyList<SecretHeader>> OfAccountAsync(int accountId, CancellationToken cancellationToken) => await database.QueryAsync(
        "SELECT host, name, value_protected FROM importer.source_header WHERE account_id = $1",
        r => new SecretHeader(r.GetString(0), r.GetString(1), protector.Unprotect(r.GetString(2))), cancellationToken, accountId);

    /// <summary>
    /// Where a URL's request goes, as headers are kept for it: <c>media.example.com</c> over https, <c>media.example.com:8443</c> at another port,
    /// <c>http://media.example.com</c> in clear.
    /// </summary>
    internal static string PlaceOf(Uri url) =>
        (url.Scheme == Uri.UriSchemeHttps ? "" : "http://") + (url.HostNameType == UriHostNameType.IPv6 ? url.Host : url.IdnHost).ToLowerInvariant()
        + (url.IsDefaultPort ? "" : string.Create(CultureInfo.InvariantCulture, $":{url.Port}"));

    private static string HostOf(string? host)
    {
        var text = (host ?? "").Trim();
        var inClear = text.StartsWith("http://", StringComparison.OrdinalIgnoreCase);
        return Uri.TryCreate(inClear ? text : $"https://{text}", UriKind.Absolute, out var url) && url.PathAndQuery == "/" && !text.EndsWith('/')
            && url.UserInfo.Length == 0 && url.Fragment.Length == 0 && Uri.CheckHostName(url.Host) != UriHostNameType.Unknown
            ? PlaceOf(url)
            : throw new InvalidArgumentException("host", $"Invalid host '{text}'. Write media.example.com for https, media.example.com:8443 for another port, or http://media.example.com to send the header unencrypted.");
    }

    private static string NameOf(string? name)
    {
        var text = (name ?? "").Trim().ToLowerInvariant();
        if (text.Length is 0 or > 100 || text.AsSpan().ContainsAnyExcept(TokenCharacters)) throw new InvalidArgumentException("name", $"'{text}' is no name of a header; for example: Authorization.");
        return Ours.Contains(text) ? throw new InvalidArgumentException("name", $"'{text}' is set by BulkImporter itself.") : text;
    }
}
