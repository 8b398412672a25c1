using BulkImporter.Accounts;
using BulkImporter.Records;
using BulkImporter.Status;
using BulkImporter.Tests.Accounts;
using Cincopa.Client;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging.Abstractions;

namespace BulkImporter.Tests.Status;

public sealed class AbortRemoteTests(EngineDatabase database) : IClassFixture<EngineDatabase>, IAsyncLifetime
{
    private readonly ScriptedCincopa cincopa = new();
    private readonly ProtectToken tokens = new(new EphemeralDataProtectionProvider());
    private int account;
    private int id;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await database.SqlAsync("DELETE FROM importer.import");
        await database.SqlAsync("DELETE FROM importer.status_poll");
        await database.SqlAsync("DELETE FROM importer.work_batch");
        account = await database.AccountAsync();
        await database.SqlAsync("UPDATE importer.account SET token_protected = $1", tokens.Protect("token"));
        id = await database.ImportAsync(rows: 3, account: account);
        await database.SubmitAsync(id, 1, 1, 2);
        await database.LookedAsync();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Nothing_is_aborted_unless_the_one_who_cancels_wants_it()
    {
        await database.CancelAsync(id);
        Assert.Equal(0, await Sender().RunAsync(Token));
        Assert.Empty(cincopa.Aborted);

        // Which may be wanted afterwards, once.
        Assert.IsType<BulkImporter.Imports.ImportChange.Done>(await database.CancelAsync(id, abortRemote: true));
        Assert.IsType<BulkImporter.Imports.ImportChange.Refused>(await database.CancelAsync(id, abortRemote: true));
        Assert.Equal(2, await Sender().RunAsync(Token));
        Assert.Equal(["st-1-1", "st-2-1"], cincopa.Aborted.Order());
    }

    [Fact]
    public async Task What_Cincopa_says_is_kept_with_the_attempt_and_the_status_alone_ends_the_record()
    {
        cincopa.OnAbort = ticket => ticket == "st-1-1"
            ? new AbortResult.Agreed() : new AbortResult.Refused(ScriptedCincopa.Error(RemoteErrorKind.UnknownStatusId));
        await database.CancelAsync(id, abortRemote: true);
        Assert.Equal(2, await Sender().RunAsync(Token));

        Assert.Equal("submitted 2, cancelled 1", await database.SoundCountsAsync(id));
        Assert.Equal("Cincopa accepted the request to abort it.", await MessageAsync(1));
        Assert.Equal("Cincopa did not accept the request to abort it: UnknownStatusId", await MessageAsync(2));
        Assert.Equal(2L,
            await database.OneAsync<long>("SELECT count(*) FROM importer.status_poll WHERE import_id = $1 AND next_poll_at <= now()", id));

        await database.ConcludeAsync(id, 1, "st-1-1", RecordState.Failed, FailureCode.RemoteAborted);
        await database.ConcludeAsync(id, 2, "st-2-1", RecordState.Imported);
        Assert.Equal("imported 1, failed 1, cancelled 1", await database.SoundCountsAsync(id));
        Assert.Equal("Cincopa accepted the request to abort it. RemoteAborted", await MessageAsync(1));
        Assert.Equal("Cincopa did not accept the request to abort it: UnknownStatusId", await MessageAsync(2));
    }

    [Fact]
    public async Task An_order_is_given_once_when_it_is_answered_and_again_when_the_call_did_not_work()
    {
        cincopa.OnAbort = _ => new AbortResult.Unavailable(ScriptedCincopa.Error(RemoteErrorKind.Timeout));
        await database.CancelAsync(id, abortRemote: true);
        Assert.Equal(2, await Sender().RunAsync(Token));
        Assert.Null(await MessageAsync(1));

        // The account was asked to be left alone, and each record is claimed for a while: a restart in between changes nothing.
        Assert.Equal(0, await Sender().RunAsync(Token));
        await database.SqlAsync("UPDATE importer.call_budget SET blocked_until = NULL WHERE account_id = $1", account);
        await database.SqlAsync("UPDATE importer.status_poll SET next_abort_at = now() WHERE import_id = $1", id);
        cincopa.OnAbort = _ => new AbortResult.Agreed();
        Assert.Equal(2, await Sender().RunAsync(Token));
        await database.SqlAsync("UPDATE importer.status_poll SET next_abort_at = now() WHERE import_id = $1", id);
        Assert.Equal(0, await Sender().RunAsync(Token));
    }

    [Fact]
    public async Task A_record_that_is_accepted_after_the_order_is_aborted_too()
    {
        var lease = await database.LeaseAsync(id);
        var intent = Assert.Single(await database.Transitions.SubmittingAsync(lease, [3], Token));
        await database.CancelAsync(id, abortRemote: true);
        Assert.Equal(2, await Sender().RunAsync(Token));

        await database.AnswerAsync(lease, EngineDatabase.Accepted(intent));
        await database.LookedAsync();
        Assert.Equal(1, await Sender().RunAsync(Token));
        Assert.Equal("st-3-1", cincopa.Aborted[^1]);
    }

    [Fact]
    public async Task A_rerun_of_the_import_ends_the_order()
    {
        await database.CancelAsync(id, abortRemote: true);
        await database.RerunAsync(id);
        Assert.Equal(0, await Sender().RunAsync(Token));
        Assert.Empty(cincopa.Aborted);
        Assert.IsType<BulkImporter.Imports.ImportChange.Done>(await database.CancelAsync(id));
        Assert.Equal(0, await Sender().RunAsync(Token));
    }

    [Fact]
    public async Task An_order_that_nobody_can_give_is_given_up_with_its_reason_and_the_others_are_given()
    {
        cincopa.OnAbort = ticket => ticket == "st-2-1" ? throw new FormatException("An odd reply.") : new AbortResult.Agreed();
        await database.CancelAsync(id, abortRemote: true);
        Assert.Equal(2, await Sender().RunAsync(Token));
        Assert.Equal(("Cincopa accepted the request to abort it.", null), (await MessageAsync(1), await MessageAsync(2)));

        await database.SqlAsync("UPDATE importer.import SET finished_at = now() - interval '11 minutes' WHERE id = $1", id);
        await database.SqlAsync(
            "UPDATE importer.status_poll SET next_abort_at = now(), submitted_at = now() - interval '11 minutes' WHERE import_id = $1", id);
        Assert.Equal(1, await Sender().RunAsync(Token));
        Assert.Equal("The request to abort it could not be sent: FormatException: An odd reply.", await MessageAsync(2));
        await database.SqlAsync("UPDATE importer.status_poll SET next_abort_at = now() WHERE import_id = $1", id);
        Assert.Equal(0, await Sender().RunAsync(Token));
    }

    [Fact]
    public async Task Of_two_workers_one_gives_the_order()
    {
        await database.CancelAsync(id, abortRemote: true);
        var answered = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => Sender().RunAsync(Token))));
        Assert.Equal((2, 2), (answered.Sum(), cincopa.Aborted.Count));
    }

    private AbortRemote Sender() =>
        new(Rounds.Over(database.Source, tokens, cincopa), NullLogger<AbortRemote>.Instance);

    private async Task<string?> MessageAsync(int row) => (await database.Source.QueryAsync(
        "SELECT message FROM importer.attempt_now WHERE import_id = $1 AND row_number = $2", r =>
            r.IsDBNull(0) ? null : r.GetString(0), Token, id, row))[0];
}
