using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Telemetry;
using Microsoft.Extensions.Options;
using Npgsql;

namespace BulkImporter.Retention;

/// <summary>
/// Removes what retention no longer keeps, a step at a time: each statement takes a few thousand rows and commits. Two workers that sweep at
/// once take different rows.
/// </summary>
public sealed class SweepEnded(NpgsqlDataSource database, IOptions<RetentionOptions> options, ILogger<SweepEnded> log)
{
    /// <summary>Who deletes imports by their age, as the audit log names it.</summary>
    private const string Actor = "retention";

    /// <summary>Imports that one statement orders to be deleted.</summary>
    private const int ImportsAtOnce = 5;

    private static readonly string Imports = DeleteImport.Order($"""
        i.id = ANY (ARRAY(
            SELECT i.id FROM importer.import i WHERE i.finished_at < now() - $1 AND {DeleteImport.IsOver}
            ORDER BY i.finished_at LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED))
        """);

    private const string Attempts = """
        DELETE FROM importer.attempt a USING (
            SELECT old.import_id, old.row_number, old.number
            FROM (SELECT i.id FROM importer.import i WHERE i.finished_at < now() - $1
                  AND EXISTS (SELECT 1 FROM importer.attempt x WHERE x.import_id = i.id)
                  AND NOT EXISTS (SELECT 1 FROM importer.status_poll p WHERE p.import_id = i.id) ORDER BY i.id LIMIT 1) ended
            JOIN importer.attempt old ON old.import_id = ended.id
            ORDER BY old.row_number, old.number LIMIT $2 FOR UPDATE OF old SKIP LOCKED
        ) gone
        WHERE a.import_id = gone.import_id AND a.row_number = gone.row_number AND a.number = gone.number
        """;

    private const string Findings = """
        DELETE FROM importer.finding f USING (
            SELECT old.id
            FROM (SELECT i.id FROM importer.import i WHERE i.finished_at < now() - $1
                  AND EXISTS (SELECT 1 FROM importer.finding x WHERE x.import_id = i.id) ORDER BY i.id LIMIT 1) ended
            JOIN importer.finding old ON old.import_id = ended.id
            LIMIT $2 FOR UPDATE OF old SKIP LOCKED
        ) gone
        WHERE f.id = gone.id
        """;

    // A manifest that several imports share goes with the last of them. Its row stays: it holds name, size and hash.
    private const string ManifestParts = """
        DELETE FROM importer.manifest_part p USING (
            SELECT old.manifest_id, old.number
            FROM (SELECT m.id FROM importer.manifest m
                  WHERE EXISTS (SELECT 1 FROM importer.manifest_part x WHERE x.manifest_id = m.id)
                      AND EXISTS (SELECT 1 FROM importer.import i WHERE i.manifest_id = m.id)
                      AND NOT EXISTS (SELECT 1 FROM importer.import i WHERE i.manifest_id = m.id AND (i.finished_at IS NULL OR i.finished_at >= now() - $1))
                  ORDER BY m.id LIMIT 1) ended
            JOIN importer.manifest_part old ON old.manifest_id = ended.id
            ORDER BY old.number LIMIT $2 FOR UPDATE OF old SKIP LOCKED
        ) gone
        WHERE p.manifest_id = gone.manifest_id AND p.number = gone.number
        """;

    // Nobody finds it by its hash from then on; its parts follow in steps of 200 MB, and it itself when it has none.
    private const string Files = """
        UPDATE importer.source_file SET sha256 = NULL, received_at = NULL WHERE id IN (
            SELECT f.id FROM importer.source_file f
            WHERE f.received_at < now() - $1
                AND NOT EXISTS (
                    SELECT 1 FROM importer.manifest_source_file l JOIN importer.import i ON i.manifest_id = l.manifest_id
                    WHERE l.source_file_id = f.id AND (i.finished_at IS NULL OR i.finished_at >= now() - $1))
            ORDER BY f.id LIMIT $2 FOR UPDATE OF f SKIP LOCKED)
        """;

