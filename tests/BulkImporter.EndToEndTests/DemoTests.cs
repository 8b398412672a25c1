
namespace BulkImporter.EndToEndTests;

/// <summary><c>./run demo --once</c>, the first thing that anybody does with this program.</summary>
public sealed class DemoTests : IAsyncDisposable
{
    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task Demo_shows_every_outcome_leaves_a_result_file_and_nothing_running_and_exits_3()
    {
        var folder = Path.Combine(stage.Folder, "demo");
        var demo = stage.Start("demo", BuiltPrograms.Importer, ["demo", "--once", "--data", folder]);
        var exitCode = await demo.WaitForExitAsync(TimeSpan.FromMinutes(6));

        Assert.True(exitCode == 3, $"The demo ended with {exitCode}:\n{demo.Tail(60)}");
        Assert.Null(await Postmaster.FindAsync(Path.Combine(folder, "data", "postgres", "cluster")));

        var results = Path.Combine(folder, "results.csv");
        Assert.Contains(results, demo.Log);
        var rows = RawCsv.Rows(await File.ReadAllBytesAsync(results));
        var state = RawCsv.Fields(rows[0]).ToList().IndexOf("import_state");
        var tally = rows.Skip(1).CountBy(row => RawCsv.Fields(row)[state]).ToDictionary();
        // docs/samples/README.md, "Expected tally".
        var expected = new Dictionary<string, int>
        { ["imported"] = 218, ["failed"] = 18, ["unknown"] = 2, ["invalid"] = 9, ["duplicate"] = 4 };
        Assert.Equal(expected.OrderBy(e => e.Key), tally.OrderBy(e => e.Key));
        foreach (var (name, count) in expected) Assert.Matches($@"{name}\W+{count}\b|\b{count}\s+{name}", demo.Log);

        // Its map in a real nginx: the page of every row that became an asset, and of those that have the same film, plays it now.
        var map = Path.Combine(folder, "old-addresses.conf");
        Assert.Contains(map, demo.Log);
        var port = await Nginx.StartAsync(stage, map);
        var header = RawCsv.Fields(rows[0]).ToList();
        var (old, embed) = (header.IndexOf("Old URL"), header.IndexOf("import_embed_url"));
        var asked = 0;
        foreach (var fields in rows.Skip(1).Select(r => RawCsv.Fields(r)))
        {
            var address = fields[old].StartsWith('/') ? new Uri($"http://any.example{fields[old]}") : new Uri(fields[old]);
            var (status, location) = await Nginx.AskAsync(port, address.Host, address.PathAndQuery);
            if (fields[state] == "imported") Assert.Equal((301, fields[embed]), (status, location));
            else if (fields[state] == "duplicate") Assert.Equal(301, status);
            else Assert.Equal(404, status);
            asked += status == 301 ? 1 : 0;
        }
        Assert.Equal(222, asked);
    }
}
