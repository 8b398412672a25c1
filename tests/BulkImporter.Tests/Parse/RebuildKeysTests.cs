using BulkImporter.Imports;
using BulkImporter.Parse;
using BulkImporter.Sources;
using BulkImporter.Tests.Manifests;

namespace BulkImporter.Tests.Parse;

/// <summary>What is stored by older rules of what is the same source is made anew, and nobody overlooks it meanwhile.</summary>
public sealed class RebuildKeysTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private const string Two = "url\nhttps://media.example/1.mp4\nhttps://media.example/2.mp4\nno address\n";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Keys_of_an_older_generation_are_made_anew_in_the_background()
    {
        var stage = await ManifestStage.OfAsync(database);
        var started = await stage.ReadAsync(Two);
        await stage.StartAsync(started);
        var inReview = await stage.ReadAsync("url\nhttps://media.example/3.mp4\n");
        var before = await KeysAsync(started);
        await AgeAsync(started);
        await AgeAsync(inReview);
        Assert.NotEqual(before, await KeysAsync(started));

        var rebuild = new RebuildKeys(database.Source);
        while (await rebuild.RunAsync(Token) > 0)
        {
        }
        Assert.Equal(before, await KeysAsync(started));
        Assert.Equal(SourceKey.Of("https://media.example/2.mp4").Value,
            await database.OneAsync<Guid>("SELECT source_key FROM importer.import_record WHERE import_id = $1 AND row_number = 2", started));
        Assert.Equal("pending 2, invalid 1", await database.SoundCountsAsync(started));
        // What is in review is read again when it starts.
        Assert.Equal(new ImportChange.Done(ImportState.Parsing), await stage.StartAsync(inReview));
        await stage.ParseAsync(inReview);
        Assert.Equal("running", await database.ImportStateAsync(inReview));
        Assert.Equal(SourceKey.Generation, await GenerationAsync(inReview));
    }

    [Fact]
    public async Task A_comparison_does_not_wait_for_the_background()
    {
        var stage = await ManifestStage.OfAsync(database);
        var first = await stage.ReadAsync(Two);
        await stage.StartAsync(first);
        await AgeAsync(first);
        Assert.Equal("invalid 1, duplicate 2", await database.SoundCountsAsync(await stage.ReadAsync(Two)));
        Assert.Equal(SourceKey.Generation, await GenerationAsync(first));
    }

    [Fact]
    public async Task A_row_that_a_result_file_called_imported_keeps_the_key_of_its_whole_address()
    {
        const string results = "url,import_state\nhttps://media.example/1.mp4?id=7,imported\nhttps://media.example/2.mp4,failed\n";
        var stage = await ManifestStage.OfAsync(database);
        var first = await stage.ReadAsync(results);
        await stage.StartAsync(first);
        var key = await database.OneAsync<Guid?>("SELECT source_key FROM importer.import_record WHERE import_id = $1 AND row_number = 1", first);
        await database.SqlAsync("UPDATE importer.source_key_block SET generation = 0 WHERE import_id = $1", first);
        await new RebuildKeys(database.Source).RunAsync(Token);
        Assert.Equal(key,
            await database.OneAsync<Guid?>("SELECT source_key FROM importer.import_record WHERE import_id = $1 AND row_number = 1", first));
    }

    private async Task AgeAsync(int id)
    {
        await database.SqlAsync("UPDATE importer.import_record SET source_key = md5(source_url)::uuid WHERE import_id = $1 AND source_key IS NOT NULL", id);
        await database.SqlAsync("UPDATE importer.source_key_block SET generation = 0, keys = decode(repeat('ff', length(keys)), 'hex') WHERE import_id = $1", id);
    }

    private Task<string> KeysAsync(int id) => database.OneAsync<string>("""
        SELECT encode(b.keys, 'hex') || string_agg(coalesce(r.source_key::text, '-'), ',' ORDER BY r.row_number)
        FROM importer.source_key_block b JOIN importer.import_record r USING (import_id) WHERE b.import_id = $1 GROUP BY b.keys
        """, id);

    private Task<short> GenerationAsync(int id) =>
        database.OneAsync<short>("SELECT min(generation) FROM importer.source_key_block WHERE import_id = $1", id);
}
