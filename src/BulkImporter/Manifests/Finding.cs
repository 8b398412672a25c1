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
    TransferUnknown,
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
        FindingCode.TransferUnknown => "transfer_unknown",
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
            or FindingCode.UrlHoldsAnother
            or FindingCode.UrlHiddenCharacter
            or FindingCode.UrlHashInName
            or FindingCode.UrlEndsWithSeparator
            or FindingCode.UrlUnwrapped
            or FindingCode.UrlEntities
            or FindingCode.InvisibleCharacters
            or FindingCode.DuplicateReferenceId
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
        FindingCode.UrlMissing => "Fill in the URL, or remove the row.",
        FindingCode.UrlNotAbsolute => "Write the whole address, beginning with https://.",
        FindingCode.UrlScheme => "Only http and https can be fetched. Share the file over https, for example with a pre-signed link.",
        FindingCode.UrlMalformed => "The host, the port or a character of this address is not allowed. Open it in a browser and copy the address from there.",
        FindingCode.UrlCredentials => "Remove the user name and password from the address, and use a pre-signed link instead.",
        FindingCode.UrlTooLong => "Too long for the remote call's query, as far as is known (BulkImporter:Manifests:MaxEncodedUrlLength). Use a shorter link, or let the file be sent: transfer push in the row, or auto as the import's setting.",
        FindingCode.UrlHostPrivate => "Cincopa cannot reach this host from the internet. Use a public address, or let this server send the file: transfer push, with the host's network in BulkImporter:Sources:AllowedNetworks.",
        FindingCode.UrlConsumerVideoSite =>
            "This is a watch page, not a media file, and consumer video sites are not supported. Use the address of the file itself; "
            + "to move a whole channel, ask Cincopa's support what it offers for that.",
        FindingCode.UrlExpired => "The signed link has run out. Make new links and upload the manifest again.",
        FindingCode.UrlExpiresSoon => "The signed link runs out within a day, or before this import is expected to end. Make links that last for the whole import.",
        FindingCode.UrlUnencodedSpace => "The address holds a space. It is used as it is; write %20 if the source refuses it.",
        FindingCode.UrlCutBySeparator => "The row has more fields than the header and the URL stands last: it probably holds the separator. Put it in double quotes.",
        FindingCode.UrlNotMedia => "The address ends like a web page or a document and not like a media file. It is tried; look at what it gives.",
        FindingCode.UrlSharePage =>
            "This looks like the page that shows a shared file, not the file. Use the address that downloads it: at Dropbox dl=1 "
            + "instead of dl=0, at GitHub Raw, elsewhere what the page's download button opens.",
        FindingCode.UrlSeveral =>
            "The cell holds more than one address. Write each address in a row of its own; the other columns can be repeated.",
        FindingCode.UrlHoldsAnother =>
            "A second address stands inside of this one. It is used as it is; if the two are addresses of two files, write each in a "
            + "row of its own.",
        FindingCode.UrlSchemeTwice => "The address begins twice. Remove one https:// (or http://) from its beginning.",
        FindingCode.UrlHiddenCharacter =>
            "The address holds a character that cannot be seen, such as a soft hyphen. It is used as it is; if the source does not "
            + "know it, type that part of the address anew.",
        FindingCode.UrlHashInName =>
            "Sources take a # for the end of the address, and never see what stands behind it. If it belongs to the file's name, "
            + "write %23 in its place.",
        FindingCode.UrlEndsWithSeparator =>
            "The address ends with a comma or a semicolon. It is used as it is; remove that sign if it only stood between this and the "
            + "next value.",
        FindingCode.UrlUnwrapped =>
            "Quotes, brackets or a formula stood around the address. They were taken away; nothing has to be done if the address is "
            + "right.",
        FindingCode.UrlEntities =>
            "The address was written as in a web page, for example with &amp; in the place of &. It was read as the address that is "
            + "meant; nothing has to be done if it is right.",
        FindingCode.InvisibleCharacters =>
            "Characters that cannot be seen, or unusual white space, stood around the value. They were taken away; nothing has to be "
            + "done.",
        FindingCode.RowCheckFailed =>
            "The row could not be checked: that is a fault of this program, and its log says more. The other rows are not touched by "
            + "it; report the row, or write it another way.",
        FindingCode.DuplicateUrl =>
            "Another row of this manifest has the same address. Only the first is imported; with duplicateRows=import all of them "
            + "are. To send this one later, correct its address, or rerun the state duplicate.",
        FindingCode.DuplicateReferenceId => "Another row has the same reference id. Both are imported; the later cannot be told from the first by it.",
        FindingCode.AlreadyImported => "It is imported already, or being imported, by an earlier import of this account; a second asset would be made. With alreadyImported=import it is imported again.",
        FindingCode.TransferUnknown => "Use pull, push, or leave it empty.",
        FindingCode.TooManyFields => "The row has more fields than the header. Put values that hold the separator in double quotes.",
        FindingCode.UnterminatedQuote => "A quoted value begins in this row and is not closed. Close it, or double the quotes that belong to the value.",
        FindingCode.TextAfterQuote => "Text follows a closing quote. Double the quotes that belong to the value.",
        FindingCode.StrayQuote => "A quote stands inside a value that does not begin with one. It is kept as text.",
        FindingCode.ColumnsShifted => "A quote stands behind other text, or behind a blank that is no ordinary one, or is an apostrophe, and a " +
            "separator follows inside the quotes: the values would move into wrong columns. Let the value begin with a double quote, and " +
            "double those that belong to it.",
        FindingCode.WholeLineQuoted => "The whole row is one quoted value with separators in it. Take the quotes around the line " +
            "away; if it is one address, write the separators of the empty columns behind it.",
        FindingCode.RowCutOff => "The file ends inside this row: it has fewer fields than the rows before it, and no line break. If " +
            "the file was cut off, export it again.",
        FindingCode.LineSkipped => "This line stands before the header and is no part of the table, like a comment or a title. It is " +
            "not read; remove it if it should not be there.",
        FindingCode.RowsLeftOut => "From this line on the rows are left out: the manifest has more than one import takes, which is 20 million. " +
            "Upload the rest as a manifest of its own.",
        FindingCode.RowsMaybeMerged => "A quoted value holds lines that look like rows of their own. Look for a missing closing quote.",
        FindingCode.NulByte => "The row holds a NUL character, which no text can. Export the file again.",
        FindingCode.FieldTooLong => $"The value is too long for its column. Shorten it: {ManifestFormat.LimitsInWords}.",
        FindingCode.SourceNotFound => "The source does not have this file (404). Correct the address before it is sent.",
        FindingCode.SourceForbidden => "The source refuses this address. Make a new link, or make the file public.",
        FindingCode.SourceUnreachable => "The source could not be reached, or broke off. Cincopa may still reach it; open the address in a browser.",
        FindingCode.SourceInside => "The address, or where it redirects to, is inside a network. Cincopa cannot reach it.",
        FindingCode.SourceFails => "The source answered with an error. It may be over by the row's turn; probe again later.",
        FindingCode.SourceIsPage => "The source answers with a web page and not with a media file. Use the address of the file itself.",
        FindingCode.SourceIsNoMedia => "The source answers with text or data and not with a media file.",
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
[DebuggerDisplay("{RowNumber}: {Code} {Column} {MaskedValue}")]
public sealed record Finding(int RowNumber, long LineNumber, string? Column, string? MaskedValue, FindingCode Code, int? OtherRowNumber = null)
{
    public FindingSeverity Severity => Code.Severity();

    public string Hint => Code.Hint();
}
