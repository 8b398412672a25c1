using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using BulkImporter.Finish;
using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Undo;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace BulkImporter.Api;

/// <summary>What an endpoint reads by itself from the body, so that nobody else can know it.</summary>
internal sealed record TakenBody(string Description, bool IsManifest);

/// <summary>The endpoint makes an import, and takes its settings as query arguments.</summary>
internal sealed record TakenImportFields(bool OfManifest);

/// <summary>A content type that an endpoint answers besides the first.</summary>
internal sealed record OtherAnswer(string ContentType, string Example);

/// <summary>
/// Says in the API's document what code does not: the words of arguments, bodies that are no JSON, and an example of everything.
/// </summary>
internal sealed class OperationWords(IOptions<JsonOptions> json) : IOpenApiOperationTransformer
{
    private readonly JsonSerializerOptions answers = json.Value.SerializerOptions;

    private readonly JsonSerializerOptions requests =
        new(json.Value.SerializerOptions) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        operation.Parameters ??= [];
        foreach (var fields in metadata.OfType<TakenImportFields>()) AddImportFields(operation.Parameters, fields);
        var path = context.Description.RelativePath!;
        foreach (var parameter in operation.Parameters.OfType<OpenApiParameter>())
        {
            if (ParameterWords.Find(operation.OperationId!, path, parameter.Name!) is not { } words) continue;
            parameter.Description = words.Description;
            parameter.Example = words.Example;
            if (words.Values is { } values && parameter.Schema is OpenApiSchema schema)
                schema.Enum = [.. values.Select(v => (JsonNode)v)];
        }

        if (metadata.OfType<TakenBody>().SingleOrDefault() is { } taken) operation.RequestBody = Of(taken);
        foreach (var body in context.Description.ParameterDescriptions.Where(p => p.Source.Id == "Body"))
            Exemplify(operation.RequestBody?.Content, body.Type, requests, context.Document!);
        foreach (var answer in context.Description.SupportedResponseTypes.Where(a => a.StatusCode is >= 200 and < 300))
        {
            if (operation.Responses?[$"{answer.StatusCode}"].Content is not { } content) continue;
            foreach (var other in metadata.OfType<OtherAnswer>())
                content[other.ContentType] = new OpenApiMediaType { Example = other.Example };
            Exemplify(content, answer.Type!, answers, context.Document!);
        }
        return Task.CompletedTask;
    }

    private static void Exemplify(
        IDictionary<string, OpenApiMediaType>? content, Type type, JsonSerializerOptions options, OpenApiDocument document)
    {
        foreach (var (contentType, media) in content ?? new Dictionary<string, OpenApiMediaType>())
        {
            if (contentType != "application/json")
            {
                media.Schema = contentType == "application/zip" ? Bytes() : new OpenApiSchema { Type = JsonSchemaType.String };
                media.Example ??= ApiExamples.Text(contentType);
            }
            else if (ApiExamples.Of(type) is { } example)
            {
                var name = type.IsGenericType ? $"PageOf{type.GetGenericArguments()[0].Name}" : type.Name;
                document.AddComponent(name, new OpenApiExample { Value = JsonSerializer.SerializeToNode(example, type, options) });
                media.Examples = new Dictionary<string, IOpenApiExample> { [name] = new OpenApiExampleReference(name, document) };
            }
        }
    }

    private static OpenApiRequestBody Of(TakenBody taken) => new()
    {
        Required = true,
        Description = taken.Description,
        Content = taken.IsManifest
            ? new Dictionary<string, OpenApiMediaType>
            {
                ["text/csv"] = new() { Schema = Bytes(), Example = ApiExamples.Text("text/csv") },
                ["multipart/form-data"] = new()
                {
                    Schema = new OpenApiSchema
                    {
                        Type = JsonSchemaType.Object,
                        Required = new HashSet<string> { "file" },
                        Properties = new Dictionary<string, IOpenApiSchema> { ["file"] = Bytes() },
                    },
                    // Generators of clients take a form for one of files only when it says what each is.
                    Encoding = new Dictionary<string, OpenApiEncoding> { ["file"] = new() { ContentType = "text/csv" } },
                    Example = new JsonObject { ["file"] = ApiExamples.Text("text/csv") },
                },
            }
            : new Dictionary<string, OpenApiMediaType>
            {
                ["application/octet-stream"] = new() { Schema = Bytes(), Example = ApiExamples.Text("application/octet-stream") },
            },
    };

    private static void AddImportFields(IList<IOpenApiParameter> parameters, TakenImportFields fields)
    {
        void Add(string name, OpenApiSchema schema, ParameterLocation place = ParameterLocation.Query)
        {
            schema.Type &= ~JsonSchemaType.Null;
            (var description, schema.Description) = (schema.Description, null);
            parameters.Add(new OpenApiParameter { Name = name, In = place, Schema = schema, Description = description });
        }

        Add("Idempotency-Key", new() { Type = JsonSchemaType.String }, ParameterLocation.Header);
        foreach (var name in (string[])["name", "account"]) Add(name, new() { Type = JsonSchemaType.String });
        Add("start", new() { Type = JsonSchemaType.Boolean });
        if (fields.OfManifest)
            foreach (var name in (string[])["fileName", "map"]) Add(name, new() { Type = JsonSchemaType.String });
        foreach (var setting in Setting.All) Add(setting.Name, SettingsSchema.Of(setting));
    }

    private static OpenApiSchema Bytes() => new() { Type = JsonSchemaType.String, Format = "binary" };
}

