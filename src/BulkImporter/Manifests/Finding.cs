using System.Diagnostics;

namespace BulkImporter.Manifests;

/// <summary>An error keeps the row from becoming a record; a warning does not.</summary>
public enum FindingSeverity
{
    Error,
    Warning,
}

/// <summary>What can be found in a row. The list is closed; the names on the wire are <see cref="FindingCodes.Name"/>.</summary>
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
    SourceNotFound,
    SourceForbidden,
    SourceUnreachable,
    SourceInside,
    SourceFails,
    SourceIsPage,
    SourceIsNoMedia,
    SourceEmpty,
}

public static class FindingCodes
{
    private static readonly Dictionary<string, FindingCode> ByName = Enum.GetValues<FindingCode>().ToDictionary(Name);

    /// <summary>The stable name used in the API, in exports and in the database.</summary>
    public static string Name(this FindingCode code) => code switch
    {
        FindingCode.UrlMissing => "url_missing",
        FindingCode.UrlNotAbsolute => "url_not_absolute",
        FindingCode.UrlScheme => "url_scheme",
        FindingCode.UrlMalformed => "url_malformed",
        FindingCode.UrlCredentials => "url_credentials",
        FindingCode.UrlTooLong => "url_too_long",
        FindingCode.UrlHostPrivate => "url_host_private",
        FindingCode.UrlConsumerVideoSite => "url_consumer_video_site",
        FindingCode.UrlExpired => "url_expired",
        FindingCode.UrlExpiresSoon => "url_expires_soon",
        FindingCode.UrlUnencodedSpace => "url_unencoded_space",
        FindingCode.UrlCutBySeparator => "url_cut_by_separator",
        FindingCode.UrlNotMedia => "url_not_media",
        FindingCode.UrlSharePage => "url_share_page",
        FindingCode.UrlMadeDirect => "url_made_direct",
        FindingCode.UrlSeveral => "url_several",
        FindingCode.UrlHoldsAnother => "url_holds_another",
        FindingCode.UrlSchemeTwice => "url_scheme_twice",
        FindingCode.UrlHiddenCharacter => "url_hidden_character",
        FindingCode.UrlHashInName => "url_hash_in_name",
        FindingCode.UrlEndsWithSeparator => "url_ends_with_separator",
        FindingCode.UrlUnwrapped => "url_unwrapped",
        FindingCode.UrlEntities => "url_entities",
        FindingCode.InvisibleCharacters => "invisible_characters",
        FindingCode.RowCheckFailed => "row_check_failed",
        FindingCode.DuplicateUrl => "duplicate_url",
        FindingCode.DuplicateReferenceId => "duplicate_reference_id",
        FindingCode.AlreadyImported => "already_imported",
        FindingCode.RepeatedReferenceId => "repeated_reference_id",
        FindingCode.NewAddress => "new_address",
        FindingCode.TransferUnknown => "transfer_unknown",
        FindingCode.OldUrlUnusable => "old_url_unusable",
        FindingCode.ExpectationUnusable => "expectation_unusable",
        FindingCode.TooManyFields => "too_many_fields",
        FindingCode.UnterminatedQuote => "unterminated_quote",
        FindingCode.TextAfterQuote => "text_after_quote",
        FindingCode.StrayQuote => "stray_quote",
        FindingCode.ColumnsShifted => "columns_shifted",
        FindingCode.WholeLineQuoted => "whole_line_quoted",
        FindingCode.RowCutOff => "row_cut_off",
        FindingCode.LineSkipped => "line_skipped",
        FindingCode.RowsLeftOut => "rows_left_out",
        FindingCode.RowsMaybeMerged => "rows_maybe_merged",
        FindingCode.NulByte => "nul_byte",
        FindingCode.FieldTooLong => "field_too_long",
        FindingCode.TextNotWritten => "text_not_written",
        FindingCode.SourceNotFound => "source_missing",
        FindingCode.SourceForbidden => "source_denied",
        FindingCode.SourceUnreachable => "source_not_reached",
        FindingCode.SourceInside => "source_inside",
        FindingCode.SourceFails => "source_failed",
        FindingCode.SourceIsPage => "source_is_a_page",
        FindingCode.SourceIsNoMedia => "source_is_no_media",
        FindingCode.SourceEmpty => "source_empty",
    };

    /// <summary>The code of a stable name, as read back from the database or a query.</summary>
    public static FindingCode? Named(string name) => ByName.TryGetValue(name, out var code) ? code : null;

