using System.Globalization;
using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Parse;
using Npgsql;

namespace BulkImporter.Imports;

/// <summary>What changes about an import. Null leaves a setting as it is.</summary>
public sealed record ImportRevision
{
    public string? Name { get; init; }

    /// <summary>The name of the Cincopa account that it runs for.</summary>
    public string? Account { get; init; }

    /// <summary>The column mapping (<c>url=OriginalURL,caption=Title</c>); empty to recognise the header.</summary>
    public string? Mapping { get; init; }

    /// <summary>Rows to read from the beginning; 0 for all.</summary>
    public int? FirstRows { get; init; }

    /// <summary><c>windows-1252</c>; empty to go by the file's beginning.</summary>
    public string? Encoding { get; init; }

    /// <summary>For rows that an earlier import of the account has.</summary>
    public WhenDuplicate? AlreadyImported { get; init; }

    /// <summary>For rows that have the source of an earlier row of the manifest.</summary>
    public WhenDuplicate? DuplicateRows { get; init; }

    /// <summary>How files go whose rows do not say it.</summary>
    public ImportTransfer? Transfer { get; init; }

    /// <summary>When sending begins, ISO 8601 with an offset; empty for at once.</summary>
    public string? StartAt { get; init; }

    /// <summary>The daily window, <c>22:00-06:00 Europe/Berlin</c>; empty for all day.</summary>
    public string? Window { get; init; }

    /// <summary>1 to 100; 100 is never.</summary>
    public int? StopAtFailurePercent { get; init; }

    public int? StopAfterRows { get; init; }
    public int? MaxAttempts { get; init; }
    public WhenUnknown? WhenUnknown { get; init; }
    public int? Priority { get; init; }

    /// <summary>The gallery that new assets join; empty for none.</summary>
    public string? Fid { get; init; }
}

/// <summary>
/// Changes the settings of an import of which nothing was sent yet: one in review, or one whose manifest was rejected because a question
/// about its columns was open. What the records depend on (columns, encoding, number of rows, attempts, account, schedule) makes the manifest be
/// read again: its records and findings go in the same transaction, and the import is <see cref="ImportState.Parsing"/> until the new ones
/// are there; <see cref="QueueParsing"/> sees to it. Of an import that runs or is paused only what steers the sending can be changed:
/// schedule, priority, what to do when unknown, and when to stop for failures.
/// </summary>
public sealed class ReviseImport(NpgsqlDataSource database)
{
    private const string LockRevisable = """
        SELECT i.name, a.name, i.mapping, i.first_rows, i.max_attempts, i.when_unknown, i.priority, i.fid, i.state,
            i.encoding, i.already_imported, i.start_at, i.window_from, i.window_until, i.window_zone, i.stop_at_failure_percent, i.stop_after_rows, i.transfer, i.duplicate_rows
        FROM importer.import i JOIN importer.account a ON a.id = i.account_id
        WHERE i.id = $1 AND i.state IN ('review', 'rejected', 'running', 'paused')
        FOR NO KEY UPDATE OF i
        """;

    private const string Revise = """
        WITH revised AS (
            UPDATE importer.import
            SET name = $3, account_id = (SELECT id FROM importer.account WHERE name = $4),
                template = CASE WHEN mapping IS NOT DISTINCT FROM $5 THEN template END, mapping = $5, first_rows = $6, max_attempts = $7,
                when_unknown = $8, priority = $9, fid = $10,
                encoding = $13, already_imported = $14, start_at = $15::timestamptz, window_from = $16::time, window_until = $17::time, window_zone = $18,
                stop_at_failure_percent = $19, stop_after_rows = $20, transfer = $21, duplicate_rows = $22,
                state = CASE WHEN $11 THEN 'parsing' ELSE state END,
                row_count = CASE WHEN NOT $11 THEN row_count END,
                parsed_rows = CASE WHEN $11 THEN 0 ELSE parsed_rows END,
                parse_queued_at = CASE WHEN NOT $11 THEN parse_queued_at END,
                reason = CASE WHEN NOT $11 THEN reason END,
                finished_at = CASE WHEN NOT $11 THEN finished_at END,
                start_when_parsed = start_when_parsed AND state IN ('running', 'paused')
            WHERE id = $1
            RETURNING id
        )
        INSERT INTO importer.audit_entry (at, actor, action, import_id, detail) SELECT now(), $2, 'import_revised', id, $12 FROM revised
        """;

