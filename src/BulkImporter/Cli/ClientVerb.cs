using System.CommandLine;
using System.CommandLine.Parsing;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary>A verb that talks to a server. What it takes is followed by <c>--json</c> and by how to reach the server.</summary>
internal sealed class ClientVerb : Verb
{
    public const string DefaultServer = "http://127.0.0.1:5080";

    /// <param name="answers">False for a verb that prints no answer, and so takes no <c>--json</c>.</param>
    /// <param name="refuses">What is wrong with what was typed together, and null for what is not.</param>
    public ClientVerb(Surroundings surroundings, string name, string description, string[] examples, Symbol[] takes,
        Func<Call, Task<int>> run, bool answers = true, Func<CommandResult, string?[]>? refuses = null)
        : base(name, description, examples)
    {
        if (refuses is not null)
            Validators.Add(result =>
            {
                foreach (var complaint in refuses(result).OfType<string>()) result.AddError(complaint);
            });
        var json = Flag("--json", "Print the API's response as it is");
        var server = Text("--server", "URL", $"Where the server is [BULKIMPORTER_SERVER, else {DefaultServer}]");
        var apiKey = Text("--api-key", "KEY",
            "The API key [BULKIMPORTER_API_KEY, which other users of this machine cannot see]");
        Takes([.. takes, .. answers ? [json] : Array.Empty<Symbol>(), server, apiKey]);
        SetAction(async (line, cancellationToken) =>
        {
            using var api = new ImporterApi(surroundings.HttpHandler(), Address(surroundings, line.GetValue(server)),
                Key(surroundings, line.GetValue(apiKey)));
            return await run(new Call(line, api, surroundings, answers && line.GetValue(json), cancellationToken));
        });
    }

    private static Uri Address(Surroundings surroundings, string? given)
    {
        var text = PlainText.Trimmed(given ?? surroundings.Environment("BULKIMPORTER_SERVER") ?? DefaultServer);
        var origin = given is null ? "BULKIMPORTER_SERVER" : "--server";
        // The text is not repeated: somebody may have put a password or a key into it.
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            throw new VerbFailure(ExitCode.Usage, $"{origin} is not an http or https address.", $"For example: {origin} {DefaultServer}");
        if (uri.UserInfo.Length > 0 || uri.Query.Length > 0 || uri.Fragment.Length > 0)
            throw new VerbFailure(ExitCode.Usage, $"{origin} must be a plain address; credentials and keys do not belong in a URL.",
                "Give the key with BULKIMPORTER_API_KEY.");
        return uri;
    }

    private static string Key(Surroundings surroundings, string? given)
    {
        var key = PlainText.Trimmed(given ?? surroundings.Environment("BULKIMPORTER_API_KEY") ?? "");
        try
        {
            PlainText.RequireSendable(given is null ? "BULKIMPORTER_API_KEY" : "--api-key", key);
            return key;
        }
        catch (InvalidArgumentException refused)
        {
            throw new VerbFailure(ExitCode.Usage, refused.Message, "Copy the key again, as it was shown when it was made.");
        }
    }
}