    private const string FileParts = """
        DELETE FROM importer.source_file_part p USING (
            SELECT old.source_file_id, old.number
            FROM (SELECT f.id FROM importer.source_file f
                  WHERE f.received_at IS NULL AND f.created_at < now() - $1
                      AND EXISTS (SELECT 1 FROM importer.source_file_part x WHERE x.source_file_id = f.id) ORDER BY f.id LIMIT 1) ended
            JOIN importer.source_file_part old ON old.source_file_id = ended.id
            ORDER BY old.number LIMIT least($2, 200) FOR UPDATE OF old SKIP LOCKED
        ) gone
        WHERE p.source_file_id = gone.source_file_id AND p.number = gone.number
        """;

    private const string FileRows = """
        DELETE FROM importer.source_file WHERE id IN (
            SELECT f.id FROM importer.source_file f
            WHERE f.received_at IS NULL AND f.created_at < now() - $1 AND NOT EXISTS (SELECT 1 FROM importer.source_file_part x WHERE x.source_file_id = f.id)
            LIMIT $2 FOR UPDATE SKIP LOCKED)
        """;

    private const string Audit = """
        DELETE FROM importer.audit_entry WHERE id IN (
            SELECT id FROM importer.audit_entry WHERE at < now() - $1 AND action <> 'cincopa_named' ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)
        """;

    private const string SignInLinks = """
        DELETE FROM importer.sign_in_link WHERE id IN (
            SELECT id FROM importer.sign_in_link WHERE expires_at < now() - $1 LIMIT $2 FOR UPDATE SKIP LOCKED)
        """;

    private const string PasswordLinks = """
        DELETE FROM importer.password_link WHERE id IN (
            SELECT id FROM importer.password_link WHERE expires_at < now() - $1 LIMIT $2 FOR UPDATE SKIP LOCKED)
        """;

    /// <summary>One step of each kind. Answers the number of rows that were removed and of imports that will be: while there are some, there may be more.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var keep = options.Value;
        var removed = 0;
        (string What, Func<string, Task<int>> Run)[] steps =
        [
            ("imports", _ => DeleteImportsAsync(keep.Imports, cancellationToken)),
            ("attempts", what => StepAsync(what, Attempts, keep.Attempts, cancellationToken)),
            ("findings", what => StepAsync(what, Findings, keep.Findings, cancellationToken)),
            ("manifest_parts", what => StepAsync(what, ManifestParts, keep.Manifests, cancellationToken)),
            ("files_ended", what => StepAsync(what, Files, keep.Files, cancellationToken)),
            ("file_parts", what => StepAsync(what, FileParts, keep.Files, cancellationToken)),
            ("files", what => StepAsync(what, FileRows, keep.Files, cancellationToken)),
            ("audit_entries", what => StepAsync(what, Audit, keep.Audit, cancellationToken)),
            ("sign_in_links", what => StepAsync(what, SignInLinks, keep.Links, cancellationToken)),
            ("password_links", what => StepAsync(what, PasswordLinks, keep.Links, cancellationToken)),
        ];
        await EachItem.RunAsync(steps, s => s.What, async s => removed += await s.Run(s.What), cancellationToken);
        return removed;
    }

    private async Task<int> DeleteImportsAsync(TimeSpan? keep, CancellationToken cancellationToken)
    {
        if (keep is not { } age) return 0;
        var deleted = await database.QueryAsync(
            Imports, r => r.GetInt32(1), cancellationToken, age, Actor, $"Its time was over, {age} after its end; its rows are being removed.", ImportsAtOnce);
        foreach (var id in deleted) Log.ImportDeletedByAge(log, id, age);
        return deleted.Count;
    }

    private async Task<int> StepAsync(string what, string sql, TimeSpan? keep, CancellationToken cancellationToken)
    {
        if (keep is not { } age) return 0;
        var removed = await database.ExecuteAsync(sql, cancellationToken, age, options.Value.Step);
        if (removed > 0) Log.RowsRemoved(log, removed, what, age);
        Measures.Removed(what, removed);
        return removed;
    }
}
