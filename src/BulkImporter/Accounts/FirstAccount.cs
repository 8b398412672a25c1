using System.Security.Cryptography;
using BulkImporter.Access;

namespace BulkImporter.Accounts;

/// <summary>The account <c>default</c>, as the environment describes it.</summary>
public sealed class FirstAccount(IDbContextFactory<ImporterDb> contexts, AddAccount add, ChangeAccount change, ProtectToken tokens)
{
    public const string Name = "default";
    public const string TokenVariable = "CINCOPA_API_TOKEN";
    public const string BaseUrlKey = "Cincopa:BaseUrl";

    private const string Actor = "environment";

    private const string CincopaNamed = "cincopa_named";

    /// <summary>
    /// The address that the environment named last, or null: the audit log is where every process finds it. Nobody else writes such an
    /// entry.
    /// </summary>
    internal static Task<string?> NamedAsync(ImporterDb db, CancellationToken cancellationToken) =>
        db.Set<AuditEntry>().Where(e => e.Action == CincopaNamed).OrderByDescending(e => e.Id).Select(e => e.Detail)
            .FirstOrDefaultAsync(cancellationToken);

    /// <summary>
    /// Makes it, or brings its token and address up to date, which resumes it. Without a token in the environment it does nothing.
    /// </summary>
    /// <exception cref="InvalidArgumentException">Token or address cannot be used.</exception>
    public async Task EnsureAsync(IConfiguration configuration, CancellationToken cancellationToken)
    {
        if (configuration[TokenVariable] is not { Length: > 0 } token) return;
        var baseUrl = configuration[BaseUrlKey] is { Length: > 0 } set ? set : NewAccount.DefaultBaseUrl;
        var wanted = AddAccount.Usable(baseUrl, token);
        await using var db = contexts.CreateDbContext();
        if (wanted.BaseUrl.AbsoluteUri != (await NamedAsync(db, cancellationToken) ?? NewAccount.DefaultBaseUrl))
        {
            db.Note(Actor, CincopaNamed, wanted.BaseUrl.AbsoluteUri);
            await db.SaveChangesAsync(cancellationToken);
        }
        if (await add.RunAsync(new NewAccount(Name, token, baseUrl), Actor, cancellationToken)) return;

        var account = await db.Set<Account>().AsNoTracking().SingleAsync(a => a.Name == Name, cancellationToken);
        if (account.BaseUrl != wanted.BaseUrl.AbsoluteUri || !IsSame(account.TokenProtected, wanted.ApiToken))
            await change.RunAsync(Name, new AccountChange(Token: token, BaseUrl: baseUrl), Actor, cancellationToken);
    }

    private bool IsSame(string tokenProtected, string token)
    {
        try
        {
            return tokens.Unprotect(tokenProtected) == token;
        }
        catch (CryptographicException)
        {
            // The key ring is a new one: the token that we were given now is the only one that can be used.
            return false;
        }
    }
}
