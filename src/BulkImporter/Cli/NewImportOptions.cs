using System.CommandLine;
using System.Globalization;
using BulkImporter.Imports;

namespace BulkImporter.Cli;

/// <summary>What every verb takes that makes an import, and what it says of the import that it made.</summary>
internal sealed class NewImportOptions
{
    public NewImportOptions()
    {
        Set.Validators.Add(result =>
        {
            foreach (var token in result.Tokens.Where(t => t.Value.IndexOf('=', StringComparison.Ordinal) < 1))
                result.AddError($"Invalid --set '{token.Value}': expected KEY=VALUE.");
        });
        IdempotencyKey.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var key }] && (key.Length == 0 || key.AsSpan().ContainsAnyExceptInRange(' ', '~')))
                result.AddError("--idempotency-key takes letters, digits and signs of ASCII on one line, because it is sent in a header.");
        });
    }

    public Option<string?> Account { get; } =
        new("--account") { HelpName = "NAME", Description = "The Cincopa account that the media go to (the only one)" };

    public Option<string?> Name { get; } = new("--name") { HelpName = "NAME", Description = "What to call the import (the file's name)" };

    public Option<string[]> Set { get; } =
        new("--set")
        {
            HelpName = "KEY=VALUE",
            Description =
            $"A setting of the import, repeatable: {string.Join(", ", Setting.All.Select(InHelp))}",
            DefaultValueFactory = _ => []
        };

    public Option<bool> Start { get; } = new("--start") { Description = "Start without a review" };

    public Option<bool> Watch { get; } =
        new("--watch", "-w") { Description = "Follow it to its end; Ctrl-C stops watching, not the import" };

    public Option<string?> IdempotencyKey { get; } = new("--idempotency-key")
    {
        HelpName = "KEY",
        Description = "Submitting again with the same key returns the first import instead of making another"
    };

    private static string InHelp(Setting setting) => setting switch
    {
        { Values: { } values } => $"{setting.Name} ({string.Join(" or ", values)})",
        { IsTime: true } => $"{setting.Name} (ISO 8601)",
        _ => setting.Name,
    };

    /// <summary>The settings as query arguments, with what else the verb says of its import.</summary>
    public string Query(ParseResult line, IEnumerable<(string Name, string? Value)>? ofTheFile = null,
        IEnumerable<(string Name, string? Value)>? ofItsColumns = null) => Cli.Query.Of(
        [
            ("name", line.GetValue(Name)),
            .. ofTheFile ?? [],
            ("account", line.GetValue(Account)),
            ("start", line.GetValue(Start) ? "true" : null),
            .. ofItsColumns ?? [],
            .. line.GetRequiredValue(Set).Select(s => ("set", (string?)s)),
        ]);

    public async Task<int> ShowAsync(ParseResult line,
        ApiReply<ImportView> import, ImporterApi api, bool asJson, Surroundings surroundings, CancellationToken cancellationToken)
    {
        if (line.GetValue(Watch))
            return await new Watch(api, surroundings).RunAsync(import, asJson, cancellationToken);
        if (asJson)
        {
            surroundings.Output.WriteLine(import.Json);
            return ExitCode.Done;
        }

        if (surroundings.IsQuiet)
        {
            surroundings.Output.WriteLine(import.Value.Id.ToString(CultureInfo.InvariantCulture));
            return ExitCode.Done;
        }

        surroundings.Output.WriteLine(ImportPicture.Headline(import.Value));
        if (import.Value.SameManifestAs is { } same)
            surroundings.Output.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"The same file was uploaded before: it is import {same}."));
        surroundings.Output.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"Follow it with: BulkImporter show {import.Value.Id} --watch"));
        return ExitCode.Done;
    }
}
