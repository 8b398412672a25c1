namespace BulkImporter.Retention;

/// <summary>
/// <c>BulkImporter:Retention</c>: how long what belongs to an ended import is kept, counted from its end; null keeps it for ever. The
/// records themselves, and with them every number on the pages, stay as long as their import.
/// </summary>
public sealed class RetentionOptions
{
    public const string Section = "BulkImporter:Retention";

    /// <summary>The import itself with all that it has, as if an admin had deleted it. Default: for ever.</summary>
    public TimeSpan? Imports { get; set; }

    /// <summary>The attempts of its records. Without them a record still tells its last error. Default 90 days.</summary>
    public TimeSpan? Attempts { get; set; } = TimeSpan.FromDays(90);

    /// <summary>What was found in its manifest. Default 90 days.</summary>
    public TimeSpan? Findings { get; set; } = TimeSpan.FromDays(90);

    /// <summary>The bytes of its manifest, which a result file with the original columns needs. Default 365 days.</summary>
    public TimeSpan? Manifests { get; set; } = TimeSpan.FromDays(365);

    /// <summary>
    /// Files that were sent here to be pushed: since they were sent, when no import came to want them, else since the end of the last one that did.
    /// A rerun after that needs the file again. Default 1 day.
    /// </summary>
    public TimeSpan? Files { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Entries of the audit log, by their own age. Default: for ever.</summary>
    public TimeSpan? Audit { get; set; }

    /// <summary>Sign-in and password links that were used or are too old, by their expiry. Default 7 days.</summary>
    public TimeSpan? Links { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Rows that one statement removes, so that none holds locks or the log for long. Default 5,000.</summary>
    public int Step { get; set; } = 5000;
}
