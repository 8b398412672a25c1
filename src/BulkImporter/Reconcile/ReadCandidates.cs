using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Reconcile;

/// <summary>An asset that may be the record's.</summary>
public sealed record CandidateView(string Rid, string FileName, long? SizeBytes, DateTimeOffset UploadedAt, string? Caption);

/// <summary>What is known about the asset of a record in doubt.</summary>
/// <param name="Items">The latest first; none for a record that is not unknown.</param>
/// <param name="LookedAt">When the account's assets were last looked through for it; null when they were not yet.</param>
/// <param name="Problem">Why the account's assets cannot be looked through at present; null when they can.</param>
public sealed record CandidatesView(IReadOnlyList<CandidateView> Items, DateTimeOffset? LookedAt, string? Problem);

public sealed class ReadCandidates(NpgsqlDataSource database)
{
    private const string ReadLook = """
        SELECT t.looked_at, l.problem
        FROM importer.import_record r
        JOIN importer.import i ON i.id = r.import_id
        LEFT JOIN importer.attempt t ON t.import_id = r.import_id AND t.row_number = r.row_number AND t.number = r.attempt_count
        LEFT JOIN importer.reconcile_look l ON l.account_id = i.account_id
        WHERE r.import_id = $1 AND r.row_number = $2
        """;

    private const string List = """
        SELECT k.rid, k.file_name, k.size_bytes, k.uploaded_at, k.caption
        FROM importer.import_record r
        JOIN importer.reconcile_candidate k ON k.import_id = r.import_id AND k.row_number = r.row_number AND k.attempt = r.attempt_count
        WHERE r.import_id = $1 AND r.row_number = $2 AND r.state = 'unknown'
        ORDER BY k.uploaded_at DESC, k.rid
        """;

    /// <summary>Null when the import has no such row.</summary>
    public async Task<CandidatesView?> FindAsync(int importId, int rowNumber, CancellationToken cancellationToken)
    {
        if (await database.QueryAsync(ReadLook, r => (LookedAt: r.Time(0), Problem: r.Text(1)), cancellationToken, importId, rowNumber) is not [var look]) return null;
        var items = await database.QueryAsync(List,
            r => new CandidateView(r.GetString(0), r.GetString(1), r.IsDBNull(2) ? null : r.GetInt64(2), r.GetFieldValue<DateTimeOffset>(3), r.Text(4)),
            cancellationToken, importId, rowNumber);
        return new(items, look.LookedAt, look.Problem);
    }
}
