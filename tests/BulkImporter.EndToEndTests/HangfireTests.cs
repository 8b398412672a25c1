using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace BulkImporter.EndToEndTests;

/// <summary>Our page inside Hangfire's dashboard, in a real browser.</summary>
public sealed class HangfireTests : IAsyncDisposable
{
    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task Import_is_followed_and_its_failures_rerun_inside_Hangfires_dashboard_by_who_may()
    {
        var cincopa = await stage.StartSimulatorAsync();
        // One record never ends, so the import is running for as long as the test looks at it.
        await cincopa.BehaveAsync(
            """{"importMs":200,"outcomes":[{"outcome":"stalled","input":"*slow*"},{"outcome":"missing","input":"*gone*"}]}""");
        var (_, api) = await stage.ServeAsync(cincopa, []);

        await using var browser = await OperatorBrowser.LaunchAsync();
        var page = await OpenAsync(browser, api);
        await Expect(page.GetByTestId("no-imports")).ToBeVisibleAsync();
        Assert.Empty(await browser.ComplaintsAsync(page, "Hangfire's page without imports", "#imports"));
        // A reload would forget this.
        await page.EvaluateAsync("window.neverReloaded = true");

        string[] names = ["clip-1", "clip-2", "clip-3", "gone-1", "gone-2", "slow-1"];
        var id = await api.StartAsync("url\n" + string.Join('\n', names.Select(n => $"https://media.example.com/spring/{n}.mp4")) + "\n",
            "&name=Spring");
        var import = page.Locator($"[data-import='{id}']");
        await Expect(import.GetByTestId("import-state")).ToHaveAttributeAsync("data-state", "running");
        await Expect(import.GetByTestId("count-imported")).ToHaveTextAsync("3");
        await Expect(import.GetByTestId("count-failed")).ToHaveTextAsync("2");
        await Expect(import.GetByTestId("count-moving")).ToHaveTextAsync("1");
        await Expect(import.GetByTestId("failure")).ToHaveAttributeAsync("data-code", "source_not_found");

        using var looking = new ImporterApi(api.Address, await api.MakeKeyAsync("viewer"));
        var viewer = await OpenAsync(browser, looking);
        await Expect(viewer.Locator($"[data-import='{id}']").GetByTestId("count-failed")).ToHaveTextAsync("2");
        await Expect(viewer.GetByTestId("rerun-failed")).ToHaveCountAsync(0);

        await cincopa.BehaveAsync("""{"importMs":200}""");
        var asked = "";
        // The first time the person thinks better of it.
        page.Dialog += (_, dialog) => _ = asked.Length == 0 ? dialog.DismissAsync() : dialog.AcceptAsync();
        page.Dialog += (_, dialog) => asked = dialog.Message;
        await import.GetByTestId("rerun-failed").ClickAsync();
        Assert.StartsWith("Rerun 2 failed records of “Spring”?", asked, StringComparison.Ordinal);
        await Expect(page.GetByTestId("answer")).ToBeEmptyAsync();
        Assert.Equal(2, (await api.ImportAsync(id)).Counts.Failed);

        await import.GetByTestId("rerun-failed").ClickAsync();
        await Expect(page.GetByTestId("answer")).ToHaveTextAsync("Spring: 2 records will be sent again.");
        await Expect(import.GetByTestId("count-imported")).ToHaveTextAsync("5");
        await Expect(import.GetByTestId("rerun-failed")).ToHaveCountAsync(0);
        await Expect(viewer.Locator($"[data-import='{id}']").GetByTestId("count-imported")).ToHaveTextAsync("5");
        Assert.True(await page.EvaluateAsync<bool>("window.neverReloaded === true"));
        Assert.Equal(8, (await cincopa.SummaryAsync()).SubmitsReceived);

        await page.GetByText("BulkImporter jobs").ClickAsync();
        await Expect(page.Locator("[data-metric='records:in-flight']")).ToHaveTextAsync("1");
        await Expect(page.Locator("[data-metric='records:failed']")).ToHaveTextAsync("0");
        await page.GotoAsync($"{api.Address}/hangfire/jobs/succeeded");
        await page.GetByText("Spring, rows 1-6").First.ClickAsync();
        await Expect(page.GetByTestId("job-records").GetByTestId("count-imported")).ToHaveTextAsync("5");
        await page.GetByTestId("job-import").ClickAsync();
        await page.ArriveAtAsync($"/imports/{id}");
        browser.HasNoErrors();
    }

    /// <summary>A window of its own on Hangfire's page of imports.</summary>
    private static async Task<IPage> OpenAsync(OperatorBrowser browser, ImporterApi api)
    {
        var page = await browser.OpenAsync(api);
        await page.GotoAsync("/hangfire/imports");
        return page;
    }
}
