namespace BulkImporter.Cli;

/// <summary>How a verb ended, for scripts. Part of the interface: `--help`, docs and tests name these numbers.</summary>
public static class ExitCode
{
    public const int Done = 0;

    /// <summary>
    /// It did not happen: refused credentials, unreachable server or database, unreadable file, output that cannot be written, a setting
    /// that cannot be used, a rejected or cancelled import.
    /// </summary>
    public const int Failed = 1;

    /// <summary>The command line itself is wrong, or the key or address of the environment.</summary>
    public const int Usage = 2;

    /// <summary>The import is finished, and some of its records failed or are unknown, or their assets lack texts or a gallery.</summary>
    public const int DoneWithProblems = 3;

    public const int NotFound = 4;

    /// <summary>The import or account is in a state that does not allow it.</summary>
    public const int Refused = 5;

    /// <summary>Ctrl-C or SIGTERM.</summary>
    public const int Interrupted = 130;
}
