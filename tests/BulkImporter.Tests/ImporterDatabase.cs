using BulkImporter.Accounts;
using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Records;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace BulkImporter.Tests;

/// <summary>
/// A database of a test class with what the tests of operations put into it, in plain SQL: no operation under test prepares its own case.
/// </summary>
public sealed class ImporterDatabase(TestServer server) : IAsyncLifetime
{
    private readonly TestDatabase database = new(server);

    public NpgsqlDataSource Source { get; private set; } = null!;

    /// <summary>As the product makes them.</summary>
    public IDbContextFactory<ImporterDb> Contexts { get; private set; } = null!;

    public string ConnectionString => database.ConnectionString;

    public async ValueTask InitializeAsync()
    {
        await database.InitializeAsync();
        Source = DataSetup.CreateDataSource(database.ConnectionString);
        Contexts = Source.Contexts();
        await AddAsync(
            Budgeted(new Account
            { Name = "default", BaseUrl = "http://127.0.0.1:9/v2/", TokenProtected = "nothing", CreatedAt = Now, UpdatedAt = Now },
                    room: null));
    }

    /// <summary>An account and what is left of its budgets.</summary>
    internal static object[] Budgeted(Account account, int? room) =>
    [
        account,
        new CallBudget { Account = account, Kind = CallKind.Submit, NextAt = Now, BacklogRoom = room },
        new CallBudget { Account = account, Kind = CallKind.Status, NextAt = Now },
    ];

    private static DateTimeOffset Now => DateTimeOffset.UtcNow;

    public async ValueTask DisposeAsync()
    {
        if (Source is not null) await Source.DisposeAsync();
        await database.DisposeAsync();
    }

    /// <summary>Puts rows in.</summary>
    public async Task AddAsync(params object[] entities)
    {
        await using var db = Contexts.CreateDbContext();
        db.AddRange(entities);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
    }

    public Task<int> SqlAsync(string sql, params object?[] parameters) =>
        Source.ExecuteAsync(sql, TestContext.Current.CancellationToken, parameters);

    public async Task<T> OneAsync<T>(string sql, params object?[] parameters) =>
        (await Source.QueryAsync(sql, r => r.GetFieldValue<T>(0), TestContext.Current.CancellationToken, parameters))[0];

    public async Task<T?> MaybeAsync<T>(string sql, params object?[] parameters) where T : class =>
        (await Source.QueryAsync(sql, r => r.IsDBNull(0)
            ? null : r.GetFieldValue<T>(0), TestContext.Current.CancellationToken, parameters))[0];

    public Task<string> StateAsync(int importId) => OneAsync<string>("SELECT state FROM importer.import WHERE id = $1", importId);

    /// <summary>Records by state as the chunks count them, e.g. "failed 2, pending 1".</summary>
    public async Task<string> CountsAsync(int importId)
    {
        await using var db = Contexts.CreateDbContext();
        var counted = await ReadRecords.CountByStateAsync(db, importId, RecordFilter.All, TestContext.Current.CancellationToken);
        var real = await ReadRecords.CountByStateAsync(db, importId, new RecordFilter
        { Search = "", RowNumbers = [.. Enumerable.Range(1, 10_000)] }, TestContext.Current.CancellationToken);
        Assert.Equal(real.OrderBy(c => c.Key), counted.OrderBy(c => c.Key));
        return string.Join(", ", counted.OrderBy(c => c.Key).Select(c => $"{EnumText<RecordState>.Of(c.Key)} {c.Value}"));
    }

    /// <summary>An import with one record per given state, in chunks of <paramref name="chunkSize"/>.</summary>
    public async Task<int> ImportAsync(ImportState state, RecordState[] records, int chunkSize = 3)
    {
        var parsed = records.Length > 0;
        var id = await OneAsync<int>("""
            WITH m AS (
                INSERT INTO importer.manifest (file_name, sha256, size_bytes, created_at, received_at)
                    VALUES ('library.csv', sha256(random()::text::bytea), 10, now(), now()) RETURNING id)
            INSERT INTO importer.import (name, account_id, manifest_id, state, start_when_parsed, chunk_size, max_attempts, when_unknown,
                priority, row_count,
                parsed_rows, breaker_finished_base, breaker_failed_base, created_by, created_at, finished_at)
            SELECT 'Library', a.id, m.id, $1, false, $2, 5, 'hold', 0, $3, 0, 0, 0, 'test', now(), CASE
                WHEN $1 IN ('finished', 'cancelled', 'rejected', 'deleting') THEN now() END
            FROM m, importer.account a WHERE a.name = 'default' RETURNING id
            """, EnumText<ImportState>.Of(state), chunkSize, parsed ? records.Length : null);
        var states = records.Select(EnumText<RecordState>.Of).ToArray();
        await SqlAsync("""
            INSERT INTO importer.import_record (import_id, row_number, chunk_number, line_number, state, source_url, caption, reference_id,
                attempt_count, attempts_left,
                status_id, rid, error_code, error_message, possibly_duplicated, submitted_at, finished_at)
            SELECT $1, n, (n - 1) / $3 + 1, n + 1, s, 'https://media.example/' || n || '.mp4', 'Clip ' || n, 'ref-' || n,
                CASE WHEN s IN ('pending', 'invalid', 'duplicate', 'cancelled') THEN 0 ELSE 1 END, CASE WHEN s = 'failed' THEN 0 ELSE 4 END,
                CASE WHEN s IN ('submitted', 'imported') THEN 'st-' || n END, CASE WHEN s = 'imported' THEN 'rid' || n END,
                CASE s WHEN 'failed' THEN 'source_not_found' WHEN 'unknown' THEN 'reply_timeout' WHEN 'invalid' THEN 'url_missing' END,
                CASE WHEN s IN ('failed', 'unknown') THEN 'It did not work.' END, false, NULL,
                CASE WHEN s NOT IN ('pending', 'submitting', 'submitted') THEN now() END
            FROM unnest($2::text[]) WITH ORDINALITY AS r(s, n)
            """, id, states, chunkSize);
        await SqlAsync("""
            INSERT INTO importer.import_chunk (import_id, number, first_row, last_row, state, lease_window, fence, pending_count,
                submitting_count, submitted_count,
                imported_count, failed_count, unknown_count, cancelled_count, invalid_count, duplicate_count)
            SELECT import_id, chunk_number, min(row_number), max(row_number), 'waiting', 0, 0,
                count(*) FILTER (WHERE state = 'pending'), count(*) FILTER (WHERE state = 'submitting'),
                    count(*) FILTER (WHERE state = 'submitted'),
                count(*) FILTER (WHERE state = 'imported'), count(*) FILTER (WHERE state = 'failed'),
                    count(*) FILTER (WHERE state = 'unknown'),
                count(*) FILTER (WHERE state = 'cancelled'), count(*) FILTER (WHERE state = 'invalid'),
                    count(*) FILTER (WHERE state = 'duplicate')
            FROM importer.import_record WHERE import_id = $1 GROUP BY import_id, chunk_number
            """, id);
        await SqlAsync("""
            INSERT INTO importer.chunk_failure (import_id, chunk_number, code, count)
            SELECT import_id, chunk_number, error_code, count(*) FROM importer.import_record
            WHERE import_id = $1 AND state IN ('failed', 'unknown') GROUP BY import_id, chunk_number, error_code
            """, id);
        return id;
    }
}
