using System.Text.Json;
using Microsoft.AspNetCore.Http.Metadata;

namespace BulkImporter.Api;

/// <summary>
/// What comes in over HTTP is judged here before an endpoint reads it: text that cannot be stored, and numbers that are not plainly one,
/// are a 400 that names the argument. Forms are judged where they are read, because nothing may read them before:
/// <see cref="ImportFields"/> and the pages of the sign-in.
/// </summary>
internal static class EnteredText
{
    /// <summary>Behind the routing, which knows the endpoint.</summary>
    public static IApplicationBuilder UseEnteredText(this IApplicationBuilder app) => app.Use(async (context, next) =>
    {
        var request = context.Request;
        // A path with a NUL in it never comes so far: the server itself answers 400.
        foreach (var (name, values) in request.Query)
        {
            foreach (var value in values) PlainText.RequireStorable(name, value);
        }

        foreach (var parameter in context.GetEndpoint()?.Metadata.GetOrderedMetadata<IParameterBindingMetadata>() ?? [])
        {
            var type = parameter.ParameterInfo.ParameterType;
            // A member of a selection has the name of its property here.
            var argument = JsonNamingPolicy.CamelCase.ConvertName(parameter.Name);
            if (request.RouteValues.TryGetValue(parameter.Name, out var routed)) RequirePlain(argument, type, routed as string);
            foreach (var value in request.Query[parameter.Name]) RequirePlain(argument, type, value);
        }

        if (request.HasJsonContentType() && context.GetEndpoint()?.Metadata.GetMetadata<IAcceptsMetadata>() is { RequestType: not null })
            await JudgeBodyAsync(request, context.RequestAborted);
        await next(context);
    });

    private static void RequirePlain(string argument, Type type, string? text)
    {
        if (string.IsNullOrEmpty(text)) return;
        if (type == typeof(int) || type == typeof(int?) || type == typeof(int[])) PlainNumber.Whole<int>(argument, text);
        else if (type == typeof(long) || type == typeof(long?)) PlainNumber.Whole<long>(argument, text);
        else if (type == typeof(double) || type == typeof(double?)) PlainNumber.Number(argument, text);
    }

    /// <summary>
    /// Bodies are small. A converter of the serializer would see their texts too, and would take the type of every text from the API's
    /// document.
    /// </summary>
    private static async Task JudgeBodyAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        request.EnableBuffering();
        try
        {
            using var body = await JsonDocument.ParseAsync(request.Body, cancellationToken: cancellationToken);
            Judge("body", body.RootElement);
        }
        catch (JsonException)
        {
            // Whoever binds the body tells what is wrong with it.
        }
        request.Body.Position = 0;
    }

    private static void Judge(string argument, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String: PlainText.RequireStorable(argument, Text(() => value.GetString()!)); break;
            case JsonValueKind.Array:
                foreach (var item in value.EnumerateArray()) Judge(argument, item);
                break;
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject()) Judge(Text(() => member.Name), member.Value);
                break;
        }
    }

    /// <summary>The library throws at an escape for half of a surrogate pair; for us it is that half.</summary>
    private static string Text(Func<string> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException)
        {
            return "\uD800";
        }
    }
}
