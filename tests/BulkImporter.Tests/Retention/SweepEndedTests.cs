using BulkImporter.Access;
using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Records;
using BulkImporter.Retention;
using BulkImporter.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Retention;

public sealed class SweepEndedTests(ImporterDatabase database) : IClassFixture<ImporterDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_too_old_goes_in_small_steps_and_everything_younger_or_unfinished_stays()
    {
        var (old, young, running) = (await EndedAsync(days: 91), await EndedAsync(days: 89),
            await database.ImportAsync(ImportState.Running, [RecordState.Pending]));
        await FillAsync(running);
        var sweep = new SweepEnded(database.Source, Options.Create(new RetentionOptions { Manifests = TimeSpan.FromDays(90) }),
            NullLogger<SweepEnded>.Instance)
        { Rows = 2 };

        var steps = new List<int>();
        while (await sweep.RunAsync(Token) is > 0 and var removed) steps.Add(removed);

        // Five attempts, five findings and three parts, two of each at a time.
        Assert.Equal([6, 5, 2], steps);
        Assert.Equal("0 0 0", await LeftAsync(old));
        Assert.Equal("5 5 3", await LeftAsync(young));
        Assert.Equal("5 5 3", await LeftAsync(running));
        // The numbers stay, and so does the manifest's name.
        Assert.Equal("imported 1, failed 1", await database.CountsAsync(old));
        Assert.Equal("library.csv",
            await database.OneAsync<string>(
                "SELECT m.file_name FROM importer.manifest m JOIN importer.import i ON i.manifest_id = m.id WHERE i.id = $1", old));
    }

    [Fact]
    public async Task The_last_attempt_of_a_record_in_doubt_stays_for_its_asset_to_be_looked_for()
    {
        var id = await AgedAsync(ImportState.Finished, [RecordState.Unknown, RecordState.Failed], 91);
        await database.AddAsync(ImporterDatabase.Attempt(id, 1, "reply_lost"), ImporterDatabase.Attempt(id, 1, "reply_lost", number: 2),
            ImporterDatabase.Attempt(id, 2, "source_not_found"));
        await database.SqlAsync("UPDATE importer.import_record SET attempt_count = 2 WHERE import_id = $1 AND row_number = 1", id);
        var sweep = Sweep(new RetentionOptions());
        while (await sweep.RunAsync(Token) > 0) { }
        Assert.Equal("1.2", await database.OneAsync<string>(
            "SELECT string_agg(row_number || '.' || number, ' ') FROM importer.attempt WHERE import_id = $1", id));
    }

    [Fact]
    public async Task The_audit_log_is_kept_unless_a_time_is_set_and_old_links_go()
    {
        await database.AddAsync(new AuditEntry { Actor = "ann", Action = "old" }, new AuditEntry { Actor = "ann", Action = "new" },
            new PasswordLink { Hash = [1], ExpiresAt = DateTimeOffset.UtcNow.AddDays(-8) },
            new PasswordLink { Hash = [2], ExpiresAt = DateTimeOffset.UtcNow.AddDays(-6) });
        await database.SqlAsync("UPDATE importer.audit_entry SET at = now() - interval '400 days' WHERE action = 'old'");
        await Sweep(new RetentionOptions()).RunAsync(Token);
        Assert.Equal(2L, await database.OneAsync<long>("SELECT count(*) FROM importer.audit_entry WHERE action IN ('old', 'new')"));
        Assert.Equal(1L, await database.OneAsync<long>("SELECT count(*) FROM importer.password_link"));

        await Sweep(new RetentionOptions { Audit = TimeSpan.FromDays(365) }).RunAsync(Token);
        Assert.Equal("new",
            await database.OneAsync<string>("SELECT string_agg(action, ',') FROM importer.audit_entry WHERE action IN ('old', 'new')"));
    }

    [Fact]
    public async Task Imports_that_ended_too_long_ago_are_deleted_a_few_at_a_time_and_only_if_a_time_is_set()
    {
        var old = new List<int>
            { await AgedAsync(ImportState.Cancelled, [RecordState.Cancelled], 366), await AgedAsync(ImportState.Cancelled, [], 366) };
        while (old.Count < 7) old.Add(await AgedAsync(ImportState.Finished, [RecordState.Imported, RecordState.Unknown], 366));
        var young = await AgedAsync(ImportState.Finished, [RecordState.Imported], 364);
        var paused = await database.ImportAsync(ImportState.Paused, [RecordState.Pending]);
        await Sweep(new RetentionOptions()).RunAsync(Token);
        Assert.Equal(0L, await DeletionsAsync([.. old]));

        var sweep = Sweep(new RetentionOptions { Imports = TimeSpan.FromDays(365) });
        var steps = new List<int>();
        while (await sweep.RunAsync(Token) is > 0 and var deleted) steps.Add(deleted);
        Assert.Equal([5, 2], steps);

        Assert.Equal(7L, await DeletionsAsync([.. old]));
        Assert.Equal("deleting, Its time was over, 365.00:00:00 after its end; its rows are being removed.",
            await database.OneAsync<string>("SELECT concat(state, ', ', reason) FROM importer.import WHERE id = $1", old[^1]));
        Assert.Equal("retention: Library, 2 rows",
            await database.OneAsync<string>(
                "SELECT concat(actor, ': ', detail) FROM importer.audit_entry WHERE import_id = $1 AND action = 'import_deleted'",
                old[^1]));
        Assert.Equal(("finished", "paused"), (await database.StateAsync(young), await database.StateAsync(paused)));

        var remove = new RemoveDeleted(database.Source, NullLogger<RemoveDeleted>.Instance);
        while (await remove.RunAsync(Token) > 0) { }
        Assert.Equal(0L, await database.OneAsync<long>("SELECT count(*) FROM importer.import WHERE id = ANY($1)", old.ToArray()));
        Assert.Equal(7L, await DeletionsAsync([.. old]));
    }

    [Fact]
    public async Task A_rejected_manifest_that_nobody_has_answered_goes_after_a_week_whatever_is_set()
    {
        var (old, young) = (await AgedAsync(ImportState.Rejected, [], 8), await AgedAsync(ImportState.Rejected, [], 6));
        var finished = await AgedAsync(ImportState.Finished, [RecordState.Imported], 8);
        await Sweep(new RetentionOptions()).RunAsync(Token);
        Assert.Equal(("deleting", "rejected", "finished"),
            (await database.StateAsync(old), await database.StateAsync(young), await database.StateAsync(finished)));
    }

    [Fact]
    public async Task An_old_import_stays_while_something_of_it_is_under_way_at_Cincopa()
    {
        var followed = await AgedAsync(ImportState.Cancelled, [RecordState.Submitted, RecordState.Cancelled], 366);
        var (adopted, finishing) = (await AgedAsync(ImportState.Finished, [RecordState.Imported], 366),
            await AgedAsync(ImportState.Finished, [RecordState.Imported], 366));
        // The call whose asset was adopted had been accepted after all, and is followed to its end.
        await database.AddAsync(database.Poll(adopted, 1), database.Finish(finishing, 1, "rid1"));
        var undone = await AgedAsync(ImportState.Finished, [RecordState.Imported], 366);
        await database.SqlAsync("UPDATE importer.import SET undo_ordered_at = now() WHERE id = $1", undone);
        var sweep = Sweep(new RetentionOptions { Imports = TimeSpan.FromDays(365) });
        Assert.Equal(0, await sweep.RunAsync(Token));
        Assert.Equal(("cancelled", "finished", "finished", "finished"), (await database.StateAsync(followed),
            await database.StateAsync(adopted), await database.StateAsync(finishing), await database.StateAsync(undone)));

        await database.SqlAsync(
            "UPDATE importer.import_record SET state = 'imported', rid = 'rid', finished_at = now() WHERE import_id = $1 AND state = "
                + "'submitted'", followed);
        await database.SqlAsync("DELETE FROM importer.status_poll WHERE import_id = $1", adopted);
        await database.SqlAsync("DELETE FROM importer.record_finish WHERE import_id = $1", finishing);
        await database.SqlAsync("UPDATE importer.import SET undo_ordered_at = NULL WHERE id = $1", undone);
        Assert.Equal(4, await sweep.RunAsync(Token));
    }

    [Fact]
    public async Task An_import_that_cannot_be_removed_keeps_none_of_the_others()
    {
        var (odd, other) = (await AgedAsync(ImportState.Finished, [RecordState.Imported], 366),
            await AgedAsync(ImportState.Finished, [RecordState.Imported], 366));
        await database.SqlAsync("UPDATE importer.import SET state = 'deleting' WHERE id = ANY($1)", new[] { odd, other });
        await database.SqlAsync($$"""
            CREATE FUNCTION importer.refuse_removal() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN IF OLD.import_id = {{odd}}
                THEN RAISE EXCEPTION 'refused'; END IF; RETURN OLD; END $f$
            """);
        await database.SqlAsync(
            "CREATE TRIGGER refuse_removal BEFORE DELETE ON importer.import_record FOR EACH ROW EXECUTE FUNCTION importer.refuse_removal()");
        var remove = new RemoveDeleted(database.Source, NullLogger<RemoveDeleted>.Instance);
        try
        {
            for (var step = 0; step < 3; step++)
                Assert.Equal($"import {odd}",
                    Assert.Single((await Assert.ThrowsAsync<ItemsFailedException>(() => remove.RunAsync(Token))).Items).What);
        }
        finally
        {
            await database.SqlAsync("DROP FUNCTION importer.refuse_removal() CASCADE");
        }
        Assert.Equal(1L, await database.OneAsync<long>("SELECT count(*) FROM importer.import WHERE id = ANY($1)", new[] { odd, other }));
        while (await remove.RunAsync(Token) > 0) { }
        Assert.Equal(0L, await database.OneAsync<long>("SELECT count(*) FROM importer.import WHERE id = ANY($1)", new[] { odd, other }));
    }

    [Fact]
    public async Task Workers_that_sweep_at_once_delete_each_import_once()
    {
        var old = new int[30];
        for (var i = 0; i < old.Length; i++) old[i] = await AgedAsync(ImportState.Finished, [RecordState.Imported], 366);
        var deleted = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            var sweep = Sweep(new RetentionOptions { Imports = TimeSpan.FromDays(365) });
            var sum = 0;
            while (await sweep.RunAsync(Token) is > 0 and var count) sum += count;
            return sum;
        }, Token)));
        // One that found all that was left in the hands of others had nothing to do.
        Assert.Equal(old.Length, deleted.Sum());
        Assert.Equal(old.Length, await DeletionsAsync(old));
    }

    [Fact]
    public async Task An_import_that_another_worker_is_deleting_is_passed_over()
    {
        var (busy, free) = (await AgedAsync(ImportState.Finished, [RecordState.Imported], 367),
            await AgedAsync(ImportState.Finished, [RecordState.Imported], 366));
        var sweep = Sweep(new RetentionOptions { Imports = TimeSpan.FromDays(365) });
        await using (var connection = await database.Source.OpenConnectionAsync(Token))
        await using (await connection.BeginTransactionAsync(Token))
        {
            await connection.ExecuteAsync("UPDATE importer.import SET state = 'deleting' WHERE id = $1", Token, busy);
            Assert.Equal(1, await sweep.RunAsync(Token));
            Assert.Equal("deleting", await database.StateAsync(free));
            // It dies, and what it did is undone.
        }
        Assert.Equal(1, await sweep.RunAsync(Token));
        Assert.Equal(1L, await DeletionsAsync([busy]));
    }

    private SweepEnded Sweep(RetentionOptions options) => new(database.Source, Options.Create(options), NullLogger<SweepEnded>.Instance);

    private Task<long> DeletionsAsync(int[] ids) =>
        database.OneAsync<long>(
            "SELECT count(*) FROM importer.audit_entry WHERE import_id = ANY($1) AND action = 'import_deleted' AND actor = 'retention'",
            ids);

    private async Task<int> EndedAsync(int days)
    {
        var id = await AgedAsync(ImportState.Finished, [RecordState.Imported, RecordState.Failed], days);
        await FillAsync(id);
        return id;
    }

    private async Task<int> AgedAsync(ImportState state, RecordState[] records, int days)
    {
        var id = await database.ImportAsync(state, records);
        await database.SqlAsync("UPDATE importer.import SET finished_at = now() - make_interval(days => $2) WHERE id = $1", id, days);
        return id;
    }

    private async Task FillAsync(int id)
    {
        var manifest = await database.OneAsync<int>("SELECT manifest_id FROM importer.import WHERE id = $1", id);
        await database.AddAsync([
            .. Enumerable.Range(1, 5).Select(n => ImporterDatabase.Attempt(id, 1, outcome: null, (short)n)),
            .. Enumerable.Range(1, 5).Select(n => ImporterDatabase.Finding(id, n, "url_missing")),
            .. Enumerable.Range(0, 3).Select(n => new ManifestPart { ManifestId = manifest, Number = n, Bytes = [1] }),
        ]);
    }

    private Task<string> LeftAsync(int id) => database.OneAsync<string>("""
        SELECT concat_ws(' ', (SELECT count(*) FROM importer.attempt WHERE import_id = i.id), (SELECT count(*) FROM importer.finding
            WHERE import_id = i.id),
            (SELECT count(*) FROM importer.manifest_part WHERE manifest_id = i.manifest_id)) FROM importer.import i WHERE i.id = $1
        """, id);
}
