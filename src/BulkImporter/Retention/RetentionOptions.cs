namespace BulkImporter.Retention;

/// <summary>
/// How long the data of an ended import is kept, counted from its end; if not set, it is kept forever. The records themselves, and so every
/// number on the pages, stay as long as their import.
/// </summary>
public sealed class RetentionOptions
{
    public const string Section = "BulkImporter:Retention";

    /// <summary>The import itself with all its data, as if an admin had deleted it.</summary>
    public TimeSpan? Imports { get; set; }

    /// <summary>The attempts of its records, and the findings in its manifest. Without them, a record still shows its last error.</summary>
    public TimeSpan? Details { get; set; } = TimeSpan.FromDays(90);

    /// <summary>The bytes of its manifest, which a result file with the original columns needs.</summary>
    public TimeSpan? Manifests { get; set; } = TimeSpan.FromDays(365);

    /// <summary>
    /// Files that were sent here to be pushed: counted from when they were sent if no import uses them, or else from the end of the last
    /// import that did. A rerun after that needs the file again.
    /// </summary>
    public TimeSpan? Files { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Entries of the audit log, by their own age.</summary>
    public TimeSpan? Audit { get; set; }
}
