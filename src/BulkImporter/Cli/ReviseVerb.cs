using System.CommandLine;
using BulkImporter.Imports;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary><c>revise ID</c>: changes an import of which nothing was sent.</summary>
internal static class ReviseVerb
{
    public static Verb Of(Surroundings surroundings)
    {
        var id = ImportId();
        var name = Text("--name", "NAME", "What to call the import");
        var account = Text("--account", "NAME", "The Cincopa account that the media go to");
        var map = Text("--map", "MAPPING", "Which column is what: url=OriginalURL,caption=Title; empty to go by the header again");
        (Setting Setting, Option<string?> Text, Option<int?> Number)[] settings =
            [.. Setting.All.Where(s => !s.About.IsForNew).Select(s => (s, TextOf(s), NumberOf(s)))];
        return new ClientVerb(surroundings, "revise",
            "Change an import in review, or one whose manifest was rejected. Its manifest is read again if that is needed. Of one that "
                + "runs or is paused: schedule, priority, when unknown, and when to stop.",
            ["BulkImporter revise 7 --map url=OriginalURL,caption=Title",
                "BulkImporter revise 7 --first-rows 100                a trial first",
                "BulkImporter revise 7 --account museum --fid AAAA",
                "BulkImporter revise 7 --window '22:00-06:00 Europe/Berlin'    only at night, also while it runs"],
            [id, name, account, map, .. settings.Select(s => (Symbol)(s.Setting.IsNumber ? s.Number : s.Text))],
            call =>
            {
                var revision = new Dictionary<string, object?>
                {
                    [ImportRevision.Name] = call.Get(name),
                    [ImportRevision.Account] = call.Get(account),
                    [ImportRevision.Mapping] = call.Get(map)
                };
                foreach (var (setting, text, number) in settings)
                    revision[setting.Name] = setting.IsNumber ? call.Get(number) : call.Get(text);
                return call.TellAsync(call.SendAsync<ImportView>(HttpMethod.Patch, $"imports/{call.Get(id)}",
                    revision.Where(r => r.Value is not null).ToDictionary()), ImportPicture.Headline);
            });
    }

    private static Option<string?> TextOf(Setting setting)
    {
        var option = Text(setting.Option, setting.About.Stands ?? string.Join('|', setting.Values ?? ["TEXT"]), setting.About.Help);
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
