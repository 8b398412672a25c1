using System.CommandLine;
using BulkImporter.Probes;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary><c>probe ID</c>: asks the sources of an import in review whether they are there.</summary>
internal static class ProbeVerb
{
    private const int UsualSample = 200;

    public static Verb Of(Surroundings surroundings)
    {
        var id = ImportId();
        var sample = AtLeast(1, new Option<int?>("--sample")
        { HelpName = "N", Description = $"Check this many files, spread over the manifest [{UsualSample}]" });
        var all = Flag("--all", "Ask every source");
        var status = Flag("--status", "Show the progress of the latest check, and start none");
        return new ClientVerb(surroundings, "probe",
            "Check that the files of an import in review can be reached, and wait for the end. Problems become warnings: see findings. "
                + "Exit code 3 if a file has a problem.",
            ["BulkImporter probe 7                     a sample",
                "BulkImporter probe 7 --all && BulkImporter start 7",
                "BulkImporter probe 7 --status --json"],
            [id, sample, all, status],
            async call =>
            {
                var path = $"imports/{call.Get(id)}/probe";
                var query = Query.Of(("sample", call.Get(all) ? null : call.Get(sample) ?? UsualSample));
                var probe = call.Get(status) ? await call.GetAsync<ProbeView>(path) : await call.PostAsync<ProbeView>(path + query);
                for (var told = -1; !call.Get(status) && probe.Value.State == "running"; probe = await call.GetAsync<ProbeView>(path))
                {
                    if (probe.Value.Probed != told)
                        call.Note($"{Wording.Number(probe.Value.Probed)} of {Wording.Number(probe.Value.Total)} files checked.");
                    told = probe.Value.Probed;
                    await Task.Delay(Watch.Interval, call.Surroundings.Clock, call.CancellationToken);
                }

                call.Tell(probe, end => call.Say(
                    $"The check is {end.State}: {Wording.Number(end.Probed)} of {Wording.Number(end.Total)} files checked, "
                        + $"{Wording.Number(end.Problems)} with a problem."));
                foreach (var dark in probe.Value.DarkHosts ?? [])
                    call.Note($"{Wording.Plain(dark.Host)}: all {Wording.Number(dark.Checked)} files that were checked have a problem.");
                if (probe.Value.Problems > 0) call.Note($"See it with: BulkImporter findings {call.Get(id)}");
                return probe.Value switch
                {
                    { State: "stopped" } => ExitCode.Refused,
                    { Problems: > 0 } => ExitCode.DoneWithProblems,
                    _ => ExitCode.Done,
                };
            },
            refuses: result => [result.Given(sample, all, status) > 1 ? "Give one of --sample, --all and --status." : null]);
    }
}
