using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cincopa.Simulator.Faults;

/// <summary>
/// How the simulator behaves and misbehaves: the body of <c>POST /_sim/faults</c> and of <c>--faults</c>. Every property may be left out.
/// The same script, URLs and number of tries give the same faults, whatever order the calls arrive in. A default that is a guess about the
/// remote API has its mark, as in <see cref="Assumptions"/>.
/// </summary>
public sealed record FaultScript
{
    /// <summary>Behaves as well as the contract lets it.</summary>
    public static readonly FaultScript None = new();

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        NumberHandling = JsonNumberHandling.Strict,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    /// <summary>Another number gives other faults and durations.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Wait before every answer, in ms.</summary>
    public MillisecondRange LatencyMs { get; init; }

    /// <summary>In place of <see cref="LatencyMs"/> on status calls.</summary>
    public MillisecondRange? StatusLatencyMs { get; init; }

    /// <summary>How long an import takes, in ms; 0 is ready at once. INF</summary>
    public MillisecondRange ImportMs { get; init; } = new(300, 1500);

    /// <summary>Words of the status call. 3P (A: S12), 3P doubtful (B: S14).</summary>
    public StatusVocabulary Vocabulary { get; init; } = StatusVocabulary.A;

    /// <summary>Whether the status call's numbers are JSON text. 3P</summary>
    public bool NumbersAsStrings { get; init; } = true;

    /// <summary>When the status call shows <c>resid</c>: one mock has it while still in progress. 3P</summary>
    public ResidTiming Resid { get; init; } = ResidTiming.Early;

    /// <summary>With <c>resid: late</c>: so many ms after ready. INF</summary>
    public int ResidLateMs { get; init; } = 1000;

    /// <summary>A new status_id is answered as unknown for so long, in ms.</summary>
    public int StatusIdUnknownForMs { get; init; }

    /// <summary>A status_id is answered as unknown when it is older, in ms. Absent: never.</summary>
    public int? StatusIdExpiresAfterMs { get; init; }

    /// <summary>
    /// <c>asset.list</c> and <c>gallery.get_items</c> do not show assets younger than this, in ms, unless the call says <c>cache=never</c>.
    /// </summary>
    public int ListLagMs { get; init; }

    /// <summary>The order in which <c>asset.list</c> shows the assets, which is not known. INF</summary>
    public ListOrder ListOrder { get; init; } = ListOrder.NewestFirst;

    /// <summary>The name under which <c>asset.list</c> tells the number of pages, if it does. OWN</summary>
    public PageTotal PageTotal { get; init; } = PageTotal.PagesCount;

    /// <summary>
    /// The same for <c>gallery.list</c>. 3P: one client reads <c>page_count</c> (S13), one <c>pages_count</c> (S12), so both are there.
    /// </summary>
    public PageTotal GalleryPageTotal { get; init; } = PageTotal.Both;

    /// <summary>When an asset shows in the gallery of its submit; not found anywhere. INF</summary>
    public GalleryShows GalleryShows { get; init; } = GalleryShows.AtEnd;

    /// <summary>What the status call says of an aborted import: the state after an abort was not found anywhere. INF</summary>
    public AbortedStatus Aborted { get; init; } = AbortedStatus.Failed;

    /// <summary>
    /// Wait between the arrival of a file and the delivery of its webhook, in ms. A range delivers late and out of order.
    /// </summary>
    public MillisecondRange WebhookDelayMs { get; init; }

    /// <summary>How often each webhook is delivered; 0 loses them all.</summary>
    public int WebhookCopies { get; init; } = 1;

    /// <summary>
    /// The style of the API's own refusals (unknown status_id, invalid input, unknown gallery): <c>json</c> or <c>success_false</c>; both
    /// are in the field. OWN (both), INF (which one where).
    /// </summary>
    public ReplyStyle Refusals { get; init; } = ReplyStyle.SuccessFalse;

    /// <summary>A query with more characters is answered as IIS request filtering does: 404 and HTML. INF</summary>
    public int LongestQuery { get; init; } = 2048;

    /// <summary>
    /// The only verb that submits are taken by; another is answered 405 in HTML. Absent: both. OWN (other calls by both), 3P (this one by
    /// GET), INF (POST, from catalogues).
    /// </summary>
    public SubmitVerb? SubmitVerb { get; init; }

    /// <summary>Whether any gallery id is taken as existing, as any token is; off, only created ones are. INF</summary>
    public bool AnyGallery { get; init; } = true;

    /// <summary>
    /// Whether an upload URL takes a form of the kind that <c>curl -F</c> and browsers send, with the file in it as a whole: Cincopa's page
    /// says no more than "HTTP POST". UNK, so INF; off, it answers an error in text.
    /// </summary>
    public bool FormUploads { get; init; } = true;

    /// <summary>False: every answer closes its connection, so that <c>closed_unread</c> meets every call.</summary>
    public bool KeepAlive { get; init; } = true;

    /// <summary>Faults of calls. The first rule that applies decides; the rules of <see cref="UrlPatterns"/> come after them.</summary>
    public IReadOnlyList<FaultRule> Rules { get; init; } = [];

    /// <summary>Ends of imports. The first that applies decides; the patterns of <see cref="UrlPatterns"/> come after them.</summary>
    public IReadOnlyList<OutcomeRule> Outcomes { get; init; } = [];

