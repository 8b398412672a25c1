using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Retention;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Retention;

public sealed class SweepEndedTests(ImporterDatabase database) : IClassFixture<ImporterDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_too_old_goes_in_small_steps_and_everything_younger_or_unfinished_stays()
    {
        var (old, young, running) = (await EndedAsync(days: 91), await EndedAsync(days: 89), await database.ImportAsync(ImportState.Running, [RecordState.Pending]));
        await FillAsync(running);
        var sweep = new SweepEnded(database.Source, Options.Create(new RetentionOptions { Step = 2, Manifests = TimeSpan.FromDays(90) }), NullLogger<SweepEnded>.Instance);

        var steps = new List<int>();
        while (await sweep.RunAsync(Token) is > 0 and var removed) steps.Add(removed);

        // Five attempts, five findings and three parts, two of each at a time.
        Assert.Equal([6, 5, 2], steps);
        Assert.Equal("0 0 0", await LeftAsync(old));
        Assert.Equal("5 5 3", await LeftAsync(young));
        Assert.Equal("5 5 3", await LeftAsync(running));
        // The numbers stay, and so does the manifest's name.
        Assert.Equal("imported 1, failed 1", await database.CountsAsync(old));
        Assert.Equal("library.csv", await database.OneAsync<string>("SELECT m.file_name FROM importer.manifest m JOIN importer.import i ON i.manifest_id = m.id WHERE i.id = $1", old));
    }

    [Fact]
    public async Task The_audit_log_is_kept_unless_a_time_is_set_and_old_links_go()
    {
        await database.SqlAsync("INSERT INTO importer.audit_entry (at, actor, action) VALUES (now() - interval '400 days', 'ann', 'old'), (now(), 'ann', 'new')");
        await database.SqlAsync("INSERT INTO importer.password_link (hash, expires_at) VALUES ('a', now() - interval '8 days'), ('b', now() - interval '6 days')");
        await Sweep(new RetentionOptions()).RunAsync(Token);
        Assert.Equal(2L, await database.OneAsync<long>("SELECT count(*) FROM importer.audit_entry WHERE action IN ('old', 'new')"));
        Assert.Equal(1L, await database.OneAsync<long>("SELECT count(*) FROM importer.password_link"));

        await Sweep(new RetentionOptions { Audit = TimeSpan.FromDays(365) }).RunAsync(Token);
        Assert.Equal("new", await database.OneAsync<string>("SELECT string_agg(action, ',') FROM importer.audit_entry WHERE action IN ('old', 'new')"));
    }

    private SweepEnded Sweep(RetentionOptions options) => new(database.Source, Options.Create(options), NullLogger<SweepEnded>.Instance);

    private async Task<int> EndedAsync(int days)
    {
        var id = await database.ImportAsync(ImportState.Finished, [RecordState.Imported, RecordState.Failed]);
        await database.SqlAsync("UPDATE importer.import SET finished_at = now() - make_interval(days => $2) WHERE id = $1", id, days);
        await FillAsync(id);
        return id;
    }

    private async Task FillAsync(int id)
    {
        await database.SqlAsync("INSERT INTO importer.attempt (import_id, row_number, number, started_at, worker) SELECT $1, 1, n, now(), 'w' FROM generate_series(1, 5) n", id);
        await database.SqlAsync("INSERT INTO importer.finding (import_id, row_number, line_number, code, severity) SELECT $1, n, n, 'url_missing', 'warning' FROM generate_series(1, 5) n", id);
        await database.SqlAsync("INSERT INTO importer.manifest_part (manifest_id, number, bytes) SELECT manifest_id, n, 'x' FROM importer.import, generate_series(0, 2) n WHERE id = $1", id);
    }

    private Task<string> LeftAsync(int id) => database.OneAsync<string>("""
        SELECT concat_ws(' ', (SELECT count(*) FROM importer.attempt WHERE import_id = i.id), (SELECT count(*) FROM importer.finding WHERE import_id = i.id),
            (SELECT count(*) FROM importer.manifest_part WHERE manifest_id = i.manifest_id)) FROM importer.import i WHERE i.id = $1
        """, id);
}
