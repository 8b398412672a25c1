using System.Globalization;
using System.Net.Http.Headers;
using System.Text;

namespace BulkImporter.EndToEndTests.Durability;

/// <summary>
/// Every statement of the workers may fail, in each way that a database has, while rows are sent, asked about, named and put into
/// galleries.
/// </summary>
[Trait("Category", "Durability")]
public sealed class ChaosInDatabaseTests(ITestOutputHelper output) : IAsyncDisposable
{
    private const string Poison = "no-index-holds-this";

    private const int PoisonedRow = 77;

    private const string MetricsToken = "metrics-of-the-chaos-test";

    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task Whatever_the_database_answers_everything_ends_nothing_is_there_twice_and_every_failure_is_told()
    {
        var (rows, seed) = (Form.Of(600, 5000), Form.Seed(output));
        var company = await Company.FoundAsync(stage, Company.Brisk);
        using var faulty = new FaultyDatabase(company.Postgres.Port, seed, Poison);
        var settings = new Settings
        {
            ["BulkImporter__Telemetry__MetricsToken"] = MetricsToken,
            ["BulkImporter__Work__RetryCap"] = "00:00:05",
        };
        RunningProgram[] workers = [await company.HireAsync(settings, faulty.Port), await company.HireAsync(settings, faulty.Port)];
        // Reading a manifest is one transaction of many statements, and one that fails is tried again after a minute: that is another
        // test's matter.
        var id = await company.ImportAsync(Manifest(rows));
        await company.Api.UntilAsync(id, import => import.State != "parsing", Company.RunLimit);
        faulty.Strike(0.03);

        await company.Api.FinishedAsync(id, Company.RunLimit);
        faulty.Strike(0);
        foreach (var (what, times) in faulty.Struck.OrderByDescending(s => s.Value)) output.WriteLine($"{times} {what}");

        Assert.Empty(faulty.Spared(often: 200));

        // Nobody died, so nothing is in doubt; and no row pays for what the database did.
        Assert.All(workers, w => Assert.False(w.HasExited));
        Assert.Empty(await company.AuditAsync(id, rows));
        var galleries = await company.Cincopa.GalleriesAsync(Stage.Token);
        Assert.Equal(["Gallery 0", "Gallery 1", "Gallery 2"], galleries.Keys.Order());
        var records = await company.Api.RecordsAsync(id);
        Assert.All(records.Where(r => r.RowNumber != PoisonedRow), r => Assert.Contains(r.Rid!, galleries[$"Gallery {r.RowNumber % 3}"]));

        // The one that can never be put into its gallery says so, and is the only one.
        var unfinished = await company.Postgres.ReadAsync(
            $"SELECT row_number, state, error_message FROM importer.record_finish WHERE import_id = {id}",
            r => (Row: r.GetInt32(0), State: r.GetString(1), Message: r.IsDBNull(2) ? "" : r.GetString(2)));
        var (row, state, message) = Assert.Single(unfinished);
        Assert.Equal((PoisonedRow, "failed"), (row, state));
        Assert.NotEqual("", message);

        // Each kind that struck stands in the log of who met it, and all are counted; what is repeated at once and works then is only
        // counted.
        var log = string.Concat(workers.Select(w => w.Log));
        Assert.All(FaultyDatabase.Codes, code => Assert.True(faulty.Struck.ContainsKey(code), $"{code} never struck"));
        Assert.All(FaultyDatabase.Codes.Except(["40001", "40P01"]), code =>
            Assert.Contains($"{FaultyDatabase.Mark} {code}", log, StringComparison.Ordinal));
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", MetricsToken);
        var measures =
            string.Concat(
                await Task.WhenAll(workers.Select(w =>
                    http.GetStringAsync($"{w.Address}/metrics", TestContext.Current.CancellationToken))));
        Assert.Matches(@"(?m)^bulkimporter_loop_failures_total\{.*\} [1-9]", measures);
        Assert.All(["40001", "40P01"], code =>
            Assert.Matches($@"(?m)^bulkimporter_database_repeats_total\{{.*code=""{code}"".*\}} [1-9]", measures));
    }

    private static string Manifest(int rows)
    {
        var manifest = new StringBuilder("url,caption,gallery\n");
        for (var row = 1; row <= rows; row++)
            manifest.Append(CultureInfo.InvariantCulture,
                $"https://media.example.com/chaos/clip-{row:0000000}.mp4,Clip "
                    + $"{row},{(row == PoisonedRow ? Poison : $"Gallery {row % 3}")}\n");
        return manifest.ToString();
    }
}
