using System.Threading.Channels;
using BulkImporter.Dashboard;
using BulkImporter.Imports;
using BulkImporter.Records;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Dashboard;

public sealed class ImportFeedTests(ImporterDatabase database) : IClassFixture<ImporterDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_who_look_at_an_import_share_one_reading_which_ends_with_the_last_of_them()
    {
        var feed = Feed();
        var id = await database.ImportAsync(ImportState.Running, [RecordState.Pending]);
        var first = new Watched<ImportView>();
        var second = new Watched<ImportView>();
        var one = feed.Watch(id, first.Add);
        var other = feed.Watch(id, second.Add);
        Assert.Equal(1, feed.TopicCount);
        Assert.Same((await first.NextAsync()).Value, (await second.NextAsync()).Value);

        one.Dispose();
        one.Dispose();
        Assert.Equal(1, feed.TopicCount);
        other.Dispose();
        Assert.Equal(0, feed.TopicCount);
    }

    [Fact]
    public async Task A_change_is_told_to_the_page_and_to_the_list()
    {
        var feed = Feed();
        var id = await database.ImportAsync(ImportState.Running, [RecordState.Pending]);
        var page = new Watched<ImportView>();
        var list = new Watched<BulkImporter.Data.Page<ImportView>>();
        using var one = feed.Watch(id, page.Add);
        using var all = feed.WatchList(null, list.Add);
        Assert.Equal(ImportState.Running, (await page.NextAsync()).Value!.State);
        Assert.Equal(ImportState.Running, (await list.NextAsync()).Value!.Items.Single(i => i.Id == id).State);

        Assert.IsType<ImportChange.Done>(await new PauseImport(database.Source).RunAsync(id, "test", Token));
        feed.Hurry(id);
        await page.UntilAsync(r => r.Value!.State == ImportState.Paused);
        await list.UntilAsync(r => r.Value!.Items.Single(i => i.Id == id).State == ImportState.Paused);
    }

    [Fact]
    public async Task An_import_that_is_not_there_is_told_as_missing_and_not_as_stale()
    {
        var feed = Feed();
        var page = new Watched<ImportView>();
        using var one = feed.Watch(999_999, page.Add);
        var reading = await page.NextAsync();
        Assert.Null(reading.Value);
        Assert.False(reading.IsStale);
    }

    [Fact]
    public async Task A_database_that_does_not_answer_leaves_the_last_numbers_marked_as_stale()
    {
        var source = BulkImporter.Data.DataSetup.CreateDataSource(database.ConnectionString);
        var feed = new ImportFeed(new ReadImports(source, Options.Create(new ImportsOptions())), TimeProvider.System, NullLogger<ImportFeed>.Instance);
        var id = await database.ImportAsync(ImportState.Running, [RecordState.Imported]);
        var page = new Watched<ImportView>();
        using var one = feed.Watch(id, page.Add);
        Assert.False((await page.NextAsync()).IsStale);

        await source.DisposeAsync();
        feed.Hurry(id);
        var stale = await page.UntilAsync(r => r.IsStale);
        Assert.Equal(1, stale.Value!.Counts.Imported);
    }

    private ImportFeed Feed() => new(new ReadImports(database.Source, Options.Create(new ImportsOptions())), TimeProvider.System, NullLogger<ImportFeed>.Instance);

    /// <summary>What one page was told, to be waited for.</summary>
    private sealed class Watched<T>
    {
        private readonly Channel<Reading<T>> told = Channel.CreateUnbounded<Reading<T>>();

        public void Add(Reading<T> reading) => Assert.True(told.Writer.TryWrite(reading));

        public Task<Reading<T>> NextAsync() => told.Reader.ReadAsync(Token).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Token);

        public async Task<Reading<T>> UntilAsync(Func<Reading<T>, bool> isIt)
        {
            while (true)
            {
                if (await NextAsync() is var reading && isIt(reading)) return reading;
            }
        }
    }
}
