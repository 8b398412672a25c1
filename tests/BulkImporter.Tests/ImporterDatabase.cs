using System.Security.Cryptography;
using BulkImporter.Accounts;
using BulkImporter.Data;
using BulkImporter.Finish;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Reconcile;
using BulkImporter.Records;
using BulkImporter.Status;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace BulkImporter.Tests;

/// <summary>
/// A database of a test class with what the tests of operations put into it, row by row: no operation under test prepares its own case.
/// </summary>
public sealed class ImporterDatabase(TestServer server) : IAsyncLifetime
{
    private readonly TestDatabase database = new(server);

    public NpgsqlDataSource Source { get; private set; } = null!;

    /// <summary>The account of every import here.</summary>
    public int AccountId { get; private set; }

    /// <summary>As the product makes them.</summary>
    public IDbContextFactory<ImporterDb> Contexts { get; private set; } = null!;

    public string ConnectionString => database.ConnectionString;

    public async ValueTask InitializeAsync()
    {
        await database.InitializeAsync();
        Source = DataSetup.CreateDataSource(database.ConnectionString);
        Contexts = Source.Contexts();
        var account = Account("default");
        await AddAsync(Budgeted(account, room: null));
        AccountId = account.Id;
    }

    internal static Account Account(string name) =>
        new() { Name = name, BaseUrl = "http://127.0.0.1:9/v2/", TokenProtected = "nothing", CreatedAt = Now, UpdatedAt = Now };

    /// <summary>An account and what is left of its budgets.</summary>
    internal static object[] Budgeted(Account account, int? room) =>
    [
        account,
        new CallBudget { Account = account, Kind = CallKind.Submit, NextAt = Now, BacklogRoom = room },
        new CallBudget { Account = account, Kind = CallKind.Status, NextAt = Now },
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    internal static DateTimeOffset Now => DateTimeOffset.UtcNow;

    public async ValueTask DisposeAsync()
    {
        if (Source is not null) await Source.DisposeAsync();
        await database.DisposeAsync();
    }

    /// <summary>The first attempt of a row, unless another.</summary>
    internal static Attempt Attempt(int importId, int row, string? outcome, short number = 1) =>
        new() { ImportId = importId, RowNumber = row, Number = number, StartedAt = Now, Worker = "w", Outcome = outcome };

    internal static StoredFinding Finding(int importId, int row, string code) =>
        new() { ImportId = importId, RowNumber = row, LineNumber = row + 1, Code = code, Severity = "warning" };

    /// <summary>An asset that the first attempt of a row may have made.</summary>
    internal static Candidate Candidate(int importId, int row, string rid, DateTimeOffset? uploadedAt = null) => new()
    {
        ImportId = importId,
        RowNumber = row,
        Attempt = 1,
        Rid = rid,
        FileName = "clip.mp4",
        SizeBytes = 7,
        UploadedAt = uploadedAt ?? Now,
    };

    /// <summary>The first attempt of a row as it is followed, which last moved so long ago.</summary>
    internal StatusPoll Poll(int importId, int row, int minutesAgo = 0) => new()
    {
        ImportId = importId,
        RowNumber = row,
        Attempt = 1,
        AccountId = AccountId,
        StatusId = $"st-{row}",
        SubmittedAt = Now.AddDays(-1),
        NextPollAt = Now,
        MovedAt = Now.AddMinutes(-minutesAgo),
    };

    /// <summary>That the asset of a row is still to be given its texts.</summary>
    internal RecordFinish Finish(int importId, int row, string rid) =>
        new() { ImportId = importId, RowNumber = row, AccountId = AccountId, Rid = rid, NextAt = Now };

    /// <summary>A manifest that nobody else has.</summary>
    internal static Manifest Manifest() => new()
    {
        FileName = "library.csv",
        Sha256 = RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes),
        SizeBytes = 10,
        CreatedAt = Now,
        ReceivedAt = Now,
    };

