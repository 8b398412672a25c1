namespace BulkImporter.Hosting;

internal static partial class EmbeddedPostgresLog
{
    [LoggerMessage(Level = LogLevel.Information, EventName = "PostgresClusterCreated",
        Message = "Created a private PostgreSQL {Version} cluster in {Cluster}")]
    public static partial void ClusterCreated(this ILogger logger, int version, string cluster);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "PostgresClusterPlacedElsewhere",
        Message =
            "The account {Account}, which PostgreSQL runs under because root may not, cannot enter {DataDirectory}; the database lives "
                + "in {Home}, and a link in the data directory points there")]
    public static partial void PlacedElsewhere(this ILogger logger, string account, string dataDirectory, string home);

    [LoggerMessage(Level = LogLevel.Information, EventName = "PostgresStarted",
        Message = "Started PostgreSQL from {Binaries} at the socket in {Folder}, process {ProcessId}, data in {Cluster}")]
    public static partial void Started(this ILogger logger, string binaries, string folder, int processId, string cluster);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "PostgresLeftBehindStopped",
        Message = "Found the PostgreSQL process {ProcessId} of an earlier run that did not end in order; stopped it")]
    public static partial void LeftBehindStopped(this ILogger logger, int processId);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "PostgresStalePidFileRemoved",
        Message = "Removed postmaster.pid of a crashed server: its process id {ProcessId} belongs to another program now")]
    public static partial void StalePidFileRemoved(this ILogger logger, int processId);

    [LoggerMessage(Level = LogLevel.Error, EventName = "PostgresDied",
        Message = "The PostgreSQL process {ProcessId} is gone although nobody stopped it; starting it again")]
    public static partial void Died(this ILogger logger, int processId);

    [LoggerMessage(Level = LogLevel.Error, EventName = "PostgresRestartFailed",
        Message = "PostgreSQL could not be started again; the next try follows")]
    public static partial void RestartFailed(this ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, EventName = "PostgresStopped", Message = "Stopped PostgreSQL")]
    public static partial void Stopped(this ILogger logger);

    [LoggerMessage(Level = LogLevel.Error, EventName = "PostgresStopFailed",
        Message = "PostgreSQL did not stop in order: {Output}. Its data is safe; the next start recovers it")]
    public static partial void StopFailed(this ILogger logger, string output);
}
