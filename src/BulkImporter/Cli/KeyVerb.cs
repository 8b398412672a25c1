using System.CommandLine;
using BulkImporter.Access;
using BulkImporter.Api;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary><c>key add|list|link|revoke</c>: the API keys of programs and terminals.</summary>
internal static class KeyVerb
{
    public static Verb Of(Surroundings surroundings) =>
        new Verb("key", "Create, list and revoke API keys.", "BulkImporter key list",
            "BulkImporter key add nightly --role operator --days 365")
            .Takes(Add(surroundings), List(surroundings), Revoke(surroundings), Link(surroundings));

    private static ClientVerb Add(Surroundings surroundings)
    {
        var name = new Argument<string>("NAME") { Description = "Who or what uses it, as the audit log shows it" };
        var role = RoleOf("it");
        var days = AtLeast(0.01, new Option<double?>("--days") { HelpName = "N", Description = "Expires after this many days [never]" });
        return new(surroundings, "add", "Create an API key. Prints its secret, which cannot be read again.",
            ["BulkImporter key add nightly --role operator --days 365",
                "export BULKIMPORTER_API_KEY=$(BulkImporter key add laptop --role admin)"],
            [name, role, days],
            call =>
            {
                DateTimeOffset? expiresAt = call.Get(days) is { } lifetime
                    ? call.Surroundings.Clock.GetUtcNow().AddDays(Math.Min(lifetime, 36_500)) : null;
                return call.ShowAsync(
                    call.PostAsync<MadeKey>("keys", new NewKeyBody(call.Get(name), call.Get(role), expiresAt)), made =>
                {
                    call.Say(Wording.Plain(made.Secret));
                    call.Note($"Key {made.Key.Id} ({Wording.Of(made.Key.Role)}), shown this "
                        + $"once{(expiresAt is null ? "" : $"; it expires at {call.Time(expiresAt)}")}.");
                });
            });
    }

    private static ClientVerb List(Surroundings surroundings) =>
        new(surroundings, "list", "List the API keys. A secret is never shown again.", ["BulkImporter key list"], [],
            call => call.ListAsync<KeyView>("keys", ["id", "name", "begins with", "role", "state", "expires", "last used"],
                key => [$"{key.Id}", key.Name, key.Prefix, Wording.Of(key.Role), State(key, call.Surroundings.Clock.GetUtcNow()),
                    call.Time(key.ExpiresAt), call.Time(key.LastUsedAt)]));

    private static string State(KeyView key, DateTimeOffset now) =>
        key.RevokedAt is not null ? "revoked" : key.ExpiresAt <= now ? "expired" : "active";

    private static ClientVerb Link(Surroundings surroundings) =>
        new(surroundings, "link", "Print a link that signs a browser in once, as the owner of the key.", ["BulkImporter key link"], [],
            call => call.TellAsync(call.PostAsync<SignInLinkBody>("sign-in-links"), link => Wording.Plain(link.Url)));

    private static ClientVerb Revoke(Surroundings surroundings)
    {
        var id = new Argument<int>("ID") { Description = "The key's number, as `BulkImporter key list` shows it" };
        return new(surroundings, "revoke", "Revoke an API key and the sessions that it opened.", ["BulkImporter key revoke 3"], [id],
            call => call.OrderAsync(HttpMethod.Delete, $"keys/{call.Get(id)}", $"Key {call.Get(id)} is revoked."), answers: false);
    }
}
