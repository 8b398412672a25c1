using System.Text;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace BulkImporter.EndToEndTests;

/// <summary>The pages in a real browser, from sign-in to a rerun, without a reload.</summary>
public sealed class DashboardTests : IAsyncDisposable
{
    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task Manifest_is_uploaded_started_followed_to_its_end_and_its_failures_rerun_in_the_browser()
    {
        var cincopa = await stage.StartSimulatorAsync();
        await cincopa.BehaveAsync("""{"importMs":[200,1500],"outcomes":[{"outcome":"missing","input":"*gone*"}]}""");
        var (_, api) = await stage.ServeAsync(cincopa, []);

        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = "/usr/bin/chromium",
            Args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        });
        var page = await browser.NewPageAsync();
        page.SetDefaultTimeout(60_000);
        SetDefaultExpectTimeout(120_000);

        await page.GotoAsync(api.Address);
        await page.FillAsync("#key", api.Key);
        await page.ClickAsync("button[type=submit]");
        var rows = Enumerable.Range(1, 5).Select(Clip).Concat([Clip(6) + "-gone", Clip(7) + "-gone"]);
        var manifest = new FilePayload
        {
            Name = "spring.csv",
            MimeType = "text/csv",
            Buffer = Encoding.UTF8.GetBytes("url\n" + string.Join('\n', rows) + "\n"),
        };
        // The form is drawn once by the server and again when the page comes alive; a file chosen before that is forgotten.
        await Wait.UntilAsync(TimeSpan.FromMinutes(1), "the page takes the file", async () =>
        {
            await page.GetByTestId("upload-file").SetInputFilesAsync(manifest);
            return await page.GetByTestId("upload-submit").IsEnabledAsync();
        });
        await page.GetByTestId("upload-submit").ClickAsync();

        await page.WaitForURLAsync("**/imports/*");
        await Expect(page.GetByTestId("import-state").First).ToHaveAttributeAsync("data-state", "review");
        // A reload would forget this.
        await page.EvaluateAsync("window.neverReloaded = true");
        await page.GetByTestId("start").ClickAsync();
        await Expect(page.GetByTestId("import-state").First).ToHaveAttributeAsync("data-state", "finished");
        await Expect(page.GetByTestId("count-imported")).ToHaveTextAsync("5");
        await Expect(page.GetByTestId("count-failed")).ToHaveTextAsync("2");

        await cincopa.BehaveAsync("""{"importMs":[200,1500]}""");
        await page.GetByTestId("rerun-failed").ClickAsync();
        await Expect(page.GetByTestId("count-imported")).ToHaveTextAsync("7");
        await Expect(page.GetByTestId("import-state").First).ToHaveAttributeAsync("data-state", "finished");
        Assert.True(await page.EvaluateAsync<bool>("window.neverReloaded === true"));
        Assert.Equal(new CountsBody(0, 0, 0, 7, 0, 0, 0, 0, 0), (await api.ImportsAsync()).Single().Counts);
        Assert.Equal(9, (await cincopa.SummaryAsync()).SubmitsReceived);

        await page.GotoAsync($"{api.Address}/hangfire/jobs/succeeded");
        await Expect(page.GetByText("spring.csv, rows 1-7").First).ToBeVisibleAsync();
    }

    private static string Clip(int number) => $"https://media.example.com/spring/clip-{number}.mp4";
}