/// <summary>What an argument is, once for all endpoints that have it.</summary>
internal sealed record ParameterWords(string Description, JsonNode Example, IReadOnlyList<string>? Values = null)
{
    /// <summary>By the endpoint and the argument, else by the segment of the path before it, else by the argument alone.</summary>
    private static readonly Dictionary<string, ParameterWords> All = new()
    {
        ["imports/{id}"] = new("The import's number.", 7),
        ["records/{rowNumber}"] = new("The row of the manifest, counted from 1 without its header.", 12),
        ["files/{sha256}"] = new("The SHA-256 of the file's bytes, in hexadecimal.", ApiExamples.Sha256),
        ["accounts/{name}"] = new("The account's name.", "museum"),
        ["accounts/{account}"] = new("The account's name.", "museum"),
        ["templates/{name}"] = new("The template's name.", "Weekly export"),
        ["keys/{id}"] = new("The key's number.", 3),
        ["users/{name}"] = new("The person's name.", "Ada"),
        ["notifications/{id}"] = new("The notification's number.", 41),
        ["targets/{name}"] = new("The target's name.", "chat"),

        ["limit"] = new("The maximum number of items on a page.", 50),
        ["after"] = new("The 'next' of the previous page; leave it out for the first page.", "120"),
        ["listImports state"] = new("Only imports in this state.", "running", EnumText<ImportState>.All),
        ["listImports search"] = new("Only imports with this in their name, file, account or person.", "spring"),
        ["order"] = new("Which come first.", "newest", EnumText<ImportOrder>.All),
        ["rows"] = new("How many rows to show, from 1 to 100.", 5),
        ["sample"] = new("About how many files to check, spread over the manifest; leave it out for all.", 200),
        ["first"] = new("Send only this many records and then pause.", 10),
        ["check"] = new("Only report what would be changed.", true),
        ["abortRemote"] = new("Also ask Cincopa to abort what it has accepted.", true),
        ["listFindings format"] = new("csv returns all findings as one file.", "csv", EnumText<FindingsFormat>.All),
        ["exportResults format"] = new("The format of the file; by default that of the manifest.", "csv",
            EnumText<Manifests.FileFormat>.All),
        ["exampleManifest format"] = new("The format of the file; csv by default.", "xlsx",
            [.. Manifests.ManifestTemplate.Formats.Select(f => EnumText<Manifests.FileFormat>.Of(f))]),
        ["exportMap import"] = new("The numbers of the imports.", new JsonArray(7, 8)),
        ["checkMap import"] = new("The numbers of the imports.", new JsonArray(7, 8)),
        ["exportMap format"] = new("What reads the map; csv by default.", "nginx", EnumText<Export.MapFormat>.All),
        ["checkMap format"] = new("What reads the map; csv by default.", "nginx", EnumText<Export.MapFormat>.All),
        ["to"] = new("Where old addresses lead; embed by default, or page when page is given.", "embed",
            EnumText<Export.MapTarget>.All),
        ["page"] = new("The URL of your pages, with {rid}, {fid} or {reference_id} in it.",
            "https://www.example.com/watch/{reference_id}"),
        ["state"] = new("Only records in this state.", "failed", EnumText<RecordState>.All),
        ["code"] = new("Only records whose last attempt ended with this code.", "source_not_found"),
        ["recordIds"] = new("Only these rows.", new JsonArray(12, 31)),
        ["search"] = new("Part of the source URL, caption, reference id, status_id or rid, in any case; or a row number.", "spring"),
        ["stalledMinutes"] = new("Only submitted records that have not moved at Cincopa for this many minutes.", 30),
        ["finish"] = new("Only imported records whose texts, tags and gallery have this state.", "failed", EnumText<FinishState>.All),
        ["undo"] = new("Only records whose undo has this state; done means that the asset is deleted.", "failed", EnumText<UndoState>.All),
        ["arrival"] = new("Only imported records with this result of the comparison with what was expected.", "size_differs",
            EnumText<Arrival>.All),
        ["listGalleries search"] = new("Only galleries that Cincopa finds for this text.", "Spring"),
        ["host"] = new("Where the header is sent, as the list has it.", "media.example.com"),
        ["header"] = new("The header's name.", "Authorization"),
        ["actor"] = new("Only what this person, key or part of the server did.", "Ada"),
        ["import"] = new("Only what was done to this import.", 7),
        ["listAudit account"] = new("Only what was done to this account.", "museum"),

        ["Idempotency-Key"] = new("Any text. The same text again returns the first import and creates no other.", "night-2026-11-23"),
        ["name"] = new("The name of the import; by default the file's name.", "Spring 2026"),
        ["fileName"] = new("The file's name, when the file itself is the body.", "spring.csv"),
        ["account"] = new("The name of the Cincopa account that it runs for; may be left out when there is only one.", "museum"),
        ["start"] = new("Start it as soon as it is read, without a review.", true),
        ["map"] = new("Which column is what, when the header is not recognised.", "url=OriginalURL,caption=Title"),
        ["correctRecords sheet"] = new("The sheet to read, if several sheets of a workbook have rows.", "Videos"),
        ["correctRecords encoding"] = new("windows-1252, or left out to detect the encoding.", "windows-1252"),
    };

