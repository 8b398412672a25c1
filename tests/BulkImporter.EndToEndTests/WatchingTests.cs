using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace BulkImporter.EndToEndTests;

/// <summary>
/// What a person sees and decides while an import runs and when it has ended, on a wide screen and a phone, light and dark.
/// </summary>
public sealed class WatchingTests(DashboardStage stage) : IClassFixture<DashboardStage>, IAsyncLifetime
{
    private static readonly TimeSpan RunLimit = TimeSpan.FromMinutes(3);

    private IPage page = null!;

    public async ValueTask InitializeAsync() => page = await stage.OpenAsync();

    public async ValueTask DisposeAsync()
    {
        stage.ShowFailure();
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task Failures_are_told_by_cause_and_host_while_the_run_goes_on_and_cured_for_one_host()
    {
        await stage.Cincopa.BehaveAsync("""{"importMs":[50,100],"outcomes":[{"outcome":"forbidden","input":"https://shut-*"}]}""");
        await stage.Api.ChangeAccountAsync(new { rate = 10 });
        var rows = Enumerable.Range(1, 200).Select(n => n switch
        {
            <= 6 => $"https://shut-one.example/hosts/{n}.mp4",
            <= 9 => $"https://shut-two.example:8443/hosts/{n}.mp4",
            _ => $"https://media.example.com/hosts/{n}.mp4",
        });
        var id = await stage.Api.StartAsync("url\n" + string.Join('\n', rows) + "\n");
        await page.GotoAsync($"/imports/{id}");

        var one = page.Locator("[data-testid=failure-host][data-host='shut-one.example']");
        await Expect(one).ToContainTextAsync("all 6 failed since");
        await HasStateAsync("running");
        await Expect(page.Locator("[data-testid=failure-host][data-host='shut-two.example:8443']"))
            .ToContainTextAsync("all 3 failed since");
        await Expect(page.Locator("[data-testid=host][data-host='shut-one.example'] svg")).ToBeVisibleAsync();
        await LooksWellAsync("failures-by-host");

        // The line leads to just its records.
        await one.GetByRole(AriaRole.Link).ClickAsync();
        await Expect(page.GetByTestId("record")).ToHaveCountAsync(6);
        await page.GoBackAsync();

        // A header for the host, from where it is missed.
        await one.GetByTestId("header-host").ClickAsync();
        await Expect(page.GetByTestId("header-host").Locator("visible=true").Last).ToBeVisibleAsync();
        var form = page.GetByTestId("header-form");
        await Expect(form.GetByTestId("header-host")).ToHaveValueAsync("shut-one.example");
        await LooksWellAsync("source-header", ".mud-dialog");
        await form.GetByTestId("header-name").FillAsync("Authorization");
        await form.GetByTestId("header-value").FillAsync("Bearer x");
        await form.GetByTestId("save").ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
        await page.GotoAsync("/accounts");
        await Expect(page.GetByTestId("source-headers")).ToContainTextAsync("shut-one.example");

        // And the rerun of one host leaves the other.
        await stage.Api.LiftLimitsAsync();
        await stage.Api.FinishedAsync(id, RunLimit);
        await stage.Cincopa.BehaveAsync("""{"importMs":[50,100]}""");
        await page.GotoAsync($"/imports/{id}");
        await one.GetByTestId("rerun-host").ClickAsync();
        await Expect(page.GetByTestId("count-failed")).ToHaveTextAsync("3");
        await Expect(page.GetByTestId("count-imported")).ToHaveTextAsync("197");
        await Expect(one).ToHaveCountAsync(0);
        stage.Browser.HasNoErrors();
    }

    [Fact]
    public async Task A_host_that_fails_again_and_again_waits_and_is_asked_when_somebody_says_so()
    {
        await stage.Cincopa.BehaveAsync("""{"importMs":[20,50],"outcomes":[{"outcome":"forbidden","input":"https://waits.example/*"}]}""");
        await stage.Api.ChangeAccountAsync(new { rate = 20 });
        var id = await stage.Api.StartAsync("url\n" + string.Join('\n', Enumerable.Range(1, 400)
            .Select(n => $"https://{(n % 2 == 0 ? "waits.example" : "media.example.com")}/waits/{n}.mp4")) + "\n");
        await page.GotoAsync($"/imports/{id}");
        var banner = page.Locator("[data-testid=waiting-host][data-host='waits.example']");
        await Expect(banner).ToContainTextAsync("times in a row; asked again at", new() { Timeout = 120_000 });
        await Expect(banner).ToContainTextAsync("other hosts go on");
        await LooksWellAsync("waiting-host");
        await stage.Api.LiftLimitsAsync();
        await stage.Api.UntilAsync(id, i => i.Counts.Imported == 200 && i.Counts.Pending > 0 && i.Counts.Submitted == 0, RunLimit);
        var pending = await stage.Api.FirstAsync(id, "pending");
        await page.GotoAsync($"/imports/{id}/records/{pending.RowNumber}");
        await Expect(page.GetByTestId("waits-for")).ToContainTextAsync("waits.example has failed");
        await page.GotoAsync($"/imports/{id}/records?state=pending");
        await Expect(page.GetByTestId("record").First).ToContainTextAsync("waits for its host until");
        await LooksWellAsync("waiting-records");

        await stage.Cincopa.BehaveAsync("""{"importMs":[20,50]}""");
        await page.GotoAsync($"/imports/{id}");
        await banner.GetByTestId("banner-ask").ClickAsync();
        await HasStateAsync("finished");
        await Expect(banner).ToHaveCountAsync(0);
        stage.Browser.HasNoErrors();
    }

    [Fact]
    public async Task A_check_that_finds_a_host_wholly_dark_asks_before_the_start()
    {
        var id = await stage.Api.UploadAsync(
            "url\n" + string.Concat(Enumerable.Range(1, 4).Select(n => $"{stage.Cincopa.Address}/_sim/dark/{n}.mp4\n")));
        await page.GotoAsync($"/imports/{id}");
        await page.GetByTestId("probe-sample").ClickAsync();
        await Expect(page.GetByTestId("dark-host")).ToContainTextAsync("all 4 files that were checked have a problem");
        await Expect(page.Locator("[data-testid=deed][data-action=files_checked]")).ToContainTextAsync("4 of 4, 4 with a problem");
        await LooksWellAsync("dark-host");
        await page.GetByTestId("start").ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("Start although no file from 127.0.0.1:");
        await LooksWellAsync("dark-host-question", ".mud-dialog");
        await Dialog("Do not start").ClickAsync();
        await HasStateAsync("review");
        Assert.Equal(0, await stage.SubmitsAsync("dark"));
        await page.GetByTestId("start").ClickAsync();
        await Dialog("Start anyway").ClickAsync();
        await HasStateAsync("finished");
        Assert.Equal(4, await stage.SubmitsAsync("dark"));
        stage.Browser.HasNoErrors();
    }

    [Fact]
    public async Task A_record_in_doubt_is_decided_on_its_page()
    {
        await stage.Cincopa.BehaveAsync("""{"importMs":[50,300],"rules":[{"on":"submit","fault":"reply_lost","input":"*/_sim/*"}]}""");
        // The simulator's control side serves as the source: JSON that has a type.
        var id = await stage.Api.StartAsync($"url,caption\n{stage.Cincopa.Address}/_sim/assets?tape=1,One\n"
            + $"{stage.Cincopa.Address}/_sim/assets?tape=2,Two\n");
        await stage.Api.FinishedAsync(id, RunLimit);
        await Wait.UntilAsync(RunLimit, "both assets are candidates", async () => await stage.Api.CandidatesAsync(id, 1) == 2);
        await page.GotoAsync($"/imports/{id}/records/1");
        await Expect(page.GetByTestId("source-type")).ToHaveTextAsync("application/json");
        await Expect(page.GetByTestId("candidate")).ToHaveCountAsync(2);
        await Expect(page.GetByTestId("candidate").First).ToContainTextAsync("the attempt");
        var rid = (await page.GetByTestId("candidate").First.GetAttributeAsync("data-rid"))!;
        // What is neither a film nor a sound has no stream; with a player template it has a page.
        await Expect(page.GetByTestId("candidate").First.GetByTestId("asset-link")).ToHaveCountAsync(0);
        await stage.Api.ChangeAccountAsync(new { playerTemplate = "A4BcDeFgHiJk" });
        await page.ReloadAsync();
        await Expect(page.GetByTestId("candidate").First.GetByTestId("asset-link")).ToHaveAttributeAsync("href",
            $"https://www.cincopa.com/media-platform/iframe.aspx?fid=A4BcDeFgHiJk!{Uri.EscapeDataString(rid)}");
        await stage.Api.ChangeAccountAsync(new { playerTemplate = "" });
        await LooksWellAsync("record-in-doubt");

        // Another look, and its time.
        var looked = page.GetByTestId("looked").Locator("time").First;
        var before = (await looked.GetAttributeAsync("datetime"))!;
        await page.GetByTestId("look-again").ClickAsync();
        await Expect(looked).Not.ToHaveAttributeAsync("datetime", before);
        await Expect(page.GetByTestId("looked")).ToContainTextAsync("Searched in Cincopa at");
        await Expect(page.GetByTestId("candidate")).ToHaveCountAsync(2);

        // Any asset by its rid: one that is not there, and one that is.
        await page.GetByTestId("adopt-rid").FillAsync("NoSuchAsset");
        await page.GetByTestId("adopt-other").ClickAsync();
        await Dialog("Adopt").ClickAsync();
        await Expect(page.GetByTestId("complaint")).ToContainTextAsync("The account has no asset NoSuchAsset.");
        await page.GetByTestId("adopt-rid").FillAsync($" {rid} ");
        await page.GetByTestId("adopt-other").ClickAsync();
        await Dialog("Adopt").ClickAsync();
        await Expect(page.GetByText("The asset exists in Cincopa.")).ToBeVisibleAsync();
        await Expect(page.GetByTestId("candidates")).ToHaveCountAsync(0);
        await Expect(page.GetByTestId("asset-link")).ToBeVisibleAsync();
        stage.Browser.HasNoErrors();
    }

    [Fact]
    public async Task The_story_of_an_import_is_one_list_whose_numbers_stand_on_the_chart()
    {
        await stage.Api.ChangeAccountAsync(new { rate = 4 });
        var id = await stage.Api.StartAsync(DashboardStage.Manifest("story", DashboardStage.Clips(1000)));
        await page.GotoAsync($"/imports/{id}");
        await Expect(page.GetByTestId("rate-chart")).ToBeVisibleAsync();
        await page.GetByTestId("pause").ClickAsync();
        await HasStateAsync("paused");
        await page.GetByTestId("resume").ClickAsync();
        await HasStateAsync("running");
        await Expect(page.Locator("[data-testid=deed][data-action=import_resumed]")).ToBeVisibleAsync();
        // The chart goes on until they stand within it.
        await Expect(page.GetByTestId("pin").First).ToBeVisibleAsync();
        await Expect(page.Locator("[data-testid=deed][data-action=import_resumed] .mark")).ToHaveTextAsync(new Regex("\\d"));
        await LooksWellAsync("story");

        var deeds = await page.GetByTestId("deed").EvaluateAllAsync<string[]>("all => all.map((d) => d.dataset.action)");
        Assert.Equal(["import_created", "manifest_read", "sending_began", "import_paused", "import_resumed"], deeds);
        // A pin stands where its time is between the ends of the axis.
        Assert.True(await page.EvaluateAsync<bool>("""
            () => [...document.querySelectorAll('[data-testid=pin]')].every((pin) => {
              const left = parseFloat(pin.style.left);
              return left >= 0 && left <= 100;
            })
            """));
        await stage.Api.ActAsync(id, "cancel");
        stage.Browser.HasNoErrors();
    }

    [Fact]
    public async Task Two_hundred_imports_are_walked_with_what_runs_first_and_each_page_is_shown_from_its_top()
    {
        await stage.Api.ChangeAccountAsync(new { rate = 1 });
        var running = await stage.Api.StartAsync(DashboardStage.Manifest("walked", DashboardStage.Clips(900)));
        var uploaded = new List<int>();
        for (var n = 1; n <= 200; n++)
            uploaded.Add(await stage.Api.UploadAsync($"url\nhttps://media.example.com/walk/{n}.mp4\n", $"&name=Walk+{n}"));
        await page.GotoAsync("/");
        await Expect(page.GetByTestId("import-row").First).ToHaveAttributeAsync("data-import", $"{running}");
        var total = int.Parse((await page.GetByTestId("total").TextContentAsync())!.Split(' ')[0], CultureInfo.InvariantCulture);
        Assert.True(total > 200, $"{total} imports");
        await LooksWellAsync("imports-total");

        var (seen, firsts) = (new HashSet<string>(), new List<string>());
        while (true)
        {
            var shown = await ImportsAsync();
            Assert.True(shown.All(seen.Add) || firsts.Count == 0, "An import is shown twice.");
            firsts.Add(shown[0]);
            if (await page.GetByTestId("next-page").CountAsync() == 0) break;
            await page.GetByTestId("next-page").ClickAsync();
            await Expect(page.GetByTestId("import-row").First).Not.ToHaveAttributeAsync("data-import", firsts[^1]);
            await IsAtTheTopAsync();
        }
        Assert.Equal(total, seen.Count);
        Assert.True(firsts.Count >= 8, $"{firsts.Count} pages");
        for (var n = firsts.Count - 2; n >= 0; n--)
        {
            await page.GetByTestId("previous-page").ClickAsync();
            await Expect(page.GetByTestId("import-row").First).ToHaveAttributeAsync("data-import", firsts[n]);
            await IsAtTheTopAsync();
        }
        await Expect(page.GetByTestId("previous-page")).ToHaveCountAsync(0);
        await stage.Api.ActAsync(running, "cancel");
        // The next test's manifest is not read behind two hundred.
        foreach (var id in uploaded) await stage.Api.UntilAsync(id, i => i.State == "review", RunLimit);
        stage.Browser.HasNoErrors();

        async Task<string[]> ImportsAsync() =>
            await page.GetByTestId("import-row").EvaluateAllAsync<string[]>("all => all.map((i) => i.dataset.import)");
    }

    [Fact]
    public async Task A_hundred_pages_of_records_are_walked_there_and_back()
    {
        var id = await stage.Api.UploadAsync(DashboardStage.Manifest("pages", DashboardStage.Clips(5000)));
        await stage.Api.UntilAsync(id, i => i.State == "review", RunLimit);
        await page.GotoAsync($"/imports/{id}/records");
        await Expect(page.GetByTestId("total")).ToHaveTextAsync("5,000 records");
        for (var first = 1; ; first += 50)
        {
            await StandsAsync(first);
            if (first == 4951) break;
            await page.GetByTestId("next-page").ClickAsync();
        }
        await Expect(page.GetByTestId("next-page")).ToHaveCountAsync(0);
        for (var first = 4901; first >= 1; first -= 50)
        {
            await page.GetByTestId("previous-page").ClickAsync();
            await StandsAsync(first);
        }
        await Expect(page.GetByTestId("previous-page")).ToHaveCountAsync(0);
        await LooksWellAsync("records-total");

        // The same for what is looked for, record by record: some pages on, and back.
        await page.GotoAsync($"/imports/{id}/records?search=clip-1");
        foreach (var first in new[] { 1, 139, 189, 1039, 1089 })
        {
            await StandsAsync(first);
            await page.GetByTestId("next-page").ClickAsync();
        }
        await StandsAsync(1139);
        foreach (var first in new[] { 1089, 1039, 189, 139, 1 })
        {
            await page.GetByTestId("previous-page").ClickAsync();
            await StandsAsync(first);
        }
        await stage.Api.ActAsync(id, "cancel");
        stage.Browser.HasNoErrors();

        async Task StandsAsync(int first)
        {
            await Expect(page.GetByTestId("record").First).ToHaveAttributeAsync("data-row", $"{first}");
            await IsAtTheTopAsync();
        }
    }

    [Theory]
    [InlineData(false, false, "✓ Told: Finished", "Nothing is left to do.")]
    [InlineData(true, false, "! Told: Finished, 1 failed", "1 record failed.")]
    [InlineData(false, true, "✓ Told: Finished", "Nothing is left to do.")]
    public async Task The_browser_tells_how_an_import_ended_once_it_was_asked_for(bool fails, bool isAway, string title, string body)
    {
        await page.AddInitScriptAsync("""
            window.told = [];
            window.Notification = class {
              static permission = sessionStorage.getItem('permission') ?? 'default';
              static async requestPermission() {
                sessionStorage.setItem('permission', 'granted');
                return Notification.permission = 'granted';
              }
              constructor(title, options) { window.told.push({ title, ...options }); }
              close() { }
            };
            """);
        await stage.Cincopa.BehaveAsync("""{"importMs":[50,100],"outcomes":[{"outcome":"missing","input":"*/told-end-*/gone*"}]}""");
        await stage.Api.ChangeAccountAsync(new { rate = 1 });
        // One a second: it has not ended when the browser was asked, however slow the machine is.
        var id = await stage.Api.StartAsync(DashboardStage.Manifest($"told-end-{fails}-{isAway}", DashboardStage.Clips(400)
            .Append(fails ? "gone" : "there")), "&name=Told");
        await page.GotoAsync($"/imports/{id}");
        await LooksWellAsync("asked-to-tell");
        await page.GetByTestId("tell-yes").ClickAsync();
        await Expect(page.GetByTestId("tell")).ToBeHiddenAsync();
        Assert.Equal("granted", await page.EvaluateAsync<string>("Notification.permission"));
        // It is asked once, not on each page.
        await page.ReloadAsync();
        await Expect(page.Locator("[data-testid=look] button").First).ToBeEnabledAsync();
        await Expect(page.GetByTestId("tell")).ToBeHiddenAsync();
        Assert.StartsWith("0", await page.EvaluateAsync<string>("String(told.length)"), StringComparison.Ordinal);

        // A computer that slept finds the import ended when it wakes.
        if (isAway) await page.GotoAsync("/me");
        await stage.Api.LiftLimitsAsync();
        if (isAway)
        {
            await stage.Api.FinishedAsync(id, RunLimit);
            await page.GotoAsync($"/imports/{id}");
        }
        await HoldsAsync("told.length > 0");
        var told = await page.EvaluateAsync<string[]>("told.map((t) => `${t.title}|${t.body}`)");
        Assert.StartsWith($"{title}|{body}", Assert.Single(told), StringComparison.Ordinal);
        await Expect(page).ToHaveTitleAsync($"{title[..2]}Told - BulkImporter");
        stage.Browser.HasNoErrors();
    }

    [Fact]
    public async Task A_report_is_printed_and_saved_as_a_file_that_opens_anywhere()
    {
        await stage.Cincopa.BehaveAsync("""{"importMs":[50,100],"outcomes":[{"outcome":"missing","input":"*/report/gone*"}]}""");
        var id = await stage.Api.StartAsync(DashboardStage.Manifest("report", "clip-1", "clip-2", "gone-1"), "&name=Reported");
        await stage.Api.FinishedAsync(id, RunLimit);
        await page.GotoAsync($"/imports/{id}");
        await page.GetByTestId("report").ClickAsync();
        await page.ArriveAtAsync("/report");
        await Expect(page.GetByTestId("sheet")).ToContainTextAsync("2 of 3 rows imported");
        await Expect(page.Locator("[data-testid=report-cause][data-code=source_not_found]")).ToContainTextAsync("media.example.com (1)");
        await LooksWellAsync("report");

        await page.EvaluateAsync("window.print = () => { window.printed = true; }");
        await page.GetByTestId("print").ClickAsync();
        await HoldsAsync("window.printed === true");
        // On paper there is nothing but the sheet, and it is one page.
        await page.EmulateMediaAsync(new() { Media = Media.Print });
        await Expect(page.GetByTestId("print")).ToBeHiddenAsync();
        await Expect(page.Locator("[data-testid=look]")).ToBeHiddenAsync();
        Assert.Equal(1, PagesOf(await page.PdfAsync(new() { Format = "A4" })));
        await page.EmulateMediaAsync(new() { Media = Media.Screen });

        var download = await page.RunAndWaitForDownloadAsync(() => page.GetByTestId("report-download").ClickAsync());
        Assert.Equal($"import-{id}-report.html", download.SuggestedFilename);
        var file = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}-{download.SuggestedFilename}");
        await download.SaveAsAsync(file);
        await page.GotoAsync($"file://{file}");
        await Expect(page.Locator("h1")).ToHaveTextAsync("Reported");
        await LooksWellAsync("report-file");
        File.Delete(file);
        stage.Browser.HasNoErrors();

        static int PagesOf(byte[] pdf) =>
            Regex.Count(Encoding.Latin1.GetString(pdf), "/Type\\s*/Page\\b(?!s)");
    }

