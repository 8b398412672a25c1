using System.Diagnostics;
using System.Threading.Channels;
using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Records;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace BulkImporter.Tests.Imports;

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
        var list = new Watched<BulkImporter.Data.ListedPage<ImportView>>();
        using var one = feed.Watch(id, page.Add);
        using var all = feed.WatchList(ImportFilter.All, null, list.Add);
        Assert.Equal(ImportState.Running, (await page.NextAsync()).Value!.State);
        Assert.Equal(ImportState.Running, (await list.NextAsync()).Value!.Items.Single(i => i.Id == id).State);

        Assert.IsType<ImportChange.Done>(await new PauseImport(database.Source).RunAsync(id, "test", Token));
        feed.Hurry(id);
        await page.UntilAsync(r => r.Value!.State == ImportState.Paused);
        await list.UntilAsync(r => r.Value!.Items.Single(i => i.Id == id).State == ImportState.Paused);
    }

    [Fact]
    public async Task Fifty_open_pages_cost_no_more_statements_than_one()
    {
        var id = await database.ImportAsync(ImportState.Running, [RecordState.Imported, RecordState.Failed, RecordState.Unknown]);
        var one = await StatementsAsync(id, pages: 1);
        Assert.Equal(one, await StatementsAsync(id, pages: 50));
        // The list (how many, which run, those that do and the others, themselves and their numbers) and the import; the import again, and
        // the four things that its page tells beside it.
        Assert.Equal(5 * (6 + 2 + 2 + 4), one);
    }

    /// <summary>
    /// The statements that the database gets in five rounds of readings for so many lists and import pages, all open at once.
    /// </summary>
    private async Task<int> StatementsAsync(int id, int pages)
    {
        // Nothing is read because of the time, only because somebody hurries: the rounds are counted and not the seconds.
        var feed = Feed(clock: new FakeTimeProvider());
        var (imports, details, lists) =
            (new List<Watched<ImportView>>(), new List<Watched<ImportDetails>>(), new List<Watched<BulkImporter.Data.ListedPage<ImportView>>>());
        var watching = new List<IDisposable>();
        for (var page = 0; page < pages; page++)
        {
            watching.Add(feed.Watch(id, Added(imports).Add));
            watching.Add(feed.WatchDetails(id, Added(details).Add));
            watching.Add(feed.WatchList(ImportFilter.All, null, Added(lists).Add));
        }
        await RoundAsync();

        var statements = 0;
        var name = new NpgsqlConnectionStringBuilder(database.ConnectionString).Database;
        using (var counter = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = a =>
            {
                if (a.GetTagItem("db.query.text") is not null && Equals(a.GetTagItem("db.namespace"), name))
                    Interlocked.Increment(ref statements);
            },
        })
        {
            ActivitySource.AddActivityListener(counter);
            for (var round = 0; round < 5; round++)
            {
                feed.Hurry(id);
                await RoundAsync();
            }
        }
        watching.ForEach(w => w.Dispose());
        Assert.Equal(0, feed.TopicCount);
        return statements;

        async Task RoundAsync()
        {
            foreach (var watched in imports) Assert.False((await watched.NextAsync()).IsStale);
            foreach (var watched in details) Assert.False((await watched.NextAsync()).IsStale);
            foreach (var watched in lists) Assert.False((await watched.NextAsync()).IsStale);
        }

        static Watched<T> Added<T>(List<Watched<T>> all)
        {
            all.Add(new());
            return all[^1];
        }
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
        var feed = Feed(source);
        var id = await database.ImportAsync(ImportState.Running, [RecordState.Imported]);
        var page = new Watched<ImportView>();
        using var one = feed.Watch(id, page.Add);
        Assert.False((await page.NextAsync()).IsStale);

        await source.DisposeAsync();
        feed.Hurry(id);
        var stale = await page.UntilAsync(r => r.IsStale);
        Assert.Equal(1, stale.Value!.Counts.Imported);
    }

    private ImportFeed Feed(NpgsqlDataSource? source = null, TimeProvider? clock = null)
    {
        source ??= database.Source;
        return new(new ReadImports(new Contexts(source, []), Options.Create(new WorkOptions())), new ReadRecords(new Contexts(source, [])),
            new ReadHosts(source), new ReadStory(source), clock ?? TimeProvider.System, NullLogger<ImportFeed>.Instance);
    }

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
