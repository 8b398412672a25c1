using System.CommandLine;
using BulkImporter.Access;
using BulkImporter.Api;
using BulkImporter.Data;
using Spectre.Console;

namespace BulkImporter.Cli;

/// <summary><c>user add|list|role|lock|unlock|link|remove</c>: the people who sign in with a name and a password.</summary>
internal sealed class UserVerb : Verb
{
    public UserVerb(Surroundings surroundings)
        : base("user", "Invite people, change their roles, lock and remove them.", "BulkImporter user list",
            "BulkImporter user add anna --role operator")
    {
        Takes(new UserAddVerb(surroundings), new UserListVerb(surroundings), new UserRoleVerb(surroundings),
            UserLockVerb.Lock(surroundings), UserLockVerb.Unlock(surroundings),
            new UserLinkVerb(surroundings), new UserRemoveVerb(surroundings));
    }

    private static Argument<string> UserName() => new("NAME") { Description = "The name that the person signs in with" };

    private static string PathOf(string name, string? action = null) => $"users/{Uri.EscapeDataString(name)}{action}";

    private static string Sentence(UserView user) => $"{Wording.Plain(user.Name)}: {Wording.Of(user.Role)}, {Wording.Of(user.State)}.";

    private static void WriteLink(Surroundings surroundings, PasswordLinkBody link)
    {
        surroundings.Output.WriteLine(Wording.Plain(link.Url));
        surroundings.Error.WriteLine(
            $"Shown this once: it works once, until {Wording.Time(link.ExpiresAt, surroundings.Clock)}, and lets its reader choose the "
                + "password.");
    }

    private sealed class UserAddVerb : ClientVerb
    {
        private readonly Argument<string> name = UserName();
        private readonly Option<string> role =
            RoleOption("What the person may do: viewer can read, operator can also act, admin can also manage accounts, people and keys");

        public UserAddVerb(Surroundings surroundings)
            : base(surroundings, "add", "Invite a person. Prints a link with which the person chooses a password.",
                "BulkImporter user add anna --role operator") =>
            TakesFromServer(name, role, Json);

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            var added = await api.SendAsync<AddedUserBody>(HttpMethod.Post, "users",
                new NewUserBody(line.GetRequiredValue(name), line.GetRequiredValue(role)), cancellationToken);
            if (line.GetValue(Json)) Surroundings.Output.WriteLine(added.Json);
            else WriteLink(Surroundings, added.Value.Link);
            return ExitCode.Done;
        }
    }

    private sealed class UserListVerb : ClientVerb
    {
        public UserListVerb(Surroundings surroundings)
            : base(surroundings, "list", "List the people with their roles.", "BulkImporter user list") => TakesFromServer(Json);

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            var page = await api.GetAsync<Page<UserView>>("users", cancellationToken);
            if (line.GetValue(Json))
            {
                Surroundings.Output.WriteLine(page.Json);
                return ExitCode.Done;
            }

            if (page.Value.Items.Count == 0)
            {
                Surroundings.Error.WriteLine("There are no people yet. Invite the first with: BulkImporter user add NAME --role admin");
                return ExitCode.Done;
            }

            var table = ImportPicture.TableOf(Surroundings, "name", "role", "state", "signed in", "locked out until");
            foreach (var user in page.Value.Items)
            {
                table.AddRow(new Text(Wording.Plain(user.Name)), new Text(Wording.Of(user.Role)), new Text(Wording.Of(user.State)),
                    new Text(Wording.Time(user.SignedInAt, Surroundings.Clock)),
                    new Text(Wording.Time(user.LockedOutUntil, Surroundings.Clock)));
            }

            Surroundings.Screen.Write(table);
            return ExitCode.Done;
        }
    }

    private sealed class UserRoleVerb : ClientVerb
    {
        private readonly Argument<string> name = UserName();
        private readonly Argument<string> role = new("ROLE") { Description = "viewer, operator or admin" };

        public UserRoleVerb(Surroundings surroundings)
            : base(surroundings, "role", "Give a person another role. The person signs in again.", "BulkImporter user role anna admin")
        {
            role.AcceptOnlyFromAmong([.. EnumText<Role>.All]);
            TakesFromServer(name, role, Json);
        }

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            var user = await api.SendAsync<UserView>(HttpMethod.Patch, PathOf(line.GetRequiredValue(name)),
                new UserChangeBody(line.GetRequiredValue(role), null), cancellationToken);
            Surroundings.Output.WriteLine(line.GetValue(Json) ? user.Json : Sentence(user.Value));
            return ExitCode.Done;
        }
    }

    /// <summary><c>lock</c> and <c>unlock</c>: they differ in a word.</summary>
    private sealed class UserLockVerb : ClientVerb
    {
        private readonly Argument<string> name = UserName();
        private readonly bool locked;

        private UserLockVerb(Surroundings surroundings, string verb, bool locked, string description)
            : base(surroundings, verb, description, $"BulkImporter user {verb} anna")
        {
            this.locked = locked;
            TakesFromServer(name, Json);
        }

        public static UserLockVerb Lock(Surroundings surroundings) =>
            new(surroundings, "lock", true, "End a person's sessions and refuse the person's sign-in until unlocked.");

        public static UserLockVerb Unlock(Surroundings surroundings) =>
            new(surroundings, "unlock", false, "Let a person sign in again, also after too many wrong passwords.");

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            var user = await api.SendAsync<UserView>(HttpMethod.Patch, PathOf(line.GetRequiredValue(name)),
                new UserChangeBody(null, locked), cancellationToken);
            Surroundings.Output.WriteLine(line.GetValue(Json) ? user.Json : Sentence(user.Value));
            return ExitCode.Done;
        }
    }

    private sealed class UserLinkVerb : ClientVerb
    {
        private readonly Argument<string> name = UserName();

        public UserLinkVerb(Surroundings surroundings)
            : base(surroundings, "link",
                "Print a new link with which a person chooses a password, if the invitation was lost or the password forgotten.",
                "BulkImporter user link anna") =>
            TakesFromServer(name, Json);

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            var link = await api.SendAsync<PasswordLinkBody>(HttpMethod.Post, PathOf(line.GetRequiredValue(name), "/password-link"), null,
                cancellationToken);
            if (line.GetValue(Json)) Surroundings.Output.WriteLine(link.Json);
            else WriteLink(Surroundings, link.Value);
            return ExitCode.Done;
        }
    }

    private sealed class UserRemoveVerb : ClientVerb
    {
        private readonly Argument<string> name = UserName();

        public UserRemoveVerb(Surroundings surroundings)
            : base(surroundings, "remove", "Remove a person and end the sessions. What the person did stays in the audit log.",
                "BulkImporter user remove anna") => TakesFromServer(name);

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            await api.DeleteAsync(PathOf(line.GetRequiredValue(name)), cancellationToken);
            Surroundings.Output.WriteLine($"{line.GetValue(name)} is removed.");
            return ExitCode.Done;
        }
    }
}
