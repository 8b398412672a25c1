using System.CommandLine;
using BulkImporter.Api;
using BulkImporter.Notify;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary>
/// <c>notify add|list|remove|log|replay</c>: where the end of an import, a pause by itself, a stall and a suspended account are told.
/// </summary>
internal static class NotifyVerb
{
    public static Verb Of(Surroundings surroundings) =>
        new Verb("notify", "Notify other programs and people when an import ends, pauses itself or stalls, or an account is suspended.",
            "BulkImporter notify add ops https://ops.example/hooks/imports", "BulkImporter notify log")
            .Takes(Add(surroundings), List(surroundings), Remove(surroundings), Log(surroundings), Replay(surroundings));

    private static Argument<string> TargetName() => new("NAME") { Description = "The target's name" };

    private static ClientVerb Add(Surroundings surroundings)
    {
        var name = TargetName();
        var url = new Argument<string>("URL") { Description = "The URL that notifications are posted to, or mailto: and an email address" };
        return new(surroundings, "add",
            "Add a target. For a URL, prints the secret that signs its notifications, which cannot be read again.",
            ["BulkImporter notify add ops https://ops.example/hooks/imports", "BulkImporter notify add ann mailto:ann@example.com"],
            [name, url],
            call => call.ShowAsync(
                call.PostAsync<MadeTarget>("notifications/targets", new NewTargetBody(call.Get(name), call.Get(url))), made =>
            {
                call.Say(made.Secret is { } secret ? Wording.Plain(secret)
                    : $"{Wording.Plain(made.Name)} is notified by mail: {Wording.Plain(made.Url)}");
                if (made.Secret is not null)
                    call.Note($"Notifications for {Wording.Plain(made.Name)} are signed with this secret, shown this once.");
            }));
    }

    private static ClientVerb List(Surroundings surroundings) =>
        new(surroundings, "list", "List the targets.", ["BulkImporter notify list"], [],
            call => call.ListAsync<TargetView>("notifications/targets", ["name", "address", "since"],
                target => [target.Name, target.Url, call.Time(target.CreatedAt)]));

    private static ClientVerb Remove(Surroundings surroundings)
    {
        var name = TargetName();
        return new(surroundings, "remove", "Remove a target.", ["BulkImporter notify remove ops"], [name],
            call => call.OrderAsync(HttpMethod.Delete, $"notifications/targets/{Uri.EscapeDataString(call.Get(name))}",
                $"Target {Wording.Plain(call.Get(name))} is removed."), answers: false);
    }

    private static ClientVerb Log(Surroundings surroundings)
    {
        var (limit, after) = (Limit(), After());
        return new(surroundings, "log", "List the notifications, the latest first, and whether they arrived.", ["BulkImporter notify log"],
            [limit, after],
            call => call.ShowAsync(call.GetAsync<Page<NotificationView>>(
                "notifications" + Query.Of(("limit", call.Get(limit)), ("after", call.Get(after)))), page =>
            {
                call.Table(["id", "time", "what", "import", "target", "state", "tries", "problem"], page.Items.SelectMany(
                    told => told.Deliveries.DefaultIfEmpty(new DeliveryView("", "", 0, null, null, null)).Select(delivery =>
                        (string?[])[$"{told.Id}", call.Time(told.At), told.Kind, told.ImportId is { } id ? $"{id}" : "-",
                            delivery.Target, delivery.State, $"{delivery.Tries}", delivery.Problem])));
                if (page.Next is { } next) call.Note($"More with --after {next}");
            }));
    }

    private static ClientVerb Replay(Surroundings surroundings)
    {
        var id = new Argument<long>("ID") { Description = "The notification's number, as `BulkImporter notify log` shows it" };
        return new(surroundings, "replay", "Send a notification again to every target.", ["BulkImporter notify replay 12"], [id],
            call => call.TellAsync(call.PostAsync<ReplayedBody>($"notifications/{call.Get(id)}/replay"), replayed =>
                $"Notification {call.Get(id)} goes to {Wording.Count(replayed.Targets, "target", "targets")}."), answers: false);
    }
}
