using System.CommandLine;
using BulkImporter.Imports;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary>What every verb takes that makes an import, and what it says of the import that it made.</summary>
internal sealed class NewImportOptions
{
    private readonly Option<bool> watch =
        new("--watch", "-w") { Description = "Follow it to its end; Ctrl-C stops watching, not the import" };
    private readonly Option<string?> idempotencyKey = Text("--idempotency-key", "KEY",
        "Submitting again with the same key returns the first import instead of making another");
    private readonly Option<string?> account = Text("--account", "NAME", "The Cincopa account that the media go to (the only one)");
    private readonly Option<string?> name = Text("--name", "NAME", "What to call the import (the file's name)");
    private readonly Option<bool> start = Flag("--start", "Start without a review");
    private readonly Option<string[]> set = new("--set")
    {
        HelpName = "KEY=VALUE",
        Description = $"A setting of the import, repeatable: {string.Join(", ", Setting.All.Select(InHelp))}",
        DefaultValueFactory = _ => []
    };

    public NewImportOptions()
    {
        set.Validators.Add(result =>
        {
            foreach (var token in result.Tokens.Where(t => t.Value.IndexOf('=', StringComparison.Ordinal) < 1))
                result.AddError($"Invalid --set '{token.Value}': expected KEY=VALUE.");
        });
        idempotencyKey.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var key }] && (key.Length == 0 || key.AsSpan().ContainsAnyExceptInRange(' ', '~')))
                result.AddError("--idempotency-key takes ASCII letters, digits and symbols on one line, because it is sent in a header.");
        });
    }

    /// <summary>All of them, with what else the verb takes of a file between the name and the settings.</summary>
    public Symbol[] With(params Symbol[] ofTheFile) => [account, name, .. ofTheFile, set, start, watch, idempotencyKey];

    private static string InHelp(Setting setting) => setting switch
    {
        { Values: { } values } => $"{setting.Name} ({string.Join(" or ", values)})",
        { IsTime: true } => $"{setting.Name} (ISO 8601)",
        _ => setting.Name,
    };

    public string? IdempotencyKey(Call call) => call.Get(idempotencyKey);

    /// <summary>The settings as query arguments, with what else the verb says of its import.</summary>
    public string Query(Call call, string? fileName = null, params (string Name, object? Value)[] ofItsColumns) => Cli.Query.Of(
        [
            ("name", call.Get(name)), ("fileName", fileName), ("account", call.Get(account)),
            ("start", call.Get(start) ? "true" : null), .. ofItsColumns, .. call.Get(set).Select(s => ("set", (object?)s)),
        ]);

    public async Task<int> ShowAsync(Call call, ApiReply<ImportView> import)
    {
        if (call.Get(watch)) return await new Watch(call.Api, call.Surroundings).RunAsync(import, call.IsJson, call.CancellationToken);
        call.Tell(import, made =>
        {
            if (call.Surroundings.IsQuiet)
            {
                call.Say($"{made.Id}");
                return;
            }

            call.Say(ImportPicture.Headline(made));
            if (made.SameManifestAs is { } same) call.Say($"The same file was uploaded before: it is import {same}.");
            call.Say($"Follow it with: BulkImporter show {made.Id} --watch");
        });
        return ExitCode.Done;
    }
}
