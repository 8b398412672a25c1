using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace BulkImporter.Telemetry;

/// <summary>
/// Everything that this process measures about its own work, and the traces that it writes: the only place where a measure is named.
/// <c>docs/telemetry.md</c> is the same list for people, and a test keeps the two equal. No label and no trace holds an address, a token
/// or anything else of a manifest's content; each label has few values.
/// </summary>
public static class Measures
{
    /// <summary>The name of the meter and of the source of traces.</summary>
    public const string Source = "BulkImporter";

    /// <summary>Seconds: from a call on one machine to a remote side that takes its whole timeout.</summary>
    private static readonly double[] CallSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

    private static readonly double[] LongSeconds = [0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1800];

    public static readonly ActivitySource Traces = new(Source);

    private static readonly Meter Meter = new(Source);

    private static readonly Histogram<double> CallDuration = Meter.CreateHistogram(
        "bulkimporter.call.duration", "s", "Calls to Cincopa and how long each took.", advice: new InstrumentAdvice<double>
        { HistogramBucketBoundaries = CallSeconds });

    private static readonly UpDownCounter<long> CallsInFlight =
        Meter.CreateUpDownCounter<long>("bulkimporter.calls.in_flight", "{call}", "Calls to Cincopa that are not answered yet.");

    private static readonly Histogram<double> PermitWait = Meter.CreateHistogram(
        "bulkimporter.permit.wait", "s", "How long a call waited for its permit.", advice: new InstrumentAdvice<double>
        { HistogramBucketBoundaries = CallSeconds });

    private static readonly Histogram<double> ChunkDuration = Meter.CreateHistogram(
        "bulkimporter.chunk.duration", "s", "Turns of chunks and how long each lease was worked under.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = LongSeconds });

    private static readonly Counter<long> LeasesLost =
        Meter.CreateCounter<long>("bulkimporter.lease.losses", "{lease}", "Leases that this process could not renew.");

    private static readonly Counter<long> LeasesRescued =
        Meter.CreateCounter<long>("bulkimporter.lease.rescues", "{lease}", "Leases that ran out and were taken back.");

    private static readonly Counter<long> RecordsInDoubt = Meter.CreateCounter<long>("bulkimporter.records.in_doubt", "{record}",
        "Records that became unknown because the worker that sent them was gone.");

    private static readonly Counter<long> RowsRead =
        Meter.CreateCounter<long>("bulkimporter.manifest.rows", "{row}", "Rows of manifests that were read and checked.");

    private static readonly Counter<long> CountersWrong =
        Meter.CreateCounter<long>("bulkimporter.counter.differences", "{chunk}", "Chunks whose counters differed from their records.");

    private static readonly Counter<long> RowsRemoved =
        Meter.CreateCounter<long>("bulkimporter.retention.removed", "{row}", "Rows of the database that retention or a deletion removed.");

    private static readonly Counter<long> LoopFailures = Meter.CreateCounter<long>("bulkimporter.loop.failures", "{failure}",
        "Rounds, items and writes of the periodic loops and jobs that ended in an unexpected error.");

    private static readonly Counter<long> Repeats = Meter.CreateCounter<long>("bulkimporter.database.repeats", "{transaction}",
        "Transactions that the database rolled back because of others, and that were run again at once.");

    /// <summary>A call begins; <see cref="CallEnded"/> must follow.</summary>
    public static void CallBegan(string call) => CallsInFlight.Add(1, new KeyValuePair<string, object?>("call", call));

    /// <param name="outcome">What the answer was, by its name in the client.</param>
    /// <param name="error">Why it did not work, from the client's closed list; <c>none</c> when it did.</param>
    public static void CallEnded(string call, string outcome, string error, TimeSpan took)
    {
        CallsInFlight.Add(-1, new KeyValuePair<string, object?>("call", call));
        CallDuration.Record(took.TotalSeconds, new("call", call), new("outcome", outcome), new("error", error));
    }

    /// <param name="kind">submit or status.</param>
    public static void PermitWaited(string kind, TimeSpan waited) =>
        PermitWait.Record(waited.TotalSeconds, new KeyValuePair<string, object?>("kind", kind));

    /// <param name="outcome">done or failed.</param>
    public static void ChunkEnded(string outcome, TimeSpan took) =>
        ChunkDuration.Record(took.TotalSeconds, new KeyValuePair<string, object?>("outcome", outcome));

    public static void LeaseLost() => LeasesLost.Add(1);

    public static void LeaseRescued(int inDoubt)
    {
        LeasesRescued.Add(1);
        RecordsInDoubt.Add(inDoubt);
    }

    public static void ManifestRowsRead(int rows) => RowsRead.Add(rows);

    public static void CountersDiffered(int chunks) => CountersWrong.Add(chunks);

    /// <param name="code">40001 (serialisation failure), 40P01 (deadlock), 23505 (a unique name was taken) or changed (a row was, after it
    /// was read).</param>
    public static void Repeated(string code) => Repeats.Add(1, new KeyValuePair<string, object?>("code", code));

    /// <param name="loop">The loop's or job's name.</param>
    /// <param name="part">round, item or write.</param>
    public static void LoopFailed(string loop, string part, int times) => LoopFailures.Add(times, new("loop", loop), new("part", part));

    /// <param name="what">The kind of rows: attempts, findings, manifest_parts, records, …</param>
    public static void Removed(string what, int rows)
    {
        if (rows > 0) RowsRemoved.Add(rows, new KeyValuePair<string, object?>("what", what));
    }
}

/// <summary>The names of traces' spans and of what they carry.</summary>
public static class Spans
{
    /// <summary>One turn of one chunk, from its lease to its release.</summary>
    public const string Chunk = "dispatch chunk";

    /// <summary>One reading of one manifest.</summary>
    public const string Parse = "parse manifest";

    /// <summary>One call to Cincopa; the call's name follows. Sampled.</summary>
    public const string Call = "cincopa";

    public const string ImportId = "bulkimporter.import.id";
    public const string ChunkNumber = "bulkimporter.chunk.number";
    public const string Answered = "bulkimporter.chunk.answered";
    public const string Rows = "bulkimporter.manifest.rows";
    public const string Outcome = "bulkimporter.call.outcome";
    public const string Error = "bulkimporter.call.error";

    /// <summary>The work broke; only the exception's type is told, its text may hold what must not leave.</summary>
    public static void Broke(this Activity? span, Exception error) => span?.SetStatus(ActivityStatusCode.Error, error.GetType().Name);
}
