using System.Security.Cryptography;
using Cincopa.Client;

namespace BulkImporter.Accounts;

/// <param name="Version">When the account was last changed: what a call says of this access says nothing of a later one.</param>
/// <param name="HasAccepted">Whether Cincopa has ever accepted a submit call so made.</param>
/// <param name="StatusRate">Status calls per second over all workers; 0 for no limit.</param>
/// <param name="MaxInFlight">Submit calls in flight over all workers; 0 for no limit.</param>
public sealed record CurrentAccess(
    CincopaAccess Access, DateTimeOffset Version, bool HasAccepted = false, double StatusRate = 0, int MaxInFlight = 0);

/// <summary>
/// Where and as whom to call for an account. Reads the account each time, so that a replaced token is used at once.
/// </summary>
public sealed class AccountAccess(NpgsqlDataSource database, ProtectToken tokens)
{
    private const string Read = """
        SELECT name, base_url, token_protected, updated_at, verb_in_use, first_accepted_at IS NOT NULL AS has_accepted, status_rate,
            max_in_flight
            FROM importer.account WHERE id = $1
        """;

    /// <exception cref="InvalidOperationException">There is no such account, or its token cannot be decrypted.</exception>
    public async Task<CurrentAccess> GetAsync(int accountId, CancellationToken cancellationToken)
    {
        if (await database.QueryAsync<Stored>(Read, cancellationToken, accountId) is not [var row])
            throw new InvalidOperationException($"There is no account {accountId}.");
        try
        {
            var access = new CincopaAccess(new Uri(row.BaseUrl), tokens.Unprotect(row.TokenProtected)) { SubmitVerb = row.VerbInUse };
            return new(access, row.UpdatedAt, row.HasAccepted, row.StatusRate, row.MaxInFlight);
        }
        catch (CryptographicException e)
        {
            throw new InvalidOperationException(
                $"The token of account '{row.Name}' cannot be decrypted: the key ring (table data_protection_key) has lost its key. Give "
                    + "the account its token again.", e);
        }
    }

    /// <summary>The same for a person: without an access it says why.</summary>
    internal async Task<(CurrentAccess? Access, string Problem)> TryAsync(int accountId, CancellationToken cancellationToken)
    {
        try
        {
            return (await GetAsync(accountId, cancellationToken), "");
        }
        catch (InvalidOperationException lost)
        {
            return (null, lost.Message);
        }
    }

    private sealed record Stored(
        string Name, string BaseUrl, string TokenProtected, DateTimeOffset UpdatedAt, SubmitVerb VerbInUse, bool HasAccepted,
        double StatusRate, int MaxInFlight);
}
