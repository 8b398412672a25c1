using System.CommandLine;
using BulkImporter.Api;
using BulkImporter.Data;
using BulkImporter.Parse;

namespace BulkImporter.Cli;

/// <summary><c>template</c>: the column mappings that an account keeps.</summary>
internal sealed class TemplateVerb : Verb
{
    public TemplateVerb(Surroundings surroundings)
        : base("template", "Column mappings that are saved for an account and applied to manifests with the same header.",
            "BulkImporter template save 7 \"Old platform\"", "BulkImporter template list") =>
        Takes(new SaveVerb(surroundings), new ListTemplatesVerb(surroundings), new DeleteVerb(surroundings));

    private static Option<string> AccountOption() => new("--account")
    { HelpName = "NAME", Description = "The Cincopa account", DefaultValueFactory = _ => "default" };

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
