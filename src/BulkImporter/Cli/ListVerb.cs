using BulkImporter.Imports;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary><c>list</c>: the imports, newest first.</summary>
internal static class ListVerb
{
    public static Verb Of(Surroundings surroundings)
    {
        var search = Text("--search", "TEXT", "Only imports with this in their name, file, account or person");
        var state = Choice<ImportState>("--state", "Only imports in this state", "STATE");
        var order = Choice<ImportOrder>("--order", "Sort order [newest]");
        var (limit, after) = (Limit(), After());
        return new ClientVerb(surroundings, "list", "List the imports, newest first.",
            ["BulkImporter list", "BulkImporter list --state paused --json | jq '.items[].id'"], [state, search, order, limit, after],
            call => call.ListAsync<ImportView>("imports" + Query.Of(("state", call.Get(state)), ("search", call.Get(search)),
                ("order", call.Get(order)), ("limit", call.Get(limit)), ("after", call.Get(after))),
                ["id", "name", "account", "state", "rows", "imported", "failed", "unknown", "done", "created"],
                import => [$"{import.Id}", import.Name, import.Account, Wording.Of(import.State),
                    import.Rows is { } rows ? Wording.Number(rows) : "-", Wording.Number(import.Counts.Imported),
                    Wording.Number(import.Counts.Failed), Wording.Number(import.Counts.Unknown), Wording.Percent(import.Counts.Progress),
                    call.Time(import.CreatedAt)],
                "No imports yet. Make one with: BulkImporter submit FILE"));
    }
}
