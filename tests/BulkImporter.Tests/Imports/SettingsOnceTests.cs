using System.Text.Json;
using System.Text.RegularExpressions;
using BulkImporter.Imports;

namespace BulkImporter.Tests.Imports;

/// <summary>A setting of an import is said once, and named where a statement obeys it.</summary>
public sealed class SettingsOnceTests
{
    private const int MostFiles = 4;

    /// <summary>
    /// Words that mean other things too: they are a setting where they are an import's, <c>i.priority</c> or <c>settings.Priority</c>.
    /// </summary>
    private static readonly HashSet<string> Ambiguous =
        ["encoding", "sheet", "transfer", "fid", "window", "priority", "alreadyImported", "duplicateRows", "startAt"];

    /// <summary>Settings that more statements obey than four files hold, and why.</summary>
    private static readonly Dictionary<string, (int Files, string Why)> Exceptions = new()
    {
        ["encoding"] = (6, "whoever reads the file obeys it: parse, preview, the grid and export; a revision looks whether rows become others"),
        ["sheet"] = (6, "whoever reads the file obeys it: parse, preview, the grid and export; a revision looks whether rows become others"),
        ["alreadyImported"] = (7, "parse, start, correction and preview obey it, the banner of a file that came before tells it, and its finding "
            + "offers it as a cure"),
        ["matchBy"] = (5, "parse and correction obey it, its findings tell of it, and one offers it as a cure"),
        ["linksAsWritten"] = (6, "whoever reads rows obeys it, parse, preview and correction; its finding tells of it and offers it"),
        ["startAt"] = (6, "each statement that hands out work asks opens_at, in its own transaction"),
        ["window"] = (8, "each statement that hands out work asks opens_at, in its own transaction; a revision checks its zone"),
    };

    public static TheoryData<string> Names() => [.. Setting.All.Select(s => s.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Setting_is_named_in_few_files(string name)
    {
        var files = FilesThatName(name);
        var (most, why) = Exceptions.GetValueOrDefault(name, (MostFiles, "said once"));
        Assert.True(files.Count <= most, $"{name} is named in {files.Count} files ({why}): {string.Join(", ", files)}");
    }

    /// <summary>Each setting has its words, and its default is within its bounds.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Setting_takes_its_own_default_and_has_words(string name)
    {
        var setting = Setting.Named(name)!;
        Assert.Equal(new ImportSettings(), setting.With(new ImportSettings(), setting.Default));
        Assert.NotEmpty(setting.About.Label);
        Assert.NotEmpty(setting.About.Help);
        Assert.True(setting.Choices is null || setting.Choices.Count() == setting.About.Choices!.Length);
        Assert.True(setting.About.Least == int.MinValue || setting.About.Complaint is not null);
    }

    [Theory]
    [InlineData("stopAtFailurePercent", "50", "50 %")]
    [InlineData("stopAtFailurePercent", "100", "never")]
    [InlineData("stopAtDifferencePercent", "", "never")]
    [InlineData("stopAfterRows", "1000", "1,000 records have ended")]
    [InlineData("maxAttempts", "100", "100")]
    public void A_number_is_shown_with_its_unit_and_the_greatest_percentage_is_never(string name, string text, string shown)
    {
        var setting = Setting.Named(name)!;
        Assert.Equal(shown, setting.Words(setting.With(new ImportSettings(), text)));
    }

    /// <summary>The member, its column, its name in requests or its option.</summary>
    internal static List<string> FilesThatName(string name)
    {
        var member = char.ToUpperInvariant(name[0]) + name[1..];
        var column = JsonNamingPolicy.SnakeCaseLower.ConvertName(name);
        string[] words = [member, $"{member}(?:From|Until|Zone)", column, $"{column}_(?:from|until|zone)", name,
            JsonNamingPolicy.KebabCaseLower.ConvertName(name)];
        var whose = Ambiguous.Contains(name) ? @"(?:\b(?:[sS]ettings|[iI]mport(?:Settings)?|i|me|other)\.|Settings with \{[^}]*\b)"
            : @"(?<![\w-])";
        var named = new Regex($@"{whose}(?:{string.Join('|', words)})(?![\w-])", RegexOptions.CultureInvariant);
        var root = Path.Combine(Repository.Root, "src", "BulkImporter");
        return [.. Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories)
            .Where(f => Path.GetExtension(f) is ".cs" or ".razor"
                && !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Where(f => Path.GetFileNameWithoutExtension(f) == nameof(ImportSettings) || named.IsMatch(File.ReadAllText(f)))
            .Select(f => Path.GetRelativePath(root, f).Replace('\\', '/')).Order(StringComparer.Ordinal)];
    }
}
