namespace BulkImporter.Cli;

/// <summary>
/// Ends a verb: what went wrong and where, what to do about it, and the exit code. <see cref="CommandLine"/> prints it on stderr.
/// </summary>
internal sealed class VerbFailure(int exitCode, string message, string? advice = null) : Exception(message)
{
    public int ExitCode { get; } = exitCode;

    public string? Advice { get; } = advice;

    /// <summary>Nobody answers, or a proxy says that nobody does: a server that restarts looks like this, so a watcher waits.</summary>
    public bool ServerIsAway { get; init; }
}
