using System.Text.Json.Serialization;
using BulkImporter.Accounts;
using BulkImporter.Records;

namespace BulkImporter.Imports;

/// <summary>
/// An import as every door shows it, with its settings: the API's and the command line's JSON body, and what the pages draw.
/// </summary>
public sealed record ImportView : ImportSettings
{
    public ImportView() { }

    public ImportView(ImportSettings settings) : base(settings) { }

    public int Id { get; init; }
    public string Name { get; init; } = "";
    public string Account { get; init; } = "";
    public ManifestSummary Manifest { get; init; } = new("", "", 0);
    public ImportState State { get; init; }

    /// <summary>
    /// Why nothing is sent now: the import's own reason, else the account's when that is suspended or blocked, else what it waits for; null
    /// when it goes on.
    /// </summary>
    public string? Reason { get; init; }

    /// <summary>Of a rejected import: the encoding in which its manifest could be read. Set it, and the manifest is read again.</summary>
    public string? OfferedEncoding { get; init; }

    /// <summary>Data rows of the manifest, at most those that are to be read; null until it is parsed.</summary>
    public int? Rows { get; init; }

    public StateCounts Counts { get; init; } = new(0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    /// <summary>Records that ended per second over the last minute; null when not running or too early to say.</summary>
    public double? RatePerSecond { get; init; }

    /// <summary>Seconds to the end at that rate; null when the rate is unknown or zero, or nothing is sent now.</summary>
    public long? EtaSeconds { get; init; }

    /// <summary>Failed and unknown records by code, most frequent first.</summary>
    public IReadOnlyList<FailureCount> Failures { get; init; } = [];

    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }
    public string CreatedBy { get; init; } = "";

    /// <summary>Rows read so far while the manifest is parsed.</summary>
    public int ParsedRows { get; init; }

    public string? Mapping { get; init; }

    /// <summary>The saved template that <see cref="Mapping"/> was taken from because the header was the same, or null.</summary>
    public string? Template { get; init; }

    public bool StartWhenParsed { get; init; }

    /// <summary>The latest earlier import of the same bytes, or null.</summary>
    public int? SameManifestAs { get; init; }

    /// <summary>Submitted records without any progress for a long time; they are still followed.</summary>
    public int Stalled { get; init; }

    /// <summary>A suspended account is why a running import stands still; <see cref="Reason"/> says why it is suspended.</summary>
    public AccountState AccountState { get; init; }

    /// <summary>Who ordered the start; null until it has started.</summary>
    public string? StartedBy { get; init; }

    public FinishCounts Finishing { get; init; } = new(0, 0);

    public ArrivalCounts Arrival { get; init; } = new(0, 0, 0, 0, 0);

    public UndoCounts Undo { get; init; } = new(IsUnderWay: false, 0, 0);

    /// <summary>The trial that the import was started with; null when the rest is sent, or was from the beginning.</summary>
    public TrialView? Trial { get; init; }

    /// <summary>When a running import with pending records sends again, by its settings; null when it may send now.</summary>
    public DateTimeOffset? WaitsUntil { get; init; }

    /// <summary>
    /// Of a running import: source hosts that failed so often in a row that their records wait, those with the most records first.
    /// </summary>
    public IReadOnlyList<WaitingHost> WaitingHosts { get; init; } = [];
}

/// <inheritdoc/>
/// <param name="Records">Pending records that were found to wait for it so far.</param>
public sealed record WaitingHost(
    string Host, int FailedInARow, DateTimeOffset Since, string Code, DateTimeOffset AskedAt, int Records)
        : HostWait(Host, FailedInARow, Since, Code, AskedAt);

/// <summary>
/// Imported records whose assets still lack texts, reference id or gallery, or were not looked at yet though something is expected of
/// them: those that are being finished, and those for which that failed.
/// </summary>
public sealed record FinishCounts(int Pending, int Failed);

/// <summary>Imported records by the result of comparing what arrived with what was expected; their sum is the imported records.</summary>
/// <param name="Unverifiable">Nothing was expected of them, or Cincopa has not said (yet) what arrived.</param>
public sealed record ArrivalCounts(int Verified, int SizeDiffers, int DurationDiffers, int Md5Differs, int Unverifiable)
{
    public int Of(Arrival arrival) => arrival switch
    {
        Records.Arrival.Verified => Verified,
        Records.Arrival.SizeDiffers => SizeDiffers,
        Records.Arrival.DurationDiffers => DurationDiffers,
        Records.Arrival.Md5Differs => Md5Differs,
        Records.Arrival.Unverifiable => Unverifiable,
    };

    /// <summary>Those that could be compared.</summary>
    [JsonIgnore]
    public int Compared => Verified + Differ;

    [JsonIgnore]
    public int Differ => SizeDiffers + DurationDiffers + Md5Differs;
}

/// <summary>What is left to do of the undo of an import. The records whose assets it has deleted are <c>deleted</c>.</summary>
/// <param name="IsUnderWay">It was ordered and has not ended.</param>
/// <param name="Pending">Assets that are still to be deleted in Cincopa.</param>
/// <param name="Failed">Assets that could not be deleted, or were left; their records are still imported and say why.</param>
public sealed record UndoCounts(bool IsUnderWay, int Pending, int Failed);

/// <summary>Only the first records of an import are sent until somebody sends the rest.</summary>
/// <param name="Records">How many.</param>
/// <param name="HasEnded">They have come to their end: resuming the import sends the rest.</param>
public sealed record TrialView(int Records, bool HasEnded);

/// <param name="Sha256">Of the bytes as received, lower-case hexadecimal.</param>
public sealed record ManifestSummary(string FileName, string Sha256, long SizeBytes);

/// <summary>Records by state; their sum is the number of rows, always.</summary>
public sealed record StateCounts(
    int Pending, int Submitting, int Submitted, int Imported, int Failed, int Unknown, int Cancelled, int Invalid, int Duplicate,
    int Deleted)
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
        RecordState.Deleted => Deleted,
    };

    /// <summary>All rows.</summary>
    [JsonIgnore]
    public int Total => Pending + Submitting + Submitted + Imported + Failed + Unknown + Cancelled + Invalid + Duplicate + Deleted;

    /// <summary>Records that can still move by themselves.</summary>
    [JsonIgnore]
    public int Open => Pending + Submitting + Submitted;

    /// <summary>Rows that are work: neither invalid nor a duplicate.</summary>
    [JsonIgnore]
    public int Work => Total - Invalid - Duplicate;

    /// <summary>Records that were sent and came to an end, good or bad, or taken back since.</summary>
    [JsonIgnore]
    public int Ended => Imported + Failed + Unknown + Deleted;

    /// <summary>Part of the work that has ended, from 0 to 1. What was cancelled was never sent and is no progress.</summary>
    [JsonIgnore]
    public double Progress => Work > 0 ? (double)Ended / Work : Total > 0 ? 1 : 0;
}

/// <param name="Code">A <see cref="FailureCode"/> as text.</param>
/// <param name="Class">Null for a code that this version does not know.</param>
public sealed record FailureCount(string Code, FailureClass? Class, int Count);

/// <summary>One point of the rate-over-time chart: the mean since the point before.</summary>
public sealed record RatePoint(DateTimeOffset At, double SubmittedPerSecond, double FinishedPerSecond);
