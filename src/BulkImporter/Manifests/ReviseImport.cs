using BulkImporter.Data;
using BulkImporter.Imports;
using Npgsql;

namespace BulkImporter.Manifests;

/// <summary>What changes about an import in review. Null leaves a setting as it is.</summary>
public sealed record ImportRevision
{
    public string? Name { get; init; }

    /// <summary>The name of the Cincopa account that it runs for.</summary>
    public string? Account { get; init; }

    /// <summary>The column mapping (<c>url=OriginalURL,caption=Title</c>); empty to recognise the header.</summary>
    public string? Mapping { get; init; }

    /// <summary>Rows to read from the beginning; 0 for all.</summary>
    public int? FirstRows { get; init; }

    public int? MaxAttempts { get; init; }
    public WhenUnknown? WhenUnknown { get; init; }
    public int? Priority { get; init; }

    /// <summary>The gallery that new assets join; empty for none.</summary>
    public string? Fid { get; init; }
}

/// <summary>
/// Changes the settings of an import of which nothing was sent yet: one in review, or one whose manifest was rejected because a question
/// about its columns was open. What the records depend on (columns, number of rows, attempts) makes the manifest be read again: its
/// records and findings go in the same transaction, and the import is <see cref="ImportState.Parsing"/> until the new ones are there; <see cref="QueueParsing"/> sees to it.
/// </summary>
public sealed class ReviseImport(NpgsqlDataSource database)
{
    private const string LockRevisable = """
        SELECT i.name, a.name, i.mapping, i.first_rows, i.max_attempts, i.when_unknown, i.priority, i.fid, i.state
        FROM importer.import i JOIN importer.account a ON a.id = i.account_id
        WHERE i.id = $1 AND i.state IN ('review', 'rejected')
        FOR NO KEY UPDATE OF i
        """;

    private const string Revise = """
        WITH revised AS (
            UPDATE importer.import
            SET name = $3, account_id = (SELECT id FROM importer.account WHERE name = $4), mapping = $5, first_rows = $6, max_attempts = $7,
                when_unknown = $8, priority = $9, fid = $10,
                state = CASE WHEN $11 THEN 'parsing' ELSE state END,
                row_count = CASE WHEN NOT $11 THEN row_count END,
                parsed_rows = CASE WHEN $11 THEN 0 ELSE parsed_rows END,
                parse_queued_at = CASE WHEN NOT $11 THEN parse_queued_at END,
                reason = CASE WHEN NOT $11 THEN reason END,
                finished_at = CASE WHEN NOT $11 THEN finished_at END,
                start_when_parsed = false
            WHERE id = $1
            RETURNING id
        )
        INSERT INTO importer.audit_entry (at, actor, action, import_id, detail) SELECT now(), $2, 'import_revised', id, $12 FROM revised
        """;

    private static readonly string[] Forget =
    [
        "DELETE FROM importer.import_chunk WHERE import_id = $1",
        "DELETE FROM importer.import_record WHERE import_id = $1",
        "DELETE FROM importer.record_meta WHERE import_id = $1",
        "DELETE FROM importer.finding WHERE import_id = $1",
        "DELETE FROM importer.probe WHERE import_id = $1",
    ];

    /// <exception cref="InvalidArgumentException">A setting, the mapping or the account cannot be used.</exception>
    public async Task<ImportChange> RunAsync(int importId, ImportRevision revision, string actor, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var revisable = await connection.QueryAsync(LockRevisable, r => (
            Import: new NewImport(0, actor)
            {
                Name = r.GetString(0),
                Account = r.GetString(1),
                Mapping = r.Text(2),
                FirstRows = r.Number(3),
                MaxAttempts = r.GetInt32(4),
                WhenUnknown = EnumText<WhenUnknown>.Parse(r.GetString(5)),
                Priority = r.GetInt32(6),
                Fid = r.Text(7),
            },
            State: EnumText<ImportState>.Parse(r.GetString(8))), cancellationToken, importId);
        if (revisable is not [var (before, state)])
            return await ImportChange.RefusalAsync(connection, importId, "only an import in review, or one whose manifest was rejected, can be revised", cancellationToken);

        var after = before with
        {
            Name = revision.Name ?? before.Name,
            Account = revision.Account ?? before.Account,
            Mapping = revision.Mapping is { } mapping ? NotEmpty(mapping) : before.Mapping,
            FirstRows = revision.FirstRows is { } rows ? (rows == 0 ? null : rows) : before.FirstRows,
            MaxAttempts = revision.MaxAttempts ?? before.MaxAttempts,
            WhenUnknown = revision.WhenUnknown ?? before.WhenUnknown,
            Priority = revision.Priority ?? before.Priority,
            Fid = revision.Fid is { } fid ? NotEmpty(fid) : before.Fid,
        };
        CreateImport.Check(after);
        if (await CreateImport.MissingAccountAsync(connection, after.Account, cancellationToken) is { } missing) throw missing;
        if (after == before && state == ImportState.Review) return new ImportChange.Done(state);

        var again = state == ImportState.Rejected || (after.Mapping, after.FirstRows, after.MaxAttempts) != (before.Mapping, before.FirstRows, before.MaxAttempts);
        await connection.ExecuteAsync(Revise, cancellationToken, importId, actor, after.Name, after.Account, after.Mapping, after.FirstRows, after.MaxAttempts,
            EnumText<WhenUnknown>.Of(after.WhenUnknown), after.Priority, after.Fid, again, Differences(before, after));
        if (again)
        {
            foreach (var forget in Forget) await connection.ExecuteLongAsync(forget, cancellationToken, importId);
        }
        await transaction.CommitAsync(cancellationToken);
        return new ImportChange.Done(again ? ImportState.Parsing : state);
    }

    private static string? NotEmpty(string text) => string.IsNullOrWhiteSpace(text) ? null : text;

    /// <summary>For the audit log.</summary>
    private static string Differences(NewImport before, NewImport after)
    {
        var changes = new List<string>();
        Note("name", before.Name, after.Name);
        Note("account", before.Account, after.Account);
        Note("columns", before.Mapping, after.Mapping);
        Note("first rows", before.FirstRows, after.FirstRows);
        Note("attempts", before.MaxAttempts, after.MaxAttempts);
        Note("when unknown", before.WhenUnknown, after.WhenUnknown);
        Note("priority", before.Priority, after.Priority);
        Note("gallery", before.Fid, after.Fid);
        return changes.Count == 0 ? "read again" : string.Join("; ", changes);

        void Note<T>(string what, T old, T now)
        {
            if (!Equals(old, now)) changes.Add($"{what}: {(now is null ? "none" : $"{now}")}");
        }
    }
}
