using Cincopa.Client;

namespace BulkImporter.Accounts;

/// <summary>An account as every door shows it: never with its token. A limit of 0 means none.</summary>
/// <param name="Reason">Why it is suspended.</param>
/// <param name="Verb">How upload_from_url is called, as it was set.</param>
/// <param name="VerbInUse">How it is called now.</param>
/// <param name="Warning">What may keep Cincopa from taking the account's calls; nothing is held back for it. Null when nothing is
/// known.</param>
/// <param name="InFlight">Records that are being sent: the call is on its way or about to leave, so there may be more of them than calls at
/// the same time.</param>
/// <param name="Outstanding">Records that Cincopa has accepted and not finished now; with those in flight, what counts towards
/// <c>backlog</c>.</param>
/// <param name="PlayerTemplate">The gallery or template that embeds play with; null for the gallery of each asset.</param>
/// <param name="HlsAddress">The address of playlists, with {rid} in it. It is unproven.</param>
/// <param name="EmbedAddress">The address of embeds, with {fid} and {rid} in it. It is unproven.</param>
/// <param name="BlockedUntil">No calls are made before this time; null when not blocked.</param>
public sealed record AccountView(
    int Id, string Name, string BaseUrl, AccountState State, string? Reason, VerbSetting Verb, SubmitVerb VerbInUse,
    string? Warning, int InFlight, int Outstanding, DateTimeOffset? BlockedUntil, string? BlockedReason, DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt, string? PlayerTemplate, string HlsAddress, string EmbedAddress) : AccountLimits;

public sealed class ReadAccounts(NpgsqlDataSource database)
{
    private const string Select = """
        SELECT a.id, a.name, a.base_url, a.state, a.reason, a.submit_rate AS rate, a.status_rate, a.max_in_flight,
            a.per_host_limit AS per_host, a.backlog_limit AS backlog,
            load.in_flight, load.outstanding, b.blocked_until, b.blocked_reason, a.created_at, a.updated_at,
            a.submit_verb AS verb, a.verb_in_use, a.permissions AS warning, a.player_template, a.hls_address,
            a.embed_address
        FROM importer.account a
        LEFT JOIN LATERAL (
            SELECT blocked_until, blocked_reason FROM importer.call_budget
            WHERE account_id = a.id AND blocked_until > now() ORDER BY blocked_until DESC LIMIT 1) b ON true
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(c.submitting_count), 0)::int AS in_flight, coalesce(sum(c.submitted_count), 0)::int AS outstanding
            FROM importer.import i JOIN importer.import_chunk c ON c.import_id = i.id AND c.submitting_count + c.submitted_count > 0
            WHERE i.account_id = a.id AND i.state IN ('running', 'paused', 'cancelled')) load
        """;

    public async Task<IReadOnlyList<AccountView>> ListAsync(CancellationToken cancellationToken) =>
        (await database.QueryAsync<AccountView>($"{Select} ORDER BY a.name", cancellationToken)).ConvertAll(Warned);

    public async Task<AccountView?> FindAsync(string name, CancellationToken cancellationToken) =>
        await database.QueryAsync<AccountView>($"{Select} WHERE a.name = $1", cancellationToken, name) is [var found]
            ? Warned(found) : null;

    /// <summary>What was read in its place are the token's permissions.</summary>
    private static AccountView Warned(AccountView read) =>
        read with { Warning = read.Warning is { } permissions ? NeededPermissions.Warning(TokenPermissions.Parse(permissions)) : null };
}
