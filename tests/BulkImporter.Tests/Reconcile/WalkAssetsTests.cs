using BulkImporter.Records;
using Cincopa.Client;
using Cincopa.Simulator;
using Cincopa.Simulator.Faults;

namespace BulkImporter.Tests.Reconcile;

/// <summary>The reconciler and the real client against the simulator: what a list may look like.</summary>
public sealed class WalkAssetsTests : IClassFixture<EngineDatabase>, IAsyncLifetime
{
    private readonly EngineDatabase database;
    private readonly CincopaClient client = new(new CincopaClientOptions(), TimeProvider.System);
    private readonly ReconcilerUnderTest reconciler;
    private SimulatorHost simulator = null!;
    private int id;

    public WalkAssetsTests(EngineDatabase database)
    {
        this.database = database;
        reconciler = new(database, client);
    }

    public async ValueTask InitializeAsync()
    {
        simulator = await SimulatorHost.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        await reconciler.BeginAsync(simulator.BaseAddress);
        id = await database.ImportAsync(rows: 3, account: reconciler.Account);
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await simulator.DisposeAsync();
    }

    [Theory]
    [InlineData("""{"importMs":0,"pageTotal":"pages_count"}""")]
    [InlineData("""{"importMs":0,"pageTotal":"page_count"}""")]
    [InlineData("""{"importMs":0,"pageTotal":"none"}""")]
    [InlineData("""{"importMs":0,"listOrder":"oldest_first"}""")]
    [InlineData("""{"importMs":0,"listOrder":"oldest_first","pageTotal":"none"}""")]
    [InlineData("""{"importMs":0,"listLagMs":3600000}""")] // without cache=never nothing would be seen
    public async Task An_asset_is_found_wherever_it_stands_in_the_list(string script)
    {
        Behave(script);
        await UploadAsync(Enumerable.Range(1, 7).Select(n => $"https://media.example/{n}.mp4"));
        await database.DoubtAsync(id, 11, (1, "https://media.example/1.mp4"), (2, "https://media.example/7.mp4"),
            (3, "https://media.example/nowhere.mp4"));
        Assert.Equal(1, await reconciler.RunAsync(itemsPerPage: 2));
        Assert.Equal("imported 2, unknown 1", await database.SoundCountsAsync(id));
        Assert.Equal("unknown attempt 1 left 4 reply_lost", await database.RecordAsync(id, 3));
    }

    [Fact]
    public async Task Names_are_compared_percent_decoded()
    {
        Behave("""{"importMs":0}""");
        await UploadAsync(["https://media.example/My%20Clip%20%c3%a4.mp4?sig=a%2Fb"]);
        await database.DoubtAsync(id, 11, (1, "https://media.example/My%20Clip%20%C3%A4.mp4?sig=a%2Fb"));
        await reconciler.RunAsync();
        Assert.Equal(RecordState.Imported, await database.StateAsync(id, 1));
    }

    [Theory]
    [InlineData("""{"importMs":0,"rules":[{"on":"list","fault":"unavailable"}]}""")]
    [InlineData(
        """{"importMs":0,"rules":[{"on":"list","fault":"refused","httpStatus":200,"style":"success_false","message":"try again"}]}""")]
    [InlineData("""{"importMs":0,"rules":[{"on":"list","fault":"permission_missing"}]}""")]
    [InlineData("""{"importMs":0,"rules":[{"on":"list","fault":"permission_missing","httpStatus":200,"style":"success_false"}]}""")]
    [InlineData("""{"importMs":0,"rules":[{"on":"list","fault":"bad_gateway"}]}""")]
    [InlineData("""{"importMs":0,"rules":[{"on":"list","fault":"empty_reply"}]}""")]
    [InlineData("""{"importMs":0,"rules":[{"on":"list","fault":"invalid_json"}]}""")]
    public async Task A_failure_in_either_style_changes_nothing(string script)
    {
        Behave(script);
        await UploadAsync(["https://media.example/1.mp4"]);
        await database.DoubtAsync(id, 11, (1, "https://media.example/1.mp4"));
        Assert.Equal(0, await reconciler.RunAsync());
        Assert.Equal("unknown attempt 1 left 4 reply_lost", await database.RecordAsync(id, 1));
        Assert.Equal("active", await database.OneAsync<string>("SELECT state FROM importer.account WHERE id = $1", reconciler.Account));

        simulator.Simulator.Script = FaultScript.None;
        await reconciler.DueAsync();
        Assert.Equal(1, await reconciler.RunAsync());
        Assert.Equal(RecordState.Imported, await database.StateAsync(id, 1));
    }

    [Fact]
    public async Task A_walk_ends_where_older_assets_begin()
    {
        Behave("""{"importMs":0}""");
        await UploadAsync(Enumerable.Range(1, 9).Select(n => $"https://media.example/{n}.mp4"));
        // As if the attempt had begun an hour after all of them.
        await database.DoubtAsync(id, 11, (1, "https://media.example/1.mp4"));
        await database.SqlAsync("UPDATE importer.attempt SET started_at = now() + interval '1 hour' WHERE import_id = $1", id);
        await reconciler.RunAsync(itemsPerPage: 2);
        using var http = new HttpClient { BaseAddress = simulator.BaseAddress };
        Assert.Contains("\"count\":1,", await http.GetStringAsync("/_sim/ledger?op=list", TestContext.Current.CancellationToken));
        Assert.Equal(RecordState.Unknown, await database.StateAsync(id, 1));
    }

    private void Behave(string script) => simulator.Simulator.Script = FaultScript.Parse(System.Text.Encoding.UTF8.GetBytes(script));

    private async Task UploadAsync(IEnumerable<string> sources)
    {
        var access = new CincopaAccess(simulator.BaseAddress, "1000001itest");
        foreach (var source in sources)
            Assert.IsType<SubmitResult.Accepted>(
                await client.UploadFromUrlAsync(access, source, null, TestContext.Current.CancellationToken));
    }
}
