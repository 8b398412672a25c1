using System.CommandLine;
using BulkImporter.Parse;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary><c>preview ID</c>: how the beginning of a manifest is read.</summary>
internal static class PreviewVerb
{
    public static Verb Of(Surroundings surroundings)
    {
        var id = ImportId();
        var rows = AtLeast(1, new Option<int>("--rows")
        { HelpName = "N", Description = "Rows to show, up to 100", DefaultValueFactory = _ => 5 });
        return new ClientVerb(surroundings, "preview",
            "Show how an import's manifest is read: its columns, what each is used as, and its first rows. Change it with revise.",
            ["BulkImporter preview 7", "BulkImporter preview 7 --rows 20 --json | jq .mapping"], [id, rows],
            call => call.ShowAsync(
                call.GetAsync<ManifestPreview>($"imports/{call.Get(id)}/preview" + Query.Of(("rows", call.Get(rows)))), preview =>
            {
                if (preview.Question is { } question) call.Note(Wording.Plain(question));
                var readAs = preview.Mapping.ToLookup(m => m.Value, m => m.Key);
                call.Table(
                    ["row", .. preview.Columns.Select(column => readAs[column].Any()
                        ? $"{Wording.Plain(column)} = {string.Join(", ", readAs[column])}" : Wording.Plain(column))],
                    preview.Rows.Select(row => (string?[])[$"{row.RowNumber}{(row.IsBlocked ? " (invalid)" : "")}",
                        .. preview.Columns.Select((_, index) => row.Cells.ElementAtOrDefault(index))]));
                if (preview.Note is { } note) call.Note(note);
            }));
    }
}
