using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using BulkImporter.Tests.Access;
using BulkImporter.Tests.Data;

namespace BulkImporter.Tests.Api;

/// <summary>Every text and every number that comes in over HTTP, by the list of endpoints that the server itself gives.</summary>
public sealed class EnteredTextTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    private static readonly string[] NoText = ["%00", "a%00b", "%20%00"];
    private static readonly string[] NoJsonText = [@"\u0000", @"a\u0000b", @"\ud800", @"a\udc00b"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Text_that_cannot_be_stored_is_a_400_that_names_the_parameter()
    {
        var tried = new List<string>();
        foreach (var (method, path, operation) in await OperationsAsync())
        {
            foreach (var parameter in Parameters(operation).Where(p => (string?)p["in"] == "query" && Type(p["schema"]!) == "string"))
            {
                var name = (string)parameter["name"]!;
                foreach (var text in NoText) await RefusedAsync(method, $"{Filled(path)}?{name}={text}", null, name);
                tried.Add($"{path} {name}");
            }
        }
        // Those that once were a 500.
        foreach (var known in new[] { "/api/v1/imports search", "/api/v1/imports/{id}/records search", "/api/v1/imports/{id}/records code",
            "/api/v1/audit actor" })
            Assert.Contains(known, tried);
    }

    [Theory]
    [InlineData("name")]
    [InlineData("map")]
    [InlineData("account")]
    [InlineData("fid")]
    [InlineData("window")]
    [InlineData("fileName")]
    [InlineData("set")]
    public async Task Fields_of_an_upload_too_in_the_address_and_in_the_form(string name)
    {
        await RefusedAsync(HttpMethod.Post, $"/api/v1/imports?{name}=a%00b", "url\n", name, "text/csv");

        using var form = new MultipartFormDataContent { { new StringContent("a\0b"), name },
            { new StringContent("url\n"), "file", "a.csv" } };
        var (status, body) = await server.SendAsync(server.OperatorKey, HttpMethod.Post, "/api/v1/imports", form);
        Assert.Equal((400, name), (status, (string?)body!["argument"]));
    }

    [Fact]
    public async Task Every_text_of_a_body_too()
    {
        var tried = 0;
        foreach (var (method, path, operation) in await OperationsAsync())
        {
            if (operation["requestBody"]?["content"]?["application/json"]?["schema"] is not { } schema) continue;
            foreach (var (name, property) in Properties(schema).Where(p => Type(p.Value!) == "string"))
            {
                foreach (var text in NoJsonText) await RefusedAsync(method, Filled(path), $$"""{"{{name}}":"{{text}}"}""", name);
                tried++;
            }
        }
        Assert.InRange(tried, 20, 200);
    }

    [Fact]
    public async Task Numbers_are_plainly_one_in_addresses()
    {
        var tried = 0;
        foreach (var (method, path, operation) in await OperationsAsync())
        {
            var body = operation["requestBody"]?["content"]?["application/json"] is null ? null : "{}";
            foreach (var parameter in Parameters(operation)
                .Where(p => (string?)p["in"] == "query" && Type(p["schema"]!) is "integer" or "number" or "array"))
            {
                var name = (string)parameter["name"]!;
                foreach (string text in PlainNumberTests.NotPlain.Select(row => (string)row).Where(text => text.Length > 0))
                {
                    await RefusedAsync(method, $"{Filled(path)}?{name}={Uri.EscapeDataString(text)}", body, name);
                    tried++;
                }
            }
        }
        Assert.True(tried > 300);
    }

    [Fact]
    public async Task Numbers_are_plainly_one_in_bodies()
    {
        foreach (var (method, path, operation) in await OperationsAsync())
        {
            if (operation["requestBody"]?["content"]?["application/json"]?["schema"] is not { } schema) continue;
            foreach (var (name, property) in Properties(schema).Where(p => Type(p.Value!) is "integer" or "number"))
            {
                foreach (var text in new[] { "\"2,5\"", "\"5\"", "\"NaN\"", "\"\"", "true", "[]" })
                    await RefusedAsync(method, Filled(path), $$"""{"{{name}}":{{text}}}""", name);
            }
        }
    }

    [Theory]
    [InlineData("maxAttempts")]
    [InlineData("priority")]
    [InlineData("firstRows")]
    [InlineData("chunkSize")]
    [InlineData("stopAtFailurePercent")]
    [InlineData("stopAfterRows")]
    public async Task Settings_of_an_upload_are_plainly_one_number(string setting)
    {
        foreach (string text in PlainNumberTests.NotPlain.Select(row => (string)row).Where(text => text.Length > 0 && !text.Contains('\0')))
        {
            await RefusedAsync(HttpMethod.Post, $"/api/v1/imports?{setting}={Uri.EscapeDataString(text)}", "url\n", setting, "text/csv");
            // What stands around the value of a set is the shell's.
            if (text.Trim() == text && text.Trim('\uFEFF') == text)
                await RefusedAsync(HttpMethod.Post, $"/api/v1/imports?set={Uri.EscapeDataString($"{setting}={text}")}", "url\n",
                    setting, "text/csv");
        }
    }

    [Theory]
    [InlineData("/sign-in", "name")]
    [InlineData("/sign-in", "password")]
    [InlineData("/sign-in", "key")]
    [InlineData("/sign-in", "returnUrl")]
    [InlineData("/choose-password", "code")]
    [InlineData("/choose-password", "name")]
    public async Task Forms_before_the_sign_in_too(string action, string field)
    {
        var (status, body, _) = await new Browser(server).FillAsync("/sign-in", action, new() { [field] = "a\0b" });
        Assert.Equal((400, "form"), (status, (string?)JsonNode.Parse(body)!["argument"]));

        using var parts = new MultipartFormDataContent { { new StringContent("a\0b"), field } };
        var (partsStatus, problem) = await server.SendAsync(null, HttpMethod.Post, action, parts);
        Assert.Equal((400, field), (partsStatus, (string?)problem!["argument"]));
    }

    [Theory]
    [InlineData("/sign-in?returnUrl=%00")]
    [InlineData("/sign-in/once?code=%00")]
    [InlineData("/choose-password?code=a%00")]
    [InlineData("/?search=%00")]
    [InlineData("/imports/1/records?code=%00")]
    [InlineData("/audit?actor=%00")]
    public async Task Pages_too(string path)
    {
        using var answer = await server.Client(server.AdminKey).GetAsync(path, Token);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    private async Task RefusedAsync(HttpMethod method, string address, string? content, string argument, string type = "application/json")
    {
        using var body = content is null ? null : new StringContent(content, Encoding.UTF8, type);
        var (status, problem) = await server.SendAsync(server.AdminKey, method, address, body);
        Assert.True(status == 400 && (string?)problem!["argument"] == argument, $"{method} {address} {content}: {status} {problem}");
        Assert.False(string.IsNullOrWhiteSpace((string?)problem!["detail"]));
    }

    private async Task<List<(HttpMethod Method, string Path, JsonObject Operation)>> OperationsAsync()
    {
        document ??= (await server.GetAsync(server.ViewerKey, "/openapi/v1.json")).Body!;
        return [.. document["paths"]!.AsObject()
            .SelectMany(path => path.Value!.AsObject().Select(o => (HttpMethod.Parse(o.Key), path.Key, o.Value!.AsObject())))];
    }

    private JsonNode? document;

    private static IEnumerable<JsonObject> Parameters(JsonObject operation) =>
        operation["parameters"]?.AsArray().Select(p => p!.AsObject()) ?? [];

    private JsonObject Properties(JsonNode schema) => Resolved(schema)["properties"]?.AsObject() ?? [];

    private JsonNode Resolved(JsonNode schema) => (string?)schema["$ref"] is { } reference
        ? reference.TrimStart('#', '/').Split('/').Aggregate(document!, (node, part) => node[part]!)
        : schema["oneOf"]?.AsArray().FirstOrDefault(one => one!["$ref"] is not null) is { } one ? Resolved(one) : schema;

    /// <summary>The type that is not null.</summary>
    private static string? Type(JsonNode schema) => schema["type"] switch
    {
        JsonArray types => types.Select(t => (string?)t).FirstOrDefault(t => t != "null"),
        var type => (string?)type,
    };

    private static string Filled(string path) =>
        System.Text.RegularExpressions.Regex.Replace(path, @"\{(\w+)\}", match =>
            match.Groups[1].Value is "id" or "rowNumber" ? "1" : "default");
}
