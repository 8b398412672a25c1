using System.CommandLine;
using System.Globalization;
using BulkImporter.Data;
using BulkImporter.Imports;
using Spectre.Console;

namespace BulkImporter.Cli;

/// <summary><c>list</c>: the imports, newest first.</summary>
internal sealed class ListVerb : ClientVerb
{
    private readonly Option<string?> search = new("--search")
    { HelpName = "TEXT", Description = "Only imports with this in their name, file, account or person" };
    private readonly Option<string?> state = new("--state") { HelpName = "STATE", Description = "Only imports in this state" };
    private readonly Option<string?> order = new("--order")
    { HelpName = string.Join('|', EnumText<ImportOrder>.All), Description = "Which come first [newest]" };
    private readonly Option<int> limit = LimitOption();
    private readonly Option<string?> after = AfterOption();

    public ListVerb(Surroundings surroundings)
        : base(surroundings, "list", "List the imports, newest first.", "BulkImporter list",
            "BulkImporter list --state paused --json | jq '.items[].id'")
    {
        state.AcceptOnlyFromAmong([.. EnumText<ImportState>.All]);
        order.AcceptOnlyFromAmong([.. EnumText<ImportOrder>.All]);
        TakesFromServer(state, search, order, limit, after, Json);
    }

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        var size = line.GetValue(limit).ToString(CultureInfo.InvariantCulture);
        var page = await api.GetAsync<Page<ImportView>>("imports"
            + Query.Of(("state", line.GetValue(state)), ("search", line.GetValue(search)), ("order", line.GetValue(order)),
                ("limit", size), ("after", line.GetValue(after))), cancellationToken);
        if (line.GetValue(Json))
        {
            Surroundings.Output.WriteLine(page.Json);
            return ExitCode.Done;
        }

        if (page.Value.Items.Count == 0)
        {
            Surroundings.Error.WriteLine("No imports yet. Make one with: BulkImporter submit FILE");
            return ExitCode.Done;
        }

        var table = ImportPicture.TableOf(Surroundings, "id", "name", "account", "state", "rows", "imported", "failed", "unknown",
            "done", "created");
        foreach (var import in page.Value.Items)
        {
            table.AddRow(
                new Text(import.Id.ToString(CultureInfo.InvariantCulture)), new Text(Wording.Plain(import.Name)),
                new Text(Wording.Plain(import.Account)), new Text(Wording.Of(import.State)),
                new Text(import.Rows is { } rows ? Wording.Number(rows) : "-"), new Text(Wording.Number(import.Counts.Imported)),
                new Text(Wording.Number(import.Counts.Failed)),
                new Text(Wording.Number(import.Counts.Unknown)), new Text(Wording.Percent(import.Counts.Progress)),
                new Text(Wording.Time(import.CreatedAt, Surroundings.Clock)));
        }

        Surroundings.Screen.Write(table);
        if (page.Value.Next is { } next)
            Surroundings.Error.WriteLine($"There are more: --after {next}");
        return ExitCode.Done;
    }
}
