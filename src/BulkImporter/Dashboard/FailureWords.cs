using BulkImporter.Data;
using BulkImporter.Records;

namespace BulkImporter.Dashboard;

/// <summary>What a failure code means and what the operator can do, in a sentence each.</summary>
internal static class FailureWords
{
    /// <summary>Null for a code that this version does not know.</summary>
    public static string? Of(string code) => EnumText<FailureCode>.TryParse(code, out var known) ? Of(known) : null;

    public static string Of(FailureCode code) => code switch
    {
        FailureCode.SourceNotFound => "The file is not at its address. Put it there, then rerun.",
        FailureCode.SourceForbidden => "The source refuses access. Make the file public or use a fresh signed link.",
        FailureCode.SourceTimeout => "The source answered too slowly. A rerun often helps.",
        FailureCode.SourceUnreachable => "The source's host could not be reached. Check that it is up and public.",
        FailureCode.UnsupportedMedia => "Not a media file that Cincopa takes. Check that the address is the file and not a page.",
        FailureCode.InvalidInput => "Cincopa refused the address itself. Check how it is written.",
        FailureCode.RemoteRejected => "Cincopa refused it; the message says why.",
        FailureCode.RemoteError => "Cincopa had an error of its own. A rerun often helps.",
        FailureCode.RemoteAborted => "The import was aborted on Cincopa's side.",
        FailureCode.RateLimited => "Cincopa asked everyone to slow down.",
        FailureCode.ApiUnreachable => "Cincopa could not be reached. Check the network from this server.",
        FailureCode.TokenRejected => "The account's token is not accepted. Replace it, then resume the account.",
        FailureCode.PermissionMissing => "The account's token lacks a permission. Grant it, then resume the account.",
        FailureCode.QuotaExceeded => "The account's storage or asset quota is used up. Raise it, then resume the account.",
        FailureCode.NotTheApi => "A page answered where Cincopa's API was expected. Check the account's address.",
        FailureCode.NotSent => "The worker stopped before the call left. A rerun is safe.",
        FailureCode.ReplyTimeout => "No answer came in time, so Cincopa may have taken it. Look there before you send it again.",
        FailureCode.ReplyLost => "The connection broke after sending, so Cincopa may have taken it. Look there before you send it again.",
        FailureCode.ReplyUnreadable => "The answer could not be read, so Cincopa may have taken it. Look there before you send it again.",
        FailureCode.WorkerLost => "The worker died while sending, so Cincopa may have taken it. Look there before you send it again.",
        FailureCode.PushInterrupted => "Sending the file broke off; the next attempt goes on from there. A rerun is safe.",
        FailureCode.StatusLost => "Cincopa no longer knows this import. Look whether the asset is there before you send it again.",
        FailureCode.AssetUnnamed => "Cincopa says that it is done but named no asset. Look for it there before you send it again.",
        FailureCode.DeadlineExceeded => "Cincopa did not finish it in time and may still do so. Look there before you send it again.",
        FailureCode.GivenUp => "It was in doubt and somebody gave it up, so Cincopa may have it. A rerun takes it only when it is named.",
    };
}