    /// <summary>Puts rows in.</summary>
    public async Task AddAsync(params object[] entities)
    {
        await using var db = Contexts.CreateDbContext();
        db.AddRange(entities);
        await db.SaveChangesAsync(Token);
    }

    /// <summary>Puts many rows of one table in: for fifty thousand EF Core takes several seconds.</summary>
    private async Task CopyAsync<T>(IEnumerable<T> entities) where T : class
    {
        await using var db = Contexts.CreateDbContext();
        var entity = db.Model.FindEntityType(typeof(T))!;
        var columns = entity.GetProperties().Where(p => p.GetComputedColumnSql() is null).ToList();
        var names = string.Join(", ", columns.Select(c => c.GetColumnName()));
        await using var connection = await Source.OpenConnectionAsync(Token);
        await using var copy = await connection.BeginBinaryImportAsync(
            $"COPY {entity.GetSchemaQualifiedTableName()} ({names}) FROM STDIN (FORMAT binary)", Token);
        foreach (var row in entities)
        {
            await copy.StartRowAsync(Token);
            foreach (var column in columns)
            {
                var value = column.GetGetter().GetClrValue(row);
                value = column.GetTypeMapping().Converter is { } converter ? converter.ConvertToProvider(value) : value;
                if (value is null) await copy.WriteNullAsync(Token);
                else await copy.WriteAsync(value, column.GetColumnType(), Token);
            }
        }
        await copy.CompleteAsync(Token);
    }

    public Task<int> SqlAsync(string sql, params object?[] parameters) =>
        Source.ExecuteAsync(sql, Token, parameters);

    public async Task<T> OneAsync<T>(string sql, params object?[] parameters) =>
        (await Source.QueryAsync(sql, r => r.GetFieldValue<T>(0), Token, parameters))[0];

    public async Task<T?> MaybeAsync<T>(string sql, params object?[] parameters) where T : class =>
        (await Source.QueryAsync(sql, r => r.IsDBNull(0)
            ? null : r.GetFieldValue<T>(0), Token, parameters))[0];

    public Task<string> StateAsync(int importId) => OneAsync<string>("SELECT state FROM importer.import WHERE id = $1", importId);

    /// <summary>Records by state as the chunks count them, e.g. "failed 2, pending 1".</summary>
    public async Task<string> CountsAsync(int importId)
    {
        await using var db = Contexts.CreateDbContext();
        var counted = await ReadRecords.CountByStateAsync(db, importId, RecordFilter.All, Token);
        var real = await ReadRecords.CountByStateAsync(db, importId, new RecordFilter
        { Search = "", RowNumbers = [.. Enumerable.Range(1, 10_000)] }, Token);
        Assert.Equal(real.OrderBy(c => c.Key), counted.OrderBy(c => c.Key));
        return string.Join(", ", counted.OrderBy(c => c.Key).Select(c => $"{EnumText<RecordState>.Of(c.Key)} {c.Value}"));
    }

    /// <summary>An import with one record per given state, in chunks of <paramref name="chunkSize"/>.</summary>
    public async Task<int> ImportAsync(ImportState state, RecordState[] records, int chunkSize = 3)
    {
        var manifest = Manifest();
        await AddAsync(manifest);
        var import = new Import
        {
            Name = "Library",
            AccountId = AccountId,
            ManifestId = manifest.Id,
            State = state,
            Settings = new() { ChunkSize = chunkSize },
            RowCount = records.Length > 0 ? records.Length : null,
            CreatedBy = "test",
            CreatedAt = Now,
            FinishedAt = state is ImportState.Finished or ImportState.Cancelled or ImportState.Rejected or ImportState.Deleting
                ? Now : null,
        };
        await AddAsync(import);
        var rows = records.Select((r, n) => Record(import.Id, n + 1, (n / chunkSize) + 1, r)).ToList();
        await CopyAsync(rows);
        var onWire = rows.Where((_, n) => records[n] == RecordState.Submitting).Select(r => r.RowNumber).ToHashSet();
        await AddAsync([.. rows.GroupBy(r => r.ChunkNumber).SelectMany(r => Counted(r, onWire))]);
        return import.Id;
    }

