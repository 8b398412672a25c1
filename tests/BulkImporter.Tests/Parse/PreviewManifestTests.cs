using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Parse;
using BulkImporter.Sources;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Parse;

/// <summary>A preview costs little whatever the file is, because everybody who may look can ask for it.</summary>
public sealed class PreviewManifestTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private const string FirstRow = "url,caption\nhttps://media.example.com/1.mp4,One\n";
    private const string LastRow = "\nhttps://media.example.com/2.mp4,Two\n";

    /// <summary>Some twenty times what it takes on a calm machine: the tests beside it take the cores.</summary>
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(10);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("\n", 60)]
    [InlineData(",\n", 60)]
    [InlineData("x", 20)]
    [InlineData("https://", 20)]
    [InlineData("sig=", 20)]
    [InlineData("user:pass@", 20)]
    [InlineData("\"open", 20)]
    [InlineData("a,", 20)]
    public async Task A_file_whose_rows_lie_far_behind_is_looked_at_for_a_megabyte_and_says_so(string piece, int megabytes)
    {
        var id = await CreateAsync(FirstRow + string.Concat(Enumerable.Repeat(piece, megabytes * 1024 * 1024 / piece.Length)) + LastRow);
        await PreviewAsync(id, 100); // warm

        var since = Stopwatch.GetTimestamp();
        var (preview, took) = (await PreviewAsync(id, 100), Stopwatch.GetElapsedTime(since));
        Assert.Equal(1, preview.Rows[0].RowNumber);
        Assert.DoesNotContain(preview.Rows, r => r.Values.GetValueOrDefault("caption") == "Two");
        Assert.StartsWith("Only the first 1 MB", preview.Note);
        Assert.True(took < Most, $"A preview took {took}.");
    }

    [Fact]
    public async Task Rows_within_the_first_megabyte_are_shown_without_a_word()
    {
        var blank = new string('\n', PreviewManifest.MostBytes - 100_000);
        var preview = await PreviewAsync(await CreateAsync(FirstRow + blank + LastRow), 100);
        Assert.Equal((2, null), (preview.Rows.Count, preview.Note));
    }

    [Theory]
    [InlineData("aaaa,", false)]
    [InlineData("https://a.example/?sig=12345,", false)]
    [InlineData("//////////////////////,", false)]
    [InlineData("//////////////////////", true)]
    public async Task A_hundred_rows_of_as_many_and_as_wide_cells_as_there_may_be_are_shown_quickly(string piece, bool isOneCell)
    {
        var row = string.Concat(Enumerable.Repeat(piece, isOneCell ? 900 : 999)) + "https://media.example.com/1.mp4\n";
        var header = isOneCell ? "a\n" : string.Concat(Enumerable.Repeat("a,", 999)) + "url\n";
        var id = await CreateAsync(header + string.Concat(Enumerable.Repeat(row, 2000)));
        await PreviewAsync(id, 100); // warm
        var since = Stopwatch.GetTimestamp();
        var preview = await PreviewAsync(id, 100);
        var took = Stopwatch.GetElapsedTime(since);
        Assert.NotEmpty(preview.Rows);
        Assert.True(took < Most, $"A preview took {took}.");
    }

    [Fact]
    public async Task A_file_whose_header_lies_far_behind_is_told_from_one_that_is_no_manifest()
    {
        var blank = new string('\n', PreviewManifest.MostBytes + 100_000);
        var preview = await PreviewAsync(await CreateAsync(blank + FirstRow), 5);
        Assert.Empty(preview.Columns);
        Assert.StartsWith("Only the first 1 MB", preview.Note);
        Assert.Null(await Preview().RunAsync(await CreateAsync("no manifest\0"), 5, Token));
    }

    [Fact]
    public async Task Of_too_many_at_once_the_last_is_refused_and_the_others_are_made()
    {
        using var preview = Preview();
        var id = await CreateAsync(FirstRow);
        await using var connection = await database.Source.OpenConnectionAsync(Token);
        await using (var holding = await connection.BeginTransactionAsync(Token))
        {
            await using (var hold = new Npgsql.NpgsqlCommand("LOCK TABLE importer.manifest_part IN ACCESS EXCLUSIVE MODE",
                connection)) await hold.ExecuteNonQueryAsync(Token);
            var asked = new List<Task<ManifestPreview?>>();
            // Who comes first is known once all but the turns and the line were refused.
            const int both = PreviewManifest.AtATime + PreviewManifest.Waiting;
            for (var n = 0; n < both + 3; n++) asked.Add(preview.RunAsync(id, 1, Token));
            for (var n = 0; n < 3; n++)
            {
                var refused = await Task.WhenAny(asked);
                await Assert.ThrowsAsync<TooManyPreviewsException>(() => refused);
                asked.Remove(refused);
            }
            await holding.CommitAsync(Token);
            Assert.Equal(both, asked.Count);
            foreach (var one in asked) Assert.Single((await one)!.Rows);
        }
        Assert.Single((await preview.RunAsync(id, 1, Token))!.Rows);
    }

    [Fact]
    public async Task Each_column_tells_what_it_is_used_as_how_many_rows_fill_it_and_its_first_values()
    {
        var rows = string.Concat(Enumerable.Range(1, PreviewManifest.RowsOfFacts + 500).Select(n =>
            $"https://media.example.com/{n}.mp4?sig=secret,{(n % 4 == 0 ? $"Clip {n % 8}" : " ")},,{(n > PreviewManifest.RowsOfFacts ? "late" : "")}\n"));
        var preview = await PreviewAsync(await CreateAsync("url,title,empty,late\n" + rows), 2);
        Assert.Equal((PreviewManifest.RowsOfFacts, 2), (preview.RowsLookedAt, preview.Rows.Count));
        Assert.Equal([("url", "url", 1000), ("title", "caption", 250), ("empty", null, 0), ("late", null, 0)],
            preview.ColumnFacts.Select(c => (c.Name, c.Target, c.Filled)));
        Assert.Equal(["https://media.example.com/1.mp4?…", "https://media.example.com/2.mp4?…", "https://media.example.com/3.mp4?…"],
            preview.ColumnFacts[0].Samples);
        Assert.Equal(["Clip 4", "Clip 0"], preview.ColumnFacts[1].Samples);

        // A question leaves the column of the addresses open.
        var open = await PreviewAsync(await CreateAsync("page,file\nhttps://a.test/a.html,https://a.test/a.mp4\n"), 2);
        Assert.NotNull(open.Question);
        Assert.All(open.ColumnFacts, c => Assert.Equal((null, 1), (c.Target, c.Filled)));

        // Another encoding leaves the columns known, also where its first letter comes late.
        var late = string.Concat(Enumerable.Range(1, 900).Select(n => $"https://a.test/{n}.mp4,{new string('x', 100)}\n"));
        var western = await PreviewAsync(
            await CreateAsync(Encoding.Latin1.GetBytes($"url,title\n{late}https://a.test/a.mp4,Caf\u00e9\n")), 2);
        Assert.Equal(("windows-1252", "url"), (western.Encoding, western.ColumnFacts[0].Target));
        Assert.Contains("is not valid UTF-8", western.Question, StringComparison.Ordinal);
    }

    private PreviewManifest Preview() =>
        new(database.Source, new ManifestBytes(database.Source), new SourceUrlRules(new ManifestOptions()), TimeProvider.System,
            NullLogger<PreviewManifest>.Instance);

    private async Task<ManifestPreview> PreviewAsync(int id, int rows)
    {
        using var preview = Preview();
        return (await preview.RunAsync(id, rows, Token))!;
    }

    private Task<int> CreateAsync(string text) => CreateAsync(Encoding.UTF8.GetBytes(text));

    private async Task<int> CreateAsync(byte[] bytes)
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) await gzip.WriteAsync(bytes, Token);
        packed.Position = 0;
        var manifest = await new UploadManifest(database.Source, Options.Create(new ManifestOptions()))
            .RunAsync(packed, "library.csv.gz", Token);
        return (await new CreateImport(database.Contexts, TimeProvider.System).RunAsync(new NewImport(manifest.Id, "ann"), Token)).Id;
    }
}
