using BulkImporter.Manifests;

namespace BulkImporter.Dashboard;

/// <summary>What was found in a manifest, as a sentence about its rows.</summary>
internal static class FindingWords
{
    /// <summary>"2 rows have no URL."; for a code that this version does not know, the code with spaces.</summary>
    public static string Sentence(string code, int count) => FindingCodes.Named(code) is { } known
        ? $"{Words.Count(count, "row", "rows")} {Of(known, count == 1)}."
        : $"{Words.Count(count, "row", "rows")}: {FailureWords.Title(code)}.";

    /// <summary>"No URL", for one row.</summary>
    public static string Title(FindingCode code)
    {
        var words = Of(code, isOne: true);
        foreach (var begin in (string[])["has ", "is ", "a ", "an ", "the "])
            if (words.StartsWith(begin, StringComparison.Ordinal)) words = words[begin.Length..];
        return char.ToUpperInvariant(words[0]) + words[1..];
    }

    private static string Of(FindingCode code, bool isOne)
    {
        var (have, are) = isOne ? ("has", "is") : ("have", "are");
        return code switch
        {
            FindingCode.UrlMissing => $"{have} no URL",
            FindingCode.UrlNotAbsolute => $"{have} a URL without https://",
            FindingCode.UrlScheme => $"{have} a URL that is not http or https",
            FindingCode.UrlMalformed => $"{have} a URL that cannot be right",
            FindingCode.UrlCredentials => $"{have} a user name or password in the URL",
            FindingCode.UrlTooLong => $"{have} a URL that is too long for Cincopa",
            FindingCode.UrlHostPrivate => $"{have} a URL that Cincopa cannot reach",
            FindingCode.UrlConsumerVideoSite => $"{have} the URL of a watch page",
            FindingCode.UrlExpired => $"{have} a signed link that has expired",
            FindingCode.UrlExpiresSoon => $"{have} a signed link that expires too soon",
            FindingCode.UrlUnencodedSpace => $"{have} a space in the URL",
            FindingCode.UrlCutBySeparator => $"{have} a URL that was cut in two",
            FindingCode.UrlNotMedia => $"{have} a URL that does not look like a media file",
            FindingCode.UrlSharePage => $"{have} the URL of a share page",
            FindingCode.UrlMadeDirect => isOne ? "has a share link, which was made direct" : "have share links, which were made direct",
            FindingCode.UrlSeveral => $"{have} more than one URL",
            FindingCode.UrlHoldsAnother => $"{have} a second URL in the URL",
            FindingCode.UrlSchemeTwice => $"{have} a URL that begins twice",
            FindingCode.UrlHiddenCharacter => $"{have} an invisible character in the URL",
            FindingCode.UrlHashInName => $"{have} a # in the URL",
            FindingCode.UrlEndsWithSeparator => $"{have} a comma or semicolon after the URL",
            FindingCode.UrlUnwrapped => $"{have} a URL that was in quotes or brackets",
            FindingCode.UrlEntities => $"{have} a URL that was written as in a web page",
            FindingCode.InvisibleCharacters => $"{have} invisible characters around a value",
            FindingCode.RowCheckFailed => "could not be checked",
            FindingCode.DuplicateUrl => $"{have} the URL of an earlier row",
            FindingCode.DuplicateReferenceId => $"{have} the reference id of an earlier row",
            FindingCode.AlreadyImported => isOne ? "was imported before" : "were imported before",
            FindingCode.RepeatedReferenceId => $"{have} the reference id of an earlier row, and {are} not sent",
            FindingCode.NewAddress => isOne ? "is a new address of an earlier record" : "are new addresses of earlier records",
            FindingCode.OldUrlUnusable => $"{have} an old address that is no URL",
            FindingCode.ExpectationUnusable => $"{have} a size, md5 or duration that cannot be read",
            FindingCode.TransferUnknown => $"{have} a transfer that is neither pull nor push",
            FindingCode.TooManyFields => $"{have} more values than there are columns",
            FindingCode.UnterminatedQuote => $"{have} a quote that is not closed",
            FindingCode.TextAfterQuote => $"{have} text after a closing quote",
            FindingCode.StrayQuote => $"{have} a quote inside a value",
            FindingCode.ColumnsShifted => $"{have} values in the wrong columns",
            FindingCode.WholeLineQuoted => $"{are} in quotes as a whole",
            FindingCode.RowCutOff => $"{are} cut off at the end of the file",
            FindingCode.LineSkipped => $"before the header {are} not part of the table",
            FindingCode.RowsLeftOut => "and those after it are left out",
            FindingCode.RowsMaybeMerged => $"may have swallowed the rows after {(isOne ? "it" : "them")}",
            FindingCode.NulByte => $"{have} a NUL character",
            FindingCode.TextNotWritten => $"{have} a text that is too long to be written to the asset",
            FindingCode.FieldTooLong => $"{have} a value that is too long",
            FindingCode.SourceMissing => $"{have} a file that was not found (404)",
            FindingCode.SourceDenied => $"{have} a file that the source refuses to give",
            FindingCode.SourceNotReached => $"{have} a source that could not be reached",
            FindingCode.SourceInside => $"{have} a URL that leads into a private network",
            FindingCode.SourceFailed => $"{have} a source that answered with an error",
            FindingCode.SourceIsAPage => $"{have} a URL that leads to a web page",
            FindingCode.SourceIsNoMedia => $"{have} a URL that leads to text or data",
            FindingCode.SourceEmpty => $"{have} an empty file",
        };
    }
}