    /// <summary>Of the settings whose default is none.</summary>
    private static readonly Dictionary<string, JsonNode> SettingExamples = new()
    {
        ["encoding"] = "windows-1252",
        ["sheet"] = "Videos",
        ["firstRows"] = 100,
        ["fid"] = "A4BcDeFgHiJk",
        ["startAt"] = "2026-11-24T22:00:00+01:00",
        ["window"] = "22:00-06:00 Europe/Berlin",
    };

    /// <param name="operation">The endpoint's name.</param>
    /// <param name="path">Where it is, as <c>api/v1/imports/{id:int}</c>.</param>
    public static ParameterWords? Find(string operation, string path, string name)
    {
        var segments = Array.ConvertAll(path.Split('/'), s => s.Contains(':') ? s[..s.IndexOf(':')] + "}" : s);
        var place = Array.IndexOf(segments, $"{{{name}}}");
        if (place > 0) return Copy(All.GetValueOrDefault($"{segments[place - 1]}/{segments[place]}"));
        if (All.GetValueOrDefault($"{operation} {name}") is { } own) return Copy(own);
        if (Setting.Named(name) is not { } setting) return Copy(All.GetValueOrDefault(name));
        return new($"{setting.About.Help}.", SettingExamples.TryGetValue(name, out var example)
            ? example.DeepClone()
            : setting.IsNumber ? int.Parse(setting.Default, CultureInfo.InvariantCulture) : setting.Default);
    }

    /// <summary>A node has one parent.</summary>
    private static ParameterWords? Copy(ParameterWords? words) => words is null ? null : words with { Example = words.Example.DeepClone() };
}
