using BulkImporter.Access;
using Cincopa.Client;

namespace BulkImporter.Accounts;

/// <param name="Token">It can be set here and is never returned.</param>
/// <param name="BaseUrl">Null = Cincopa's public URL.</param>
public sealed record NewAccount(string Name, string Token, string? BaseUrl = null)
{
    /// <summary>Cincopa's public address (DOC S1).</summary>
    public const string DefaultBaseUrl = "https://api.cincopa.com/v2/";

    public override string ToString() => $"{nameof(NewAccount)} {{ {nameof(Name)} = {Name} }}";
}

/// <summary>Adds an account together with its two call budgets.</summary>
public sealed class AddAccount(IDbContextFactory<ImporterDb> contexts, ProtectToken tokens, ReachCincopa reach, TimeProvider clock)
{
    /// <summary>False when an account of this name exists already; nothing has changed then.</summary>
    /// <exception cref="InvalidArgumentException">Name, token or address cannot be used.</exception>
    public async Task<bool> RunAsync(NewAccount account, string actor, CancellationToken cancellationToken)
    {
        PlainText.RequireName(account.Name);
        var access = Usable(account.BaseUrl ?? NewAccount.DefaultBaseUrl, account.Token);
        if (reach.RefusalOf(access.BaseUrl) is { } refusal) throw new InvalidArgumentException("baseUrl", refusal);
        var tokenProtected = tokens.Protect(access.ApiToken);
        return await contexts.ChangeAsync(async db =>
        {
            if (await db.Set<Account>().AnyAsync(a => a.Name == account.Name, cancellationToken)) return false;
            var now = clock.GetUtcNow();
            var added = db.Add(new Account
            {
                Name = account.Name,
                BaseUrl = access.BaseUrl.AbsoluteUri,
                TokenProtected = tokenProtected,
                CreatedAt = now,
                UpdatedAt = now
            }).Entity;
            db.AddRange(CallBudget.Of(added));
            await db.SaveChangesAsync(cancellationToken);
            db.Note(actor, "account_added", accountId: added.Id);
            await db.SaveChangesAsync(cancellationToken);
            return true;
        }, cancellationToken);
    }

    /// <exception cref="InvalidArgumentException">Token or address cannot be used.</exception>
    internal static CincopaAccess Usable(string baseUrl, string token)
    {
        if (string.IsNullOrWhiteSpace(token)) throw new InvalidArgumentException("token", "The API token is empty.");
        PlainText.RequireSendable("token", PlainText.Trimmed(token));
        if (!Uri.TryCreate(baseUrl, UriKind.Absolute, out var url))
            throw new InvalidArgumentException("baseUrl", "The address must be an absolute http or https URL.");
        try
        {
            return new CincopaAccess(url, PlainText.Trimmed(token));
        }
        catch (ArgumentException refused)
        {
            throw new InvalidArgumentException("baseUrl", refused.Message);
        }
    }
}
