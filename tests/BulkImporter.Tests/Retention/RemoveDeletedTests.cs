using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Retention;
using BulkImporter.Tests.Api;
using Microsoft.Extensions.Logging.Abstractions;

namespace BulkImporter.Tests.Retention;

public sealed class RemoveDeletedTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    /// <summary>Everything that has an import's number, besides the audit log.</summary>
    private const string CountRows = """
        SELECT coalesce(sum((xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM importer.%I WHERE import_id = %s',
            c.table_name, $1), false, true, '')))[1]::text::bigint), 0)::bigint
        FROM information_schema.columns c WHERE c.table_schema = 'importer' AND c.column_name = 'import_id'
            AND c.table_name <> 'audit_entry'
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_deleted_import_goes_in_small_steps_with_all_that_it_had_and_nothing_else_does()
    {
        var (gone, stays) = (await EndedAsync(), await EndedAsync());
        var before = await RowsAsync(stays);

        var (status, body) = await server.SendAsync(server.AdminKey, HttpMethod.Delete, $"/api/v1/imports/{gone}");
        Assert.Equal((200, "deleting"), (status, (string?)body!["state"]));
        // Nothing can be done with it any more.
        Assert.Equal(409, (await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{gone}/rerun", """{"state":"failed"}""")).Status);
        Assert.Equal(409, (await server.SendAsync(server.AdminKey, HttpMethod.Delete, $"/api/v1/imports/{gone}")).Status);
        Assert.Equal(409, (await server.GetAsync(server.OperatorKey, $"/api/v1/imports/{gone}/archive")).Status);

        var remove = Remover(step: 2);
        var steps = new List<int>();
        while (await remove.RunAsync(Token) is > 0 and var removed) steps.Add(removed);

        // Five attempts, one text, five findings, one correction, three records and their chunk, two of a table at a time; the import with
        // the rest of it.
        Assert.Equal([2, 2, 1, 1, 2, 2, 1, 1, 2, 1, 1, 1], steps);
        Assert.Equal(0, await RowsAsync(gone));
        Assert.Equal(404, (await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{gone}")).Status);
        Assert.Equal("Library, 3 rows",
            await server.Database.OneAsync<string>(
                "SELECT detail FROM importer.audit_entry WHERE import_id = $1 AND action = 'import_deleted'", gone));
        Assert.Equal(before, await RowsAsync(stays));
    }

    [Fact]
    public async Task Only_an_import_that_has_ended_can_be_deleted_and_only_by_an_admin_unless_its_manifest_was_rejected()
    {
        foreach (var state in new[] { ImportState.Parsing, ImportState.Review, ImportState.Running, ImportState.Paused })
        {
            var id = await server.Database.ImportAsync(state, state == ImportState.Parsing ? [] : [RecordState.Pending]);
            Assert.Equal(409, (await server.SendAsync(server.AdminKey, HttpMethod.Delete, $"/api/v1/imports/{id}")).Status);
        }
        // Cancelled, but Cincopa is still fetching a file: its end would find no record.
        var followed = await server.Database.ImportAsync(ImportState.Cancelled, [RecordState.Cancelled, RecordState.Submitted]);
        var (status, problem) = await server.SendAsync(server.AdminKey, HttpMethod.Delete, $"/api/v1/imports/{followed}");
        Assert.Equal(
            (409, $"Import {followed} is cancelled; only an import that has ended, and has nothing under way at Cincopa, "
                + "can be deleted."), (status, (string?)problem!["detail"]));
        // Ended, but its assets are still being given their texts.
        var finishing = await server.Database.ImportAsync(ImportState.Finished, [RecordState.Imported]);
        await server.Database.AddAsync(server.Database.Finish(finishing, 1, "rid1"));
        Assert.Equal(409, (await server.SendAsync(server.AdminKey, HttpMethod.Delete, $"/api/v1/imports/{finishing}")).Status);

        var rejected = await server.Database.ImportAsync(ImportState.Rejected, []);
        Assert.Equal(403, (await server.SendAsync(server.ViewerKey, HttpMethod.Delete, $"/api/v1/imports/{rejected}")).Status);
        Assert.Equal(200, (await server.SendAsync(server.OperatorKey, HttpMethod.Delete, $"/api/v1/imports/{rejected}")).Status);
        var cancelled = await server.Database.ImportAsync(ImportState.Cancelled, []);
        (status, problem) = await server.SendAsync(server.OperatorKey, HttpMethod.Delete, $"/api/v1/imports/{cancelled}");
        Assert.Equal((403, "role-too-low"), (status, (string?)problem!["type"]));
        Assert.Equal(200, (await server.SendAsync(server.AdminKey, HttpMethod.Delete, $"/api/v1/imports/{cancelled}")).Status);
        Assert.Equal(404, (await server.SendAsync(server.AdminKey, HttpMethod.Delete, "/api/v1/imports/999999")).Status);
        while (await Remover().RunAsync(Token) > 0) { }
        Assert.Equal(404, (await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{rejected}")).Status);
    }

    [Fact]
    public async Task An_import_outlives_rows_that_another_worker_is_removing()
    {
        var id = await EndedAsync();
        await server.SendAsync(server.AdminKey, HttpMethod.Delete, $"/api/v1/imports/{id}");
        var remove = Remover();
        await using (var connection = await server.Database.Source.OpenConnectionAsync(Token))
        await using (var transaction = await connection.BeginTransactionAsync(Token))
        {
            await using var other = connection.CreateCommand();
            other.CommandText = $"DELETE FROM importer.import_record WHERE import_id = {id} AND row_number = 2";
            await other.ExecuteNonQueryAsync(Token);
            while (await remove.RunAsync(Token) > 0) { }
            // It dies, and its row comes back.
            await transaction.RollbackAsync(Token);
        }
        Assert.Equal(1, await server.Database.OneAsync<long>("SELECT count(*) FROM importer.import WHERE id = $1", id));
        while (await remove.RunAsync(Token) > 0) { }
        Assert.Equal(0, await RowsAsync(id));
    }

    private RemoveDeleted Remover(int step = 5000) => new(server.Database.Source, NullLogger<RemoveDeleted>.Instance) { Rows = step };

    private Task<long> RowsAsync(int id) => server.Database.OneAsync<long>(CountRows, id);

    private async Task<int> EndedAsync()
    {
        var id = await server.Database.ImportAsync(ImportState.Finished, [RecordState.Imported, RecordState.Failed, RecordState.Imported]);
        await server.Database.AddAsync([
            .. Enumerable.Range(1, 5).Select(n => ImporterDatabase.Attempt(id, 1, outcome: null, (short)n)),
            .. Enumerable.Range(1, 5).Select(n => ImporterDatabase.Finding(id, n, "url_missing")),
            new RecordMeta { ImportId = id, RowNumber = 1, Description = "A clip" },
            new Correction
            {
                ImportId = id,
                RowNumber = 2,
                At = DateTimeOffset.UtcNow,
                Actor = "ann",
                Field = "caption",
                OldValue = "a",
                NewValue = "b",
            },
        ]);
        return id;
    }
}
