using System.CommandLine;
using System.Globalization;
using BulkImporter.Probes;

namespace BulkImporter.Cli;

/// <summary><c>probe ID</c>: asks the sources of an import in review whether they are there.</summary>
internal sealed class ProbeVerb : ClientVerb
{
    private const int UsualSample = 200;

    private readonly Argument<int> id = ImportId();
    private readonly Option<int?> sample =
        AtLeast(1, new Option<int?>("--sample")
        {
            HelpName = "N",
            Description = $"Check this many files, spread over the manifest [{UsualSample}]"
        });
    private readonly Option<bool> all = new("--all") { Description = "Ask every source" };
    private readonly Option<bool> status = new("--status") { Description = "Show the progress of the latest check, and start none" };

    public ProbeVerb(Surroundings surroundings)
        : base(surroundings, "probe",
            "Check that the files of an import in review can be reached, and wait for the end. Problems become warnings: see "
                + "findings. Exit code 3 if a file has a problem.",
            "BulkImporter probe 7                     a sample",
            "BulkImporter probe 7 --all && BulkImporter start 7",
            "BulkImporter probe 7 --status --json")
    {
        TakesFromServer(id, sample, all, status, Json);
        Validators.Add(result =>
        {
            if (new Option[] { sample, all, status }.Count(o => result.GetResult(o) is { Implicit: false }) > 1)
                result.AddError("Give one of --sample, --all and --status.");
        });
    }

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"imports/{line.GetValue(id)}/probe");
        ApiReply<ProbeView> probe;
        if (line.GetValue(status))
        {
            probe = await api.GetAsync<ProbeView>(path, cancellationToken);
        }
        else
        {
            var size = line.GetValue(all) ? null : (line.GetValue(sample) ?? UsualSample).ToString(CultureInfo.InvariantCulture);
            probe = await api.SendAsync<ProbeView>(HttpMethod.Post, path + Query.Of(("sample", size)), null, cancellationToken);
            for (var told = -1; probe.Value.State == "running"; probe = await api.GetAsync<ProbeView>(path, cancellationToken))
            {
                if (probe.Value.Probed != told)
                    Surroundings.Error.WriteLine(
                        $"{Wording.Number(probe.Value.Probed)} of {Wording.Number(probe.Value.Total)} files checked.");
                told = probe.Value.Probed;
                await Task.Delay(Watch.Interval, Surroundings.Clock, cancellationToken);
            }
        }

        if (line.GetValue(Json))
            Surroundings.Output.WriteLine(probe.Json);
        else
            Surroundings.Output.WriteLine(
                $"The check is {probe.Value.State}: {Wording.Number(probe.Value.Probed)} of {Wording.Number(probe.Value.Total)} files "
                    + $"checked, {Wording.Number(probe.Value.Problems)} with a problem.");
        foreach (var dark in probe.Value.DarkHosts ?? [])
            Surroundings.Error.WriteLine(
                $"{Wording.Plain(dark.Host)}: all {Wording.Number(dark.Checked)} files that were checked have a problem.");
        if (probe.Value.Problems > 0)
            Surroundings.Error.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"See it with: BulkImporter findings {line.GetValue(id)}"));
        return probe.Value switch
        {
            { State: "stopped" } => ExitCode.Refused,
            { Problems: > 0 } => ExitCode.DoneWithProblems,
            _ => ExitCode.Done,
        };
    }
}
