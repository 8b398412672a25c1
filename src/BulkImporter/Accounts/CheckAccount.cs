using Cincopa.Client;

namespace BulkImporter.Accounts;

/// <summary>What Cincopa said about an account's token.</summary>
/// <param name="Permissions">What the token may do, as the API names it; empty when the reply does not say.</param>
/// <param name="Missing">What an import seems to need and Cincopa does not list. It holds nothing back: no list is documented.</param>
/// <param name="Message">Why it does not work; when it does, the warning about what is missing, or null.</param>
public sealed record AccountCheck(
    bool Ok, string? AccountId, string? AccountEmail, IReadOnlyList<string> Permissions, IReadOnlyList<string> Missing, string? Message)
{
    /// <summary>Why a token was not saved, for people.</summary>
    internal string NotSaved => $"Nothing was saved, because Cincopa did not confirm the token. {Message?.TrimEnd('.')}. "
        + "Correct what is wrong, or save it anyway.";
}

/// <summary>Asks Cincopa whether an account's token works and what it may do.</summary>
public sealed class CheckAccount(
    ReadAccounts accounts, AccountAccess access, CheckBeforeSending check, ICincopaClient cincopa, TimeProvider clock)
{
    /// <summary>A person waits for the answer.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public async Task<AccountCheck?> RunAsync(string name, CancellationToken cancellationToken)
    {
        if (await accounts.FindAsync(name, cancellationToken) is not { } account) return null;
        var (current, problem) = await access.TryAsync(account.Id, cancellationToken);
        if (current is null) return Failed(problem);
        var ping = await cincopa.PingAsync(current.Access, Patience, clock, cancellationToken);
        if (ping is PingResult.Ok ok) await check.NoteAsync(account.Id, current.Version, ok.Permissions, cancellationToken);
        return Checked(ping);
    }

    /// <summary>The same for a token that is not saved yet: of a new account, or a new one of the account of this name.</summary>
    /// <param name="baseUrl">Null is the account's own address, or Cincopa's.</param>
    /// <exception cref="InvalidArgumentException">Token or address cannot be used.</exception>
    public async Task<AccountCheck?> RunAsync(string? name, string? baseUrl, string token, CancellationToken cancellationToken)
    {
        var account = name is null ? null : await accounts.FindAsync(name, cancellationToken);
        if (name is not null && account is null) return null;
        var place = AddAccount.Usable(baseUrl ?? account?.BaseUrl ?? NewAccount.DefaultBaseUrl, token);
        return Checked(await cincopa.PingAsync(place, Patience, clock, cancellationToken));
    }

    private static AccountCheck Checked(PingResult? ping) => ping switch
    {
        null => Failed($"Cincopa did not answer within {Patience.TotalSeconds:0} seconds."),
        PingResult.Ok ok => new(true, ok.AccountId, ok.AccountEmail,
            [.. (ok.Permissions?.Atoms ?? new HashSet<string>()).Order(StringComparer.Ordinal)],
            NeededPermissions.MissingFrom(ok.Permissions), NeededPermissions.Warning(ok.Permissions)),
        PingResult.Failed failed => Failed(failed.Error.Message),
        _ => throw new InvalidOperationException($"Unexpected answer to a ping: {ping}"),
    };

    private static AccountCheck Failed(string message) => new(false, null, null, [], [], message);
}
