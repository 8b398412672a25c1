using BulkImporter.Access;
using BulkImporter.Imports;
using BulkImporter.Probes;
using BulkImporter.Records;

namespace BulkImporter.Tests.Imports;

public sealed class ReadStoryTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private readonly ReadStory read = new(database.Source);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_people_the_engine_and_the_machines_did_is_one_story_in_its_order()
    {
        var id = await database.ImportAsync(rows: 1);
        await database.SqlAsync("UPDATE importer.import SET checked_at = now() - interval '9 min', started_at = now() - interval '7 min' "
            + "WHERE id = $1", id);
        await database.AddAsync(new Probe
        {
            ImportId = id,
            State = "finished",
            Step = 1,
            TotalCount = 1,
            ProbedCount = 1,
            ProblemCount = 0,
            LastRow = 1,
            Run = 1,
            StartedAt = DateTimeOffset.UtcNow,
            FinishedAt = DateTimeOffset.UtcNow.AddMinutes(-8),
        });
        await NoteAsync(10, "ann", "import_created", id, "library.csv");
        await NoteAsync(7, "ann", "import_started", id, null);
        await NoteAsync(8, "BulkImporter", "server_started", null, "before it began");
        await NoteAsync(6, "BulkImporter", "server_started", null, "serve on host1");
        await NoteAsync(5, "BulkImporter", "account_suspended", id, "The token is rejected.");
        await database.SqlAsync("INSERT INTO importer.notification (kind, at, import_id, account_id, reason) "
            + "SELECT 'import_stalled', now() - interval '4 min', id, account_id, '1 record' FROM importer.import WHERE id = $1", id);
        await NoteAsync(3, "ben", "account_resumed", id, null);
        await database.SubmitAsync(id, 1, 1);
        await database.SqlAsync("UPDATE importer.import_record SET caption = 'Clip' WHERE import_id = $1", id);
        await database.ConcludeAsync(id, 1, "st-1-1", RecordState.Imported);
        await database.Follow.RunAsync(Token);
        Assert.DoesNotContain(await read.LatestAsync(id, 100, Token), e => e.What is "import_finished" or "texts_written");
        await database.SqlAsync("DELETE FROM importer.work_batch WHERE import_id = $1", id);
        await database.SqlAsync("INSERT INTO importer.record_finish (import_id, row_number, account_id, rid, state, next_at, failed_count) "
            + "SELECT id, 1, account_id, 'rid1', 'failed', now(), 8 FROM importer.import WHERE id = $1", id);
        await database.Follow.RunAsync(Token);
        await NoteAsync(-1, "BulkImporter", "server_started", null, "after its end");

        var story = await read.LatestAsync(id, 100, Token);

        Assert.Equal(
        [
            "ann import_created library.csv", " manifest_read 1 row", " files_checked 1 of 1, 0 with a problem", "ann import_started ",
            " server_started serve on host1", "BulkImporter account_suspended The token is rejected.", " import_stalled 1 record",
            "ben account_resumed ", " texts_written not for 1", " import_finished ",
        ], story.Reverse().Select(e => $"{e.Actor} {e.What} {e.Detail}"));
        await database.SqlAsync("UPDATE importer.import SET start_when_parsed = true WHERE id = $1", id);
        Assert.Contains(await read.LatestAsync(id, 100, Token), e => e.What == "sending_began");
        Assert.Equal(["import_finished", "texts_written"], (await read.LatestAsync(id, 2, Token)).Select(e => e.What));
    }

    private async Task NoteAsync(int minutesAgo, string actor, string action, int? importId, string? detail) => await database.SqlAsync(
        $"{Audit.Entry} VALUES (now() - $1, $2, $3, $4, NULL, $5)", TimeSpan.FromMinutes(minutesAgo), actor, action, importId, detail);
}
