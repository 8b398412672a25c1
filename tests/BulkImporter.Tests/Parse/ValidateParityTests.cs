using System.Text.Json;
using BulkImporter.Cli;
using BulkImporter.Data;
using BulkImporter.Manifests;
using BulkImporter.Records;
using BulkImporter.Tests.Cli;
using BulkImporter.Tests.Manifests;

namespace BulkImporter.Tests.Parse;

/// <summary>What <c>validate FILE</c> says on any machine is what the server says after the upload.</summary>
public sealed class ValidateParityTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Parse", "Corpus");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_manifest_of_the_corpus_and_the_sample_has_the_same_findings_offline_and_on_the_server()
    {
        var files = Directory.GetFiles(Folder, "*.csv").Concat(Directory.GetFiles(Folder, "*.gz"))
            .Append(Path.Combine(AppContext.BaseDirectory, "samples", "demo.csv")).Order().ToList();
        Assert.True(files.Count > 60);
        var (read, rejected) = (0, 0);
        foreach (var file in files)
        {
            // No bytes at all are refused by the upload itself.
            if (new FileInfo(file).Length == 0) continue;
            var stage = await ManifestStage.OfAsync(database);
            using var run = new CliRun();
            var code = await run.RunAsync("validate", file, "--json");
            int id;
            try
            {
                id = await stage.ReadAsync(await File.ReadAllBytesAsync(file, Token));
            }
            catch (InvalidArgumentException refused)
            {
                // What is plainly another kind of file is refused by the upload, and no import is made.
                Assert.Equal((Path.GetFileName(file), ExitCode.Failed), (Path.GetFileName(file), code));
                Assert.Contains(refused.Message, run.Error, StringComparison.Ordinal);
                rejected++;
                continue;
            }
            if (await database.ImportStateAsync(id) == "rejected")
            {
                // A header without rows is a manifest to check, and none to import.
                if (code == ExitCode.Done && run.Output.Contains("\"rows\":0", StringComparison.Ordinal)) continue;
                Assert.Equal((Path.GetFileName(file), ExitCode.Failed), (Path.GetFileName(file), code));
                Assert.Contains(await database.OneAsync<string>("SELECT reason FROM importer.import WHERE id = $1", id), run.Error,
                    StringComparison.Ordinal);
                rejected++;
                continue;
            }

            using var json = JsonDocument.Parse(run.Output);
            var offline = json.RootElement.GetProperty("findings").EnumerateArray()
                .Select(f => string.Join('|', f.GetProperty("row").GetInt32(), f.GetProperty("line").GetInt64(),
                f.GetProperty("column").GetString(), f.GetProperty("code").GetString(), f.GetProperty("severity")
                    .GetString(), f.GetProperty("value").GetString(),
                f.GetProperty("hint").GetString(), f.TryGetProperty("otherRow", out var other) ? other.GetInt32() : null))
                    .Order(StringComparer.Ordinal);
            var online = (await stage.FindingsAsync(id))
                .Select(f => string.Join('|', f.Row, f.Line, f.Column, f.Code, f.Severity, f.Value, f.Hint, f.OtherRow))
                    .Order(StringComparer.Ordinal);
            Assert.Equal(offline.Prepend(Path.GetFileName(file)), online.Prepend(Path.GetFileName(file)));
            Assert.Equal(
                (json.RootElement.GetProperty("valid").GetInt32(), json.RootElement.GetProperty("invalid")
                    .GetInt32(), json.RootElement.GetProperty("duplicate").GetInt32()),
                (await CountAsync(id, "pending"), await CountAsync(id, "invalid"), await CountAsync(id, "duplicate")));
            read++;
        }
        Assert.True(read >= 40 && rejected >= 15, $"{read} read, {rejected} rejected");
    }

    [Fact]
    public async Task The_database_masks_an_address_as_the_findings_do()
    {
        foreach (var value in new[]
        {
            "https://a.test/x.mp4", "https://a.test/x.mp4?sig=secret#t", "https://a.test/x.mp4#token", "R-1?", "plain // text ? more",
                "https://a.test/" + new string('y', 200), new string('z', 120), new string('z', 121), "https://a.test/?",
        })
        {
            Assert.Equal(FindingMask.Mask(value), await database.OneAsync<string>($"SELECT {RecordTransitions.Masked("$1::text")}", value));
        }
    }

    private Task<int> CountAsync(int id, string state) =>
        database.OneAsync<int>($"SELECT coalesce(sum({state}_count), 0)::int FROM importer.import_chunk WHERE import_id = $1", id);
}
