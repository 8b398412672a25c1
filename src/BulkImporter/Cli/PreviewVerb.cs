using System.CommandLine;
using System.Globalization;
using BulkImporter.Parse;
using Spectre.Console;

namespace BulkImporter.Cli;

/// <summary><c>preview ID</c>: how the beginning of a manifest is read.</summary>
internal sealed class PreviewVerb : ClientVerb
{
    private readonly Argument<int> id = ImportId();
    private readonly Option<int> rows = AtLeast(1, new Option<int>("--rows")
    { HelpName = "N", Description = "Rows to show, up to 100", DefaultValueFactory = _ => 5 });

    public PreviewVerb(Surroundings surroundings)
        : base(surroundings, "preview",
            "Show how an import's manifest is read: its columns, what each is taken for, and its first rows. Change it with revise.",
            "BulkImporter preview 7", "BulkImporter preview 7 --rows 20 --json | jq .mapping") =>
        TakesFromServer(id, rows, Json);

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        var preview = await api.GetAsync<ManifestPreview>($"imports/{line.GetValue(id)}/preview"
            + Query.Of(("rows", line.GetValue(rows).ToString(CultureInfo.InvariantCulture))), cancellationToken);
        if (line.GetValue(Json))
        {
            Surroundings.Output.WriteLine(preview.Json);
            return ExitCode.Done;
        }

        if (preview.Value.Question is { } question)
            Surroundings.Error.WriteLine(Wording.Plain(question));
        var readAs = preview.Value.Mapping.ToLookup(m => m.Value, m => m.Key);
        var table = ImportPicture.TableOf(Surroundings,
            ["row", .. preview.Value.Columns.Select(column =>
                readAs[column].Any() ? $"{Wording.Plain(column)} = {string.Join(", ", readAs[column])}" : Wording.Plain(column))]);
        foreach (var row in preview.Value.Rows)
        {
            var cells = preview.Value.Columns.Select((_, index) =>
                new Text(index < row.Cells.Count ? Wording.Plain(row.Cells[index]) : ""));
            table.AddRow([new Text(row.RowNumber.ToString(CultureInfo.InvariantCulture) + (row.IsBlocked ? " (invalid)" : "")), .. cells]);
        }

        Surroundings.Screen.Write(table);
        if (preview.Value.Note is { } note)
            Surroundings.Error.WriteLine(note);
        return ExitCode.Done;
    }
}
