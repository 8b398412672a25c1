using System.Text.Json;

namespace BulkImporter.EndToEndTests;

/// <summary>
/// A manifest that people really have, from upload to result file, with the server dying and stopping in the middle of it.
/// </summary>
public sealed class TateArtworksTests : IAsyncDisposable
{
    private const int Rows = 2134;
    private const int RowsWithoutUrl = 38;
    private const int Records = Rows - RowsWithoutUrl;
    private const int Workers = 2;
    private const int Window = 8;

    /// <summary>What a kill can leave in doubt, per process (ARCHITECTURE.md, When something dies).</summary>
    private const int MostInDoubt = 2 * Workers * Window;

    private static readonly TimeSpan RunLimit = TimeSpan.FromMinutes(4);

    private static readonly Settings QuickRescue = new()
    {
        ["BulkImporter__Work__Workers"] = $"{Workers}",
        ["BulkImporter__Work__Window"] = $"{Window}",
        ["BulkImporter__Work__LeaseDuration"] = "00:00:09",
    };

    private static readonly string[] Submit =
        ["submit", BuiltPrograms.Sample("tate-artworks.csv"), "--map", "url=thumbnailUrl,caption=title,reference_id=accession_number",
            "--start", "--watch"];

    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task Every_row_with_an_address_is_imported_once_and_every_row_comes_back_as_it_was()
    {
        var cincopa = await stage.StartSimulatorAsync();
        await cincopa.BehaveAsync("""{"importMs":[20,200]}""");
        var (_, api) = await stage.ServeAsync(cincopa, []);
        await stage.VerbAsync(api, 0, RunLimit, "account", "limits", "default", "--rate", "0", "--max-in-flight", "0", "--backlog", "0");

        await stage.VerbAsync(api, 0, RunLimit, Submit);

        using var list = JsonDocument.Parse(await stage.VerbAsync(api, 0, RunLimit, "list", "--json"));
        var id = list.RootElement.GetProperty("items")[0].GetProperty("id").GetInt32();
        Assert.Equal(0, await CheckAsync(api, cincopa, id, mostUnknown: 0));
        var calls = await cincopa.SummaryAsync();
        Assert.Equal(Records, calls.SubmitsReceived);
        Assert.Equal(Records, calls.SubmitsAccepted);
        Assert.Equal(Records, calls.DistinctInputs);
        var records = await api.RecordsAsync(id);
        Assert.Equal(Records, records.Where(r => r.StatusId is not null).Select(r => r.StatusId).Distinct().Count());
        Assert.Equal(Records, records.Where(r => r.Rid is not null).Select(r => r.Rid).Distinct().Count());
        await CheckExportAsync(api, id);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Killed_server_started_again_finishes_by_itself_and_sends_nothing_twice(bool itsDatabaseDiesToo)
    {
        var cincopa = await stage.StartSimulatorAsync();
        await cincopa.BehaveAsync("""{"latencyMs":[20,60],"statusLatencyMs":0,"importMs":[20,200]}""");
        var (server, api) = await stage.ServeAsync(cincopa, QuickRescue);
        await api.LiftLimitsAsync();
        var watching = stage.StartVerb(api, Submit);
        await cincopa.HasSubmitsAsync(400, RunLimit);

        server.Kill();
        if (itsDatabaseDiesToo) await Postmaster.KillAsync(stage.EmbeddedCluster);
        Assert.InRange((await cincopa.SummaryAsync()).SubmitsReceived, 400, Records - 100);
        (_, api) = await stage.ServeAsync(cincopa, QuickRescue, api.Address);

        var id = (await api.ImportsAsync()).Single().Id;
        await api.FinishedAsync(id, RunLimit);
        var unknown = await CheckAsync(api, cincopa, id, MostInDoubt);
        // The client that watched all the time saw a pause and then the end.
        Assert.Equal(unknown == 0 ? 0 : 3, await watching.WaitForExitAsync(TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public async Task Terminated_server_leaves_nothing_in_doubt_and_goes_on_when_it_is_started_again()
    {
        var cincopa = await stage.StartSimulatorAsync();
        await cincopa.BehaveAsync("""{"latencyMs":[20,60],"statusLatencyMs":0,"importMs":[20,200]}""");
        var (server, api) = await stage.ServeAsync(cincopa, QuickRescue);
        await api.LiftLimitsAsync();
        stage.StartVerb(api, Submit);
        await cincopa.HasSubmitsAsync(400, RunLimit);

        var (exitCode, took) = await server.TerminateAsync(TimeSpan.FromSeconds(60));

        Assert.Equal(0, exitCode);
        Assert.True(took < TimeSpan.FromSeconds(35), $"The server took {took.TotalSeconds:0.0} s to stop.");
        Assert.Null(await Postmaster.FindAsync(stage.EmbeddedCluster));
        var sent = (await cincopa.SummaryAsync()).SubmitsReceived;
        Assert.InRange(sent, 400, Records - 100);

        (_, api) = await stage.ServeAsync(cincopa, QuickRescue, api.Address);
        var id = (await api.ImportsAsync()).Single().Id;
        Assert.Equal(0, (await api.FinishedAsync(id, RunLimit)).Counts.Unknown);
        Assert.Equal(0, await CheckAsync(api, cincopa, id, mostUnknown: 0));
        Assert.Equal(Records, (await cincopa.SummaryAsync()).SubmitsReceived);
    }

    /// <summary>
    /// The finished import against the ledger: no record lost, none sent twice, none imported without its own call. Returns the unknown
    /// ones.
    /// </summary>
    private static async Task<int> CheckAsync(ImporterApi api, SimulatedCincopa cincopa, int id, int mostUnknown)
    {
        var import = await api.ImportAsync(id);
        Assert.Equal("finished", import.State);
        Assert.Equal(Rows, import.Rows);
        var unknown = import.Counts.Unknown;
        Assert.Equal(new CountsBody(0, 0, 0, Records - unknown, 0, unknown, 0, RowsWithoutUrl, 0, 0), import.Counts);
        Assert.InRange(unknown, 0, mostUnknown);

        Assert.Equal(0, (await cincopa.SummaryAsync()).InputsReceivedMoreThanOnce);
        var records = await api.RecordsAsync(id);
        Assert.Equal(Enumerable.Range(1, Rows), records.Select(r => r.RowNumber));
        var byUrl = records.Where(r => r.State != "invalid").ToDictionary(r => r.Url!);
        var calls = (await cincopa.SubmitsAsync()).ToDictionary(c => c.Input!);
        Assert.All(calls.Values, call =>
            Assert.True(byUrl[call.Input!] is var r
                && (r.State == "unknown" || r.StatusId == call.StatusId), $"{call} and {byUrl[call.Input!]}"));
        Assert.All(byUrl.Values, record =>
            Assert.True(record.State == "unknown" || calls[record.Url!].Accepted && record.Rid is not null, $"{record}"));
        return unknown;
    }

    /// <summary>The result file is the manifest, byte for byte, with result columns behind it.</summary>
    private async Task CheckExportAsync(ImporterApi api, int id)
    {
        var results = Path.Combine(stage.Folder, "results.csv");
        await stage.VerbAsync(api, 0, RunLimit, "export", $"{id}", "-o", results);
        var original = RawCsv.Rows(await File.ReadAllBytesAsync(BuiltPrograms.Sample("tate-artworks.csv")));
        var exported = RawCsv.Rows(await File.ReadAllBytesAsync(results));
        Assert.Equal(1 + Rows, original.Count);
        Assert.Equal(original.Count, exported.Count);
        Assert.Contains(original, row => row.Contains('\n'));

        var columns = RawCsv.Fields(exported[0]).ToList();
        var (state, rid) = (columns.IndexOf("import_state"), columns.IndexOf("import_rid"));
        for (var row = 0; row < original.Count; row++) Assert.StartsWith(original[row] + ",", exported[row], StringComparison.Ordinal);
        foreach (var fields in exported.Skip(1).Select(RawCsv.Fields))
        {
            Assert.Equal(columns.Count, fields.Count);
            Assert.Equal(fields[state] == "imported", fields[rid].Length > 0);
        }

        Assert.Equal(RowsWithoutUrl, exported.Skip(1).Count(row => RawCsv.Fields(row)[state] == "invalid"));
    }
}
