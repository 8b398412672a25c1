using System.Globalization;
using System.Runtime.CompilerServices;
using BulkImporter.Data;
using BulkImporter.Manifests;
using Npgsql;

namespace BulkImporter.Parse;

/// <summary>A finding as every door shows it.</summary>
/// <param name="Row">The data row, from 1; 0 when the finding is about the file.</param>
/// <param name="Line">The line where that row starts in the file, from 1.</param>
/// <param name="Value">The offending value, masked and cut.</param>
/// <param name="Hint">What to do; null for a code that this version does not know.</param>
/// <param name="OtherRow">For duplicates, the row that has the source or the reference id already.</param>
/// <param name="OtherImport">The import of that row when it is an earlier one.</param>
public sealed record FindingView(int Row, long Line, string? Column, string Code, string Severity, string? Value, string? Hint, int? OtherRow = null, int? OtherImport = null);

/// <param name="Next">Pass it as <c>after</c> to go on; null when this is the end.</param>
public sealed record FindingPage(IReadOnlyList<FindingView> Items, string? Next);

/// <summary>How often a code was found in a manifest.</summary>
public sealed record FindingCount(string Code, string Severity, int Count, string? Hint);

/// <summary>What the parser found in a manifest, in the order of its rows.</summary>
public sealed class ReadFindings(NpgsqlDataSource database)
{
    private const int PageSize = 5000;

    private const string List = """
        SELECT row_number, line_number, column_name, code, severity, value, other_row, other_import, id FROM importer.finding
        WHERE import_id = $1 AND (row_number, id) > ($2, $3)
        ORDER BY row_number, id LIMIT $4
        """;

    private const string Summary = """
        SELECT code, severity, count(*)::int FROM importer.finding WHERE import_id = $1 GROUP BY code, severity ORDER BY severity, count(*) DESC, code
        """;

    private const string Examples = """
        SELECT e.* FROM (SELECT DISTINCT code FROM importer.finding WHERE import_id = $1) c
        CROSS JOIN LATERAL (
            SELECT row_number, line_number, column_name, code, severity, value, other_row, other_import FROM importer.finding
            WHERE import_id = $1 AND code = c.code ORDER BY row_number, id LIMIT $2) e
        """;

    /// <param name="after">The <see cref="FindingPage.Next"/> of the page before, or null for the first.</param>
    /// <exception cref="InvalidArgumentException"><paramref name="after"/> is not such a value.</exception>
    public async Task<FindingPage> ListAsync(int importId, string? after, int limit, CancellationToken cancellationToken)
    {
        var (row, id) = Cursor(after);
        var rows = await database.QueryAsync(List, r => (Finding: Read(r), Id: r.GetInt64(8)), cancellationToken, importId, row, id, limit + 1);
        if (rows.Count <= limit) return new([.. rows.Select(r => r.Finding)], null);
        var last = rows[limit - 1];
        return new([.. rows.Take(limit).Select(r => r.Finding)], string.Create(CultureInfo.InvariantCulture, $"{last.Finding.Row}.{last.Id}"));
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
    public async Task<IReadOnlyList<FindingCount>> SummaryAsync(int importId, CancellationToken cancellationToken) =>
        await database.QueryAsync(Summary, r => new FindingCount(r.GetString(0), r.GetString(1), r.GetInt32(2), Hint(r.GetString(0))), cancellationToken, importId);

    /// <summary>The first few of each code.</summary>
    public async Task<IReadOnlyList<FindingView>> ExamplesAsync(int importId, int ofEach, CancellationToken cancellationToken) =>
        await database.QueryAsync(Examples, Read, cancellationToken, importId, ofEach);

    private static (int Row, long Id) Cursor(string? after)
    {
        if (after is null) return (-1, 0);
        return after.Split('.') is [var row, var id]
            && int.TryParse(row, NumberStyles.None, CultureInfo.InvariantCulture, out var rowNumber)
            && long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var findingId)
            ? (rowNumber, findingId)
            : throw new InvalidArgumentException("after", "'after' takes the 'next' of the page before.");
    }

    private static FindingView Read(NpgsqlDataReader r) =>
        new(r.GetInt32(0), r.GetInt64(1), r.Text(2), r.GetString(3), r.GetString(4), r.Text(5), Hint(r.GetString(3)), r.Number(6), r.Number(7));

    private static string? Hint(string code) => FindingCodes.Named(code)?.Hint();
}
