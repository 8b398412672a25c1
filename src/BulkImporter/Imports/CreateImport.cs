using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Parse;
using Npgsql;

namespace BulkImporter.Imports;

/// <summary>An order to import a manifest that was received.</summary>
/// <param name="CreatedBy">The actor, for the audit log.</param>
public sealed record NewImport(int ManifestId, string CreatedBy)
{
    /// <summary>For people; null = the manifest's file name.</summary>
    public string? Name { get; init; }

    /// <summary>The name of the Cincopa account that it runs for.</summary>
    public string Account { get; init; } = "default";

    /// <summary>The explicit column mapping (<c>url=OriginalURL,caption=Title</c>), or null to recognise the header.</summary>
    public string? Mapping { get; init; }

    /// <summary>Read only so many rows from the beginning, for a trial; null = all.</summary>
    public int? FirstRows { get; init; }

    /// <summary><c>windows-1252</c> for a file in that encoding; null to go by its beginning.</summary>
    public string? Encoding { get; init; }

    /// <summary>For rows that an earlier import of the account has.</summary>
    public WhenDuplicate AlreadyImported { get; init; } = WhenDuplicate.Skip;

    /// <summary>For rows that have the source of an earlier row of the manifest.</summary>
    public WhenDuplicate DuplicateRows { get; init; } = WhenDuplicate.Skip;

    /// <summary>Nothing is sent before, also after the start was ordered; null for at once.</summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>Nothing is sent outside of it; null for all day.</summary>
    public DailyWindow? Window { get; init; }

    /// <summary>Pause when more than this part of the finished records failed, 1 to 100 (never); null = 50.</summary>
    public int? StopAtFailurePercent { get; init; }

    /// <summary>Judge that after so many finished records; null = 1,000.</summary>
    public int? StopAfterRows { get; init; }

    /// <summary>Start without review as soon as the manifest is parsed.</summary>
    public bool Start { get; init; }

    public int? MaxAttempts { get; init; }
    public WhenUnknown WhenUnknown { get; init; } = WhenUnknown.Hold;

    /// <summary>Higher is served first among the account's running imports.</summary>
    public int Priority { get; init; }

    /// <summary>The gallery that new assets join, or null for none.</summary>
    public string? Fid { get; init; }

    /// <summary>How files go of which their rows do not say it.</summary>
    public ImportTransfer Transfer { get; init; } = ImportTransfer.Pull;

    /// <summary>Records per chunk; null = 500.</summary>
    public int? ChunkSize { get; init; }

    /// <summary>The caller's key: the same key again answers with the first import and makes no second.</summary>
    public string? IdempotencyKey { get; init; }
}

/// <param name="Existed">The idempotency key was used before; this is the import that it made.</param>
public sealed record CreatedImport(int Id, bool Existed);

/// <summary>Makes an import of a received manifest, in state parsing: the feeder hands it to a parse job.</summary>
public sealed class CreateImport(NpgsqlDataSource database)
{
    private const int DefaultMaxAttempts = 5;
    private const int DefaultChunkSize = 500;
    private const int DefaultStopAtFailurePercent = 50;
    private const int DefaultStopAfterRows = 1000;

    private const string Create = """
        WITH created AS (
            INSERT INTO importer.import (
                name, account_id, manifest_id, state, mapping, start_when_parsed, chunk_size, max_attempts, when_unknown, priority, fid,
                first_rows, transfer, parsed_rows, idempotency_key, breaker_finished_base, breaker_failed_base, created_by, created_at,
                encoding, already_imported, start_at, window_from, window_until, window_zone, stop_at_failure_percent, stop_after_rows, duplicate_rows)
            SELECT coalesce($3, m.file_name), a.id, m.id, 'parsing', $4, $5, $6, $7, $8, $9, $10, $13::int, $14, 0, $11, 0, 0, $12, now(),
                $15, $16, $17::timestamptz, $18::time, $19::time, $20, $21, $22, $23
            FROM importer.manifest m, importer.account a
            WHERE m.id = $1 AND m.received_at IS NOT NULL AND a.name = $2
            ON CONFLICT (idempotency_key) DO NOTHING
            RETURNING id
        ), noted AS (
            INSERT INTO importer.audit_entry (at, actor, action, import_id) SELECT now(), $12, 'import_created', id FROM created
        )
        SELECT id FROM created
        """;

