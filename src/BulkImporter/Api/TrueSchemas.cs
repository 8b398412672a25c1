using System.Text.Json;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace BulkImporter.Api;

/// <summary>
/// The schemas of the API's document as the wire has them: an answer has all its members always, a member that a request must have is not
/// null, the choices of an enum are texts, and one character is a text of that length, because generators know no format "char".
/// </summary>
internal sealed class TrueSchemas : IOpenApiDocumentTransformer
{
    public Task TransformAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        var schemas = document.Components!.Schemas!;
        // Events are lines of text; what is in them is the body of the import.
        foreach (var events in schemas.Keys.Where(name => name.StartsWith("SseItemOf", StringComparison.Ordinal)).ToList())
            schemas.Remove(events);
        foreach (var choices in schemas.Values.OfType<OpenApiSchema>().Where(s => s.Enum is { Count: > 0 }))
        {
            choices.Type = JsonSchemaType.String;
            choices.Enum = [.. choices.Enum!.Where(value => value?.GetValueKind() == JsonValueKind.String)];
        }

        var operations = document.Paths.Values.SelectMany(path => path.Operations!.Values).ToList();
        foreach (var schema in Reached(document, operations.SelectMany(o => o.RequestBody?.Content?.Values ?? [])))
        {
            foreach (var name in schema.Required ?? new HashSet<string>())
                if (schema.Properties?[name] is OpenApiSchema member) member.Type &= ~JsonSchemaType.Null;
        }
        foreach (var schema in Reached(document, operations.SelectMany(o => o.Responses!.Where(r => r.Key[0] == '2'))
            .SelectMany(answer => answer.Value.Content?.Values ?? [])))
        {
            if (schema.Properties is not { Count: > 0 } members) continue;
            schema.Required = members.Keys.ToHashSet();
            foreach (var character in members.Values.OfType<OpenApiSchema>().Where(member => member.Format == "char"))
                (character.Format, character.MinLength, character.MaxLength) = (null, 1, 1);
        }
        return Task.CompletedTask;
    }

    /// <summary>The schemas of some bodies, and of whatever stands in them.</summary>
    private static HashSet<OpenApiSchema> Reached(OpenApiDocument document, IEnumerable<OpenApiMediaType> bodies)
    {
        var reached = new HashSet<OpenApiSchema>();
        foreach (var body in bodies) Reach(body.Schema);
        return reached;

        void Reach(IOpenApiSchema? found)
        {
            var schema = found is OpenApiSchemaReference reference ? document.Components!.Schemas![reference.Reference.Id!] : found;
            if (schema is not OpenApiSchema own || !reached.Add(own)) return;
            foreach (var inner in (own.Properties?.Values ?? []).Append(own.Items).Append(own.AdditionalProperties)
                .Concat(own.OneOf ?? []).Concat(own.AnyOf ?? []).Concat(own.AllOf ?? [])) Reach(inner);
        }
    }
}
