using Cincopa.Client;
using Microsoft.Extensions.Time.Testing;
using static BulkImporter.Tests.Client.ClientUnderTest;

namespace BulkImporter.Tests.Client;

/// <summary>What the status call is taken to say about the import, and when it says nothing.</summary>
public sealed class StatusReplyTests
{
    [Theory]
    // Vocabulary A (3P S12), B (3P S14), and the words that are INF.
    [InlineData("inprogress")]
    [InlineData("In_Progress")]
    [InlineData("in-progress")]
    [InlineData("IN PROGRESS")]
    [InlineData("pending")]
    [InlineData("queued")]
    [InlineData("processing")]
    [InlineData("downloading")]
    [InlineData("uploading")]
    [InlineData("waiting")]
    public async Task Import_runs_while_the_word_says_so(string word) =>
        Assert.Equal(new StatusResult.Running(null, null, null, null, null),
            await StatusAsync(Said($$"""{"success":true,"status":"{{word}}"}""")));

    [Theory]
    [InlineData("ready")]
    [InlineData("READY")]
    [InlineData("completed")]
    [InlineData("complete")]
    [InlineData("done")]
    [InlineData("success")]
    [InlineData("synced")]
    public async Task Import_is_done_when_the_word_says_so_and_the_asset_is_named(string word)
    {
        Assert.Equal(new StatusResult.Done(new Rid("AbC")),
            await StatusAsync(Said($$"""{"success":true,"status":"{{word}}","resid":"AbC","rid":"x","asset_id":"y"}""")));
        Assert.Equal(new StatusResult.DoneWithoutRid(), await StatusAsync(Said($$"""{"success":true,"status":"{{word}}","resid":""}""")));
    }

    [Theory]
    [InlineData("""{"success":true,"status":"ready","resid":"","rid":"AbC","asset_id":"y"}""", "AbC")]
    [InlineData("""{"success":true,"status":"ready","resid":null,"asset_id":"y"}""", "y")]
    [InlineData("""{"success":true,"status":"ready","asset_id":4711}""", "4711")]
    public async Task Asset_is_taken_from_resid_then_rid_then_asset_id(string body, string rid) =>
        Assert.Equal(new StatusResult.Done(new Rid(rid)), await StatusAsync(Said(body)));

    [Theory]
    [InlineData("failed", "HTTP 404 from source", RemoteErrorKind.SourceNotFound)]
    [InlineData("Failed", "the source said 403 Forbidden", RemoteErrorKind.SourceForbidden)]
    [InlineData("error", "download timed out", RemoteErrorKind.SourceTimeout)]
    [InlineData("failed", "unsupported media type text/html", RemoteErrorKind.UnsupportedMedia)]
    [InlineData("failed", "out of assets quota", RemoteErrorKind.QuotaExceeded)]
    [InlineData("failed", "the moon is wrong", RemoteErrorKind.Rejected)]
    [InlineData("aborted", "as you wished", RemoteErrorKind.Aborted)]
    [InlineData("cancelled", "404", RemoteErrorKind.Aborted)]
    [InlineData("canceled", "", RemoteErrorKind.Aborted)]
    [InlineData("failed", "", RemoteErrorKind.Rejected)]
    public async Task Import_failed_when_the_word_says_so_with_the_kind_of_the_text(string word, string more, RemoteErrorKind kind)
    {
        var failed = Assert.IsType<StatusResult.Failed>(
            await StatusAsync(Said($$"""{"success":true,"status":"{{word}}","file_size_bytes":"-1","more":"{{more}}","resid":"AbC"}""")));
        Assert.Equal(kind, failed.Error.Kind);
        Assert.Equal(more.Length > 0 ? more : $"{word}, without a reason", failed.Error.Message);
    }

