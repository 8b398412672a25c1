using System.Text.Json;
using BulkImporter.Accounts;
using BulkImporter.Manifests;
using BulkImporter.Parse;
using BulkImporter.Sources;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.HttpResults;

namespace BulkImporter.Api;

/// <summary>
/// Errors as RFC 9457 problem details. The <c>type</c> is a stable code that programs may decide on; the rest is for people.
/// </summary>
internal static class Problem
{
    public static ProblemHttpResult NotFound(string sentence) =>
        Of(StatusCodes.Status404NotFound, ProblemType.NotFound, "Not found", sentence);

    public static ProblemHttpResult ImportNotFound(int importId) => NotFound($"There is no import {importId}.");

    public static ProblemHttpResult AccountNotFound(string name) => NotFound($"There is no account '{name}'.");

    /// <param name="state">An import's or a record's.</param>
    public static ProblemHttpResult RefusedInThisState<T>(T state, string sentence) where T : struct, Enum => TypedResults.Problem(
        sentence, statusCode: StatusCodes.Status409Conflict, title: "Refused in this state", type: ProblemType.RefusedInThisState,
        extensions: new Dictionary<string, object?> { ["state"] = EnumText<T>.Of(state) });

    /// <summary>Cincopa did not answer, or refused, what the order needs from it.</summary>
    public static ProblemHttpResult CincopaNotAsked(string sentence) =>
        Of(StatusCodes.Status424FailedDependency, ProblemType.CincopaNotAsked, "Cincopa cannot be asked", sentence);

    public static ProblemHttpResult TokenNotConfirmed(AccountCheck check) =>
        Of(StatusCodes.Status422UnprocessableEntity, ProblemType.TokenNotConfirmed, "Token not confirmed", check.NotSaved);

    public static ProblemHttpResult AlreadyExists(string sentence) =>
        Of(StatusCodes.Status409Conflict, ProblemType.AlreadyExists, "Already exists", sentence);

    public static ProblemHttpResult InvalidArgument(InvalidArgumentException invalid) => TypedResults.Problem(
        invalid.Message, statusCode: StatusCodes.Status400BadRequest, title: $"Invalid {invalid.Argument}",
        type: ProblemType.InvalidArgument,
        extensions: new Dictionary<string, object?> { ["argument"] = invalid.Argument });

    public static ProblemHttpResult Of(int status, string type, string title, string detail) =>
        TypedResults.Problem(detail, statusCode: status, title: title, type: type);

    /// <summary>Every problem has a type of ours, also those that the framework makes.</summary>
    public static void Name(ProblemDetailsContext context)
    {
        if (context.ProblemDetails.Type is { } type && !type.StartsWith("http", StringComparison.Ordinal)) return;
        var status = context.ProblemDetails.Status ?? context.HttpContext.Response.StatusCode;
        context.ProblemDetails.Type = status switch
        {
            StatusCodes.Status400BadRequest => ProblemType.InvalidRequest,
            StatusCodes.Status401Unauthorized => ProblemType.KeyNeeded,
            StatusCodes.Status403Forbidden => ProblemType.RoleTooLow,
            StatusCodes.Status404NotFound => ProblemType.NotFound,
            StatusCodes.Status413PayloadTooLarge => ProblemType.TooLarge,
            StatusCodes.Status415UnsupportedMediaType => ProblemType.UnsupportedMediaType,
            StatusCodes.Status429TooManyRequests => ProblemType.TooManyRequests,
            >= 500 => ProblemType.InternalError,
            _ => ProblemType.InvalidRequest,
        };
        context.ProblemDetails.Detail ??= status switch
        {
            StatusCodes.Status401Unauthorized => "Send a valid API key: Authorization: Bearer KEY. A key may have expired or been revoked.",
            StatusCodes.Status403Forbidden =>
                "The key's role does not allow this. A viewer can read, an operator can also act, an admin can also manage accounts, "
                    + "people and keys.",
            StatusCodes.Status404NotFound => $"The API has no URL {context.HttpContext.Request.Path}.",
            _ => null,
        };
    }
}

/// <summary>What operations throw at a caller's mistake, as the answer that tells him.</summary>
internal sealed class MistakeAnswers : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken cancellationToken)
    {
        var answer = exception switch
        {
            InvalidArgumentException invalid => Problem.InvalidArgument(invalid),
            ManifestTooLargeException tooLarge =>
                Problem.Of(StatusCodes.Status413PayloadTooLarge, ProblemType.ManifestTooLarge, "Manifest too large", tooLarge.Message),
            SourceFileTooLargeException tooLarge =>
                Problem.Of(StatusCodes.Status413PayloadTooLarge, ProblemType.TooLarge, "File too large", tooLarge.Message),
            TooManyPreviewsException busy =>
                Problem.Of(StatusCodes.Status429TooManyRequests, ProblemType.TooManyRequests, "Too many requests", busy.Message),
            BadHttpRequestException { InnerException: JsonException { Path: ['$', '.', .. var member] } } =>
                Problem.InvalidArgument(new(member,
                // The library's own words name our types, and say nothing to whoever wrote the body.
                $"'{member}' is not known here, or its value has the wrong type: see /openapi/v1.json. A number is written "
                    + "without quotes and with a decimal point, as in 2.5.")),
            // The framework's own words speak of our parameters.
            BadHttpRequestException { InnerException: null } bad when bad.Message.StartsWith("Implicit body", StringComparison.Ordinal) =>
                Problem.Of(bad.StatusCode, ProblemType.InvalidRequest, "Invalid request",
                    "The request has no body. It needs a JSON body: see /openapi/v1.json."),
            BadHttpRequestException bad =>
                Problem.Of(bad.StatusCode, bad.StatusCode == StatusCodes.Status413PayloadTooLarge
                    ? ProblemType.TooLarge : bad.StatusCode == StatusCodes.Status415UnsupportedMediaType ? ProblemType.UnsupportedMediaType
                        : ProblemType.InvalidRequest, "Invalid request", bad.InnerException?.Message ?? bad.Message),
            _ => null,
        };
        if (answer is null) return false;
        if (exception is TooManyPreviewsException)
            context.Response.Headers.RetryAfter = TooManyPreviewsException.RetryAfter.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        await answer.ExecuteAsync(context);
        return true;
    }
}
