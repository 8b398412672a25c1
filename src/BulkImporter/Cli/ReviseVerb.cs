using System.CommandLine;
using System.Globalization;
using BulkImporter.Imports;

namespace BulkImporter.Cli;

/// <summary><c>revise ID</c>: changes an import of which nothing was sent.</summary>
internal sealed class ReviseVerb : ClientVerb
{
    private readonly Argument<int> id = ImportId();
    private readonly Option<string?> name = new("--name") { HelpName = "NAME", Description = "What to call the import" };
    private readonly Option<string?> account = new("--account")
    { HelpName = "NAME", Description = "The Cincopa account that the media go to" };
    private readonly Option<string?> map = new("--map")
    { HelpName = "MAPPING", Description = "Which column is what: url=OriginalURL,caption=Title; empty to go by the header again" };
    private readonly IReadOnlyList<(Setting Setting, Option<string?> Text, Option<int?> Number)> settings =
        [.. Setting.All.Where(s => !s.About.IsForNew).Select(s => (s, TextOf(s), NumberOf(s)))];

    public ReviseVerb(Surroundings surroundings)
        : base(surroundings, "revise",
            "Change an import in review, or one whose manifest was rejected. Its manifest is read again if that is needed. Of one that "
                + "runs or is paused: schedule, priority, when unknown, and when to stop.",
            "BulkImporter revise 7 --map url=OriginalURL,caption=Title",
            "BulkImporter revise 7 --first-rows 100                a trial first",
            "BulkImporter revise 7 --account museum --fid AAAA",
            "BulkImporter revise 7 --window '22:00-06:00 Europe/Berlin'    only at night, also while it runs")
    {
        TakesFromServer([id, name, account, map, .. settings.Select(s => (Symbol)(s.Setting.IsNumber ? s.Number : s.Text)), Json]);
    }

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        var revision = new Dictionary<string, object?>
        {
            [ImportRevision.Name] = line.GetValue(name),
            [ImportRevision.Account] = line.GetValue(account),
            [ImportRevision.Mapping] = line.GetValue(map)
        };
        foreach (var (setting, text, number) in settings)
            revision[setting.Name] = setting.IsNumber ? line.GetValue(number) : line.GetValue(text);
        var given = revision.Where(r => r.Value is not null).ToDictionary();
        var import = await api.SendAsync<ImportView>(HttpMethod.Patch,
            $"imports/{line.GetValue(id).ToString(CultureInfo.InvariantCulture)}", given, cancellationToken);
        Surroundings.Output.WriteLine(line.GetValue(Json) ? import.Json : ImportPicture.Headline(import.Value));
        return ExitCode.Done;
    }

    private static Option<string?> TextOf(Setting setting)
    {
        var option = new Option<string?>(setting.Option)
        { HelpName = setting.About.Stands ?? string.Join('|', setting.Values ?? ["TEXT"]), Description = setting.About.Help };
        if (setting.Values is { } values && setting.Default.Length > 0) option.AcceptOnlyFromAmong([.. values]);
        return option;
    }

    private static Option<int?> NumberOf(Setting setting)
    {
        var option = new Option<int?>(setting.Option) { HelpName = "N", Description = setting.About.Help };
        // 0 is what lifts a number that may be absent.
        return setting.About.Least == int.MinValue ? option : AtLeast(setting.Default.Length == 0 ? 0 : setting.About.Least, option);
    }
}
