using BulkImporter.Manifests;
using BulkImporter.Records;

namespace BulkImporter.Dashboard;

/// <summary>What a failure code means and what the operator can do: a title, and a sentence or two.</summary>
internal static class FailureWords
{
    /// <summary>In a few words, of a finding too; for a code that this version does not know, the code with spaces.</summary>
    public static string Title(string code) => EnumText<FailureCode>.TryParse(code, out var known) ? All(known).Title
        : FindingCodes.Named(code) is { } found ? FindingWords.Title(found)
        : code.Length == 0 ? ""
        : char.ToUpperInvariant(code[0]) + code[1..].Replace('_', ' ');

    /// <summary>Null for a code that this version does not know.</summary>
    public static string? Of(string code) => EnumText<FailureCode>.TryParse(code, out var known) ? Of(known) : null;

    public static string Of(FailureCode code) => All(code).Advice;

    private static (string Title, string Advice) All(FailureCode code) => code switch
    {
        FailureCode.SourceNotFound => ("File not found", "The file is not at its URL. Put it there, then rerun."),
        FailureCode.SourceForbidden => ("Access to the file refused",
            "The source refuses access. Make the file public or use a new signed link."),
        FailureCode.SourceTimeout => ("Source too slow", "The source answered too slowly. A rerun often helps."),
        FailureCode.SourceUnreachable => ("Source not reachable",
            "The source's host could not be reached. Check that it is up and public."),
        FailureCode.UnsupportedMedia => ("File type not accepted",
            "Cincopa does not accept this type of file. Check that the URL leads to the file and not to a web page."),
        FailureCode.InvalidInput => ("URL not accepted", "Cincopa did not accept the URL. Check how it is written."),
        FailureCode.RemoteRejected => ("Refused by Cincopa", "Cincopa refused the file. The message says why."),
        FailureCode.RemoteError => ("Internal error at Cincopa", "Cincopa had an internal error. A rerun often helps."),
        FailureCode.RemoteAborted => ("Aborted at Cincopa", "The import was aborted at Cincopa."),
        FailureCode.RateLimited => ("Too many calls", "Cincopa asked everyone to slow down."),
        FailureCode.ApiUnreachable => ("Cincopa not reachable", "Cincopa could not be reached. Check the network from this server."),
        FailureCode.TokenRejected => ("Token not accepted", "Cincopa does not accept the account's token. Replace it."),
        FailureCode.PermissionMissing => ("Permission missing",
            "The account's token lacks a permission. Grant it, then resume the account."),
        FailureCode.QuotaExceeded => ("Quota used up", "The account's quota is used up. Raise it, then resume the account."),
        FailureCode.NotTheApi => ("Not an answer of Cincopa's API",
            "The answer was a page instead of Cincopa's API. Check the account's URL."),
        FailureCode.NotSent => ("Not sent", "The worker stopped before the call was sent. A rerun is safe."),
        FailureCode.ReplyTimeout => ("No answer in time",
            "No answer came in time, so Cincopa may have the file. Look there before you send it again."),
        FailureCode.ReplyLost => ("Connection lost after sending",
            "The connection was lost after sending, so Cincopa may have the file. Look there before you send it again."),
        FailureCode.ReplyUnreadable => ("Answer not readable",
            "The answer could not be read, so Cincopa may have the file. Look there before you send it again."),
        FailureCode.WorkerLost => ("Worker stopped while sending",
            "The worker stopped while sending, so Cincopa may have the file. Look there before you send it again."),
        FailureCode.PushInterrupted => ("Upload interrupted",
            "The upload of the file was interrupted. The next attempt goes on from there. A rerun is safe."),
        FailureCode.StatusLost => ("Upload no longer known at Cincopa",
            "Cincopa no longer knows this upload. Check whether the asset is there before you send it again."),
        FailureCode.AssetUnnamed => ("No asset named by Cincopa",
            "Cincopa says that it is done but names no asset. Look for the asset there before you send it again."),
        FailureCode.DeadlineExceeded => ("Not finished in time",
            "Cincopa did not finish in time and may still do so. Look there before you send it again."),
        FailureCode.GivenUp => ("Given up",
            "Somebody gave this record up while it was in doubt, so Cincopa may have the file. A rerun sends it only if you select it "
                + "by row or code."),
    };
}
