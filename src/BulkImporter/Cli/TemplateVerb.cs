using System.Buffers;
using System.CommandLine;
using BulkImporter.Api;
using BulkImporter.Data;
using BulkImporter.Manifests;
using BulkImporter.Parse;

namespace BulkImporter.Cli;

/// <summary><c>template</c>: a manifest to fill in, and the column mappings that an account keeps.</summary>
internal sealed class TemplateVerb : Verb
{
    public TemplateVerb(Surroundings surroundings)
        : base("template",
            "A manifest to fill in; and column mappings that are saved for an account and applied to manifests with the same header.",
            "BulkImporter template example -o manifest.xlsx", "BulkImporter template save 7 \"Old platform\"",
            "BulkImporter template list") =>
        Takes(new ExampleVerb(surroundings), new SaveVerb(surroundings), new ListTemplatesVerb(surroundings), new DeleteVerb(surroundings));

    private static Option<string> AccountOption() => new("--account")
    { HelpName = "NAME", Description = "The Cincopa account", DefaultValueFactory = _ => "default" };

    /// <summary>Needs no server: it is the same on every machine.</summary>
    private sealed class ExampleVerb : Verb
    {
        private readonly Surroundings surroundings;
        private readonly Option<string?> output =
            OutputFile.Option("Where to write; the file appears whole or not at all [standard output]");
        private readonly Option<string?> format = new("--format")
        {
            HelpName = string.Join('|', Formats),
            Description = "The kind of file [as --output is called, else csv]",
        };

        public ExampleVerb(Surroundings surroundings)
            : base("example", "Write a manifest to fill in: one example row, and a line of help for each column.",
                "BulkImporter template example -o manifest.xlsx", "BulkImporter template example > manifest.csv")
        {
            this.surroundings = surroundings;
            format.AcceptOnlyFromAmong([.. Formats]);
            Takes(output, format);
            SetAction(RunAsync);
        }

        private static IEnumerable<string> Formats => ManifestTemplate.Formats.Select(f => EnumText<FileFormat>.Of(f));

        private async Task<int> RunAsync(ParseResult line, CancellationToken cancellationToken)
        {
            var file = OutputFile.At(line.GetValue(output) ?? "-");
            var isWorkbook = line.GetValue(format) is { } named ? named == EnumText<FileFormat>.Of(FileFormat.Xlsx)
                : file.Name.EndsWith(".xlsx", StringComparison.OrdinalIgnoreCase);
            var template = new ArrayBufferWriter<byte>();
            ManifestTemplate.Write(isWorkbook ? FileFormat.Xlsx : FileFormat.Csv, template);
            await file.WriteAsync(async bytes => await bytes.WriteAsync(template.WrittenMemory, cancellationToken), surroundings,
                cancellationToken);
            if (line.GetValue(output) is not null) surroundings.Error.WriteLine($"Wrote {file.Name}.");
            return ExitCode.Done;
        }
    }

    private sealed class SaveVerb : ClientVerb
    {
        private readonly Argument<int> id = ImportId();
        private readonly Argument<string> name = new("NAME") { Description = "Its name. A template of the same name is replaced" };

        public SaveVerb(Surroundings surroundings)
            : base(surroundings, "save", "Save the column mapping of an import as a template.",
                "BulkImporter template save 7 \"Old platform\"") =>
                TakesFromServer(id, name, Json);

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            var saved = await api.SendAsync<TemplateView>(HttpMethod.Post, $"imports/{line.GetValue(id)}/template",
                new NewTemplateBody(line.GetRequiredValue(name)), cancellationToken);
            Surroundings.Output.WriteLine(line.GetValue(Json)
                ? saved.Json : $"{Wording.Plain(saved.Value.Name)}: {Wording.Plain(saved.Value.Mapping)}");
            return ExitCode.Done;
        }
    }

    private sealed class ListTemplatesVerb : ClientVerb
    {
        private readonly Option<string> account = AccountOption();

        public ListTemplatesVerb(Surroundings surroundings)
            : base(surroundings, "list", "List an account's templates.", "BulkImporter template list --account museum") =>
                TakesFromServer(account, Json);

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            var page = await api.GetAsync<Page<TemplateView>>($"accounts/{Uri.EscapeDataString(line.GetRequiredValue(account))}/templates",
                cancellationToken);
            if (line.GetValue(Json))
            {
                Surroundings.Output.WriteLine(page.Json);
                return ExitCode.Done;
            }

            foreach (var template in page.Value.Items)
                Surroundings.Output.WriteLine(
                    $"{Wording.Plain(template.Name)}: {Wording.Plain(template.Mapping)}  "
                        + $"({Wording.Plain(string.Join(", ", template.Columns))})");
            return ExitCode.Done;
        }
    }

    private sealed class DeleteVerb : ClientVerb
    {
        private readonly Argument<string> name = new("NAME") { Description = "The template" };
        private readonly Option<string> account = AccountOption();

        public DeleteVerb(Surroundings surroundings)
            : base(surroundings, "delete", "Delete a template. Imports that used it keep their mapping.",
                "BulkImporter template delete \"Old platform\" --account museum") =>
            TakesFromServer(name, account);

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            await api.DeleteAsync(
                $"accounts/{Uri.EscapeDataString(line.GetRequiredValue(account))}"
                    + $"/templates/{Uri.EscapeDataString(line.GetRequiredValue(name))}",
                cancellationToken);
            Surroundings.Output.WriteLine("It is forgotten.");
            return ExitCode.Done;
        }
    }
}
