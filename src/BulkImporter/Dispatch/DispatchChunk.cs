using BulkImporter.Accounts;
using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Telemetry;
using Cincopa.Client;
using Hangfire;

namespace BulkImporter.Dispatch;

/// <summary>What every chunk is sent with.</summary>
public sealed record SendingNeeds(
    RecordTransitions Transitions, CallGovernor Governor, AccountHealth Health, ICincopaClient Cincopa, PushFile Push,
    FailingHosts Hosts, RetrySchedule Schedule, Func<double> Random, TimeProvider Clock);

/// <summary>
/// The Hangfire job that sends one chunk's due records to Cincopa. Safe to start twice and safe to kill anywhere: the lease decides who
/// works, the committed intent decides what may be sent, and what is left behind is rescued when the lease runs out.
/// </summary>
public sealed class DispatchChunk(
    NpgsqlDataSource database, LeaseKeeper leases, AccountAccess accounts, CheckBeforeSending check, SendingNeeds needs,
    ChunkGivenBack givenBack,
    IHostApplicationLifetime lifetime, ILogger<DispatchChunk> log)
{
    public const string Queue = "dispatch";

    /// <summary>
    /// How long calls in flight may still finish when the process is told to stop: no call takes longer. Supervisors must wait a little
    /// more.
    /// </summary>
    public static readonly TimeSpan GracefulStop = TimeSpan.FromSeconds(30);

    internal const string ReadDue = $"""
        SELECT r.row_number, r.source_url, r.is_push, m.fid, m.file_name, m.expected_md5
        FROM importer.import_record r LEFT JOIN importer.record_meta m ON m.import_id = r.import_id AND m.row_number = r.row_number
        WHERE r.import_id = $1 AND r.row_number BETWEEN $2 AND $3 AND r.state = 'pending'
            AND (r.next_attempt_at IS NULL OR r.next_attempt_at <= now())
            AND {ImportTransitions.IsNotHeldBack}
        ORDER BY r.row_number
        """;

    /// <summary>
    /// Jobs of one chunk that fail within <see cref="Recently"/> before its import is paused. Not of any chunk: a fault that comes and goes
    /// would stop a long import that goes on well.
    /// </summary>
    private const int MostFailures = 5;

    private static readonly TimeSpan Recently = TimeSpan.FromMinutes(10);

    private const string ReadGallery = "SELECT fid FROM importer.import WHERE id = $1";

    /// <param name="title">What a person reads in the dashboard: "Spring catalogue, rows 501-1,000".</param>
    /// <param name="cancellationToken">Hangfire's; the host's own stopping comes earlier and is obeyed.</param>
    [JobDisplayName("{2}")]
    [Queue(Queue)]
    public async Task RunAsync(int importId, int chunkNumber, string title, CancellationToken cancellationToken)
    {
        // 1. The right to work on the chunk. None: somebody has it, there is nothing to do, or the limits leave no room.
        await using var held = lifetime.ApplicationStopping.IsCancellationRequested
            ? null : await leases.TakeAsync(importId, chunkNumber, cancellationToken);
        if (held is null)
        {
            // So that the feeder need not wait until it seems lost.
            await database.ExecuteAsync(ChunkLease.Return, CancellationToken.None, importId, chunkNumber);
            return;
        }
        using var span = Measures.Traces.StartActivity(Spans.Chunk, System.Diagnostics.ActivityKind.Consumer);
        span?.SetTag(Spans.ImportId, importId).SetTag(Spans.ChunkNumber, chunkNumber);
        var began = needs.Clock.GetTimestamp();
        try
        {
            var answered = await DispatchAsync(held, cancellationToken);
            Log.ChunkDispatched(log, importId, chunkNumber, answered, needs.Clock.GetElapsedTime(began).TotalSeconds);
            span?.SetTag(Spans.Answered, answered);
            Measures.ChunkEnded("done", needs.Clock.GetElapsedTime(began));
        }
        catch (Exception e)
        {
            // Hangfire shows the job as failed. The lease runs out and the chunk is fed again, unless this comes again and again.
            Log.ChunkFailed(log, importId, chunkNumber, e);
            Measures.LoopFailed("dispatch", "item", 1);
            if (!e.MayPass() && !cancellationToken.IsCancellationRequested)
            {
                var chunk = $"chunk {chunkNumber}:";
                await database.ExecuteAsync(ImportTransitions.ChunkFailed, CancellationToken.None, importId, $"{chunk} {e.Reason()}",
                    MostFailures, Recently, chunk);
            }
            Measures.ChunkEnded("failed", needs.Clock.GetElapsedTime(began));
            span.Broke(e);
            throw;
        }
    }

    /// <summary>Returns the number of calls that were answered.</summary>
    private async Task<int> DispatchAsync(HeldLease held, CancellationToken cancellationToken)
    {
        var lease = held.Lease;

        // 2. What is due in it now. What becomes due later makes the chunk due again.
        var due = await database.QueryAsync<DueRecord>(ReadDue, cancellationToken, lease.ImportId, lease.FirstRow, lease.LastRow);
        var fid = (await database.QueryAsync<Fid?>(ReadGallery, cancellationToken, lease.ImportId)).SingleOrDefault();
        var current = await accounts.GetAsync(lease.AccountId, cancellationToken);

        // 3. Cincopa would take them, as far as a ping tells. A token that cannot send costs no row an attempt.
        if (!await check.MaySendAsync(lease.AccountId, current, cancellationToken)) due = [];

        // 4. Intent, call, answer, for all of them. A stop lets calls in flight finish for a while, then abandons them to doubt.
        using var stopSending = CancellationTokenSource.CreateLinkedTokenSource(held.StopSending, lifetime.ApplicationStopping,
            cancellationToken);
        using var abandon = new CancellationTokenSource();
        await using var grace = stopSending.Token.Register(() =>
        {
            if (lifetime.ApplicationStopping.IsCancellationRequested) abandon.CancelAfter(GracefulStop);
        });
        var pipeline = new ChunkPipeline(lease, held.Limits, current, fid, needs, log);
        var answered = await pipeline.RunAsync(due, stopSending.Token, abandon.Token);

        // 5. Every answer is written: the chunk may be anyone's again.
        await held.ReleaseAsync(pipeline.Aside);
        givenBack.Set();
        return answered;
    }
}

/// <summary>A pending record whose time has come.</summary>
/// <param name="Fid">The row's own gallery, in place of the import's.</param>
/// <param name="FileName">What a pushed file is called, if the row says so.</param>
/// <param name="ExpectedMd5">What the file's MD5 should be, if the row says so.</param>
public readonly record struct DueRecord(
    int RowNumber, string SourceUrl, bool IsPush = false, Fid? Fid = null, string? FileName = null, string? ExpectedMd5 = null);