    public static FindingSeverity Severity(this FindingCode code) => code switch
    {
        FindingCode.UrlExpiresSoon
            or FindingCode.UrlUnencodedSpace
            or FindingCode.UrlNotMedia
            or FindingCode.UrlSharePage
            or FindingCode.UrlMadeDirect
            or FindingCode.UrlHoldsAnother
            or FindingCode.UrlHiddenCharacter
            or FindingCode.UrlHashInName
            or FindingCode.UrlEndsWithSeparator
            or FindingCode.UrlUnwrapped
            or FindingCode.UrlEntities
            or FindingCode.InvisibleCharacters
            or FindingCode.DuplicateReferenceId
            or FindingCode.OldUrlUnusable
            or FindingCode.ExpectationUnusable
            or FindingCode.TextNotWritten
            or FindingCode.TooManyFields
            or FindingCode.StrayQuote
            or FindingCode.RowCutOff
            or FindingCode.LineSkipped
            or FindingCode.RowsLeftOut
            or FindingCode.RowsMaybeMerged
            or FindingCode.SourceNotFound
            or FindingCode.SourceForbidden
            or FindingCode.SourceUnreachable
            or FindingCode.SourceInside
            or FindingCode.SourceFails
            or FindingCode.SourceIsPage
            or FindingCode.SourceIsNoMedia
            or FindingCode.SourceEmpty => FindingSeverity.Warning,
        FindingCode.UrlMissing
            or FindingCode.UrlNotAbsolute
            or FindingCode.UrlScheme
            or FindingCode.UrlMalformed
            or FindingCode.UrlCredentials
            or FindingCode.UrlTooLong
            or FindingCode.UrlHostPrivate
            or FindingCode.UrlConsumerVideoSite
            or FindingCode.UrlExpired
            or FindingCode.UrlCutBySeparator
            or FindingCode.UrlSeveral
            or FindingCode.UrlSchemeTwice
            or FindingCode.RowCheckFailed
            or FindingCode.DuplicateUrl
            or FindingCode.AlreadyImported
            or FindingCode.RepeatedReferenceId
            or FindingCode.NewAddress
            or FindingCode.TransferUnknown
            or FindingCode.UnterminatedQuote
            or FindingCode.TextAfterQuote
            or FindingCode.ColumnsShifted
            or FindingCode.WholeLineQuoted
            or FindingCode.NulByte
            or FindingCode.FieldTooLong => FindingSeverity.Error,
    };

