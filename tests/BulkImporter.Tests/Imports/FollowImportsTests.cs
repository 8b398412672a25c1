using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Records;

namespace BulkImporter.Tests.Imports;

public sealed class FollowImportsTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_import_is_finished_when_no_record_can_move_and_not_before()
    {
        var id = await database.ImportAsync(rows: 2, chunkSize: 1);
        await database.SubmitAsync(id, 1, 1);
        await database.ConcludeAsync(id, 1, "st-1-1", RecordState.Imported);
        await database.SubmitAsync(id, 2, 2);
        await database.Follow.RunAsync(Token);
        Assert.Equal("running", await database.ImportStateAsync(id));
        await database.ConcludeAsync(id, 2, "st-2-1", RecordState.Unknown, FailureCode.StatusLost);
        await database.Follow.RunAsync(Token);
        Assert.Equal("finished", await database.ImportStateAsync(id));
    }

    [Theory]
    [InlineData(999, 999, "running")] // too few to judge
    [InlineData(1000, 500, "running")] // half is not more than half
    [InlineData(1000, 501, "paused")]
    public async Task An_import_that_mostly_fails_is_paused_by_itself(int finished, int failed, string state)
    {
        var id = await database.ImportAsync(rows: finished + 1, chunkSize: 2000);
        await FinishAsync(id, 1, finished, failed);
        await database.Follow.RunAsync(Token);
        Assert.Equal(state, await database.ImportStateAsync(id));
    }

    [Fact]
    public async Task A_resumed_import_is_judged_by_what_came_after()
    {
        var id = await database.ImportAsync(rows: 2500, chunkSize: 2500);
        await FinishAsync(id, 1, 1000, 900);
        await database.Follow.RunAsync(Token);
        Assert.Equal("paused", await database.ImportStateAsync(id));
        await new ResumeImport(database.Source).RunAsync(id, "ann", Token);
        await FinishAsync(id, 1001, 999, 999);
        await database.Follow.RunAsync(Token);
        Assert.Equal("running", await database.ImportStateAsync(id));
        await FinishAsync(id, 2000, 1, 1);
        await database.Follow.RunAsync(Token);
        Assert.Equal("paused", await database.ImportStateAsync(id));
    }

    [Fact]
    public async Task A_rerun_that_commits_while_the_import_is_being_finished_keeps_it_running()
    {
        var id = await database.ImportAsync(rows: 1);
        await database.SubmitAsync(id, 1, 1);
        await database.ConcludeAsync(id, 1, "st-1-1", RecordState.Failed, FailureCode.SourceNotFound);

        // A rerun as RerunRecords does it, held open: the import is locked, its record pending, nothing committed.
        await using var connection = await database.Source.OpenConnectionAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await connection.ExecuteAsync("SELECT 1 FROM importer.import WHERE id = $1 FOR NO KEY UPDATE", Token, id);
        await database.Transitions.PendingAgainAsync(connection, id, RecordFilter.All, [], push: false, Token);
        var follow = database.Follow.RunAsync(Token);
        while (!await database.OneAsync<bool>(
            "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"))
        {
            Assert.False(follow.IsFaulted);
            if (follow.IsCompleted) break;
            await Task.Delay(5, Token);
        }
        await transaction.CommitAsync(Token);
        await follow;
        Assert.Equal(("running", "pending 1"), (await database.ImportStateAsync(id), await database.SoundCountsAsync(id)));
    }

    /// <summary>Ends records as imported, the first <paramref name="failed"/> of them as failed.</summary>
    private Task<int> FinishAsync(int id, int first, int count, int failed) => database.SqlAsync("""
        UPDATE importer.import_record
        SET state = CASE WHEN row_number < $2 + $4 THEN 'failed' ELSE 'imported' END, rid = 'r', finished_at = now()
        WHERE import_id = $1 AND row_number >= $2 AND row_number < $2 + $3
        """, id, first, count, failed);
}
