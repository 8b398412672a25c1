using System.CommandLine;
using System.Globalization;
using BulkImporter.Api;
using BulkImporter.Data;
using BulkImporter.Notify;
using Spectre.Console;

namespace BulkImporter.Cli;

/// <summary>
/// <c>notify add|list|remove|log|replay</c>: where the end of an import, a pause by itself, a stall and a suspended account are told.
/// </summary>
internal sealed class NotifyVerb : Verb
{
    public NotifyVerb(Surroundings surroundings)
        : base("notify", "Tell other programs and people when an import ends, pauses by itself or stalls, or an account is suspended.",
            "BulkImporter notify add ops https://ops.example/hooks/imports", "BulkImporter notify log") =>
        Takes(new NotifyAddVerb(surroundings), new NotifyListVerb(surroundings), new NotifyRemoveVerb(surroundings),
            new NotifyLogVerb(surroundings), new NotifyReplayVerb(surroundings));

    private static Argument<string> TargetName() => new("NAME") { Description = "The target's name" };

    private sealed class NotifyAddVerb : ClientVerb
    {
        private readonly Argument<string> name = TargetName();
        private readonly Argument<string> url = new("URL")
        { Description = "Where notifications are posted to, or mailto: and a mail address" };

        public NotifyAddVerb(Surroundings surroundings)
            : base(surroundings, "add",
                "Add a target. For a web address prints the secret that its notifications are signed with, which cannot be read again.",
                "BulkImporter notify add ops https://ops.example/hooks/imports", "BulkImporter notify add ann mailto:ann@example.com") =>
            TakesFromServer(name, url, Json);

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            var made = await api.SendAsync<MadeTarget>(HttpMethod.Post, "notifications/targets",
                new NewTargetBody(line.GetRequiredValue(name), line.GetRequiredValue(url)), cancellationToken);
            if (line.GetValue(Json))
            {
                Surroundings.Output.WriteLine(made.Json);
                return ExitCode.Done;
            }
            if (made.Value.Secret is not { } secret)
            {
                Surroundings.Output.WriteLine($"{Wording.Plain(made.Value.Name)} is notified by mail: {Wording.Plain(made.Value.Url)}");
                return ExitCode.Done;
            }
            Surroundings.Output.WriteLine(Wording.Plain(secret));
            Surroundings.Error.WriteLine(
                $"Notifications for {Wording.Plain(made.Value.Name)} are signed with this secret, shown this once.");
            return ExitCode.Done;
        }
    }

    private sealed class NotifyListVerb : ClientVerb
    {
        public NotifyListVerb(Surroundings surroundings)
            : base(surroundings, "list", "List the targets.", "BulkImporter notify list") => TakesFromServer(Json);

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            var page = await api.GetAsync<Page<TargetView>>("notifications/targets", cancellationToken);
            if (line.GetValue(Json))
            {
                Surroundings.Output.WriteLine(page.Json);
                return ExitCode.Done;
            }

            var table = ImportPicture.TableOf(Surroundings, "name", "address", "since");
            foreach (var target in page.Value.Items)
                table.AddRow(new Text(Wording.Plain(target.Name)), new Text(Wording.Plain(target.Url)),
                    new Text(Wording.Time(target.CreatedAt, Surroundings.Clock)));
            Surroundings.Screen.Write(table);
            return ExitCode.Done;
        }
    }

    private sealed class NotifyRemoveVerb : ClientVerb
    {
        private readonly Argument<string> name = TargetName();

        public NotifyRemoveVerb(Surroundings surroundings)
            : base(surroundings, "remove", "Remove a target.", "BulkImporter notify remove ops") => TakesFromServer(name);

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            await api.DeleteAsync($"notifications/targets/{Uri.EscapeDataString(line.GetRequiredValue(name))}", cancellationToken);
            Surroundings.Output.WriteLine($"Target {Wording.Plain(line.GetRequiredValue(name))} is removed.");
            return ExitCode.Done;
        }
    }

    private sealed class NotifyLogVerb : ClientVerb
    {
        private readonly Option<int> limit = LimitOption();
        private readonly Option<string?> after = AfterOption();

        public NotifyLogVerb(Surroundings surroundings)
            : base(surroundings, "log", "List the notifications, the latest first, and whether they arrived.", "BulkImporter notify log") =>
                TakesFromServer(limit, after, Json);

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            var cursor = line.GetValue(after) is { } from ? $"&after={Uri.EscapeDataString(from)}" : "";
            var page = await api.GetAsync<Page<NotificationView>>(
                string.Create(CultureInfo.InvariantCulture, $"notifications?limit={line.GetValue(limit)}{cursor}"), cancellationToken);
            if (line.GetValue(Json))
            {
                Surroundings.Output.WriteLine(page.Json);
                return ExitCode.Done;
            }

            var table = ImportPicture.TableOf(Surroundings, "id", "time", "what", "import", "target", "state", "tries", "problem");
            foreach (var told in page.Value.Items)
            {
                foreach (var delivery in told.Deliveries.DefaultIfEmpty(new DeliveryView("", "", 0, null, null, null)))
                {
                    table.AddRow(new Text(told.Id.ToString(CultureInfo.InvariantCulture)),
                        new Text(Wording.Time(told.At, Surroundings.Clock)), new Text(told.Kind),
                        new Text(told.ImportId?.ToString(CultureInfo.InvariantCulture) ?? "-"), new Text(Wording.Plain(delivery.Target)),
                        new Text(delivery.State),
                        new Text(delivery.Tries.ToString(CultureInfo.InvariantCulture)), new Text(Wording.Plain(delivery.Problem)));
                }
            }

            Surroundings.Screen.Write(table);
            if (page.Value.Next is { } next) Surroundings.Error.WriteLine($"More with --after {next}");
            return ExitCode.Done;
        }
    }

    private sealed class NotifyReplayVerb : ClientVerb
    {
        private readonly Argument<long> id = new("ID") { Description = "The notification's number, as `BulkImporter notify log` shows it" };

        public NotifyReplayVerb(Surroundings surroundings)
            : base(surroundings, "replay", "Send a notification once more to every target.", "BulkImporter notify replay 12") =>
                TakesFromServer(id);

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            var number = line.GetValue(id).ToString(CultureInfo.InvariantCulture);
            var replayed = await api.SendAsync<ReplayedBody>(HttpMethod.Post, $"notifications/{number}/replay", null, cancellationToken);
            Surroundings.Output.WriteLine($"Notification {number} goes to {Wording.Count(replayed.Value.Targets, "target", "targets")}.");
            return ExitCode.Done;
        }
    }
}
