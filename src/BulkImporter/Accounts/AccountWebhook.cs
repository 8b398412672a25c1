using System.Security.Cryptography;
using System.Text;
using Cincopa.Client;
using Microsoft.Extensions.Options;

namespace BulkImporter.Accounts;

/// <summary>What became of an order about an account's webhook.</summary>
public abstract record WebhookOrder
{
    private WebhookOrder() { }

    public sealed record Done : WebhookOrder;

    public sealed record NotFound : WebhookOrder;

    /// <summary>The setting that says where Cincopa reaches this server is not there.</summary>
    public sealed record NotConfigured(string Sentence) : WebhookOrder;

    /// <summary>Cincopa did not take the order; the sentence is for people.</summary>
    public sealed record CannotAsk(string Sentence) : WebhookOrder;
}

/// <summary>
/// The address at which Cincopa may tell that a file of an account came in. Its secret part is made from the account's token, so it is stored nowhere,
/// and a replaced token ends it: register again afterwards. Whether and how Cincopa signs deliveries is not known (UNK); the path is what we trust,
/// and only as far as a hint needs it.
/// </summary>
public sealed class AccountWebhook(ReadAccounts accounts, AccountAccess access, ICincopaClient cincopa, IOptions<AccountsOptions> options)
{
    /// <summary>Where deliveries arrive, below the server's root.</summary>
    public const string Path = "hooks/cincopa";

    /// <summary>The one event that is of use (DOC).</summary>
    public const string Event = "asset.uploaded";

    /// <summary>Tells Cincopa to deliver, or not to deliver any more. Doing it again changes nothing.</summary>
    public async Task<WebhookOrder> RunAsync(string name, bool isWanted, CancellationToken cancellationToken)
    {
        if (await accounts.FindAsync(name, cancellationToken) is not { } account) return new WebhookOrder.NotFound();
        if (options.Value.WebhookBaseUrl is not { } root)
            return new WebhookOrder.NotConfigured($"Set {AccountsOptions.Section}:{nameof(AccountsOptions.WebhookBaseUrl)} to the address at which Cincopa reaches this server, then order it again.");
        CincopaAccess remote;
        try
        {
            remote = (await access.GetAsync(account.Id, cancellationToken)).Access;
        }
        catch (InvalidOperationException lost)
        {
            return new WebhookOrder.CannotAsk(lost.Message);
        }
        var secret = SecretOf(account.Id, remote);
        var hook = new Uri(new Uri(root.AbsoluteUri.TrimEnd('/') + "/"), $"{Path}/{account.Name}/{secret}");
        var result = isWanted
            ? await cincopa.SetWebhookAsync(remote, hook, Event, cancellationToken)
            : await cincopa.DeleteWebhookAsync(remote, hook, cancellationToken);
        return result is WebhookResult.Failed failed
            ? new WebhookOrder.CannotAsk($"Cincopa did not take the order: {failed.Error.Message.Replace(secret, "***", StringComparison.OrdinalIgnoreCase)}")
            : new WebhookOrder.Done();
    }

    /// <summary>The account whose address this is; null for any other address.</summary>
    public async Task<int?> AccountOfAsync(string name, string secret, CancellationToken cancellationToken)
    {
        if (options.Value.WebhookBaseUrl is null || await accounts.FindAsync(name, cancellationToken) is not { } account) return null;
        try
        {
            var expected = SecretOf(account.Id, (await access.GetAsync(account.Id, cancellationToken)).Access);
            return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(expected)) ? account.Id : null;
        }
        catch (InvalidOperationException)
        {
            // The token cannot be decrypted: nobody knows the address any more.
            return null;
        }
    }

    private static string SecretOf(int accountId, CincopaAccess access) => Convert.ToHexStringLower(
        HMACSHA256.HashData(Encoding.UTF8.GetBytes(access.ApiToken), Encoding.UTF8.GetBytes($"bulkimporter webhook {accountId}")));
}
