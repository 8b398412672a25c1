using System.CommandLine;
using System.Globalization;
using BulkImporter.Access;
using BulkImporter.Api;
using BulkImporter.Data;
using Spectre.Console;

namespace BulkImporter.Cli;

/// <summary><c>key add|list|link|revoke</c>: the API keys of programs and terminals.</summary>
internal sealed class KeyVerb : Verb
{
    public KeyVerb(Surroundings surroundings)
        : base("key", "Make, list and revoke API keys.", "BulkImporter key list", "BulkImporter key add nightly --role operator --days 365")
    {
        Takes(new KeyAddVerb(surroundings), new KeyListVerb(surroundings), new KeyRevokeVerb(surroundings), new KeyLinkVerb(surroundings));
    }

    private sealed class KeyAddVerb : ClientVerb
    {
        private readonly Argument<string> name = new("NAME") { Description = "Who or what uses it, as the audit log shows it" };
        private readonly Option<string> role =
            RoleOption("What it may do: viewer can read, operator can also act, admin can also manage accounts, people and keys");
        private readonly Option<double?> days = AtLeast(0.01, new Option<double?>("--days")
        { HelpName = "N", Description = "Expires after so many days [never]" });

        public KeyAddVerb(Surroundings surroundings)
            : base(surroundings, "add", "Make an API key. Prints its secret, which cannot be read again.",
                "BulkImporter key add nightly --role operator --days 365",
                "export BULKIMPORTER_API_KEY=$(BulkImporter key add laptop --role admin)") =>
            TakesFromServer(name, role, days, Json);

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            DateTimeOffset? expiresAt = line.GetValue(days) is { } lifetime
                ? Surroundings.Clock.GetUtcNow().AddDays(Math.Min(lifetime, 36_500)) : null;
            var made = await api.SendAsync<MadeKey>(HttpMethod.Post, "keys",
                new NewKeyBody(line.GetRequiredValue(name), line.GetRequiredValue(role), expiresAt), cancellationToken);
            if (line.GetValue(Json))
            {
                Surroundings.Output.WriteLine(made.Json);
                return ExitCode.Done;
            }

            Surroundings.Output.WriteLine(Wording.Plain(made.Value.Secret));
            Surroundings.Error.WriteLine(
                $"Key {made.Value.Key.Id} ({Wording.Of(made.Value.Key.Role)}), shown this "
                    + $"once{(expiresAt is null ? "" : $"; it expires at {Wording.Time(expiresAt, Surroundings.Clock)}")}.");
            return ExitCode.Done;
        }
    }

    private sealed class KeyListVerb : ClientVerb
    {
        public KeyListVerb(Surroundings surroundings)
            : base(surroundings, "list", "List the API keys. A secret is never shown again.", "BulkImporter key list") =>
                TakesFromServer(Json);

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            var page = await api.GetAsync<Page<KeyView>>("keys", cancellationToken);
            if (line.GetValue(Json))
            {
                Surroundings.Output.WriteLine(page.Json);
                return ExitCode.Done;
            }

            var table = ImportPicture.TableOf(Surroundings, "id", "name", "begins with", "role", "state", "expires", "last used");
            foreach (var key in page.Value.Items)
            {
                table.AddRow(new Text(key.Id.ToString(CultureInfo.InvariantCulture)), new Text(Wording.Plain(key.Name)),
                    new Text(Wording.Plain(key.Prefix)), new Text(Wording.Of(key.Role)),
                    new Text(State(key)), new Text(Wording.Time(key.ExpiresAt, Surroundings.Clock)),
                    new Text(Wording.Time(key.LastUsedAt, Surroundings.Clock)));
            }

            Surroundings.Screen.Write(table);
            return ExitCode.Done;
        }

        private string State(KeyView key) => key switch
        {
            { RevokedAt: not null } => "revoked",
            { ExpiresAt: { } at } when at <= Surroundings.Clock.GetUtcNow() => "expired",
            _ => "active",
        };
    }

    private sealed class KeyLinkVerb : ClientVerb
    {
        public KeyLinkVerb(Surroundings surroundings)
            : base(surroundings, "link", "Print a link that signs a browser in once, as the owner of the key.", "BulkImporter key link") =>
                TakesFromServer(Json);

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            var link = await api.SendAsync<SignInLinkBody>(HttpMethod.Post, "sign-in-links", null, cancellationToken);
            Surroundings.Output.WriteLine(line.GetValue(Json) ? link.Json : Wording.Plain(link.Value.Url));
            return ExitCode.Done;
        }
    }

    private sealed class KeyRevokeVerb : ClientVerb
    {
        private readonly Argument<int> id = new("ID") { Description = "The key's number, as `BulkImporter key list` shows it" };

        public KeyRevokeVerb(Surroundings surroundings)
            : base(surroundings, "revoke", "Revoke an API key and the sessions that it opened.", "BulkImporter key revoke 3") =>
                TakesFromServer(id);

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            var number = line.GetValue(id).ToString(CultureInfo.InvariantCulture);
            await api.DeleteAsync($"keys/{number}", cancellationToken);
            Surroundings.Output.WriteLine($"Key {number} is revoked.");
            return ExitCode.Done;
        }
    }
}
