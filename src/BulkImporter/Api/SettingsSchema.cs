using System.Text.Json.Nodes;
using BulkImporter.Imports;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace BulkImporter.Api;

/// <summary>What <see cref="RevisionBody"/> takes, in the API's document: it is the settings that there are.</summary>
internal sealed class SettingsSchema : IOpenApiSchemaTransformer
{
    public Task TransformAsync(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellationToken)
    {
        if (context.JsonTypeInfo.Type == typeof(DailyWindow)) schema.Type = JsonSchemaType.String;
        // The number of a page is a text on the wire, see Page.
        if (context.JsonTypeInfo.Type is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(Page<>)
            && schema.Properties!["next"] is OpenApiSchema next)
            (next.Type, next.Format) = (JsonSchemaType.String | JsonSchemaType.Null, null);
        if (context.JsonTypeInfo.Type != typeof(RevisionBody)) return Task.CompletedTask;
        (schema.AdditionalProperties, schema.AdditionalPropertiesAllowed) = (null, false);
        schema.Description = "What changes about an import; what is left out stays as it is, and an empty text restores the default. " +
            $"One that runs or is paused takes only {Names(s => s.About.Steers)}.";
        schema.Properties = new Dictionary<string, IOpenApiSchema>
        {
            [ImportRevision.Name] = Text("What to call it."),
            [ImportRevision.Account] = Text("The name of the Cincopa account that it runs for."),
            [ImportRevision.Mapping] = Text("The column mapping (`url=OriginalURL,caption=Title`); empty to recognise the header."),
        };
        foreach (var setting in Setting.All.Where(s => !s.About.IsForNew)) schema.Properties[setting.Name] = Of(setting);
        return Task.CompletedTask;
    }

    /// <summary>The names of some settings, as a sentence lists them.</summary>
    internal static string Names(Func<Setting, bool> which) => string.Join(", ", Setting.All.Where(which).Select(s => s.Name));

    internal static OpenApiSchema Of(Setting setting) => setting.IsNumber
        ? new() { Type = JsonSchemaType.Integer | JsonSchemaType.Null, Format = "int32", Description = $"{setting.About.Help}." }
        : setting.Values is { } values && setting.Default.Length > 0
            ? new()
            {
                Type = JsonSchemaType.String | JsonSchemaType.Null,
                Description = $"{setting.About.Help}.",
                Enum = [.. values.Select(v => (JsonNode)v)]
            }
            : Text($"{setting.About.Help}.");

    private static OpenApiSchema Text(string description) =>
        new() { Type = JsonSchemaType.String | JsonSchemaType.Null, Description = description };
}
