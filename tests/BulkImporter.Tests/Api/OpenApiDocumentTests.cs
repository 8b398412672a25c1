using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace BulkImporter.Tests.Api;

/// <summary>What the API says of itself, in its document, its page and docs/api.md.</summary>
public sealed partial class OpenApiDocumentTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Document_is_the_one_that_is_checked_in()
    {
        var (_, document) = await server.GetAsync(server.ViewerKey, "/openapi/v1.json");
        var served = document!.ToJsonString(Indented) + "\n";
        if (Environment.GetEnvironmentVariable("BULKIMPORTER_WRITE_OPENAPI") is { Length: > 0 } path)
        {
            await File.WriteAllTextAsync(path, served, Token);
            return;
        }

        var checkedIn = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "docs", "openapi.json"), Token);
        Assert.True(checkedIn == served,
            "docs/openapi.json is not the document that the API serves. Type: ./run reference, and look at what "
                + $"changed.\n{FirstDifference(checkedIn, served)}");
    }

    [Fact]
    public async Task Every_operation_says_what_it_does_and_whom_it_refuses()
    {
        var (_, document) = await server.GetAsync(server.ViewerKey, "/openapi/v1.json");
        foreach (var (path, operations) in document!["paths"]!.AsObject())
        {
            foreach (var (method, operation) in operations!.AsObject())
            {
                Assert.False(string.IsNullOrWhiteSpace((string?)operation!["summary"]), $"{method} {path} has no summary");
                Assert.NotNull(operation["responses"]!["401"]);
                Assert.NotNull(operation["responses"]!["403"]);
            }
        }
    }

    [Fact]
    public async Task Every_operation_has_a_name_of_its_own()
    {
        var names = (await OperationsAsync()).Select(o => (string?)o.Operation["operationId"]).ToList();
        Assert.All(names, name => Assert.Matches("^[a-z]+([A-Z][a-z]+)*$", name));
        Assert.Equal(names.Count, names.Distinct().Count());
    }

    [Fact]
    public async Task Every_parameter_says_what_it_is_and_has_an_example()
    {
        var parameters = (await OperationsAsync())
            .SelectMany(o => o.Operation["parameters"]?.AsArray() ?? [], (o, p) => (Name: $"{o.Name} {p!["name"]}", Parameter: p)).ToList();
        Assert.NotEmpty(parameters);
        Assert.Empty(parameters.Where(p =>
            string.IsNullOrWhiteSpace((string?)p.Parameter["description"]) || p.Parameter["example"] is null).Select(p => p.Name));
        Assert.Empty(parameters.Where(p => !IsOf(p.Parameter["schema"]!, p.Parameter["example"])).Select(p => p.Name));
    }

    [Fact]
    public async Task Every_body_that_goes_in_or_comes_out_has_a_schema_and_an_example()
    {
        var document = await DocumentAsync();
        foreach (var (name, operation) in await OperationsAsync())
        {
            var bodies = operation["responses"]!.AsObject().Where(r => r.Key[0] == '2').Select(r => r.Value!)
                .Append(operation["requestBody"]).SelectMany(b => b?["content"]?.AsObject() ?? [])
                .ToList();
            Assert.All(bodies, body =>
            {
                Assert.True(body.Value!["schema"] is not null, $"{name} {body.Key} has no schema");
                Assert.True((body.Value["example"] ?? body.Value["examples"]) is not null, $"{name} {body.Key} has no example");
            });
            // One that takes nothing and answers nothing has its example in its path.
            if (bodies.Count == 0) Assert.Contains(operation["parameters"]!.AsArray(), p => p!["example"] is not null);
            foreach (var (_, body) in bodies.Where(b => b.Value!["examples"] is not null))
            {
                var example = Resolved(document, body!["examples"]!.AsObject().Single().Value!)["value"]!;
                AssertIs(document, body["schema"]!, example, name);
            }
        }
    }

    [Theory]
    [InlineData("createImport", "text/csv", "multipart/form-data")]
    [InlineData("correctRecords", "text/csv", "multipart/form-data")]
    [InlineData("sendFile", "application/octet-stream")]
    public async Task Upload_says_what_its_body_is(string name, params string[] contentTypes)
    {
        var operation = (await OperationsAsync()).Single(o => (string?)o.Operation["operationId"] == name).Operation;
        Assert.Equal(contentTypes, operation["requestBody"]!["content"]!.AsObject().Select(c => c.Key));
        Assert.Equal("binary", (string?)operation["requestBody"]!["content"]![contentTypes[0]]!["schema"]!["format"]);
    }

    [Fact]
    public async Task Every_endpoint_that_changes_something_takes_a_body_or_is_known_to_take_none()
    {
        string[] withoutBody =
        [
            "probeImport", "startImport", "pauseImport", "resumeImport", "askHosts", "cancelImport", "giveUpRecord", "lookAgain",
            "adoptOnlyCandidates", "checkAccount", "resumeAccount", "makePasswordLink", "makeSignInLink", "replayNotification"
        ];
        var without = (await OperationsAsync())
            .Where(o => o.Name.Split(' ')[0] is "post" or "put" or "patch" && o.Operation["requestBody"] is null)
            .Select(o => (string)o.Operation["operationId"]!);
        Assert.Equal(withoutBody.Order(), without.Order());
    }

    [Fact]
    public async Task A_value_is_of_one_type_besides_null()
    {
        var document = await DocumentAsync();
        Assert.All(Schemas(document), schema =>
        {
            if (schema["type"] is JsonArray types) Assert.Single(types, t => (string?)t != "null");
            Assert.NotEqual("char", (string?)schema["format"]);
            if (schema["enum"] is JsonArray choices) Assert.All(choices, c => Assert.Equal(JsonValueKind.String, c!.GetValueKind()));
        });
    }

    [Fact]
    public async Task An_answer_has_all_its_members_and_what_a_request_must_have_is_not_null()
    {
        var document = await DocumentAsync();
        var (requests, answers) = (new List<JsonNode>(), new List<JsonNode>());
        foreach (var (_, operation) in await OperationsAsync())
        {
            if (operation["requestBody"]?["content"]?["application/json"]?["schema"] is { } body) requests.Add(Resolved(document, body));
            foreach (var (status, answer) in operation["responses"]!.AsObject())
                if (status[0] == '2' && answer!["content"]?["application/json"]?["schema"] is { } schema)
                    answers.Add(Resolved(document, schema));
        }

        Assert.All(answers, a => Assert.Equal(a["properties"]!.AsObject().Select(p => p.Key).Order(),
            (a["required"]?.AsArray() ?? []).Select(r => (string)r!).Order()));
        Assert.All(requests, request =>
        {
            foreach (var required in request["required"]?.AsArray() ?? [])
                Assert.IsNotType<JsonArray>(request["properties"]![(string)required!]!["type"]);
        });
        var schemas = document["components"]!["schemas"]!;
        string[] RequiredOf(string name) => [.. (schemas[name]!["required"]?.AsArray() ?? []).Select(r => (string)r!)];
        Assert.Equal(["name", "token"], RequiredOf("NewAccountBody"));
        Assert.Empty(RequiredOf("RerunOrder"));
        Assert.Contains("rate", RequiredOf("AccountView"));
    }

    [Fact]
    public async Task Problem_types_are_those_of_the_documentation()
    {
        var text = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "docs", "api.md"), Token);
        var section = text[text.IndexOf("## Problems", StringComparison.Ordinal)..];
        section = section[..section.IndexOf("\n## ", 3, StringComparison.Ordinal)];
        Assert.Equal(ImporterServer.ProblemTypes.Order(), FirstCell().Matches(section).Select(m => m.Groups[1].Value).Order());
    }

    [Fact]
    public async Task Page_is_browsed_behind_the_sign_in_and_without_the_internet()
    {
        Assert.NotEqual(HttpStatusCode.OK, (await server.Client(null).GetAsync("/scalar/", Token)).StatusCode);
        var viewer = server.Client(server.ViewerKey);
        var page = await viewer.GetStringAsync("/scalar/", Token);

        var assets = Asset().Matches(page).Select(m => m.Groups[1].Value).ToList();
        Assert.NotEmpty(assets);
        foreach (var asset in assets)
        {
            Assert.DoesNotContain("//", asset, StringComparison.Ordinal);
            using var answer = await viewer.GetAsync(new Uri(new Uri("http://localhost/scalar/"), asset), Token);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        // The way back to the dashboard; and what its maker sells is not there.
        Assert.Contains("<a href=\"../\">", page, StringComparison.Ordinal);
        Assert.Contains("\"showDeveloperTools\":\"never\"", page.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("\"hideClientButton\":true", page.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);

        // And should a script of it try: the browser is told to load nothing from elsewhere.
        using var head = await viewer.GetAsync("/scalar/", Token);
        Assert.Contains("connect-src 'self'", string.Join(' ', head.Headers.GetValues("Content-Security-Policy")),
            StringComparison.Ordinal);
        Assert.Contains("font-src 'self' data:", string.Join(' ', head.Headers.GetValues("Content-Security-Policy")),
            StringComparison.Ordinal);
    }

    private async Task<JsonNode> DocumentAsync() => (await server.GetAsync(server.ViewerKey, "/openapi/v1.json")).Body!;

    private async Task<List<(string Name, JsonNode Operation)>> OperationsAsync() =>
        [.. (await DocumentAsync())["paths"]!.AsObject()
            .SelectMany(p => p.Value!.AsObject(), (path, operation) => ($"{operation.Key} {path.Key}", operation.Value!))];

    private static IEnumerable<JsonNode> Schemas(JsonNode node) => node switch
    {
        JsonObject o => o.Where(m => m.Key is not ("example" or "examples") && m.Value is not null).SelectMany(m => Schemas(m.Value!))
            .Prepend(o),
        JsonArray a => a.Where(item => item is not null).SelectMany(item => Schemas(item!)),
        _ => [],
    };

    private static JsonNode Resolved(JsonNode document, JsonNode node)
    {
        if ((string?)node["$ref"] is not { } reference) return node;
        return reference.Split('/').Skip(1).Aggregate(document, (place, segment) => place[segment]!);
    }

    private static bool IsOf(JsonNode schema, JsonNode? value) =>
        (schema["enum"] is not JsonArray choices || choices.Any(c => JsonNode.DeepEquals(c, value)))
        && (schema["type"] is JsonArray types ? types.Select(t => (string)t!) : [(string)schema["type"]!])
            .Any(type => value?.GetValueKind() switch
            {
                null => type == "null",
                JsonValueKind.String => type == "string",
                JsonValueKind.Number => type is "number" or "integer",
                JsonValueKind.True or JsonValueKind.False => type == "boolean",
                JsonValueKind.Array => type == "array",
                _ => type == "object",
            });

    /// <summary>The value has the schema's type, all that it requires, nothing that it does not know, and so has what is in it.</summary>
    private static void AssertIs(JsonNode document, JsonNode schema, JsonNode? value, string where)
    {
        if (schema["oneOf"] is JsonArray either)
        {
            if (value is null) return;
            schema = either.Single(s => (string?)s!["type"] != "null")!;
        }

        schema = Resolved(document, schema);
        Assert.True(IsOf(schema, value), $"{where}: {value?.ToJsonString()} is not of {schema.ToJsonString()}");
        switch (value)
        {
            case JsonObject members when schema["properties"] is JsonObject known:
                Assert.All(schema["required"]?.AsArray() ?? [], r => Assert.True(members.ContainsKey((string)r!), $"{where} lacks {r}"));
                foreach (var (name, member) in members)
                {
                    Assert.True(known.ContainsKey(name), $"{where} has {name}");
                    AssertIs(document, known[name]!, member, $"{where} {name}");
                }
                break;
            case JsonArray items:
                foreach (var item in items) AssertIs(document, schema["items"]!, item, where);
                break;
        }
    }

    private static string FirstDifference(string old, string now)
    {
        var (before, after) = (old.Split('\n'), now.Split('\n'));
        var line = before.Zip(after).TakeWhile(pair => pair.First == pair.Second).Count();
        return $"Line {line + 1}: \"{before.ElementAtOrDefault(line)}\" is now \"{after.ElementAtOrDefault(line)}\"";
    }

    [GeneratedRegex("^\\| `([^`]+)`", RegexOptions.Multiline)]
    private static partial Regex FirstCell();

    [GeneratedRegex("(?:src|href)=\"([^\"]+)\"")]
    private static partial Regex Asset();
}
