using Cincopa.Client;

namespace BulkImporter.Accounts;

/// <summary>What Cincopa said about an account's token.</summary>
/// <param name="Permissions">What the token may do, as the API names it; empty when the reply does not say.</param>
/// <param name="Missing">What an import seems to need and Cincopa does not list. It holds nothing back: no list is documented.</param>
/// <param name="Message">Why it does not work; when it does, the warning about what is missing, or null.</param>
public sealed record AccountCheck(
    bool Ok, string? AccountId, string? AccountEmail, IReadOnlyList<string> Permissions, IReadOnlyList<string> Missing, string? Message);

/// <summary>Asks Cincopa whether an account's token works and what it may do.</summary>
public sealed class CheckAccount(ReadAccounts accounts, AccountAccess access, CheckBeforeSending check, ICincopaClient cincopa)
{
    /// <summary>The answer, or null when there is no account of this name.</summary>
    public async Task<AccountCheck?> RunAsync(string name, CancellationToken cancellationToken)
    {
        if (await accounts.FindAsync(name, cancellationToken) is not { } account) return null;
        CurrentAccess current;
        try
        {
            current = await access.GetAsync(account.Id, cancellationToken);
        }
        catch (InvalidOperationException lost)
        {
            return new(false, null, null, [], [], lost.Message);
        }
        switch (await cincopa.PingAsync(current.Access, cancellationToken))
        {
            case PingResult.Ok ok:
                await check.NoteAsync(account.Id, current.Version, ok.Permissions, cancellationToken);
                return new(true, ok.AccountId, ok.AccountEmail,
                    [.. (ok.Permissions?.Atoms ?? new HashSet<string>()).Order(StringComparer.Ordinal)],
                    NeededPermissions.MissingFrom(ok.Permissions), NeededPermissions.Warning(ok.Permissions));
            case PingResult.Failed failed:
                return new(false, null, null, [], [], failed.Error.Message);
            case var other:
                throw new InvalidOperationException($"Unexpected answer to a ping: {other}");
        }
    }
}
