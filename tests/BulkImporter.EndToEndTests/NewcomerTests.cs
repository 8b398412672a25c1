using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace BulkImporter.EndToEndTests;

/// <summary>
/// What somebody does in the browser who has read nothing, by the controls that the pages offer and never by an address that was typed.
/// The steps (a click, a field, a file) are counted: a page that needs one more has become worse.
/// </summary>
public sealed partial class NewcomerTests(DashboardStage stage) : IClassFixture<DashboardStage>, IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private readonly Stage fresh = new();
    private IPage page = null!;
    private int steps;

    /// <summary>Dark or not, and how wide.</summary>
    public static TheoryData<bool, int> Forms { get; } = new() { { false, 1440 }, { true, 390 } };

    public async ValueTask DisposeAsync()
    {
        stage.ShowFailure();
        if (page is not null) await page.Context.CloseAsync();
        await fresh.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task From_a_fresh_server_to_a_finished_import(bool isDark, int width)
    {
        await stage.Cincopa.BehaveAsync("""{"importMs":[20,60]}""");
        var (server, api) = await fresh.ServeAsync(stage.Cincopa, new() { ["CINCOPA_API_TOKEN"] = null });
        page = await stage.Browser.OpenAsync(api.Address, isDark, width);
        await page.GotoAsync(SetupLink().Match(server.Log).Groups[1].Value);
        await FillAsync(page.GetByLabel("Your name"), "Ada Lovelace");
        await FillAsync(page.GetByLabel("New password"), "four plain words here");
        await FillAsync(page.GetByLabel("Repeat password"), "four plain words here");
        await ClickAsync("Create admin account");

        // The account, at an address that is Cincopa's own for everybody else.
        await ClickAsync(page.GetByRole(AriaRole.Link, new() { Name = "add the Cincopa account" }));
        await Expect(page.GetByTestId("new-name")).ToBeFocusedAsync();
        await FillAsync(page.GetByTestId("new-name"), "museum");
        await FillAsync(page.GetByTestId("new-token"), Stage.Token);
        await page.GetByTestId("new-url").FillAsync(stage.Cincopa.ApiAddress);
        await ClickAsync(page.GetByTestId("save-account"));
        await ClickAsync(page.GetByRole(AriaRole.Link, new() { Name = "Continue to your first import" }));

        // Its name is not the one that needs no naming.
        await Expect(page.GetByTestId("upload-account")).ToHaveValueAsync("museum");
        await page.GetByTestId("upload-file").SetInputFilesAsync(new FilePayload
        {
            Name = "library.csv",
            MimeType = "text/csv",
            Buffer = System.Text.Encoding.UTF8.GetBytes(DashboardStage.Manifest("first-run", DashboardStage.Clips(20))),
        });
        steps++;
        await ClickAsync(page.GetByTestId("upload-submit"));
        await ClickAsync(page.GetByTestId("start"));
        await Expect(page.GetByTestId("import-state").First).ToHaveAttributeAsync("data-state", "finished");
        await Expect(page.GetByTestId("count-imported")).ToHaveTextAsync("20");
        Assert.Equal(12, steps);
        stage.Browser.HasNoErrors();
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Nine_invalid_rows_are_corrected_in_the_review(bool isDark, int width)
    {
        var folder = $"nine-{width}";
        string[] wrong =
        [
            "", "", "media/one.mp4", "ftp://media.example.com/two.mp4", "https://youtu.be/abc", "https://me:secret@media.example.com/4.mp4",
            "www.example.com/5.mp4", "https://vimeo.com/123456789", "media/nine.mp4",
        ];
        var id = await ReviewAsync(isDark, width,
            "url,caption\n" + string.Concat(wrong.Select((url, n) => $"{url},Clip {n}\n")) + $"https://media.example.com/{folder}/10.mp4,Ten\n");

        await Expect(page.GetByTestId("fix-all")).ToHaveTextAsync("Fix all 9 invalid rows");
        await ClickAsync(page.GetByTestId("fix-all"));
        await Expect(page.GetByTestId("fix-row")).ToHaveCountAsync(9);
        // What is wrong with each is told in words.
        await Expect(Row(1)).ToContainTextAsync("No URL");
        await Expect(Row(5)).ToContainTextAsync("URL of a watch page");
        for (var row = 1; row <= 9; row++)
            await FillAsync(Row(row).Locator("[data-column=url]"), $"https://media.example.com/{folder}/{row}.mp4");
        await Expect(page.GetByTestId("fix-good")).ToHaveCountAsync(9);
        await ClickAsync(page.GetByTestId("fix-save"));
        await ClickAsync(page.GetByTestId("fix-back"));
        await Expect(page.GetByTestId("count-pending")).ToHaveTextAsync("10");
        await Expect(page.GetByText("No problem was found.")).ToBeVisibleAsync();
        Assert.Equal(12, steps);
        await stage.Api.ActAsync(id, "cancel");
        stage.Browser.HasNoErrors();

        ILocator Row(int number) => page.Locator($"[data-testid=fix-row][data-row='{number}']");
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Why_one_host_fails_is_found_and_its_rows_are_uploaded_from_this_server(bool isDark, int width)
    {
        using var vault = new HttpListener();
        var address = $"http://127.0.0.1:{FreePort.Take()}/";
        vault.Prefixes.Add(address);
        vault.Start();
        var serving = ServeFilesAsync(vault);
        page = await stage.Browser.OpenAsync(stage.Api, isDark, width);
        await stage.Cincopa.BehaveAsync(
            $$"""{"importMs":[20,60],"outcomes":[{"outcome":"forbidden","input":"{{address}}*"}]}""");
        var name = $"Vault {width}";
        var id = await stage.Api.StartAsync(DashboardStage.Manifest($"vault-{width}", DashboardStage.Clips(20))
            + string.Concat(Enumerable.Range(1, 6).Select(n => $"{address}tape-{width}-{n}.mp4,Tape {n}\n")),
            $"&name={Uri.EscapeDataString(name)}");
        await stage.Api.FinishedAsync(id, Limit);

        await page.GotoAsync("/");
        // A click on what is just being replaced by the live page would be lost, and counted.
        await Expect(page.Locator("[data-testid=look] button").First).ToBeEnabledAsync();
        await ClickAsync(page.GetByRole(AriaRole.Link, new() { Name = name }));
        var cause = page.Locator("[data-testid=failure][data-code=source_forbidden]");
        await Expect(cause).ToContainTextAsync("Access to the file refused");
        await Expect(cause.GetByTestId("failure-host")).ToContainTextAsync("all 6 failed since");
        await ClickAsync(cause.GetByTestId("push-code"));
        await Expect(page.GetByTestId("count-imported")).ToHaveTextAsync("26");
        await Expect(page.GetByTestId("failures")).ToHaveCountAsync(0);
        Assert.Equal(2, steps);
        stage.Browser.HasNoErrors();
        vault.Stop();
        await serving;
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Three_records_in_doubt_are_decided_one_after_the_other(bool isDark, int width)
    {
        page = await stage.Browser.OpenAsync(stage.Api, isDark, width);
        await stage.Cincopa.BehaveAsync("""{"importMs":[20,60],"rules":[{"on":"submit","fault":"reply_lost","input":"*/ferries-*"}]}""");
        var name = $"Ferries {width}";
        // Nobody's asset of the same name: without it, the last one left would be the last record's for certain, and adopted by itself.
        await stage.Cincopa.SubmitAsync(Stage.Token, $"https://media.example.com/by-hand/ferry-{width}.mp4");
        var id = await stage.Api.StartAsync("url,caption\n" + string.Concat(Enumerable.Range(1974, 3)
            .Select(year => $"https://media.example.com/ferries-{width}/{year}/ferry-{width}.mp4,Ferry {year}\n")),
            $"&name={Uri.EscapeDataString(name)}");
        await stage.Api.FinishedAsync(id, Limit);
        await Wait.UntilAsync(Limit, "all ferries are candidates", async () => await stage.Api.CandidatesAsync(id, 3) == 4);

        await page.GotoAsync("/");
        // A click on what is just being replaced by the live page would be lost, and counted.
        await Expect(page.Locator("[data-testid=look] button").First).ToBeEnabledAsync();
        await ClickAsync(page.GetByRole(AriaRole.Link, new() { Name = name }));
        await ClickAsync(page.GetByTestId("decide"));
        await ClickAsync(page.GetByTestId("record").First.GetByRole(AriaRole.Link, new() { Name = "1", Exact = true }));
        for (var row = 1; row <= 3; row++)
        {
            if (row > 1) await ClickAsync(page.GetByTestId("next-in-doubt"));
            await Expect(page.GetByRole(AriaRole.Heading, new() { Name = $"Row {row}" })).ToBeVisibleAsync();
            await ClickAsync(page.GetByTestId("candidate").First.GetByRole(AriaRole.Button));
            await ClickAsync(page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Adopt", Exact = true }));
            await Expect(page.GetByText("The asset exists in Cincopa.")).ToBeVisibleAsync();
        }
        await Expect(page.GetByTestId("none-in-doubt")).ToBeVisibleAsync();
        Assert.Equal(3, (await stage.Api.ImportAsync(id)).Counts.Imported);
        Assert.Equal(11, steps);
        stage.Browser.HasNoErrors();
    }

    [Fact]
    public async Task A_sample_shows_a_review()
    {
        page = await stage.Browser.OpenAsync(stage.Api);
        await page.GotoAsync("/upload");
        await Expect(page.Locator("[data-testid=look] button").First).ToBeEnabledAsync();
        await page.GetByTestId("upload-start").CheckAsync();
        await page.GetByTestId("try-sample").ClickAsync();
        await page.ArriveAtAsync("/imports/*");
        // It is not started, whatever was ticked.
        await Expect(page.GetByTestId("import-state").First).ToHaveAttributeAsync("data-state", "review");
        await Expect(page.GetByTestId("finding")).ToHaveCountAsync(6);
        await Expect(page.GetByTestId("count-pending")).ToHaveTextAsync("6");
        await stage.Api.ActAsync(int.Parse(page.Url.Split('/')[^1], System.Globalization.CultureInfo.InvariantCulture), "cancel");
        stage.Browser.HasNoErrors();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_file_may_be_dropped_anywhere_on_the_list_also_before_the_page_is_live(bool isLive)
    {
        await stage.Api.UploadAsync("url\nhttps://media.example.com/listed.mp4\n", "&name=So+that+there+is+a+list");
        page = await stage.Browser.OpenAsync(stage.Api);
        var alive = new TaskCompletionSource();
        await page.RouteAsync("**/_framework/blazor.web*.js", async script =>
        {
            await alive.Task;
            await script.ContinueAsync();
        });
        if (isLive) alive.SetResult();
        await page.GotoAsync("/", new() { WaitUntil = isLive ? WaitUntilState.Load : WaitUntilState.Commit });
        await Expect(page.GetByTestId("new-import")).ToBeVisibleAsync();
        if (isLive) await Expect(page.Locator("[data-testid=look] button").First).ToBeEnabledAsync();
        await page.EvaluateAsync("""
            () => {
              const dataTransfer = new DataTransfer();
              dataTransfer.items.add(new File(['url\nhttps://media.example.com/dropped.mp4\n'], 'dropped.csv', { type: 'text/csv' }));
              const send = (name) => document.querySelector('h1').dispatchEvent(new DragEvent(name, { dataTransfer, bubbles: true, cancelable: true }));
              send('dragover');
              if (!document.body.classList.contains('dropping')) throw new Error('The page does not show that a file can be dropped.');
              send('drop');
            }
            """);
        alive.TrySetResult();
        await page.ArriveAtAsync("/upload");
        await Expect(page.GetByText("dropped.csv (1 KB)")).ToBeVisibleAsync();
        await page.GetByTestId("upload-submit").ClickAsync();
        await page.ArriveAtAsync("/imports/*");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "dropped.csv" })).ToBeVisibleAsync();
        stage.Browser.HasNoErrors();
    }

    [Fact]
    public async Task A_file_with_a_question_needs_an_answer_and_an_operator_discards_it()
    {
        page = await stage.Browser.OpenAsync(stage.Api);
        var id = await stage.Api.UploadAsync("page,file\nhttps://media.example.com/a.html,https://media.example.com/a.mp4\n",
            "&name=Which+column");
        await stage.Api.UntilAsync(id, i => i.State == "rejected", Limit);
        using var @operator = new ImporterApi(stage.Api.Address, await stage.Api.MakeKeyAsync("operator"));
        var colleague = await stage.Browser.OpenAsync(@operator);
        await colleague.GotoAsync("/");
        await colleague.GetByRole(AriaRole.Link, new() { Name = "Which column" }).ClickAsync();
        await Expect(colleague.GetByTestId("import-state").First).ToHaveTextAsync("Needs an answer");
        await colleague.GetByTestId("delete").ClickAsync();
        await colleague.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Discard" }).ClickAsync();
        await Wait.UntilAsync(Limit, "the import is gone", async () => (await stage.Api.ImportsAsync()).All(i => i.Id != id));
        await colleague.Context.CloseAsync();
        stage.Browser.HasNoErrors();
    }

    private async Task<int> ReviewAsync(bool isDark, int width, string manifest)
    {
        page = await stage.Browser.OpenAsync(stage.Api, isDark, width);
        var id = await stage.Api.UploadAsync(manifest);
        await stage.Api.UntilAsync(id, i => i.State == "review", Limit);
        await page.GotoAsync($"/imports/{id}");
        return id;
    }

    private static async Task ServeFilesAsync(HttpListener vault)
    {
        while (vault.IsListening)
        {
            try
            {
                var call = await vault.GetContextAsync();
                call.Response.ContentType = "video/mp4";
                call.Response.Close(new byte[5000], willBlock: false);
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                // The test is over, or a caller went away.
            }
        }
    }

    private Task ClickAsync(string button) => ClickAsync(page.GetByRole(AriaRole.Button, new() { Name = button }));

    private Task ClickAsync(ILocator target)
    {
        steps++;
        return target.ClickAsync();
    }

    private Task FillAsync(ILocator field, string text)
    {
        steps++;
        return field.FillAsync(text);
    }

    [GeneratedRegex("Choose a name and a password, once, within an hour: (\\S+)")]
    private static partial Regex SetupLink();
}
