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
    private const int RowsPerCheckpoint = 5_000;

    // Held to the end of the transaction: a second job for the same import finds it taken and ends.
    private const string TakeImport = """
        SELECT i.manifest_id, i.mapping, i.chunk_size, i.max_attempts, coalesce(i.first_rows, 2147483647), i.encoding, i.already_imported, i.account_id, i.transfer, i.duplicate_rows
        FROM importer.import i
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

    private static readonly string NoteDuplicateReferences = $"""
        INSERT INTO importer.finding (import_id, row_number, line_number, column_name, code, severity, value, other_row)
        SELECT $1, r.row_number, r.line_number, $2, 'duplicate_reference_id', 'warning', {RecordTransitions.Masked("r.reference_id")}, shared.first_row
        FROM importer.import_record r
        JOIN (
            SELECT reference_id, min(row_number) AS first_row FROM importer.import_record
            WHERE import_id = $1 AND reference_id IS NOT NULL AND state = 'pending'
            GROUP BY reference_id HAVING count(*) > 1
        ) shared ON shared.reference_id = r.reference_id
        WHERE r.import_id = $1 AND r.state = 'pending' AND r.row_number > shared.first_row
        """;

    private const string CopyKeys = "COPY importer.source_key_block (import_id, first_row, keys) FROM STDIN (FORMAT binary)";

    private const string MakeExpiring = """
        CREATE TEMP TABLE expiring (row_number int NOT NULL, line_number bigint NOT NULL, expires_at timestamptz NOT NULL, value text NOT NULL) ON COMMIT DROP
        """;

    /// <summary>
    /// Signed links that run out before the import's estimated end: what waits before it in the account and its own rows, at the account's limit
    /// or, when it has none or was slower, at the speed of its last import of some size; stretched to the hours in which it may send.
    /// </summary>
    private const string NoteExpiring = """
        INSERT INTO importer.finding (import_id, row_number, line_number, column_name, code, severity, value)
        SELECT $1, e.row_number, e.line_number, $2, 'url_expires_soon', 'warning', e.value
        FROM expiring e
        JOIN importer.import_record r ON r.import_id = $1 AND r.row_number = e.row_number AND r.state = 'pending'
        WHERE e.expires_at <= (
            SELECT coalesce(importer.opens_at(i.start_at, i.window_from, i.window_until, i.window_zone), now())
                + make_interval(secs => least(3e9, (
                    (SELECT count(*) FROM importer.import_record p WHERE p.import_id = $1 AND p.state = 'pending')
                    + (SELECT coalesce(sum(c.pending_count), 0) FROM importer.import o JOIN importer.import_chunk c ON c.import_id = o.id
                       WHERE o.account_id = i.account_id AND o.id <> i.id AND o.state IN ('running', 'paused'))
                    ) / speed.per_second
                    * CASE WHEN i.window_zone IS NULL THEN 1
                           ELSE 86400 / extract(epoch FROM i.window_until - i.window_from + CASE WHEN i.window_until < i.window_from THEN interval '1 day' ELSE interval '0' END) END))
            FROM importer.import i JOIN importer.account a ON a.id = i.account_id
            CROSS JOIN LATERAL (
                SELECT least(nullif(a.submit_rate, 0), (
                    SELECT l.row_count / extract(epoch FROM l.finished_at - l.started_at)::float8 FROM importer.import l
                    WHERE l.account_id = a.id AND l.state = 'finished' AND l.row_count >= 1000 AND l.finished_at > l.started_at AND l.window_zone IS NULL AND l.start_at IS NULL
                    ORDER BY l.finished_at DESC LIMIT 1)) AS per_second) speed
            WHERE i.id = $1 AND speed.per_second > 0)
        """;

    private const string TellProgress = "UPDATE importer.import SET parsed_rows = $2, parse_queued_at = now() WHERE id = $1 AND state = 'parsing'";

    private const string Finish = """
        UPDATE importer.import
        SET state = CASE WHEN start_when_parsed THEN 'running' ELSE 'review' END, row_count = $2, parsed_rows = $2,
            started_at = CASE WHEN start_when_parsed THEN clock_timestamp() END, checked_at = clock_timestamp(), mapping = $3,
            template = CASE WHEN $4::text IS NOT NULL THEN $4 WHEN mapping IS NOT DISTINCT FROM $3 THEN template END
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
            r => (ManifestId: r.GetInt32(0), Mapping: r.Text(1), ChunkSize: r.GetInt32(2), Attempts: (short)r.GetInt32(3), MostRows: r.GetInt32(4),
                Encoding: r.Text(5), SkipImported: EnumText<WhenDuplicate>.Parse(r.GetString(6)) == WhenDuplicate.Skip, AccountId: r.GetInt32(7), Transfer: EnumText<ImportTransfer>.Parse(r.GetString(8)),
                SkipRepeated: EnumText<WhenDuplicate>.Parse(r.GetString(9)) == WhenDuplicate.Skip), cancellationToken, importId);
        if (taken is not [var import]) return;
        using var span = Measures.Traces.StartActivity(Spans.Parse, System.Diagnostics.ActivityKind.Consumer);
        span?.SetTag(Spans.ImportId, importId);

        // 1. Rows to records, findings and chunks.
        await using var bytes = await manifests.OpenAsync(import.ManifestId, cancellationToken);
        FoundTemplate? template = null;
        var how = ManifestReading.Of(import.Mapping, import.Encoding) with
        {
            TemplateFor = async columns =>
            {
                template = await FoundTemplate.ForAsync(connection, import.AccountId, columns, cancellationToken);
                return template is null ? null : ManifestMapping.Parse(template.Mapping);
            },
        };
        await using var reader = await ManifestReader.OpenAsync(bytes, how, cancellationToken);
        var now = clock.GetUtcNow();
        var checks = new ManifestChecks(reader.Layout, rules, now, import.Transfer, import.SkipImported);
        var chunks = new ChunkCounts(import.ChunkSize);
        var findings = new List<Finding>();
        var meta = new List<CheckedRow>();
        var keys = new KeyBlocks();
        var expiring = new List<CheckedRow>();
        var anyExpiring = false;
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
                    var error = row.IsBlocked || row.IsImported ? findings.Skip(before).First(f => f.Severity == FindingSeverity.Error) : null;
                    keys.Add(row.Key);
                    if (row.Key is { } key) sources.Add(key);
                    if (row.ReferenceId is { } reference) references.Add(reference);
                    if (!row.IsImported && row.HasMeta) meta.Add(row); // of a blocked one too: it may be corrected
                    if (row.ExpiresAt > now && findings.FindIndex(before, f => f.Code == FindingCode.UrlExpiresSoon) < 0) expiring.Add(row);
                    WriteRecord(copy, importId, chunks.Add(row), row, error, import.Attempts);
                }
                await copy.CompleteAsync(cancellationToken);
            }
            WriteMeta(connection, importId, meta);
            await WriteFindingsAsync(connection, importId, findings, cancellationToken);
            await WriteKeysAsync(connection, importId, keys.TakeFull(isLast: !more), cancellationToken);
            if (expiring.Count > 0)
            {
                if (!anyExpiring) await connection.ExecuteAsync(MakeExpiring, cancellationToken);
                anyExpiring = true;
                await WriteExpiringAsync(connection, expiring, cancellationToken);
            }
            await WriteChunksAsync(connection, importId, chunks.TakeFull(isLast: !more), cancellationToken);
            await database.ExecuteAsync(TellProgress, cancellationToken, importId, rows);
            Measures.ManifestRowsRead(rows - told);
            told = rows;
        }
        if (rows == 0) throw new ManifestRejectedException(RejectionCode.ManifestEmpty, "The manifest has a header and no rows.");

        // 2. What only the whole file shows.
        await connection.ExecuteLongAsync(PlanForManyRows, cancellationToken);
        var duplicates = import.SkipRepeated && sources.Maybe
            ? await transitions.DuplicateAsync(connection, importId, reader.Layout.ColumnOf(ManifestColumn.Url), cancellationToken)
            : 0;
        var earlier = import.SkipImported
            ? await EarlierSources.MarkAsync(connection, importId, import.AccountId, sources, reader.Layout.ColumnOf(ManifestColumn.Url), transitions, cancellationToken)
            : 0;
        if (references.Maybe)
            await connection.ExecuteLongAsync(NoteDuplicateReferences, cancellationToken, importId, reader.Layout.ColumnOf(ManifestColumn.ReferenceId));
        if (anyExpiring)
            await connection.ExecuteLongAsync(NoteExpiring, cancellationToken, importId, reader.Layout.ColumnOf(ManifestColumn.Url));

        // 3. Now it is an import. Zero rows: it was cancelled meanwhile, and nothing of this remains.
        if (await connection.ExecuteAsync(Finish, cancellationToken, importId, rows, import.Mapping ?? template?.Mapping, template?.Name) == 0) return;
        await transaction.CommitAsync(cancellationToken);
        span?.SetTag(Spans.Rows, rows);
        // Until the statistics know of the import, the planner takes its records for one row and reads all of them where it needs a few.
        await connection.ExecuteLongAsync("ANALYZE importer.import_record, importer.import_chunk", cancellationToken);
        Log.ManifestParsed(log, importId, rows, duplicates + earlier, clock.GetElapsedTime(startedAt).TotalSeconds);
    }

    // Not asynchronous: a job's thread is there to be blocked, and fifteen awaits a row cost more than the checks.
    private void WriteRecord(NpgsqlBinaryImporter copy, int importId, int chunkNumber, in CheckedRow row, Finding? error, short attempts)
    {
        copy.StartRow();
        copy.Write(importId, NpgsqlDbType.Integer);
        copy.Write(row.RowNumber, NpgsqlDbType.Integer);
        copy.Write(chunkNumber, NpgsqlDbType.Integer);
        copy.Write(checked((int)row.LineNumber), NpgsqlDbType.Integer);
        copy.Write(error is null ? "pending" : row.IsImported ? "duplicate" : "invalid", NpgsqlDbType.Text);
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
        WriteText(copy, row.IsImported ? "The manifest is a result file and says that this row is imported." : error?.Hint);
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

    private static async Task WriteKeysAsync(NpgsqlConnection connection, int importId, IReadOnlyList<(int FirstRow, byte[] Keys)> blocks, CancellationToken cancellationToken)
    {
        if (blocks.Count == 0) return;
        await using var copy = await connection.BeginBinaryImportAsync(CopyKeys, cancellationToken);
        foreach (var (firstRow, block) in blocks)
        {
            await copy.StartRowAsync(cancellationToken);
            await copy.WriteAsync(importId, NpgsqlDbType.Integer, cancellationToken);
            await copy.WriteAsync(firstRow, NpgsqlDbType.Integer, cancellationToken);
            await copy.WriteAsync(block, NpgsqlDbType.Bytea, cancellationToken);
        }
        await copy.CompleteAsync(cancellationToken);
    }

    private static async Task WriteExpiringAsync(NpgsqlConnection connection, List<CheckedRow> rows, CancellationToken cancellationToken)
    {
        await using var copy = await connection.BeginBinaryImportAsync("COPY expiring (row_number, line_number, expires_at, value) FROM STDIN (FORMAT binary)", cancellationToken);
        foreach (var row in rows)
        {
            await copy.StartRowAsync(cancellationToken);
            await copy.WriteAsync(row.RowNumber, NpgsqlDbType.Integer, cancellationToken);
            await copy.WriteAsync(row.LineNumber, NpgsqlDbType.Bigint, cancellationToken);
            await copy.WriteAsync(row.ExpiresAt!.Value.ToUniversalTime(), NpgsqlDbType.TimestampTz, cancellationToken);
            await copy.WriteAsync(FindingMask.Mask(row.Url), NpgsqlDbType.Text, cancellationToken);
        }
        await copy.CompleteAsync(cancellationToken);
        rows.Clear();
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
            for (var other = 0; other < 6; other++) await copy.WriteAsync(0, NpgsqlDbType.Integer, cancellationToken);
            await copy.WriteAsync(chunk.Duplicate, NpgsqlDbType.Integer, cancellationToken);
        }
        await copy.CompleteAsync(cancellationToken);
    }
}

