using System.Security.Cryptography;
using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Accounts;

/// <summary>The account <c>default</c>, as the environment describes it.</summary>
public sealed class FirstAccount(NpgsqlDataSource database, AddAccount add, ChangeAccount change, ProtectToken tokens)
{
    public const string Name = "default";
    public const string TokenVariable = "CINCOPA_API_TOKEN";
    public const string BaseUrlKey = "Cincopa:BaseUrl";

    private const string Actor = "environment";

    /// <summary>The address that the environment named last, if any: the audit log is where every process finds it. Nobody else writes such an entry.</summary>
    internal const string Named = "SELECT detail FROM importer.audit_entry WHERE action = 'cincopa_named' ORDER BY id DESC LIMIT 1";

    private const string NoteNamed = $"""
        INSERT INTO importer.audit_entry (at, actor, action, detail)
        SELECT now(), '{Actor}', 'cincopa_named', $1 WHERE $1 <> coalesce(({Named}), '{NewAccount.DefaultBaseUrl}')
        """;

    /// <summary>Makes it, or brings its token and address up to date, which resumes it. Without a token in the environment it does nothing.</summary>
    /// <exception cref="InvalidArgumentException">Token or address cannot be used.</exception>
    public async Task EnsureAsync(IConfiguration configuration, CancellationToken cancellationToken)
    {
        if (configuration[TokenVariable] is not { Length: > 0 } token) return;
        var baseUrl = configuration[BaseUrlKey] is { Length: > 0 } set ? set : NewAccount.DefaultBaseUrl;
        var wanted = AddAccount.Usable(baseUrl, token);
        await database.ExecuteAsync(NoteNamed, cancellationToken, wanted.BaseUrl.AbsoluteUri);
        if (await add.RunAsync(new NewAccount(Name, token, baseUrl), Actor, cancellationToken)) return;

        var rows = await database.QueryAsync(
            "SELECT token_protected, base_url FROM importer.account WHERE name = $1", r => (Token: r.GetString(0), BaseUrl: r.GetString(1)), cancellationToken, Name);
        if (rows is [var row] && (row.BaseUrl != wanted.BaseUrl.AbsoluteUri || !IsSame(row.Token, wanted.ApiToken)))
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
