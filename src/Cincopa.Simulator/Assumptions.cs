using Cincopa.Simulator.Faults;

namespace Cincopa.Simulator;

/// <summary>
/// Every fact or guess about the remote API that the simulator had to choose, each with its mark, so that a wrong one is changed here
/// and nowhere else. DOC: stated on a Cincopa page. OWN: behaviour of Cincopa's own client code. 3P: third-party client code.
/// INF: our inference. What a script can change stands in <see cref="FaultScript"/>.
/// </summary>
internal static class Assumptions
{
    // Who may do what.

    /// <summary>Permissions of a token that nothing else is said about. OWN (form, atoms).</summary>
    public const string DefaultPermissions = "|asset.*|gallery.*|";

    /// <summary>
    /// A rejected token is answered with this. 3P (403 as two readers of the official page report; one client expects 401).
    /// </summary>
    public const int TokenRejectedStatus = StatusCodes.Status403Forbidden;

    public const string TokenRejectedMessage = "invalid api_token"; // INF

    /// <summary>A missing permission is answered with 403 and a message. INF</summary>
    public const int PermissionMissingStatus = StatusCodes.Status403Forbidden;

    public const string PermissionMissingMessage = "permission denied"; // INF

    /// <summary>The atom that an operation needs; the same atom with <c>.*</c> covers it. INF</summary>
    public static string? PermissionFor(Operation operation) => operation switch
    {
        Operation.Submit or Operation.Abort or Operation.GetUploadUrl => "asset.upload",
        Operation.Status or Operation.List or Operation.GetTags => "asset.read",
        Operation.SetMeta or Operation.Resync => "asset.write",
        Operation.Delete => "asset.delete",
        Operation.GalleryList or Operation.GalleryItems => "gallery.read",
        Operation.GalleryCreate or Operation.GalleryAddItem or Operation.GalleryRemoveItem or Operation.GallerySetMeta
            or Operation.GallerySetMaster or Operation.GalleryDelete => "gallery.write",
        // Tokens were seen with webhook.*, token.* and account.read; which call needs which was not found, so none is asked for.
        Operation.WebhookSet or Operation.WebhookList or Operation.WebhookDelete or Operation.TokenGetTemp or Operation.TokenList
            or Operation.TokenCreate or Operation.AccountListSub or Operation.AccountAddSub => null,
        Operation.Ping or Operation.Push or Operation.Unknown or Operation.Connection => null,
    };

    /// <summary>The account and its user. OWN (forms); the number stands before the <c>i</c> of a token too.</summary>
    public const string AccountId = "AMDASIMULATE", UserId = "AEDASIMULATE", AccountNumber = "1000001";

    /// <summary>
    /// Characters after the <c>i</c> of a token that is made here, lower-case letters and digits. OWN (form), DOC example (length)
    /// </summary>
    public const int TokenLength = 32;

    // Refusals.

    public const string InvalidInputMessage = "invalid input"; // INF
    public const string UnknownStatusIdMessage = "unknown status_id"; // INF
    public const string UnknownAssetMessage = "resource not found"; // INF
    public const string UnknownGalleryMessage = "gallery not found"; // INF
    public const string UnknownAccountMessage = "sub account not found"; // INF

    /// <summary>A <c>rid</c> needs a <c>type</c>: what the file is to the asset. 3P (that it is needed), INF (message)</summary>
    public const string TypeMissingMessage = "type is required with rid";

    public const string QuotaMessage = "out of assets quota"; // OWN (on push), INF (on the pull call)
    public const string BusyMessage = "server busy"; // INF
    public const string RateMessage = "too many requests"; // INF

    // Imports by URL.

    /// <summary>With vocabulary B an import is <c>pending</c> up to this share of its time. INF</summary>
    public const double PendingShare = 0.1;

    /// <summary>A stalled import stops here and never moves again. INF</summary>
    public const double StalledAt = 0.1;

    /// <summary>What the status call says of an aborted import. INF</summary>
    public const string AbortedText = "aborted";

    /// <summary>Sizes of imported files, in bytes; which one follows from the URL. INF</summary>
    public const int SmallestFile = 1_000_000, LargestFile = 50_000_000;

    /// <summary>
    /// A page of a consumer video site is fetched as the web page that it is: the import is accepted and ends failed. DOC (Cincopa's pages
    /// say that such sites are not supported), INF (how it ends, and which sites).
    /// </summary>
    public static readonly string[] WatchPageSites =
        ["youtube.com", "youtu.be", "vimeo.com", "dailymotion.com", "tiktok.com", "facebook.com", "instagram.com", "twitch.tv", "x.com",
            "twitter.com", "loom.com"];

    /// <summary>An import of a web page ends with this. INF</summary>
    public const string WebPageText = "unsupported media type: text/html";

    // Assets and galleries.

    /// <summary>Page size when none is asked for: OWN. The cap: 3P.</summary>
    public const int ItemsPerPage = 50, MostItemsPerPage = 100;

    /// <summary>What <c>gallery.get_items</c> says under <c>claimed</c>. 3P (text, never empty), UNK (what it means)</summary>
    public const string GalleryClaimed = "yes";

    /// <summary>Tags that stand for assets without any, and with any. 3P</summary>
    public const string NoTag = "no-tag", AnyTag = "any-tag";

    /// <summary>
    /// The renditions of a video and of a picture, the first one being the file that <c>content</c> plays. DOC (names), INF (which asset
    /// has which)
    /// </summary>
    public static readonly string[] VideoVersions = ["mp4_hd", "mp4_1280x720", "jpg_600x450"], ImageVersions = ["jpg_1080p", "jpg_600x450"];

    /// <summary>
    /// How long a video or sound lasts, as <c>exif</c> says it: made up from its size, one second for so many bytes. OWN (form), INF
    /// </summary>
    public const int BytesPerSecond = 250_000;

    // Webhooks.

    /// <summary>The event of a file that came in. DOC (name), 3P (that <c>asset.*</c> covers it)</summary>
    public const string UploadedEvent = "asset.uploaded";

    /// <summary>A delivery without success answer is made again (DOC); so often, so many ms later: INF.</summary>
    public const int WebhookRepeats = 3, WebhookRepeatMs = 2000;

    // Ids.

    /// <summary>Numeric ids start here. OWN (numeric text), INF (size).</summary>
    public const int FirstAssetId = 100_000_000;

    /// <summary>An asset gets its file name from the last path segment of the URL, percent-decoded. INF</summary>
    public static string FileNameOf(string input) => Uri.UnescapeDataString(FileNames.LastSegment(input));

    // Uploads.

    /// <summary>
    /// Pages of other sites may call API and upload URL, with these headers: Cincopa's widgets and plugins do it from their users' pages.
    /// OWN (that it works), INF (the headers of the answer)
    /// </summary>
    public const string BrowserOrigins = "*", BrowserMethods = "GET, POST, OPTIONS",
        BrowserHeaders = "Content-Type, Content-Range, X-FILE-NAME, unique-id";

    /// <summary>An upload URL of another signature is refused in text, HTTP 200. INF</summary>
    public const string BadUploadUrlText = "error: bad upload url";

    /// <summary>
    /// The words before the line with the new id; their number is what matters: it stands on line index 5 (OWN S8). The words: INF.
    /// </summary>
    public static readonly string[] PushPreamble = ["cincopa upload", "received", "checked", "stored", "registered"];
}
