using System.Diagnostics;

namespace BulkImporter.Manifests;

/// <summary>An error keeps the row from becoming a record; a warning does not.</summary>
public enum FindingSeverity
{
    Error,
    Warning,
}

/// <summary>What can be found in a row. The list is closed; a name is what the API, exports and the database have, so it stays.</summary>
public enum FindingCode
{
    UrlMissing,
    UrlNotAbsolute,
    UrlScheme,
    UrlMalformed,
    UrlCredentials,
    UrlTooLong,
    UrlHostPrivate,
    UrlConsumerVideoSite,
    UrlExpired,
    UrlExpiresSoon,
    UrlUnencodedSpace,
    UrlCutBySeparator,
    UrlNotMedia,
    UrlSharePage,
    UrlMadeDirect,
    UrlSeveral,
    UrlHoldsAnother,
    UrlSchemeTwice,
    UrlHiddenCharacter,
    UrlHashInName,
    UrlEndsWithSeparator,
    UrlUnwrapped,
    UrlEntities,
    InvisibleCharacters,
    RowCheckFailed,
    DuplicateUrl,
    DuplicateReferenceId,
    AlreadyImported,
    RepeatedReferenceId,
    NewAddress,
    TransferUnknown,
    OldUrlUnusable,
    ExpectationUnusable,
    TooManyFields,
    UnterminatedQuote,
    TextAfterQuote,
    StrayQuote,
    ColumnsShifted,
    WholeLineQuoted,
    RowCutOff,
    LineSkipped,
    RowsLeftOut,
    RowsMaybeMerged,
    NulByte,
    FieldTooLong,
    TextNotWritten,
    SourceMissing,
    SourceDenied,
    SourceNotReached,
    SourceInside,
    SourceFailed,
    SourceIsAPage,
    SourceIsNoMedia,
    SourceEmpty,
}

public static class FindingCodes
{
    /// <summary>The stable name used in the API, in exports and in the database.</summary>
    public static string Name(this FindingCode code) => EnumText<FindingCode>.Of(code);

    /// <summary>The code of a stable name, as read back from the database or a query.</summary>
    public static FindingCode? Named(string name) => EnumText<FindingCode>.TryParse(name, out var code) ? code : null;

    public static FindingSeverity Severity(this FindingCode code) => Facts(code).Severity;

    /// <summary>What the operator can do about it.</summary>
    public static string Hint(this FindingCode code) => Facts(code).Hint;

