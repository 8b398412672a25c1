using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Telemetry;
using Hangfire;
using Npgsql;
using NpgsqlTypes;

namespace BulkImporter.Manifests;

/// <summary>
/// Stage 2, as a Hangfire job: turns a manifest's rows into records by binary COPY, all in one transaction, so that a crash leaves nothing
/// behind and the job is simply run again. Rows with an error become records too (invalid, duplicate), so that the counts always sum up.
/// </summary>
public sealed class ParseManifest(
    NpgsqlDataSource database, ManifestBytes manifests, RecordTransitions transitions, SourceUrlRules rules, TimeProvider clock, ILogger<ParseManifest> log)
{
    public const string Queue = "parse";

    /// <summary>Rows between two looks at the rest of the world: chunks and findings are written, and the progress is told.</summary>
    private const int RowsPerCheckpoint = 20_000;

    // Held to the end of the transaction: a second job for the same import finds it taken and ends.
    private const string TakeImport = """
        SELECT i.manifest_id, i.mapping, i.chunk_size, i.max_attempts, coalesce(i.first_rows, 2147483647), i.transfer FROM importer.import i
        WHERE i.id = $1 AND i.state = 'parsing' AND pg_try_advisory_xact_lock(hashtext('bulkimporter.parse'), i.id)
        """;

    private const string CopyRecords = """
        COPY importer.import_record (import_id, row_number, chunk_number, line_number, state, source_key, source_url, caption, reference_id, is_push,
            attempt_count, attempts_left, error_code, error_message, possibly_duplicated, finished_at) FROM STDIN (FORMAT binary)
        """;

    private const string CopyMeta = """
        COPY importer.record_meta (import_id, row_number, description, long_description, tags, related_link_text, related_link_url, gallery, fid, file_name)
            FROM STDIN (FORMAT binary)
        """;

    private const string CopyFindings =
        "COPY importer.finding (import_id, row_number, line_number, column_name, code, severity, value) FROM STDIN (FORMAT binary)";

    private const string CopyChunks = """
        COPY importer.import_chunk (import_id, number, first_row, last_row, state, due_at, lease_window, fence, pending_count, invalid_count,
            submitting_count, submitted_count, imported_count, failed_count, unknown_count, cancelled_count, duplicate_count) FROM STDIN (FORMAT binary)
        """;

    // The rows are so new that the planner knows nothing of them and takes them for a handful: it would walk all rows for each row.
    private const string PlanForManyRows = "SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '64MB'";

    private const string NoteDuplicateReferences = """
        INSERT INTO importer.finding (import_id, row_number, line_number, column_name, code, severity, value)
        SELECT $1, r.row_number, r.line_number, $2, 'duplicate_reference_id', 'warning', left(r.reference_id, 120)
        FROM importer.import_record r
        JOIN (
            SELECT reference_id, min(row_number) AS first_row FROM importer.import_record
            WHERE import_id = $1 AND reference_id IS NOT NULL AND state = 'pending'
            GROUP BY reference_id HAVING count(*) > 1
        ) shared ON shared.reference_id = r.reference_id
        WHERE r.import_id = $1 AND r.state = 'pending' AND r.row_number > shared.first_row
        """;

    private const string TellProgress = "UPDATE importer.import SET parsed_rows = $2, parse_queued_at = now() WHERE id = $1 AND state = 'parsing'";

    private const string Finish = """
        UPDATE importer.import
        SET state = CASE WHEN start_when_parsed THEN 'running' ELSE 'review' END, row_count = $2, parsed_rows = $2,
            started_at = CASE WHEN start_when_parsed THEN now() END
        WHERE id = $1 AND state = 'parsing'
        """;

    private const string Reject = """
        UPDATE importer.import SET state = 'rejected', reason = $2, finished_at = now() WHERE id = $1 AND state = 'parsing'
        """;

    /// <param name="title">What a person reads in the dashboard: "Spring catalogue, reading the manifest".</param>
    [JobDisplayName("{1}")]
    [Queue(Queue)]
    public async Task RunAsync(int importId, string title, CancellationToken cancellationToken)
    {
        try
        {
            await ParseAsync(importId, cancellationToken);
        }
        catch (ManifestRejectedException e)
        {
            await database.ExecuteAsync(Reject, cancellationToken, importId, e.Message);
            Log.ManifestRejected(log, importId, e.Message);
        }
        catch (Exception e) when (e is InvalidDataException or FileNotFoundException or OverflowException)
        {
            // The stored bytes are damaged or gone: trying again would end the same way, so a person has to hear of it.
            await database.ExecuteAsync(Reject, cancellationToken, importId, e.Message);
            Log.ManifestRejected(log, importId, e.Message);
        }
    }

    private async Task ParseAsync(int importId, CancellationToken cancellationToken)
    {
        var startedAt = clock.GetTimestamp();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var taken = await connection.QueryAsync(TakeImport,
            r => (ManifestId: r.GetInt32(0), Mapping: r.Text(1), ChunkSize: r.GetInt32(2), Attempts: (short)r.GetInt32(3), MostRows: r.GetInt32(4), Transfer: EnumText<ImportTransfer>.Parse(r.GetString(5))), cancellationToken, importId);
        if (taken is not [var import]) return;
        using var span = Measures.Traces.StartActivity(Spans.Parse, System.Diagnostics.ActivityKind.Consumer);
        span?.SetTag(Spans.ImportId, importId);

        // 1. Rows to records, findings and chunks.
        await using var bytes = await manifests.OpenAsync(import.ManifestId, cancellationToken);
        await using var reader = await ManifestReader.OpenAsync(bytes, import.Mapping is null ? null : ManifestMapping.Parse(import.Mapping), cancellationToken);
        var checks = new ManifestChecks(reader.Layout, rules, clock.GetUtcNow(), import.Transfer);
        var chunks = new ChunkCounts(import.ChunkSize);
        var findings = new List<Finding>();
        var meta = new List<CheckedRow>();
        var (sources, references) = (new SeenBefore(), new SeenBefore());
        var (rows, told) = (0, 0);
        var more = await reader.ReadAsync(cancellationToken);
        while (more)
        {
            await using (var copy = await connection.BeginBinaryImportAsync(CopyRecords, cancellationToken))
            {
                var checkpoint = rows + RowsPerCheckpoint;
                for (; more && rows < checkpoint; more = rows < import.MostRows && await reader.ReadAsync(cancellationToken))
                {
                    rows++;
                    var before = findings.Count;
                    var row = checks.Check(reader.Row, findings);
                    var error = row.IsBlocked ? findings.Skip(before).First(f => f.Severity == FindingSeverity.Error) : null;
                    if (row.Key is { } key) sources.Add(key);
                    if (row.ReferenceId is { } reference) references.Add(reference);
                    if (!row.IsBlocked && row.HasMeta) meta.Add(row);
                    WriteRecord(copy, importId, chunks.Add(row.IsBlocked), row, error, import.Attempts);
                }
                await copy.CompleteAsync(cancellationToken);
            }
            WriteMeta(connection, importId, meta);
            await WriteFindingsAsync(connection, importId, findings, cancellationToken);
            await WriteChunksAsync(connection, importId, chunks.TakeFull(isLast: !more), cancellationToken);
            await database.ExecuteAsync(TellProgress, cancellationToken, importId, rows);
            Measures.ManifestRowsRead(rows - told);
            told = rows;
        }
        if (rows == 0) throw new ManifestRejectedException(RejectionCode.ManifestEmpty, "The manifest has a header and no rows.");

        // 2. What only the whole file shows.
        await connection.ExecuteLongAsync(PlanForManyRows, cancellationToken);
        var duplicates = sources.Maybe
            ? await transitions.DuplicateAsync(connection, importId, reader.Layout.ColumnOf(ManifestColumn.Url), cancellationToken)
            : 0;
        if (references.Maybe)
            await connection.ExecuteLongAsync(NoteDuplicateReferences, cancellationToken, importId, reader.Layout.ColumnOf(ManifestColumn.ReferenceId));

        // 3. Now it is an import. Zero rows: it was cancelled meanwhile, and nothing of this remains.
        if (await connection.ExecuteAsync(Finish, cancellationToken, importId, rows) == 0) return;
        await transaction.CommitAsync(cancellationToken);
        span?.SetTag(Spans.Rows, rows);
        // Until the statistics know of the import, the planner takes its records for one row and reads all of them where it needs a few.
        await connection.ExecuteLongAsync("ANALYZE importer.import_record, importer.import_chunk", cancellationToken);
        Log.ManifestParsed(log, importId, rows, duplicates, clock.GetElapsedTime(startedAt).TotalSeconds);
    }

    // Not asynchronous: a job's thread is there to be blocked, and fifteen awaits a row cost more than the checks.
    private void WriteRecord(NpgsqlBinaryImporter copy, int importId, int chunkNumber, in CheckedRow row, Finding? error, short attempts)
    {
        copy.StartRow();
        copy.Write(importId, NpgsqlDbType.Integer);
        copy.Write(row.RowNumber, NpgsqlDbType.Integer);
        copy.Write(chunkNumber, NpgsqlDbType.Integer);
        copy.Write(checked((int)row.LineNumber), NpgsqlDbType.Integer);
        copy.Write(error is null ? "pending" : "invalid", NpgsqlDbType.Text);
        if (row.Key is { } key) copy.Write(key.Value, NpgsqlDbType.Uuid);
        else copy.WriteNull();
        // A blocked row's address may hold a password: it is shown, so it is stored as the finding shows it.
        WriteText(copy, error is null ? row.Url : row.Url.Length == 0 ? null : FindingMask.Mask(row.Url));
        WriteText(copy, row.Caption);
        WriteText(copy, row.ReferenceId);
        copy.Write(row.Transfer == Transfer.Push, NpgsqlDbType.Boolean);
        copy.Write((short)0, NpgsqlDbType.Smallint);
        copy.Write(attempts, NpgsqlDbType.Smallint);
        WriteText(copy, error?.Code.Name());
        WriteText(copy, error?.Hint);
        copy.Write(false, NpgsqlDbType.Boolean);
        if (error is null) copy.WriteNull();
        else copy.Write(clock.GetUtcNow(), NpgsqlDbType.TimestampTz);
    }

    private static void WriteMeta(NpgsqlConnection connection, int importId, List<CheckedRow> rows)
    {
        if (rows.Count == 0) return;
        using var copy = connection.BeginBinaryImport(CopyMeta);
        foreach (var row in rows)
        {
            copy.StartRow();
            copy.Write(importId, NpgsqlDbType.Integer);
            copy.Write(row.RowNumber, NpgsqlDbType.Integer);
            WriteText(copy, row.Description);
            WriteText(copy, row.LongDescription);
            WriteText(copy, row.Tags);
            WriteText(copy, row.RelatedLinkText);
            WriteText(copy, row.RelatedLinkUrl);
            WriteText(copy, row.Gallery);
            WriteText(copy, row.Fid);
            WriteText(copy, row.Filename);
        }
        copy.Complete();
        rows.Clear();
    }

    private static void WriteText(NpgsqlBinaryImporter copy, string? text)
    {
        if (text is null) copy.WriteNull();
        else copy.Write(text, NpgsqlDbType.Text);
    }

    private static Task WriteTextAsync(NpgsqlBinaryImporter copy, string? text, CancellationToken cancellationToken) =>
        text is null ? copy.WriteNullAsync(cancellationToken) : copy.WriteAsync(text, NpgsqlDbType.Text, cancellationToken);

    private static async Task WriteFindingsAsync(NpgsqlConnection connection, int importId, List<Finding> findings, CancellationToken cancellationToken)
    {
        if (findings.Count == 0) return;
        await using var copy = await connection.BeginBinaryImportAsync(CopyFindings, cancellationToken);
        foreach (var finding in findings)
        {
            await copy.StartRowAsync(cancellationToken);
            await copy.WriteAsync(importId, NpgsqlDbType.Integer, cancellationToken);
            await copy.WriteAsync(finding.RowNumber, NpgsqlDbType.Integer, cancellationToken);
            await copy.WriteAsync(finding.LineNumber, NpgsqlDbType.Bigint, cancellationToken);
            await WriteTextAsync(copy, finding.Column, cancellationToken);
            await copy.WriteAsync(finding.Code.Name(), NpgsqlDbType.Text, cancellationToken);
            await copy.WriteAsync(finding.Severity == FindingSeverity.Error ? "error" : "warning", NpgsqlDbType.Text, cancellationToken);
            await WriteTextAsync(copy, finding.MaskedValue, cancellationToken);
        }
        await copy.CompleteAsync(cancellationToken);
        findings.Clear();
    }

    private async Task WriteChunksAsync(NpgsqlConnection connection, int importId, IReadOnlyList<ChunkCount> chunks, CancellationToken cancellationToken)
    {
        if (chunks.Count == 0) return;
        await using var copy = await connection.BeginBinaryImportAsync(CopyChunks, cancellationToken);
        foreach (var chunk in chunks)
        {
            await copy.StartRowAsync(cancellationToken);
            await copy.WriteAsync(importId, NpgsqlDbType.Integer, cancellationToken);
            await copy.WriteAsync(chunk.Number, NpgsqlDbType.Integer, cancellationToken);
            await copy.WriteAsync(chunk.FirstRow, NpgsqlDbType.Integer, cancellationToken);
            await copy.WriteAsync(chunk.LastRow, NpgsqlDbType.Integer, cancellationToken);
            await copy.WriteAsync("waiting", NpgsqlDbType.Text, cancellationToken);
            if (chunk.Pending == 0) await copy.WriteNullAsync(cancellationToken);
            else await copy.WriteAsync(clock.GetUtcNow(), NpgsqlDbType.TimestampTz, cancellationToken);
            await copy.WriteAsync(0, NpgsqlDbType.Integer, cancellationToken);
            await copy.WriteAsync(0L, NpgsqlDbType.Bigint, cancellationToken);
            await copy.WriteAsync(chunk.Pending, NpgsqlDbType.Integer, cancellationToken);
            await copy.WriteAsync(chunk.Invalid, NpgsqlDbType.Integer, cancellationToken);
            for (var other = 0; other < 7; other++) await copy.WriteAsync(0, NpgsqlDbType.Integer, cancellationToken);
        }
        await copy.CompleteAsync(cancellationToken);
    }
}

/// <summary>A chunk as it is first written.</summary>
internal readonly record struct ChunkCount(int Number, int FirstRow, int LastRow, int Pending, int Invalid);

/// <summary>Cuts the rows of an import into chunks as they come, and counts them.</summary>
internal sealed class ChunkCounts(int chunkSize)
{
    private readonly List<ChunkCount> full = [];
    private int rows;
    private int pending;
    private int invalid;

    /// <summary>Counts the next row. Answers the number of its chunk, from 1.</summary>
    public int Add(bool isInvalid)
    {
        var number = rows / chunkSize + 1;
        rows++;
        if (isInvalid) invalid++;
        else pending++;
        if (rows % chunkSize == 0) Close();
        return number;
    }

    /// <summary>The chunks that are full, each once; with the last rows also the one that is not.</summary>
    public IReadOnlyList<ChunkCount> TakeFull(bool isLast)
    {
        if (isLast && pending + invalid > 0) Close();
        ChunkCount[] taken = [.. full];
        full.Clear();
        return taken;
    }

    private void Close()
    {
        full.Add(new((rows - 1) / chunkSize + 1, rows - pending - invalid + 1, rows, pending, invalid));
        (pending, invalid) = (0, 0);
    }
}
