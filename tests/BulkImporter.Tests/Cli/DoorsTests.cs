using System.CommandLine;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using BulkImporter.Cli;
using BulkImporter.Imports;

namespace BulkImporter.Tests.Cli;

/// <summary>docs/doors.md against the document of the API and the verbs: what one door can do, the others can.</summary>
public sealed partial class DoorsTests
{
    private static readonly string Text = Read("doors.md");

    [Fact]
    public void Every_call_of_the_api_stands_in_the_table_and_every_row_has_a_call()
    {
        var document = JsonNode.Parse(Read("openapi.json"))!["paths"]!.AsObject()
            .SelectMany(path => path.Value!.AsObject().Select(operation => $"{operation.Key.ToUpperInvariant()} {path.Key.TrimEnd('/')}"));
        // A row for each thing that a person does; one call may serve several.
        Assert.Equal(document.Order(), Rows().Select(row => row.Call).Distinct().Order());
    }

    [Fact]
    public void Every_verb_stands_in_a_table_and_every_row_has_a_verb()
    {
        using var run = new CliRun();
        var verbs = Verbs(CommandLine.Root(CliRun.NoServer, run.Surroundings), withGroups: false).ToList();

        var rows = Rows().Select(row => row.Verb).Concat(Own().Matches(Text).Select(m => m.Groups[1].Value)).ToList();

        Assert.Empty(rows.Except(verbs));
        Assert.Empty(verbs.Except(rows));
    }

    /// <summary>Arguments of a call that a verb has otherwise, and why; or that make no sense on the command line.</summary>
    private static readonly Dictionary<string, string> Otherwise = new()
    {
        ["GET /api/v1/imports/{id}/findings format"] = "--output writes CSV",
        ["POST /api/v1/imports/files files"] = "the arguments of push",
        ["POST /api/v1/keys expiresAt"] = "--days: nobody types a time so far away",
        ["PATCH /api/v1/users/{name} locked"] = "two verbs, lock and unlock",
        ["PATCH /api/v1/accounts/{name} token"] = "--token-stdin: other users of a machine see arguments",
        ["POST /api/v1/accounts token"] = "--token-stdin",
        ["PUT /api/v1/accounts/{name}/source-headers value"] = "--value-stdin",
        ["POST /api/v1/imports/{id}/finish state"] = "only imported records are finished",
        ["POST /api/v1/imports/{id}/finish code"] = "an imported record has no failure code",
        ["POST /api/v1/imports/{id}/finish stalledMinutes"] = "an imported record is not followed",
        ["POST /api/v1/imports/{id}/finish finish"] = "only those are taken for which it failed",
        ["POST /api/v1/imports/{id}/give-up state"] = "only records in doubt are given up",
        ["POST /api/v1/imports/{id}/give-up stalledMinutes"] = "a record in doubt is not followed",
        ["POST /api/v1/imports/{id}/give-up finish"] = "a record in doubt is not finished",
        ["POST /api/v1/imports/{id}/finish arrival"] = "verify-arrival looks at those again",
        ["POST /api/v1/imports/{id}/give-up arrival"] = "of a record in doubt nothing is known to have arrived",
        ["POST /api/v1/imports/{id}/finish undo"] = "what an undo deletes needs no texts",
        ["POST /api/v1/imports/{id}/give-up undo"] = "a record in doubt is not undone",
    };

