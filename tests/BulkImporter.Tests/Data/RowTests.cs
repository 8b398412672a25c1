using BulkImporter.Data;
using BulkImporter.Imports;
using Cincopa.Client;

namespace BulkImporter.Tests.Data;

public sealed class RowTests(ImporterDatabase database) : IClassFixture<ImporterDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private sealed record Seen(
        int RowNumber, string Name, string? Note, ImportState State, StatusId? StatusId, DateTimeOffset? At, int[] Numbers);

    private sealed record Wanted(int Number);

    [Fact]
    public async Task Columns_are_found_by_their_name_in_any_order()
    {
        var rows = await database.Source.QueryAsync<Seen>("""
            SELECT 'running' AS state, ARRAY[1, 2] AS numbers, 'st-1' AS status_id, 7 AS row_number, 'unasked' AS more, 'a' AS name,
                NULL::text AS note, NULL::timestamptz AS at
            UNION ALL SELECT 'paused', ARRAY[3], NULL, 8, '', 'b', 'why', timestamptz '2026-11-29 23:00Z' ORDER BY row_number
            """, Token);
        Assert.Equal([1, 2], rows[0].Numbers);
        Assert.Equal(new Seen(7, "a", null, ImportState.Running, new StatusId("st-1"), null, rows[0].Numbers), rows[0]);
        Assert.Equal(new Seen(8, "b", "why", ImportState.Paused, null, new(2026, 11, 29, 23, 0, 0, TimeSpan.Zero), rows[1].Numbers),
            rows[1]);
    }

    [Fact]
    public async Task A_single_column_is_a_value()
    {
        Assert.Equal([1, 2], await database.Source.QueryAsync<int>("SELECT generate_series(1, $1)", Token, 2));
        Assert.Equal([null, 5L], await database.Source.QueryAsync<long?>("VALUES (NULL), (5::bigint)", Token));
        Assert.Equal([new Rid("r")], await database.Source.QueryAsync<Rid>("SELECT 'r'", Token));
        Assert.Equal([ImportState.Review], await database.Source.QueryAsync<ImportState>("SELECT 'review'", Token));
    }

    [Fact]
    public async Task What_does_not_fit_is_refused()
    {
        var missing = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            database.Source.QueryAsync<Wanted>("SELECT 1 AS numbers", Token));
        Assert.Contains("Wanted.Number", missing.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidCastException>(() => database.Source.QueryAsync<Wanted>("SELECT NULL::int AS number", Token));
        await Assert.ThrowsAsync<InvalidCastException>(() => database.Source.QueryAsync<string>("SELECT NULL::text", Token));
    }
}
