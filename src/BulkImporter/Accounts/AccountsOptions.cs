namespace BulkImporter.Accounts;

/// <summary>What is taken for the truth about Cincopa, whose rules are not all published.</summary>
public sealed class AccountsOptions
{
    public const string Section = "BulkImporter:Accounts";

    /// <summary>
    /// Whether a worker pings before an account's first row, so that a rejected token costs no row a call and missing permissions are
    /// warned of.
    /// </summary>
    public bool PingBeforeSending { get; set; } = true;

    /// <summary>
    /// Whether an account is suspended for replies that are not the API's: a page where ping has one too, pages or 405 on the first submit
    /// calls. That such a reply is not Cincopa's own is inferred. False: they are the rows' trouble, and use up attempts.
    /// </summary>
    public bool SuspendOnForeignReplies { get; set; } = true;
}
