using System.CommandLine;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary><c>demo</c>: everything on this machine against the simulator, with a sample manifest.</summary>
internal static class DemoVerb
{
    public static Verb Of(Surroundings surroundings)
    {
        var once = Flag("--once",
            "Exit after the import instead of staying up; the exit code is the import's (3 for the sample, which has failures on purpose)");
        var manifest = InputFile.Option("--manifest",
            "A manifest other than the sample; file names such as missing-1.mp4 cause certain outcomes (docs/samples/README.md)");
        var simulator = new Option<FileInfo>("--simulator")
        { HelpName = "PATH", Description = "The simulator's program [next to this one]" };
        simulator.AcceptExistingOnly();
        var data = new Option<DirectoryInfo?>("--data")
        {
            HelpName = "DIR",
            Description = "Where database, logs and results go [.bulkimporter/demo; with --once a new folder for temporary files]"
        };
        var urls = Text("--urls", "URL", $"Where the dashboard listens [{ClientVerb.DefaultServer}; with --once a free port]");
        var verb = new Verb("demo",
            "Show everything on this machine against a Cincopa simulator: no account needed, nothing leaves the machine.",
            "BulkImporter demo                        then open the sign-in link that it prints",
            "BulkImporter demo --once                 run, print the numbers, end",
            "BulkImporter demo --once --manifest mine.csv").Takes(once, manifest, simulator, data, urls);
        verb.SetAction((line, cancellationToken) =>
            new Demo(surroundings, Demo.ThisProgram(), Demo.FindSimulator(line.GetValue(simulator)?.FullName)).RunAsync(new DemoOptions
            {
                Once = line.GetValue(once),
                Manifest = line.GetValue(manifest),
                Directory = line.GetValue(data)?.FullName,
                Urls = line.GetValue(urls),
            }, cancellationToken));
        return verb;
    }
}
