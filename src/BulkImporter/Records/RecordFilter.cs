using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using BulkImporter.Manifests;
using Cincopa.Client;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query.SqlExpressions;

namespace BulkImporter.Records;

/// <summary>
/// The one selection of records that lists, counts, reruns and exports share: what the operator sees is what is touched.
/// Everything that is set must hold.
/// </summary>
public sealed record RecordFilter
{
    /// <summary>Every record.</summary>
    public static RecordFilter All { get; } = new();

    /// <summary>What <see cref="Code"/> may be: the failures, and the findings that make a row invalid.</summary>
    public static IReadOnlyList<string> Codes { get; } =
    [
        .. EnumText<FailureCode>.All,
        .. Enum.GetValues<FindingCode>().Where(c => c.Severity() == FindingSeverity.Error).Select(EnumText<FindingCode>.Of),
    ];

    private const int BatchLength = 10_000;

    public RecordState? State { get; init; }

    /// <summary>The code of the last failure, or of the finding that made the row invalid.</summary>
    public string? Code { get; init; }

    public IReadOnlyList<int>? RowNumbers { get; init; }

    /// <summary>
    /// Part of the source URL, caption or reference id as they are shown, of status_id or rid, in any case; or a row number.
    /// </summary>
    public string? Search { get; init; }

    /// <summary>Only records that Cincopa works on and that have not moved for this long.</summary>
    public TimeSpan? Stalled { get; init; }

    /// <summary>Only imported records whose asset's finishing has this state: <c>pending</c>, <c>done</c> or <c>failed</c>.</summary>
    public string? Finish { get; init; }

    /// <summary>
    /// Only records that an undo was ordered for and that are so far: <c>pending</c>, <c>done</c> (the asset is deleted) or <c>failed</c>.
    /// </summary>
    public string? Undo { get; init; }

    /// <summary>Only imported records of which so much is known of what arrived.</summary>
    public Arrival? Arrival { get; init; }

    /// <summary>True when the chunks' counters answer how many records it selects.</summary>
    internal bool IsByStateOnly =>
        Code is null && RowNumbers is null && Search is null && Stalled is null && Finish is null && Undo is null
            && Arrival is null;

    /// <summary>True when no counter and no index tells which records it selects: they are looked at one by one.</summary>
    public bool IsLookedFor => Search is { Length: > 0 } || Stalled is not null;

    /// <summary>The records of an import that it selects.</summary>
    internal IQueryable<ImportRecord> Of(ImporterDb db, int importId)
    {
        var records = db.Set<ImportRecord>().AsNoTracking().Where(r => r.ImportId == importId);
        if (State is { } state) records = records.Where(r => r.State == state);
        if (Code is { } code) records = records.Where(r => r.ErrorCode == code);
        if (RowNumbers is { } rows)
        {
            var numbers = rows.ToList();
            records = records.Where(r => numbers.Contains(r.RowNumber));
        }
        if (Search is { Length: > 0 } search)
        {
            var pattern = Like.Containing(search);
            int? row = int.TryParse(search, CultureInfo.InvariantCulture, out var number) ? number : null;
            // What is found is what is shown (ADR 34): otherwise a signature could be found out, sign by sign. The patterns run over what
            // was found only.
            records = records.Where(r =>
                (EF.Functions.ILike(r.SourceUrl!, pattern, Like.Escape)
                    && EF.Functions.ILike(WithoutSecrets(r.SourceUrl!), pattern, Like.Escape))
                || (EF.Functions.ILike(r.Caption!, pattern, Like.Escape)
                    && EF.Functions.ILike(WithoutSecrets(r.Caption!), pattern, Like.Escape))
                || (EF.Functions.ILike(r.ReferenceId!, pattern, Like.Escape)
                    && EF.Functions.ILike(WithoutSecrets(r.ReferenceId!), pattern, Like.Escape))
                || EF.Functions.ILike(r.Rid!, pattern, Like.Escape) || EF.Functions.ILike(r.StatusId!, pattern, Like.Escape)
                    || r.RowNumber == row);
        }
        if (Stalled is { } time)
        {
#pragma warning disable RS0030 // In a query it is the database's own now(), which wrote moved_at.
            var notLooked = db.Set<WorkBatch>().Where(
                b => b.ImportId == importId && b.Step == BatchStep.Look && b.Since < DateTimeOffset.UtcNow - time).SelectMany(b => b.Rows);
            records = records.Where(r => r.State == RecordState.Submitted && (notLooked.Contains(r.RowNumber)
                || db.Set<FollowedRecord>().Any(p =>
                    p.ImportId == importId && p.RowNumber == r.RowNumber && p.MovedAt < DateTimeOffset.UtcNow - time)));
#pragma warning restore RS0030
        }
        if (Finish is { } finish)
        {
            var unfinished = db.Set<FinishedRecord>().Where(f => f.ImportId == importId);
            var waiting = WorkBatch.ToFinish(db, importId);
            records = finish switch
            {
                "pending" => records.Where(r => waiting.Contains(r.RowNumber)
                    || unfinished.Any(f => f.RowNumber == r.RowNumber && f.State == finish)),
                "done" => ToFinish(db, records).Where(r =>
                    !waiting.Contains(r.RowNumber) && !unfinished.Any(f => f.RowNumber == r.RowNumber)),
                _ => records.Where(r => unfinished.Any(f => f.RowNumber == r.RowNumber && f.State == finish)),
            };
        }
        if (Undo is { } undo)
        {
            records = undo == "done"
                ? records.Where(r => r.State == RecordState.Deleted)
                : records.Where(r => db.Set<UndoneRecord>().Any(
                    u => u.ImportId == importId && u.RowNumber == r.RowNumber && u.State == undo));
        }
        if (Arrival is { } arrival)
        {
            var compared = db.Set<RecordAsset>().Where(a => a.ImportId == importId && a.Arrival != null);
            records = arrival == Records.Arrival.Unverifiable
                ? records.Where(r => r.State == RecordState.Imported && !compared.Any(a => a.RowNumber == r.RowNumber))
                : records.Where(r => r.State == RecordState.Imported
                    && compared.Any(a => a.Arrival == arrival && a.RowNumber == r.RowNumber));
        }
        return records;
    }

