using System.Globalization;
using System.Text;

namespace BulkImporter.EndToEndTests.Durability;

/// <summary>Workers are killed while an import with captions compares what arrived, with faults of the calls that ask.</summary>
[Trait("Category", "Durability")]
public sealed class ArrivalKillTests(ITestOutputHelper output) : IAsyncDisposable
{
    private const string Faulty = """
        {
          "latencyMs": [20, 120], "importMs": [0, 300], "rules": [
            { "on": "list", "fault": "reply_lost", "share": 0.05 }, { "on": "list", "fault": "bad_gateway", "share": 0.05 },
            { "on": "list", "fault": "unavailable", "share": 0.03 }, { "on": "set_meta", "fault": "reply_lost", "share": 0.05 }]
        }
        """;

    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task An_import_whose_workers_are_killed_ends_with_every_comparison_made_and_right()
    {
        var (rows, kills) = (Form.Of(400, 20_000), Form.Of(3, 20));
        var random = new Random(Form.Seed(output));
        var company = await Company.FoundAsync(stage, Faulty);
        var workers = await company.HireAsync(2);

        // 1. Of a third a size is expected that none has, of a third a duration that few have, of the others nothing.
        var manifest = new StringBuilder("url,caption,size,duration\n");
        for (var row = 1; row <= rows; row++)
            manifest.Append(CultureInfo.InvariantCulture,
                $"https://media.example.com/expected/clip-{row:0000000}.mp4,Clip {row},{(row % 3 == 1 ? "1" : "")},{(row % 3 == 2 ? "1:40" : "")}\n");
        var id = await company.ImportAsync(manifest.ToString());

        // 2. The deaths.
        for (var kill = 1; kill <= kills; kill++)
        {
            var share = rows * 0.9 / kills;
            var late = share * (kill - random.NextDouble());
            await company.Api.UntilAsync(id, import => import.Counts.Imported + import.Counts.Unknown >= late, Company.RunLimit);
            var victim = random.Next(workers.Length);
            workers[victim].Kill();
            workers[victim] = await company.HireAsync();
            Assert.Equal("", await company.MiscountedAsync());
        }

        // 3. Its end: with the records in doubt aside, nothing waits, and each verdict is that of what the simulator has.
        await company.Api.FinishedAsync(id, Company.RunLimit);
        var doubtful = await company.AuditAsync(id, rows);
        Assert.InRange(doubtful.Count, 0, kills * Company.MostInDoubt);
        Assert.Equal(0, await company.Postgres.AskAsync<long>($"""
            SELECT (SELECT count(*) FROM importer.record_finish WHERE import_id = {id})
                + (SELECT count(*) FROM importer.work_batch WHERE import_id = {id})
            """));
        var assets = (await company.Cincopa.AssetsAsync()).ToDictionary(a => a.Rid, a => a.Size);
        var told = await company.Postgres.ReadAsync($"""
            SELECT r.row_number, r.rid, coalesce(a.arrival, 'unverifiable'), a.size_bytes, a.seconds
            FROM importer.import_record r LEFT JOIN importer.record_asset a
                ON a.import_id = r.import_id AND a.row_number = r.row_number AND a.rid = r.rid
            WHERE r.import_id = {id} AND r.state = 'imported'
            """, r => (Row: r.GetInt32(0), Rid: r.GetString(1), Arrival: r.GetString(2),
                Size: r.IsDBNull(3) ? (long?)null : r.GetInt64(3), Seconds: r.IsDBNull(4) ? (double?)null : r.GetDouble(4)));
        foreach (var record in told)
        {
            var expected = (record.Row % 3) switch
            {
                1 => "size_differs",
                2 => Math.Abs(record.Seconds!.Value - 100) <= 2 ? "verified" : "duration_differs",
                _ => "unverifiable",
            };
            Assert.Equal((record.Row, expected), (record.Row, record.Arrival));
            if (record.Size is { } size) Assert.Equal(assets[record.Rid], size);
        }

        var arrival = (await company.Api.WholeImportAsync(id)).GetProperty("arrival");
        foreach (var name in new[] { "verified", "sizeDiffers", "durationDiffers", "unverifiable" })
        {
            var word = string.Concat(name.Select(c => char.IsUpper(c) ? $"_{char.ToLowerInvariant(c)}" : $"{c}"));
            Assert.Equal(told.Count(r => r.Arrival == word), arrival.GetProperty(name).GetInt32());
        }
        output.WriteLine($"{kills} kills, {doubtful.Count} in doubt: {arrival}");
    }
}
