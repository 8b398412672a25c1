using System.Text.Json.Serialization;

namespace BulkImporter.Records;

/// <summary>A record as every door shows it.</summary>
/// <param name="Url">The source address, with *** for the secrets in it. Result files of operators have it whole.</param>
/// <param name="Attempts">Attempts begun so far.</param>
/// <param name="Progress">Percent that Cincopa has fetched, for a submitted record that reports it; else null.</param>
/// <param name="PossiblyDuplicated">A late answer showed that Cincopa accepted this source more than once.</param>
/// <param name="WaitsFor">Of a pending record: its source's host failed too often in a row, so that it is not sent now.</param>
public sealed record RecordView(
    int RowNumber,
    int LineNumber,
    string? Url,
    string? Caption,
    string? ReferenceId,
    RecordState State,
    string? StatusId,
    string? Rid,
    int Attempts,
    RecordError? Error,
    int? Progress,
    long? ProgressBytes,
    long? TotalBytes,
    DateTimeOffset? NextAttemptAt,
    DateTimeOffset? SubmittedAt,
    DateTimeOffset? FinishedAt,
    bool PossiblyDuplicated,
    FinishView? Finish,
    UndoView? Undo,
    AssetView? Asset = null,
    HostWait? WaitsFor = null);

/// <summary>
/// What is known of an imported record's asset. The addresses in <c>HlsUrl</c> and <c>EmbedUrl</c> follow from its <c>rid</c>; the file,
/// the thumbnail, type, size and duration are known only when Cincopa was asked about the asset.
/// </summary>
/// <param name="HlsUrl">Its playlist; null for what is no video and no audio.</param>
/// <param name="EmbedUrl">The page that plays it; null when neither the account has a player template nor the asset a gallery.</param>
/// <param name="FileUrl">Its original file, or the best version.</param>
/// <param name="Fid">The gallery that it was put into.</param>
/// <param name="SizeBytes">Bytes that arrived.</param>
/// <param name="Seconds">Its duration.</param>
/// <param name="Playable">Its renditions are ready. Imported says only that the file is in. Null when it was not asked.</param>
/// <param name="Arrival">The result of comparing what arrived with what was expected.</param>
/// <param name="ExpectedBytes">The size that the manifest says, else the source when it was probed, else what was uploaded from
/// here.</param>
/// <param name="ExpectedSeconds">The duration that the manifest says.</param>
/// <param name="ExpectedMd5">The MD5 that the manifest says. Only an upload from here is compared with it.</param>
/// <param name="SentMd5">The MD5 of what was uploaded from here, where the manifest says one.</param>
/// <param name="SentSha256">The SHA-256 of what was uploaded from here; null when several attempts sent the file together.</param>
public sealed record AssetView(
    string? HlsUrl, string? EmbedUrl, string? FileUrl, string? ThumbnailUrl, string? Fid, string? Type, long? SizeBytes, double? Seconds,
    bool? Playable, Arrival Arrival = Arrival.Unverifiable, long? ExpectedBytes = null, double? ExpectedSeconds = null,
    string? ExpectedMd5 = null, string? SentMd5 = null, string? SentSha256 = null)
{
    /// <summary>There is something to compare it with.</summary>
    [JsonIgnore]
    public bool IsExpected => ExpectedBytes is not null || ExpectedSeconds is not null || ExpectedMd5 is not null;

    /// <summary>What was expected, in words.</summary>
    [JsonIgnore]
    public string Expected => InWords(ExpectedBytes, ExpectedSeconds, ExpectedMd5);

    /// <summary>What arrived, in words.</summary>
    [JsonIgnore]
    public string Arrived => InWords(SizeBytes, Seconds, SentMd5);

    private static string InWords(long? bytes, double? seconds, string? md5)
    {
        string?[] parts =
        [
            bytes is { } size ? string.Create(CultureInfo.InvariantCulture, $"{size:N0} bytes") : null,
            seconds is { } time ? string.Create(CultureInfo.InvariantCulture, $"{time:0.##} s") : null,
            md5 is null ? null : $"MD5 {md5}",
        ];
        return string.Join(", ", parts.OfType<string>()) is { Length: > 0 } words ? words : "not known";
    }
}

/// <summary>How far an imported record's asset has its texts, reference id and gallery.</summary>
/// <param name="State"><c>pending</c>, <c>done</c> or <c>failed</c>; the record is imported whatever it is.</param>
/// <param name="Failures">Tries that failed for a reason of their own.</param>
/// <param name="NextAt">When it is tried next, or until when somebody is at it.</param>
public sealed record FinishView(string State, int Failures, string? Code, string? Message, DateTimeOffset? NextAt);

/// <summary>What an undo has still to do about an imported record, or why it left its asset.</summary>
/// <param name="State"><c>pending</c> or <c>failed</c>; a record whose asset is deleted is <c>deleted</c>.</param>
/// <param name="Failures">Tries that failed for a reason of their own.</param>
/// <param name="NextAt">When it is tried next, or until when somebody is at it.</param>
public sealed record UndoView(string State, int Failures, string? Code, string? Message, DateTimeOffset? NextAt);

/// <param name="Code">A <see cref="FailureCode"/> as text, or the code of the finding that made the row invalid.</param>
/// <param name="Class">Null for a finding's code: the row never had an attempt.</param>
public sealed record RecordError(string Code, FailureClass? Class, string? Message);

/// <summary>One record and every attempt that was made for it, the first one first.</summary>
public sealed record RecordDetail(RecordView Record, IReadOnlyList<AttemptView> Attempts);

/// <param name="Outcome">Null while open; <c>accepted</c> when Cincopa took it; then <c>imported</c>, <c>reconciled</c> or a
/// <see cref="FailureCode"/>.</param>
/// <param name="Class">The class of the outcome when it is a failure.</param>
public sealed record AttemptView(
    int Number, DateTimeOffset StartedAt, DateTimeOffset? FinishedAt, string? Worker, string? StatusId, string? Outcome,
    FailureClass? Class, int? HttpStatus, string? Message);
