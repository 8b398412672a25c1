using System.Diagnostics;

namespace BulkImporter.Hosting;

/// <summary>What a short-lived program answered: its exit code, and everything it printed.</summary>
internal sealed record CommandAnswer(int ExitCode, string Output);

/// <summary>Runs a program of the operating system to its end.</summary>
internal static class Command
{
    private static readonly string[] Inherited = ["PATH", "HOME", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "MALLOC_ARENA_MAX"];

    /// <summary>
    /// Runs as <paramref name="account"/> when one is given, else as ourselves. An exit code is an answer, not an exception.
    /// </summary>
    /// <param name="folder">Where it works. The root folder is one that every account may stand in; PostgreSQL's programs ask for the
    /// current folder and fail in a private one.</param>
    public static async Task<CommandAnswer> RunAsync(
        string program, IEnumerable<string> arguments, UnprivilegedAccount? account, CancellationToken cancellationToken, string folder =
            "/")
    {
        string[] line = account is null ? [program, .. arguments] : [.. account.Prefix, program, .. arguments];

        var start = new ProcessStartInfo(line[0], line[1..])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // Our environment holds secrets (the token, keys, passwords), and the server that is started here keeps its own for as long as it
        // lives. Besides, PGDATA and its like would steer PostgreSQL's programs: ours is steered by its arguments alone, and answers in
        // English.
        foreach (var name in start.Environment.Keys.Except(Inherited).ToList())
            start.Environment.Remove(name);
        start.Environment["LC_ALL"] = "C";

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return new CommandAnswer(process.ExitCode, (await output + await error).Trim());
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: false);
            throw;
        }
    }
}
