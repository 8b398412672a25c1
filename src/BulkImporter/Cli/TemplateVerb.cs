using System.Buffers;
using System.CommandLine;
using BulkImporter.Api;
using BulkImporter.Manifests;
using BulkImporter.Parse;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary><c>template</c>: a manifest to fill in, and the column mappings that an account keeps.</summary>
internal static class TemplateVerb
{
    public static Verb Of(Surroundings surroundings) =>
        new Verb("template",
            "A manifest to fill in, and column mappings that are saved for an account and applied to manifests with the same header.",
            "BulkImporter template example -o manifest.xlsx", "BulkImporter template save 7 \"Old platform\"",
            "BulkImporter template list")
            .Takes(Example(surroundings), Save(surroundings), List(surroundings), Delete(surroundings));

    private static Option<string> AccountOption() => new("--account")
    { HelpName = "NAME", Description = "The Cincopa account", DefaultValueFactory = _ => "default" };

    private static string PathOf(string account) => $"accounts/{Uri.EscapeDataString(account)}/templates";

    /// <summary>Needs no server: it is the same on every machine.</summary>
    private static Verb Example(Surroundings surroundings)
    {
        string[] formats = [.. ManifestTemplate.Formats.Select(Wording.Of)];
        var output = OutputFile.Option();
        var format = Text("--format", string.Join('|', formats), "The kind of file [as --output is called, else csv]");
        format.AcceptOnlyFromAmong(formats);
        var verb = new Verb("example", "Write a manifest to fill in: one example row, and a line of help for each column.",
            "BulkImporter template example -o manifest.xlsx", "BulkImporter template example > manifest.csv").Takes(output, format);
        verb.SetAction(async (line, cancellationToken) =>
        {
            var file = OutputFile.At(line.GetValue(output) ?? "-");
            var isWorkbook = line.GetValue(format) is { } named ? named == Wording.Of(FileFormat.Xlsx)
                : file.Name.EndsWith(".xlsx", StringComparison.OrdinalIgnoreCase);
            var template = new ArrayBufferWriter<byte>();
            ManifestTemplate.Write(isWorkbook ? FileFormat.Xlsx : FileFormat.Csv, template);
            await file.WriteAsync(async bytes => await bytes.WriteAsync(template.WrittenMemory, cancellationToken), surroundings,
                cancellationToken);
            if (line.GetValue(output) is not null) surroundings.Error.WriteLine($"Wrote {file.Name}.");
            return ExitCode.Done;
        });
        return verb;
    }

    private static ClientVerb Save(Surroundings surroundings)
    {
        var id = ImportId();
        var name = new Argument<string>("NAME") { Description = "Its name. A template with the same name is replaced" };
        return new(surroundings, "save", "Save the column mapping of an import as a template.",
            ["BulkImporter template save 7 \"Old platform\""], [id, name],
            call => call.TellAsync(
                call.PostAsync<TemplateView>($"imports/{call.Get(id)}/template", new NewTemplateBody(call.Get(name))),
                saved => $"{Wording.Plain(saved.Name)}: {Wording.Plain(saved.Mapping)}"));
    }

    private static ClientVerb List(Surroundings surroundings)
    {
        var account = AccountOption();
        return new(surroundings, "list", "List an account's templates.", ["BulkImporter template list --account museum"], [account],
            call => call.ShowAsync(call.GetAsync<Page<TemplateView>>(PathOf(call.Get(account))), page =>
            {
                foreach (var template in page.Items)
                    call.Say($"{Wording.Plain(template.Name)}: {Wording.Plain(template.Mapping)}  "
                        + $"({Wording.Plain(string.Join(", ", template.Columns))})");
            }));
    }

    private static ClientVerb Delete(Surroundings surroundings)
    {
        var name = new Argument<string>("NAME") { Description = "The template" };
        var account = AccountOption();
        return new(surroundings, "delete", "Delete a template. Imports that used it keep their mapping.",
            ["BulkImporter template delete \"Old platform\" --account museum"], [name, account],
            call => call.OrderAsync(HttpMethod.Delete, $"{PathOf(call.Get(account))}/{Uri.EscapeDataString(call.Get(name))}",
                "It is forgotten."), answers: false);
    }
}