    /// <summary>Those of the records that are imported and have something to be finished, as <see cref="RecordTransitions"/> sees
    /// it.</summary>
    internal static IQueryable<ImportRecord> ToFinish(ImporterDb db, IQueryable<ImportRecord> records) => records.Where(r =>
        r.State == RecordState.Imported && (r.Caption != null || r.ReferenceId != null || r.IsPush || db.Set<RecordMeta>().Any(m =>
            m.ImportId == r.ImportId && m.RowNumber == r.RowNumber && (m.Description != null || m.LongDescription != null || m.Tags != null
                || m.RelatedLinkText != null || m.RelatedLinkUrl != null || m.Gallery != null || m.ExpectedBytes != null
                || m.SourceBytes != null || m.ExpectedSeconds != null))));

    /// <summary>
    /// The rows that it selects, in the caller's transaction, for a statement that changes them: in batches, because they may be millions.
    /// The statement looks at each row's state once more.
    /// </summary>
    /// <param name="which">Which of them could be changed, so that the others need not be handed over.</param>
    internal async IAsyncEnumerable<int[]> RowsAsync(
        NpgsqlConnection connection, int importId,
        Expression<Func<ImportRecord, bool>> which, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var db = Contexts.On(connection);
        db.Database.SetCommandTimeout(0);
        var selected = Of(db, importId).Where(which).Select(r => r.RowNumber);
        for (var last = 0; ;)
        {
            var rows = await selected.Where(n => n > last).OrderBy(n => n).Take(BatchLength).ToArrayAsync(cancellationToken);
            if (rows.Length > 0) yield return rows;
            if (rows.Length < BatchLength) yield break;
            last = rows[^1];
        }
    }

    /// <summary>In a query, a text as <see cref="Redact.Secrets"/> shows it.</summary>
    internal static string WithoutSecrets(string text) => throw new NotSupportedException($"Only the database knows '{text}' here.");

    internal static void AddTo(IMutableModel model) =>
        model.AddDbFunction(((Func<string, string>)WithoutSecrets).Method).Translation = arguments =>
        Replaced(Replaced(arguments[0], Redact.SecretParameterPattern, $"\\1{Redact.Mark}", "gix"), Redact.UrlCredentialsPattern,
            $"{Redact.Mark}@", "gi");

    private static SqlFunctionExpression Replaced(SqlExpression text, params string[] parts) => new(
        "regexp_replace", [text, .. parts.Select(p => new SqlConstantExpression(p, text.TypeMapping))],
        nullable: true, argumentsPropagateNullability: [true, true, true, true], typeof(string), text.TypeMapping);

    /// <summary>For the audit log.</summary>
    public override string ToString()
    {
        var parts = new List<string>();
        if (State is { } state) parts.Add($"state {EnumText<RecordState>.Of(state)}");
        if (Code is { } code) parts.Add($"code {code}");
        if (RowNumbers is { } rows) parts.Add($"{rows.Count} named rows");
        if (Search is { Length: > 0 } search) parts.Add($"text '{Redact.Secrets(search)}'");
        if (Stalled is { } time) parts.Add(string.Create(CultureInfo.InvariantCulture, $"stalled for {time.TotalMinutes:0.##} min"));
        if (Finish is { } finish) parts.Add($"finishing {finish}");
        if (Undo is { } undo) parts.Add($"undo {undo}");
        if (Arrival is { } arrival) parts.Add($"arrival {EnumText<Arrival>.Of(arrival)}");
        return parts.Count == 0 ? "all records" : string.Join(", ", parts);
    }
}