    /// <summary>What the operator can do about it.</summary>
    public static string Hint(this FindingCode code) => code switch
    {
        FindingCode.UrlMissing => "Add the URL, or remove the row.",
        FindingCode.UrlNotAbsolute => "Write the whole URL, beginning with https://.",
        FindingCode.UrlScheme => "Only http and https URLs can be fetched. Share the file over https, for example with a pre-signed link.",
        FindingCode.UrlMalformed =>
            "The host, the port or a character of this URL is not allowed. Open it in a browser and copy the URL from there.",
        FindingCode.UrlCredentials => "Remove the user name and the password from the URL. Use a pre-signed link instead.",
        FindingCode.UrlTooLong =>
            "The URL is too long for Cincopa (BulkImporter:Manifests:MaxEncodedLength). Use a shorter link, "
                + "or let this server upload the file: transfer push in the row, or the setting transfer auto.",
        FindingCode.UrlHostPrivate =>
            "Cincopa cannot reach this host from the internet. Use a public URL, or let this server upload the file: transfer push, "
                + "with the host's network in BulkImporter:Sources:AllowedNetworks.",
        FindingCode.UrlConsumerVideoSite =>
            "This is a watch page, not a media file. Consumer video sites are not supported. Use the URL of the file itself. "
            + "To move a whole channel, ask Cincopa's support.",
        FindingCode.UrlExpired => "The signed link has expired. Create new links and upload the manifest again.",
        FindingCode.UrlExpiresSoon =>
            "The signed link expires within a day, or before this import is expected to end. Create links that last for the whole import.",
        FindingCode.UrlUnencodedSpace => "The URL has a space. It is used as it is. Write %20 if the source refuses it.",
        FindingCode.UrlCutBySeparator =>
            "The row has more fields than the header, and the URL comes last. It probably contains the separator. Put it in double quotes.",
        FindingCode.UrlNotMedia =>
            "The URL ends like a web page or a document, not like a media file. It is tried anyway. Check the result.",
        FindingCode.UrlSharePage =>
            "This looks like the page that shows a shared file, not the file. Use the URL that downloads it, which stands behind the "
            + "page's download button, or download the file and push it.",
        FindingCode.UrlMadeDirect =>
            "The link shows a page about a file. It was turned into the link of the file itself, as its host documents it. The result file "
            + "keeps the link as you wrote it. With linksAsWritten and the host it is used as written.",
        FindingCode.UrlSeveral =>
            "The cell has more than one URL. Write each URL in its own row. The other columns can be repeated.",
        FindingCode.UrlHoldsAnother =>
            "This URL contains a second URL. It is used as it is. If they belong to two files, write each in a "
            + "row of its own.",
        FindingCode.UrlSchemeTwice => "The URL begins twice. Remove one https:// (or http://).",
        FindingCode.UrlHiddenCharacter =>
            "The URL has an invisible character, such as a soft hyphen. It is used as it is. If the source does not "
            + "know it, type that part of the URL again.",
        FindingCode.UrlHashInName =>
            "A source ignores everything after a # in a URL. If it belongs to the file's name, "
            + "write %23 in its place.",
        FindingCode.UrlEndsWithSeparator =>
            "The URL ends with a comma or a semicolon. It is used as it is. Remove that character if it only separates this and the "
            + "next value.",
        FindingCode.UrlUnwrapped =>
            "Quotes, brackets or a formula around the URL were removed. There is nothing to do if the URL is "
            + "right.",
        FindingCode.UrlEntities =>
            "The URL was written as in a web page, for example with &amp; instead of &. It was read as the URL that is "
            + "meant. There is nothing to do if it is right.",
        FindingCode.InvisibleCharacters =>
            "Invisible characters or unusual white space around the value were removed. There is nothing to "
            + "do.",
        FindingCode.RowCheckFailed =>
            "The row could not be checked, because of an error in BulkImporter. Its log has the details. The other rows are not affected. "
            + "Report the row, or write it in another way.",
        FindingCode.DuplicateUrl =>
            "Another row of this manifest has the same URL, and only the first is sent. Correct the URL, or send all of them "
            + "(duplicateRows=import).",
        FindingCode.DuplicateReferenceId =>
            "Another row has the same reference id. Both are imported, but the reference id does not tell them apart.",
        FindingCode.AlreadyImported =>
            "An earlier import of this account has imported this file, or is importing it. Sending it again makes a second asset "
                + "(alreadyImported=import).",
        FindingCode.RepeatedReferenceId =>
            "Another row of this manifest has the same reference id. Only the first is imported. With matchBy=url rows with different "
                + "URLs are different files.",
        FindingCode.NewAddress =>
            "An earlier import of this account has a row with this reference id and another URL: it is the same record with a new address. "
                + "When this import starts, a row that waits there is sent with the new URL, and a failed row gets it: rerun that row in "
                + "its own import. An imported row is left alone. With matchBy=url this row is imported as another file.",
        FindingCode.TransferUnknown => "Use pull, push, or leave it empty.",
        FindingCode.OldUrlUnusable =>
            "The old address is neither an http or https URL nor a path that begins with /. The file is imported, and the map of old "
                + "addresses leaves this row out.",
        FindingCode.ExpectationUnusable =>
            "The file is imported, and this value is not compared with what arrives. Write size as a number of bytes, md5 as 32 "
                + "hexadecimal digits or in base64, and duration in seconds or as 0:01:02.",
        FindingCode.TooManyFields => "The row has more fields than the header. Put values that contain the separator in double quotes.",
        FindingCode.UnterminatedQuote =>
            "A quoted value begins in this row and does not end. Close the quote, or double the quotes that belong to the value.",
        FindingCode.TextAfterQuote => "Text follows a closing quote. Double the quotes that belong to the value.",
        FindingCode.StrayQuote => "There is a quote inside a value that does not begin with one. It is kept as text.",
        FindingCode.ColumnsShifted =>
            "A quote comes after other text or after an unusual blank, or is an apostrophe, and a separator follows inside the quotes. "
                + "The values would move into the wrong columns. Begin the value with a double quote, and double the quotes that belong "
                + "to it.",
        FindingCode.WholeLineQuoted => "The whole row is one quoted value with separators in it. Remove the quotes around the line." +
            " If it is one URL, add the separators of the empty columns after it.",
        FindingCode.RowCutOff => "The file ends inside this row: it has fewer fields than the rows before it, and no line break. If " +
            "the file was cut off, export it again.",
        FindingCode.LineSkipped => "This line is before the header and not part of the table, like a comment or a title. It is " +
            "not read. Remove it if it should not be there.",
        FindingCode.RowsLeftOut =>
            "The rows from this line on are left out: an import can have at most 20 million rows. " +
            "Upload the rest as another manifest.",
        FindingCode.RowsMaybeMerged => "A quoted value contains lines that look like rows. Look for a missing closing quote.",
        FindingCode.NulByte => "The row contains a NUL character, which text cannot have. Export the file again.",
        FindingCode.TextNotWritten =>
            "This text will not be written to the asset: it is too long for Cincopa's call, in which a letter beyond ASCII takes 6 "
                + "characters or more (BulkImporter:Manifests:MaxEncodedLength). Shorten it, or set it in Cincopa afterwards.",
        FindingCode.FieldTooLong => $"The value is too long for its column. Shorten it: {ManifestFormat.LimitsInWords}.",
        FindingCode.SourceNotFound => "The file was not found (404). Correct the URL before you start.",
        FindingCode.SourceForbidden => "The source refuses access to the file. Create a new link, or make the file public.",
        FindingCode.SourceUnreachable =>
            "The source could not be reached, or the connection was lost. Cincopa may still reach it. Open the URL in a browser.",
        FindingCode.SourceInside => "The URL, or where it redirects to, is inside a private network. Cincopa cannot reach it.",
        FindingCode.SourceFails => "The source answered with an error. It may be temporary. Check the files again later.",
        FindingCode.SourceIsPage => "The source answers with a web page, not with a media file. Use the URL of the file itself.",
        FindingCode.SourceIsNoMedia => "The source answers with text or data, not with a media file.",
        FindingCode.SourceEmpty => "The file at the source is empty.",
    };
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