    [Theory]
    [InlineData("more")]
    [InlineData("error_message")]
    [InlineData("message")]
    [InlineData("error")]
    [InlineData("debug")]
    public async Task Reason_of_a_failed_import_is_found_in_any_of_its_fields(string field) =>
        Assert.Equal("404",
            Assert.IsType<StatusResult.Failed>(
                await StatusAsync(Said($$"""{"success":true,"status":"failed","{{field}}":"404"}"""))).Error.Message);

    [Theory]
    [InlineData(
        """{"success":true,"status":"inprogress","progress":"50","progress_bytes":"5000","file_size_bytes":"10000","resid":"AbC"}""", 50,
        5000L, 10000L, "AbC")]
    [InlineData("""{"success":true,"status":"inprogress","progress":50,"progress_bytes":5000,"file_size_bytes":10000}""", 50,
        5000L, 10000L, null)]
    [InlineData("""{"success":true,"status":"inprogress","progress":"12.7","progress_bytes":"9000000000","file_size_bytes":"-1"}""", 12,
        9_000_000_000L, null, null)]
    [InlineData("""{"success":true,"status":"inprogress","progress":250.5,"progress_bytes":"","file_size_bytes":-1}""", 100,
        null, null, null)]
    [InlineData("""{"success":true,"status":"inprogress","progress":"half","progress_bytes":null,"file_size_bytes":[1]}""", null,
        null, null, null)]
    [InlineData(
        """{"success":true,"status":"inprogress","progress":1e400,"progress_bytes":99999999999999999999,"file_size_bytes":"99999999999999999999"}""", null, null, null, null)]
    public async Task Progress_is_read_from_numbers_and_strings(string body, int? percent, long? bytes, long? total, string? rid) =>
        Assert.Equal(new StatusResult.Running(percent, bytes, total, rid is null ? null : new Rid(rid), null),
            await StatusAsync(Said(body)));

    [Fact]
    public async Task Unknown_word_is_running_and_is_named() =>
        Assert.Equal(new StatusResult.Running(7, null, null, null, "Transmogrifying"),
            await StatusAsync(Said("""{"success":true,"status":"Transmogrifying","progress":7}""")));

    [Fact]
    public async Task Unknown_word_is_cut_and_redacted()
    {
        var running = Assert.IsType<StatusResult.Running>(
            await StatusAsync(Said($$"""{"success":true,"status":"{{Token}} {{new string('x', 500)}}"}""")));
        Assert.StartsWith("*** xxx", running.UnknownWord);
        Assert.Equal(100, running.UnknownWord!.Length);
    }

    [Theory]
    [InlineData(404, """{"message":"nothing here"}""")]
    [InlineData(400, """{"message":"invalid status_id"}""")]
    [InlineData(200, """{"success":false,"message":"Unknown id"}""")]
    [InlineData(200, """{"success":false,"message":"status_id expired"}""")]
    [InlineData(200, """{"success":false,"error":"upload not found"}""")]
    public async Task Ticket_is_not_found_when_the_refusal_is_about_it(int status, string body) =>
        Assert.Equal(RemoteErrorKind.UnknownStatusId,
            Assert.IsType<StatusResult.NotFound>(await StatusAsync(RawServer.Json(status, body))).Error.Kind);

    [Theory]
    [InlineData(404, "<html>nothing here</html>")]
    [InlineData(410, "")]
    public async Task Ticket_is_not_found_and_perhaps_the_API_neither_when_a_page_says_so(int status, string body) =>
        Assert.Equal(RemoteErrorKind.NotTheApi,
            Assert.IsType<StatusResult.NotFound>(await StatusAsync(RawServer.Json(status, body))).Error.Kind);

    [Theory]
    [InlineData("AbC\\u0000")]
    [InlineData("Ab\\nC")]
    public async Task Asset_is_unnamed_when_its_name_is_damaged(string rid) =>
        Assert.IsType<StatusResult.DoneWithoutRid>(await StatusAsync(Said($$"""{"success":true,"status":"ready","resid":"{{rid}}"}""")));

