using System.CommandLine;
using System.CommandLine.Parsing;
using BulkImporter.Access;
using BulkImporter.Manifests;

namespace BulkImporter.Cli;

/// <summary>What several verbs take under the same name, and the shapes of what the others take.</summary>
internal static class Options
{
    public static Argument<int> ImportId() => new("ID") { Description = "The import's number, as `BulkImporter list` shows it" };

    public static Option<string?> Text(string name, string stands, string description) =>
        new(name) { HelpName = stands, Description = description };

    public static Option<bool> Flag(string name, string description) => new(name) { Description = description };

    /// <summary>A member of an enum, by the text that it has everywhere.</summary>
    /// <param name="stands">What the help shows for it; null for all the texts.</param>
    public static Option<string?> Choice<T>(string name, string description, string? stands = null) where T : struct, Enum
    {
        var option = Text(name, stands ?? string.Join('|', EnumText<T>.All), description);
        option.AcceptOnlyFromAmong([.. EnumText<T>.All]);
        return option;
    }

    public static Option<string?> RoleOf(string who)
    {
        var option = Choice<Role>("--role",
            $"What {who} may do: viewer can read, operator can also act, admin can also manage accounts, people and keys", "ROLE");
        option.Required = true;
        return option;
    }

    public static Option<int[]> Rows(string description) =>
        new("--record") { HelpName = "N", Description = description, DefaultValueFactory = _ => [] };

    public static Option<string?> Map() =>
        Text("--map", "MAPPING", "Which column is what, if the header is not recognised: url=OriginalURL,caption=Title");

    public static Option<string?> Encoding()
    {
        var option = Text("--encoding", "ENCODING", "windows-1252 for a file in that encoding; UTF-8 and UTF-16 are recognised");
        option.AcceptOnlyFromAmong(ManifestReading.Windows1252);
        return option;
    }

    public static Option<string?> Sheet() => Text("--sheet", "NAME", "The sheet to read, if several sheets of a workbook have rows");

    public static Option<int> Limit() =>
        AtLeast(1, new Option<int>("--limit") { HelpName = "N", Description = "At most this many", DefaultValueFactory = _ => 50 });

    public static Option<string?> After() => Text("--after", "CURSOR", "Continue where an earlier page ended");

    public static Option<T> AtLeast<T>(double least, Option<T> option)
    {
        option.Validators.Add(result =>
        {
            // A text that is no number is the parser's complaint, not this one's.
            foreach (var token in result.Tokens)
            {
                if (PlainNumber.TryDecimal(token.Value, out var value) && value < least)
                    result.AddError($"{option.Name} must be {least} or more.");
            }
        });
        return option;
    }

    /// <summary>How many of them the person has given.</summary>
    public static int Given(this SymbolResult result, params IEnumerable<Option> options) =>
        options.Count(o => result.GetResult(o) is { Implicit: false });
}

/// <summary>Builds the query of a call; leaves out what is not set.</summary>
internal static class Query
{
    public static string Of(params ReadOnlySpan<(string Name, object? Value)> parts)
    {
        var query = "";
        foreach (var (name, value) in parts)
        {
            if (value is not null)
                query += $"{(query.Length == 0 ? '?' : '&')}{name}={Uri.EscapeDataString($"{value}")}";
        }

        return query;
    }
}
