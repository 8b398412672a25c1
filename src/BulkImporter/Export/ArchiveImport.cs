using System.IO.Compression;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Records;

namespace BulkImporter.Export;

/// <summary>Whether an import can be archived.</summary>
public abstract record Archivable
{
    private Archivable() { }

    /// <param name="LastRow">The highest row that a record or a finding has; 0 when there is none.</param>
    /// <param name="ManifestName">The name of its file; null when retention has removed the bytes.</param>
    public sealed record Ready(int ImportId, int LastRow, int ManifestId, string? ManifestName) : Archivable;

    public sealed record NotFound(int ImportId) : Archivable;

    /// <summary>It has not ended; what is archived would be true for a moment only.</summary>
    public sealed record Refused(ImportState State, string Sentence) : Archivable;
}

/// <summary>
/// All that is known of an import that has ended, as a ZIP file: the manifest as it was uploaded, the result file, and a file of JSON lines
/// for each table, with its columns as the database has them. The last entry, <c>SHA256SUMS</c>, is what <c>sha256sum -c</c> reads;
/// <see cref="VerifyArchive"/> does the same. Read by key range, so that neither memory nor a snapshot grows with the import.
/// </summary>
public sealed partial class ArchiveImport(NpgsqlDataSource database, ManifestBytes manifests, ExportResults results)
{
    internal const string SumsEntry = "SHA256SUMS";
    internal const string ImportEntry = "import.json";
    internal const string RecordsEntry = "records.jsonl";

    private const int RowsPerRange = 5000;

    private static readonly (string Entry, string Table, string Order)[] Tables =
    [
        (RecordsEntry, "record_now", "row_number"),
        ("attempts.jsonl", "attempt_now", "row_number, number"),
        ("texts.jsonl", "record_meta", "row_number"),
        ("finishing.jsonl", "record_finish", "row_number"),
        ("undo.jsonl", "record_undo", "row_number"),
        ("assets.jsonl", "record_asset", "row_number"),
        ("findings.jsonl", "finding", "row_number, id"),
        ("corrections.jsonl", "correction", "row_number, id"),
    ];

    private const string Find = """
        SELECT i.state, i.manifest_id,
            greatest(coalesce(i.row_count, 0), (SELECT coalesce(max(row_number), 0) FROM importer.finding
                WHERE import_id = i.id)) AS last_row,
            CASE WHEN EXISTS (SELECT 1 FROM importer.manifest_part WHERE manifest_id = m.id AND number = 0) THEN m.file_name END AS name
        FROM importer.import i JOIN importer.manifest m ON m.id = i.manifest_id WHERE i.id = $1
        """;

    private const string Import = """
        SELECT (to_jsonb(i) || jsonb_build_object('account', a.name, 'manifest', to_jsonb(m)))::text
        FROM importer.import i JOIN importer.account a ON a.id = i.account_id JOIN importer.manifest m ON m.id = i.manifest_id
            WHERE i.id = $1
        """;

    private const string Audit =
        "SELECT id, to_jsonb(e)::text AS line FROM importer.audit_entry e WHERE import_id = $1 AND id > $2 ORDER BY id LIMIT $3";

    /// <summary>Looks before the first byte is written, while the answer can still be a refusal.</summary>
    public async Task<Archivable> FindAsync(int importId, CancellationToken cancellationToken)
    {
        var found = await database.QueryAsync<Found>(Find, cancellationToken, importId);
        return found switch
        {
            [] => new Archivable.NotFound(importId),
            [{ State: ImportState.Finished or ImportState.Cancelled or ImportState.Rejected } ended] =>
                new Archivable.Ready(importId, ended.LastRow, ended.ManifestId, ended.Name),
            [var other, ..] =>
                new Archivable.Refused(other.State,
                    $"Import {importId} is {EnumText<ImportState>.Of(other.State)}. Only an import that has ended can be archived."),
        };
    }

