using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Records;
using BulkImporter.Sources;
using BulkImporter.Telemetry;
using Hangfire;

namespace BulkImporter.Parse;

/// <summary>
/// Stage 2, as a Hangfire job: turns a manifest's rows into records by binary COPY, all in one transaction, so that a crash leaves nothing
/// behind and the job is simply run again. Rows with an error become records too (invalid, duplicate), so that the counts always sum up.
/// </summary>
public sealed class ParseManifest(
    NpgsqlDataSource database, ManifestBytes manifests, RecordTransitions transitions, SourceUrlRules rules, TimeProvider clock,
    ILogger<ParseManifest> log)
{
    public const string Queue = "parse";

    /// <summary>
    /// The most rows that one import takes, some 20 GB of database; those behind are left out, with a finding. A test has fewer.
    /// </summary>
    internal int MaxRows { get; init; } = 20_000_000;

    // Held to the end of the transaction: a second job for the same import finds it taken and ends.
    private const string TakeImport = """
        SELECT i.manifest_id, i.mapping, i.chunk_size, i.max_attempts AS attempts, coalesce(i.first_rows, 2147483647) AS most_rows,
            i.encoding, i.sheet,
            i.already_imported = 'skip' AS skip_imported, i.account_id, i.transfer, i.duplicate_rows = 'skip' AS skip_repeated,
            i.match_by, i.links_as_written
        FROM importer.import i
        WHERE i.id = $1 AND i.state = 'parsing' AND pg_try_advisory_xact_lock(hashtext('bulkimporter.parse'), i.id)
        """;

    // The rows are so new that the planner knows nothing of them and takes them for a handful: it would walk all rows for each row.
    private const string PlanForManyRows = "SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '64MB'";

    private static readonly string NoteDuplicateReferences = $"""
        {StoredFinding.Insert}
        SELECT $1, r.row_number, r.line_number, $2, 'duplicate_reference_id', 'warning', {RecordTransitions.Masked("r.reference_id")},
            shared.first_row, NULL
        FROM importer.import_record r
        JOIN (
            SELECT reference_id, min(row_number) AS first_row FROM importer.import_record
            WHERE import_id = $1 AND reference_id IS NOT NULL AND state = 'pending'
            GROUP BY reference_id HAVING count(*) > 1
        ) shared ON shared.reference_id = r.reference_id
        WHERE r.import_id = $1 AND r.state = 'pending' AND r.row_number > shared.first_row
        """;

    private static readonly TimeSpan WatchEvery = TimeSpan.FromSeconds(0.5);

    /// <summary>
    /// Readings that fail in a way that nobody foresaw before the import is rejected: enough for what a restart or a repair within a
    /// quarter of an hour cures.
    /// </summary>
    private const int MostTries = 5;

    /// <summary>The same where the database was in the way, which says nothing about the manifest: some hours.</summary>
    private const int MostTriesOfTheDatabase = 20;

    /// <param name="title">What a person reads in the dashboard: "Spring catalogue, reading the manifest".</param>
    [JobDisplayName("{1}")]
    [Queue(Queue)]
    public async Task RunAsync(int importId, string title, CancellationToken cancellationToken)
    {
        try
        {
            await database.OnConnectionAsync(connection => ParseAsync(connection, importId, cancellationToken), cancellationToken);
        }
        catch (Exception e) when (e is ManifestRejectedException or InvalidDataException or FileNotFoundException or OverflowException)
        {
            // Rejected, or the stored bytes are damaged or gone: trying again would end the same way, so a person has to hear of it.
            await database.ExecuteAsync(
                ImportTransitions.Rejected, cancellationToken, importId, e.Message, (e as ManifestRejectedException)?.Encoding);
            Log.ManifestRejected(log, importId, e.Message);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // Hangfire shows the job as failed; QueueParsing enqueues the next try.
            Measures.LoopFailed("parse", "item", 1);
            var tries = await database.QueryAsync<int>(ImportTransitions.ParseFailed, CancellationToken.None, importId, e.Reason(),
                e.MayPass() ? MostTriesOfTheDatabase : MostTries);
            Log.ParseFailed(log, importId, tries.SingleOrDefault(), e);
            throw;
        }
    }

    private async Task ParseAsync(NpgsqlConnection connection, int importId, CancellationToken cancellationToken)
    {
        var startedAt = clock.GetTimestamp();
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var taken = await connection.QueryAsync<Taken>(TakeImport, cancellationToken, importId);
        if (taken is not [var import]) return;
        using var span = Measures.Traces.StartActivity(Spans.Parse, System.Diagnostics.ActivityKind.Consumer);
        span?.SetTag(Spans.ImportId, importId);

        // 1. Rows to records, findings and chunks: while the database takes one batch, the next is read.
        await using var bytes = await manifests.OpenAsync(import.ManifestId, cancellationToken);
        FoundTemplate? template = null;
        var how = ManifestReading.Of(import.Mapping, import.Encoding, import.Sheet) with
        {
            TemplateFor = async columns =>
            {
                template = await FoundTemplate.ForAsync(connection, import.AccountId, columns, cancellationToken);
                return template is null ? null : ManifestMapping.Parse(template.Mapping);
            },
        };
        await using var reader = await ManifestReader.OpenAsync(bytes, how, cancellationToken);
        var now = clock.GetUtcNow();
        var checks = new ManifestChecks(reader.Layout, rules, now, import.Transfer, import.SkipImported, import.LinksAsWritten, log);
        var corrected = CorrectedField.ByRow(
            await connection.QueryAsync<CorrectedField>(Correction.Latest, cancellationToken, importId, 1, int.MaxValue));
        var (chunks, keys) = (new ChunkCounts(importId, import.ChunkSize, now), new KeyBlocks(importId));
        var (sources, references) = (new SeenBefore(), new SeenBefore());
        var findings = new List<Finding>();
        var (batch, spare) = (new RowBatch(importId), new RowBatch(importId));
        var writing = Task.CompletedTask;
        var rows = 0;
        var anyExpiring = false;
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watching = WatchAsync(importId, () => rows, reading);
        try
        {
            var more = await reader.ReadAsync(reading.Token);
            while (more)
            {
                for (; more && !batch.IsFull; more = rows < import.MostRows && await reader.ReadAsync(reading.Token))
                {
                    if (rows == MaxRows)
                    {
                        findings.Add(new(0, reader.Row.LineNumber, null, null, FindingCode.RowsLeftOut));
                        batch.Add(findings);
                        findings.Clear();
                        more = false;
                        break;
                    }
                    rows++;
                    if (corrected.TryGetValue(reader.Row.RowNumber, out var values)) reader.Row.Correct(values);
                    var row = checks.Check(reader.Row, findings);
                    batch.Add(row, chunks.Add(row, batch.Chunks), import.Attempts, findings, now);
                    keys.Add(row.Key, batch.Keys);
                    if (row.Key is { } key) sources.Add(key);
                    if (row.ReferenceId is { } reference) references.Add(reference);
                    findings.Clear();
                }
                if (!more)
                {
                    chunks.Close(batch.Chunks);
                    keys.Close(batch.Keys);
                }
                anyExpiring |= batch.Expiring.Length > 0;
                await writing;
                writing = WriteAsync(connection, importId, batch, rows, cancellationToken);
                (batch, spare) = (spare, batch);
            }
            await writing;
        }
        catch (OperationCanceledException) when (reading.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            await watching;
            return; // the import was cancelled
        }
        finally
        {
            await reading.CancelAsync();
            await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // When reading failed, the connection must not be left in the middle of a write; how that ends does not matter any more.
            await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        if (rows == 0) throw new ManifestRejectedException(RejectionCode.ManifestEmpty, "The manifest has a header but no rows.");

        // 2. What only the whole file shows.
        await connection.ExecuteLongAsync(PlanForManyRows, cancellationToken);
        var identity = new RowIdentity(import.MatchBy != RowMatch.ReferenceId, import.MatchBy != RowMatch.Url,
            reader.Layout.ColumnOf(ManifestColumn.Url), reader.Layout.ColumnOf(ManifestColumn.ReferenceId));
        var duplicates = import.SkipRepeated && sources.Maybe
            ? await transitions.DuplicateAsync(connection, importId, identity, byReference: false, cancellationToken)
            : 0;
        if (import.SkipRepeated && identity.ByReferenceId && references.Maybe)
            duplicates += await transitions.DuplicateAsync(connection, importId, identity, byReference: true, cancellationToken);
        var earlier = import.SkipImported
            ? await EarlierSources.MarkAsync(
                database, connection, importId, import.AccountId, sources, identity, transitions, cancellationToken)
            : 0;
        if (references.Maybe)
            await connection.ExecuteLongAsync(NoteDuplicateReferences, cancellationToken, importId, identity.ReferenceColumn);
        if (anyExpiring)
            await ExpiringLinks.NoteAsync(connection, importId, identity.UrlColumn, cancellationToken);

        // 3. Now it is an import. Zero rows: it was cancelled meanwhile, and nothing of this remains.
        if (await connection.ExecuteAsync(ImportTransitions.Parsed, cancellationToken, importId, rows, import.Mapping
            ?? template?.Mapping, template?.Name) == 0) return;
        await connection.ExecuteLongAsync(ImportTransitions.HoldRest, cancellationToken, importId);
        if (earlier > 0 && await connection.QueryAsync<int>(ImportTransitions.IsRunning, cancellationToken, importId) is [_])
            await transitions.RenewedAsync(connection, importId, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        span?.SetTag(Spans.Rows, rows);
        await AnalyzeAsync(connection, cancellationToken);
        Log.ManifestParsed(log, importId, rows, duplicates + earlier, clock.GetElapsedTime(startedAt).TotalSeconds);
    }

    /// <summary>
    /// Until the statistics know of the import, the planner takes its records for one row and reads all of them where it needs a few. A
    /// third of the usual sample tells how many there are as well, in a third of the time; autovacuum takes a whole one when it comes.
    /// </summary>
    private static async Task AnalyzeAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync("SET LOCAL default_statistics_target = 30", cancellationToken);
        await connection.ExecuteLongAsync("ANALYZE importer.import_record, importer.import_chunk", cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>
    /// Tells the progress while rows are long in coming, and ends the reading once the import is not to be parsed any more.
    /// </summary>
    private async Task WatchAsync(int importId, Func<int> rows, CancellationTokenSource reading)
    {
        using var timer = new PeriodicTimer(WatchEvery, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(reading.Token)
                && await database.ExecuteAsync(ImportTransitions.ParseWentOn, reading.Token, importId, rows()) > 0)
            {
            }
        }
        finally
        {
            await reading.CancelAsync();
        }
    }

    /// <summary>
    /// Writes a batch, and meanwhile tells the progress from another connection, because nothing of this transaction can be seen.
    /// </summary>
    /// <param name="rows">The rows read so far, those of the batch included.</param>
    private async Task WriteAsync(NpgsqlConnection connection, int importId, RowBatch batch, int rows, CancellationToken cancellationToken)
    {
        if (batch.Expiring.Length > 0) await ExpiringLinks.MakeAsync(connection, cancellationToken);
        Measures.ManifestRowsRead(batch.Rows);
        await Task.WhenAll(batch.SendAsync(connection, cancellationToken),
            database.ExecuteAsync(ImportTransitions.ParseWentOn, cancellationToken, importId, rows));
    }

    private sealed record Taken(
        int ManifestId, string? Mapping, int ChunkSize, short Attempts, int MostRows, string? Encoding, string? Sheet,
        bool SkipImported, int AccountId, ImportTransfer Transfer, bool SkipRepeated, RowMatch MatchBy, string? LinksAsWritten);
}
