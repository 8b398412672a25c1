using System.Text.Json;
using BulkImporter.Access;
using BulkImporter.Accounts;
using BulkImporter.Status;

namespace BulkImporter.Api;

/// <summary>
/// Takes what Cincopa posts about files that came in (contract 2.11). Anybody can post here who knows the secret path, so nothing is believed: a
/// delivery brings a status call forward, and that call tells what is true. Answered at once, because what is not answered is sent again.
/// </summary>
internal static class HooksApi
{
    private const int MostBytes = 64 * 1024;
    private const int LongestText = 500;

    public static void MapHooks(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapPost($"/{AccountWebhook.Path}/{{account}}/{{secret}}", ReceiveAsync).AllowAnonymous().ExcludeFromDescription().DisableAntiforgery();

    private static async Task<IResult> ReceiveAsync(string account, string secret, HttpRequest request, AccountWebhook webhook, PollHints hints, Guesses guesses, CancellationToken cancellationToken)
    {
        if (!guesses.MayTry(request.HttpContext)) return Results.StatusCode(StatusCodes.Status429TooManyRequests);
        if (await webhook.AccountOfAsync(account, secret, cancellationToken) is not { } accountId)
        {
            guesses.Wrong(request.HttpContext);
            return Results.NotFound();
        }
        var body = new byte[MostBytes + 1];
        var length = await request.Body.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancellationToken);
        if (length > MostBytes) return Results.StatusCode(StatusCodes.Status413PayloadTooLarge);
        try
        {
            using var document = JsonDocument.Parse(body.AsMemory(0, length));
            var told = document.RootElement;
            if (told.ValueKind == JsonValueKind.Object && Text(told, "event") == AccountWebhook.Event && Text(told, "filename") is { Length: > 0 } fileName)
                hints.Offer(new PollHint(accountId, fileName), $"{accountId} {AccountWebhook.Event} {Text(told, "drid")} {Text(told, "modified")} {fileName}");
            return Results.Ok();
        }
        catch (JsonException)
        {
            return Results.BadRequest();
        }
    }

    private static string? Text(JsonElement told, string name) =>
        told.TryGetProperty(name, out var field) && field.ValueKind == JsonValueKind.String && field.GetString() is { Length: <= LongestText } text && !text.Contains('\0') ? text : null;
}
