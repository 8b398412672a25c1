using BulkImporter.Manifests;
using BulkImporter.Records;
using Cincopa.Client;

namespace BulkImporter.Parse;

/// <summary>A row with the values that a person can correct.</summary>
/// <param name="Code">What is wrong with it, if anything: the code of a failure or of a finding.</param>
/// <param name="OtherRow">Of a duplicate, the row that has the source already.</param>
/// <param name="OtherImport">The import of that row when it is an earlier one.</param>
public sealed record RowToFix(
    int RowNumber, RecordState State, string? Url, string? Caption, string? ReferenceId, string? Code, string? Message, int? OtherRow,
    int? OtherImport);

/// <summary>A row of this or an earlier import.</summary>
public sealed record RowOfImport(int ImportId, int RowNumber);

/// <param name="HasMore">There are more rows than were asked for.</param>
public sealed record RowsToFix(IReadOnlyList<RowToFix> Rows, bool HasMore);

/// <summary>The rows of an import that something is wrong with, with whole values for whoever may correct them.</summary>
public sealed class ReadRowsToFix(NpgsqlDataSource database, ReadRecords records, ManifestBytes manifests)
{
    /// <summary>Rows for whoever can only look: an open page holds all that it got, and everybody may open some.</summary>
    internal const int MostToLookAt = 1000;

    private const string WithFinding = """
        SELECT DISTINCT f.row_number FROM importer.finding f WHERE f.import_id = $1 AND f.code = $2 AND f.row_number > 0
        ORDER BY f.row_number LIMIT $3
        """;

    // Of several findings, the one that is asked for, else the first error.
    private const string Values = """
        SELECT r.row_number, r.state, r.source_url AS url, r.caption, r.reference_id, coalesce($3::text, r.error_code, f.code) AS code,
            r.error_message AS message, f.other_row, f.other_import
        FROM importer.record_now r
        LEFT JOIN LATERAL (
            SELECT f.code, f.other_row, f.other_import FROM importer.finding f
            WHERE f.import_id = r.import_id AND f.row_number = r.row_number
            ORDER BY f.code = $3::text DESC NULLS LAST, f.other_row IS NULL, f.severity, f.id LIMIT 1) f ON true
        WHERE r.import_id = $1 AND r.row_number = ANY($2)
        ORDER BY r.row_number
        """;

    private const string Like = """
        WITH mine AS (
            SELECT f.other_row, f.other_import FROM importer.finding f
            WHERE f.import_id = $1 AND f.row_number = $2 AND f.other_row IS NOT NULL
                AND f.code IN ('duplicate_url', 'already_imported', 'repeated_reference_id', 'new_address')
        )
        SELECT coalesce(other_import, $1) AS import_id, other_row AS row_number FROM mine
        UNION
        SELECT f.import_id, f.row_number FROM importer.finding f
        WHERE f.import_id = $1 AND f.other_row = ANY (ARRAY(SELECT $2 UNION SELECT other_row FROM mine WHERE other_import IS NULL))
            AND f.other_import IS NULL AND f.code IN ('duplicate_url', 'repeated_reference_id') AND f.row_number <> $2
        ORDER BY import_id, row_number LIMIT $3
        """;

    /// <param name="state">Of records in this state; null for those that are invalid or failed.</param>
    /// <param name="code">Of a failure or a finding; null for any.</param>
    /// <param name="isWhole">False takes the secrets out of the addresses.</param>
    public async Task<RowsToFix> ListAsync(
        int importId, RecordState? state, string? code, bool isWhole, CancellationToken cancellationToken)
    {
        var most = isWhole ? CorrectRecords.MostRows : MostToLookAt;
        // A warning keeps no row from being sent, so that no record has its code.
        var isWarning = code is not null && FindingCodes.Named(code)?.Severity() == FindingSeverity.Warning;
        var numbers = isWarning ? await database.QueryAsync<int>(WithFinding, cancellationToken, importId, code, most + 1) : [];
        RecordState?[] states = isWarning ? [] : state is null && code is null ? [RecordState.Invalid, RecordState.Failed] : [state];
        foreach (var one in states)
        {
            var page = await records.ListAsync(importId, new RecordFilter { State = one, Code = code }, 0, most + 1, cancellationToken);
            numbers.AddRange(page.Items.Select(r => r.RowNumber));
        }
        numbers.Sort();
        return new(await OfAsync(importId, [.. numbers.Take(most)], code, isWhole, cancellationToken), numbers.Count > most);
    }

    /// <summary>The rows with the same source as this one, of this import and of the earlier one that has it.</summary>
    public Task<List<RowOfImport>> LikeAsync(int importId, int rowNumber, int most, CancellationToken cancellationToken) =>
        database.QueryAsync<RowOfImport>(Like, cancellationToken, importId, rowNumber, most);

    /// <summary>These rows, whatever their state is.</summary>
    public async Task<IReadOnlyList<RowToFix>> OfAsync(
        int importId, int[] rowNumbers, string? code, bool isWhole, CancellationToken cancellationToken)
    {
        var rows = await database.QueryByKeyAsync<RowToFix>(Values, cancellationToken, importId, rowNumbers, code);
        if (!isWhole)
        {
            // An address may stand in any column.
            return rows.ConvertAll(r => r with
            { Url = Shown(r.Url), Caption = Shown(r.Caption), ReferenceId = Shown(r.ReferenceId) });
        }
        await UnmaskAsync(importId, rows, cancellationToken);
        return rows;
    }

    private static string? Shown(string? text) => text is null ? null : Redact.Secrets(text);

    /// <summary>
    /// The record of a row that cannot be sent has its address masked and cut, so that it is taken from the manifest, which is read as far
    /// as the last of them. Where that is not kept any more, the address stays as it is.
    /// </summary>
    private async Task UnmaskAsync(int importId, List<RowToFix> rows, CancellationToken cancellationToken)
    {
        var masked = rows.Select((row, index) => (row, index))
            .Where(r => r.row is { State: RecordState.Invalid or RecordState.Duplicate, Url: { } url } && IsMasked(url))
            .ToDictionary(r => r.row.RowNumber, r => r.index);
        if (masked.Count == 0
            || await database.QueryAsync<Kept>(
                "SELECT i.manifest_id, i.mapping, i.encoding, i.sheet FROM importer.import i WHERE i.id = $1", cancellationToken, importId)
                is not [var import]) return;
        try
        {
            await using var bytes = await manifests.OpenAsync(import.ManifestId, cancellationToken);
            await using var reader = await ManifestReader.OpenAsync(
                bytes, ManifestReading.Of(import.Mapping, import.Encoding, import.Sheet), cancellationToken);
            while (masked.Count > 0 && await reader.ReadAsync(cancellationToken))
            {
                if (masked.Remove(reader.Row.RowNumber, out var index)
                    && reader.Row.Url is { Length: > 0 } url && url.Length <= ManifestFormat.MaxLength(ManifestColumn.Url))
                    rows[index] = rows[index] with { Url = url };
            }
        }
        catch (FileNotFoundException)
        {
            // Its bytes were removed to save room.
        }
    }

    /// <summary>It was made fit to be shown: something of it is missing.</summary>
    internal static bool IsMasked(string url) => url.Contains(Redact.Mark, StringComparison.Ordinal) || url.EndsWith('…');

    private sealed record Kept(int ManifestId, string? Mapping, string? Encoding, string? Sheet);
}
