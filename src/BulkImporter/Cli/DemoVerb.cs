using System.CommandLine;

namespace BulkImporter.Cli;

/// <summary><c>demo</c>: everything on this machine against the simulator, with a sample manifest.</summary>
internal sealed class DemoVerb : Verb
{
    private readonly Option<bool> once = new("--once")
    {
        Description =
            "End after the import instead of staying up; the exit code is the import's (3 for the sample, which has failures on purpose)"
    };
    private readonly Option<InputFile?> manifest = InputFile.Option("--manifest",
        "Another manifest than the sample; file names such as missing-1.mp4 bring about outcomes (docs/samples/README.md)");
    private readonly Option<FileInfo> simulator = new("--simulator")
    { HelpName = "PATH", Description = "The simulator's program [beside this one]" };
    private readonly Option<DirectoryInfo?> data = new("--data")
    {
        HelpName = "DIR",
        Description = "Where database, logs and results go [.bulkimporter/demo; with --once a new folder for temporary files]"
    };
    private readonly Option<string?> urls = new("--urls")
    {
        HelpName = "URL",
        Description = $"Where the dashboard listens [{ClientVerb.DefaultServer}; with --once a free port]"
    };

    public DemoVerb(Surroundings surroundings)
        : base("demo", "Show everything on this machine against a simulator of Cincopa: no account, nothing leaves the machine.",
            "BulkImporter demo                        then open the sign-in link that it prints",
            "BulkImporter demo --once                 run, print the numbers, end",
            "BulkImporter demo --once --manifest mine.csv")
    {
        simulator.AcceptExistingOnly();
        Takes(once, manifest, simulator, data, urls);
        SetAction(async (line, cancellationToken) =>
        {
            var demo = new Demo(surroundings, Demo.ThisProgram(), Demo.FindSimulator(line.GetValue(simulator)?.FullName));
            return await demo.RunAsync(new DemoOptions
            {
                Once = line.GetValue(once),
                Manifest = line.GetValue(manifest),
                Directory = line.GetValue(data)?.FullName,
                Urls = line.GetValue(urls),
            }, cancellationToken);
        });
    }
}
