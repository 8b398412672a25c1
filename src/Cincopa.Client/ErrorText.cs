using System.Text.RegularExpressions;

namespace Cincopa.Client;

/// <summary>
/// The one place where the API's prose is read. All of it is INF, except <c>out of assets quota</c> (OWN S9) and the 403 of a bad
/// token (3P S13): no sample of an error body is published. Tables are read from the top, the first that matches decides.
/// The same word means different things in the two places: a refused call speaks of our token, a failed import of the source.
/// <see cref="CincopaClientOptions.ReadErrorText"/> switches the reading off; then the HTTP status decides alone, and the one phrase that
/// is OWN.
/// </summary>
internal static partial class ErrorText
{
    private static readonly (RemoteErrorKind Kind, Regex Words)[] Refusals =
    [
        (RemoteErrorKind.RateLimited, RateLimit()),
        (RemoteErrorKind.QuotaExceeded, Quota()),
        (RemoteErrorKind.PermissionMissing, Permission()),
        (RemoteErrorKind.TokenRejected, Token()),
        (RemoteErrorKind.Aborted, Abort()),
        (RemoteErrorKind.UnsupportedMedia, Media()),
        (RemoteErrorKind.SourceTimeout, TimedOut()),
        (RemoteErrorKind.SourceForbidden, Forbidden()),
        (RemoteErrorKind.SourceNotFound, NotFound()),
        (RemoteErrorKind.InvalidInput, Invalid()),
        (RemoteErrorKind.SourceUnreachable, Unreachable()),
    ];

    /// <summary>What is read in any case.</summary>
    private static readonly (RemoteErrorKind Kind, Regex Words)[] Certain = [(RemoteErrorKind.QuotaExceeded, OutOfAssetsQuota())];

    private static readonly (RemoteErrorKind Kind, Regex Words)[] FailedImports =
    [
        // Only the account's: a source may have a quota too ("download quota exceeded for this file").
        (RemoteErrorKind.QuotaExceeded, AccountQuota()),
        (RemoteErrorKind.Aborted, Abort()),
        (RemoteErrorKind.UnsupportedMedia, Media()),
        (RemoteErrorKind.SourceTimeout, TimedOut()),
        (RemoteErrorKind.SourceForbidden, Forbidden()),
        (RemoteErrorKind.SourceForbidden, Permission()),
        (RemoteErrorKind.SourceForbidden, Token()),
        (RemoteErrorKind.SourceNotFound, NotFound()),
        (RemoteErrorKind.InvalidInput, Invalid()),
        (RemoteErrorKind.SourceUnreachable, RateLimit()),
        (RemoteErrorKind.SourceUnreachable, Unreachable()),
    ];

    /// <summary>The kind of a call that was refused with HTTP 2xx and this text.</summary>
    public static RemoteErrorKind KindOfRefusal(string text, bool reads = true) => First(reads ? Refusals : Certain, text);

    /// <summary>The kind of a call that was refused with this status, and this text or none.</summary>
    public static RemoteErrorKind KindOfRefusal(int httpStatus, string text, bool reads = true)
    {
        if (httpStatus == 429)
            return RemoteErrorKind.RateLimited;
        var said = KindOfRefusal(text, reads);
        return httpStatus switch
        {
            401 or 403 => said is RemoteErrorKind.PermissionMissing or RemoteErrorKind.QuotaExceeded or RemoteErrorKind.RateLimited
                ? said : RemoteErrorKind.TokenRejected,
            402 when reads => RemoteErrorKind.QuotaExceeded,
            >= 500 => said is RemoteErrorKind.QuotaExceeded or RemoteErrorKind.RateLimited ? said : RemoteErrorKind.ServerError,
            // An address that does not exist (a wrong base address) must not be read as a source that does not exist.
            404 when said == RemoteErrorKind.SourceNotFound && !Source().IsMatch(text) => RemoteErrorKind.Rejected,
            414 or 431 => RemoteErrorKind.InvalidInput,
            _ => said,
        };
    }

    /// <summary>The kind of an import that the status call reports as failed with this text.</summary>
    public static RemoteErrorKind KindOfFailedImport(string text, bool reads = true) => First(reads ? FailedImports : Certain, text);

    /// <summary>Does the refusal of a status call say that the id is not known?</summary>
    public static bool IsAboutStatusId(string text) => StatusId().IsMatch(text);

    private static RemoteErrorKind First((RemoteErrorKind Kind, Regex Words)[] table, string text)
    {
        foreach (var (kind, words) in table)
        {
            if (words.IsMatch(text))
                return kind;
        }

        return RemoteErrorKind.Rejected;
    }

    private const RegexOptions Loose = RegexOptions.IgnoreCase | RegexOptions.CultureInvariant;

    [GeneratedRegex(@"rate.?limit|too many (requests|calls)|throttl|slow down|\b429\b", Loose)]
    private static partial Regex RateLimit();

    [GeneratedRegex(@"quota|out of (assets|storage|space)|storage (is )?full|(storage|asset|plan) limit|insufficient storage", Loose)]
    private static partial Regex Quota();

    [GeneratedRegex(@"out of (assets|storage)|storage (is )?full|(storage|assets?|account'?s?|plan) (quota|limit)|insufficient storage",
        Loose)]
    private static partial Regex AccountQuota();

    [GeneratedRegex("out of assets quota", Loose)]
    private static partial Regex OutOfAssetsQuota();

    [GeneratedRegex(@"permission|not permitted|privilege|\bscope\b|access rights?|\b(asset|gallery)\.(upload|write|read|\*)", Loose)]
    private static partial Regex Permission();

    [GeneratedRegex(@"token|unauthori[sz]ed|not authori[sz]ed|unauthenticated|authentication|not logged in|\b401\b", Loose)]
    private static partial Regex Token();

    [GeneratedRegex(@"\babort|\bcancell?ed", Loose)]
    private static partial Regex Abort();

    [GeneratedRegex(
        @"unsupported|not supported|media.?type|content.?type|mime|\bhtml\b|not a (valid )?(media|video|image|audio)|"
        + @"(unknown|invalid) (file )?(format|type)|\b415\b", Loose)]
    private static partial Regex Media();

    [GeneratedRegex(@"tim(ed?|ing)[ -]?out|\b(408|504)\b", Loose)]
    private static partial Regex TimedOut();

    [GeneratedRegex(@"forbidden|access denied|\b403\b", Loose)]
    private static partial Regex Forbidden();

    [GeneratedRegex(@"not found|no such|does ?n[o']t exist|\b(404|410)\b", Loose)]
    private static partial Regex NotFound();

    [GeneratedRegex(@"invalid|malformed|missing|required|bad (request|input|url|parameter)|too long|\bscheme\b", Loose)]
    private static partial Regex Invalid();

    [GeneratedRegex(
        @"unreachable|could ?n[o']t (connect|reach|resolve|download|fetch)|can(no|')t (connect|reach|resolve|download|fetch)|"
        + @"(failed|unable) to (connect|reach|resolve|download|fetch)|connection (was )?"
        + @"(refused|reset|closed|failed)|name resolution|\bdns\b|\bhost\b|\bssl\b|\btls\b|certificate|\b50[023]\b", Loose)]
    private static partial Regex Unreachable();

    [GeneratedRegex(@"source|\burl\b|input|file|remote|link", Loose)]
    private static partial Regex Source();

    [GeneratedRegex(
        @"status[_ -]?id|(unknown|invalid|expired|no such|bad) (id|status|ticket|upload|import|task|job)\b|"
        + @"not found|no such|does ?n[o']t exist|expired", Loose)]
    private static partial Regex StatusId();
}
