using System.Net;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Records;
using BulkImporter.Rerun;
using BulkImporter.Sources;
using BulkImporter.Tests.Manifests;

namespace BulkImporter.Tests.Parse;

/// <summary>Rows whose hosts only this server reaches: refused for pull, sent by push where the operator allowed their network.</summary>
public sealed class PushPrivateTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private static readonly SourceUrlRules Allowing =
        new(new ManifestOptions(), IPNetwork.Parse("10.20.0.0/16"), IPNetwork.Parse("fd00::/8"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("http://10.20.3.4/a.mp4", true)]
    [InlineData("http://0x0a140304/a.mp4", true)]
    [InlineData("http://[fd00::1]:8080/a.mp4", true)]
    [InlineData("http://nas/a.mp4", true)]
    [InlineData("http://media.corp/a.mp4", true)]
    [InlineData("http://10.21.3.4/a.mp4", false)]
    [InlineData("http://127.0.0.1/a.mp4", false)]
    [InlineData("http://localhost/a.mp4", false)]
    [InlineData("http://169.254.169.254/latest", false)]
    [InlineData("http://[fe80::1]/a.mp4", false)]
    [InlineData("http://ann:secret@10.20.3.4/a.mp4", false)]
    public async Task A_private_host_may_be_pushed_from_when_its_network_is_allowed_and_never_pulled(string url, bool isAllowed)
    {
        var stage = await ManifestStage.OfAsync(database, rules: Allowing);
        var id = await stage.ReadAsync($"url,transfer\n{url},push\n{url.Replace("a.mp4", "b.mp4", StringComparison.Ordinal)}?2,pull\n");
        Assert.Equal($"{(isAllowed ? "pending" : "invalid")} invalid", await StatesAsync(id));
        Assert.Equal(isAllowed,
            await database.OneAsync<bool>(
                "SELECT is_push AND source_key IS NOT NULL FROM importer.import_record WHERE import_id = $1 AND row_number = 1", id));
    }

    [Fact]
    public async Task Without_an_allowed_network_no_private_host_is_pushed_from()
    {
        var stage = await ManifestStage.OfAsync(database);
        Assert.Equal("invalid", await StatesAsync(await stage.ReadAsync("url,transfer\nhttp://10.20.3.4/a.mp4,push\n")));
    }

    [Fact]
    public async Task An_import_whose_transfer_is_auto_pushes_what_only_this_server_reaches()
    {
        var stage = await ManifestStage.OfAsync(database, rules: Allowing);
        var id = await stage.ReadAsync("url\nhttp://10.20.3.4/a.mp4\nhttps://cdn.example/b.mp4\n", i =>
            i with { Settings = i.Settings with { Transfer = ImportTransfer.Auto } });
        Assert.Equal("pending pending", await StatesAsync(id));
        Assert.Equal(1L, await database.OneAsync<long>("SELECT count(*) FROM importer.import_record WHERE import_id = $1 AND is_push", id));
    }

    [Theory]
    [InlineData(null, "url_host_private")]
    [InlineData(RecordState.Failed, null)]
    [InlineData(RecordState.Invalid, null)]
    public async Task A_rerun_with_push_takes_private_rows_by_their_code_their_state_and_with_what_failed(RecordState? state, string? code)
    {
        var stage = await ManifestStage.OfAsync(database, rules: Allowing);
        var id = await stage.ReadAsync("url\nhttp://10.20.3.4/a.mp4\n");
        await stage.StartAsync(id);
        Assert.Equal((1, 0), Counts(await RerunAsync(id, push: true, new RecordFilter { State = state, Code = code })));
        Assert.Equal("pending", await StatesAsync(id));

        static (int, int) Counts(RerunDone done) => (done.Rerun, done.Left.Count);
    }

    [Fact]
    public async Task A_rerun_with_push_takes_rows_that_only_Cincopa_cannot_fetch_each_source_once()
    {
        var stage = await ManifestStage.OfAsync(database, rules: Allowing);
        var id = await stage.ReadAsync($"""
            url
            http://10.20.3.4/a.mp4?name=1
            http://10.20.3.4/a.mp4?name=1
            http://ann:secret@10.20.3.4/c.mp4
            https://cdn.example/{new string('d', 1900)}.mp4
            ftp://cdn.example/e.mp4
            https://cdn.example/f.mp4
            """);
        Assert.Equal("invalid invalid invalid invalid invalid pending", await StatesAsync(id));
        await stage.StartAsync(id);

        var without = await RerunAsync(id, push: false);
        Assert.Equal((0, 5), (without.Rerun, without.Left.Single(r => r.State == RecordState.Invalid).Count));
        var with = await RerunAsync(id, push: true);
        Assert.Equal((2, 3), (with.Rerun, with.Left.Single(r => r.State == RecordState.Invalid).Count));
        Assert.Equal("pending invalid invalid pending invalid pending", await StatesAsync(id));
        Assert.Equal("http://10.20.3.4/a.mp4?name=1",
            await database.OneAsync<string>(
                "SELECT source_url FROM importer.import_record WHERE import_id = $1 AND row_number = 1 AND is_push", id));
        await database.AssertSoundAsync(id);
        // Nothing is left to take, and the password of the third row was never stored.
        Assert.Equal(0, (await RerunAsync(id, push: true)).Rerun);
        Assert.Equal(0L,
            await database.OneAsync<long>(
                "SELECT count(*) FROM importer.import_record WHERE import_id = $1 AND source_url LIKE '%secret%'", id));
    }

    private async Task<RerunDone> RerunAsync(int id, bool push, RecordFilter? filter = null) =>
        Assert.IsType<RerunDone>(await new RerunRecords(database.Source, database.Transitions)
            .RunAsync(id, filter ?? RecordFilter.All, push, "ann", Token));

    private Task<string> StatesAsync(int id) =>
        database.OneAsync<string>("SELECT string_agg(state, ' ' ORDER BY row_number) FROM importer.import_record WHERE import_id = $1", id);
}
