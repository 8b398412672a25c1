using BulkImporter.Access;
using Microsoft.AspNetCore.Http.HttpResults;

namespace BulkImporter.Api;

/// <param name="Role">viewer, operator or admin.</param>
/// <param name="ExpiresAt">Null = never.</param>
public sealed record NewKeyBody(string? Name, string? Role, DateTimeOffset? ExpiresAt = null);

/// <param name="Url">Opens a browser session once, within 15 minutes.</param>
public sealed record SignInLinkBody(string Url, DateTimeOffset ExpiresAt);

internal static class KeysApi
{
    public static void MapKeys(this IEndpointRouteBuilder api)
    {
        var keys = api.MapGroup("/keys").WithTags("Access").RequireAuthorization(Policy.Admin);
        keys.MapGet("/", ListAsync).WithName("listKeys").WithSummary("List API keys; a secret is never shown again");
        keys.MapPost("/", MakeAsync).WithName("makeKey")
            .WithSummary("Create an API key; only this response shows its secret").Problems(400);
        keys.MapDelete("/{id:int}", RevokeAsync).WithName("revokeKey")
            .WithSummary("Revoke an API key and the sessions that it opened").Problems(404, 409);
        api.MapPost("/sign-in-links", MakeLinkAsync).WithName("makeSignInLink").RequireAuthorization(Policy.Viewer).WithTags("Access")
            .WithSummary("Create a link that signs a browser in once, as the caller").Problems(400);
    }

    private static async Task<Ok<Page<KeyView>>> ListAsync(ReadKeys keys, CancellationToken cancellationToken) =>
        TypedResults.Ok(new Page<KeyView>(await keys.ListAsync(cancellationToken), null));

    private static async Task<Created<MadeKey>> MakeAsync(
        NewKeyBody body, MakeKey make, HttpContext context, CancellationToken cancellationToken)
    {
        var role = ApiArguments.Choice<Role>("role", body.Role)
            ?? throw new InvalidArgumentException("role", $"A key needs a role: {string.Join(", ", EnumText<Role>.All)}.");
        var made = await make.RunAsync(body.Name ?? "", role, body.ExpiresAt, context.User.Actor(), cancellationToken);
        return context.Created($"keys/{made.Key.Id}", made);
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> RevokeAsync(
        int id, RevokeKey revoke, HttpContext context, CancellationToken cancellationToken) =>
        await revoke.RunAsync(id, context.User.Actor(), cancellationToken) switch
        {
            KeyRevocation.Done => TypedResults.NoContent(),
            KeyRevocation.NotFound => Problem.NotFound($"There is no key {id}, or it is already revoked."),
            KeyRevocation.LastAdmin =>
                Problem.Of(StatusCodes.Status409Conflict, ProblemType.LastAdminKey, "Last admin key",
                    "This is the last admin key, and no admin has a password. Create another admin first."),
        };

    private static async Task<Ok<SignInLinkBody>> MakeLinkAsync(
        MakeSignInLink make, OwnAddress address, HttpContext context, CancellationToken cancellationToken)
    {
        var here = address.Of(context.Request);
        var link = await make.RunAsync(context.User.Caller(), cancellationToken);
        return TypedResults.Ok(new SignInLinkBody($"{here}/{link.Path}", link.ExpiresAt));
    }
}
