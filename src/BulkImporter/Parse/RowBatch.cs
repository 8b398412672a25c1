using BulkImporter.Manifests;
using BulkImporter.Sources;

namespace BulkImporter.Parse;

/// <summary>
/// Some thousand rows of a manifest, checked, as what they will be in the database: memory does not grow with the manifest.
/// </summary>
internal sealed class RowBatch(int importId)
{
    private const int MaxRows = 10_000;

    /// <summary>Beyond, no row is added, so that rows with long texts do not make it large; the last one may be.</summary>
    private const int MaxBytes = 4 * 1024 * 1024;

    private readonly CopyRows records = new("importer.import_record",
        "import_id", "row_number", "chunk_number", "line_number", "state", "source_key", "source_url", "caption", "reference_id", "is_push",
        "attempt_count", "attempts_left", "error_code", "error_message", "possibly_duplicated", "finished_at");

    private readonly CopyRows meta = new("importer.record_meta",
        "import_id", "row_number", "description", "long_description", "tags", "related_link_text", "related_link_url", "gallery",
        "fid", "file_name", "old_url", "expected_bytes", "expected_md5", "expected_seconds");

    private readonly CopyRows findings =
        new("importer.finding", "import_id", "row_number", "line_number", "column_name", "code", "severity", "value");

    public int Rows { get; private set; }

    public bool IsFull => Rows >= MaxRows || records.Length + meta.Length + findings.Length >= MaxBytes;

    /// <summary>Chunks that ended with a row of the batch, see <see cref="ChunkCounts"/>.</summary>
    public CopyRows Chunks { get; } = new("importer.import_chunk",
        "import_id", "number", "first_row", "last_row", "state", "due_at", "lease_window", "fence", "unanswered_count", "invalid_count",
        "submitted_count", "imported_count", "failed_count", "unknown_count", "cancelled_count", "duplicate_count");

    /// <summary>Blocks of keys that ended with a row of the batch, see <see cref="KeyBlocks"/>.</summary>
    public CopyRows Keys { get; } = new("importer.source_key_block", "import_id", "first_row", "keys", "generation");

    /// <summary>
    /// Signed links that are not found to run out soon, for a temporary table: whether they last is known when all rows are.
    /// </summary>
    public CopyRows Expiring { get; } = ExpiringLinks.Rows();

    /// <param name="found">What the checks found in it.</param>
    public void Add(in CheckedRow row, int chunkNumber, short attempts, List<Finding> found, DateTimeOffset now)
    {
        Rows++;
        AddRecord(row, chunkNumber, attempts, row.IsBlocked || row.IsImported
            ? found.First(f => f.Severity == FindingSeverity.Error) : null, now);
        if (!row.IsImported && row.HasMeta) AddMeta(row); // of a blocked one too: it may be corrected
        Add(found);
        if (row.ExpiresAt > now && !found.Exists(f => f.Code == FindingCode.UrlExpiresSoon)) AddExpiring(row);
    }

    /// <summary>Adds what was found, of no row.</summary>
    public void Add(List<Finding> found)
    {
        foreach (var finding in found) AddFinding(finding);
    }

