using BulkImporter.Access;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Records;
using BulkImporter.Sources;
using BulkImporter.Telemetry;

namespace BulkImporter.Retention;

/// <summary>
/// Removes what retention no longer keeps, a step at a time: each statement takes a few thousand rows and commits. Two workers that sweep
/// at once take different rows. Each table's statement stands with its entity: $1 is the age, $2 the most rows of a step.
/// </summary>
public sealed class SweepEnded(NpgsqlDataSource database, IOptions<RetentionOptions> options, ILogger<SweepEnded> log)
{
    /// <summary>Who deletes imports by their age, as the audit log names it.</summary>
    private const string Actor = "retention";

    /// <summary>Rows that one statement removes, so that none holds locks or the log for long.</summary>
    internal const int RowsAtOnce = 5000;

    /// <summary>Sign-in and password links that were used or are too old, by their expiry: nobody asks for one after a week.</summary>
    private static readonly TimeSpan KeepLinks = TimeSpan.FromDays(7);

    /// <summary>Imports whose manifest was rejected, and which nobody has answered: they have no record, and nothing was sent.</summary>
    private static readonly TimeSpan KeepRejected = TimeSpan.FromDays(7);

    /// <summary>Imports that one statement orders to be deleted.</summary>
    private const int ImportsAtOnce = 5;

    internal int Rows { get; init; } = RowsAtOnce;

    private static readonly string Imports = DeleteImport.Order($"""
        i.id = ANY (ARRAY(
            SELECT i.id FROM importer.import i WHERE i.finished_at < now() - $1 AND ($5::text IS NULL OR i.state = $5)
                AND {DeleteImport.IsOver}
            ORDER BY i.finished_at LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED))
        """, "id");

    /// <summary>
    /// One step of each kind. Returns the number of rows that were removed and of imports that will be: while there are some, there may be
    /// more.
    /// </summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var keep = options.Value;
        var removed = 0;
        (string What, Func<string, Task<int>> Run)[] steps =
        [
            ("imports", _ => DeleteImportsAsync(keep.Imports, null, cancellationToken)),
            ("rejected_imports", _ => DeleteImportsAsync(KeepRejected, EnumText<ImportState>.Of(ImportState.Rejected), cancellationToken)),
            ("attempts", what => StepAsync(what, Attempt.SweepEnded, keep.Details, cancellationToken)),
            ("findings", what => StepAsync(what, StoredFinding.SweepEnded, keep.Details, cancellationToken)),
            ("manifest_parts", what => StepAsync(what, ManifestPart.SweepEnded, keep.Manifests, cancellationToken)),
            ("files_ended", what => StepAsync(what, SourceFile.SweepEnded, keep.Files, cancellationToken)),
            ("file_parts", what => StepAsync(what, SourceFilePart.SweepEnded, keep.Files, cancellationToken)),
            ("files", what => StepAsync(what, SourceFile.SweepEmpty, keep.Files, cancellationToken)),
            ("audit_entries", what => StepAsync(what, AuditEntry.SweepOld, keep.Audit, cancellationToken)),
            ("sign_in_links", what => StepAsync(what, SignInLink.SweepOld, KeepLinks, cancellationToken)),
            ("password_links", what => StepAsync(what, PasswordLink.SweepOld, KeepLinks, cancellationToken)),
        ];
        await EachItem.RunAsync(steps, s => s.What, async s => removed += await s.Run(s.What), cancellationToken);
        return removed;
    }

    /// <param name="state">Null for all that have ended.</param>
    private async Task<int> DeleteImportsAsync(TimeSpan? keep, string? state, CancellationToken cancellationToken)
    {
        if (keep is not { } age) return 0;
        var deleted = await database.QueryAsync<int>(
            Imports, cancellationToken, age, Actor, $"Its time was over, {age} after its end; its rows are being removed.", ImportsAtOnce,
            state);
        foreach (var id in deleted) Log.ImportDeletedByAge(log, id, age);
        return deleted.Count;
    }

    private async Task<int> StepAsync(string what, string sql, TimeSpan? keep, CancellationToken cancellationToken)
    {
        if (keep is not { } age) return 0;
        var removed = await database.ExecuteAsync(sql, cancellationToken, age, Rows);
        if (removed > 0) Log.RowsRemoved(log, removed, what, age);
        Measures.Removed(what, removed);
        return removed;
    }
}
