using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;
using Scalar.AspNetCore;

namespace BulkImporter.Api;

public static class ApiSetup
{
    private const string Root = "/api/v1";

    /// <summary>Of the page to browse: room for the way back, and no advertisement.</summary>
    private const string PageStyle = """
        :root { --scalar-custom-header-height: 40px }
        #back { height: 40px; line-height: 40px; padding: 0 1.2rem; position: sticky; top: 0; z-index: 2;
            font-family: system-ui, sans-serif; background: var(--scalar-background-1);
            border-bottom: 1px solid var(--scalar-border-color); box-sizing: border-box }
        #back a { color: var(--scalar-color-1) }
        a[href^='https://scalar.com'] { display: none !important }
        """;

    public static IServiceCollection AddApi(this IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(o =>
        {
            o.SerializerOptions.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false));
            // A number in quotes would need rules of its own for what is in them.
            o.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
        });
        services.AddProblemDetails(o => o.CustomizeProblemDetails = Problem.Name);
        services.AddExceptionHandler<MistakeAnswers>();
        // Without this a body that cannot be read is a 400 without a word; thrown, MistakeAnswers says what is wrong.
        services.Configure<RouteHandlerOptions>(o => o.ThrowOnBadRequest = true);
        services.AddSingleton<ManifestUpload>();
        services.AddOpenApi("v1", o => o.AddSchemaTransformer<SettingsSchema>()
            .AddOperationTransformer<OperationWords>().AddDocumentTransformer<TrueSchemas>().AddDocumentTransformer((document, _, _) =>
        {
            document.Info.Title = "BulkImporter";
            document.Info.Description = "Moves a media library to Cincopa from a CSV manifest of URLs.";
            document.Components ??= new OpenApiComponents();
            document.AddComponent("key", new OpenApiSecurityScheme
            { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "An API key: Authorization: Bearer KEY" });
            // Whatever address the server has; the document that is checked in has none.
            document.Servers = [];
            document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("key", document)] = [] }];
            return Task.CompletedTask;
        }));
        return services;
    }

    public static void MapApi(this IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup(Root).Problems(401, 403);
        api.MapImports();
        api.MapFiles();
        api.MapRecords();
        api.MapOldAddresses();
        api.MapTemplates();
        api.MapCorrections();
        api.MapAccounts();
        api.MapKeys();
        api.MapUsers();
        api.MapAudit();
        api.MapNotifications();
        endpoints.MapHealth();
        endpoints.MapOpenApi("/openapi/{documentName}.json");
        // Its script comes with the package; fonts and the rest that it would fetch from elsewhere are off.
        endpoints.MapScalarApiReference("/scalar", o => o
            .WithTitle("BulkImporter API").WithOpenApiRoutePattern("/openapi/{documentName}.json")
            .DisableDefaultFonts().DisableTelemetry().DisableAgent().DisableMcp()
            // What its maker offers besides, to deploy and to share, is no use here; the way back is.
            .WithCustomCss(PageStyle)
            .HideDeveloperTools().HideClientButton().AddHeaderContent("<nav id=\"back\"><a href=\"../\">← BulkImporter</a></nav>"));
    }

    /// <summary>201 with the address of what was made.</summary>
    /// <param name="path">Below the API's root, without a slash before it.</param>
    internal static Created<T> Created<T>(this HttpContext context, string path, T made) =>
        TypedResults.Created($"{context.Request.PathBase}{Root}/{path}", made);

    /// <summary>What comes is a file to be saved.</summary>
    internal static void Attach(this HttpContext context, string fileName, string contentType)
    {
        var disposition = new ContentDispositionHeaderValue("attachment");
        disposition.SetHttpFileName(fileName);
        context.Response.Headers.ContentDisposition = disposition.ToString();
        context.Response.ContentType = contentType;
    }

    /// <summary>The error answers that an endpoint documents.</summary>
    internal static TBuilder Problems<TBuilder>(this TBuilder builder, params int[] statuses) where TBuilder : IEndpointConventionBuilder
    {
        foreach (var status in statuses)
            builder.WithMetadata(
                new ProducesResponseTypeMetadata(status, typeof(Microsoft.AspNetCore.Mvc.ProblemDetails), ["application/problem+json"]));
        return builder;
    }

    /// <summary>The body is a CSV file, or a form with it in the field 'file'; the endpoint reads it itself.</summary>
    internal static RouteHandlerBuilder TakesManifest(this RouteHandlerBuilder builder, string description) =>
        builder.WithMetadata(new TakenBody(description, IsManifest: true));

    /// <summary>The body is the bytes of a file; the endpoint reads them itself.</summary>
    internal static RouteHandlerBuilder TakesBytes(this RouteHandlerBuilder builder, string description) =>
        builder.WithMetadata(new TakenBody(description, IsManifest: false));

    /// <summary>The query has the settings of a new import; <see cref="ImportFields"/> reads them.</summary>
    internal static RouteHandlerBuilder TakesImportFields(this RouteHandlerBuilder builder, bool ofManifest) =>
        builder.WithMetadata(new TakenImportFields(ofManifest));

    /// <summary>What comes is of this content type when an argument orders it.</summary>
    internal static RouteHandlerBuilder AlsoAnswers(this RouteHandlerBuilder builder, string contentType, string example) =>
        builder.WithMetadata(new OtherAnswer(contentType, example));
}