    [Fact]
    public async Task Targets_of_notifications_are_added_tried_and_removed_on_a_page()
    {
        await page.GotoAsync("/notifications");
        await Expect(page.GetByTestId("no-targets")).ToBeVisibleAsync();
        await page.GetByTestId("new-target").ClickAsync();
        await Expect(page.GetByTestId("target-name")).ToBeFocusedAsync();
        await page.GetByTestId("target-name").FillAsync("ops");
        await page.GetByTestId("target-address").FillAsync("ftp://nowhere.example/");
        await page.GetByTestId("add-target").ClickAsync();
        await Expect(page.GetByTestId("complaint")).ToContainTextAsync("http or https");
        await LooksWellAsync("notification-target-form");
        await page.GetByTestId("target-address").FillAsync($"{stage.Cincopa.Address}/_sim/nothing");
        await page.GetByTestId("add-target").ClickAsync();
        await Expect(page.GetByTestId("secret")).ToHaveValueAsync(new Regex("^whsec_"));
        await page.GetByTestId("new-target").ClickAsync();
        await page.GetByTestId("target-name").FillAsync("ann");
        await page.GetByTestId("target-address").FillAsync("ann@example.com");
        await page.GetByTestId("add-target").ClickAsync();
        await Expect(page.Locator("[data-testid=target][data-target=ann]")).ToContainTextAsync("ann@example.com");

        var id = await stage.Api.StartAsync(DashboardStage.Manifest("notified", "clip-1"));
        await stage.Api.FinishedAsync(id, RunLimit);
        var told = page.Locator("[data-testid=told-row][data-kind=import_finished]").First;
        await Wait.UntilAsync(RunLimit, "the end is told", async () =>
        {
            await page.ReloadAsync();
            await Expect(page.GetByTestId("targets")).ToBeVisibleAsync();
            return await told.GetByTestId("delivery").CountAsync() == 2;
        });
        await Expect(told).ToContainTextAsync($"import {id}");
        await Expect(told.GetByTestId("delivery").Last).ToContainTextAsync("ops: ");
        await told.GetByTestId("replay").ClickAsync();
        await Expect(page.GetByText("It is sent again to 2 targets.")).ToBeVisibleAsync();
        await LooksWellAsync("notifications");

        foreach (var name in new[] { "ops", "ann" })
        {
            await page.Locator($"[data-testid=target][data-target={name}]").GetByTestId("remove-target").ClickAsync();
            await Dialog("Remove").ClickAsync();
        }
        await Expect(page.GetByTestId("no-targets")).ToBeVisibleAsync();
        stage.Browser.HasNoErrors();
    }

