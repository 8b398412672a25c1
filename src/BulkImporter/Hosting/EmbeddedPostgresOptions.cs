namespace BulkImporter.Hosting;

/// <summary>
/// Where the embedded server lives and what it runs with. Used only when no <c>ConnectionStrings:BulkImporter</c> is set.
/// </summary>
public sealed record EmbeddedPostgresOptions
{
    /// <summary><see cref="DatabaseOptions.DataDirectory"/>.</summary>
    public required string DataDirectory { get; init; }

    /// <summary><see cref="DatabaseOptions.PostgresBinaries"/>.</summary>
    public string? BinariesDirectory { get; init; }

    /// <summary>
    /// What to do when another process already runs the server of this data directory: false (default) refuses and names that
    /// process; true connects to its server and leaves stopping to it. Without such a process both mean the same.
    /// </summary>
    public bool AttachToRunning { get; init; }

    /// <summary>
    /// <see cref="DatabaseOptions.PostgresSettings"/>. The address is not among them: the server listens at its own socket only.
    /// </summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}

/// <summary>
/// The embedded server cannot be had. The message says what is wrong and what to do about it, and is meant to be shown as it is.
/// </summary>
public sealed class EmbeddedPostgresException(string message, Exception? innerException = null) : Exception(message, innerException);
