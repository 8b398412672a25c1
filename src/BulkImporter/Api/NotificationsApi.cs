using BulkImporter.Access;
using BulkImporter.Notify;
using Microsoft.AspNetCore.Http.HttpResults;

namespace BulkImporter.Api;

/// <param name="Name">What the log and the audit show.</param>
/// <param name="Url">Where to post to.</param>
public sealed record NewTargetBody(string? Name, string? Url);

/// <param name="Targets">To how many it goes.</param>
public sealed record ReplayedBody(int Targets);

internal static class NotificationsApi
{
    public static void MapNotifications(this IEndpointRouteBuilder api)
    {
        var notifications = api.MapGroup("/notifications").WithTags("Notifications").RequireAuthorization(Policy.Admin);
        notifications.MapGet("/", ListAsync).WithName("listNotifications")
            .WithSummary("The messages that were sent, the latest first, and the result of each delivery")
            .Problems(400);
        notifications.MapPost("/{id:long}/replay", ReplayAsync).WithName("replayNotification")
            .WithSummary("Send a notification again to every target, with the same id and body").Problems(404);
        notifications.MapGet("/targets", TargetsAsync).WithName("listTargets")
            .WithSummary("The addresses that notifications are posted to; a secret is never shown again");
        notifications.MapPost("/targets", AddAsync).WithName("addTarget")
            .WithSummary("Add a target; only this response shows its signing secret")
            .Problems(400, 409);
        notifications.MapDelete("/targets/{name}", RemoveAsync).WithName("removeTarget")
            .WithSummary("Remove a target; messages on their way to it are dropped").Problems(404);
    }

    private static async Task<Ok<Page<NotificationView>>> ListAsync(
        ReadNotifications notifications, int? limit, string? after, CancellationToken cancellationToken) =>
        TypedResults.Ok(await notifications.PageAsync(ApiArguments.Cursor(after), ApiArguments.Limit(limit, 50, 500), cancellationToken));

    private static async Task<Results<Ok<ReplayedBody>, ProblemHttpResult>> ReplayAsync(
        long id, ReplayNotification replay, HttpContext context, CancellationToken cancellationToken) =>
        await replay.RunAsync(id, context.User.Actor(), cancellationToken) is { } targets
            ? TypedResults.Ok(new ReplayedBody(targets))
            : Problem.NotFound($"There is no notification {id} that was sent.");

    private static async Task<Ok<Page<TargetView>>> TargetsAsync(ReadNotifications notifications, CancellationToken cancellationToken) =>
        TypedResults.Ok(new Page<TargetView>(await notifications.TargetsAsync(cancellationToken), null));

    private static async Task<Results<Created<MadeTarget>, ProblemHttpResult>> AddAsync(
        NewTargetBody body, ChangeTargets targets, HttpContext context, CancellationToken cancellationToken) =>
        await targets.AddAsync(body.Name ?? "", body.Url ?? "", context.User.Actor(), cancellationToken) is { } made
            ? context.Created($"notifications/targets/{made.Name}", made)
            : Problem.AlreadyExists($"A target named '{body.Name}' already exists.");

    private static async Task<Results<NoContent, ProblemHttpResult>> RemoveAsync(
        string name, ChangeTargets targets, HttpContext context, CancellationToken cancellationToken) =>
        await targets.RemoveAsync(name, context.User.Actor(), cancellationToken)
            ? TypedResults.NoContent() : Problem.NotFound($"There is no target '{name}'.");
}