    private Task HasStateAsync(string state) => Expect(page.GetByTestId("import-state").First).ToHaveAttributeAsync("data-state", state);

    private ILocator Dialog(string button) => page.GetByRole(AriaRole.Dialog)
        .GetByRole(AriaRole.Button, new() { Name = button, Exact = true });

    private Task IsAtTheTopAsync() => HoldsAsync("scrollY === 0");

    /// <summary>Waits for it; the page's own rules let nobody evaluate it there again and again.</summary>
    private Task HoldsAsync(string expression) =>
        Wait.UntilAsync(RunLimit, expression, () => page.EvaluateAsync<bool>(expression));

    /// <summary>
    /// No violation of WCAG's levels A and AA, and no wider than its window, at 1440 and 390 pixels, light and dark. With
    /// BULKIMPORTER_SCREENSHOTS each is taken, for a person to look at.
    /// </summary>
    /// <param name="part">A selector, when the rest of the page fades behind it.</param>
    private async Task LooksWellAsync(string name, string? part = null)
    {
        var complaints = new List<string>();
        foreach (var (width, scheme) in new[]
        {
            (1440, ColorScheme.Dark), (390, ColorScheme.Dark), (390, ColorScheme.Light), (1440, ColorScheme.Light),
        })
        {
            await page.SetViewportSizeAsync(width, 900);
            await page.EmulateMediaAsync(new() { ColorScheme = scheme });
            if (await page.Locator(".mud-layout").CountAsync() > 0)
                await Expect(page.Locator(".mud-layout.dark")).ToHaveCountAsync(scheme == ColorScheme.Dark ? 1 : 0);
            var form = $"{name}-{width}-{(scheme == ColorScheme.Dark ? "dark" : "light")}";
            complaints.AddRange(await stage.Browser.ComplaintsAsync(page, form, part));
            if (!await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"))
                complaints.Add($"{form} is wider than its window.");
            if (Environment.GetEnvironmentVariable("BULKIMPORTER_SCREENSHOTS") is { } folder)
                await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{form}.png"), FullPage = part is null });
        }
        Assert.True(complaints.Count == 0, string.Join('\n', complaints.Distinct()));
    }
}