    private static ImportRecord Record(int importId, int row, int chunk, RecordState state) => new()
    {
        ImportId = importId,
        RowNumber = row,
        ChunkNumber = chunk,
        LineNumber = row + 1,
        // What is on the wire says its chunk.
        State = state == RecordState.Submitting ? RecordState.Pending : state,
        SourceUrl = $"https://media.example/{row}.mp4",
        Caption = $"Clip {row}",
        ReferenceId = $"ref-{row}",
        AttemptCount =
            (short)(state is RecordState.Pending or RecordState.Submitting or RecordState.Invalid or RecordState.Duplicate or RecordState.Cancelled ? 0 : 1),
        AttemptsLeft = (short)(state == RecordState.Failed ? 0 : state == RecordState.Submitting ? 5 : 4),
        StatusId = state is RecordState.Submitted or RecordState.Imported or RecordState.Deleted ? $"st-{row}" : null,
        Rid = state is RecordState.Imported or RecordState.Deleted ? $"rid{row}" : null,
        ErrorCode = state switch
        {
            RecordState.Failed => "source_not_found",
            RecordState.Unknown => "reply_timeout",
            RecordState.Invalid => "url_missing",
            _ => null,
        },
        ErrorMessage = state is RecordState.Failed or RecordState.Unknown ? "It did not work." : null,
        FinishedAt = state is RecordState.Pending or RecordState.Submitting or RecordState.Submitted ? null : Now,
    };

    /// <summary>The chunk of records, and its failures, as they are counted.</summary>
    private static IEnumerable<object> Counted(IEnumerable<ImportRecord> records, HashSet<int> onWire)
    {
        var (first, last) = (records.First(), records.Last());
        yield return new Chunk
        {
            ImportId = first.ImportId,
            Number = first.ChunkNumber,
            FirstRow = first.RowNumber,
            LastRow = last.RowNumber,
            UnansweredCount = Of(RecordState.Pending),
            OnWire = [.. records.Select(r => r.RowNumber).Where(onWire.Contains)],
            OnWireSince = [.. records.Where(r => onWire.Contains(r.RowNumber)).Select(_ => Now)],
            SubmittedCount = Of(RecordState.Submitted),
            ImportedCount = Of(RecordState.Imported),
            FailedCount = Of(RecordState.Failed),
            UnknownCount = Of(RecordState.Unknown),
            CancelledCount = Of(RecordState.Cancelled),
            InvalidCount = Of(RecordState.Invalid),
            DuplicateCount = Of(RecordState.Duplicate),
            DeletedCount = Of(RecordState.Deleted),
        };
        foreach (var failures in records.Where(r => r.State is RecordState.Failed or RecordState.Unknown).GroupBy(r => r.ErrorCode!))
            yield return new ChunkFailure
            { ImportId = first.ImportId, ChunkNumber = first.ChunkNumber, Code = failures.Key, Count = failures.Count() };
        foreach (var ended in records.Where(r => r.State is RecordState.Imported or RecordState.Failed or RecordState.Unknown)
            .GroupBy(r => (Code: r.State == RecordState.Imported ? ChunkHost.Imported : r.ErrorCode!, Hour: HourOf(r.FinishedAt!.Value))))
            yield return new ChunkHost
            {
                ImportId = first.ImportId,
                ChunkNumber = first.ChunkNumber,
                Host = "media.example",
                Hour = ended.Key.Hour,
                Code = ended.Key.Code,
                Count = ended.Count(),
                FirstAt = ended.Min(r => r.FinishedAt!.Value),
            };

        int Of(RecordState state) => records.Count(r => r.State == state);

        static DateTimeOffset HourOf(DateTimeOffset at) => new(at.Year, at.Month, at.Day, at.Hour, 0, 0, TimeSpan.Zero);
    }
}