    /// <exception cref="JsonException">Not JSON, or a property or word that is not known; the message says where.</exception>
    public static FaultScript Parse(ReadOnlySpan<byte> utf8)
    {
        var script = JsonSerializer.Deserialize<FaultScript>(utf8, Json) ?? throw new JsonException("a fault script is a JSON object");
        return script.Complaint() is { } complaint ? throw new JsonException(complaint) : script;
    }

    /// <summary>What is wrong with the script beyond its form; null when it can be put in force.</summary>
    internal string? Complaint()
    {
        foreach (var rule in Rules)
        {
            if ((rule.On == Operation.Connection) != (rule.Fault == Fault.ClosedUnread))
                return "\"closed_unread\" goes with \"on\": \"connection\", and only with it";
            if (rule.Share is not (>= 0 and <= 1))
                return "a share is between 0 and 1";
        }

        foreach (var rule in Outcomes)
        {
            if (UrlPatterns.PlanOf(rule.Outcome) is null)
                return $"no import outcome is named \"{rule.Outcome}\"; GET /_sim/outcomes lists them";
            if (rule.Share is not (>= 0 and <= 1))
                return "a share is between 0 and 1";
        }

        return null;
    }

    /// <summary>The script as JSON that <see cref="Parse"/> reads.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Json);
}

/// <summary>A fault of calls, and when it strikes.</summary>
public sealed record FaultRule
{
    /// <summary>The operation it strikes. Absent: every one but <c>connection</c>.</summary>
    public Operation? On { get; init; }

    public required Fault Fault { get; init; }

    /// <summary>
    /// Only calls whose source URL fits this pattern (<c>*</c> and <c>?</c>); a status call has the URL of its import. Absent: every call.
    /// </summary>
    public string? Input { get; init; }

    /// <summary>The share of fitting calls that is struck, 0 to 1.</summary>
    public double Share { get; init; } = 1;

    /// <summary>Only the first so many calls with the same source URL (submit) or status_id (status). Absent: all of them.</summary>
    public int? PerInput { get; init; }

    /// <summary>The first so many calls that it would strike pass.</summary>
    public int Skip { get; init; }

    /// <summary>It strikes so many times. Absent: without end.</summary>
    public int? Times { get; init; }

    /// <summary>Extra wait before the answer, in ms.</summary>
    public MillisecondRange DelayMs { get; init; }

    /// <summary>Whether the call takes effect in spite of its answer. Absent: as the fault says (<see cref="Faults.Fault"/>).</summary>
    public bool? Commits { get; init; }

    /// <summary>HTTP status in place of the fault's own.</summary>
    public int? HttpStatus { get; init; }

    /// <summary>Style in place of the fault's own.</summary>
    public ReplyStyle? Style { get; init; }

    /// <summary>Message in place of the fault's own.</summary>
    public string? Message { get; init; }

    /// <summary>Form of the <c>Retry-After</c> header. Absent: seconds with <c>rate_limited</c>, none otherwise.</summary>
    public RetryAfterForm? RetryAfter { get; init; }

    /// <summary>Value of the <c>Retry-After</c> header.</summary>
    public int RetryAfterSeconds { get; init; } = 1;
}

/// <summary>Gives an import the end that <see cref="UrlPatterns"/> has under a name.</summary>
public sealed record OutcomeRule
{
    /// <summary>A name of <c>GET /_sim/outcomes</c> that ends an import, such as <c>missing</c> or <c>stalled</c>.</summary>
    public required string Outcome { get; init; }

    /// <summary>Only source URLs that fit this pattern (<c>*</c> and <c>?</c>). Absent: every one.</summary>
    public string? Input { get; init; }

    /// <summary>The share of fitting imports, 0 to 1.</summary>
    public double Share { get; init; } = 1;
}

/// <summary>Words of the status call.</summary>
public enum StatusVocabulary
{
    /// <summary><c>inprogress</c>, <c>ready</c>, <c>failed</c></summary>
    A,
    /// <summary><c>pending</c>, <c>in_progress</c>, <c>completed</c>, <c>failed</c></summary>
    B,
}

/// <summary>A verb that <c>asset.upload_from_url</c> is called by.</summary>
public enum SubmitVerb
{
    Get,
    Post,
}

/// <summary>The order of a list.</summary>
public enum ListOrder
{
    NewestFirst,
    OldestFirst,
}

/// <summary>The name of the number of pages.</summary>
public enum PageTotal
{
    PagesCount,
    PageCount,
    /// <summary>Both names, so that a client of either sort finds its own.</summary>
    Both,
    None,
}

/// <summary>When an asset shows in the gallery that its submit named.</summary>
public enum GalleryShows
{
    /// <summary>When the import is ready.</summary>
    AtEnd,
    /// <summary>From the submit on, before its file is in; one whose import fails never shows.</summary>
    AtStart,
}

/// <summary>What the status call says of an aborted import.</summary>
public enum AbortedStatus
{
    /// <summary><c>failed</c>, with <c>more</c>: aborted.</summary>
    Failed,
    /// <summary><c>aborted</c></summary>
    Aborted,
    /// <summary>As of a status_id that was never given.</summary>
    UnknownStatusId,
}

/// <summary>When the status call shows <c>resid</c>.</summary>
public enum ResidTiming
{
    /// <summary>From the first call on.</summary>
    Early,
    /// <summary>Together with ready.</summary>
    AtEnd,
    /// <summary>Some time after ready.</summary>
    Late,
    /// <summary>Never.</summary>
    Missing,
}
