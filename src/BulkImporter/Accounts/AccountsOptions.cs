namespace BulkImporter.Accounts;

/// <summary>What is assumed about Cincopa, whose rules are not all published.</summary>
public sealed class AccountsOptions
{
    public const string Section = "BulkImporter:Accounts";

    /// <summary>
    /// Whether a worker pings before an account's first row, so that no row is sent with a rejected token, and missing permissions cause a
    /// warning.
    /// </summary>
    public bool PingBeforeSending { get; set; } = true;

    /// <summary>
    /// Whether an account is suspended for replies that are not the API's: a page if ping gets one too, or pages or 405 for the first
    /// submit calls. That such a reply is not Cincopa's own is inferred. If false, such replies affect only their rows and use up attempts.
    /// </summary>
    public bool SuspendOnForeignReplies { get; set; } = true;
}
