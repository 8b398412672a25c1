using System.Collections.Concurrent;
using System.Security.Cryptography;
using BulkImporter.Data;
using Cincopa.Client;
using Npgsql;

namespace BulkImporter.Accounts;

/// <summary>Where and as whom to call for an account. A replaced token is used within 5 seconds by every process.</summary>
public sealed class AccountAccess(NpgsqlDataSource database, ProtectToken tokens, TimeProvider clock)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<int, Known> known = new();

    private sealed record Known(CincopaAccess Access, DateTimeOffset UpdatedAt, long ReadAt);

    /// <exception cref="InvalidOperationException">There is no such account, or its token cannot be decrypted.</exception>
    public async ValueTask<CincopaAccess> GetAsync(int accountId, CancellationToken cancellationToken)
    {
        known.TryGetValue(accountId, out var last);
        if (last is not null && clock.GetElapsedTime(last.ReadAt) < Fresh) return last.Access;

        var readAt = clock.GetTimestamp();
        var rows = await database.QueryAsync(
            "SELECT name, base_url, token_protected, updated_at FROM importer.account WHERE id = $1",
            r => (Name: r.GetString(0), BaseUrl: r.GetString(1), Token: r.GetString(2), UpdatedAt: r.GetFieldValue<DateTimeOffset>(3)), cancellationToken, accountId);
        if (rows is not [var row]) throw new InvalidOperationException($"There is no account {accountId}.");

        var access = last is not null && last.UpdatedAt == row.UpdatedAt ? last.Access : Decrypt(row.Name, row.BaseUrl, row.Token);
        known[accountId] = new(access, row.UpdatedAt, readAt);
        return access;
    }

    private CincopaAccess Decrypt(string name, string baseUrl, string token)
    {
        try
        {
            return new CincopaAccess(new Uri(baseUrl), tokens.Unprotect(token));
        }
        catch (CryptographicException e)
        {
            throw new InvalidOperationException($"The token of account '{name}' cannot be decrypted: the key ring (table data_protection_key) has lost its key. Give the account its token again.", e);
        }
    }
}
