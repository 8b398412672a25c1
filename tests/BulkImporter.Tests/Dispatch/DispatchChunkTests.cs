using BulkImporter.Accounts;
using BulkImporter.Data;
using BulkImporter.Dispatch;
using BulkImporter.Records;
using BulkImporter.Tests.Accounts;
using BulkImporter.Tests.Imports;
using Cincopa.Client;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Dispatch;

/// <summary>The Hangfire job as Hangfire runs it: with a lease, without one, and when it fails.</summary>
public sealed class DispatchChunkTests(EngineDatabase database) : IClassFixture<EngineDatabase>, IAsyncLifetime
{
    private readonly ScriptedCincopa cincopa = new();
    private readonly ProtectToken tokens = new(new EphemeralDataProtectionProvider());
    private readonly ChunkGivenBack givenBack = new();
    private readonly ApplicationLifetime lifetime = new(NullLogger<ApplicationLifetime>.Instance);
    private bool pingBeforeSending = true;
    private int id;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var account = await database.AccountAsync();
        id = await database.ImportAsync(rows: 6, chunkSize: 3, account: account);
        await database.SqlAsync("UPDATE importer.account SET token_protected = $2 WHERE id = $1", account, tokens.Protect("token"));
        await database.SqlAsync("UPDATE importer.import_chunk SET state = 'queued', queued_at = now() WHERE import_id = $1", id);
    }

    public ValueTask DisposeAsync()
    {
        givenBack.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_job_sends_the_due_records_of_its_chunk_and_gives_it_back()
    {
        await database.SqlAsync(
            "UPDATE importer.import_record SET next_attempt_at = now() + interval '1 hour' WHERE import_id = $1 AND row_number = 2", id);
        await RunAsync(chunk: 1);
        Assert.Equal(["https://media.example/1.mp4", "https://media.example/3.mp4"], cincopa.Submitted.Order());
        Assert.Equal("pending 4, submitted 2", await database.SoundCountsAsync(id));
        // Due again with the record that waits for its time, and the feeder knows that there is room.
        Assert.Equal("waiting true", await ChunkAsync(1, "due_at BETWEEN now() + interval '59 minutes' AND now() + interval '1 hour'"));
        Assert.True(givenBack.WaitHandle.WaitOne(0));
        Assert.Equal("queued true", await ChunkAsync(2, "lease_token IS NULL"));
    }

    [Fact]
    public async Task A_token_whose_ping_does_not_list_upload_is_warned_of_and_sent_with_all_the_same()
    {
        // As Cincopa's own Moodle plugin has it.
        cincopa.OnPing = () => new PingResult.Ok("account", null, TokenPermissions.Parse("|asset.read|asset.write|gallery.*|"));
        await RunAsync(chunk: 1);
        Assert.Equal("pending 3, submitted 3", await database.SoundCountsAsync(id));
        Assert.Equal("active", await AccountAsync());
        Assert.Contains("Cincopa does not list asset.upload among", await WarningAsync(), StringComparison.Ordinal);

        // Another token, another question.
        cincopa.OnPing = () => new PingResult.Ok("account", null, TokenPermissions.Parse("|asset.*|"));
        await database.SqlAsync(
            "UPDATE importer.account a SET updated_at = now() FROM importer.import i WHERE i.id = $1 AND a.id = i.account_id", id);
        await RunAsync(chunk: 2);
        Assert.Null(await WarningAsync());
    }

    [Fact]
    public async Task What_Cincopa_itself_refuses_for_a_permission_suspends_the_account_with_its_own_words()
    {
        cincopa.OnPing = () => new PingResult.Ok("account", null, TokenPermissions.Parse("|asset.read|"));
        cincopa.OnSubmit = (_, _) =>
            Task.FromResult<SubmitResult>(
                new SubmitResult.Refused(new RemoteError(RemoteErrorKind.PermissionMissing, 403, "permission denied", null)));
        await RunAsync(chunk: 1);
        Assert.Equal("pending 6", await database.SoundCountsAsync(id));
        Assert.Contains("permission denied", await AccountAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Submits_are_made_by_get_and_by_post_where_get_is_not_taken_and_no_row_loses_an_attempt()
    {
        cincopa.OnVerb = verb => verb == SubmitVerb.Get ? Refused(405) : null;
        await RunAsync(chunk: 1);
        Assert.Equal("pending 6", await database.SoundCountsAsync(id));
        Assert.Equal("active auto post", await VerbAsync());
        Assert.Equal(6L, await AttemptsWholeAsync());
        var byGet = cincopa.Submitted.Count;
        Assert.InRange(byGet, 1, 3);

        await AgainAsync();
        await RunAsync(chunk: 1);
        await RunAsync(chunk: 2);
        Assert.Equal("submitted 6", await database.SoundCountsAsync(id));
        Assert.Equal(byGet + 6, cincopa.Submitted.Count);
    }

    [Theory]
    [InlineData("auto", "GET and POST")]
    [InlineData("get", "GET")]
    [InlineData("post", "POST")]
    public async Task Where_no_verb_that_may_be_used_is_taken_the_account_is_suspended_with_the_reason_and_no_row_loses_an_attempt(
        string setting, string named)
    {
        cincopa.OnVerb = _ => Refused(405);
        var account = await database.OneAsync<string>(
            "SELECT a.name FROM importer.account a JOIN importer.import i ON i.account_id = a.id WHERE i.id = $1", id);
        await new ChangeAccount(database.Contexts, tokens, ReachCincopaTests.Reach(database.Source), TimeProvider.System)
            .RunAsync(account, new AccountChange(Verb: EnumText<VerbSetting>.Parse(setting)), "test", Token);
        for (var turn = 0; turn < 2; turn++)
        {
            await RunAsync(chunk: 1);
            await AgainAsync();
        }
        Assert.StartsWith($"suspended The address http://127.0.0.1:9/v2/ does not accept upload_from_url by {named} (HTTP 405)",
            await AccountAsync(), StringComparison.Ordinal);
        Assert.Equal("pending 6", await database.SoundCountsAsync(id));
        Assert.Equal(6L, await AttemptsWholeAsync());
        Assert.InRange(cincopa.Submitted.Count, 1, 6);

        // The other side is put right, and a person sets the verb: the account works again.
        cincopa.OnVerb = verb => verb == SubmitVerb.Post ? null : Refused(405);
        await new ChangeAccount(database.Contexts, tokens, ReachCincopaTests.Reach(database.Source), TimeProvider.System)
            .RunAsync(account, new AccountChange(Verb: VerbSetting.Post), "test", Token);
        await AgainAsync();
        await RunAsync(chunk: 1);
        await RunAsync(chunk: 2);
        Assert.Equal("submitted 6", await database.SoundCountsAsync(id));
        Assert.Equal("active post post", await VerbAsync());
    }

    [Fact]
    public async Task A_token_that_the_ping_rejects_three_times_suspends_the_account_and_no_row_was_sent()
    {
        cincopa.OnPing = () => new PingResult.Failed(ScriptedCincopa.Error(RemoteErrorKind.TokenRejected));
        for (var turn = 1; turn <= 3; turn++)
        {
            Assert.StartsWith("active", await AccountAsync(), StringComparison.Ordinal);
            await database.SqlAsync("UPDATE importer.import_chunk SET state = 'queued', queued_at = now() WHERE import_id = $1", id);
            await RunAsync(chunk: 1);
        }
        Assert.StartsWith("suspended Cincopa rejected the token", await AccountAsync(), StringComparison.Ordinal);
        Assert.Empty(cincopa.Submitted);
        Assert.Equal("pending 6", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task Ping_may_be_left_out_by_a_setting()
    {
        cincopa.OnPing = () => throw new InvalidOperationException("Nobody asked for this.");
        pingBeforeSending = false;
        await RunAsync(chunk: 1);
        Assert.Equal("pending 3, submitted 3", await database.SoundCountsAsync(id));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_ping_cannot_tell_holds_nothing_back(bool isAnswered)
    {
        cincopa.OnPing = () => isAnswered ? new PingResult.Ok("account", null, null)
            : new PingResult.Failed(ScriptedCincopa.Error(RemoteErrorKind.Timeout));
        await RunAsync(chunk: 1);
        Assert.Equal("pending 3, submitted 3", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task A_job_whose_chunk_somebody_holds_sends_nothing_and_takes_nothing_away()
    {
        var lease = await database.LeaseAsync(id, 1);
        await RunAsync(chunk: 1);
        Assert.Empty(cincopa.Submitted);
        Assert.Equal("running true", await ChunkAsync(1, $"lease_token = '{lease.Token}'"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_job_that_may_not_begin_gives_its_chunk_back_at_once(bool stopping)
    {
        if (stopping) lifetime.StopApplication();
        else await database.SqlAsync("UPDATE importer.import SET state = 'paused' WHERE id = $1", id);
        await RunAsync(chunk: 1);
        Assert.Empty(cincopa.Submitted);
        Assert.Equal("waiting true", await ChunkAsync(1, "lease_token IS NULL AND due_at <= now()"));
    }

    [Fact]
    public async Task A_job_that_fails_says_so_and_leaves_its_chunk_to_the_rescue_with_no_record_in_doubt()
    {
        await database.SqlAsync(
            "UPDATE importer.account SET token_protected = 'damaged' WHERE id = (SELECT account_id FROM importer.import WHERE id = $1)",
            id);
        await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync(chunk: 1));
        Assert.Equal("running true", await ChunkAsync(1, "lease_until > now()"));

        await database.ExpireAsync(id, 1);
        Assert.Equal(0, await database.Transitions.RescuedAsync(id, 1, Token));
        Assert.Equal("waiting true", await ChunkAsync(1, "due_at <= now()"));
        Assert.Equal("pending 6", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task A_job_that_fails_again_and_again_pauses_its_import_with_the_reason()
    {
        await database.SqlAsync(
            "UPDATE importer.account SET token_protected = 'damaged' WHERE id = (SELECT account_id FROM importer.import WHERE id = $1)",
            id);
        for (var tries = 1; tries <= 5; tries++)
        {
            Assert.Equal("running", await database.ImportStateAsync(id));
            await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync(chunk: 1));
            await database.ExpireAsync(id, 1);
            await database.Transitions.RescuedAsync(id, 1, Token);
        }
        Assert.Equal("paused", await database.ImportStateAsync(id));
        Assert.Matches(
            "^Paused by itself: a part of it could not be sent, 5 times. The last: chunk 1: InvalidOperationException: The token of "
                + "account .* Fix the cause, then resume.$",
            await database.OneAsync<string>("SELECT reason FROM importer.import WHERE id = $1", id));
        Assert.Equal(1L,
            await database.OneAsync<long>("SELECT count(*) FROM importer.notification WHERE import_id = $1 AND kind = 'import_paused'",
                id));
        Assert.Empty(cincopa.Submitted);
    }

    [Fact]
    public async Task Failures_of_many_parts_none_of_which_fails_again_and_again_pause_nothing()
    {
        await database.SqlAsync(
            "UPDATE importer.account SET token_protected = 'damaged' WHERE id = (SELECT account_id FROM importer.import WHERE id = $1)",
            id);
        for (var tries = 1; tries <= 4; tries++)
        {
            foreach (var chunk in (int[])[1, 2])
            {
                await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync(chunk));
                await database.ExpireAsync(id, chunk);
                await database.Transitions.RescuedAsync(id, chunk, Token);
            }
        }
        Assert.Equal("running", await database.ImportStateAsync(id));
    }

    private async Task RunAsync(int chunk)
    {
        var clock = TimeProvider.System;
        var options = Options.Create(new WorkOptions());
        var governor = new CallGovernor(database.Source, clock, () => 0.5);
        var worker = new WorkerIdentity(EngineDatabase.Worker);
        var job = new DispatchChunk(database.Source,
            new LeaseKeeper(database.Source, options, worker, clock, NullLogger<LeaseKeeper>.Instance),
            new AccountAccess(database.Source, tokens), NothingInTheWay.Check(database.Source, tokens, cincopa, pingBeforeSending),
            new SendingNeeds(
                database.Transitions, governor,
                new AccountHealth(governor, new AccountBreaker(database.Source, NullLogger<AccountBreaker>.Instance),
                    Options.Create(new AccountsOptions())),
                cincopa, PushUnderTest.New(database.Source, cincopa), HostsUnderTest.New(database.Source),
                new RetrySchedule(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), () => 0), () => 0, clock),
            givenBack, lifetime, NullLogger<DispatchChunk>.Instance);
        await job.RunAsync(id, chunk, "Library, rows 1-3", Token);
    }

    private static SubmitResult.Refused Refused(int httpStatus) =>
        new(new RemoteError(RemoteErrorKind.MethodNotAllowed, httpStatus, $"HTTP {httpStatus}", null));

    /// <summary>All that waits is due, and fed.</summary>
    private async Task AgainAsync()
    {
        await database.SqlAsync(
            "UPDATE importer.call_budget b SET blocked_until = NULL FROM importer.import i WHERE i.id = $1 AND b.account_id = i.account_id", id);
        await database.SqlAsync("UPDATE importer.import_record SET next_attempt_at = NULL WHERE import_id = $1 AND state = 'pending'", id);
        await database.SqlAsync("UPDATE importer.import_chunk SET state = 'queued', queued_at = now() WHERE import_id = $1", id);
    }

    private Task<long> AttemptsWholeAsync() =>
        database.OneAsync<long>(
            "SELECT count(*) FROM importer.import_record r JOIN importer.import i ON i.id = r.import_id WHERE i.id = $1 AND "
                + "r.attempts_left = i.max_attempts", id);

    private Task<string> VerbAsync() =>
        database.OneAsync<string>(
            "SELECT concat_ws(' ', a.state, a.submit_verb, a.verb_in_use) FROM importer.account a JOIN importer.import i ON i.account_id "
                + "= a.id WHERE i.id = $1", id);

    private async Task<string?> WarningAsync()
    {
        var account = await database.OneAsync<string>(
            "SELECT a.name FROM importer.account a JOIN importer.import i ON i.account_id = a.id WHERE i.id = $1", id);
        return (await new ReadAccounts(database.Source).FindAsync(account, Token))!.Warning;
    }

    private Task<string> AccountAsync() =>
        database.OneAsync<string>(
            "SELECT concat_ws(' ', a.state, a.reason) FROM importer.account a JOIN importer.import i ON i.account_id = a.id WHERE i.id = $1", id);

    /// <summary>The chunk's state, and whether something holds for it.</summary>
    private Task<string> ChunkAsync(int chunk, string holds) =>
        database.OneAsync<string>(
            $"SELECT state || ' ' || ({holds})::text FROM importer.import_chunk WHERE import_id = $1 AND number = $2", id, chunk);
}
