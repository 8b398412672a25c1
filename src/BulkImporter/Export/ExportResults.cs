using System.IO.Pipelines;
using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Records;
using Npgsql;

namespace BulkImporter.Export;

public enum ExportFormat
{
    /// <summary>The manifest's own separator and line ending; can be uploaded again as a manifest.</summary>
    Csv,

    /// <summary>One JSON object a line, the same columns.</summary>
    Jsonl,
}

/// <summary>Whether an import's results can be had.</summary>
public abstract record Exportable
{
    private Exportable() { }

    /// <param name="FileName">The manifest's name without its extension, for naming the result file.</param>
    public sealed record Ready(int ImportId, int ManifestId, string? Mapping, int Rows, string FileName) : Exportable;

    public sealed record NotFound(int ImportId) : Exportable;

    /// <summary>There are no records: the manifest is not parsed, or could not be.</summary>
    public sealed record Refused(ImportState State, string Sentence) : Exportable;
}

/// <summary>
/// Stage 8: each selected row of the manifest with its original columns and what became of it. Reads the manifest again, side by side
/// with the records by key range: read committed, so a long export holds no snapshot open, and memory does not grow with the import.
/// </summary>
public sealed class ExportResults(NpgsqlDataSource database, ManifestBytes manifests)
{
    private const int RowsPerRange = 5000;

    /// <summary>Written bytes are handed on after this many, so that what waits in memory stays small.</summary>
    private const int FlushAfter = 64 * 1024;

    private const string Find = """
        SELECT i.state, i.manifest_id, i.mapping, i.row_count, m.file_name
        FROM importer.import i JOIN importer.manifest m ON m.id = i.manifest_id WHERE i.id = $1
        """;

    private const string Range = """
        SELECT r.row_number, r.state, r.status_id, r.rid, r.attempt_count, r.error_code, r.error_message, r.submitted_at, r.finished_at
        FROM importer.import_record r WHERE r.import_id = $1 AND r.row_number BETWEEN $2 AND $3
        """;

    /// <summary>Looks before the first byte is written, while the answer can still be a refusal.</summary>
    public async Task<Exportable> FindAsync(int importId, CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync(
            Find, r => (State: EnumText<ImportState>.Parse(r.GetString(0)), ManifestId: r.GetInt32(1), Mapping: r.Text(2), Rows: r.Number(3), FileName: r.GetString(4)),
            cancellationToken, importId);
        return rows switch
        {
            [] => new Exportable.NotFound(importId),
            [{ Rows: { } count } found] => new Exportable.Ready(importId, found.ManifestId, found.Mapping, count, BaseName(found.FileName)),
            [var unparsed, ..] => new Exportable.Refused(unparsed.State, $"Import {importId} has no records: its manifest {(unparsed.State == ImportState.Parsing ? "is still being parsed" : "was not parsed")}."),
        };
    }

    /// <exception cref="InvalidDataException">Manifest and records do not belong together.</exception>
    /// <exception cref="FileNotFoundException">The manifest's bytes are not kept any more.</exception>
    public async Task RunAsync(Exportable.Ready import, RecordFilter filter, ExportFormat format, PipeWriter output, CancellationToken cancellationToken)
    {
        await using var bytes = await manifests.OpenAsync(import.ManifestId, cancellationToken);
        await using var reader = await ManifestReader.OpenAsync(bytes, import.Mapping is { } mapping ? ManifestMapping.Parse(mapping) : null, cancellationToken);
        using var writer = Writer(format, reader.Layout, output);
        writer.WriteHeader();

        var range = ReadRangeAsync(import.ImportId, 1, filter, cancellationToken);
        for (var first = 1; first <= import.Rows; first += RowsPerRange)
        {
            var results = await range;
            // The next range is read while this one is written.
            var next = first + RowsPerRange;
            range = next <= import.Rows ? ReadRangeAsync(import.ImportId, next, filter, cancellationToken) : Task.FromResult<List<(int, RowResult)>>([]);
            foreach (var (rowNumber, result) in results)
            {
                do
                {
                    if (!await reader.ReadAsync(cancellationToken))
                        throw new InvalidDataException($"The manifest of import {import.ImportId} ends before row {rowNumber}.");
                }
                while (reader.Row.RowNumber < rowNumber);
                writer.WriteRow(reader.Row, result);
                if (output.UnflushedBytes >= FlushAfter) await output.FlushAsync(cancellationToken);
            }
        }
        writer.Complete();
        await output.FlushAsync(cancellationToken);
    }

    private Task<List<(int RowNumber, RowResult Result)>> ReadRangeAsync(int importId, int first, RecordFilter filter, CancellationToken cancellationToken)
    {
        var parameters = new List<object?> { importId, first, first + RowsPerRange - 1 };
        var sql = Range + filter.Condition(parameters) + " ORDER BY r.row_number";
        return database.QueryAsync(sql, Read, cancellationToken, [.. parameters]);
    }

    private static (int, RowResult) Read(NpgsqlDataReader r) => (r.GetInt32(0), new RowResult(
        r.GetString(1), r.Text(2), r.Text(3), r.GetInt16(4), r.Text(5), r.Text(6), r.Time(7), r.Time(8)));

    private static string BaseName(string fileName)
    {
        var name = fileName.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? fileName[..^3] : fileName;
        return Path.GetFileNameWithoutExtension(name);
    }

    private static IResultWriter Writer(ExportFormat format, ManifestLayout layout, PipeWriter output) => format switch
    {
        ExportFormat.Csv => new CsvResults(layout, output),
        ExportFormat.Jsonl => new JsonLineResults(layout, output),
    };
}

public static class ExportSetup
{
    public static IServiceCollection AddExport(this IServiceCollection services) => services.AddSingleton<ExportResults>();
}
