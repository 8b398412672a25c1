namespace BulkImporter.Accounts;

/// <summary>Settings under <c>BulkImporter:Accounts</c>.</summary>
public sealed class AccountsOptions
{
    public const string Section = "BulkImporter:Accounts";

    /// <summary>
    /// Whether no row is sent with a token whose permissions lack what <see cref="NeededPermissions"/> names. That list is inferred: should it
    /// be wrong for an account, false lets its imports run all the same; a worker then asks nothing before the first row. Default true.
    /// </summary>
    public bool RequirePermissions { get; set; } = true;

    /// <summary>
    /// Where Cincopa reaches this server, as an absolute http(s) address: what <c>account webhook</c> tells Cincopa to post to. Default none: no
    /// deliveries are taken.
    /// </summary>
    public Uri? WebhookBaseUrl { get; set; }
}
