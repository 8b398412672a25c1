using System.Text.Json.Serialization;
using BulkImporter.Accounts;
using BulkImporter.Manifests;
using BulkImporter.Parse;
using BulkImporter.Records;

namespace BulkImporter.Imports;

/// <summary>An import as every door shows it: the API's and the command line's JSON body, and what the pages draw.</summary>
/// <param name="Reason">Why it does not go on: the import's own reason, else the account's when that is suspended or blocked; null when all is well.</param>
/// <param name="Rows">Data rows of the manifest, at most <paramref name="FirstRows"/>; null until it is parsed.</param>
/// <param name="RatePerSecond">Records that came to their end per second over the last minute; null when not running or too early to say.</param>
/// <param name="EtaSeconds">Seconds to the end at that rate; null when the rate is unknown or zero.</param>
/// <param name="Failures">Failed and unknown records by code, most frequent first.</param>
/// <param name="ParsedRows">Rows read so far while the manifest is parsed.</param>
/// <param name="SameManifestAs">The latest earlier import of the same bytes, or null.</param>
/// <param name="AccountState">A suspended account is why a running import stands still; <paramref name="Reason"/> says why it is suspended.</param>
/// <param name="FirstRows">Only so many rows of the manifest are read; null for all.</param>
/// <param name="StartedBy">Who ordered the start; null until it has started.</param>
/// <param name="Stalled">Submitted records without any progress for a long time; they are still followed.</param>
public sealed record ImportView(
    int Id,
    string Name,
    string Account,
    ManifestSummary Manifest,
    ImportState State,
    string? Reason,
    int? Rows,
    StateCounts Counts,
    double? RatePerSecond,
    long? EtaSeconds,
    IReadOnlyList<FailureCount> Failures,
    DateTimeOffset CreatedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt,
    string CreatedBy,
    int ParsedRows,
    string? Mapping,
    bool StartWhenParsed,
    int MaxAttempts,
    WhenUnknown WhenUnknown,
    int Priority,
    string? Fid,
    int? SameManifestAs,
    int Stalled,
    AccountState AccountState,
    int? FirstRows,
    string? StartedBy,
    FinishCounts Finishing)
{
    /// <summary>Asked for explicitly: <c>windows-1252</c>; null when the file's beginning decides.</summary>
    public string? Encoding { get; init; }

    /// <summary>The saved template that <see cref="Mapping"/> was taken from because the header was the same, or null.</summary>
    public string? Template { get; init; }

    /// <summary>How files go whose rows do not say it.</summary>
    public ImportTransfer Transfer { get; init; }

    /// <summary>What becomes of rows that an earlier import of the account has already.</summary>
    public WhenDuplicate AlreadyImported { get; init; }

    /// <summary>What becomes of rows that have the source of an earlier row of the manifest.</summary>
    public WhenDuplicate DuplicateRows { get; init; }

    /// <summary>Nothing is sent before; null for at once.</summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>The hours in which it sends, as <c>22:00-06:00 Europe/Berlin</c>; null for all day.</summary>
    public string? Window { get; init; }

    /// <summary>When a running import with pending records sends again, by <see cref="StartAt"/> and <see cref="Window"/>; null when it may send now.</summary>
    public DateTimeOffset? WaitsUntil { get; init; }

    /// <summary>It pauses itself when more than this part of its finished records failed; 100 for never.</summary>
    public int StopAtFailurePercent { get; init; }

    /// <summary>… judged after so many finished records.</summary>
    public int StopAfterRows { get; init; }
}

/// <summary>Imported records whose assets still lack texts, reference id or gallery: those that are being finished, and those for which that failed.</summary>
public sealed record FinishCounts(int Pending, int Failed);

/// <param name="Sha256">Of the bytes as received, lower-case hexadecimal.</param>
public sealed record ManifestSummary(string FileName, string Sha256, long SizeBytes);

/// <summary>Records by state; their sum is the number of rows, always.</summary>
public sealed record StateCounts(
    int Pending, int Submitting, int Submitted, int Imported, int Failed, int Unknown, int Cancelled, int Invalid, int Duplicate)
{
    public int Of(RecordState state) => state switch
    {
        RecordState.Pending => Pending,
        RecordState.Submitting => Submitting,
        RecordState.Submitted => Submitted,
        RecordState.Imported => Imported,
        RecordState.Failed => Failed,
        RecordState.Unknown => Unknown,
        RecordState.Cancelled => Cancelled,
        RecordState.Invalid => Invalid,
        RecordState.Duplicate => Duplicate,
    };

    /// <summary>All rows.</summary>
    [JsonIgnore]
    public int Total => Pending + Submitting + Submitted + Imported + Failed + Unknown + Cancelled + Invalid + Duplicate;

    /// <summary>Records that can still move by themselves.</summary>
    [JsonIgnore]
    public int Open => Pending + Submitting + Submitted;

    /// <summary>Part of the rows that are at their end, from 0 to 1; rows that never became work are at their end from the start.</summary>
    [JsonIgnore]
    public double Progress => Total == 0 ? 0 : (double)(Total - Open) / Total;
}

/// <param name="Code">A <see cref="FailureCode"/> as text.</param>
/// <param name="Class">Null for a code that this version does not know.</param>
public sealed record FailureCount(string Code, FailureClass? Class, int Count);

/// <summary>One point of the rate-over-time chart: the mean since the point before.</summary>
public sealed record RatePoint(DateTimeOffset At, double SubmittedPerSecond, double FinishedPerSecond);
