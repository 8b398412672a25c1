using System.CommandLine;
using BulkImporter.Imports;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary>Orders for an import as a whole, each answered by the import: what is done next with it, and in which state.</summary>
internal static class SteerVerb
{
    public static Verb Start(Surroundings surroundings)
    {
        var first = AtLeast(1, new Option<int?>("--first")
        {
            HelpName = "N",
            Description = "Send only the first N records and pause when they have ended; resume then sends the rest"
        });
        return Steering(surroundings, "start", "Start an import that is waiting for review.",
            ["BulkImporter start 7", "BulkImporter start 7 --first 10           then look, and BulkImporter resume 7"],
            call => ("first", call.Get(first)), first);
    }

    public static Verb Pause(Surroundings surroundings) =>
        Steering(surroundings, "pause", "Stop sending records. What Cincopa has accepted is still followed.", ["BulkImporter pause 7"]);

    public static Verb Resume(Surroundings surroundings) =>
        Steering(surroundings, "resume", "Resume after a pause, or send the rest after the first records.", ["BulkImporter resume 7"]);

    public static Verb Cancel(Surroundings surroundings)
    {
        var abortRemote = Flag("--abort-remote",
            "Also ask Cincopa to abort what it has accepted and not finished. This works for a cancelled import too");
        return Steering(surroundings, "cancel",
            "Cancel what an import has not sent (rerun brings it back). What Cincopa has accepted is followed to its end.",
            ["BulkImporter cancel 7", "BulkImporter cancel 7 --abort-remote"],
            call => ("abortRemote", call.Get(abortRemote) ? "true" : null), abortRemote);
    }

    /// <summary>Hosts that wait, now.</summary>
    public static Verb Ask(Surroundings surroundings)
    {
        var id = ImportId();
        var host = Text("--host", "HOST", "Only this one [all that wait]");
        return new ClientVerb(surroundings, "ask",
            "Ask waiting source hosts now, which failed too often in a row. One file of each is sent; if it works, the others follow.",
            ["BulkImporter ask 7                                  all hosts that import 7 waits for",
                "BulkImporter ask 7 --host media.example.com"],
            [id, host],
            call => call.TellAsync(
                call.PostAsync<ImportView>($"imports/{call.Get(id)}/ask-hosts" + Query.Of(("host", call.Get(host)))),
                import => string.Join(Environment.NewLine,
                    [ImportPicture.Headline(import), .. import.WaitingHosts.Select(w => Wording.Plain(w.Sentence))])));
    }

    /// <summary>An import that has ended is forgotten.</summary>
    public static Verb Delete(Surroundings surroundings)
    {
        var id = ImportId();
        var yes = Flag("--yes", "Confirm: a deleted import cannot be restored");
        return new ClientVerb(surroundings, "delete",
            "Delete an import that has ended, with its records, attempts, findings and, when no other import has it, its manifest. The "
                + "assets stay in Cincopa, and without the import they can no longer be undone; their addresses are no longer recognised "
                + "in later manifests.",
            ["BulkImporter undo 7 --dry-run                       the assets that would stay in Cincopa",
                "BulkImporter archive 7 && BulkImporter delete 7 --yes"],
            [id, yes],
            call => call.TellAsync(call.SendAsync<ImportView>(HttpMethod.Delete, $"imports/{call.Get(id)}"),
                _ => $"Import {call.Get(id)} is being deleted."),
            refuses: result => [result.GetValue(yes) ? null
                : "A deleted import cannot be restored, and its assets stay in Cincopa. To delete it, give --yes. To delete its assets "
                    + "first, use BulkImporter undo; to keep its data in a file, BulkImporter archive."]);
    }

    private static ClientVerb Steering(Surroundings surroundings, string action, string description, string[] examples,
        Func<Call, (string, object?)>? argument = null, Option? option = null)
    {
        var id = ImportId();
        return new(surroundings, action, description, examples, option is null ? [id] : [id, option],
            call => call.TellAsync(
                call.PostAsync<ImportView>($"imports/{call.Get(id)}/{action}" + (argument is null ? "" : Query.Of(argument(call)))),
                ImportPicture.Headline));
    }
}
