using System.Globalization;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace BulkImporter.EndToEndTests.Durability;

/// <summary>
/// Half pull, half push, faults of every call, killed workers: each row's asset is there once, whole, and as its row says.
/// </summary>
[Trait("Category", "Durability")]
public sealed class PushAndFinishTests : IAsyncDisposable
{
    /// <summary>More than a worker holds for itself and all its pieces; much less than what it sends in the full form.</summary>
    private const long MostMemory = 700L * 1024 * 1024;

    private const int RangeBytes = 1_000_000;

    // One in ten of every call, in ways that a client must survive. What may not be sent again is found by its name.
    private const string Faulty = """
        {
          "latencyMs": [5, 40], "statusLatencyMs": 0, "importMs": [20, 200], "rules": [
            { "on": "submit", "fault": "unavailable", "share": 0.05, "perInput": 1 },
            { "on": "submit", "fault": "reply_lost", "share": 0.05, "perInput": 1 },
            { "on": "push", "fault": "reset", "share": 0.04 }, { "on": "push", "fault": "reply_lost", "share": 0.03 }, { "on": "push", "fault": "bad_gateway", "share": 0.03 },
            { "on": "get_upload_url", "fault": "empty_reply", "share": 0.1 },
            { "on": "set_meta", "fault": "reply_lost", "share": 0.05 }, { "on": "set_meta", "fault": "unavailable", "share": 0.05 },
            { "on": "gallery_add_item", "fault": "reset", "share": 0.1 }, { "on": "gallery_create", "fault": "reply_lost", "times": 1 }]
        }
        """;

    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task Every_row_ends_as_one_asset_with_its_bytes_its_texts_and_its_gallery()
    {
        var rows = Form.Of(120, 5000);
        var root = Directory.CreateDirectory(Path.Combine(stage.Folder, "media")).FullName;
        var (manifest, hashes) = await PrepareAsync(root, rows);
        var company = await Company.FoundAsync(stage, Faulty);
        var settings = new Settings
        {
            ["BulkImporter__Push__Roots__0"] = root,
            ["BulkImporter__Push__RangeBytes"] = $"{RangeBytes}",
            ["BulkImporter__Work__LookAfter"] = "00:00:05",
            ["BulkImporter__Work__RetryCap"] = "00:00:05",
        };
        var workers = new Queue<RunningProgram>(await company.HireAsync(2, settings));
        var id = await company.Api.StartAsync(manifest, "&chunkSize=20&whenUnknown=resubmit&maxAttempts=20");

        long memory = 0;
        for (var kill = 1; kill <= Form.Of(2, 3); kill++)
        {
            await company.Api.UntilAsync(id, import => import.Counts.Imported >= kill * rows / 4, Company.RunLimit);
            var victim = workers.Dequeue();
            memory = Math.Max(memory, victim.MostMemory);
            victim.Kill();
            workers.Enqueue(await company.HireAsync(settings));
        }
        await company.Api.UntilAsync(id, import => import.State == "finished" && import.Counts.Imported == rows, Company.RunLimit);
        memory = workers.Max(w => w.MostMemory) is var most && most > memory ? most : memory;

        Assert.Equal("", await company.MiscountedAsync());
        Assert.Equal(0, await company.Postgres.AskAsync<long>(
            "SELECT (SELECT count(*) FROM importer.record_finish) + (SELECT count(*) FROM importer.work_batch)"));
        Assert.Equal(0, await company.Postgres.AskAsync<long>("SELECT count(*) FROM importer.push_upload"));
        Assert.InRange(memory, 1, MostMemory);

        using var http = new HttpClient { BaseAddress = new Uri(company.Cincopa.Address) };
        var assets = (await http.GetFromJsonAsync<JsonElement>("/_sim/assets?take=100000")).GetProperty("assets").EnumerateArray()
            .ToDictionary(a => a.GetProperty("rid").GetString()!);
        Assert.Equal(rows, assets.Count);
        var galleries = await company.Cincopa.GalleriesAsync(Stage.Token);
        Assert.Equal(["Gallery 0", "Gallery 1", "Gallery 2"], galleries.Keys.Order());
        foreach (var record in await company.Api.RecordsAsync(id))
        {
            var (row, asset) = (record.RowNumber, assets[record.Rid!]);
            var meta = asset.GetProperty("meta").EnumerateObject().ToDictionary(m => m.Name, m => m.Value.GetString());
            Assert.Equal(($"Clip {row}", $"t{row},all", $"ref-{row}"), (meta["caption"], meta["tags"], meta["reference_id"]));
            Assert.Contains(record.Rid!, galleries[$"Gallery {row % 3}"]);
            if (hashes.TryGetValue(row, out var hash)) Assert.Equal(hash, asset.GetProperty("sha256").GetString());
            else Assert.Equal(record.Url, asset.GetProperty("input").GetString());
        }
    }

    /// <summary>A manifest of which every second row is a file, from one byte to several ranges; with the files' hashes by row.</summary>
    private static async Task<(string Manifest, Dictionary<int, string> Hashes)> PrepareAsync(string root, int rows)
    {
        var (manifest, hashes, random) =
            (new StringBuilder("url,caption,tags,reference_id,gallery,transfer\n"), new Dictionary<int, string>(), new Random(7));
        for (var row = 1; row <= rows; row++)
        {
            var url = $"https://media.example.com/mixed/clip-{row:00000}.mp4";
            if (row % 2 == 0)
            {
                var size = row == 2 ? 1 : row % 500 == 0 ? Form.Of(3_500_000, 120_000_000) : row % 10 == 0
                    ? random.Next(1, 3_500_000) : random.Next(1, 50_000);
                var bytes = new byte[size];
                random.NextBytes(bytes);
                var path = Path.Combine(root, $"clip {row}.mp4");
                await File.WriteAllBytesAsync(path, bytes);
                (url, hashes[row]) = (new Uri(path).AbsoluteUri, Convert.ToHexStringLower(SHA256.HashData(bytes)));
            }
            manifest.Append(CultureInfo.InvariantCulture,
                $"{url},Clip {row},\"t{row},all\",ref-{row},Gallery {row % 3},{(row % 2 == 0 ? "push" : "")}\n");
        }
        return (manifest.ToString(), hashes);
    }
}
