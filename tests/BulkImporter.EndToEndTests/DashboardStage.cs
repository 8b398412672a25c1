using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace BulkImporter.EndToEndTests;

/// <summary>
/// A server, a simulator and a browser for all tests of the dashboard: they play one after the other, each with imports of its own.
/// </summary>
public sealed class DashboardStage : IAsyncLifetime
{
    private readonly Stage stage = new();

    /// <summary>What takes minutes or hours in earnest happens while somebody looks.</summary>
    internal static Settings Settings => new()
    {
        ["BulkImporter__Access__SignInsPerMinute"] = "1000",
        ["BulkImporter__Work__StalledAfter"] = "00:00:05",
        ["BulkImporter__Work__LookAfter"] = "00:00:02",
        // For the probe, whose sources are on this machine.
        ["BulkImporter__Manifests__AllowPrivateHosts"] = "true",
        ["BulkImporter__Sources__AllowedNetworks__0"] = "127.0.0.0/8",
        // What breaks in a page is told in the browser's console, which the tests read.
        ["DetailedErrors"] = "true",
    };

    internal SimulatedCincopa Cincopa { get; private set; } = null!;

    internal ImporterApi Api { get; private set; } = null!;

    internal OperatorBrowser Browser { get; private set; } = null!;

    /// <summary>What axe-core found on the first page while there was no import yet.</summary>
    internal IReadOnlyList<string> ComplaintsWhenEmpty { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        Cincopa = await stage.StartSimulatorAsync();
        (_, Api) = await stage.ServeAsync(Cincopa, Settings);
        Browser = await OperatorBrowser.LaunchAsync();

        var page = await Browser.OpenAsync(Api);
        await Expect(page.GetByTestId("empty")).ToBeVisibleAsync();
        ComplaintsWhenEmpty = await Browser.ComplaintsAsync(page, "empty");
        await page.Context.CloseAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (Browser is not null) await Browser.DisposeAsync();
        await stage.DisposeAsync();
    }

    /// <summary>Shows what the programs had to say, when the test that ends failed.</summary>
    internal void ShowFailure() => stage.ShowFailure();

    /// <summary>A window for this test, after everything is as it was in the beginning: a well-behaved remote side and no limit.</summary>
    internal async Task<IPage> OpenAsync()
    {
        await Cincopa.BehaveAsync("""{"importMs":[200,1200]}""");
        await Api.LiftLimitsAsync();
        return await Browser.OpenAsync(Api);
    }

    /// <summary>A manifest with a row for each name.</summary>
    internal static string Manifest(string folder, params IEnumerable<string> names) =>
        "url,caption\n" + string.Concat(names.Select(n => $"https://media.example.com/{folder}/{n}.mp4,{n}\n"));

    internal static IEnumerable<string> Clips(int count) => Enumerable.Range(1, count).Select(n => $"clip-{n}");

    /// <summary>How often the remote side was asked to import something of this folder.</summary>
    internal async Task<int> SubmitsAsync(string folder) =>
        (await Cincopa.SubmitsAsync()).Count(c => c.Input?.Contains($"/{folder}/", StringComparison.Ordinal) == true);
}
