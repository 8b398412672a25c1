using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;

namespace BulkImporter.EndToEndTests.Durability;

/// <summary>Files of a machine of its own, sent to a <c>web</c> process, and pushed by a worker that never saw that machine.</summary>
[Trait("Category", "Durability")]
public sealed class SentFilesTests : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task What_has_arrived_is_pushed_once_although_every_process_dies()
    {
        var company = await Company.FoundAsync(stage, """{"latencyMs":[100,300],"importMs":0}""");
        var folder = Directory.CreateDirectory(Path.Combine(stage.Folder, "own machine")).FullName;
        var files = new Dictionary<string, string>();
        foreach (var name in new[] { "Küste, \"3\" #2.mp4", "b.mp4", "c.mp4" })
        {
            var bytes = RandomNumberGenerator.GetBytes(3_500_000);
            await File.WriteAllBytesAsync(Path.Combine(folder, name), bytes);
            files[name] = Convert.ToHexStringLower(SHA256.HashData(bytes));
        }
        string[] push = ["push", .. files.Keys.Select(name => Path.Combine(folder, name)), "--name", "Own films", "--start"];
        var settings = new Settings { ["BulkImporter__Push__RangeBytes"] = "1000000", ["BulkImporter__Work__RetryCap"] = "00:00:05" };

        // 1. Received while there is no worker; then its own machine and the server are gone.
        await stage.VerbAsync(company.Api, 0, Limit, push);
        Directory.Delete(folder, recursive: true);
        company.Web.Kill();

        // 2. A worker dies in the middle of a file; another goes on.
        var worker = await company.HireAsync(settings);
        using var http = new HttpClient { BaseAddress = new Uri(company.Cincopa.Address) };
        await Wait.UntilAsync(Limit, "two ranges at Cincopa", async () =>
            (await http.GetFromJsonAsync<JsonElement>("/_sim/ledger?op=push&take=0")).GetProperty("count").GetInt32() >= 2);
        worker.Kill();
        await company.HireAsync(settings);
        await Wait.UntilAsync(Limit, "the import is finished", async () =>
            await company.Postgres.AskAsync<long>("SELECT count(*) FROM importer.import WHERE state = 'finished'") == 1);

        Assert.Equal(3L,
            await company.Postgres.AskAsync<long>(
                "SELECT count(*) FROM importer.import_record WHERE state = 'imported' AND source_url LIKE 'upload:///%'"));
        var assets = (await http.GetFromJsonAsync<JsonElement>("/_sim/assets?take=100")).GetProperty("assets").EnumerateArray().ToList();
        Assert.Equal(files.Values.Order(), assets.Select(a => a.GetProperty("sha256").GetString()!).Order());
    }
}
