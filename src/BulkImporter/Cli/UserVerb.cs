using System.CommandLine;
using BulkImporter.Access;
using BulkImporter.Api;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary><c>user add|list|role|lock|unlock|link|remove</c>: the people who sign in with a name and a password.</summary>
internal static class UserVerb
{
    public static Verb Of(Surroundings surroundings) =>
        new Verb("user", "Invite people, change their roles, lock and remove them.", "BulkImporter user list",
            "BulkImporter user add anna --role operator")
            .Takes(Add(surroundings), List(surroundings), ChangeRole(surroundings),
                Locking(surroundings, "lock", true, "End a person's sessions and refuse their sign-in until they are unlocked."),
                Locking(surroundings, "unlock", false, "Let a person sign in again, even after too many wrong passwords."),
                Link(surroundings), Remove(surroundings));

    private static Argument<string> UserName() => new("NAME") { Description = "The name that the person signs in with" };

    private static string PathOf(string name) => $"users/{Uri.EscapeDataString(name)}";

    private static string Sentence(UserView user) => $"{Wording.Plain(user.Name)}: {Wording.Of(user.Role)}, {Wording.Of(user.State)}.";

    private static void TellLink(Call call, PasswordLinkBody link)
    {
        call.Say(Wording.Plain(link.Url));
        call.Note($"Shown this once: it works once, until {call.Time(link.ExpiresAt)}, and whoever opens it chooses the password.");
    }

    private static ClientVerb Add(Surroundings surroundings)
    {
        var (name, role) = (UserName(), RoleOf("the person"));
        return new(surroundings, "add", "Invite a person. Prints a link with which the person chooses a password.",
            ["BulkImporter user add anna --role operator"], [name, role],
            call => call.ShowAsync(call.PostAsync<AddedUserBody>("users", new NewUserBody(call.Get(name), call.Get(role))),
                added => TellLink(call, added.Link)));
    }

    private static ClientVerb List(Surroundings surroundings) =>
        new(surroundings, "list", "List the people with their roles.", ["BulkImporter user list"], [],
            call => call.ListAsync<UserView>("users", ["name", "role", "state", "signed in", "locked out until"],
                user => [user.Name, Wording.Of(user.Role), Wording.Of(user.State), call.Time(user.SignedInAt),
                    call.Time(user.LockedOutUntil)],
                "There are no people yet. Invite the first with: BulkImporter user add NAME --role admin"));

    private static ClientVerb ChangeRole(Surroundings surroundings)
    {
        var name = UserName();
        var role = new Argument<string>("ROLE") { Description = "viewer, operator or admin" };
        role.AcceptOnlyFromAmong([.. EnumText<Role>.All]);
        return new(surroundings, "role", "Give a person another role. They must sign in again.", ["BulkImporter user role anna admin"],
            [name, role], call => call.TellAsync(
                call.SendAsync<UserView>(HttpMethod.Patch, PathOf(call.Get(name)), new UserChangeBody(Role: call.Get(role))), Sentence));
    }

    private static ClientVerb Locking(Surroundings surroundings, string verb, bool locked, string description)
    {
        var name = UserName();
        return new(surroundings, verb, description, [$"BulkImporter user {verb} anna"], [name], call => call.TellAsync(
            call.SendAsync<UserView>(HttpMethod.Patch, PathOf(call.Get(name)), new UserChangeBody(Locked: locked)), Sentence));
    }

    private static ClientVerb Link(Surroundings surroundings)
    {
        var name = UserName();
        return new(surroundings, "link",
            "Print a new link with which a person chooses a password, if the invitation was lost or the password forgotten.",
            ["BulkImporter user link anna"], [name],
            call => call.ShowAsync(
                call.PostAsync<PasswordLinkBody>(PathOf(call.Get(name)) + "/password-link"), link => TellLink(call, link)));
    }

    private static ClientVerb Remove(Surroundings surroundings)
    {
        var name = UserName();
        return new(surroundings, "remove", "Remove a person and end their sessions. What they did stays in the audit log.",
            ["BulkImporter user remove anna"], [name],
            call => call.OrderAsync(HttpMethod.Delete, PathOf(call.Get(name)), $"{call.Get(name)} is removed."), answers: false);
    }
}
