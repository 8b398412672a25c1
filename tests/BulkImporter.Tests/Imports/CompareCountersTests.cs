using BulkImporter.Imports;
using BulkImporter.Records;
using Microsoft.Extensions.Logging.Abstractions;

namespace BulkImporter.Tests.Imports;

public sealed class CompareCountersTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private readonly CompareCounters compare = new(database.Source, NullLogger<CompareCounters>.Instance);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(
        "UPDATE importer.import_chunk SET unanswered_count = unanswered_count + 1, imported_count = imported_count - 1 WHERE import_id = $1 "
            + "AND number = 1")]
    [InlineData("UPDATE importer.import_chunk SET on_wire = '{2}', unanswered_count = 1, submitted_count = submitted_count - 1 WHERE import_id = $1 AND number = 1")]
    [InlineData("UPDATE importer.chunk_failure SET count = count + 1 WHERE import_id = $1 AND chunk_number = 2")]
    [InlineData("DELETE FROM importer.chunk_failure WHERE import_id = $1")]
    [InlineData("INSERT INTO importer.chunk_failure (import_id, chunk_number, code, count) VALUES ($1, 1, 'remote_error', 1)")]
    [InlineData("UPDATE importer.chunk_host SET count = count + 1 WHERE import_id = $1 AND chunk_number = 1")]
    [InlineData("UPDATE importer.import_chunk SET verified_count = verified_count + 1 WHERE import_id = $1 AND number = 2")]
    [InlineData("UPDATE importer.import_chunk SET size_differs_count = 0, verified_count = 2 WHERE import_id = $1 AND number = 1")]
    [InlineData("DELETE FROM importer.chunk_host WHERE import_id = $1 AND chunk_number = 2")]
    public async Task A_counter_that_is_not_what_the_records_say_is_found_and_right_ones_are_not(string tampering)
    {
        // Three chunks: one all well, one with failures, one whose failures are forgiven.
        var id = await database.ImportAsync(rows: 9);
        await FailAsync(id, 2, [4, 5]);
        await FailAsync(id, 3, [7, 8]);
        await database.SubmitAsync(id, 1, 1, 2, 3);
        await database.ConcludeAsync(id, 1, "st-1-1", RecordState.Imported);
        await database.RerunAsync(id, new RecordFilter { RowNumbers = [7, 8] });
        await database.AddAsync(
            new RecordAsset { ImportId = id, RowNumber = 1, Rid = "rid1", SizeBytes = 10, ExpectedBytes = 10 },
            new RecordAsset { ImportId = id, RowNumber = 2, Rid = "rid2", SizeBytes = 9, ExpectedBytes = 10 },
            new RecordAsset { ImportId = id, RowNumber = 3, Rid = "rid3" });
        await database.AssertSoundAsync(id);
        Assert.Equal(0, await compare.RunAsync(Token));

        await database.SqlAsync(tampering, id);
        Assert.Equal(1, await compare.RunAsync(Token));
        await database.SqlAsync("DELETE FROM importer.import WHERE id = $1", id);
    }

    private async Task FailAsync(int importId, int chunk, int[] rows)
    {
        var lease = await database.LeaseAsync(importId, chunk);
        var intents = await database.Transitions.SubmittingAsync(lease, rows, Token);
        await database.AnswerAsync(lease,
            [.. intents.Select(i => EngineDatabase.Failed(i, RecordState.Failed, FailureCode.SourceNotFound))]);
        await database.ReleaseAsync(importId, chunk);
    }
}
