using System.Globalization;
using System.Text.RegularExpressions;

namespace BulkImporter.EndToEndTests.Durability;

/// <summary>Hosts that the network cuts off and gives back.</summary>
[Trait("Category", "Durability")]
public sealed partial class CutOffHostsTests(ITestOutputHelper output) : IAsyncDisposable
{
    /// <summary>Slow enough that an import outlasts its cuts, and that calls are under way when they come.</summary>
    private const string Steady = """{"latencyMs":[600,1400],"statusLatencyMs":0,"importMs":[20,400]}""";

    private readonly Stage stage = new();
    private readonly Hosts hosts = new();

    public async ValueTask DisposeAsync()
    {
        // After all who talk over its links: what they still had to say would leave this machine by another way.
        await stage.DisposeAsync();
        await hosts.DisposeAsync();
    }

    [Fact]
    public async Task Host_that_is_cut_off_costs_nothing_because_another_goes_on_and_what_it_knows_counts_when_it_is_back()
    {
        var (cuts, rows) = (Form.Of(1, 4), Form.Of(2500, 10_000));
        var company = await hosts.FoundAsync(stage, 2, Steady, output);
        var workers = await Task.WhenAll(hosts[0].HireAsync(company), hosts[1].HireAsync(company));
        var id = await company.ImportAsync(rows);

        var lost = 0L;
        for (var cut = 0; cut < cuts; cut++)
        {
            var (host, worker, other) = (hosts[cut % 2], workers[cut % 2], workers[1 - cut % 2]);
            await BeginsAsync(company, worker, await NowAsync(company));
            var losses = Losses(worker);

            await host.CutAsync();
            var since = await NowAsync(company);
            // The database may have to end a transaction first in which the host fell silent.
            await Wait.UntilAsync(Company.Lease + TimeSpan.FromSeconds(45), "the other host takes over what the one that is cut off had",
                async () => await company.Postgres.AskAsync<long>($"""
                SELECT count(*) FROM importer.import_chunk WHERE split_part(lease_owner, ':', 2) = '{worker.Id}'
                """) == 0);
            await BeginsAsync(company, other, await NowAsync(company));
            // What had arrived may have taken a moment.
            Assert.Equal(0, await BegunAsync(company, worker, since.AddSeconds(1)));
            await Wait.UntilAsync(TimeSpan.FromMinutes(1), "the one that is cut off knows that its leases are lost", () =>
                Task.FromResult(Losses(worker) > losses));
            lost += await company.Postgres.AskAsync<long>(
                $"SELECT count(*) FROM importer.attempt WHERE split_part(worker, ':', 2) = '{worker.Id}' AND outcome = 'worker_lost'");

            await host.MendAsync();
            await BeginsAsync(company, worker, await NowAsync(company));
        }

        await company.Cincopa.BehaveAsync(Company.Brisk);
        await Wait.UntilAsync(Company.RunLimit, "what was lost has been written after all", () =>
            Task.FromResult(workers.All(w => HasWrittenAll(w.Log))));
        await company.Api.UntilAsync(id, import => import.State == "finished"
            && import.Counts.Imported + import.Counts.Unknown == rows, Company.RunLimit);
        Assert.All(workers, w => Assert.False(w.HasExited));
        var unknown = await company.AuditAsync(id, rows);
        output.WriteLine($"{cuts} cuts, {lost} attempts taken for lost, {unknown.Count} of {rows} records unknown.");
        // Nobody has died, so little stays in doubt: intents of which the worker never heard that they were committed, and calls
        // to which TCP brought the reply too late.
        Assert.InRange(unknown.Count, 0, lost - 1);
        Assert.All(unknown, r => Assert.Contains(r.Error?.Code, new[] { "worker_lost", "reply_timeout" }));
    }

    private static int Losses(RunningProgram worker) => LostLease().Count(worker.Log);

    /// <summary>
    /// A worker says what it did with a chunk, and in how many seconds, when it has no answer left to write. When it was cut off before the
    /// chunk's first intent, it says that the job failed. It may have begun the same chunk anew before the end of what it began first.
    /// </summary>
    private static bool HasWrittenAll(string log)
    {
        var ends = ChunkEnded().Matches(log);
        return LostLease().Matches(log).All(lost => ends.Any(end =>
            end.Groups["chunk"].Value == lost.Groups["chunk"].Value && end.Index > lost.Index
                && (!end.Groups["seconds"].Success || Time(end) - Seconds(end) < Time(lost))));

        static DateTimeOffset Time(Match line) => DateTimeOffset.Parse(line.Groups["time"].Value, CultureInfo.InvariantCulture);

        static TimeSpan Seconds(Match line) =>
            TimeSpan.FromSeconds(double.Parse(line.Groups["seconds"].Value, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"(?<time>[^ \n]+) warn: [^\n]+ chunk (?<chunk>[0-9]+): the lease is lost")]
    private static partial Regex LostLease();

    [GeneratedRegex(
        @"(?<time>[^ \n]+) [a-z]+: [^\n]+ chunk (?<chunk>[0-9]+): ([0-9]+ calls answered in (?<seconds>[0-9.]+) s|the job failed)")]
    private static partial Regex ChunkEnded();

    private static Task<DateTime> NowAsync(Company company) => company.Postgres.AskAsync<DateTime>("SELECT clock_timestamp()");

    private static Task<long> BegunAsync(Company company, RunningProgram worker, DateTime since) => company.Postgres.AskAsync<long>($"""
        SELECT count(*) FROM importer.attempt_now WHERE split_part(worker, ':', 2) = '{worker.Id}' AND started_at > '{since:O}'
        """);

    private static Task BeginsAsync(Company company, RunningProgram worker, DateTime since) =>
        Wait.UntilAsync(TimeSpan.FromMinutes(2), $"{worker.Id} begins attempts", async () => await BegunAsync(company, worker, since) > 0);
}
