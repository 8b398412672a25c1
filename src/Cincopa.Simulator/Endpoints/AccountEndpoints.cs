using System.Globalization;

namespace Cincopa.Simulator.Endpoints;

/// <summary><c>ping</c>, the <c>token.*</c> and the <c>account.*</c> calls (contract 1.2 and 2.1).</summary>
internal static class AccountEndpoints
{
    public static Result Ping(Call call) => Result.Ok(Reply.Success(call, static (json, c) =>
    {
        json.WriteString("ping"u8, "pong"u8);
        json.WriteString("accid"u8, Assumptions.AccountId);
        json.WriteString("accid_num"u8, Assumptions.AccountNumber);
        json.WriteString("accemail"u8, "account@simulator.test"u8);
        json.WriteString("userid"u8, Assumptions.UserId);
        json.WriteString("userid_num"u8, Assumptions.AccountNumber);
        json.WriteString("useremail"u8, "user@simulator.test"u8);
        json.WriteString("permissions"u8, c.Grant!.Permissions);
        json.WriteString("ip"u8, c.Context.Connection.RemoteIpAddress?.ToString());
        json.WriteBoolean("revertid"u8, false);
    }));

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

        var token = call.Simulator.Tokens.Lend(call.Grant!, lives, call.Query["permissions"], call.Query["sourceip"]);
        return Result.Ok(Reply.Success(token, static (json, text) => json.WriteString("token"u8, text)));
    }

    public static Result Tokens(Call call) =>
        Result.Ok(Reply.Success(call.Simulator.Tokens.OfAccount(call.Query["sub_account"]), static (json, tokens) =>
    {
        json.WriteStartArray("tokens"u8);
        foreach (var grant in tokens)
        {
            json.WriteStartObject();
            json.WriteString("api_token"u8, grant.Token);
            json.WriteString("permissions"u8, grant.Permissions);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }));

    public static Result CreateToken(Call call)
    {
        var account = call.Query["sub_account"];
        if (!string.IsNullOrEmpty(account) && call.Simulator.Tokens.SubAccounts.All(sub => sub.Uid != account))
            return call.Refuse(404, Assumptions.UnknownAccountMessage);
        var grant = call.Simulator.Tokens.Create(account, call.Query["permissions"]);
        return Result.Ok(Reply.Success(grant, static (json, made) => json.WriteString("api_token"u8, made.Token)));
    }

    public static Result SubAccounts(Call call) => Result.Ok(Reply.Success(call.Simulator.Tokens.SubAccounts, static (json, accounts) =>
    {
        json.WriteStartArray("sub_accounts"u8);
        foreach (var account in accounts)
        {
            json.WriteStartObject();
            json.WriteString("uid"u8, account.Uid);
            json.WriteString("account_name"u8, account.Name);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }));

    public static Result AddSubAccount(Call call) =>
        string.IsNullOrEmpty(call.Query["name"])
            ? call.Refuse(400, Assumptions.InvalidInputMessage)
            : Result.Ok(Reply.Success(call.Simulator.Tokens.AddSubAccount(call.Query["name"]!), static (json, account) =>
                json.WriteString("new_sub_account_uid"u8, account.Uid)));
}
