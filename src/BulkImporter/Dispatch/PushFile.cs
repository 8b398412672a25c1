using System.Buffers;
using System.Security.Cryptography;
using BulkImporter.Records;
using Cincopa.Client;
using Microsoft.AspNetCore.DataProtection;

namespace BulkImporter.Dispatch;

/// <summary>How a push ended.</summary>
/// <param name="ForHealth">The call that says something of the account; null when it did not come so far.</param>
/// <param name="MayBeTheUploadUrl">A range was refused for good, and the refusal may mean its upload URL: what such a text names is not
/// known (INF).</param>
internal sealed record Pushed(Answer Answer, PushResult? ForHealth, bool MayBeTheUploadUrl = false);

/// <summary>
/// Sends one record's file in ranges, streamed from its source. How far it is stands in the database after each range, so another attempt
/// goes on from there, with the same id and name. Before the last range leaves, that is committed too: until then no asset can exist and
/// the file may be sent by anyone; after it one may, and only a look for the row's key in the file name can tell.
/// </summary>
public sealed class PushFile(
    PushSource sources, PushProgress progress, Bandwidth bandwidth, ICincopaClient cincopa, RetrySchedule schedule,
    IDataProtectionProvider protection,
    IOptions<PushOptions> options, TimeProvider clock, Func<double> random, ILogger<PushFile> log)
{
    /// <summary>
    /// Held in memory while the size of a source is not known: the range that may be the last must be known as such before it leaves.
    /// </summary>
    private const int UnsizedRange = 4 * 1024 * 1024;

    private const int Piece = 64 * 1024;

    /// <summary>How often a range that failed on its way is sent again, as Cincopa's own uploader does (OWN S6).</summary>
    private const int RangeRetries = 10;
    private readonly RetrySchedule ranges = new(options.Value.RangeWait, TimeSpan.FromMinutes(1), random, least: 0.5);

    private readonly IDataProtector protector = protection.CreateProtector("BulkImporter.Dispatch.UploadUrl");

    /// <param name="lease">Of the record's chunk.</param>
    /// <param name="intent">Committed.</param>
    /// <param name="record">What is sent.</param>
    /// <param name="fid">The gallery that the asset joins, or null.</param>
    /// <param name="access">Where and as whom.</param>
    /// <param name="stop">No further range may begin; what was sent is kept, and the attempt is given back.</param>
    /// <param name="abandon">Gives up the range that is on its way.</param>
    internal async Task<Pushed> RunAsync(
        Lease lease, Intent intent, DueRecord record, Fid? fid, CincopaAccess access, CancellationToken stop, CancellationToken abandon)
    {
        try
        {
            var pushed = await PushAsync(lease, intent, record, fid, access, afresh: false, stop, abandon);
            // Final only when a fresh upload URL gets the same answer. Nothing was stored, so nothing can be sent twice.
            return pushed.MayBeTheUploadUrl ? await PushAsync(lease, intent, record, fid, access, afresh: true, stop, abandon) : pushed;
        }
        catch (SourceFailedException e)
        {
            return new(Verdict.OfSource(intent, e, schedule), null);
        }
        catch (OperationCanceledException)
        {
            return new(Verdict.NotSent(intent), null);
        }
        catch (NpgsqlException e)
        {
            // Nothing is sent whose permission was not committed, so nothing is in doubt.
            Log.PermitFailed(log, lease.ImportId, intent.RowNumber, intent.Attempt, e.Message);
            return new(Verdict.NotSent(intent), null);
        }
    }

    /// <param name="afresh">To another upload URL and from the beginning, whatever was sent before.</param>
    private async Task<Pushed> PushAsync(
        Lease lease, Intent intent, DueRecord record, Fid? fid, CincopaAccess access, bool afresh, CancellationToken stop,
        CancellationToken abandon)
    {
        // 1. Where an earlier attempt stopped. One whose last range had begun was given up for good: this is another upload.
        var kept = !afresh && await progress.FindAsync(lease.ImportId, intent.RowNumber, abandon) is { LastBegun: false } found
            && IsReadable(found) ? found : null;
        var source = await sources.OpenAsync(record.SourceUrl, lease.AccountId, kept?.SentBytes ?? 0, abandon);
        try
        {
            if (kept is not null && (kept.SourceTag is null || kept.SourceTag != source.Tag || kept.TotalBytes != source.Size))
            {
                // Nothing says that it is still the same file: from the beginning.
                if (kept.SentBytes > 0)
                {
                    await source.DisposeAsync();
                    source = await sources.OpenAsync(record.SourceUrl, lease.AccountId, 0, abandon);
                }
                kept = null;
            }
            if (source.Size == 0) throw new SourceFailedException(FailureCode.UnsupportedMedia, "The file is empty.");

            // 2. Where it goes, and under which name.
            if (kept is null)
            {
                var asked = await cincopa.GetUploadUrlAsync(access, fid, abandon);
                if (asked is UploadUrlResult.Failed { Error: var none })
                {
                    // Asking makes nothing, so whatever became of the call, nothing is in doubt.
                    if (none.Code().Class() == FailureClass.Unknown) return new(Verdict.Interrupted(intent, none, schedule), null);
                    var refusal = new PushResult.Refused(none);
                    return new(Verdict.Of(intent, refusal, wasLast: false, schedule), refusal);
                }
                kept = Fresh(lease.ImportId, record, ((UploadUrlResult.Ok)asked).UploadUrl, source);
                if (!await progress.KeepAsync(lease, intent, kept, abandon)) return new(Verdict.NotSent(intent), null);
            }

            // 3. Range by range.
            var url = new UploadUrl(new Uri(protector.Unprotect(kept.UrlProtected)));
            var unsized = source.Size is null ? new byte[UnsizedRange] : null;
            using var hash = new SentHash(withMd5: record.ExpectedMd5 is not null);
            for (var isFirst = true; ; isFirst = false)
            {
                stop.ThrowIfCancellationRequested();
                var range = unsized is null ? Sized(kept, source.Size!.Value)
                    : await UnsizedAsync(kept, source, unsized, carries: !isFirst, abandon);
                if (range.IsLast)
                {
                    kept = kept with { LastBegun = true, TotalBytes = range.Total };
                    if (!await progress.KeepAsync(lease, intent, kept, abandon)) return new(Verdict.NotSent(intent), null);
                }
                (var result, source) = await SendAsync(lease, record, access, url, range, source, unsized, hash, stop, abandon);
                if (result is PushResult.Taken)
                {
                    kept = kept with { SentBytes = range.End };
                    if (!await progress.KeepAsync(lease, intent, kept, abandon)) return new(Verdict.NotSent(intent), null);
                    continue;
                }

                // 4. Its end. What did not arrive cannot have made an asset after all. After a refusal the upload is of no use any more
                // (its address ran out, or the two sides disagree on what was sent): the next attempt makes another.
                if (result is PushResult.NeverSent) await BackAsync(lease, intent, kept, range);
                if (result is PushResult.Refused) await BackAsync(lease, intent, kept with { SourceTag = null }, range);
                var answer = Verdict.Of(intent, result, range.IsLast, schedule);
                if (result is PushResult.Stored) answer = answer with { Sent = hash.Of(range.End) };
                return new(
                    answer, result is PushResult.Unknown && !range.IsLast ? null : result,
                    MayBeTheUploadUrl: result is PushResult.Refused { Error: var error } && error.Code().Class() == FailureClass.Permanent);
            }
        }
        finally
        {
            await source.DisposeAsync();
        }
    }

    /// <summary>
    /// Whether its address can still be decrypted. If the key is lost, the file goes from the beginning to another address: no asset can
    /// exist of it yet.
    /// </summary>
    private bool IsReadable(Upload kept)
    {
        try
        {
            protector.Unprotect(kept.UrlProtected);
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <summary>The range did not arrive: the upload is where it stood before it.</summary>
    private Task<bool> BackAsync(Lease lease, Intent intent, Upload kept, PushRange range) =>
        progress.KeepAsync(lease, intent, kept with { LastBegun = false, SentBytes = range.Start }, CancellationToken.None);

    /// <summary>
    /// Sends one range. One that failed on its way is sent again, from the source anew, except the last one, after which an asset may
    /// exist.
    /// </summary>
    private async Task<(PushResult, OpenSource)> SendAsync(
        Lease lease, DueRecord record, CincopaAccess access, UploadUrl url, PushRange range, OpenSource source, byte[]? unsized,
        SentHash hash, CancellationToken stop, CancellationToken abandon)
    {
        for (var failures = 0; ; failures++)
        {
            var from = source;
            var result = await cincopa.PushRangeAsync(access, url, range, (stream, token) =>
                WriteAsync(from, unsized, range, hash, stream, token), abandon);
            var again = result is PushResult.NeverSent || (result is PushResult.Unknown && !range.IsLast);
            if (!again || failures >= RangeRetries || stop.IsCancellationRequested) return (result, source);

            await Task.Delay(ranges.Wait(failures + 1, null), clock, abandon);
            // What was read of it went with the broken range; an unsized one is still in memory.
            if (unsized is not null) continue;
            var (size, tag) = (source.Size, source.Tag);
            await source.DisposeAsync();
            source = await sources.OpenAsync(record.SourceUrl, lease.AccountId, range.Start, abandon);
            if (source.Size != size || source.Tag != tag)
                throw new SourceFailedException(FailureCode.SourceUnreachable, "The source changed while it was read.");
            if (tag is null) hash.Break();
        }
    }

    private async Task WriteAsync(
        OpenSource source, byte[]? unsized, PushRange range, SentHash hash, Stream stream, CancellationToken cancellationToken)
    {
        var buffer = unsized is null ? ArrayPool<byte>.Shared.Rent(Piece) : null;
        try
        {
            for (var done = 0L; done < range.Length;)
            {
                var most = (int)Math.Min(Piece, range.Length - done);
                ReadOnlyMemory<byte> piece;
                if (buffer is null)
                {
                    piece = unsized.AsMemory((int)done, most);
                }
                else
                {
                    var read = await source.ReadAsync(buffer.AsMemory(0, most), cancellationToken);
                    if (read == 0) throw new SourceFailedException(FailureCode.SourceUnreachable, "The source ended before its size.");
                    piece = buffer.AsMemory(0, read);
                }
                await bandwidth.TakeAsync(piece.Length, cancellationToken);
                await stream.WriteAsync(piece, cancellationToken);
                hash.Append(range.Start + done, piece.Span);
                done += piece.Length;
            }
        }
        finally
        {
            if (buffer is not null) ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private PushRange Sized(Upload kept, long size) =>
        new(kept.FileName, kept.UniqueId, kept.SentBytes, Math.Min(options.Value.RangeBytes, size - kept.SentBytes), size);

    /// <summary>
    /// Reads a range into memory. The last byte of the buffer tells whether there is more, and is the first of the next range.
    /// </summary>
    private static async Task<PushRange> UnsizedAsync(
        Upload kept, OpenSource source, byte[] buffer, bool carries, CancellationToken cancellationToken)
    {
        var length = carries ? 1 : 0;
        if (carries) buffer[0] = buffer[^1];
        while (length < buffer.Length && await source.ReadAsync(buffer.AsMemory(length), cancellationToken) is > 0 and var read)
            length += read;
        if (length == 0) throw new SourceFailedException(FailureCode.UnsupportedMedia, "The file is empty.");
        var isLast = length < buffer.Length;
        var count = isLast ? length : length - 1;
        return new(kept.FileName, kept.UniqueId, kept.SentBytes, count, isLast ? kept.SentBytes + count : null);
    }

    /// <summary>
    /// The key of the row stands in the name, which is the only place for it; the caption is set right when the asset is finished.
    /// </summary>
    private Upload Fresh(int importId, DueRecord record, UploadUrl url, OpenSource source)
    {
        var name = record.FileName ?? SourceName.Of(record.SourceUrl);
        if (name.Length == 0) name = "file";
        var uniqueId = string.Create(CultureInfo.InvariantCulture,
            $"{clock.GetUtcNow().ToUnixTimeMilliseconds()}{(int)(random() * 10_000):0000}");
        var stem = Path.GetFileNameWithoutExtension(name);
        if (stem.Length > 150) stem = stem[..(char.IsHighSurrogate(stem[149]) ? 149 : 150)];
        var fileName = string.Create(CultureInfo.InvariantCulture,
            $"{stem}--{importId}-{record.RowNumber}-{uniqueId}{Path.GetExtension(name)}");
        return new(protector.Protect(url.Value.AbsoluteUri), uniqueId, fileName, source.Tag, 0, source.Size, LastBegun: false);
    }
}
