using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Sources;
using Cincopa.Client;

namespace BulkImporter.Tests.Records;

public sealed class FailingHostsTests(EngineDatabase database) : IClassFixture<EngineDatabase>, IAsyncLifetime
{
    private const string Host = "media.example.com";
    private FailingHosts hosts = null!;
    private int account;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        hosts = HostsUnderTest.New(database.Source);
        account = await database.AccountAsync();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData("https://media.example.com/a.mp4")]
    [InlineData("HTTP://Media.Example.com:8080/a.mp4?x=/y")]
    [InlineData("https://ann:secret@media.example.com?x")]
    [InlineData("https://a@b@media.example.com#x/y@z")]
    [InlineData("https:///a.mp4")]
    [InlineData("https://")]
    [InlineData("ftp://media.example.com/a.mp4")]
    [InlineData("file:1/clip.mp4")]
    public async Task A_host_is_the_same_in_the_program_and_in_the_database(string address) =>
        Assert.Equal(SourceHost.Of(address) ?? "none",
            await database.OneAsync<string>("SELECT coalesce(importer.host_of($1), 'none')", address));

    [Fact]
    public async Task A_host_waits_after_twenty_failures_in_a_row_and_not_after_nineteen_and_a_file_that_works()
    {
        await NoteAsync(FailureCode.SourceForbidden, 19);
        Assert.Null(await WaitAsync());
        await NoteAsync(null);
        await NoteAsync(FailureCode.SourceTimeout, 19);
        Assert.Null(await WaitAsync());
        await NoteAsync(FailureCode.SourceUnreachable);
        Assert.InRange((await WaitAsync())!.Value, TimeSpan.FromSeconds(50), TimeSpan.FromSeconds(60));
        Assert.Equal("20 source_unreachable", await FailedAsync());
    }

    [Fact]
    public async Task What_worked_before_the_last_failures_of_a_batch_does_not_hide_them()
    {
        await hosts.NoteAsync(account,
            [(Host, FailureCode.SourceForbidden), (Host, null), .. Enumerable.Repeat((Host, (FailureCode?)FailureCode.SourceForbidden), 20)!],
            Token);
        Assert.Equal("20 source_forbidden", await FailedAsync());
        Assert.NotNull(await WaitAsync());
    }

    [Theory]
    [InlineData(FailureCode.SourceNotFound)]
    [InlineData(FailureCode.UnsupportedMedia)]
    public async Task A_host_that_answers_for_one_file_works(FailureCode answer)
    {
        await NoteAsync(FailureCode.SourceForbidden, 20);
        await NoteAsync(answer);
        Assert.Equal(0L, await database.OneAsync<long>("SELECT count(*) FROM importer.failing_host WHERE account_id = $1", account));
    }

    [Fact]
    public async Task What_is_not_the_hosts_changes_nothing_nor_does_another_hosts_or_accounts()
    {
        await NoteAsync(FailureCode.SourceForbidden, 19);
        await hosts.NoteAsync(account, [(Host, FailureCode.RemoteError), (Host, FailureCode.ReplyLost), ("other.example.com", null),
            (null, FailureCode.SourceForbidden)], Token);
        await hosts.NoteAsync(await database.AccountAsync(), [(Host, FailureCode.SourceForbidden), (Host, null)], Token);
        Assert.Equal("19 source_forbidden", await FailedAsync());
        Assert.Null(await WaitAsync());
    }

    [Fact]
    public async Task One_alone_may_ask_when_the_time_has_come_and_the_wait_grows_up_to_an_hour()
    {
        await NoteAsync(FailureCode.SourceForbidden, 20);
        Assert.False(await hosts.MayAskAsync(account, Host, Token));
        foreach (var minutes in (int[])[2, 4, 8, 16, 32, 60, 60])
        {
            await PassAsync();
            var other = HostsUnderTest.New(database.Source);
            bool[] may = await Task.WhenAll(hosts.MayAskAsync(account, Host, Token), other.MayAskAsync(account, Host, Token));
            Assert.Single(may, m => m);
            Assert.InRange((await WaitAsync())!.Value, TimeSpan.FromMinutes(minutes - 0.5), TimeSpan.FromMinutes(minutes));
        }
    }

    [Fact]
    public async Task Ends_of_records_are_counted_by_the_host_of_their_source()
    {
        var id = await database.ImportAsync(rows: 24, chunkSize: 24, account: account);
        await database.SqlAsync("""
            UPDATE importer.import_record SET source_url = 'https://' || CASE WHEN row_number <= 22 THEN 'shut' ELSE 'open' END
                || '.example.com/' || row_number WHERE import_id = $1
            """, id);
        await hosts.NoteAsync([.. Enumerable.Range(1, 24).Select(row => new Conclusion(id, row, new StatusId("st"),
            row <= 22 ? RecordState.Failed : RecordState.Imported, null, row <= 22 ? FailureCode.SourceForbidden : null, null, null))], Token);
        Assert.Equal("shut.example.com 22", await database.OneAsync<string>(
            "SELECT string_agg(host || ' ' || failed_in_a_row, ', ') FROM importer.failing_host WHERE account_id = $1", account));
    }

    [Fact]
    public async Task A_person_lets_it_be_asked_now_and_both_doors_say_whether_it_waited()
    {
        var id = await database.ImportAsync(account: account);
        var ask = new AskHosts(database.Source, hosts);
        Assert.IsType<ImportChange.Refused>(await ask.RunAsync(id, null, "ann", Token));
        await NoteAsync(FailureCode.SourceForbidden, 20);
        Assert.IsType<ImportChange.Refused>(await ask.RunAsync(id, "other.example.com", "ann", Token));
        Assert.IsType<ImportChange.NotFound>(await ask.RunAsync(-1, null, "ann", Token));
        Assert.IsType<ImportChange.Done>(await ask.RunAsync(id, Host, "ann", Token));
        Assert.True(await hosts.MayAskAsync(account, Host, Token));
        Assert.IsType<ImportChange.Done>(await ask.RunAsync(id, null, "ann", Token));
        Assert.True(await hosts.MayAskAsync(account, Host, Token));
        Assert.True(await database.OneAsync<bool>(
            "SELECT asked_at < now() + interval '3 minutes' FROM importer.failing_host WHERE account_id = $1", account));
        Assert.Equal(2L, await database.OneAsync<long>(
            "SELECT count(*) FROM importer.audit_entry WHERE import_id = $1 AND action = 'hosts_asked' AND detail = $2", id, Host));
    }

    [Fact]
    public async Task What_nothing_asks_for_any_more_is_forgotten()
    {
        await NoteAsync(FailureCode.SourceForbidden, 20);
        await hosts.NoteAsync(account, [("other.example.com", FailureCode.SourceForbidden)], Token);
        await AgeAsync("59 minutes");
        Assert.Equal(2, await LeftAsync());
        await AgeAsync("2 minutes");
        Assert.Equal(1, await LeftAsync());
        await AgeAsync("22 hours");
        Assert.Equal(1, await LeftAsync());
        await AgeAsync("2 hours");
        Assert.Equal(0, await LeftAsync());
    }

    private async Task<int> LeftAsync()
    {
        await hosts.ForgetOldAsync(Token);
        return (int)await database.OneAsync<long>("SELECT count(*) FROM importer.failing_host WHERE account_id = $1", account);
    }

    private Task<int> AgeAsync(string by) => database.SqlAsync($"""
        UPDATE importer.failing_host SET asked_at = asked_at - interval '{by}', last_failed_at = last_failed_at - interval '{by}'
        WHERE account_id = $1
        """, account);

    private Task NoteAsync(FailureCode? code, int times = 1) =>
        hosts.NoteAsync(account, [.. Enumerable.Repeat(((string?)Host, code), times)], Token);

    private Task<int> PassAsync() => database.SqlAsync("UPDATE importer.failing_host SET asked_at = now() WHERE account_id = $1", account);

    private async Task<TimeSpan?> WaitAsync() =>
        hosts.WaitOf(await HostsUnderTest.New(database.Source).LookAsync(Token), account, Host);

    private Task<string> FailedAsync() => database.OneAsync<string>(
        "SELECT failed_in_a_row || ' ' || code FROM importer.failing_host WHERE account_id = $1 AND host = $2", account, Host);
}