    [Fact]
    public async Task What_cannot_be_stored_is_taken_out_of_a_message() =>
        Assert.Equal("half of it",
            Assert.IsType<StatusResult.Failed>(
                await StatusAsync(Said("""{"success":true,"status":"failed","more":"half\u0000of it"}"""))).Error.Message);

    [Theory]
    [InlineData(401, "", RemoteErrorKind.TokenRejected)]
    [InlineData(403, """{"message":"token expired"}""", RemoteErrorKind.TokenRejected)]
    [InlineData(403, """{"message":"permission asset.read missing"}""", RemoteErrorKind.PermissionMissing)]
    [InlineData(200, """{"success":false,"message":"api_token not found"}""", RemoteErrorKind.TokenRejected)]
    [InlineData(200, """{"success":false,"message":"the moon is wrong"}""", RemoteErrorKind.Rejected)]
    [InlineData(200, """{"success":false}""", RemoteErrorKind.Rejected)]
    [InlineData(200, """{"success":false,"status":"failed"}""", RemoteErrorKind.Rejected)]
    [InlineData(429, "", RemoteErrorKind.RateLimited)]
    [InlineData(500, """{"message":"status_id not found in cache"}""", RemoteErrorKind.ServerError)]
    [InlineData(502, "<html>502</html>", RemoteErrorKind.ServerError)]
    [InlineData(302, "", RemoteErrorKind.ServerError)]
    [InlineData(200, "", RemoteErrorKind.UnreadableReply)]
    [InlineData(200, "<html>ready</html>", RemoteErrorKind.UnreadableReply)]
    [InlineData(200, """{"success":true}""", RemoteErrorKind.UnreadableReply)]
    [InlineData(200, """{"success":true,"status":""}""", RemoteErrorKind.UnreadableReply)]
    [InlineData(200, """{"success":true,"status":{"word":"ready"},"resid":"AbC"}""", RemoteErrorKind.UnreadableReply)]
    [InlineData(200, """{"status":"ready","resid":"AbC"}""", RemoteErrorKind.UnreadableReply)]
    public async Task Status_is_unavailable_when_the_call_itself_did_not_work(int status, string body, RemoteErrorKind kind) =>
        Assert.Equal(kind, Assert.IsType<StatusResult.Unavailable>(await StatusAsync(RawServer.Json(status, body))).Error.Kind);

    [Fact]
    public async Task Status_is_unavailable_when_the_reply_does_not_come_in_time()
    {
        await using var server = new RawServer(async connection => { await connection.ReadRequestAsync(); await connection.HoldAsync(); });
        var clock = new FakeTimeProvider();
        using var client = New(clock);

        var asking = client.GetUploadStatusAsync(To(server), Ticket, CancellationToken.None);
        await server.NextRequestAsync();
        clock.Advance(TimeSpan.FromSeconds(30));

        Assert.Equal(RemoteErrorKind.Timeout, Assert.IsType<StatusResult.Unavailable>(await asking).Error.Kind);
    }

    [Fact]
    public async Task Status_is_unavailable_when_the_connection_is_reset()
    {
        await using var server = new RawServer(async connection => { await connection.ReadRequestAsync(); connection.Reset(); });
        using var client = New();

        Assert.Equal(RemoteErrorKind.ConnectionLost,
            Assert.IsType<StatusResult.Unavailable>(
                await client.GetUploadStatusAsync(To(server), Ticket, CancellationToken.None)).Error.Kind);
    }

    [Fact]
    public async Task Status_call_carries_the_ticket_percent_encoded()
    {
        await using var server = RawServer.Replying(Said("""{"success":true,"status":"pending"}"""));
        using var client = New();

        await client.GetUploadStatusAsync(To(server), new StatusId("a+b/c=&d"), CancellationToken.None);

        Assert.StartsWith($"GET /v2/asset.upload_from_url_get_status.json?api_token={Token}&status_id=a%2Bb%2Fc%3D%26d HTTP/1.1\r\n",
            Assert.Single(server.Requests));
    }

    private static string Said(string body) => RawServer.Json(200, body);
}
