using System.Text.Json;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace BulkImporter.EndToEndTests;

/// <summary>What a person does when the files are in: looks at them, plays them, and takes the map of old addresses.</summary>
public sealed class PlayingTests : IAsyncDisposable
{
    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task Thumbnails_are_loaded_when_a_person_says_so_and_the_map_is_checked_and_taken()
    {
        var cincopa = await stage.StartSimulatorAsync();
        var (_, api) = await stage.ServeAsync(cincopa, new Settings { ["BulkImporter__Web__PictureHosts"] = cincopa.Address });
        await cincopa.BehaveAsync("""{"importMs":[10,20]}""");
        await api.ChangeAccountAsync(new { playerTemplate = "A4BcDeFgHiJk" });
        var id = await api.StartAsync("""
            url,title,id,old_url
            https://media.example.com/ferry.mp4,The ferry strike,R1,https://old.example.com/watch/1
            https://media.example.com/harbour.jpg,Harbour at dawn,R2,https://old.example.com/watch/2
            https://media.example.com/fanfare.mp3,Fanfare for the fishing fleet,R3,/watch/3
            https://media.example.com/missing-1.mp4,A lost reel,R4,https://old.example.com/watch/4
            """, "&maxAttempts=1");
        await api.FinishedAsync(id, TimeSpan.FromMinutes(2));
        await Wait.UntilAsync(TimeSpan.FromMinutes(2), "the assets are finished", async () =>
            IsDone((await api.WholeImportAsync(id)).GetProperty("finishing")));

        await using var browser = await OperatorBrowser.LaunchAsync();
        var page = await browser.OpenAsync(api);
        await page.GotoAsync($"imports/{id}/records");
        await page.GetByTestId("as-wall").ClickAsync();
        await Expect(page.GetByTestId("wall").GetByTestId("record")).ToHaveCountAsync(4);
        await Expect(page.GetByTestId("thumbnail")).ToHaveCountAsync(0);

        await page.GetByTestId("pictures").ClickAsync();
        await Expect(page.GetByTestId("thumbnail")).ToHaveCountAsync(3);
        // Not WaitForFunctionAsync: from its second look on it is a script of the page, which must not evaluate text.
        await Wait.UntilAsync(TimeSpan.FromMinutes(1), "the pictures are there", () => page.EvaluateAsync<bool>(
            "[...document.querySelectorAll('.thumbnail img')].every(i => i.complete && i.naturalWidth > 0)"));
        Assert.Empty(await browser.ComplaintsAsync(page, "wall"));

        await page.GetByRole(AriaRole.Link, new() { Name = "The ferry strike" }).ClickAsync();
        await Expect(page.GetByTestId("thumbnail")).ToHaveCountAsync(1);
        await Expect(page.GetByTestId("addresses")).ToContainTextAsync("iframe.aspx?fid=A4BcDeFgHiJk!");
        await Expect(page.GetByTestId("playable")).ToContainTextAsync("Yes");
        Assert.Empty(await browser.ComplaintsAsync(page, "record"));

        await page.GotoAsync($"imports/{id}");
        await page.GetByTestId("map-addresses").ClickAsync();
        await page.GetByTestId("map-to").SelectOptionAsync("Page");
        await page.GetByTestId("map-check").ClickAsync();
        await Expect(page.GetByTestId("complaint")).ToBeVisibleAsync();
        await page.GetByTestId("map-page").FillAsync("https://www.example.com/watch/{reference_id}");
        await page.GetByTestId("map-check").ClickAsync();
        await Expect(page.GetByTestId("map-report")).ToContainTextAsync("3");
        Assert.Empty(await browser.ComplaintsAsync(page, "map", "[role=dialog]"));
        var download = await page.RunAndWaitForDownloadAsync(() => page.GetByTestId("map-download").ClickAsync());
        var map = await File.ReadAllTextAsync(await download.PathAsync());
        Assert.Contains("\"old.example.com/watch/1\" \"https://www.example.com/watch/R1\";", map, StringComparison.Ordinal);
        Assert.Contains("\"/watch/3\" \"https://www.example.com/watch/R3\";", map, StringComparison.Ordinal);
        Assert.DoesNotContain("watch/4", map, StringComparison.Ordinal);
        browser.HasNoErrors();

        // Off again: no picture is loaded any more.
        await page.GotoAsync($"imports/{id}/records?view=wall");
        await page.GetByTestId("pictures").ClickAsync();
        await Expect(page.GetByTestId("pictures")).ToHaveTextAsync("Load pictures from Cincopa");
        await Expect(page.GetByTestId("thumbnail")).ToHaveCountAsync(0);
    }

    private static bool IsDone(JsonElement finishing) => finishing.ValueKind == JsonValueKind.Null
        || finishing.EnumerateObject().All(count => count.Value.GetInt32() == 0);
}
