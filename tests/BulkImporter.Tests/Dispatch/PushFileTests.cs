using System.Security.Cryptography;
using System.Text;
using BulkImporter.Accounts;
using BulkImporter.Dispatch;
using BulkImporter.Records;
using BulkImporter.Sources;
using Cincopa.Client;
using Cincopa.Simulator;
using Cincopa.Simulator.Faults;
using Cincopa.Simulator.Remote;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace BulkImporter.Tests.Dispatch;

/// <summary>Pushes against the simulator, from files and from a source of ours, judged by what arrived there.</summary>
public sealed class PushFileTests(EngineDatabase database) : IClassFixture<EngineDatabase>, IAsyncLifetime
{
    private const int RangeBytes = 1000;

    private readonly CincopaClient cincopa = new(new CincopaClientOptions(), TimeProvider.System);
    private readonly string root = Directory.CreateTempSubdirectory("push-").FullName;
    private readonly byte[] content = [.. Enumerable.Range(0, 2500).Select(i => (byte)(i * 7))];
    private readonly List<string> asked = [];
    private SimulatorHost simulator = null!;
    private WebApplication source = null!;
    private CincopaAccess access = null!;
    private string? tag = "\"v1\"";
    private int id;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        simulator = await SimulatorHost.StartAsync(cancellationToken: Token);
        access = new CincopaAccess(simulator.BaseAddress, "1i2");
        id = await database.ImportAsync(rows: 3);
        await database.SqlAsync("UPDATE importer.import_record SET is_push = true WHERE import_id = $1", id);
        await File.WriteAllBytesAsync(Path.Combine(root, "clip one.mp4"), content, Token);

        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        source = builder.Build();
        source.MapGet("/sized.mp4", (HttpContext context) =>
        {
            lock (asked) asked.Add(context.Request.Headers.Range.ToString());
            return Results.File(content, "video/mp4", enableRangeProcessing: true, entityTag: tag is null
                ? null : EntityTagHeaderValue.Parse(tag));
        });
        source.MapGet("/closed.mp4", (HttpContext context) =>
            context.Request.Headers.Authorization == "Bearer s3cret" ? Results.File(content, "video/mp4") : Results.Unauthorized());
        source.MapGet("/page", () => Results.Content("<html></html>", "text/html"));
        source.MapGet("/unsized.mp4", async (HttpContext context) =>
        {
            for (var piece = 0; piece < 9; piece++) await context.Response.Body.WriteAsync(new byte[1024 * 1024]);
            await context.Response.Body.WriteAsync(content);
        });
        await source.StartAsync(Token);
    }

    public async ValueTask DisposeAsync()
    {
        await source.DisposeAsync();
        cincopa.Dispose();
        await simulator.DisposeAsync();
        Directory.Delete(root, recursive: true);
    }

    [Fact]
    public async Task A_refusal_that_calls_something_invalid_is_followed_by_another_try_to_a_fresh_upload_url()
    {
        Behave("""{"rules":[{"on":"push","fault":"refused","message":"error: invalid hash","times":1}]}""");
        var end = await PushAsync(1, FileUrl("clip one.mp4"));
        Assert.Equal(RecordState.Imported, end.Answer.To);
        Assert.Equal(2, (int)simulator.Simulator.Ledger.Summarise().Operations.GetValueOrDefault(Operation.GetUploadUrl));
        Assert.Single(Assets());
    }

    [Fact]
    public async Task A_refusal_that_calls_something_invalid_twice_is_final()
    {
        Behave("""{"rules":[{"on":"push","fault":"refused","message":"error: invalid file"}]}""");
        var end = await PushAsync(1, FileUrl("clip one.mp4"));
        Assert.Equal((RecordState.Failed, FailureCode.InvalidInput), (end.Answer.To, end.Answer.Code));
        Assert.Equal((2, 2), ((int)simulator.Simulator.Ledger.Summarise().Operations.GetValueOrDefault(Operation.GetUploadUrl), Pushes()));
        Assert.Empty(Assets());
    }

    [Fact]
    public async Task A_file_goes_in_ranges_and_its_record_is_imported_with_the_last_reply()
    {
        await PushAsync(1, FileUrl("clip one.mp4"), fid: new Fid("F1"));

        var asset = Assert.Single(Assets());
        Assert.Equal((Hash(content), 2500L, "F1"), (asset.Sha256, asset.Size, asset.Fid));
        Assert.Matches($@"^clip one--{id}-1-\d{{17}}\.mp4$", asset.FileName);
        Assert.Equal($"imported attempt 1 left 4 {asset.Rid}", await database.RecordAsync(id, 1));
        Assert.Equal(["1 imported"], await database.AttemptsAsync(id, 1));
        Assert.Equal($"{content.Length} {Hash(content)}", await SentAsync());
        Assert.Equal(3, Pushes());
        Assert.Equal(0L, await database.OneAsync<long>("SELECT count(*) FROM importer.push_upload WHERE import_id = $1", id));
        // The key in its name has to go from the caption.
        Assert.Equal("pending", (await new ReadRecords(database.Contexts).FindAsync(id, 1, Token))!.Record.Finish!.State);
        await database.AssertSoundAsync(id);
    }

    /// <summary>What is kept of what was sent of row 1: bytes, and the SHA-256 where it is known.</summary>
    private Task<string> SentAsync() => database.OneAsync<string>(
        "SELECT concat_ws(' ', sent_bytes, sent_sha256) FROM importer.record_asset WHERE import_id = $1 AND row_number = 1", id);

    [Fact]
    public async Task A_file_that_was_sent_here_goes_on_where_a_death_stopped_it_and_one_that_is_not_kept_fails()
    {
        var kept = await new KeepSourceFile(database.Source, Options.Create(new SourceOptions()))
            .RunAsync(new MemoryStream(content), null, Token);
        var address = ReadSourceFile.AddressOf(kept.Sha256, "clip one.mp4");

        await DieAsync(skip: 1, address);
        Behave("{}");
        await PushAsync(1, address);
        var lost = await PushAsync(2, ReadSourceFile.AddressOf(new string('a', 64), "lost.mp4"));

        var asset = Assert.Single(Assets());
        Assert.Equal(Hash(content), asset.Sha256);
        Assert.StartsWith("clip one--", asset.FileName, StringComparison.Ordinal);
        // The first range, the one that died, and then two: the first was not sent again.
        Assert.Equal(4, Pushes());
        Assert.Equal(RecordState.Failed, await database.StateAsync(id, 2));
        Assert.Equal("source_not_found",
            await database.OneAsync<string>("SELECT error_code FROM importer.import_record WHERE import_id = $1 AND row_number = 2", id));
        Assert.Null(lost.ForHealth);
    }

    [Theory]
    [InlineData("reset")]
    [InlineData("reply_lost")]
    [InlineData("bad_gateway")]
    public async Task Only_the_range_that_failed_is_sent_again(string fault)
    {
        Behave($$"""{"rules":[{"on":"push","fault":"{{fault}}","skip":1,"times":2}]}""");
        await PushAsync(1, SourceUrl("sized.mp4"));
        Assert.Equal(Hash(content), Assert.Single(Assets()).Sha256);
        Assert.Equal(5, Pushes());
        // Each byte is hashed once, however often it went.
        Assert.Equal($"{content.Length} {Hash(content)}", await SentAsync());
        Assert.Equal(["", "bytes=1000-", "bytes=1000-"], asked);
        Assert.Equal(RecordState.Imported, await database.StateAsync(id, 1));
    }

    [Theory]
    [InlineData("reply_lost", 1)]
    [InlineData("reset", 0)]
    public async Task After_the_last_range_a_lost_reply_leaves_the_record_in_doubt_and_nothing_is_sent_again(string fault, int assets)
    {
        Behave($$"""{"rules":[{"on":"push","fault":"{{fault}}","skip":2}]}""");
        await PushAsync(1, FileUrl("clip one.mp4"));
        Assert.Equal((RecordState.Unknown, 3, assets), (await database.StateAsync(id, 1), Pushes(), Assets().Count));
    }

    [Fact]
    public async Task A_stop_keeps_what_was_sent_and_the_next_attempt_goes_on_there()
    {
        using var stop = new CancellationTokenSource();
        Behave("""{"rules":[{"on":"push","fault":"delay","delayMs":50,"times":1}]}""");
        var lease = await database.LeaseAsync(id);
        var intent = Assert.Single(await database.Transitions.SubmittingAsync(lease, [1], Token));
        var push = New().RunAsync(lease, intent, new DueRecord(1, SourceUrl("sized.mp4"), IsPush: true), null, access, stop.Token, Token);
        await stop.CancelAsync();
        var stopped = await push;
        Assert.Equal((RecordState.Pending, true), (stopped.Answer.To, stopped.Answer.GiveBack));
        await database.AnswerAsync(lease, stopped.Answer);
        var sent = await database.OneAsync<long>("SELECT coalesce(max(sent_bytes), 0) FROM importer.push_upload WHERE import_id = $1", id);

        await PushAsync(1, SourceUrl("sized.mp4"));
        Assert.Equal(Hash(content), Assert.Single(Assets()).Sha256);
        Assert.Equal(3, Pushes());
        Assert.Equal(sent == 0 ? "" : "bytes=1000-", asked[^1]);
        Assert.Equal("imported attempt 2 left 4", (await database.RecordAsync(id, 1))[..25]);
    }

    [Fact]
    public async Task A_worker_that_dies_before_the_last_range_leaves_a_file_that_another_goes_on_with()
    {
        await DieAsync(skip: 1);
        Assert.Equal("pending attempt 1 left 4 push_interrupted", await database.RecordAsync(id, 1));
        Assert.Equal(["1 push_interrupted"], await database.AttemptsAsync(id, 1));

        Behave("{}");
        await PushAsync(1, SourceUrl("sized.mp4"));
        Assert.Equal(Hash(content), Assert.Single(Assets()).Sha256);
        Assert.Equal("bytes=1000-", asked[^1]);
        // Nobody saw the whole file.
        Assert.Equal($"{content.Length}", await SentAsync());
    }

    [Fact]
    public async Task A_source_that_changed_in_between_is_sent_from_the_beginning_under_another_id()
    {
        await DieAsync(skip: 1);
        Behave("{}");
        (tag, content[0]) = ("\"v2\"", 99);
        await PushAsync(1, SourceUrl("sized.mp4"));
        Assert.Equal(Hash(content), Assert.Single(Assets()).Sha256);
    }

    [Fact]
    public async Task A_worker_that_dies_after_the_last_range_began_leaves_a_record_in_doubt_which_its_name_resolves()
    {
        await DieAsync(skip: 2);
        Assert.Equal("unknown attempt 1 left 4 worker_lost", await database.RecordAsync(id, 1));
        var name = await database.OneAsync<string>("SELECT file_name FROM importer.push_upload WHERE import_id = $1", id);
        // It is not there: sent again as another file.
        Assert.Equal(1, await database.Transitions.PushedAgainAsync([new(id, 1, 1)], Token));
        Behave("{}");
        await PushAsync(1, SourceUrl("sized.mp4"));
        Assert.NotEqual(name, Assert.Single(Assets()).FileName);
    }

    [Fact]
    public async Task Without_its_lease_a_worker_does_not_send_the_last_range()
    {
        var lease = await database.LeaseAsync(id);
        var intent = Assert.Single(await database.Transitions.SubmittingAsync(lease, [1], Token));
        await database.ExpireAsync(id);
        var end = await New().RunAsync(lease, intent, new DueRecord(1, FileUrl("clip one.mp4"), IsPush: true), null, access, Token, Token);
        Assert.Equal(FailureCode.NotSent, end.Answer.Code);
        Assert.Empty(Assets());
    }

    [Fact]
    public async Task A_source_that_tells_no_size_arrives_whole()
    {
        await PushAsync(1, SourceUrl("unsized.mp4"));
        byte[] whole = [.. new byte[9 * 1024 * 1024], .. content];
        Assert.Equal((Hash(whole), (long)whole.Length), (Assert.Single(Assets()).Sha256, Assets()[0].Size));
    }

    [Fact]
    public async Task A_file_of_one_byte_goes_as_one_range_and_an_empty_one_not_at_all()
    {
        await File.WriteAllBytesAsync(Path.Combine(root, "one.jpg"), [7], Token);
        await File.WriteAllBytesAsync(Path.Combine(root, "none.jpg"), [], Token);
        await PushAsync(1, FileUrl("one.jpg"));
        await PushAsync(2, FileUrl("none.jpg"));
        Assert.Equal(1, Assert.Single(Assets()).Size);
        Assert.Equal(RecordState.Failed, await database.StateAsync(id, 2));
    }

    [Theory]
    [InlineData("sized.mp4?", "imported")]
    [InlineData("nothing.mp4", "failed source_not_found")]
    [InlineData("page", "failed unsupported_media")]
    public async Task What_the_source_answers_is_the_rows(string path, string expected)
    {
        await PushAsync(1, SourceUrl(path));
        var record = await database.RecordAsync(id, 1);
        Assert.Equal(expected, expected == "imported" ? record.Split(' ')[0] : $"{record.Split(' ')[0]} {record.Split(' ')[^1]}");
    }

    [Fact]
    public async Task A_file_outside_the_folders_is_refused_also_by_way_of_dots_and_links()
    {
        var outside = Directory.CreateTempSubdirectory("secret-");
        await File.WriteAllTextAsync(Path.Combine(outside.FullName, "key.pem"), "secret", Token);
        File.CreateSymbolicLink(Path.Combine(root, "link.pem"), Path.Combine(outside.FullName, "key.pem"));
        Directory.CreateSymbolicLink(Path.Combine(root, "folder"), outside.FullName);
        string[] urls =
        [
            $"file://{outside.FullName}/key.pem", $"file://{root}/../{outside.Name}/key.pem",
            $"file://{root}/%2e%2e/{outside.Name}/key.pem",
            FileUrl("link.pem"), FileUrl("folder/key.pem"), $"file://{root}", $"file://{root}x/key.pem", "file://other/share/key.pem",
        ];
        foreach (var url in urls)
        {
            var lease = await database.LeaseAsync(id);
            var end = await New().RunAsync(lease, new Intent(1, 1, ImporterDatabase.Now), new DueRecord(1, url, IsPush: true), null, access, Token, Token);
            Assert.True(end.Answer is { To: RecordState.Failed, Code: FailureCode.SourceForbidden }, $"{url}: {end.Answer}");
        }
        Assert.Equal(0, Pushes());
        outside.Delete(recursive: true);
    }

    [Theory]
    [InlineData("loop.mp4", FailureCode.SourceForbidden)]
    [InlineData("ping.mp4", FailureCode.SourceForbidden)]
    [InlineData("pipe.mp4", FailureCode.SourceForbidden)]
    [InlineData("pipe.mp4/below", FailureCode.SourceNotFound)]
    [InlineData("clip%20one.mp4%00.txt", FailureCode.InvalidInput)]
    public async Task What_is_no_regular_file_ends_at_once_and_only_its_row(string name, FailureCode code)
    {
        File.CreateSymbolicLink(Path.Combine(root, "loop.mp4"), Path.Combine(root, "loop.mp4"));
        File.CreateSymbolicLink(Path.Combine(root, "ping.mp4"), Path.Combine(root, "pong.mp4"));
        File.CreateSymbolicLink(Path.Combine(root, "pong.mp4"), Path.Combine(root, "ping.mp4"));
        using (var made = System.Diagnostics.Process.Start("mkfifo", Path.Combine(root, "pipe.mp4"))) await made.WaitForExitAsync(Token);

        var lease = await database.LeaseAsync(id);
        var end = await New()
            .RunAsync(lease, new Intent(1, 1, ImporterDatabase.Now), new DueRecord(1, $"file://{root}/{name}", IsPush: true), null, access, Token, Token);

        Assert.True(end.Answer is { To: RecordState.Failed } answer && answer.Code == code, $"{end.Answer}");
        Assert.Equal(0, Pushes());
    }

    [Fact]
    public async Task A_full_quota_is_the_accounts_trouble()
    {
        Behave("""{"rules":[{"on":"push","fault":"quota_exceeded"}]}""");
        var end = await PushAsync(1, FileUrl("clip one.mp4"));
        Assert.Equal((FailureCode.QuotaExceeded, true), (end.Answer.Code, end.Answer.GiveBack));
        Assert.Equal(RemoteErrorKind.QuotaExceeded, Assert.IsType<PushResult.Refused>(end.ForHealth).Error.Kind);
    }

    [Fact]
    public async Task The_upload_url_is_not_stored_in_clear()
    {
        await DieAsync(skip: 1);
        var kept = await database.OneAsync<string>("SELECT url_protected FROM importer.push_upload WHERE import_id = $1", id);
        Assert.DoesNotContain("hash", kept, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("post.jpg", kept, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_source_behind_a_login_gets_the_header_that_the_account_keeps_for_its_host()
    {
        var account = await database.OneAsync<string>(
            "SELECT a.name FROM importer.account a JOIN importer.import i ON i.account_id = a.id WHERE i.id = $1", id);
        var headers = new SourceHeaders(database.Contexts, PushUnderTest.Protection, TimeProvider.System);
        var end = await PushAsync(1, SourceUrl("closed.mp4"));
        Assert.Equal(FailureCode.SourceForbidden, end.Answer.Code);

        Assert.True(await headers.SetAsync(account, source.Urls.First(), "Authorization", "Bearer s3cret", "ann", Token));
        await PushAsync(2, SourceUrl("closed.mp4"));
        Assert.Equal(RecordState.Imported, await database.StateAsync(id, 2));
        Assert.Equal(Hash(content), Assert.Single(Assets()).Sha256);
        Assert.DoesNotContain("s3cret", await database.OneAsync<string>("SELECT string_agg(h::text, ' ') FROM importer.source_header h"),
            StringComparison.Ordinal);

        // A key ring that lost its key is said, and costs no asset.
        end = await PushAsync(3, SourceUrl("closed.mp4"), keys: new EphemeralDataProtectionProvider());
        Assert.Equal(FailureCode.SourceForbidden, end.Answer.Code);
        Assert.Contains("Set them again", end.Answer.Message, StringComparison.Ordinal);
        Assert.True(await headers.RemoveAsync(account, source.Urls.First(), "authorization", "ann", Token));
    }

    [Fact]
    public async Task An_upload_whose_address_cannot_be_decrypted_any_more_begins_again()
    {
        await DieAsync(skip: 1);
        Behave("{}");
        await PushAsync(1, SourceUrl("sized.mp4"), keys: new EphemeralDataProtectionProvider());
        Assert.Equal(RecordState.Imported, await database.StateAsync(id, 1));
        Assert.Equal(Hash(content), Assert.Single(Assets()).Sha256);
    }

    [Fact]
    public async Task A_reply_that_comes_after_the_rescue_still_counts()
    {
        var lease = await database.LeaseAsync(id);
        var intent = Assert.Single(await database.Transitions.SubmittingAsync(lease, [1], Token));
        var end = await New().RunAsync(lease, intent, new DueRecord(1, FileUrl("clip one.mp4"), IsPush: true), null, access, Token, Token);
        await database.ExpireAsync(id);
        Assert.Equal(1, await database.Transitions.RescuedAsync(id, 1, Token));
        Assert.Empty(await database.AnswerAsync(lease, end.Answer));
        Assert.Equal(RecordState.Imported, await database.StateAsync(id, 1));
        await database.AssertSoundAsync(id);
    }

    /// <summary>Commits an intent, pushes, writes the answer.</summary>
    private async Task<Pushed> PushAsync(int row, string url, Fid? fid = null, IDataProtectionProvider? keys = null)
    {
        var lease = await database.LeaseAsync(id);
        var intent = Assert.Single(await database.Transitions.SubmittingAsync(lease, [row], Token));
        var end = await New(keys).RunAsync(lease, intent, new DueRecord(row, url, IsPush: true), fid, access, Token, Token);
        await database.AnswerAsync(lease, end.Answer);
        return end;
    }

    /// <summary>A push whose worker dies while the range after <paramref name="skip"/> others is on its way.</summary>
    private async Task DieAsync(int skip, string? url = null)
    {
        Behave($$"""{"rules":[{"on":"push","fault":"hang","skip":{{skip}}}]}""");
        var lease = await database.LeaseAsync(id);
        var intent = Assert.Single(await database.Transitions.SubmittingAsync(lease, [1], Token));
        using var dead = new CancellationTokenSource();
        var push = New()
            .RunAsync(lease, intent, new DueRecord(1, url ?? SourceUrl("sized.mp4"), IsPush: true), null, access, Token, dead.Token);
        while (Pushes() <= skip) await Task.Delay(10, Token);
        await database.ExpireAsync(id);
        await database.Transitions.RescuedAsync(id, 1, Token);
        await dead.CancelAsync();
        await push;
    }

    private PushFile New(IDataProtectionProvider? keys = null) =>
        PushUnderTest.New(database.Source, cincopa,
            new PushOptions { RangeBytes = RangeBytes, RangeWait = TimeSpan.Zero, Roots = { root } }, keys: keys);

    private string FileUrl(string name) => new Uri(Path.Combine(root, name)).AbsoluteUri;

    private string SourceUrl(string path) => $"{source.Urls.First()}/{path}";

    private IReadOnlyList<Asset> Assets() => simulator.Simulator.Library.Assets();

    private int Pushes() => (int)simulator.Simulator.Ledger.Summarise().Operations.GetValueOrDefault(Operation.Push);

    private void Behave(string script) => simulator.Simulator.Script = FaultScript.Parse(Encoding.UTF8.GetBytes(script));

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
