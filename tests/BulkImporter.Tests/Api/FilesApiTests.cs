using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace BulkImporter.Tests.Api;

public sealed class FilesApiTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    [Fact]
    public async Task Files_are_sent_found_by_their_hash_and_become_the_rows_of_an_import()
    {
        var (one, two) = (await SendAsync("the first film"), await SendAsync("the second film"));

        var (found, file) = await server.GetAsync(server.OperatorKey, $"/api/v1/files/{one.ToUpperInvariant()}");
        var (unknown, _) = await server.GetAsync(server.OperatorKey, $"/api/v1/files/{new string('0', 64)}");
        var (nonsense, _) = await server.GetAsync(server.OperatorKey, "/api/v1/files/nonsense");
        var (status, import) = await CreateAsync([("media/Küste, \"3\" #2.mp4", one), ("b.mp4", two)],
            "?account=default&set=maxAttempts%3D3&start=true");

        Assert.Equal((200, one, 14), (found, (string?)file!["sha256"], (int)file["sizeBytes"]!));
        Assert.Equal((404, 404), (unknown, nonsense));
        Assert.Equal((201, "Küste, \"3\" #2.mp4 and 1 more", "push", 3, true),
            (status, (string?)import!["name"], (string?)import["transfer"], (int)import["maxAttempts"]!, (bool)import["startWhenParsed"]!));
        var (_, preview) = await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{(int)import["id"]!}/preview");
        var rows = preview!["rows"]!.AsArray().Select(row => row!["values"]!)
            .Select(values => ((string?)values["url"], (string?)values["filename"], (string?)values["transfer"]));
        Assert.Equal(
            [($"upload:///{one}/K%C3%BCste%2C%20%223%22%20%232.mp4", "Küste, \"3\" #2.mp4", "push"),
                ($"upload:///{two}/b.mp4", "b.mp4", "push")], rows);
        Assert.All(preview["rows"]!.AsArray(), row => Assert.False((bool)row!["isBlocked"]!));
    }

    [Fact]
    public async Task A_file_that_is_not_here_and_one_without_a_name_are_refused_and_no_import_is_made()
    {
        var here = await SendAsync("here");
        foreach (var (files, word) in new[]
        {
            (new[] { ("a.mp4", here), ("lost.mp4", new string('a', 64)) }, "lost.mp4"),
            ([("a.mp4", "nonsense")], "a.mp4"),
            ([("media/", here)], "no name"),
            ([(new string('x', 201), here)], "200 characters"),
            ([], "1 to 10,000"),
        })
        {
            var (status, problem) = await CreateAsync(files);
            Assert.Equal((400, "files"), (status, (string?)problem!["argument"]));
            Assert.Contains(word, (string?)problem["detail"], StringComparison.Ordinal);
        }
        Assert.Equal(400, (await server.PostAsync(server.OperatorKey, "/api/v1/imports/files", """{"files":[{"name":"a.mp4"}]}""")).Status);
        Assert.Equal(0L, await server.Database.OneAsync<long>("SELECT count(*) FROM importer.import WHERE name LIKE '%lost%'"));
    }

    [Fact]
    public async Task The_same_idempotency_key_makes_one_import()
    {
        var file = await SendAsync("once");
        var first = await CreateAsync([("once.mp4", file)], key: "files-1");
        var again = await CreateAsync([("once.mp4", file)], key: "files-1");
        Assert.Equal((201, 200, (int)first.Body!["id"]!), (first.Status, again.Status, (int)again.Body!["id"]!));
    }

    [Fact]
    public async Task A_viewer_sends_nothing_an_empty_file_is_none_and_a_form_is_not_taken()
    {
        Assert.Equal(403, (await server.SendAsync(server.ViewerKey, HttpMethod.Post, "/api/v1/files", Bytes("x"))).Status);
        Assert.Equal(400, (await server.SendAsync(server.OperatorKey, HttpMethod.Post, "/api/v1/files", Bytes(""))).Status);
        var (status, problem) = await server.SendAsync(server.OperatorKey, HttpMethod.Post, "/api/v1/files",
            new MultipartFormDataContent { { Bytes("x"), "file", "x.mp4" } });
        Assert.Equal((415, "unsupported-media-type"), (status, (string?)problem!["type"]));
    }

    private async Task<string> SendAsync(string text)
    {
        var (status, file) = await server.SendAsync(server.OperatorKey, HttpMethod.Post, "/api/v1/files", Bytes(text));
        Assert.Equal((200, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))), (status, (string?)file!["sha256"]));
        return (string)file["sha256"]!;
    }

    private Task<(int Status, JsonNode? Body)> CreateAsync((string Name, string Sha256)[] files, string query = "", string? key = null) =>
        server.SendAsync(
        server.OperatorKey, HttpMethod.Post, "/api/v1/imports/files" + query,
        new StringContent(JsonSerializer.Serialize(new { files = files.Select(f => new { name = f.Name, sha256 = f.Sha256 }) }),
            Encoding.UTF8, "application/json"), key);

    private static ByteArrayContent Bytes(string text) =>
        new(Encoding.UTF8.GetBytes(text)) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } };
}
