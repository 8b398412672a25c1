using System.CommandLine;
using System.Globalization;
using BulkImporter.Access;
using BulkImporter.Data;
using Spectre.Console;

namespace BulkImporter.Cli;

/// <summary><c>audit</c>: who did what.</summary>
internal sealed class AuditVerb : ClientVerb
{
    private readonly Option<string?> actor = new("--actor") { HelpName = "NAME", Description = "Only what this person or key did" };
    private readonly Option<int?> import = new("--import") { HelpName = "ID", Description = "Only what was done to this import" };
    private readonly Option<string?> account = new("--account") { HelpName = "NAME", Description = "Only what was done to this account" };
    private readonly Option<int> limit = LimitOption();
    private readonly Option<string?> after = AfterOption();

    public AuditVerb(Surroundings surroundings)
        : base(surroundings, "audit", "List who did what, the latest first. For admins.",
            "BulkImporter audit", "BulkImporter audit --import 7", "BulkImporter audit --actor anna --json") =>
        TakesFromServer(actor, import, account, limit, after, Json);

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        var page = await api.GetAsync<Page<AuditView>>("audit" + Query.Of(
            ("actor", line.GetValue(actor)), ("import", line.GetValue(import)?.ToString(CultureInfo.InvariantCulture)),
            ("account", line.GetValue(account)),
            ("limit", line.GetValue(limit).ToString(CultureInfo.InvariantCulture)), ("after", line.GetValue(after))), cancellationToken);
        if (line.GetValue(Json))
        {
            Surroundings.Output.WriteLine(page.Json);
            return ExitCode.Done;
        }

        var table = ImportPicture.TableOf(Surroundings, "when", "who", "did", "import", "account", "detail");
        foreach (var entry in page.Value.Items)
        {
            table.AddRow(
                new Text(Wording.Time(entry.At, Surroundings.Clock)), new Text(Wording.Plain(entry.Actor)),
                new Text(Wording.Plain(entry.Action)),
                new Text(entry.ImportId?.ToString(CultureInfo.InvariantCulture) ?? ""), new Text(Wording.Plain(entry.Account)),
                new Text(Wording.Plain(entry.Detail)));
        }

        Surroundings.Screen.Write(table);
        if (page.Value.Next is { } next)
            Surroundings.Error.WriteLine($"There are more: --after {next}");
        return ExitCode.Done;
    }
}