    /// <summary>Sends it all, in the caller's transaction, and begins anew.</summary>
    public async Task SendAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        foreach (var rows in (CopyRows[])[records, meta, findings, Chunks, Keys, Expiring])
            await rows.SendAsync(connection, cancellationToken);
        Rows = 0;
    }

    private void AddRecord(in CheckedRow row, int chunkNumber, short attempts, Finding? error, DateTimeOffset now)
    {
        records.StartRow();
        records.Write(importId);
        records.Write(row.RowNumber);
        records.Write(chunkNumber);
        records.Write(checked((int)row.LineNumber));
        records.Write(error is null ? "pending" : row.IsImported ? "duplicate" : "invalid");
        if (row.Key is { } key) records.Write(key.Value);
        else records.WriteNull();
        // A blocked row's address may hold a password: it is shown, so it is stored as the finding shows it. One that only Cincopa cannot
        // fetch may be pushed later.
        records.Write(error is null || (row.IsBlockedForPull && !row.IsImported) ? row.Url : row.Url.Length == 0
            ? null : FindingMask.Mask(row.Url));
        records.Write(row.Caption);
        records.Write(row.ReferenceId);
        records.Write(row.Transfer == Transfer.Push);
        records.Write((short)0);
        records.Write(attempts);
        records.Write(error?.Code.Name());
        records.Write(row.IsImported ? "The manifest is a result file and says that this row is imported." : error?.Hint);
        records.Write(false);
        if (error is null) records.WriteNull();
        else records.Write(now);
    }

    private void AddMeta(in CheckedRow row)
    {
        meta.StartRow();
        meta.Write(importId);
        meta.Write(row.RowNumber);
        meta.Write(row.Description);
        meta.Write(row.LongDescription);
        meta.Write(row.Tags);
        meta.Write(row.RelatedLinkText);
        meta.Write(row.RelatedLinkUrl);
        meta.Write(row.Gallery);
        meta.Write(row.Fid);
        meta.Write(row.Filename);
        meta.Write(row.OldUrl);
        if (row.ExpectedBytes is { } bytes) meta.Write(bytes);
        else meta.WriteNull();
        meta.Write(row.ExpectedMd5);
        if (row.ExpectedSeconds is { } seconds) meta.Write(seconds);
        else meta.WriteNull();
    }

    private void AddFinding(Finding finding)
    {
        findings.StartRow();
        findings.Write(importId);
        findings.Write(finding.RowNumber);
        findings.Write(finding.LineNumber);
        findings.Write(finding.Column);
        findings.Write(finding.Code.Name());
        findings.Write(finding.Severity == FindingSeverity.Error ? "error" : "warning");
        findings.Write(finding.MaskedValue);
    }

    private void AddExpiring(in CheckedRow row)
    {
        Expiring.StartRow();
        Expiring.Write(row.RowNumber);
        Expiring.Write(row.LineNumber);
        Expiring.Write(row.ExpiresAt!.Value);
        Expiring.Write(FindingMask.Mask(row.Url));
    }
}

/// <summary>Cuts the rows of an import into chunks as they come, and counts them.</summary>
internal sealed class ChunkCounts(int importId, int chunkSize, DateTimeOffset now)
{
    private int rows;
    private int pending;
    private int invalid;
    private int duplicate;

    /// <summary>
    /// Counts the next row; a chunk that it fills goes <paramref name="to"/> the others. Returns the number of its chunk, from 1.
    /// </summary>
    public int Add(in CheckedRow row, CopyRows to)
    {
        var number = rows / chunkSize + 1;
        rows++;
        if (row.IsBlocked) invalid++;
        else if (row.IsImported) duplicate++;
        else pending++;
        if (rows % chunkSize == 0) Close(to);
        return number;
    }

    /// <summary>After the last row: the chunk that it did not fill.</summary>
    public void Close(CopyRows to)
    {
        if (pending + invalid + duplicate == 0) return;
        to.StartRow();
        to.Write(importId);
        to.Write((rows - 1) / chunkSize + 1);
        to.Write(rows - pending - invalid - duplicate + 1);
        to.Write(rows);
        to.Write("waiting");
        if (pending == 0) to.WriteNull();
        else to.Write(now);
        to.Write(0);
        to.Write(0L);
        to.Write(pending);
        to.Write(invalid);
        for (var other = 0; other < 5; other++) to.Write(0);
        to.Write(duplicate);
        (pending, invalid, duplicate) = (0, 0, 0);
    }
}

/// <summary>Lays the source keys of the rows into blocks as they come.</summary>
internal sealed class KeyBlocks(int importId)
{
    private readonly byte[] block = new byte[SourceKeyBlock.Rows * SourceKeyBlock.KeySize];
    private int firstRow = 1;
    private int rows;

    /// <summary>Adds the key of the next row, null when it has none; a block that it fills goes <paramref name="to"/> the others.</summary>
    public void Add(SourceKey? key, CopyRows to)
    {
        var place = block.AsSpan(rows * SourceKeyBlock.KeySize, SourceKeyBlock.KeySize);
        if (key is { } known) known.WriteTo(place);
        else place.Clear();
        if (++rows == SourceKeyBlock.Rows) Close(to);
    }

    /// <summary>After the last row: the block that it did not fill.</summary>
    public void Close(CopyRows to)
    {
        if (rows == 0) return;
        to.StartRow();
        to.Write(importId);
        to.Write(firstRow);
        to.Write(block.AsSpan(0, rows * SourceKeyBlock.KeySize));
        to.Write(SourceKey.Generation);
        firstRow += rows;
        rows = 0;
    }
}
