using System.Threading.Channels;
using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Status;

/// <summary>A file of this name came in, says somebody who may be wrong.</summary>
public readonly record struct PollHint(int AccountId, string FileName);

/// <summary>
/// Lets records be asked about at once whose file Cincopa says is in. A hint is never taken for the truth: all that it does is to bring the next
/// status call forward. So hints are kept in memory, repeated ones are dropped, and so are those that nobody has time for; the poll comes anyway.
/// </summary>
public sealed class PollHints(NpgsqlDataSource database, TimeProvider clock, ILogger<PollHints> log) : BackgroundService
{
    private const int MostWaiting = 1000;
    private const int MostRemembered = 10_000;
    private const int Batch = 200;

    /// <summary>Hints gather so long before they are worth a statement.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200);

    private const string PollNow = """
        UPDATE importer.status_poll p SET next_poll_at = now()
        FROM unnest($1::int[], $2::text[], $3::text[]) AS h(account_id, pattern, escaped_pattern), importer.import_record r
        WHERE p.account_id = h.account_id AND p.next_poll_at > now() AND r.import_id = p.import_id AND r.row_number = p.row_number
            AND (r.source_url LIKE h.pattern OR r.source_url LIKE h.escaped_pattern)
        """;

    private readonly Channel<PollHint> waiting = Channel.CreateBounded<PollHint>(new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropOldest });
    private readonly Lock gate = new();
    private readonly HashSet<string> seen = new(StringComparer.Ordinal);
    private readonly Queue<string> order = new();

    /// <summary>Takes a hint; false when its delivery was seen before.</summary>
    /// <param name="hint">What is said.</param>
    /// <param name="delivery">What tells a repeated delivery: event, asset and time of change.</param>
    public bool Offer(PollHint hint, string delivery)
    {
        lock (gate)
        {
            if (!seen.Add(delivery)) return false;
            order.Enqueue(delivery);
            if (order.Count > MostRemembered) seen.Remove(order.Dequeue());
        }
        waiting.Writer.TryWrite(hint);
        return true;
    }

    /// <summary>Acts on what waits. Answers how many records are asked about sooner.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var hints = new HashSet<PollHint>();
        while (hints.Count < Batch && waiting.Reader.TryRead(out var hint)) hints.Add(hint);
        if (hints.Count == 0) return 0;
        var list = hints.ToList();
        return await database.ExecuteAsync(PollNow, cancellationToken,
            list.Select(h => h.AccountId).ToArray(),
            list.Select(h => Like.Containing("/" + h.FileName)).ToArray(),
            list.Select(h => Like.Containing("/" + Uri.EscapeDataString(h.FileName))).ToArray());
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (await waiting.Reader.WaitToReadAsync(stoppingToken))
            {
                await Task.Delay(Patience, clock, stoppingToken);
                try
                {
                    await RunAsync(stoppingToken);
                }
                catch (Exception e) when (!stoppingToken.IsCancellationRequested)
                {
                    Log.HintsDropped(log, e.Message);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // What was hinted at is polled in its time.
        }
    }
}
