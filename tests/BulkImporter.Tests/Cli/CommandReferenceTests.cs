using System.Text;
using BulkImporter.Cli;

namespace BulkImporter.Tests.Cli;

/// <summary>docs/cli.md is what the program says of itself.</summary>
public sealed class CommandReferenceTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Reference_is_the_one_that_is_checked_in()
    {
        var reference = await WriteAsync();
        if (Environment.GetEnvironmentVariable("BULKIMPORTER_WRITE_CLI") is { Length: > 0 } path)
        {
            await File.WriteAllTextAsync(path, reference, Token);
            return;
        }

        var checkedIn = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "docs", "cli.md"), Token);
        Assert.True(checkedIn == reference,
            "docs/cli.md is not what the command line says of itself. Type: ./run reference, and look at what changed.");
    }

    private static async Task<string> WriteAsync()
    {
        using var probe = new CliRun();
        var text = new StringBuilder("""
            # The command line

            Every verb with its arguments and options, as `bulkimporter VERB --help` prints them; written by `./run reference`. Exit codes, and the call and page that do the same as a verb:
            [doors.md](doors.md).

            """);
        await AppendAsync(text, "");
        foreach (var verb in DoorsTests.Verbs(CommandLine.Root(CliRun.NoServer, probe.Surroundings), withGroups: true))
            await AppendAsync(text, verb);
        return text.ToString();
    }

    private static async Task AppendAsync(StringBuilder text, string verb)
    {
        using var run = new CliRun();
        Assert.Equal(ExitCode.Done, await run.RunAsync([.. verb.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]));
        // The library names the program that runs: here the tests'.
        var help = string.Join('\n', run.Output.Replace("BulkImporter.Tests", "BulkImporter", StringComparison.Ordinal).Split('\n')
            .Select(l => l.TrimEnd()));
        text.Append(
            $"\n## {(verb.Length == 0 ? "bulkimporter" : verb)}\n\n```text\n{help.Trim('\n').Replace("\n\n\n", "\n\n", StringComparison.Ordinal)}\n```\n");
    }
}
