using BulkImporter.Sources;

namespace BulkImporter.Records;

/// <summary>
/// The breaker of a source's host. Failures that are the host's are counted in <see cref="FailingHost"/>, all workers together, by whoever
/// has written the end of records. A run in which no host fails costs no statement but one short look a second in each process.
/// </summary>
public sealed class FailingHosts(NpgsqlDataSource database, TimeProvider clock, ILogger<FailingHosts> log)
{
    /// <summary>Files of one host that fail one after another before it waits.</summary>
    public const int FailuresThatWait = 20;

    /// <summary>The first wait; it doubles each time that the host is asked in vain.</summary>
    private static readonly TimeSpan FirstWait = TimeSpan.FromMinutes(1);

    /// <summary>One file in an hour is gentle enough, and soon enough for an import that runs for days.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    /// <summary>How old a look may be: for so long another process's findings may not be known here.</summary>
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);

    private const string Look = """
        SELECT account_id, host, asked_at - clock_timestamp() AS asked_in FROM importer.failing_host
        """;

    private const string ReadSources = """
        SELECT s.import_id, s.row_number, i.account_id, r.source_url
        FROM unnest($1::importer.outcome[]) s
        JOIN importer.import_record r ON r.import_id = s.import_id AND r.row_number = s.row_number
        JOIN importer.import i ON i.id = s.import_id
        """;

    private const string Forget = "DELETE FROM importer.failing_host WHERE account_id = $1 AND host = ANY($2) RETURNING host";

    // In the order of the hosts, so that two who count do not wait for each other.
    private const string Count = """
        INSERT INTO importer.failing_host AS f (account_id, host, failed_in_a_row, since, last_failed_at, code, asked_at)
        SELECT $1, n.host, n.count, now(), now(), n.code, CASE WHEN n.count >= $5 THEN now() + $6 END
        FROM unnest($2::text[], $3::int[], $4::text[]) AS n(host, count, code) ORDER BY n.host
        ON CONFLICT (account_id, host) DO UPDATE
        SET failed_in_a_row = f.failed_in_a_row + excluded.failed_in_a_row, last_failed_at = now(), code = excluded.code,
            asked_at = coalesce(f.asked_at, CASE WHEN f.failed_in_a_row + excluded.failed_in_a_row >= $5 THEN now() + $6 END)
        RETURNING host, failed_in_a_row, code, asked_at
        """;

    private const string Ask = """
        UPDATE importer.failing_host
        SET asked_count = asked_count + 1, asked_at = now() + importer.backoff($3, $4, asked_count + 1)
        WHERE account_id = $1 AND host = $2 AND asked_at <= now()
        RETURNING asked_at - now()
        """;

    // Who orders it believes that it works again: if it does not, the waits begin anew.
    private const string AskNow = """
        UPDATE importer.failing_host SET asked_at = now(), asked_count = 0
        WHERE account_id = (SELECT account_id FROM importer.import WHERE id = $1) AND asked_at > now() AND host = coalesce($2::text, host)
        RETURNING host
        """;

    // A day without a file that could ask: whatever comes later is counted anew.
    private const string ForgetOld = """
        DELETE FROM importer.failing_host
        WHERE coalesce(asked_at, last_failed_at) < now() - CASE WHEN asked_at IS NULL THEN interval '1 hour' ELSE interval '1 day' END
        """;

    // Several threads may write it; whichever does is right enough.
    private volatile Seen seen = new([], 0, IsFresh: false);

    /// <summary>
    /// The hosts that fail or wait, as of a second ago at most; as of the last look when the database does not answer, without which
    /// nothing is sent either.
    /// </summary>
    internal async ValueTask<Seen> LookAsync(CancellationToken cancellationToken)
    {
        if (IsFresh(seen)) return seen;
        var at = clock.GetTimestamp();
        try
        {
            var hosts = await database.QueryAsync<Looked>(Look, cancellationToken);
            return seen = new(hosts.ToDictionary(h => (h.AccountId, h.Host), h => h.AskedIn), at, IsFresh: true);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            Log.HostsNotSeen(log, e.Message);
            return seen;
        }
    }

    private bool IsFresh(Seen look) => look.IsFresh && clock.GetElapsedTime(look.At) < Freshness;

    /// <summary>How long a host still waits; zero or less when it is to be asked, null when it does not wait.</summary>
    internal TimeSpan? WaitOf(Seen look, int accountId, string host) =>
        look.Hosts.GetValueOrDefault((accountId, host)) is { } askedIn ? askedIn - clock.GetElapsedTime(look.At) : null;

    /// <summary>
    /// Takes the right to send one file to a host whose time has come, and moves its next time ahead. False when another has it, or the
    /// host does not wait any more.
    /// </summary>
    internal async Task<bool> MayAskAsync(int accountId, string host, CancellationToken cancellationToken)
    {
        var asked = await database.QueryAsync<TimeSpan>(Ask, cancellationToken, accountId, host, FirstWait, LongestWait);
        LookAgain();
        if (asked is not [var wait]) return false;
        Log.HostAsked(log, accountId, host, wait);
        return true;
    }

    /// <summary>
    /// Counts what became of some records of an account, in the order in which it was said. After that is written: it is no part of it, and
    /// a count that is lost is the next failure's.
    /// </summary>
    /// <param name="ends">The host, and the failure when it was one.</param>
    internal Task NoteAsync(
        int accountId, IReadOnlyCollection<(string? Host, FailureCode? Code)> ends, CancellationToken cancellationToken) =>
        UnlessLostAsync(ends.Count, () => CountAsync(accountId, ends, cancellationToken));

    /// <summary>The same for records whose sources are not in hand. They are read only when something is to be counted.</summary>
    internal Task NoteAsync(IReadOnlyList<Conclusion> conclusions, CancellationToken cancellationToken) =>
        UnlessLostAsync(conclusions.Count, () => CountAsync(conclusions, cancellationToken));

    private async Task UnlessLostAsync(int ends, Func<Task> count)
    {
        try
        {
            await count();
        }
        catch (Exception e) when (e.IsOfTheDatabase())
        {
            Log.HostsNotCounted(log, ends, e.Message);
        }
    }

    private async Task CountAsync(
        int accountId, IReadOnlyCollection<(string? Host, FailureCode? Code)> ends, CancellationToken cancellationToken)
    {
        var look = await LookAsync(cancellationToken);
        var hosts = ends.Where(e => e.Host is not null && IsAnEnd(e.Code)).GroupBy(e => e.Host!).ToList();
        string[] work =
            [.. hosts.Where(h => look.Hosts.ContainsKey((accountId, h.Key)) && h.Any(e => !IsFailure(e.Code))).Select(h => h.Key)];
        var failing = hosts.Select(h => (Host: h.Key, Failures: h.Reverse().TakeWhile(e => IsFailure(e.Code)).ToList()))
            .Where(h => h.Failures.Count > 0).ToList();
        if (work.Length > 0)
        {
            foreach (var host in await database.QueryAsync<string>(Forget, cancellationToken, accountId, work))
                Log.HostWorks(log, accountId, host);
        }
        if (failing.Count > 0)
        {
            var counted = await database.QueryByKeyAsync<Counted>(Count, cancellationToken, accountId,
                failing.Select(h => h.Host).ToArray(), failing.Select(h => h.Failures.Count).ToArray(),
                failing.Select(h => EnumText<FailureCode>.Of(h.Failures[0].Code!.Value)).ToArray(), FailuresThatWait, FirstWait);
            foreach (var host in counted.Where(h => h.FailedInARow >= FailuresThatWait))
                Log.HostWaits(log, accountId, host.Host, host.FailedInARow, host.Code, host.AskedAt);
        }
        if (work.Length + failing.Count > 0) LookAgain();
    }

    private async Task CountAsync(IReadOnlyList<Conclusion> conclusions, CancellationToken cancellationToken)
    {
        if (!conclusions.Any(c => IsFailure(c.Code)) && (await LookAsync(cancellationToken)).Hosts.Count == 0) return;
        var said = conclusions.Where(c => IsAnEnd(c.Code)).ToList();
        if (said.Count == 0) return;
        var sources = (await database.QueryByKeyAsync<Source>(
                ReadSources, cancellationToken, [said.Select(c => OutcomeRow.Of(c)).ToArray()]))
            .ToDictionary(s => (s.ImportId, s.RowNumber));
        foreach (var account in said.Where(c => sources.ContainsKey((c.ImportId, c.RowNumber)))
            .Select(c => (Source: sources[(c.ImportId, c.RowNumber)], c.Code)).GroupBy(c => c.Source.AccountId))
        {
            await CountAsync(account.Key, [.. account.Select(c => (SourceHost.Of(c.Source.SourceUrl ?? ""), c.Code))], cancellationToken);
        }
    }

    /// <summary>
    /// Lets hosts that wait be asked at once instead of at their time: the one, or all of the import's account. Returns those that waited.
    /// </summary>
    internal Task<List<string>> AskNowAsync(
        NpgsqlConnection connection, int importId, string? host, CancellationToken cancellationToken) =>
        connection.QueryAsync<string>(AskNow, cancellationToken, importId, host);

    /// <summary>Forgets what has not failed for an hour, and waits that nothing has asked for in a day.</summary>
    internal Task ForgetOldAsync(CancellationToken cancellationToken) => database.ExecuteAsync(ForgetOld, cancellationToken);

    /// <summary>What this process has just changed, it knows at once.</summary>
    private void LookAgain() => seen = seen with { IsFresh = false };

    private static bool IsFailure(FailureCode? code) => code?.IsOfTheHost() == true;

    /// <summary>Whether it tells anything of the host: it failed, it handed out a file, or it said that it has none.</summary>
    private static bool IsAnEnd(FailureCode? code) =>
        code is null or FailureCode.SourceNotFound or FailureCode.UnsupportedMedia || IsFailure(code);

    /// <param name="Hosts">How long each still waited at that time; null for one that has failed and does not wait.</param>
    internal sealed record Seen(Dictionary<(int AccountId, string Host), TimeSpan?> Hosts, long At, bool IsFresh);

    private sealed record Looked(int AccountId, string Host, TimeSpan? AskedIn);

    private sealed record Counted(string Host, int FailedInARow, string Code, DateTimeOffset? AskedAt);

    private sealed record Source(int ImportId, int RowNumber, int AccountId, string? SourceUrl);
}
