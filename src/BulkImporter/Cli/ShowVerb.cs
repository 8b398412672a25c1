using System.CommandLine;
using BulkImporter.Imports;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary><c>show ID</c>: one import, now or until its end.</summary>
internal static class ShowVerb
{
    public static Verb Of(Surroundings surroundings)
    {
        var id = ImportId();
        var watch = new Option<bool>("--watch", "-w")
        { Description = "Follow it to its end. The exit code then says how it ended (0, 3, or 1 when rejected or cancelled)" };
        return new ClientVerb(surroundings, "show", "Show an import: counts by state, failures by code, rate and time left.",
            ["BulkImporter show 7", "BulkImporter show 7 --watch", "BulkImporter show 7 --json | jq .counts"], [id, watch],
            async call =>
            {
                var import = await call.GetAsync<ImportView>($"imports/{call.Get(id)}");
                var show = new Watch(call.Api, surroundings);
                if (call.Get(watch)) return await show.RunAsync(import, call.IsJson, call.CancellationToken);
                call.Tell(import, now =>
                {
                    show.Report(now);
                    if (now.State == ImportState.Running) call.Say(ImportPicture.Pace(now) + ".");
                });
                return ExitCode.Done;
            });
    }
}
