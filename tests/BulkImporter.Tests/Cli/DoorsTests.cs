using System.CommandLine;
using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using BulkImporter.Cli;
using BulkImporter.Manifests;

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

    [Fact]
    public void Exit_codes_of_the_table_are_those_of_the_code()
    {
        var codes = typeof(ExitCode).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (int)f.GetRawConstantValue()!);
        Assert.Equal(codes.Order(), Code().Matches(Text).Select(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture)).Order());
    }

    /// <summary>The verbs as they are typed: <c>account add</c>.</summary>
    internal static IEnumerable<string> Verbs(Command command, bool withGroups, string prefix = "") => command.Subcommands.SelectMany(verb =>
    {
        var name = prefix + verb.Name;
        var inner = Verbs(verb, withGroups, name + " ");
        return verb.Subcommands.Count > 0 && !withGroups ? inner : inner.Prepend(name);
    });

    private static IEnumerable<(string Call, string Verb)> Rows() => Row().Matches(Text).Select(m => (m.Groups[1].Value, m.Groups[2].Value));

    private static string Read(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", name));

    [GeneratedRegex("^\\| [^|`]+ \\| `([A-Z]+ [^`]+)` \\| `([^`]+)` \\|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("^\\| `([^`]+)` \\|", RegexOptions.Multiline)]
    private static partial Regex Own();

    [GeneratedRegex("^\\| (\\d+) \\|", RegexOptions.Multiline)]
    private static partial Regex Code();
}
