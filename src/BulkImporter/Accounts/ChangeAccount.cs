using BulkImporter.Access;
using BulkImporter.Records;
using Cincopa.Client;

namespace BulkImporter.Accounts;

/// <summary>What to change; null leaves a value as it is. 0 removes a limit.</summary>
/// <param name="Token">A new token, or another verb, makes a suspended account active again.</param>
/// <param name="BaseUrl">Needs the token too.</param>
/// <param name="Anyway">A new token is saved even if Cincopa does not accept it now.</param>
/// <param name="Verb">How upload_from_url is called: auto, get or post.</param>
/// <param name="PlayerTemplate">The gallery or template that embeds play with; empty for none.</param>
/// <param name="HlsAddress">The address of playlists, with {rid} in it; empty for the usual one. It is unproven.</param>
/// <param name="EmbedAddress">The address of embeds, with {fid} and {rid} in it; empty for the usual one. It is unproven.</param>
public sealed record AccountChange(
    double? Rate = null, double? StatusRate = null, int? MaxInFlight = null, int? PerHost = null, int? Backlog = null,
    string? Token = null, string? BaseUrl = null, VerbSetting? Verb = null, bool? Anyway = null, string? PlayerTemplate = null,
    string? HlsAddress = null, string? EmbedAddress = null)
{
    public override string ToString() => string.Join(", ", ((string?[])
    [
        .. AccountLimit.All.Select(l => l.Text(this) is { } limit ? $"{l.Words} {limit}" : null),
        Token is null ? null : "token replaced",
        BaseUrl is null ? null : $"address {BaseUrl}",
        Verb is { } verb ? $"verb {EnumText<VerbSetting>.Of(verb)}" : null,
        PlayerTemplate is null ? null : $"player template {PlayerTemplate}",
        HlsAddress is null ? null : $"playlists at {HlsAddress}",
        EmbedAddress is null ? null : $"embeds at {EmbedAddress}",
    ]).Where(p => p is not null));
}

/// <summary>Changes limits, token, address, verb or player. Every worker follows within 5 seconds, without a restart.</summary>
public sealed class ChangeAccount(IDbContextFactory<ImporterDb> contexts, ProtectToken tokens, ReachCincopa reach, TimeProvider clock)
{
    private const int LongestFid = 250;

    /// <summary>False when there is no account of this name.</summary>
    /// <exception cref="InvalidArgumentException">A limit is negative, or token or address cannot be used.</exception>
    public async Task<bool> RunAsync(string name, AccountChange change, string actor, CancellationToken cancellationToken)
    {
        foreach (var limit in AccountLimit.All) limit.Check(change);
        // Otherwise whoever may change an account could have its token sent to a server of his own, and read it there.
        if (change.BaseUrl is not null && change.Token is null)
            throw new InvalidArgumentException("token",
                "A new URL needs the API token again: the stored token is never sent to a URL that it was not given for.");
        var access = AddAccount.Usable(change.BaseUrl ?? NewAccount.DefaultBaseUrl, change.Token ?? "not-used");
        if (reach.RefusalOf(access.BaseUrl) is { } refusal) throw new InvalidArgumentException("baseUrl", refusal);
        var token = change.Token is null ? null : tokens.Protect(access.ApiToken);
        Changed(new(), change);
        return await contexts.ChangeAsync(async db =>
        {
            if (await db.Set<Account>().SingleOrDefaultAsync(a => a.Name == name, cancellationToken) is not { } account) return false;
            var wasSuspended = account.State == AccountState.Suspended;
            Apply(account, change, change.BaseUrl is null ? null : access.BaseUrl.AbsoluteUri, token);
            account.UpdatedAt = clock.GetUtcNow();
            db.Note(actor, "account_changed", change.ToString(), accountId: account.Id);
            if (wasSuspended && account.State == AccountState.Active) await db.NoteResumedAsync(actor, account, cancellationToken);
            await db.SaveChangesAsync(cancellationToken);
            return true;
        }, cancellationToken);
    }

    private static void Apply(Account account, AccountChange change, string? baseUrl, string? tokenProtected)
    {
        account.Limits = AccountLimit.All.Aggregate(account.Limits, (limits, limit) => limit.With(limits, change));
        account.Player = Changed(account.Player, change);
        var (otherVerb, otherPlace) =
            ((change.Verb ?? account.SubmitVerb) != account.SubmitVerb, (baseUrl ?? account.BaseUrl) != account.BaseUrl);
        // What Cincopa accepted, it accepted at that address and by that verb.
        if (otherVerb || otherPlace) account.FirstAcceptedAt = null;
        account.SubmitVerb = change.Verb ?? account.SubmitVerb;
        if (otherVerb || (otherPlace && account.SubmitVerb == VerbSetting.Auto))
            account.VerbInUse = account.SubmitVerb == VerbSetting.Post ? SubmitVerb.Post : SubmitVerb.Get;
        account.BaseUrl = baseUrl ?? account.BaseUrl;
        if (tokenProtected is not null) (account.TokenProtected, account.Permissions) = (tokenProtected, null);
        if (tokenProtected is not null || change.Verb is not null) account.Activate();
    }

    private static PlayerSettings Changed(PlayerSettings player, AccountChange change)
    {
        var template = change.PlayerTemplate is null ? player.PlayerTemplate : PlainText.Trimmed(change.PlayerTemplate);
        if (template?.Length > LongestFid || template?.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)) == true)
            throw new InvalidArgumentException("playerTemplate",
                $"Give the id of a gallery or template: up to {LongestFid} characters without spaces.");
        return new()
        {
            PlayerTemplate = string.IsNullOrEmpty(template) ? null : template,
            HlsAddress = Address("hlsAddress", change.HlsAddress, player.HlsAddress, PlayerSettings.DefaultHls),
            EmbedAddress = Address("embedAddress", change.EmbedAddress, player.EmbedAddress, PlayerSettings.DefaultEmbed),
        };
    }

    private static string Address(string name, string? changed, string before, string usual)
    {
        if (changed is null) return before;
        var text = PlainText.Trimmed(changed);
        if (text.Length == 0) return usual;
        return AddressTemplate.Parse(name, text).NeedsReferenceId
            ? throw new InvalidArgumentException(name, "Only {rid} and {fid} are known of every asset.") : text;
    }
}