    /// <exception cref="InvalidArgumentException">A setting, the mapping, the account or the manifest cannot be used.</exception>
    public async Task<CreatedImport> RunAsync(NewImport import, CancellationToken cancellationToken)
    {
        Check(import);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        if (await FindByKeyAsync(connection, import.IdempotencyKey, cancellationToken) is { } known) return new(known, Existed: true);
        var window = await ImportSchedule.CheckedAsync(connection, import.Window, cancellationToken);

        var created = await connection.QueryAsync(Create, r => r.GetInt32(0), cancellationToken,
            import.ManifestId, import.Account, import.Name, import.Mapping, import.Start, import.ChunkSize ?? DefaultChunkSize,
            import.MaxAttempts ?? DefaultMaxAttempts, EnumText<WhenUnknown>.Of(import.WhenUnknown), import.Priority, import.Fid,
            import.IdempotencyKey, import.CreatedBy, import.FirstRows, EnumText<ImportTransfer>.Of(import.Transfer),
            import.Encoding, EnumText<WhenDuplicate>.Of(import.AlreadyImported), import.StartAt?.ToUniversalTime(), window?.From, window?.Until, window?.Zone,
            import.StopAtFailurePercent ?? DefaultStopAtFailurePercent, import.StopAfterRows ?? DefaultStopAfterRows, EnumText<WhenDuplicate>.Of(import.DuplicateRows));
        if (created is [var id]) return new(id, Existed: false);

        // Nothing was inserted: another caller used the key in this moment, or a name that the import needs is not there.
        if (await FindByKeyAsync(connection, import.IdempotencyKey, cancellationToken) is { } first) return new(first, Existed: true);
        if (await MissingAccountAsync(connection, import.Account, cancellationToken) is { } missing) throw missing;
        throw new InvalidArgumentException("manifest", $"There is no received manifest {import.ManifestId}.");
    }

    /// <summary>The import that a key made before, or null: so that a repeated request need not upload its file again.</summary>
    public async Task<int?> FindByKeyAsync(string idempotencyKey, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await FindByKeyAsync(connection, idempotencyKey, cancellationToken);
    }

    /// <summary>Refuses what cannot work before a file of gigabytes is uploaded for it.</summary>
    /// <exception cref="InvalidArgumentException">A setting, the mapping or the account cannot be used.</exception>
    public async Task CheckAsync(NewImport import, CancellationToken cancellationToken)
    {
        Check(import);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        if (await MissingAccountAsync(connection, import.Account, cancellationToken) is { } missing) throw missing;
        await ImportSchedule.CheckedAsync(connection, import.Window, cancellationToken);
    }

    /// <exception cref="InvalidArgumentException">A setting or the mapping cannot be used.</exception>
    internal static void Check(NewImport import)
    {
        if (import.Name is { } name && (string.IsNullOrWhiteSpace(name) || name.Length > 200))
            throw new InvalidArgumentException("name", "A name has 1 to 200 characters.");
        if (import.Fid?.Length > ManifestFormat.MaxLength(ManifestColumn.Fid))
            throw new InvalidArgumentException("fid", $"A gallery's fid has at most {ManifestFormat.MaxLength(ManifestColumn.Fid)} characters.");
        if (import.Mapping is { } mapping)
        {
            try
            {
                ManifestMapping.Parse(mapping);
            }
            catch (ManifestRejectedException unreadable)
            {
                throw new InvalidArgumentException("map", unreadable.Message);
            }
        }
        if (import.MaxAttempts is < 1 or > 100) throw new InvalidArgumentException("maxAttempts", "A record gets 1 to 100 attempts.");
        if (import.ChunkSize is < 1 or > 100_000) throw new InvalidArgumentException("chunkSize", "A chunk holds 1 to 100,000 records.");
        if (import.FirstRows is < 1) throw new InvalidArgumentException("firstRows", "The number of rows to read is 1 or more; leave it out to read all.");
        if (import.Encoding is { } encoding && encoding != ManifestReading.Windows1252)
            throw new InvalidArgumentException("encoding", $"'{encoding}' cannot be asked for; {ManifestReading.Windows1252} can. UTF-8 and UTF-16 are recognised by themselves.");
        if (import.StopAtFailurePercent is < 1 or > 100) throw new InvalidArgumentException("stopAtFailurePercent", "The share of failures at which the import pauses is 1 to 100 percent; 100 is never.");
        if (import.StopAfterRows is < 1) throw new InvalidArgumentException("stopAfterRows", "The failures are judged after 1 finished record or more.");
        if (import.IdempotencyKey is { } key && (string.IsNullOrWhiteSpace(key) || key.Length > 200))
            throw new InvalidArgumentException("Idempotency-Key", "An idempotency key has 1 to 200 characters.");
    }

    /// <summary>The complaint about an account that is not there, or null.</summary>
    internal static async Task<InvalidArgumentException?> MissingAccountAsync(NpgsqlConnection connection, string account, CancellationToken cancellationToken) =>
        await connection.QueryAsync("SELECT 1 FROM importer.account WHERE name = $1", r => r.GetInt32(0), cancellationToken, account) is []
            ? new InvalidArgumentException("account", $"There is no account '{account}'. Add it with 'BulkImporter account add {account}', on the Accounts page, or by starting with CINCOPA_API_TOKEN set (which makes 'default').")
            : null;

    private static async Task<int?> FindByKeyAsync(NpgsqlConnection connection, string? key, CancellationToken cancellationToken) =>
        key is not null && await connection.QueryAsync("SELECT id FROM importer.import WHERE idempotency_key = $1", r => r.GetInt32(0), cancellationToken, key)
            is [var id] ? id : null;
}
