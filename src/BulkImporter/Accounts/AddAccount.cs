using System.Text.RegularExpressions;
using BulkImporter.Data;
using BulkImporter.Manifests;
using Cincopa.Client;
using Npgsql;

namespace BulkImporter.Accounts;

/// <param name="Token">Goes in here and never comes out again.</param>
/// <param name="BaseUrl">Null = Cincopa's public address.</param>
public sealed record NewAccount(string Name, string Token, string? BaseUrl = null)
{
    /// <summary>Cincopa's public address (DOC S1).</summary>
    public const string DefaultBaseUrl = "https://api.cincopa.com/v2/";

    public override string ToString() => $"{nameof(NewAccount)} {{ {nameof(Name)} = {Name} }}";
}

/// <summary>Adds an account together with its two call budgets.</summary>
public sealed partial class AddAccount(NpgsqlDataSource database, ProtectToken tokens, ReachCincopa reach)
{
    private const string Add = """
        WITH added AS (
            INSERT INTO importer.account (
                name, base_url, token_protected, state, rejected_in_a_row, submit_rate, status_rate, max_in_flight, backlog_limit, created_at, updated_at)
            VALUES ($1, $2, $3, 'active', 0, 0, 0, $4, $5, now(), now())
            ON CONFLICT (name) DO NOTHING
            RETURNING id, name, backlog_limit
        ), budgets AS (
            INSERT INTO importer.call_budget (account_id, kind, next_at, blocks_in_a_row, backlog_room)
            SELECT id, kind, now(), 0, CASE kind WHEN 'submit' THEN nullif(backlog_limit, 0) END FROM added, unnest(ARRAY['submit', 'status']) AS kind
        ), noted AS (
            INSERT INTO importer.audit_entry (at, actor, action, account_id) SELECT now(), $6, 'account_added', id FROM added
        )
        SELECT id FROM added
        """;

    /// <summary>False when an account of this name exists already; nothing has changed then.</summary>
    /// <exception cref="InvalidArgumentException">Name, token or address cannot be used.</exception>
    public async Task<bool> RunAsync(NewAccount account, string actor, CancellationToken cancellationToken)
    {
        if (!Name().IsMatch(account.Name)) throw new InvalidArgumentException("name", "A name has 1 to 64 letters, digits, dots, dashes or underscores, and begins with a letter or digit.");
        var access = Usable(account.BaseUrl ?? NewAccount.DefaultBaseUrl, account.Token);
        if (reach.RefusalOf(access.BaseUrl) is { } refusal) throw new InvalidArgumentException("baseUrl", refusal);
        var limits = new Account { Name = account.Name, BaseUrl = "", TokenProtected = "" };
        return await database.QueryAsync(Add, r => r.GetInt32(0), cancellationToken,
            account.Name, access.BaseUrl.AbsoluteUri, tokens.Protect(access.ApiToken), limits.MaxInFlight, limits.BacklogLimit, actor) is [_];
    }

    /// <exception cref="InvalidArgumentException">Token or address cannot be used.</exception>
    internal static CincopaAccess Usable(string baseUrl, string token)
    {
        if (string.IsNullOrWhiteSpace(token)) throw new InvalidArgumentException("token", "The API token is empty.");
        PlainText.RequireSendable("token", PlainText.Trimmed(token));
        if (!Uri.TryCreate(baseUrl, UriKind.Absolute, out var url)) throw new InvalidArgumentException("baseUrl", "The address must be an absolute http or https URL.");
        try
        {
            return new CincopaAccess(url, PlainText.Trimmed(token));
        }
        catch (ArgumentException refused)
        {
            throw new InvalidArgumentException("baseUrl", refused.Message);
        }
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z")]
    private static partial Regex Name();
}
