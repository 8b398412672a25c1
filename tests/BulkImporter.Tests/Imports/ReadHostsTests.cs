using BulkImporter.Imports;
using BulkImporter.Records;

namespace BulkImporter.Tests.Imports;

public sealed class ReadHostsTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private readonly ReadHosts read = new(database.Source);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Failures_are_told_by_host_and_hour_while_it_runs_and_no_longer_when_they_are_sent_again()
    {
        var id = await database.ImportAsync(rows: 9);
        await database.SqlAsync("""
            UPDATE importer.import_record SET source_url = CASE WHEN row_number = 3 THEN 'https://Other.example:8443/c.mp4'
                WHEN row_number > 6 THEN 'file:///srv/c.mp4' ELSE 'https://media.example.com/' || row_number || '.mp4?a=b' END
            WHERE import_id = $1
            """, id);
        await FailAsync(id, 1, FailureCode.SourceForbidden, 1, 2, 3);
        await FailAsync(id, 2, FailureCode.SourceNotFound, 4);
        await FailAsync(id, 3, FailureCode.SourceNotFound, 7);
        await database.SubmitAsync(id, 2, 5);
        await database.ConcludeAsync(id, 5, "st-5-1", RecordState.Imported);
        // One of them failed two hours ago.
        await database.SqlAsync("UPDATE importer.import_record SET finished_at = date_trunc('hour', now()) - interval '90 minutes' "
            + "WHERE import_id = $1 AND row_number = 1", id);
        await database.AssertSoundAsync(id);

        var hosts = await read.FailingAsync(id, 10, Token);

        Assert.Equal(["media.example.com 3 of 4", "other.example:8443 1 of 1"], hosts.Select(h => $"{h.Host} {h.Failed} of {h.Tried}"));
        Assert.Equal(["source_forbidden 2", "source_not_found 1"], hosts[0].Causes.Select(c => $"{c.Code} {c.Count}"));
        Assert.Equal(hosts[0].Hours[0].Hour.AddMinutes(30), hosts[0].Causes[0].Since);
        Assert.Equal(["0 imported, 1 failed", "1 imported, 2 failed"],
            hosts[0].Hours.Select(h => $"{h.Imported} imported, {h.Failed} failed"));
        Assert.Equal(TimeSpan.FromHours(2), hosts[0].Hours[1].Hour - hosts[0].Hours[0].Hour);
        Assert.Equal(["media.example.com"], (await read.FailingAsync(id, 1, Token)).Select(h => h.Host));

        // What a button selects is what its line counts.
        var forbidden = new RecordFilter { State = RecordState.Failed, Code = "source_forbidden", Search = "//media.example.com/" };
        Assert.Equal(2, await new ReadRecords(database.Contexts).CountAsync(id, forbidden, 100, Token));
        await database.RerunAsync(id, forbidden);
        await database.AssertSoundAsync(id);
        hosts = await read.FailingAsync(id, 10, Token);
        Assert.Equal(["media.example.com 1 of 2", "other.example:8443 1 of 1"], hosts.Select(h => $"{h.Host} {h.Failed} of {h.Tried}"));
    }

    [Fact]
    public async Task Since_begins_anew_when_all_of_an_hour_were_sent_again()
    {
        var id = await database.ImportAsync();
        await FailAsync(id, 1, FailureCode.RemoteError, 1);
        await database.SqlAsync("UPDATE importer.chunk_host SET first_at = hour WHERE import_id = $1", id);
        await database.RerunAsync(id);
        await FailAsync(id, 1, FailureCode.RemoteError, 1);
        var failed = await database.OneAsync<DateTimeOffset>(
            "SELECT finished_at FROM importer.import_record WHERE import_id = $1 AND row_number = 1", id);
        Assert.Equal(failed, Assert.Single((await read.FailingAsync(id, 1, Token)).Single().Causes).Since);
    }

    [Theory]
    [InlineData("https://media.example.com/a.mp4", "media.example.com")]
    [InlineData("HTTP://Media.Example.COM:8080?a=//b/", "media.example.com:8080")]
    [InlineData("https://user:p%40ss@media.example.com/@x", "media.example.com")]
    [InlineData("https://[2001:db8::1]:443/a.mp4", "[2001:db8::1]:443")]
    [InlineData("file:///srv/a.mp4", null)]
    [InlineData("no address", null)]
    public async Task Host_of_an_address_is_cut_out_by_the_database(string url, string? host) =>
        Assert.Equal(host ?? "none", await database.OneAsync<string>("SELECT coalesce(importer.host_of($1), 'none')", url));

    private async Task FailAsync(int importId, int chunk, FailureCode code, params int[] rows)
    {
        var lease = await database.LeaseAsync(importId, chunk);
        var intents = await database.Transitions.SubmittingAsync(lease, rows, Token);
        await database.AnswerAsync(lease, [.. intents.Select(i => EngineDatabase.Failed(i, RecordState.Failed, code))]);
        await database.ReleaseAsync(importId, chunk);
    }
}
