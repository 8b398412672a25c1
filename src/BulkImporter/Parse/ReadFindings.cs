using System.Runtime.CompilerServices;
using BulkImporter.Manifests;
using BulkImporter.Records;
using BulkImporter.Sources;
using Cincopa.Client;

namespace BulkImporter.Parse;

/// <summary>A finding as every door shows it.</summary>
/// <param name="Row">The data row, from 1; 0 when the finding is about the file.</param>
/// <param name="Line">The line where that row starts in the file, from 1.</param>
/// <param name="Value">The offending value, masked and cut.</param>
/// <param name="Hint">What to do; null for a code that this version does not know.</param>
/// <param name="OtherRow">For duplicates, the row that has the source or the reference id already.</param>
/// <param name="OtherImport">The import of that row when it is an earlier one.</param>
public sealed record FindingView(int Row, long Line, string? Column, string Code, string Severity, string? Value, string? Hint,
    int? OtherRow = null, int? OtherImport = null);

/// <param name="Next">Pass it as <c>after</c> to go on; null when this is the end.</param>
public sealed record FindingPage(IReadOnlyList<FindingView> Items, string? Next);

/// <summary>How often a code was found in a manifest.</summary>
public sealed record FindingCount(string Code, string Severity, int Count, string? Hint);

/// <summary>The share links of a host that were made direct.</summary>
/// <param name="Change">The first of them, as it was written and what was made of it.</param>
public sealed record DirectHost(string Host, int Count, string Change);

/// <summary>What the parser found in a manifest, in the order of its rows.</summary>
public sealed class ReadFindings(IDbContextFactory<ImporterDb> contexts)
{
    private const int PageSize = 5000;

    private const string ByHost = """
        SELECT importer.host_of(f.value) AS host, count(*)::int AS count, (array_agg(f.value ORDER BY f.row_number))[1] AS change
        FROM importer.finding f
        WHERE f.import_id = $1 AND f.code = 'url_made_direct' AND importer.host_of(f.value) IS NOT NULL
        GROUP BY 1 ORDER BY 2 DESC, 1
        """;

    /// <param name="after">The <see cref="FindingPage.Next"/> of the page before, or null for the first.</param>
    /// <exception cref="InvalidArgumentException"><paramref name="after"/> is not such a value.</exception>
    public async Task<FindingPage> ListAsync(int importId, string? after, int limit, CancellationToken cancellationToken)
    {
        var (row, id) = Cursor(after);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = await Of(db, importId)
            .Where(f => EF.Functions.GreaterThan(ValueTuple.Create(f.RowNumber, f.Id), ValueTuple.Create(row, id)))
            .OrderBy(f => f.RowNumber).ThenBy(f => f.Id).Take(limit + 1).ToListAsync(cancellationToken);
        var next = rows.Count > limit ? $"{rows[limit - 1].RowNumber}.{rows[limit - 1].Id}" : null;
        return new([.. rows.Take(limit).Select(View)], next);
    }

    /// <summary>All of them, read page by page.</summary>
    public async IAsyncEnumerable<FindingView> AllAsync(int importId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? after = null;
        do
        {
            var page = await ListAsync(importId, after, PageSize, cancellationToken);
            foreach (var finding in page.Items) yield return finding;
            after = page.Next;
        }
        while (after is not null);
    }

    /// <summary>Counts by code, errors before warnings, the most frequent first.</summary>
    public async Task<IReadOnlyList<FindingCount>> SummaryAsync(int importId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await Of(db, importId).GroupBy(f => new { f.Code, f.Severity })
            .Select(g => new { g.Key.Code, g.Key.Severity, Count = g.Count() })
            .OrderBy(g => g.Severity).ThenByDescending(g => g.Count).ThenBy(g => g.Code)
            .Select(g => new FindingCount(g.Code, g.Severity, g.Count, Hint(g.Code))).ToListAsync(cancellationToken);
    }

    /// <summary>By host, what was made direct; the host with the most first.</summary>
    public async Task<IReadOnlyList<DirectHost>> DirectHostsAsync(int importId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.QueryAsync<DirectHost>(ByHost, cancellationToken, importId);
    }

    /// <summary>The first few of each code.</summary>
    public async Task<IReadOnlyList<FindingView>> ExamplesAsync(int importId, int ofEach, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var findings = Of(db, importId);
        var first = await findings.Select(f => f.Code).Distinct()
            .SelectMany(code => findings.Where(f => f.Code == code).OrderBy(f => f.RowNumber).ThenBy(f => f.Id).Take(ofEach))
                .ToListAsync(cancellationToken);
        return first.ConvertAll(View);
    }

    private static IQueryable<StoredFinding> Of(ImporterDb db, int importId) =>
        db.Set<StoredFinding>().AsNoTracking().Where(f => f.ImportId == importId);

    private static (int Row, long Id) Cursor(string? after)
    {
        if (after is null) return (-1, 0);
        return after.Split('.') is [var row, var id]
            && int.TryParse(row, NumberStyles.None, CultureInfo.InvariantCulture, out var rowNumber)
            && long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var findingId)
            ? (rowNumber, findingId)
            : throw new InvalidArgumentException("after", "'after' must be the 'next' of the previous page.");
    }

    private static FindingView View(StoredFinding f) =>
        new(f.RowNumber, f.LineNumber, f.ColumnName is { } column ? Redact.Secrets(column) : null, f.Code, f.Severity, f.Value,
            Advice(f) ?? Hint(f.Code), f.OtherRow, f.OtherImport);

    private static string? Hint(string code) => FindingCodes.Named(code)?.Hint();

    /// <summary>What is known of the host that the value names; null for nothing.</summary>
    private static string? Advice(StoredFinding f) => (FindingCodes.Named(f.Code), f.Value) switch
    {
        (FindingCode.UrlSharePage, { } url) => ShareLinks.Of(Encoding.UTF8.GetBytes(url))?.Advice,
        (FindingCode.SourceIsAPage, { } answer) => ShareLinks.AdviceOf(answer.Split(':')[0]),
        _ => null,
    };
}
