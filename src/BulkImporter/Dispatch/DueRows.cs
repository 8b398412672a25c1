using BulkImporter.Records;
using BulkImporter.Sources;

namespace BulkImporter.Dispatch;

/// <summary>Rows of a chunk that were due and are not sent in this turn, for the sake of their host.</summary>
internal sealed class SetAside
{
    public List<int> Rows { get; } = [];

    /// <summary>Hosts that wait, and how many of the rows wait for each.</summary>
    public Dictionary<string, int> Hosts { get; } = [];

    /// <summary>Some of the rows only found the places of their host taken.</summary>
    public bool FoundNoPlace { get; set; }

    public void ForHost(int row, string host)
    {
        Rows.Add(row);
        Hosts[host] = Hosts.GetValueOrDefault(host) + 1;
    }
}

/// <summary>
/// What of a chunk is still to be sent, and what may be sent next: nothing of a host that waits but the one file that asks whether it works
/// again, and of no host more than its places. As long as no host fails and none has a limit, it is the list from its beginning.
/// </summary>
/// <param name="due">In the order in which they are sent.</param>
/// <param name="random">From 0 to 1: which row asks.</param>
/// <param name="clock">For how long a host is taken to have no place.</param>
internal sealed class DueRows(List<DueRecord> due, Lease lease, FailingHosts hosts, Func<double> random, TimeProvider clock)
{
    /// <summary>How long a host of which other chunks have all places is left to them.</summary>
    private static readonly TimeSpan LeftToOthers = TimeSpan.FromSeconds(1);

    // Where hosts have a limit: of what is on the wire of this chunk, and when a host's places were found taken by others.
    private readonly Dictionary<int, string> onWire = [];
    private readonly Dictionary<string, long> taken = [];
    private List<DueRecord> left = due;
    private int next;

    public SetAside Aside { get; } = new();

    public bool AnyLeft => next < left.Count;

    /// <summary>
    /// The next ones, at most so many, and which of them ask a host that waits. They stay here until <see cref="TakeAsync"/>. None,
    /// although some are left: their hosts have no place before something is answered.
    /// </summary>
    public async ValueTask<(List<DueRecord> Rows, List<DueRecord> Asking)> NextAsync(int most, CancellationToken cancellationToken)
    {
        var look = await hosts.LookAsync(cancellationToken);
        if (look.Hosts.Count == 0 && lease.PerHost == 0) return (left.GetRange(next, Math.Min(most, left.Count - next)), []);

        var (rows, asking, stay) = (new List<DueRecord>(), new List<DueRecord>(), new List<DueRecord>(left.Count - next));
        var mayAsk = RowsThatAsk(look);
        var used = onWire.Values.CountBy(h => h).ToDictionary();
        for (; next < left.Count && rows.Count < most; next++)
        {
            var row = left[next];
            var host = SourceHost.Of(row.SourceUrl);
            var wait = host is null ? null : hosts.WaitOf(look, lease.AccountId, host);
            if (wait is not null && !mayAsk.Contains(row.RowNumber))
            {
                Aside.ForHost(row.RowNumber, host!);
                continue;
            }
            stay.Add(row);
            if (host is not null && lease.PerHost > 0)
            {
                if (used.GetValueOrDefault(host) >= lease.PerHost || IsLeftToOthers(host)) continue;
                used[host] = used.GetValueOrDefault(host) + 1;
            }
            rows.Add(row);
            if (wait is not null) asking.Add(row);
        }
        stay.AddRange(left.Skip(next));
        (left, next) = (stay, 0);
        return (rows, asking);
    }

    /// <summary>
    /// They are to be sent now. What asks a host needs the right to: without it, it waits like the host's other rows. Returns those that
    /// go.
    /// </summary>
    public async Task<List<DueRecord>> TakeAsync(
        List<DueRecord> rows, List<DueRecord> asking, CancellationToken cancellationToken)
    {
        Remove(rows);
        foreach (var row in asking.Where(rows.Contains))
        {
            var host = SourceHost.Of(row.SourceUrl)!;
            if (await hosts.MayAskAsync(lease.AccountId, host, cancellationToken)) continue;
            rows.Remove(row);
            Aside.ForHost(row.RowNumber, host);
        }
        return rows;
    }

    /// <summary>
    /// Which of them began. The others, where hosts have a limit, found the places taken by other chunks, and come later.
    /// </summary>
    public void Began(List<DueRecord> rows, IReadOnlyList<Intent> intents)
    {
        if (lease.PerHost == 0) return;
        var begun = intents.Select(i => i.RowNumber).ToHashSet();
        foreach (var row in rows)
        {
            if (SourceHost.Of(row.SourceUrl) is not { } host) continue;
            if (begun.Contains(row.RowNumber))
            {
                onWire[row.RowNumber] = host;
                continue;
            }
            left.Add(row);
            taken[host] = clock.GetTimestamp();
        }
    }

    public void Answered(int row) => onWire.Remove(row);

    /// <summary>Nothing of what is left has a place, and this chunk has nothing on the wire that would leave one.</summary>
    public void SetRestAside()
    {
        Aside.Rows.AddRange(left.Skip(next).Select(r => r.RowNumber));
        Aside.FoundNoPlace = AnyLeft;
        next = left.Count;
    }

    /// <summary>
    /// One row, whichever, of each host that is to be asked: when some files of a host are forbidden, the next time another one asks.
    /// </summary>
    private HashSet<int> RowsThatAsk(FailingHosts.Seen look)
    {
        if (look.Hosts.Count == 0) return [];
        return [.. left.Skip(next).Select(r => (r.RowNumber, Host: SourceHost.Of(r.SourceUrl)))
            .Where(r => r.Host is not null && hosts.WaitOf(look, lease.AccountId, r.Host) <= TimeSpan.Zero)
            .GroupBy(r => r.Host).Select(rows => rows.ElementAt((int)(random() * rows.Count())).RowNumber)];
    }

    private bool IsLeftToOthers(string host) => taken.TryGetValue(host, out var since) && clock.GetElapsedTime(since) < LeftToOthers;

    private void Remove(List<DueRecord> rows)
    {
        if (left[next].RowNumber == rows[0].RowNumber && left[next + rows.Count - 1].RowNumber == rows[^1].RowNumber)
        {
            next += rows.Count;
            return;
        }
        var gone = rows.Select(r => r.RowNumber).ToHashSet();
        left.RemoveAll(r => gone.Contains(r.RowNumber));
    }
}
