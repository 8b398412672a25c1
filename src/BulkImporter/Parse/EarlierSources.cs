using BulkImporter.Records;

namespace BulkImporter.Parse;

/// <summary>
/// Finds the rows of an import whose source an earlier import of the account has imported or is importing, in the parse's transaction. The
/// keys of the account's imports stand in blocks (<see cref="SourceKeyBlock"/>) and run through the filter that the parse has filled with
/// the new keys; only what passes is looked up among the records. So the cost is that of reading 16 bytes for each earlier row, and no
/// index.
/// </summary>
internal static class EarlierSources
{
    /// <summary>Read at once: 4 MB.</summary>
    private const int BlocksPerRead = 64;

    /// <summary>Up to so many the records are looked up one by one; beyond, joining them all is quicker.</summary>
    private const int FewEnoughToLookUp = 50_000;

    /// <summary>
    /// Whoever compares, or starts, holds this to the end of its transaction: two imports of an account cannot overlook each other.
    /// </summary>
    private const string LockAccount = "SELECT 1 FROM pg_advisory_xact_lock(hashtext('bulkimporter.sources'), $1)";

    private const string ReadBlocks = """
        SELECT b.import_id, b.first_row, b.keys FROM importer.source_key_block b
        WHERE (b.import_id, b.first_row) > ($1, $2) AND b.import_id = ANY($3)
        ORDER BY b.import_id, b.first_row LIMIT $4
        """;

    private const string ReadImports = """
        SELECT id FROM importer.import WHERE account_id = $1 AND id <> $2 AND state IN ('running', 'paused', 'finished', 'cancelled')
            ORDER BY id
        """;

    /// <summary>The account has, or is about to have, the source of record <c>r</c> of import <c>i</c>.</summary>
    internal const string IsThere =
        "(r.state IN ('imported', 'submitting', 'submitted', 'unknown') OR (r.state = 'pending' AND i.state IN ('running', 'paused')))";

    // A corrected row has another source than its block says.
    private const string AddCorrected = """
        INSERT INTO earlier SELECT DISTINCT c.import_id, c.row_number FROM importer.correction c WHERE c.import_id = ANY($1)
            AND c.field = 'url'
        """;

    private const string ReadKnown = $"""
        SELECT DISTINCT ON (r.source_key) r.source_key, r.import_id, r.row_number, r.state = 'imported' AS imported
        FROM earlier e
        JOIN importer.record_now r ON r.import_id = e.import_id AND r.row_number = e.row_number
        JOIN importer.import i ON i.id = r.import_id
        WHERE r.source_key IS NOT NULL
            AND {IsThere}
        ORDER BY r.source_key, (r.state = 'imported') DESC, r.import_id DESC, r.row_number
        """;

    // A reference id has no block and no index: an import that goes by it reads the account's records. What failed there under the same
    // source is no reason to skip, as ever; under another it is the record that the row means.
    private const string ReadKnownReferences = $"""
        SELECT DISTINCT ON (n.row_number) n.row_number AS new_row, r.import_id, r.row_number, r.state,
            r.source_key IS NOT DISTINCT FROM n.source_key AS is_same_source
        FROM importer.import_record n
        JOIN importer.record_now r ON r.reference_id = n.reference_id
        JOIN importer.import i ON i.id = r.import_id
        WHERE n.import_id = $1 AND n.state = 'pending' AND n.reference_id IS NOT NULL AND r.import_id = ANY ($2)
            AND ({IsThere} OR (r.state = 'failed' AND r.source_key IS DISTINCT FROM n.source_key))
        ORDER BY n.row_number, (r.state = 'imported') DESC, (r.state <> 'failed') DESC, r.import_id DESC, r.row_number
        """;

    /// <summary>Marks them as duplicates, each with a finding. Returns how many.</summary>
    public static async Task<int> MarkAsync(
        NpgsqlDataSource database, NpgsqlConnection connection, int importId, int accountId, SeenBefore sources, RowIdentity identity,
        RecordTransitions transitions, CancellationToken cancellationToken)
    {
        await using (var wait = connection.Command(LockAccount, accountId))
        {
            // As long as another import of the account needs for its own comparison.
            wait.CommandTimeout = 0;
            await wait.ExecuteNonQueryAsync(cancellationToken);
        }
        var imports = (await connection.QueryAsync<int>(ReadImports, cancellationToken, accountId, importId)).ToArray();
        if (imports.Length == 0) return 0;
        await RebuildKeys.OfAsync(database, imports, cancellationToken);
        var marked = await MarkByUrlAsync(connection, importId, imports, sources, identity, transitions, cancellationToken);
        if (!identity.ByReferenceId) return marked;
        await KnownSources.FillReferencesAsync(connection, ReadKnownReferences, importId, imports, cancellationToken);
        return marked + await transitions.KnownEarlierAsync(connection, importId, identity, byReference: true, cancellationToken);
    }

    private static async Task<int> MarkByUrlAsync(
        NpgsqlConnection connection, int importId, int[] imports, SeenBefore sources, RowIdentity identity, RecordTransitions transitions,
        CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync("CREATE TEMP TABLE earlier (import_id int NOT NULL, row_number int NOT NULL) ON COMMIT DROP",
            cancellationToken);
        var candidates = await connection.ExecuteAsync(AddCorrected, cancellationToken, imports);
        var passed = new CopyRows("earlier", "import_id", "row_number");
        var (lastImport, lastRow) = (0, 0);
        while (true)
        {
            var blocks = await connection.QueryAsync<Block>(ReadBlocks, cancellationToken, lastImport, lastRow, imports, BlocksPerRead);
            if (blocks.Count == 0) break;
            (lastImport, lastRow) = (blocks[^1].ImportId, blocks[^1].FirstRow);
            candidates += blocks.Sum(b => AddPassing(b.ImportId, b.FirstRow, b.Keys, sources, passed));
            await passed.SendAsync(connection, cancellationToken);
        }
        if (candidates == 0) return 0;

        await connection.ExecuteLongAsync("ANALYZE earlier", cancellationToken);
        await connection.ExecuteAsync($"SET LOCAL enable_nestloop = {(candidates <= FewEnoughToLookUp ? "on" : "off")}", cancellationToken);
        await KnownSources.FillAsync(connection, ReadKnown, cancellationToken);
        await connection.ExecuteAsync("SET LOCAL enable_nestloop = off", cancellationToken);
        return await transitions.KnownEarlierAsync(connection, importId, identity, byReference: false, cancellationToken);
    }

    /// <summary>Adds the rows of a block whose keys pass the filter. Returns how many.</summary>
    private static int AddPassing(int importId, int firstRow, byte[] keys, SeenBefore sources, CopyRows to)
    {
        var count = 0;
        for (var at = 0; at + SourceKeyBlock.KeySize <= keys.Length; at += SourceKeyBlock.KeySize)
        {
            var key = keys.AsSpan(at, SourceKeyBlock.KeySize);
            if (!sources.MayHold(key) || !key.ContainsAnyExcept((byte)0)) continue;
            to.StartRow();
            to.Write(importId);
            to.Write(firstRow + at / SourceKeyBlock.KeySize);
            count++;
        }
        return count;
    }

    private sealed record Block(int ImportId, int FirstRow, byte[] Keys);
}
