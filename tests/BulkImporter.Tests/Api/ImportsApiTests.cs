using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using BulkImporter.Imports;
using BulkImporter.Records;
using Cincopa.Client;
using Microsoft.Extensions.DependencyInjection;

namespace BulkImporter.Tests.Api;

public sealed class ImportsApiTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    private const string Manifest = "url,caption\nhttps://media.example/1.mp4,One\nhttps://media.example/2.mp4,Two\n";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_manifest_as_the_body_becomes_an_import()
    {
        var (status, import) = await server.SendAsync(server.OperatorKey, HttpMethod.Post,
            "/api/v1/imports?name=Spring&fileName=spring.csv&start=true&map=url%3Durl&set=maxAttempts%3D3", Csv());
        Assert.Equal(201, status);
        Assert.Equal("Spring", (string?)import!["name"]);
        Assert.Equal("default", (string?)import["account"]);
        Assert.Equal("parsing", (string?)import["state"]);
        Assert.Equal("spring.csv", (string?)import["manifest"]!["fileName"]);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Manifest))), (string?)import["manifest"]!["sha256"]);
        Assert.Equal(Manifest.Length, (int)import["manifest"]!["sizeBytes"]!);
        Assert.Equal(3, (int)import["maxAttempts"]!);
        Assert.True((bool)import["startWhenParsed"]!);
        Assert.Equal(["pending", "submitting", "submitted", "imported", "failed", "unknown", "cancelled", "invalid", "duplicate", "deleted"],
            import["counts"]!.AsObject().Select(c => c.Key));
        Assert.Equal("otto", (string?)import["createdBy"]);
    }

    [Fact]
    public async Task Import_whose_time_zone_the_database_has_lost_is_listed_and_shown_with_its_reason()
    {
        var id = await server.Database.ImportAsync(ImportState.Running, [RecordState.Pending]);
        await server.Database.SqlAsync(
            "UPDATE importer.import SET window_from = '22:00', window_until = '06:00', window_zone = 'US/Pacific-New' WHERE id = $1", id);
        var (listed, _) = await server.SendAsync(server.ViewerKey, HttpMethod.Get, "/api/v1/imports");
        var (shown, import) = await server.SendAsync(server.ViewerKey, HttpMethod.Get, $"/api/v1/imports/{id}");
        Assert.Equal((200, 200), (listed, shown));
        Assert.StartsWith("The database no longer knows the time zone 'US/Pacific-New'", (string?)import!["reason"],
            StringComparison.Ordinal);
        var (revised, mended) = await server.SendAsync(server.OperatorKey, HttpMethod.Patch, $"/api/v1/imports/{id}",
            new StringContent("""{"window":""}""", Encoding.UTF8, "application/json"));
        Assert.Equal((200, null), (revised, (string?)mended!["reason"]));
    }

    [Fact]
    public async Task A_form_may_have_its_fields_before_and_after_the_file()
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent("Summer"), "name" },
            { Csv(), "file", "summer.csv" },
            { new StringContent("resubmit"), "whenUnknown" },
        };
        var (status, import) = await server.SendAsync(server.OperatorKey, HttpMethod.Post, "/api/v1/imports", form);
        Assert.Equal((201, "Summer", "summer.csv", "resubmit"),
            (status, (string?)import!["name"], (string?)import["manifest"]!["fileName"], (string?)import["whenUnknown"]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_form_may_name_its_account_before_or_behind_the_file_when_none_is_called_default(bool isBefore)
    {
        await server.Database.SqlAsync("UPDATE importer.account SET name = 'museum' WHERE name = 'default'");
        try
        {
            using var form = new MultipartFormDataContent();
            if (isBefore) form.Add(new StringContent("museum"), "account");
            form.Add(Csv(), "file", "autumn.csv");
            if (!isBefore) form.Add(new StringContent("museum"), "account");
            var (status, import) = await server.SendAsync(server.OperatorKey, HttpMethod.Post, "/api/v1/imports", form);
            Assert.Equal((201, "museum"), (status, (string?)import!["account"]));
        }
        finally
        {
            await server.Database.SqlAsync("UPDATE importer.account SET name = 'default' WHERE name = 'museum'");
        }
    }

    [Theory]
    [InlineData("%PDF-1.7\n", "This is a PDF")]
    [InlineData("<!DOCTYPE html>\n<html><body>Caf\u00e9</body></html>", "web page (HTML)")]
    [InlineData("PK\u0003\u0004", "Excel workbook (.xlsx)")]
    [InlineData("[{\"url\": \"https://a.test/1.mp4\"}]", "This is JSON, but not JSON lines")]
    [InlineData("GIF89a", "GIF image")]
    [InlineData(" \n\n", "has no rows")]
    [InlineData("url\nhttps://a.test/\u0000\u00e9.mp4\n", "not valid UTF-8")]
    public async Task A_file_that_is_no_manifest_is_named_and_makes_no_import(string latin1, string named)
    {
        var imports = await CountAsync();
        var bytes = Encoding.Latin1.GetBytes(latin1);
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) await gzip.WriteAsync(bytes, Token);
        using var form = new MultipartFormDataContent { { new ByteArrayContent(packed.ToArray()), "file", "library.csv.gz" } };
        foreach (var body in (HttpContent[])[new ByteArrayContent(bytes), form])
        {
            var (status, problem) = await server.SendAsync(server.OperatorKey, HttpMethod.Post, "/api/v1/imports", body);
            Assert.Equal(400, status);
            Assert.Contains(named, (string?)problem!["detail"], StringComparison.Ordinal);
        }
        Assert.Equal(imports, await CountAsync());

        Task<long> CountAsync() => server.Database.OneAsync<long>(
            "SELECT (SELECT count(*) FROM importer.import) + (SELECT count(*) FROM importer.manifest)");
    }

    [Fact]
    public async Task A_wrong_file_is_named_however_long_it_is()
    {
        var bytes = new byte[3 * 1024 * 1024];
        Array.Fill(bytes, (byte)' ');
        Encoding.Latin1.GetBytes("<html><body>caf\u00e9").CopyTo(bytes, 0);
        var (status, problem) = await server.SendAsync(server.OperatorKey, HttpMethod.Post, "/api/v1/imports", new ByteArrayContent(bytes));
        Assert.Equal(400, status);
        Assert.Contains("web page (HTML)", (string?)problem!["detail"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_question_that_the_review_can_answer_is_no_reason_to_refuse_the_file()
    {
        foreach (var text in new[] { "page,file\nhttps://a.test/a.html,https://a.test/a.mp4\n", "url,caption\nhttps://a.test/a.mp4,Caf\u00e9\n" })
        {
            var (status, _) = await server.SendAsync(server.OperatorKey, HttpMethod.Post, "/api/v1/imports",
                new ByteArrayContent(Encoding.Latin1.GetBytes(text)));
            Assert.Equal(201, status);
        }
    }

    [Fact]
    public async Task The_same_idempotency_key_answers_with_the_first_import()
    {
        var (firstStatus, first) = await server.SendAsync(server.OperatorKey, HttpMethod.Post, "/api/v1/imports", Csv(), "key-1");
        var (againStatus, again) = await server.SendAsync(server.OperatorKey, HttpMethod.Post, "/api/v1/imports", Csv(), "key-1");
        var (_, other) = await server.SendAsync(server.OperatorKey, HttpMethod.Post, "/api/v1/imports", Csv(), "key-2");
        Assert.Equal((201, 200), (firstStatus, againStatus));
        Assert.Equal((int)first!["id"]!, (int)again!["id"]!);
        Assert.NotEqual((int)first["id"]!, (int)other!["id"]!);
    }

    [Fact]
    public async Task An_import_whose_token_does_not_list_upload_is_started_and_its_account_warns()
    {
        var id = await server.Database.ImportAsync(ImportState.Review, [RecordState.Pending]);
        var good = server.Ping;
        try
        {
            server.Ping = new PingResult.Failed(ScriptedCincopa.Error(RemoteErrorKind.TokenRejected));
            var (status, problem) = await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/start");
            Assert.Equal(409, status);
            Assert.Contains("does not accept the account's token", (string?)problem!["detail"], StringComparison.Ordinal);
            Assert.Equal("review", await server.Database.StateAsync(id));

            server.Ping = new PingResult.Ok("AMDA1", null, TokenPermissions.Parse("|asset.read|asset.write|gallery.*|"));
            Assert.Equal(200, (await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/start")).Status);
            var name = await server.Database.OneAsync<string>(
                "SELECT a.name FROM importer.account a JOIN importer.import i ON i.account_id = a.id WHERE i.id = $1", id);
            var (_, account) = await server.GetAsync(server.ViewerKey, $"/api/v1/accounts/{name}");
            Assert.Contains("does not list asset.upload", (string?)account!["warning"], StringComparison.Ordinal);
            Assert.Equal(("active", "auto", "get"), ((string?)account["state"], (string?)account["verb"], (string?)account["verbInUse"]));

            var (_, check) = await server.PostAsync(server.OperatorKey, $"/api/v1/accounts/{name}/check");
            Assert.True((bool)check!["ok"]!);
            Assert.Contains("does not list asset.upload", (string?)check["message"], StringComparison.Ordinal);
        }
        finally
        {
            server.Ping = good;
        }
    }

    [Fact]
    public async Task Galleries_are_listed_page_by_page_as_Cincopa_has_them()
    {
        server.Cincopa.OnGalleries = query =>
            new GalleryListResult.Ok([new(new Fid($"fid{query.Page}"), query.Search, null)], query.Page, 50, 2, 2);
        var (status, first) = await server.GetAsync(server.ViewerKey, "/api/v1/accounts/default/galleries?search=Spring");
        Assert.Equal((200, "fid1", "Spring"), (status, (string?)first!["items"]![0]!["fid"], (string?)first["items"]![0]!["name"]));
        var (_, second) = await server.GetAsync(server.ViewerKey, $"/api/v1/accounts/default/galleries?after={(string?)first["next"]}");
        Assert.Equal(("fid2", null), ((string?)second!["items"]![0]!["fid"], (string?)second["next"]));

        server.Cincopa.OnGalleries = _ => new GalleryListResult.Failed(ScriptedCincopa.Error(RemoteErrorKind.PermissionMissing));
        Assert.Equal(424, (await server.GetAsync(server.ViewerKey, "/api/v1/accounts/default/galleries")).Status);
        Assert.Equal(404, (await server.GetAsync(server.ViewerKey, "/api/v1/accounts/nobody/galleries")).Status);
    }

    [Theory]
    [InlineData("?account=nobody", "account")]
    [InlineData("?map=nonsense", "map")]
    [InlineData("?start=perhaps", "start")]
    [InlineData("?whenUnknown=pray", "whenUnknown")]
    [InlineData("?set=colour%3Dred", "set")]
    [InlineData("?maxAttempts=0", "maxAttempts")]
    public async Task A_wrong_argument_is_named_before_the_file_is_read(string query, string argument)
    {
        var before = await server.Database.OneAsync<long>("SELECT count(*) FROM importer.manifest");
        var (status, problem) = await server.SendAsync(server.OperatorKey, HttpMethod.Post, "/api/v1/imports" + query, Csv());
        Assert.Equal((400, "invalid-argument", argument), (status, (string?)problem!["type"], (string?)problem["argument"]));
        Assert.Equal(before, await server.Database.OneAsync<long>("SELECT count(*) FROM importer.manifest"));
    }

    [Fact]
    public async Task An_empty_file_and_a_form_without_a_file_are_refused()
    {
        var (status, problem) = await server.SendAsync(server.OperatorKey, HttpMethod.Post, "/api/v1/imports",
            new ByteArrayContent([]) { Headers = { ContentType = new MediaTypeHeaderValue("text/csv") } });
        Assert.Equal((400, "file"), (status, (string?)problem!["argument"]));
        using var form = new MultipartFormDataContent { { new StringContent("x"), "name" } };
        (status, problem) = await server.SendAsync(server.OperatorKey, HttpMethod.Post, "/api/v1/imports", form);
        Assert.Equal((400, "file"), (status, (string?)problem!["argument"]));
    }

    [Theory]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/json")]
    public async Task A_body_of_another_kind_is_refused(string type)
    {
        var (status, problem) = await server.SendAsync(server.OperatorKey, HttpMethod.Post, "/api/v1/imports",
            new StringContent(Manifest, Encoding.UTF8, type));
        Assert.Equal(415, status);
        Assert.Contains("--data-binary", (string?)problem!["detail"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/octet-stream")]
    [InlineData("application/gzip")]
    [InlineData("text/plain")]
    [InlineData(null)]
    public async Task A_file_as_the_body_is_taken_whatever_it_is_called(string? type)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(Manifest));
        if (type is not null) content.Headers.ContentType = new MediaTypeHeaderValue(type);
        Assert.Equal(201, (await server.SendAsync(server.OperatorKey, HttpMethod.Post, "/api/v1/imports", content)).Status);
    }

    [Fact]
    public async Task Orders_answer_with_the_import_or_the_state_that_refuses_them()
    {
        var id = await server.Database.ImportAsync(ImportState.Review, [RecordState.Pending, RecordState.Pending]);
        foreach (var (order, state) in new[] { ("start", "running"), ("pause", "paused"), ("resume", "running"), ("cancel", "cancelled") })
        {
            var (status, import) = await server.SendAsync(server.OperatorKey, HttpMethod.Post, $"/api/v1/imports/{id}/{order}");
            Assert.Equal((200, state), (status, (string?)import!["state"]));
        }
        foreach (var order in new[] { "start", "pause", "resume", "cancel" })
        {
            var (status, problem) = await server.SendAsync(server.OperatorKey, HttpMethod.Post, $"/api/v1/imports/{id}/{order}");
            Assert.Equal((409, "refused-in-this-state", "cancelled"), (status, (string?)problem!["type"], (string?)problem["state"]));
            Assert.Equal(404, (await server.SendAsync(server.OperatorKey, HttpMethod.Post, $"/api/v1/imports/999999/{order}")).Status);
        }
        Assert.Equal(4L,
            await server.Database.OneAsync<long>("SELECT count(*) FROM importer.audit_entry WHERE import_id = $1 AND actor = 'otto'", id));
    }

    [Fact]
    public async Task An_import_in_review_is_previewed_and_revised_and_a_running_one_refuses()
    {
        var (_, made) = await server.SendAsync(server.OperatorKey, HttpMethod.Post, "/api/v1/imports", Csv());
        var id = (int)made!["id"]!;
        await server.Database.SqlAsync("UPDATE importer.import SET state = 'review', row_count = 0 WHERE id = $1", id);
        var (_, preview) = await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{id}/preview?rows=1");
        Assert.Equal(("caption", "One", 1),
            ((string?)preview!["mapping"]!["caption"], (string?)preview["rows"]![0]!["values"]!["caption"],
                preview["rows"]!.AsArray().Count));

        var (status, revised) = await PatchAsync(id, """{"priority":3,"fid":"AAAA"}""");
        Assert.Equal((200, "review", 3, "AAAA"), (status, (string?)revised!["state"], (int)revised["priority"]!, (string?)revised["fid"]));
        (status, revised) = await PatchAsync(id, """{"firstRows":1,"fid":""}""");
        Assert.Equal((200, "parsing", 1, null), (status, (string?)revised!["state"], (int)revised["firstRows"]!, (string?)revised["fid"]));
        (status, var problem) = await PatchAsync(id, """{"priority":4}""");
        Assert.Equal((409, "parsing"), (status, (string?)problem!["state"]));
        Assert.Equal(404, (await PatchAsync(999_999, "{}")).Status);
        Assert.Equal(404, (await server.GetAsync(server.ViewerKey, "/api/v1/imports/999999/preview")).Status);

        Task<(int Status, JsonNode? Body)> PatchAsync(int import, string json) =>
            server.SendAsync(server.OperatorKey, HttpMethod.Patch, $"/api/v1/imports/{import}",
                new StringContent(json, Encoding.UTF8, "application/json"));
    }

    [Fact]
    public async Task A_list_goes_page_by_page_with_its_cursor()
    {
        for (var n = 0; n < 3; n++) await server.Database.ImportAsync(ImportState.Rejected, []);
        var (_, first) = await server.GetAsync(server.ViewerKey, "/api/v1/imports?limit=2&state=rejected");
        var (_, second) = await server.GetAsync(server.ViewerKey,
            $"/api/v1/imports?limit=2&state=rejected&after={(string?)first!["next"]}");
        var ids = first["items"]!.AsArray().Concat(second!["items"]!.AsArray()).Select(i => (int)i!["id"]!).ToList();
        Assert.Equal(ids.OrderDescending(), ids);
        Assert.Equal(3, ids.Count);
        Assert.Null(second["next"]);
    }

    [Theory]
    [InlineData("/api/v1/imports?limit=0", "limit")]
    [InlineData("/api/v1/imports?limit=501", "limit")]
    [InlineData("/api/v1/imports?after=x", "after")]
    [InlineData("/api/v1/imports?state=sleeping", "state")]
    [InlineData("/api/v1/imports?order=random", "order")]
    [InlineData("/api/v1/imports/1/records?stalledMinutes=-1", "stalledMinutes")]
    public async Task A_wrong_question_is_answered_with_its_argument(string path, string argument)
    {
        var (status, problem) = await server.GetAsync(server.ViewerKey, path);
        Assert.Equal((400, argument), (status, (string?)problem!["argument"]));
    }

    [Theory]
    [InlineData("/api/v1/imports/999999")]
    [InlineData("/api/v1/imports/999999/records")]
    [InlineData("/api/v1/imports/999999/records/1")]
    [InlineData("/api/v1/imports/999999/results")]
    [InlineData("/api/v1/imports/999999/findings")]
    [InlineData("/api/v1/imports/999999/events")]
    [InlineData("/api/v1/nonsense")]
    public async Task What_is_not_there_is_a_problem_that_says_so(string path)
    {
        var (status, problem) = await server.GetAsync(server.ViewerKey, path);
        Assert.Equal((404, "not-found"), (status, (string?)problem!["type"]));
        Assert.False(string.IsNullOrEmpty((string?)problem["detail"]));
    }

    [Fact]
    public async Task Events_tell_each_change_and_end_when_nothing_can_move_any_more()
    {
        var id = await server.Database.ImportAsync(ImportState.Running, [RecordState.Pending]);
        using var response = await server.Client(server.ViewerKey)
            .GetAsync($"/api/v1/imports/{id}/events", HttpCompletionOption.ResponseHeadersRead, Token);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(Token));

        Assert.Equal("running", (string?)(await NextAsync(lines))!["state"]);
        await server.SendAsync(server.OperatorKey, HttpMethod.Post, $"/api/v1/imports/{id}/cancel");
        var last = await NextAsync(lines);
        Assert.Equal(("cancelled", 1), ((string?)last!["state"], (int)last["counts"]!["cancelled"]!));
        Assert.Null(await NextAsync(lines));
    }

    [Fact]
    public async Task An_import_is_read_once_for_all_who_listen_and_not_at_all_when_nobody_does()
    {
        var id = await server.Database.ImportAsync(ImportState.Running, [RecordState.Pending]);
        var feed = server.Services.GetRequiredService<ImportFeed>();
        var before = feed.TopicCount;
        using (var first = await server.Client(server.ViewerKey)
            .GetAsync($"/api/v1/imports/{id}/events", HttpCompletionOption.ResponseHeadersRead, Token))
        using (var second = await server.Client(server.ViewerKey)
            .GetAsync($"/api/v1/imports/{id}/events", HttpCompletionOption.ResponseHeadersRead, Token))
        {
            using var firstLines = new StreamReader(await first.Content.ReadAsStreamAsync(Token));
            using var secondLines = new StreamReader(await second.Content.ReadAsStreamAsync(Token));
            Assert.Equal("running", (string?)(await NextAsync(firstLines))!["state"]);
            Assert.Equal("running", (string?)(await NextAsync(secondLines))!["state"]);
            Assert.Equal(before + 1, feed.TopicCount);

            await server.SendAsync(server.OperatorKey, HttpMethod.Post, $"/api/v1/imports/{id}/cancel");
            foreach (var lines in new[] { firstLines, secondLines })
            {
                Assert.Equal("cancelled", (string?)(await NextAsync(lines))!["state"]);
                Assert.Null(await NextAsync(lines));
            }
        }

        Assert.Equal(before, feed.TopicCount);
    }

    [Fact]
    public async Task Rerun_answers_how_many_were_rerun_and_how_many_refused_and_why()
    {
        var id = await server.Database.ImportAsync(ImportState.Finished,
            [RecordState.Failed, RecordState.Failed, RecordState.Imported, RecordState.Unknown]);
        var (status, body) = await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/rerun", """{"recordIds":[1,3]}""");
        Assert.Equal((200, 1, 1), (status, (int)body!["rerun"]!, (int)body["refused"]!));
        Assert.Equal("imported", (string?)body["refusals"]![0]!["state"]);
        Assert.Equal("running", await server.Database.StateAsync(id));

        (status, _) = await server.PostAsync(server.OperatorKey,
            $"/api/v1/imports/{await server.Database.ImportAsync(ImportState.Review, [RecordState.Pending])}/rerun");
        Assert.Equal(409, status);
        (status, var problem) = await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/rerun", """{"state":"sleeping"}""");
        Assert.Equal((400, "state"), (status, (string?)problem!["argument"]));
        (status, problem) = await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/rerun", """{"code":"source_tiemout"}""");
        Assert.Equal((400, "code"), (status, (string?)problem!["argument"]));
        Assert.Contains("source_timeout", (string?)problem["detail"], StringComparison.Ordinal);
        Assert.Contains("url_missing", (string?)problem["detail"], StringComparison.Ordinal);
        // Ignored, it would select everything.
        (status, problem) = await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/rerun", """{"sate":"failed"}""");
        Assert.Equal((400, "sate"), (status, (string?)problem!["argument"]));
        (status, problem) = await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{id}/records?code=nope");
        Assert.Equal((400, "code"), (status, (string?)problem!["argument"]));
        Assert.Equal(200,
            (await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{id}/records?code=url_missing")).Status);
        (status, problem) = await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/rerun", "{broken");
        Assert.Equal((400, "invalid-request"), (status, (string?)problem!["type"]));
    }

    [Fact]
    public async Task An_admin_undoes_an_import_by_its_name_and_nobody_else_does()
    {
        var id = await server.Database.ImportAsync(ImportState.Finished,
            [RecordState.Imported, RecordState.Failed, RecordState.Imported, RecordState.Unknown]);
        // Assets of no other test's record.
        await server.Database.SqlAsync("UPDATE importer.import_record SET rid = 'undo-' || rid WHERE import_id = $1", id);
        var path = $"/api/v1/imports/{id}/undo";
        Assert.Equal(403, (await server.PostAsync(server.OperatorKey, path, """{"dryRun":true}""")).Status);

        var (status, body) = await server.PostAsync(server.AdminKey, path, """{"dryRun":true}""");
        Assert.Equal((200, 2, 1, "unknown", 4), (status, (int)body!["toDelete"]!, (int)body["left"]!,
            (string?)body["reasons"]![0]!["reason"], (int)body["reasons"]![0]!["rowNumbers"]![0]!));
        (status, var problem) = await server.PostAsync(server.AdminKey, path, """{"name":"library"}""");
        Assert.Equal((400, "name"), (status, (string?)problem!["argument"]));
        Assert.Contains("'Library'", (string?)problem["detail"], StringComparison.Ordinal);
        (status, problem) = await server.PostAsync(server.AdminKey, path, """{"name":"Library","dyrRun":true}""");
        Assert.Equal((400, "dyrRun"), (status, (string?)problem!["argument"]));

        (status, body) = await server.PostAsync(server.AdminKey, path, """{"name":"Library","recordIds":[3,4]}""");
        Assert.Equal((200, 1, 1), (status, (int)body!["toDelete"]!, (int)body["left"]!));
        (_, var import) = await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{id}");
        Assert.Equal((true, 1, 0), ((bool)import!["undo"]!["isUnderWay"]!, (int)import["undo"]!["pending"]!, (int)import["undo"]!["failed"]!));
        Assert.Contains("1 asset is still to be deleted", (string?)import["reason"], StringComparison.Ordinal);
        (_, var page) = await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{id}/records?undo=pending");
        Assert.Equal((3, "pending"), ((int)Assert.Single(page!["items"]!.AsArray())!["rowNumber"]!,
            (string?)page["items"]![0]!["undo"]!["state"]));

        (status, problem) = await server.PostAsync(server.AdminKey, path, """{"dryRun":true}""");
        Assert.Equal((409, "finished"), (status, (string?)problem!["state"]));
        Assert.Equal(409, (await server.SendAsync(server.AdminKey, HttpMethod.Delete, $"/api/v1/imports/{id}")).Status);
        Assert.Equal(404, (await server.PostAsync(server.AdminKey, "/api/v1/imports/999999/undo", """{"dryRun":true}""")).Status);
    }

    [Fact]
    public async Task A_record_in_doubt_is_given_up_and_any_other_refuses_with_its_state()
    {
        var id = await server.Database.ImportAsync(ImportState.Finished, [RecordState.Unknown, RecordState.Imported]);
        var (status, record) = await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/records/1/give-up");
        Assert.Equal((200, "failed", "given_up", "unknown"),
            (status, (string?)record!["state"], (string?)record["error"]!["code"], (string?)record["error"]!["class"]));

        (status, var problem) = await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/records/2/give-up");
        Assert.Equal((409, "refused-in-this-state", "imported"), (status, (string?)problem!["type"], (string?)problem["state"]));
        Assert.Equal(404, (await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/records/3/give-up")).Status);
    }

    [Fact]
    public async Task Records_are_listed_by_the_selection_and_one_shows_its_attempts()
    {
        var id = await server.Database.ImportAsync(ImportState.Running, [RecordState.Failed, RecordState.Imported, RecordState.Failed]);
        await server.Database.AddAsync(ImporterDatabase.Attempt(id, 1, "source_not_found"));
        var (_, page) = await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{id}/records?state=failed&limit=1");
        Assert.Equal((1, "failed", "source_not_found", "permanent", "1"),
            ((int)page!["items"]![0]!["rowNumber"]!, (string?)page["items"]![0]!["state"], (string?)page["items"]![0]!["error"]!["code"],
                (string?)page["items"]![0]!["error"]!["class"], (string?)page["next"]));
        (_, page) = await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{id}/records?recordIds=2&recordIds=3");
        Assert.Equal([2, 3], page!["items"]!.AsArray().Select(r => (int)r!["rowNumber"]!));

        var (_, record) = await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{id}/records/1");
        Assert.Equal((1, "source_not_found"), ((int)record!["attempts"]!, (string?)record["history"]![0]!["outcome"]));
    }

    [Fact]
    public async Task Findings_come_page_by_page_as_json_and_whole_as_csv_that_no_spreadsheet_runs()
    {
        var id = await server.Database.ImportAsync(ImportState.Review, [RecordState.Invalid, RecordState.Invalid]);
        foreach (var (row, code, value) in new[]
            { (1, "url_missing", null), (1, "url_malformed", "=cmd()"), (2, "url_missing", "a,\"b\"") })
        {
            await server.Database.AddAsync(new StoredFinding
            {
                ImportId = id,
                RowNumber = row,
                LineNumber = row + 1,
                ColumnName = "url",
                Code = code,
                Severity = "error",
                Value = value,
            });
        }
        var (_, first) = await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{id}/findings?limit=2");
        var (_, second) = await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{id}/findings?limit=2&after={(string?)first!["next"]}");
        Assert.Equal([1, 1, 2], first["items"]!.AsArray().Concat(second!["items"]!.AsArray()).Select(f => (int)f!["row"]!));
        Assert.False(string.IsNullOrEmpty((string?)first["items"]![0]!["hint"]));
        Assert.Null(second["next"]);

        var csv = await server.Client(server.ViewerKey).GetStringAsync($"/api/v1/imports/{id}/findings?format=csv", Token);
        Assert.StartsWith("row,line,column,code,severity,value,hint,other_row,other_import\r\n", csv, StringComparison.Ordinal);
        Assert.Contains("'=cmd()", csv, StringComparison.Ordinal);
        Assert.Contains("\"a,\"\"b\"\"\"", csv, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_document_of_the_api_and_its_page_need_a_key_and_load_nothing_from_elsewhere()
    {
        Assert.NotEqual(HttpStatusCode.OK, (await server.Client(null).GetAsync("/openapi/v1.json", Token)).StatusCode);
        var (status, document) = await server.GetAsync(server.ViewerKey, "/openapi/v1.json");
        Assert.Equal(200, status);
        Assert.Contains("/api/v1/imports/{id}/rerun", document!["paths"]!.AsObject().Select(p => p.Key));

        var page = await server.Client(server.ViewerKey).GetStringAsync("/scalar/", Token);
        Assert.DoesNotContain("//cdn", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotMatch("(src|href)=\"https?://", page);
    }

    private static ByteArrayContent Csv() =>
        new(Encoding.UTF8.GetBytes(Manifest)) { Headers = { ContentType = new MediaTypeHeaderValue("text/csv") } };

    private static async Task<JsonNode?> NextAsync(StreamReader lines)
    {
        while (await lines.ReadLineAsync(Token) is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal)) return JsonNode.Parse(line[6..]);
        }
        return null;
    }
}