    private const string Needs = "only an import in review, or one whose manifest was rejected, can be revised; one that runs or is paused only in its schedule (startAt, window), priority, whenUnknown, stopAtFailurePercent and stopAfterRows";

    /// <exception cref="InvalidArgumentException">A setting, the mapping or the account cannot be used.</exception>
    public async Task<ImportChange> RunAsync(int importId, ImportRevision revision, string actor, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var revisable = await connection.QueryAsync(LockRevisable, r => (
            Import: new NewImport(0, actor)
            {
                Name = r.GetString(0),
                Account = r.GetString(1),
                Mapping = r.Text(2),
                FirstRows = r.Number(3),
                MaxAttempts = r.GetInt32(4),
                WhenUnknown = EnumText<WhenUnknown>.Parse(r.GetString(5)),
                Priority = r.GetInt32(6),
                Fid = r.Text(7),
                Encoding = r.Text(9),
                AlreadyImported = EnumText<WhenDuplicate>.Parse(r.GetString(10)),
                StartAt = r.Time(11),
                Window = ImportSchedule.Window(r, 12),
                StopAtFailurePercent = r.GetInt32(15),
                StopAfterRows = r.GetInt32(16),
                Transfer = EnumText<ImportTransfer>.Parse(r.GetString(17)),
                DuplicateRows = EnumText<WhenDuplicate>.Parse(r.GetString(18)),
            },
            State: EnumText<ImportState>.Parse(r.GetString(8))), cancellationToken, importId);
        if (revisable is not [var (before, state)])
            return await ImportChange.RefusalAsync(connection, importId, Needs, cancellationToken);

        var after = before with
        {
            Name = revision.Name ?? before.Name,
            Account = revision.Account ?? before.Account,
            Mapping = revision.Mapping?.Trim() is not { } mapping ? before.Mapping : mapping.Length == 0 && before.Mapping is null ? null : mapping,
            FirstRows = revision.FirstRows is { } rows ? (rows == 0 ? null : rows) : before.FirstRows,
            MaxAttempts = revision.MaxAttempts ?? before.MaxAttempts,
            WhenUnknown = revision.WhenUnknown ?? before.WhenUnknown,
            Priority = revision.Priority ?? before.Priority,
            Fid = revision.Fid is { } fid ? NotEmpty(fid) : before.Fid,
            Encoding = revision.Encoding is { } encoding ? NotEmpty(encoding)?.Trim().ToLowerInvariant() : before.Encoding,
            AlreadyImported = revision.AlreadyImported ?? before.AlreadyImported,
            DuplicateRows = revision.DuplicateRows ?? before.DuplicateRows,
            Transfer = revision.Transfer ?? before.Transfer,
            StartAt = revision.StartAt is { } startAt ? Time(startAt) : before.StartAt,
            Window = revision.Window is { } window ? (string.IsNullOrWhiteSpace(window) ? null : DailyWindow.Parse(window)) : before.Window,
            StopAtFailurePercent = revision.StopAtFailurePercent ?? before.StopAtFailurePercent,
            StopAfterRows = revision.StopAfterRows ?? before.StopAfterRows,
        };
        CreateImport.Check(after);
        if (await CreateImport.MissingAccountAsync(connection, after.Account, cancellationToken) is { } missing) throw missing;
        if (after.Window != before.Window) after = after with { Window = await ImportSchedule.CheckedAsync(connection, after.Window, cancellationToken) };
        if (after == before && state == ImportState.Review) return new ImportChange.Done(state);
        if (state is ImportState.Running or ImportState.Paused)
        {
            if (Fixed(after) != Fixed(before)) return await ImportChange.RefusalAsync(connection, importId, Needs, cancellationToken);
            if (after == before) return new ImportChange.Done(state);
        }

        var again = state == ImportState.Rejected || (state == ImportState.Review && !ReadBy(after).Equals(ReadBy(before)));
        await connection.ExecuteAsync(Revise, cancellationToken, importId, actor, after.Name, after.Account, after.Mapping, after.FirstRows, after.MaxAttempts,
            EnumText<WhenUnknown>.Of(after.WhenUnknown), after.Priority, after.Fid, again, Differences(before, after),
            after.Encoding, EnumText<WhenDuplicate>.Of(after.AlreadyImported), after.StartAt?.ToUniversalTime(), after.Window?.From, after.Window?.Until, after.Window?.Zone,
            after.StopAtFailurePercent, after.StopAfterRows, EnumText<ImportTransfer>.Of(after.Transfer), EnumText<WhenDuplicate>.Of(after.DuplicateRows));
        if (again) await ForgetRows.RunAsync(connection, importId, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return new ImportChange.Done(again ? ImportState.Parsing : state);
    }

    /// <summary>What the records and findings were made by: the estimate of the end, too, which signed links are judged by.</summary>
    private static object ReadBy(NewImport i) => (i.Account, i.Mapping, i.Encoding, i.FirstRows, i.MaxAttempts, i.AlreadyImported, i.DuplicateRows, i.Transfer, i.StartAt, i.Window);

    /// <summary>The import without what can be changed while it runs.</summary>
    private static NewImport Fixed(NewImport i) =>
        i with { Priority = 0, WhenUnknown = default, StartAt = null, Window = null, StopAtFailurePercent = null, StopAfterRows = null };

    /// <exception cref="InvalidArgumentException">It is no time.</exception>
    internal static DateTimeOffset? Time(string text)
    {
        if (string.IsNullOrWhiteSpace(text)) return null;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw new InvalidArgumentException("startAt", $"'{text}' is no time; write it as 2026-11-24T22:00:00+01:00 (without an offset it is UTC).");
    }

    private static string? NotEmpty(string text) => string.IsNullOrWhiteSpace(text) ? null : text;

    /// <summary>For the audit log.</summary>
    private static string Differences(NewImport before, NewImport after)
    {
        var changes = new List<string>();
        Note("name", before.Name, after.Name);
        Note("account", before.Account, after.Account);
        Note("columns", before.Mapping, after.Mapping);
        Note("first rows", before.FirstRows, after.FirstRows);
        Note("attempts", before.MaxAttempts, after.MaxAttempts);
        Note("when unknown", before.WhenUnknown, after.WhenUnknown);
        Note("priority", before.Priority, after.Priority);
        Note("gallery", before.Fid, after.Fid);
        Note("encoding", before.Encoding, after.Encoding);
        Note("rows imported before", before.AlreadyImported, after.AlreadyImported);
        Note("rows with the same address", before.DuplicateRows, after.DuplicateRows);
        Note("files go by", before.Transfer, after.Transfer);
        Note("start at", before.StartAt, after.StartAt);
        Note("daily window", before.Window, after.Window);
        Note("stop at failures in percent", before.StopAtFailurePercent, after.StopAtFailurePercent);
        Note("judged after rows", before.StopAfterRows, after.StopAfterRows);
        return changes.Count == 0 ? "read again" : string.Join("; ", changes);

        void Note<T>(string what, T old, T now)
        {
            if (!Equals(old, now)) changes.Add($"{what}: {(now is null ? "none" : $"{now}")}");
        }
    }
}
