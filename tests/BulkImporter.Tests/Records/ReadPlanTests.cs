using BulkImporter.Data;
using BulkImporter.Records;

namespace BulkImporter.Tests.Records;

/// <summary>
/// What EF Core makes of the lists' queries: none reads more than the page that it is for, however many records an import has and whether
/// the statement was planned for its parameters or for any. The plans are the server's own, told by auto_explain.
/// </summary>
public sealed class ReadPlanTests(EngineDatabase database) : IClassFixture<EngineDatabase>, IAsyncLifetime
{
    private const int Rows = 50_000;
    private const int ChunkSize = 500;
    private const int Length = 50;
    private static readonly SemaphoreSlim Prepared = new(1, 1);
    private static int import;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<RecordFilter, int, int, int> Pages()
    {
        // What is read of a page: its records and the one behind it; of a state, the chunks that have it too.
        var few = Length + 1;
        return new()
        {
            { RecordFilter.All, 0, int.MaxValue, few },
            { RecordFilter.All, Rows - 100, int.MaxValue, few },
            { new RecordFilter { State = RecordState.Imported }, 10_000, int.MaxValue, few + (Rows / ChunkSize) },
            { new RecordFilter { State = RecordState.Failed }, 0, int.MaxValue, 3 * ChunkSize },
            { new RecordFilter { State = RecordState.Unknown }, 0, int.MaxValue, few + (Rows / ChunkSize) },
            { new RecordFilter { Code = "source_not_found" }, 0, int.MaxValue, few },
            { new RecordFilter { RowNumbers = [7, 49_000, 60_000] }, 0, int.MaxValue, few },
            { new RecordFilter { Search = "nothing like it" }, 20_000, 30_000, 10_000 },
            { new RecordFilter { Stalled = TimeSpan.FromMinutes(30) }, 20_000, 30_000, 10_000 },
        };
    }

    public async ValueTask InitializeAsync()
    {
        await Prepared.WaitAsync(Token);
        try
        {
            if (import != 0) return;
            import = await database.ImportAsync(Rows, ChunkSize);
            await database.SqlAsync(
                "UPDATE importer.import_record SET state = 'imported', caption = 'Clip', rid = 'rid' || row_number, finished_at = now() WHERE import_id = $1", import);
            await database.SqlAsync("""
                UPDATE importer.import_record SET state = 'failed', error_code = 'source_not_found', error_message = 'Gone.'
                WHERE import_id = $1 AND row_number IN (9, 20000, 45000)
                """, import);
            await database.SqlAsync("""
                UPDATE importer.import_record SET state = 'submitted', status_id = 'st-' || row_number, finished_at = NULL
                WHERE import_id = $1 AND row_number BETWEEN 25001 AND 27000
                """, import);
            await database.SqlAsync("""
                INSERT INTO importer.status_poll (import_id, row_number, attempt, account_id, status_id, submitted_at, next_poll_at,
                    moved_at)
                SELECT r.import_id, r.row_number, 1, i.account_id, r.status_id, now(), now(), now()
                FROM importer.import_record r JOIN importer.import i ON i.id = r.import_id WHERE r.import_id = $1 AND r.state = 'submitted'
                ON CONFLICT DO NOTHING
                """, import);
            foreach (var table in new[] { "import_record", "import_chunk", "status_poll", "record_finish", "import" })
                await database.SqlAsync($"ANALYZE importer.{table}");
        }
        finally
        {
            Prepared.Release();
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task A_page_reads_no_more_than_what_it_shows(RecordFilter filter, int after, int through, int most)
    {
        foreach (var planMode in new[] { "force_custom_plan", "force_generic_plan" })
        {
            await using var explained = new ExplainedDatabase(database.ConnectionString, planMode);
            var records = new ReadRecords(new Contexts(explained.Source, []));
            await records.ListAsync(import, filter, after, Length, Token, through);
            explained.AssertReads(most, $"page of {filter} with {planMode}");
            // The same way back: to the same step of a look, or as far from the end as that was from the beginning.
            var (before, behind) = through < Rows ? (through + 1, after) : (Rows - after + 1, 0);
            await records.ListBackwardAsync(import, filter, before, behind, Length, Token);
            explained.AssertReads(most, $"page back of {filter} with {planMode}");
        }
    }

    [Theory]
    [InlineData("force_custom_plan")]
    [InlineData("force_generic_plan")]
    public async Task A_count_a_record_and_a_range_of_an_export_read_no_more_than_they_must(string planMode)
    {
        await using var explained = new ExplainedDatabase(database.ConnectionString, planMode);
        var records = new ReadRecords(new Contexts(explained.Source, []));
        Assert.Equal(3, await records.CountAsync(import, new RecordFilter { Code = "source_not_found" }, 20_000, Token));
        explained.AssertReads(3, "count by code");
        Assert.Null(await records.CountAsync(import, new RecordFilter { Finish = "done" }, 100, Token));
        explained.TakePlans();
        Assert.NotNull(await records.FindAsync(import, 30_000, Token));
        explained.AssertReads(1, "record");
        await using var connection = await explained.Source.OpenConnectionAsync(Token);
        await foreach (var rows in new RecordFilter
        { State = RecordState.Failed }.RowsAsync(connection, import, r => true, Token)) Assert.Equal([9, 20_000, 45_000], rows);
        explained.AssertReads(Rows, "selection of a bulk action");
    }
}
