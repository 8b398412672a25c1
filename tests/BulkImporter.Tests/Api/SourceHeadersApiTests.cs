namespace BulkImporter.Tests.Api;

/// <summary>Request headers for sources over HTTP. What they do is told by ReachSourceTests and PushFileTests.</summary>
public sealed class SourceHeadersApiTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    private const string Path = "/api/v1/accounts/default/source-headers";

    [Fact]
    public async Task A_header_is_kept_replaced_listed_without_its_value_and_removed()
    {
        Assert.Equal(204, (await PutAsync(server.AdminKey, "Media.Example.com", "Authorization", "Bearer s3cret")).Status);
        Assert.Equal(204, (await PutAsync(server.AdminKey, "media.example.com", "authorization", "Bearer n3w")).Status);

        var (status, list) = await server.GetAsync(server.ViewerKey, Path);
        Assert.Equal(200, status);
        Assert.Equal(["authorization media.example.com"], list!["items"]!.AsArray().Select(h => $"{h!["name"]} {h["host"]}"));
        Assert.DoesNotContain("value", list.ToJsonString(), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("n3w",
            await server.Database.OneAsync<string>("SELECT string_agg(h::text, ' ') FROM importer.source_header h"),
            StringComparison.Ordinal);
        Assert.Equal("authorization for media.example.com",
            await server.Database.OneAsync<string>(
                "SELECT detail FROM importer.audit_entry WHERE action = 'source_header_set' ORDER BY id LIMIT 1"));

        Assert.Equal(204,
            (await server.SendAsync(server.AdminKey, HttpMethod.Delete, Path + "?host=media.example.com&header=Authorization")).Status);
        Assert.Equal(404,
            (await server.SendAsync(server.AdminKey, HttpMethod.Delete, Path + "?host=media.example.com&header=Authorization")).Status);
    }

    [Theory]
    [InlineData("https://media.example.com", "Authorization", "x", "host")]
    [InlineData("media.example.com:99999", "Authorization", "x", "host")]
    [InlineData("ann@media.example.com", "Authorization", "x", "host")]
    [InlineData("http://media.example.com/a", "Authorization", "x", "host")]
    [InlineData("media.example.com?a", "Authorization", "x", "host")]
    [InlineData("media.example.com/a", "Authorization", "x", "host")]
    [InlineData("", "Authorization", "x", "host")]
    [InlineData("media.example.com", "Not a name", "x", "name")]
    [InlineData("media.example.com", "Host", "x", "name")]
    [InlineData("media.example.com", "Range", "x", "name")]
    [InlineData("media.example.com", "Authorization", "", "value")]
    [InlineData("media.example.com", "Authorization", "a\\r\\nX-Other: b", "value")]
    public async Task What_cannot_be_sent_is_refused(string host, string name, string value, string argument)
    {
        var (status, problem) = await PutAsync(server.AdminKey, host, name, value);
        Assert.Equal((400, argument), (status, (string?)problem!["argument"]));
    }

    [Fact]
    public async Task Only_an_admin_keeps_headers_and_only_for_an_account_that_is_there()
    {
        Assert.Equal(403, (await PutAsync(server.OperatorKey, "media.example.com", "X-Key", "v")).Status);
        Assert.Equal(404, (await server.GetAsync(server.ViewerKey, "/api/v1/accounts/nobody/source-headers")).Status);
        Assert.Equal(404, (await PutAsync(server.AdminKey, "a.example", "X-Key", "v", "nobody")).Status);
    }

    private Task<(int Status, System.Text.Json.Nodes.JsonNode? Body)> PutAsync(string key, string host, string name, string value,
        string account = "default") =>
        server.SendAsync(key, HttpMethod.Put, $"/api/v1/accounts/{account}/source-headers",
            new StringContent($$"""{"host":"{{host}}","name":"{{name}}","value":"{{value}}"}""", System.Text.Encoding.UTF8,
                "application/json"));
}
