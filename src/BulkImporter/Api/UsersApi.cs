using BulkImporter.Access;
using Microsoft.AspNetCore.Http.HttpResults;

namespace BulkImporter.Api;

/// <param name="Role">viewer, operator or admin.</param>
public sealed record NewUserBody(string? Name, string? Role);

/// <summary>What is left out stays as it is.</summary>
/// <param name="Role">viewer, operator or admin.</param>
/// <param name="Locked">False also ends a lockout after wrong passwords.</param>
public sealed record UserChangeBody(string? Role = null, bool? Locked = null);

/// <param name="Url">Shown once, here. The person opens it and chooses a password.</param>
public sealed record PasswordLinkBody(string Url, DateTimeOffset ExpiresAt);

public sealed record AddedUserBody(UserView User, PasswordLinkBody Link);

internal static class UsersApi
{
    public static void MapUsers(this IEndpointRouteBuilder api)
    {
        var users = api.MapGroup("/users").WithTags("Access").RequireAuthorization(Policy.Admin);
        users.MapGet("/", ListAsync).WithName("listUsers").WithSummary("List the people who sign in with a password");
        users.MapGet("/{name}", FindAsync).WithName("getUser").WithSummary("One person").Problems(404);
        users.MapPost("/", AddAsync).WithName("inviteUser")
            .WithSummary("Invite a person; only this response shows the link").Problems(400, 409);
        users.MapPatch("/{name}", ChangeAsync).WithName("changeUser")
            .WithSummary("Change the role, lock or unlock; the person's sessions end")
            .Problems(400, 404, 409);
        users.MapPost("/{name}/password-link", MakeLinkAsync).WithName("makePasswordLink")
            .WithSummary("Create a new link with which a person chooses a password; earlier links end").Problems(400, 404);
        users.MapDelete("/{name}", RemoveAsync).WithName("removeUser")
            .WithSummary("Remove a person and end the sessions").Problems(404, 409);
    }

    private static async Task<Ok<Page<UserView>>> ListAsync(ReadUsers users, CancellationToken cancellationToken) =>
        TypedResults.Ok(new Page<UserView>(await users.ListAsync(cancellationToken), null));

    private static async Task<Results<Ok<UserView>, ProblemHttpResult>> FindAsync(
        string name, ReadUsers users, CancellationToken cancellationToken) =>
        await users.FindAsync(name, cancellationToken) is { } user ? TypedResults.Ok(user) : NotFound(name);

    private static async Task<Results<Created<AddedUserBody>, ProblemHttpResult>> AddAsync(
        NewUserBody body, AddUser add, ReadUsers users, OwnAddress address, HttpContext context, CancellationToken cancellationToken)
    {
        var here = address.Of(context.Request);
        var name = body.Name ?? "";
        var role = ApiArguments.Choice<Role>("role", body.Role)
            ?? throw new InvalidArgumentException("role", $"A person needs a role: {string.Join(", ", EnumText<Role>.All)}.");
        if (await add.RunAsync(name, role, context.User.Actor(), cancellationToken) is not { } link)
            return Problem.AlreadyExists($"A person named '{name}' already exists.");
        return context.Created($"users/{Uri.EscapeDataString(name)}",
            new AddedUserBody((await users.FindAsync(name, cancellationToken))!, Body(link, here)));
    }

    private static async Task<Results<Ok<UserView>, ProblemHttpResult>> ChangeAsync(
        string name, UserChangeBody body, ChangeUser change, ReadUsers users, HttpContext context, CancellationToken cancellationToken) =>
        await change.RunAsync(name, new UserChange(ApiArguments.Choice<Role>("role", body.Role), body.Locked), context.User.Actor(),
            cancellationToken) switch
        {
            UserOrder.Done => await FindAsync(name, users, cancellationToken),
            UserOrder.NotFound => NotFound(name),
            UserOrder.LastAdmin => LastAdmin(),
        };

    private static async Task<Results<Ok<PasswordLinkBody>, ProblemHttpResult>> MakeLinkAsync(
        string name, MakePasswordLink make, OwnAddress address, HttpContext context, CancellationToken cancellationToken)
    {
        var here = address.Of(context.Request);
        return await make.RunAsync(name, context.User.Actor(), cancellationToken) is { } link
            ? TypedResults.Ok(Body(link, here)) : NotFound(name);
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> RemoveAsync(
        string name, RemoveUser remove, HttpContext context, CancellationToken cancellationToken) =>
        await remove.RunAsync(name, context.User.Actor(), cancellationToken) switch
        {
            UserOrder.Done => TypedResults.NoContent(),
            UserOrder.NotFound => NotFound(name),
            UserOrder.LastAdmin => LastAdmin(),
        };

    private static PasswordLinkBody Body(MadeLink link, string here) => new($"{here}/{link.Path}", link.ExpiresAt);

    private static ProblemHttpResult NotFound(string name) => Problem.NotFound($"There is no person '{name}'.");

    private static ProblemHttpResult LastAdmin() =>
        Problem.Of(StatusCodes.Status409Conflict, ProblemType.LastAdmin, "Last admin",
            "This is the last admin who can sign in. Add another admin first.");
}
