using System.CommandLine;
using BulkImporter.Access;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary><c>audit</c>: who did what.</summary>
internal static class AuditVerb
{
    public static Verb Of(Surroundings surroundings)
    {
        var actor = Text("--actor", "NAME", "Only what this person or key did");
        var import = new Option<int?>("--import") { HelpName = "ID", Description = "Only what was done to this import" };
        var account = Text("--account", "NAME", "Only what was done to this account");
        var (limit, after) = (Limit(), After());
        return new ClientVerb(surroundings, "audit", "List who did what, the latest first. For admins.",
            ["BulkImporter audit", "BulkImporter audit --import 7", "BulkImporter audit --actor anna --json"],
            [actor, import, account, limit, after],
            call => call.ListAsync<AuditView>("audit" + Query.Of(("actor", call.Get(actor)), ("import", call.Get(import)),
                ("account", call.Get(account)), ("limit", call.Get(limit)), ("after", call.Get(after))),
                ["when", "who", "did", "import", "account", "detail"],
                entry => [call.Time(entry.At), entry.Actor, entry.Action, $"{entry.ImportId}", entry.Account, entry.Detail]));
    }
}