    public async Task RunAsync(Archivable.Ready import, Stream output, CancellationToken cancellationToken)
    {
        await using var zip = await ZipArchive.CreateAsync(output, ZipArchiveMode.Create, leaveOpen: true, entryNameEncoding: null,
            cancellationToken);
        var sums = new StringBuilder();

        // 1. The import with its settings, its account's name and what is known of its manifest.
        await AddAsync(ImportEntry, async entry =>
            await WriteAsync(entry, await database.QueryAsync<string>(Import, cancellationToken, import.ImportId), cancellationToken));

        // 2. Its rows, table by table.
        foreach (var (name, table, order) in Tables)
        {
            var sql =
                $"SELECT (to_jsonb(t) - 'import_id')::text FROM importer.{table} t WHERE import_id = $1 AND row_number BETWEEN $2 AND $3 "
                    + $"ORDER BY {order}";
            await AddAsync(name, async entry =>
            {
                for (var first = 0; first <= import.LastRow; first += RowsPerRange)
                    await WriteAsync(entry,
                        await database.QueryAsync<string>(sql, cancellationToken, import.ImportId, first, first + RowsPerRange - 1),
                        cancellationToken);
            });
        }
        await AddAsync("audit.jsonl", entry => WriteAuditAsync(entry, import.ImportId, cancellationToken));

        // 3. The manifest, and the results that only fit together with it.
        if (import.ManifestName is { } fileName)
        {
            await AddAsync("manifest/" + EntryName(fileName), async entry =>
            {
                await using var bytes = await manifests.OpenAsync(import.ManifestId, cancellationToken);
                await bytes.CopyToAsync(entry, cancellationToken);
            });
            if (await results.FindAsync(import.ImportId, cancellationToken) is Exportable.Ready ready)
            {
                await AddAsync("results.csv", async entry =>
                {
                    var writer = PipeWriter.Create(entry, new StreamPipeWriterOptions(leaveOpen: true));
                    await results.RunAsync(ready, RecordFilter.All, FileFormat.Csv, isWhole: true, writer, cancellationToken);
                    await writer.CompleteAsync();
                });
            }
        }

        // 4. Last of all what they are verified by: a file that broke off has none.
        await using var last = await zip.CreateEntry(SumsEntry).OpenAsync(cancellationToken);
        await last.WriteAsync(Encoding.UTF8.GetBytes(sums.ToString()), cancellationToken);

        async Task AddAsync(string name, Func<Stream, Task> write)
        {
            using var hash = SHA256.Create();
            await using (var entry = await zip.CreateEntry(name, CompressionLevel.Fastest).OpenAsync(cancellationToken))
            await using (var hashed = new CryptoStream(entry, hash, CryptoStreamMode.Write, leaveOpen: true))
                await write(hashed);
            sums.Append(Convert.ToHexStringLower(hash.Hash!)).Append("  ").Append(name).Append('\n');
        }
    }

    /// <summary>
    /// A name that every system can make a file of, in the folder where it is unpacked and nowhere else. What the manifest was called
    /// stands in the import's entry.
    /// </summary>
    internal static string EntryName(string fileName)
    {
        var name = string.Concat(fileName[(fileName.LastIndexOfAny(['/', '\\']) + 1)..]
            .Select(c => char.IsControl(c) || char.GetUnicodeCategory(c) is UnicodeCategory.Format or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator || "<>:\"|?*".Contains(c) ? '_' : c)).Trim('.', ' ');
        return name.Length == 0 ? "manifest.csv" : Device().IsMatch(name) ? "_" + name : name;
    }

    [GeneratedRegex(@"^(con|prn|aux|nul|com\d|lpt\d)(\.|$)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Device();

    private async Task WriteAuditAsync(Stream entry, int importId, CancellationToken cancellationToken)
    {
        for (long after = 0; ;)
        {
            var page = await database.QueryAsync<AuditLine>(Audit, cancellationToken, importId, after, RowsPerRange);
            await WriteAsync(entry, page.ConvertAll(e => e.Line), cancellationToken);
            if (page.Count < RowsPerRange) return;
            after = page[^1].Id;
        }
    }

    private static async Task WriteAsync(Stream entry, List<string> lines, CancellationToken cancellationToken)
    {
        if (lines.Count > 0) await entry.WriteAsync(Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n"), cancellationToken);
    }

    private sealed record Found(ImportState State, int ManifestId, int LastRow, string? Name);

    private sealed record AuditLine(long Id, string Line);
}
