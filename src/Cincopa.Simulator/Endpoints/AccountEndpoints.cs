using System.Globalization;

namespace Cincopa.Simulator.Endpoints;

/// <summary><c>ping</c>, the <c>token.*</c> and the <c>account.*</c> calls (contract 1.2 and 2.1).</summary>
internal static class AccountEndpoints
{
    public static Result Ping(Call call) => call.Ok(
        ("ping", "pong"),
        ("accid", Assumptions.AccountId),
        ("accid_num", Assumptions.AccountNumber),
        ("accemail", "account@simulator.test"),
        ("userid", Assumptions.UserId),
        ("userid_num", Assumptions.AccountNumber),
        ("useremail", "user@simulator.test"),
        ("permissions", call.Grant!.Permissions),
        ("ip", call.Context.Connection.RemoteIpAddress?.ToString()),
        ("revertid", false));

    /// <summary>
    /// <c>ttl</c> in seconds (OWN), empty for a token that does not expire (3P); <c>permissions</c> (3P) never reach beyond those of the
    /// caller (INF).
    /// </summary>
    public static Result TemporaryToken(Call call)
    {
        TimeSpan? lives = null;
        if (call.Query["ttl"] is { Length: > 0 } ttl)
        {
            if (!int.TryParse(ttl, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
                return call.Refuse(400, Assumptions.InvalidInputMessage);
            lives = TimeSpan.FromSeconds(seconds);
        }

        return call.Ok(("token", call.Simulator.Tokens.Lend(call.Grant!, lives, call.Query["permissions"], call.Query["sourceip"])));
    }

    public static Result Tokens(Call call) => call.Ok(("tokens", call.Simulator.Tokens.OfAccount(call.Query["sub_account"])
        .Select(grant => new { api_token = grant.Token, permissions = grant.Permissions })));

    public static Result CreateToken(Call call)
    {
        var account = call.Query["sub_account"];
        return !string.IsNullOrEmpty(account) && call.Simulator.Tokens.SubAccounts.All(sub => sub.Uid != account)
            ? call.Refuse(404, Assumptions.UnknownAccountMessage)
            : call.Ok(("api_token", call.Simulator.Tokens.Create(account, call.Query["permissions"]).Token));
    }

    public static Result SubAccounts(Call call) =>
        call.Ok(("sub_accounts", call.Simulator.Tokens.SubAccounts.Select(sub => new { uid = sub.Uid, account_name = sub.Name })));

    public static Result AddSubAccount(Call call) => call.Query["name"] is { Length: > 0 } name
        ? call.Ok(("new_sub_account_uid", call.Simulator.Tokens.AddSubAccount(name).Uid))
        : call.Refuse(400, Assumptions.InvalidInputMessage);
}