/// <summary>A chunk as it is first written.</summary>
internal readonly record struct ChunkCount(int Number, int FirstRow, int LastRow, int Pending, int Invalid, int Duplicate);

/// <summary>Cuts the rows of an import into chunks as they come, and counts them.</summary>
internal sealed class ChunkCounts(int chunkSize)
{
    private readonly List<ChunkCount> full = [];
    private int rows;
    private int pending;
    private int invalid;
    private int duplicate;

    /// <summary>Counts the next row. Answers the number of its chunk, from 1.</summary>
    public int Add(in CheckedRow row)
    {
        var number = rows / chunkSize + 1;
        rows++;
        if (row.IsBlocked) invalid++;
        else if (row.IsImported) duplicate++;
        else pending++;
        if (rows % chunkSize == 0) Close();
        return number;
    }

    /// <summary>The chunks that are full, each once; with the last rows also the one that is not.</summary>
    public IReadOnlyList<ChunkCount> TakeFull(bool isLast)
    {
        if (isLast && pending + invalid + duplicate > 0) Close();
        ChunkCount[] taken = [.. full];
        full.Clear();
        return taken;
    }

    private void Close()
    {
        full.Add(new((rows - 1) / chunkSize + 1, rows - pending - invalid - duplicate + 1, rows, pending, invalid, duplicate));
        (pending, invalid, duplicate) = (0, 0, 0);
    }
}

/// <summary>Lays the source keys of the rows into blocks as they come.</summary>
internal sealed class KeyBlocks
{
    private readonly List<(int FirstRow, byte[] Keys)> full = [];
    private byte[] block = new byte[SourceKeyBlock.Rows * SourceKeyBlock.KeySize];
    private int firstRow = 1;
    private int rows;

    /// <summary>The key of the next row, null when it has none.</summary>
    public void Add(SourceKey? key)
    {
        key?.WriteTo(block.AsSpan(rows * SourceKeyBlock.KeySize));
        if (++rows == SourceKeyBlock.Rows) Close();
    }

    /// <summary>The blocks that are full, each once; with the last rows also the one that is not.</summary>
    public IReadOnlyList<(int FirstRow, byte[] Keys)> TakeFull(bool isLast)
    {
        if (isLast && rows > 0) Close();
        (int, byte[])[] taken = [.. full];
        full.Clear();
        return taken;
    }

    private void Close()
    {
        full.Add((firstRow, rows == SourceKeyBlock.Rows ? block : block[..(rows * SourceKeyBlock.KeySize)]));
        block = new byte[block.Length];
        firstRow += rows;
        rows = 0;
    }
}