    private static (FindingSeverity Severity, string Hint) Facts(FindingCode code) => code switch
    {
        FindingCode.UrlMissing => Error("Add the URL, or remove the row."),
        FindingCode.UrlNotAbsolute => Error("Write the whole URL, beginning with https://."),
        FindingCode.UrlScheme => Error(
            "Only http and https URLs can be fetched. Share the file over https, for example with a pre-signed link."),
        FindingCode.UrlMalformed => Error(
            "The host, the port or a character of this URL is not allowed. Open it in a browser and copy the URL from there."),
        FindingCode.UrlCredentials => Error("Remove the user name and the password from the URL. Use a pre-signed link instead."),
        FindingCode.UrlTooLong => Error(
            "The URL is too long for Cincopa (BulkImporter:Manifests:MaxEncodedLength). Use a shorter link, or let this server "
                + "upload the file: transfer push in the row, or the setting transfer auto."),
        FindingCode.UrlHostPrivate => Error(
            "Cincopa cannot reach this host from the internet. Use a public URL, or let this server upload the file: transfer push, "
                + "with the host's network in BulkImporter:Sources:AllowedNetworks."),
        FindingCode.UrlConsumerVideoSite => Error(
            "This is a watch page, not a media file. Consumer video sites are not supported. Use the URL of the file itself. To move "
                + "a whole channel, ask Cincopa's support."),
        FindingCode.UrlExpired => Error("The signed link has expired. Create new links and upload the manifest again."),
        FindingCode.UrlExpiresSoon => Warning(
            "The signed link expires within a day, or before this import is expected to end. Create links that last for the whole "
                + "import."),
        FindingCode.UrlUnencodedSpace => Warning("The URL has a space. It is used as it is. Write %20 if the source refuses it."),
        FindingCode.UrlCutBySeparator => Error(
            "The row has more fields than the header, and the URL comes last. It probably contains the separator. Put it in double "
                + "quotes."),
        FindingCode.UrlNotMedia => Warning(
            "The URL ends like a web page or a document, not like a media file. It is tried anyway. Check the result."),
        FindingCode.UrlSharePage => Warning(
            "This looks like the page that shows a shared file, not the file. Use the URL that downloads it, which is behind the "
                + "page's download button, or download the file and push it."),
        FindingCode.UrlMadeDirect => Warning(
            "The link shows a page about a file. It was turned into the link of the file itself, as its host documents it. The "
                + "result file keeps the link as you wrote it. With linksAsWritten and the host it is used as written."),
        FindingCode.UrlSeveral => Error(
            "The cell has more than one URL. Write each URL in its own row. The other columns can be repeated."),
        FindingCode.UrlHoldsAnother => Warning(
            "This URL contains a second URL. It is used as it is. If they belong to two files, write each in its own row."),
        FindingCode.UrlSchemeTwice => Error("The URL begins twice. Remove one https:// (or http://)."),
        FindingCode.UrlHiddenCharacter => Warning(
            "The URL has an invisible character, such as a soft hyphen. It is used as it is. If the source does not know it, type "
                + "that part of the URL again."),
        FindingCode.UrlHashInName => Warning(
            "A source ignores everything after a # in a URL. If it belongs to the file's name, write %23 instead."),
        FindingCode.UrlEndsWithSeparator => Warning(
            "The URL ends with a comma or a semicolon. It is used as it is. Remove that character if it only separates this and the "
                + "next value."),
        FindingCode.UrlUnwrapped => Warning(
            "Quotes, brackets or a formula around the URL were removed. There is nothing to do if the URL is right."),
        FindingCode.UrlEntities => Warning(
            "The URL was written as in a web page, for example with &amp; instead of &. It was read as the URL that is meant. There "
                + "is nothing to do if it is right."),
        FindingCode.InvisibleCharacters => Warning(
            "Invisible characters or unusual white space around the value were removed. There is nothing to do."),
        FindingCode.RowCheckFailed => Error(
            "The row could not be checked, because of an error in BulkImporter. Its log has the details. The other rows are not "
                + "affected. Report the row, or write it differently."),
        FindingCode.DuplicateUrl => Error(
            "Another row of this manifest has the same URL, and only the first is sent. Correct the URL, or send all of them "
                + "(duplicateRows=import)."),
        FindingCode.DuplicateReferenceId => Warning(
            "Another row has the same reference id. Both are imported, but the reference id does not tell them apart."),
        FindingCode.AlreadyImported => Error(
            "An earlier import of this account has imported this file, or is importing it. Sending it again makes a second asset "
                + "(alreadyImported=import)."),
        FindingCode.RepeatedReferenceId => Error(
            "Another row of this manifest has the same reference id. Only the first is imported. With matchBy=url rows with "
                + "different URLs are different files."),
        FindingCode.NewAddress => Error(
            "An earlier import of this account has a row with this reference id and another URL: it is the same record with a new "
                + "address. When this import starts, a row that waits there is sent with the new URL, and a failed row gets it: "
                + "rerun that row in its own import. An imported row is left alone. With matchBy=url this row is imported as another "
                + "file."),
        FindingCode.TransferUnknown => Error("Use pull, push, or leave it empty."),
        FindingCode.OldUrlUnusable => Warning(
            "The old address is neither an http or https URL nor a path that begins with /. The file is imported, and the map of old "
                + "addresses leaves this row out."),
        FindingCode.ExpectationUnusable => Warning(
            "The file is imported, and this value is not compared with what arrives. Write size as a number of bytes, md5 as 32 "
                + "hexadecimal digits or in base64, and duration in seconds or as 0:01:02."),
        FindingCode.TooManyFields => Warning(
            "The row has more fields than the header. Put values that contain the separator in double quotes."),
        FindingCode.UnterminatedQuote => Error(
            "A quoted value begins in this row and does not end. Close the quote, or double the quotes that belong to the value."),
        FindingCode.TextAfterQuote => Error("Text follows a closing quote. Double the quotes that belong to the value."),
        FindingCode.StrayQuote => Warning("There is a quote inside a value that does not begin with one. It is kept as text."),
        FindingCode.ColumnsShifted => Error(
            "A quote comes after other text or after an unusual blank, or is an apostrophe, and a separator follows inside the "
                + "quotes. The values would move into the wrong columns. Begin the value with a double quote, and double the quotes "
                + "that belong to it."),
        FindingCode.WholeLineQuoted => Error(
            "The whole row is one quoted value with separators in it. Remove the quotes around the line. If it is one URL, add the "
                + "separators of the empty columns after it."),
        FindingCode.RowCutOff => Warning(
            "The file ends inside this row: it has fewer fields than the rows before it, and no line break. If the file was cut off, "
                + "export it again."),
        FindingCode.LineSkipped => Warning(
            "This line is before the header and not part of the table, like a comment or a title. It is not read. Remove it if it "
                + "should not be there."),
        FindingCode.RowsLeftOut => Warning(
            "The rows from this line onwards are left out: an import can have at most 20 million rows. Upload the rest as another "
                + "manifest."),
        FindingCode.RowsMaybeMerged => Warning("A quoted value contains lines that look like rows. Look for a missing closing quote."),
        FindingCode.NulByte => Error("The row contains a NUL character, which text cannot have. Export the file again."),
        FindingCode.TextNotWritten => Warning(
            "This text will not be written to the asset: it is too long for Cincopa's call, in which a letter beyond ASCII takes 6 "
                + "characters or more (BulkImporter:Manifests:MaxEncodedLength). Shorten it, or set it in Cincopa afterwards."),
        FindingCode.FieldTooLong => Error($"The value is too long for its column. Shorten it: {ManifestFormat.LimitsInWords}."),
        FindingCode.SourceMissing => Warning("The file was not found (404). Correct the URL before you start."),
        FindingCode.SourceDenied => Warning("The source refuses access to the file. Create a new link, or make the file public."),
        FindingCode.SourceNotReached => Warning(
            "The source could not be reached, or the connection was lost. Cincopa may still reach it. Open the URL in a browser."),
        FindingCode.SourceInside => Warning("The URL, or where it redirects to, is inside a private network. Cincopa cannot reach it."),
        FindingCode.SourceFailed => Warning("The source answered with an error. It may be temporary. Check the files again later."),
        FindingCode.SourceIsAPage => Warning("The source answers with a web page, not with a media file. Use the URL of the file itself."),
        FindingCode.SourceIsNoMedia => Warning("The source answers with text or data, not with a media file."),
        FindingCode.SourceEmpty => Warning("The file at the source is empty."),
    };

    private static (FindingSeverity, string) Error(string hint) => (FindingSeverity.Error, hint);

    private static (FindingSeverity, string) Warning(string hint) => (FindingSeverity.Warning, hint);
}

/// <summary>One thing found in one row of a manifest.</summary>
/// <param name="RowNumber">The 1-based data row; 0 when the finding is about a line that is no row.</param>
/// <param name="LineNumber">The 1-based line of the file where the row starts.</param>
/// <param name="Column">The column's name as the file has it; null when the row as a whole is meant.</param>
/// <param name="MaskedValue">The value through <see cref="FindingMask"/>; null when the row as a whole is meant.</param>
/// <param name="Code">What was found.</param>
/// <param name="OtherRowNumber">For duplicates, the row that came first.</param>
/// <param name="Advice">What to do about just this value; null where nothing more is known than what is said of the code.</param>
[DebuggerDisplay("{RowNumber}: {Code} {Column} {MaskedValue}")]
public sealed record Finding(
    int RowNumber, long LineNumber, string? Column, string? MaskedValue, FindingCode Code, int? OtherRowNumber = null,
    string? Advice = null)
{
    public FindingSeverity Severity => Code.Severity();

    public string Hint => Advice ?? Code.Hint();
}
