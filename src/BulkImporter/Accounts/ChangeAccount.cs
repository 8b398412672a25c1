using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Accounts;

/// <summary>What to change; null leaves a thing as it is. A limit of 0 lifts it.</summary>
/// <param name="Token">A new token, or another verb, makes a suspended account active again.</param>
/// <param name="BaseUrl">Needs the token too.</param>
/// <param name="Verb">How upload_from_url is called: auto, get or post.</param>
public sealed record AccountChange(
    double? Rate = null, double? StatusRate = null, int? MaxInFlight = null, int? Backlog = null, string? Token = null, string? BaseUrl = null, VerbSetting? Verb = null)
{
    public override string ToString() => string.Join(", ", new[]
    {
        Rate is { } rate ? $"rate {rate}" : null,
        StatusRate is { } statusRate ? $"status rate {statusRate}" : null,
        MaxInFlight is { } inFlight ? $"max in flight {inFlight}" : null,
        Backlog is { } backlog ? $"backlog {backlog}" : null,
        Token is null ? null : "token replaced",
        BaseUrl is null ? null : $"address {BaseUrl}",
        Verb is { } verb ? $"verb {EnumText<VerbSetting>.Of(verb)}" : null,
    }.Where(p => p is not null));
}

/// <summary>Changes limits, token, address or verb. Every worker follows within 5 seconds, without a restart.</summary>
public sealed class ChangeAccount(NpgsqlDataSource database, ProtectToken tokens, ReachCincopa reach)
{
    private const double SlowestRate = 0.0003;

    private const string Change = """
        WITH changed AS (
            UPDATE importer.account SET
                submit_rate = coalesce($2, submit_rate), status_rate = coalesce($3, status_rate),
                max_in_flight = coalesce($4, max_in_flight), backlog_limit = coalesce($5, backlog_limit),
                token_protected = coalesce($6, token_protected), base_url = coalesce($7, base_url),
                permissions = CASE WHEN $6::text IS NULL THEN permissions END,
                submit_verb = coalesce($11, submit_verb),
                verb_in_use = CASE
                    WHEN $11 <> submit_verb THEN CASE $11 WHEN 'post' THEN 'post' ELSE 'get' END
                    WHEN $7 <> base_url AND submit_verb = 'auto' THEN 'get'
                    ELSE verb_in_use END,
                first_accepted_at = CASE WHEN $11 <> submit_verb OR $7 <> base_url THEN NULL ELSE first_accepted_at END,
                state = CASE WHEN $8 THEN 'active' ELSE state END,
                reason = CASE WHEN $8 THEN NULL ELSE reason END,
                rejected_in_a_row = CASE WHEN $8 THEN 0 ELSE rejected_in_a_row END,
                updated_at = now()
            WHERE name = $1
            RETURNING id
        )
        INSERT INTO importer.audit_entry (at, actor, action, account_id, detail) SELECT now(), $9, 'account_changed', id, $10 FROM changed
        """;

    /// <summary>False when there is no account of this name.</summary>
    /// <exception cref="InvalidArgumentException">A limit is negative, or token or address cannot be used.</exception>
    public async Task<bool> RunAsync(string name, AccountChange change, string actor, CancellationToken cancellationToken)
    {
        Possible("rate", change.Rate);
        Possible("statusRate", change.StatusRate);
        NotNegative("maxInFlight", change.MaxInFlight);
        NotNegative("backlog", change.Backlog);
        // Otherwise whoever may change an account could have its token sent to a server of his own, and read it there.
        if (change.BaseUrl is not null && change.Token is null)
            throw new InvalidArgumentException("token", "A new address needs the API token again: the stored token is never sent to an address that it was not given for.");
        var access = AddAccount.Usable(change.BaseUrl ?? NewAccount.DefaultBaseUrl, change.Token ?? "not-used");
        if (reach.RefusalOf(access.BaseUrl) is { } refusal) throw new InvalidArgumentException("baseUrl", refusal);
        return await database.ExecuteAsync(Change, cancellationToken,
            name, change.Rate, change.StatusRate, change.MaxInFlight, change.Backlog,
            change.Token is null ? null : tokens.Protect(access.ApiToken), change.BaseUrl is null ? null : access.BaseUrl.AbsoluteUri,
            change.Token is not null || change.Verb is not null, actor, change.ToString(),
            change.Verb is { } verb ? EnumText<VerbSetting>.Of(verb) : null) == 1;
    }

    /// <summary>Slower than one call in an hour is a pause, and times are counted from the rate: they must not leave what a clock can show.</summary>
    private static void Possible(string argument, double? rate)
    {
        NotNegative(argument, rate);
        if (rate is > 0 and < SlowestRate)
            throw new InvalidArgumentException(argument, "A rate is 0 (no limit) or at least 0.0003 calls per second, about one in an hour. To send nothing, pause the import.");
    }

    private static void NotNegative(string argument, double? limit)
    {
        if (limit is < 0 or double.NaN or double.PositiveInfinity) throw new InvalidArgumentException(argument, "A limit is 0 (none) or more.");
    }
}
