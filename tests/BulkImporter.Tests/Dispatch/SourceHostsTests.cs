using System.Collections.Concurrent;
using BulkImporter.Accounts;
using BulkImporter.Data;
using BulkImporter.Dispatch;
using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Sources;
using BulkImporter.Tests.Imports;
using Cincopa.Client;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Dispatch;

/// <summary>Chunks of which some files lie on a host that fails, or that has few places.</summary>
public sealed class SourceHostsTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private readonly ProtectToken tokens = new(new EphemeralDataProtectionProvider());
    private readonly ScriptedCincopa cincopa = new();
    private readonly ConcurrentDictionary<string, int> inFlight = [];
    private readonly ConcurrentDictionary<string, int> mostInFlight = [];
    private FailingHosts? hosts;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_host_that_fails_twenty_times_waits_with_its_rows_and_the_others_are_sent()
    {
        var id = await ImportAsync(rows: 150, chunkSize: 50, perHost: 2);
        Shut("b.example.com");
        await RunAllAsync(id);

        // In flight when the twentieth failed, and not more.
        var sent = Sent("b.example.com");
        Assert.InRange(sent, 20, 22);
        Assert.Equal((50, 50), (Sent("a.example.com"), Sent("c.example.com")));
        Assert.Equal($"pending {50 - sent}, submitted 100, failed {sent}", await database.SoundCountsAsync(id));
        Assert.Equal(50L - sent, await database.OneAsync<long>("""
            SELECT count(*) FROM importer.import_record WHERE import_id = $1 AND state = 'pending' AND attempt_count = 0 AND error_code IS NULL
            """, id));

        // Nobody looks at its chunks before its time, and everybody can see why.
        Assert.Empty(await DueAsync(id));
        var import = (await new ReadImports(database.Contexts, Options.Create(new WorkOptions())).FindAsync(id, Token))!;
        var waiting = Assert.Single(import.WaitingHosts);
        Assert.Equal(("b.example.com", sent, "source_forbidden", 50 - sent),
            (waiting.Host, waiting.FailedInARow, waiting.Code, waiting.Records));
        Assert.StartsWith($"b.example.com has failed {sent} times in a row; asked again at ", waiting.Sentence, StringComparison.Ordinal);
        var records = (await new ReadRecords(database.Contexts).ListAsync(id, RecordFilter.All, 0, 150, Token)).Items;
        Assert.All(records, r => Assert.Equal(r.State == RecordState.Pending ? "b.example.com" : null, r.WaitsFor?.Host));
    }

    [Fact]
    public async Task One_file_asks_when_the_time_has_come_and_when_it_works_the_others_follow()
    {
        var id = await ImportAsync(rows: 150, chunkSize: 50, perHost: 2);
        Shut("b.example.com");
        await RunAllAsync(id);
        var sent = Sent("b.example.com");

        // Asked in vain: one more has failed, and the host waits longer.
        await PassAsync();
        await RunAllAsync(id);
        Assert.Equal(sent + 1, Sent("b.example.com"));
        Assert.True(await database.OneAsync<bool>("SELECT asked_at > now() + interval '90 seconds' FROM importer.failing_host"));

        // Another file asks than the first that is left, which may be forbidden for itself.
        // The follower takes any chunk; of it the last row, by the number that is chance here.
        Assert.Contains(cincopa.Submitted.Last(url => SourceHost.Of(url) == "b.example.com"), new[] { 50, 98, 149 }
            .Select(row => $"https://b.example.com/{row}.mp4"));

        // It works again. The one that asked is accepted, and the others follow when Cincopa has it.
        Shut();
        await PassAsync();
        await RunAllAsync(id);
        Assert.Equal(sent + 2, Sent("b.example.com"));
        var row = await database.OneAsync<int>(
            "SELECT row_number FROM importer.import_record WHERE import_id = $1 AND state = 'submitted' AND source_url LIKE '%//b.%'", id);
        Assert.Empty(await DueAsync(id));
        await Hosts.NoteAsync([new(id, row, new StatusId("st"), RecordState.Imported, new Rid("r"), null, null, null)], Token);
        await RunAllAsync(id);
        Assert.Equal(50, Sent("b.example.com"));
        Assert.Equal($"submitted {150 - sent - 1}, failed {sent + 1}", await database.SoundCountsAsync(id));
        Assert.Equal(0L, await database.OneAsync<long>("SELECT count(*) FROM importer.failing_host"));
    }

    [Fact]
    public async Task Failures_that_may_pass_wait_with_their_host_and_cost_it_no_more_calls()
    {
        var id = await ImportAsync(rows: 150, chunkSize: 150, perHost: 2);
        Shut("b.example.com", RemoteErrorKind.SourceUnreachable);
        await RunAllAsync(id);
        var sent = Sent("b.example.com");
        Assert.InRange(sent, 20, 22);
        await database.SqlAsync("UPDATE importer.import_record SET next_attempt_at = now() WHERE import_id = $1 AND state = 'pending'", id);
        await RunAllAsync(id);
        Assert.Equal(sent, Sent("b.example.com"));
        Assert.Equal("pending 50, submitted 100", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task Two_workers_together_call_for_no_more_files_of_a_host_than_its_places()
    {
        var id = await ImportAsync(rows: 120, chunkSize: 60, perHost: 3);
        cincopa.OnSubmit = async (url, stop) =>
        {
            using var counted = Count(url);
            await Task.Delay(5, stop);
            return ScriptedCincopa.Accepted();
        };
        await RunAllAsync(id, together: true);
        Assert.Equal("submitted 120", await database.SoundCountsAsync(id));
        Assert.Equal(120, cincopa.Submitted.Distinct().Count());
        Assert.All(mostInFlight.Values, most => Assert.InRange(most, 1, 3));
        Assert.Contains(3, mostInFlight.Values);
    }

    [Fact]
    public async Task A_host_without_a_place_keeps_no_other_from_being_sent_and_its_rows_come_again_soon()
    {
        // Another chunk has both places of a.example.com, and does not end.
        var id = await ImportAsync(rows: 60, chunkSize: 30, perHost: 2);
        var held = await database.LeaseAsync(id, chunk: 2, window: 4) with { PerHost = 2 };
        Assert.Equal(2, (await database.Transitions.SubmittingAsync(held, [31, 34, 37], Token)).Count);
        await RunAsync(id, 1);
        Assert.Equal((0, 10, 10), (Sent("a.example.com"), Sent("b.example.com"), Sent("c.example.com")));
        Assert.True(await database.OneAsync<bool>("""
            SELECT due_at > now() AND due_at < now() + interval '5.1 seconds' AND waits_for = '{}' FROM importer.import_chunk
            WHERE import_id = $1 AND number = 1
            """, id));
    }

    [Fact]
    public async Task Without_a_limit_a_host_has_all_of_the_accounts_places()
    {
        var id = await ImportAsync(rows: 30, chunkSize: 30, perHost: 0, sites: 1);
        cincopa.OnSubmit = async (url, stop) =>
        {
            using var counted = Count(url);
            await Task.Delay(20, stop);
            return ScriptedCincopa.Accepted();
        };
        await RunAsync(id, 1);
        Assert.InRange(mostInFlight["a.example.com"], 4, 8);
    }

    private FailingHosts Hosts => hosts ??= HostsUnderTest.New(database.Source);

    /// <summary>Rows of three hosts in turn, for an account with eight calls at the same time.</summary>
    private async Task<int> ImportAsync(int rows, int chunkSize, int perHost, int sites = 3)
    {
        await database.SqlAsync("DELETE FROM importer.failing_host");
        var account = await database.AccountAsync(maxInFlight: 8, perHost: perHost);
        await database.SqlAsync("UPDATE importer.account SET token_protected = $2 WHERE id = $1", account, tokens.Protect("token"));
        var id = await database.ImportAsync(rows, chunkSize, account);
        await database.SqlAsync("""
            UPDATE importer.import_record SET source_url = format('https://%s.example.com/%s.mp4', chr(97 + (row_number - 1) % $2), row_number)
            WHERE import_id = $1
            """, id, sites);
        return id;
    }

    /// <summary>From now on Cincopa cannot fetch from this host.</summary>
    private void Shut(string? host = null, RemoteErrorKind kind = RemoteErrorKind.SourceForbidden) =>
        cincopa.OnSubmit = async (url, stop) =>
        {
            await Task.Delay(1, stop);
            return SourceHost.Of(url) == host ? new SubmitResult.Refused(ScriptedCincopa.Error(kind)) : ScriptedCincopa.Accepted();
        };

    private int Sent(string host) => cincopa.Submitted.Count(url => SourceHost.Of(url) == host);

    /// <summary>The time of the hosts that wait has come, and more than the second for which a process need not look.</summary>
    private Task<int> PassAsync()
    {
        hosts = null;
        return database.SqlAsync("UPDATE importer.failing_host SET asked_at = now()");
    }

    private Task<List<int>> DueAsync(int id) => database.Source.QueryAsync<int>(
        "SELECT number FROM importer.import_chunk WHERE import_id = $1 AND due_at <= now() + interval '6 seconds' ORDER BY number", Token, id);

    /// <summary>Follower, feeder and workers, until no chunk is due.</summary>
    private async Task RunAllAsync(int id, bool together = false)
    {
        for (var rounds = 0; ; rounds++)
        {
            Assert.True(rounds < 200, "The chunks are due again and again.");
            await database.Follow.RunAsync(Token);
            var due = await DueAsync(id);
            if (due.Count == 0) return;
            await database.SqlAsync("UPDATE importer.import_chunk SET due_at = now() WHERE import_id = $1 AND number = ANY($2)", id, due.ToArray());
            if (together) await Task.WhenAll(due.Select(chunk => RunAsync(id, chunk, HostsUnderTest.New(database.Source))));
            else foreach (var chunk in due) await RunAsync(id, chunk);
        }
    }

    private async Task RunAsync(int id, int chunk, FailingHosts? own = null)
    {
        var clock = TimeProvider.System;
        var options = Options.Create(new WorkOptions());
        var governor = new CallGovernor(database.Source, clock, () => 0.5);
        await new DispatchChunk(database.Source,
            new LeaseKeeper(database.Source, options, new WorkerIdentity($"worker of {chunk}"), clock, NullLogger<LeaseKeeper>.Instance),
            new AccountAccess(database.Source, tokens), NothingInTheWay.Check(database.Source, tokens, cincopa),
            new SendingNeeds(
                database.Transitions, governor,
                new AccountHealth(governor, new AccountBreaker(database.Source, NullLogger<AccountBreaker>.Instance),
                    Options.Create(new AccountsOptions())),
                cincopa, PushUnderTest.New(database.Source, cincopa), own ?? Hosts,
                new RetrySchedule(TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(60), () => 0.5), () => 0.999, clock),
            new ChunkGivenBack(), new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance), NullLogger<DispatchChunk>.Instance).RunAsync(id, chunk, "Library", Token);
    }

    private Counted Count(string url)
    {
        var host = SourceHost.Of(url)!;
        var now = inFlight.AddOrUpdate(host, 1, (_, n) => n + 1);
        mostInFlight.AddOrUpdate(host, now, (_, n) => Math.Max(n, now));
        return new(() => inFlight.AddOrUpdate(host, 0, (_, n) => n - 1));
    }

    private sealed class Counted(Action ended) : IDisposable
    {
        public void Dispose() => ended();
    }
}
