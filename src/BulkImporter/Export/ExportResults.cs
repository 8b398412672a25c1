using System.IO.Pipelines;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Records;

namespace BulkImporter.Export;

/// <summary>Whether an import's results can be had.</summary>
public abstract record Exportable
{
    private Exportable() { }

    /// <param name="FileName">The manifest's name without its extension, for naming the result file.</param>
    public sealed record Ready(
        int ImportId, int ManifestId, string? Mapping, int Rows, string FileName, string? Encoding, string? Sheet,
        bool HasCorrections) : Exportable;

    public sealed record NotFound(int ImportId) : Exportable;

    /// <summary>There are no records: the manifest is not parsed, or could not be.</summary>
    public sealed record Refused(ImportState State, string Sentence) : Exportable;
}

/// <summary>
/// Stage 8: each selected row of the manifest with its original columns and what became of it. Reads the manifest again, side by side
/// with the records by key range: read committed, so a long export holds no snapshot open, and memory does not grow with the import.
/// </summary>
public sealed class ExportResults(IDbContextFactory<ImporterDb> contexts, ManifestBytes manifests)
{
    /// <summary>A workbook has one sheet of results.</summary>
    public const int MostRowsOfSheet = WorkbookWriter.MostRows;

    private const int RowsPerRange = 5000;

    private static readonly string Imported = EnumText<RecordState>.Of(RecordState.Imported);

    /// <summary>Written bytes are handed on after this many, so that what waits in memory stays small.</summary>
    private const int FlushAfter = 64 * 1024;

    private const string Find = """
        SELECT i.state, i.manifest_id, i.mapping, i.row_count AS rows, m.file_name, i.encoding, i.sheet,
            EXISTS (SELECT 1 FROM importer.correction c WHERE c.import_id = i.id) AS has_corrections
        FROM importer.import i JOIN importer.manifest m ON m.id = i.manifest_id WHERE i.id = $1
        """;

    /// <summary>Looks before the first byte is written, while the answer can still be a refusal.</summary>
    public async Task<Exportable> FindAsync(int importId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = await db.QueryAsync<Found>(Find, cancellationToken, importId);
        return rows switch
        {
            [] => new Exportable.NotFound(importId),
            [{ Rows: { } count } found] =>
                new Exportable.Ready(importId, found.ManifestId, found.Mapping, count, BaseName(found.FileName), found.Encoding,
                    found.Sheet, found.HasCorrections),
            [var unparsed, ..] =>
                new Exportable.Refused(unparsed.State,
                    $"Import {importId} has no records: its manifest "
                        + $"{(unparsed.State == ImportState.Parsing ? "is still being parsed" : "was not parsed")}."),
        };
    }

    /// <param name="isWhole">False takes the secrets out of the addresses, in whichever column they stand. The file then fits no more to be
    /// uploaded again: signed addresses do not work.</param>
    /// <exception cref="InvalidDataException">Manifest and records do not belong together.</exception>
    /// <exception cref="FileNotFoundException">The manifest's bytes are not kept any more.</exception>
    public async Task RunAsync(Exportable.Ready import, RecordFilter filter, FileFormat format, bool isWhole, PipeWriter output,
        CancellationToken cancellationToken)
    {
        await using var bytes = await manifests.OpenAsync(import.ManifestId, cancellationToken);
        await using var reader = await ManifestReader.OpenAsync(bytes, ManifestReading.Of(import.Mapping, import.Encoding, import.Sheet),
            cancellationToken);
        using var writer = Writer(format, reader.Layout, isWhole, output);
        writer.WriteHeader();

        var range = ReadRangeAsync(import, 1, filter, cancellationToken);
        for (var first = 1; first <= import.Rows; first += RowsPerRange)
        {
            var results = await range;
            // The next range is read while this one is written.
            var next = first + RowsPerRange;
            range = next <= import.Rows ? ReadRangeAsync(import, next, filter, cancellationToken)
                : Task.FromResult<List<(int, RowResult)>>([]);
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

    private async Task<List<(int RowNumber, RowResult Result)>> ReadRangeAsync(Exportable.Ready import, int first, RecordFilter filter,
        CancellationToken cancellationToken)
    {
        var last = first + RowsPerRange - 1;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = await filter.Of(db, import.ImportId).Where(r => r.RowNumber >= first && r.RowNumber <= last).OrderBy(r => r.RowNumber)
            .Select(r => new
            {
                r.RowNumber,
                r.SourceUrl,
                Result = new RowResult(EnumText<RecordState>.Of(r.State), r.StatusId, r.Rid, r.AttemptCount, r.ErrorCode, r.ErrorMessage,
                    r.SubmittedAt, r.FinishedAt),
            })
            .ToListAsync(cancellationToken);
        var assets = await ReadAssets.OfAsync(db, import.ImportId,
            [.. rows.Where(r => r.Result is { Rid: not null, State: var state } && state == Imported)
                .Select(r => new ReadAssets.ImportedRow(r.RowNumber, r.Result.Rid!, r.SourceUrl))], cancellationToken);
        var results = rows.ConvertAll(r => (r.RowNumber, r.Result with { Asset = assets.GetValueOrDefault(r.RowNumber) }));
        if (!import.HasCorrections || rows.Count == 0) return results;

        var byRow = CorrectedField.ByRow(
            await db.QueryAsync<CorrectedField>(Correction.Latest, cancellationToken, import.ImportId, first, last));
        return results.ConvertAll(r => byRow.TryGetValue(r.RowNumber, out var corrected)
            ? (r.RowNumber, r.Item2 with { Corrected = corrected }) : r);
    }

    /// <summary>What the manifest is; CSV where its bytes are not kept any more, which is said when they are asked for.</summary>
    public async Task<FileFormat> FormatAsync(Exportable.Ready import, CancellationToken cancellationToken)
    {
        try
        {
            await using var bytes = await manifests.OpenAsync(import.ManifestId, cancellationToken);
            return await ManifestReader.FormatAsync(bytes, import.Encoding, cancellationToken);
        }
        catch (FileNotFoundException)
        {
            return FileFormat.Csv;
        }
    }

    private static string BaseName(string fileName)
    {
        var name = fileName.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? fileName[..^3] : fileName;
        return Path.GetFileNameWithoutExtension(name);
    }

    private static IResultWriter Writer(FileFormat format, ManifestLayout layout, bool isWhole, PipeWriter output) => format switch
    {
        FileFormat.Csv => new ResultRowWriter(layout, output, isWhole),
        FileFormat.Xlsx => new WorkbookResults(layout, isWhole, output),
        FileFormat.Jsonl => new JsonLineResults(layout, isWhole, output),
    };

    private sealed record Found(
        ImportState State, int ManifestId, string? Mapping, int? Rows, string FileName, string? Encoding, string? Sheet,
        bool HasCorrections);
}

public static class ExportSetup
{
    public static IServiceCollection AddExport(this IServiceCollection services) =>
        services.AddSingleton<ExportResults>().AddSingleton<MapAddresses>().AddSingleton<ArchiveImport>();
}