    [Fact]
    public void Every_argument_of_a_call_is_one_of_its_verbs()
    {
        using var run = new CliRun();
        var root = CommandLine.Root(CliRun.NoServer, run.Surroundings);
        var document = JsonNode.Parse(Read("openapi.json"))!;
        var verbs = Rows().ToLookup(row => row.Call, row => Find(root, row.Verb));
        var missing = new List<string>();
        foreach (var (path, operations) in document["paths"]!.AsObject())
        {
            foreach (var (method, operation) in operations!.AsObject())
            {
                var call = $"{method.ToUpperInvariant()} {path.TrimEnd('/')}";
                var taken = verbs[call].SelectMany(v => v.Options.Select(o => o.Name).Concat(v.Arguments.Select(a => "--" + a.Name)))
                    .ToHashSet(StringComparer.OrdinalIgnoreCase);
                // A new import is given its settings by --set NAME=VALUE.
                missing.AddRange(Arguments(document, operation!)
                    .Where(name => !taken.Contains(OptionOf(name)) && !(Setting.Named(name) is not null && taken.Contains("--set")))
                    .Select(name => $"{call} {name}"));
            }
        }
        Assert.Empty(missing.Except(Otherwise.Keys));
        Assert.Empty(Otherwise.Keys.Except(missing));
    }

    [Fact]
    public void Every_setting_of_an_import_is_an_option_of_revise_and_known_to_submit()
    {
        using var run = new CliRun();
        var root = CommandLine.Root(CliRun.NoServer, run.Surroundings);
        var (revise, submit) = (Find(root, "revise"), Find(root, "submit"));
        Assert.All(Setting.All.Where(s => !s.About.IsForNew), s => Assert.Contains(revise.Options, o => o.Name == s.Option));
        Assert.All(Setting.All, s =>
            Assert.Contains(s.Name, submit.Options.Single(o => o.Name == "--set").Description, StringComparison.Ordinal));
        Assert.All(Setting.All, s => Assert.Contains(s.Name, Read("openapi.json"), StringComparison.Ordinal));
    }

    /// <summary>The query arguments of a call, the header that makes it safe to repeat, and the members of its body.</summary>
    private static IEnumerable<string> Arguments(JsonNode document, JsonNode operation)
    {
        foreach (var parameter in operation["parameters"]?.AsArray() ?? [])
        {
            if ((string?)parameter!["in"] != "path") yield return (string)parameter["name"]!;
        }
        if (operation["requestBody"]?["content"]?["application/json"]?["schema"] is not { } schema) yield break;
        if ((string?)schema["$ref"] is { } reference)
            schema = document["components"]!["schemas"]![reference[(reference.LastIndexOf('/') + 1)..]]!;
        foreach (var (name, _) in schema["properties"]!.AsObject()) yield return name;
    }

    /// <summary>A record's id is its row: <c>--record</c>.</summary>
    private static string OptionOf(string argument) =>
        argument == "recordIds" ? "--record" : argument == "Idempotency-Key" ? "--idempotency-key" : "--" + JsonNamingPolicy.KebabCaseLower.ConvertName(argument);

    private static Command Find(Command root, string verb) =>
        verb.Split(' ').Aggregate(root, (command, name) => command.Subcommands.Single(c => c.Name == name));

    [Fact]
    public void Exit_codes_of_the_table_are_those_of_the_code()
    {
        var codes = typeof(ExitCode).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (int)f.GetRawConstantValue()!);
        Assert.Equal(codes.Order(), Code().Matches(Text).Select(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture)).Order());
    }

    /// <summary>The verbs as they are typed: <c>account add</c>.</summary>
    internal static IEnumerable<string> Verbs(Command command, bool withGroups, string prefix = "") =>
        command.Subcommands.SelectMany(verb =>
    {
        var name = prefix + verb.Name;
        var inner = Verbs(verb, withGroups, name + " ");
        return verb.Subcommands.Count > 0 && !withGroups ? inner : inner.Prepend(name);
    });

    private static IEnumerable<(string Call, string Verb)> Rows() =>
        Row().Matches(Text).Select(m => (m.Groups[1].Value, m.Groups[2].Value));

    private static string Read(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", name));

    [GeneratedRegex("^\\| [^|`]+ \\| `([A-Z]+ [^`]+)` \\| `([^`]+)` \\|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("^\\| `([^`]+)` \\|", RegexOptions.Multiline)]
    private static partial Regex Own();

    [GeneratedRegex("^\\| (\\d+) \\|", RegexOptions.Multiline)]
    private static partial Regex Code();
}
