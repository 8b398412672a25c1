using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace BulkImporter.EndToEndTests;

/// <summary>The review's settings, what is done about single failures, and the keyboard.</summary>
public sealed class DashboardFormsTests(DashboardStage stage) : IClassFixture<DashboardStage>, IAsyncLifetime
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
    public async Task Every_setting_of_the_review_is_kept()
    {
        var id = await stage.Api.UploadAsync("""
            url,caption
            https://media.example.com/settings/1.mp4,Café
            https://media.example.com/settings/2.mp4,Tea
            https://media.example.com/settings/1.mp4,Cake

            """);
        await page.GotoAsync($"/imports/{id}");
        await Expect(page.GetByTestId("count-duplicate")).ToHaveTextAsync("1");
        await page.GetByTestId("settings-fold").Locator("summary").ClickAsync();
        await page.GetByTestId("set-duplicate-rows").SelectOptionAsync("import");
        await Expect(page.GetByTestId("count-pending")).ToHaveTextAsync("3");
        await TypeAsync("set-first-rows", "1");
        await Expect(page.GetByTestId("count-pending")).ToHaveTextAsync("1");
        await page.GetByTestId("set-encoding").SelectOptionAsync("windows-1252");
        await Expect(page.GetByTestId("preview")).ToContainTextAsync("CafÃ©");
        await page.GetByTestId("set-encoding").SelectOptionAsync("");
        await Expect(page.GetByTestId("preview")).ToContainTextAsync("Café");
        await Expect(page.GetByTestId("account-limits")).ToContainTextAsync("Account default has no limits.");
        await page.GetByTestId("set-transfer").SelectOptionAsync("auto");
        await page.GetByTestId("set-when-unknown").SelectOptionAsync("resubmit");
        await TypeAsync("set-start-at", "2031-05-06T07:08");
        await TypeAsync("set-window", "22:00-06:00 Europe/Berlin");
        await TypeAsync("set-max-attempts", "7");
        await TypeAsync("set-priority", "3");
        await TypeAsync("set-stop-at-failure-percent", "20");
        await TypeAsync("set-stop-after-rows", "50");
        await TypeAsync("set-fid", "AAAA");

        (string Name, string Value)[] wanted =
        [
            ("state", "review"), ("duplicateRows", "import"), ("firstRows", "1"), ("transfer", "auto"), ("whenUnknown", "resubmit"),
            ("startAt", "2031-05-06T07:08:00+00:00"),
            ("window", "22:00-06:00 Europe/Berlin"), ("maxAttempts", "7"), ("priority", "3"), ("stopAtFailurePercent", "20"),
            ("stopAfterRows", "50"), ("fid", "AAAA"),
        ];
        JsonElement kept = default;
        await Wait.UntilAsync(RunLimit, "the settings as they were typed", async () =>
        {
            kept = await stage.Api.WholeImportAsync(id);
            return wanted.All(w => kept.GetProperty(w.Name).ToString() == w.Value);
        });
        await Expect(page.GetByTestId("review-error")).ToHaveCountAsync(0);
        await stage.Api.ActAsync(id, "cancel");
        stage.Browser.HasNoErrors();
    }

    [Fact]
    public async Task A_manifest_is_fetched_from_an_address_and_what_is_wrong_with_it_is_told_on_the_form()
    {
        using var library = new HttpListener();
        var address = $"http://127.0.0.1:{FreePort.Take()}/";
        library.Prefixes.Add(address);
        library.Start();
        var serving = Task.Run(async () =>
        {
            for (var calls = 0; calls < 2; calls++)
            {
                var call = await library.GetContextAsync();
                call.Response.StatusCode = call.Request.Url!.AbsolutePath == "/spring.csv" ? 200 : 404;
                await using var body = call.Response.OutputStream;
                await body.WriteAsync(Encoding.UTF8.GetBytes(DashboardStage.Manifest("fetched", "clip-1", "clip-2")));
            }
        });

        await page.GotoAsync("/upload");
        // The live page replaces the form, perhaps just when the browser is told to fill it.
        await Expect(page.Locator("[data-testid=look] button").First).ToBeEnabledAsync();
        await page.GetByTestId("upload-from").FillAsync(address + "gone.csv");
        await page.GetByTestId("upload-submit").ClickAsync();
        await Expect(page.GetByTestId("upload-error")).ToHaveTextAsync("The manifest could not be fetched: 127.0.0.1 answered 404.");
        await page.GetByTestId("upload-from").FillAsync(address + "spring.csv");
        await page.GetByTestId("upload-submit").ClickAsync();
        await page.ArriveAtAsync("/imports/*");
        await Expect(page.GetByTestId("count-pending")).ToHaveTextAsync("2");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("spring.csv");
        await serving;
        // The browser notes the status of the refusal, which was meant, and nothing else.
        Assert.Contains("status of 400", Assert.ThrowsAny<Exception>(stage.Browser.HasNoErrors).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Number_that_is_not_plainly_one_is_told_and_changes_nothing()
    {
        await page.GotoAsync("/accounts");
        await page.GetByTestId("change-limits").First.ClickAsync();
        await page.GetByTestId("limit-rate").FillAsync("2,5");
        await page.GetByTestId("save").ClickAsync();
        await Expect(page.GetByTestId("complaint")).ToContainTextAsync("Write 2.5");

        var id = await stage.Api.UploadAsync(DashboardStage.Manifest("numbers", "clip-1"));
        await page.GotoAsync($"/imports/{id}");
        await page.GetByTestId("settings-fold").Locator("summary").ClickAsync();
        await TypeAsync("set-priority", "1e5");
        await Expect(page.GetByTestId("review-error")).ToContainTextAsync("'1e5' is not a whole number.");
        Assert.Equal(0, (await stage.Api.WholeImportAsync(id)).GetProperty("priority").GetInt32());

        await page.GotoAsync("/audit?import=2,5");
        await Expect(page.GetByTestId("complaint")).ToContainTextAsync("'2,5' is not a whole number.");
        await page.GotoAsync($"/imports/{id}/records?stalledMinutes=2,5");
        await Expect(page.GetByText("Write 2.5")).ToBeVisibleAsync();
        await stage.Api.ActAsync(id, "cancel");
        stage.Browser.HasNoErrors();
    }

    [Fact]
    public async Task Every_filter_box_shows_what_is_filtered_on_load_on_a_click_and_with_the_back_button()
    {
        await stage.Cincopa.BehaveAsync(
            """{"importMs":[50,100],"outcomes":[{"outcome":"missing","input":"*/boxes/a*"},{"outcome":"forbidden","input":"*/boxes/b*"}]}""");
        // What is invalid has codes too: they come into the box after the others, and one stands before the one that is chosen.
        var id = await stage.Api.StartAsync(DashboardStage.Manifest("boxes", "a-1", "b-1", "c-1") + ",no address\nfile:///x.mp4,none\n");
        await stage.Api.FinishedAsync(id, RunLimit);

        await page.GotoAsync($"/imports/{id}");
        // What is read a moment later makes room for itself above the link.
        await Expect(page.GetByTestId("host-hours")).ToBeVisibleAsync();
        await page.Locator("[data-testid=failure][data-code=source_not_found] a").First.ClickAsync();
        await BoxesAsync(("filter-state", "failed"), ("filter-code", "source_not_found"), ("filter-search", ""));
        await Expect(page.Locator("[data-testid=filter-code] option")).ToHaveCountAsync(5);
        await BoxesAsync(("filter-state", "failed"), ("filter-code", "source_not_found"));
        await page.GetByTestId("filter-code").SelectOptionAsync("source_forbidden");
        await BoxesAsync(("filter-state", "failed"), ("filter-code", "source_forbidden"));
        await page.GetByTestId("filter-state").SelectOptionAsync("");
        await page.GetByTestId("filter-search").FillAsync("boxes");
        await page.GetByTestId("filter-search").PressAsync("Enter");
        await page.ArriveWithAsync("search=boxes");
        await page.GoBackAsync();
        await BoxesAsync(("filter-state", ""), ("filter-code", "source_forbidden"), ("filter-search", ""));
        await page.GoBackAsync();
        await page.GoBackAsync();
        await BoxesAsync(("filter-state", "failed"), ("filter-code", "source_not_found"), ("filter-search", ""));
        await page.ReloadAsync();
        await Expect(page.Locator("[data-testid=filter-code] option")).ToHaveCountAsync(5);
        await BoxesAsync(("filter-state", "failed"), ("filter-code", "source_not_found"));
        // What is typed and not searched for filters nothing.
        await page.GetByTestId("filter-search").FillAsync("typed only");
        await page.GoBackAsync();
        await page.GoForwardAsync();
        await BoxesAsync(("filter-state", "failed"), ("filter-search", ""));

        await page.GotoAsync("/?state=finished&order=name&search=manifest");
        await BoxesAsync(("filter-state", "finished"), ("order", "name"), ("search", "manifest"));
        await page.GetByTestId("filter-state").SelectOptionAsync("review");
        await page.ArriveWithAsync("state=review");
        await page.GoBackAsync();
        await BoxesAsync(("filter-state", "finished"), ("order", "name"), ("search", "manifest"));

        await page.GotoAsync($"/audit?import={id}&actor=x&account=default");
        await BoxesAsync(("filter-import", $"{id}"), ("filter-actor", "x"), ("filter-account", "default"));
        await page.GetByTestId("filter-actor").FillAsync("y");
        await page.GetByTestId("filter-account").SelectOptionAsync("");
        await page.GetByTestId("filter").ClickAsync();
        await page.ArriveWithAsync("actor=y");
        await BoxesAsync(("filter-actor", "y"), ("filter-account", ""));
        await page.GoBackAsync();
        await BoxesAsync(("filter-import", $"{id}"), ("filter-actor", "x"), ("filter-account", "default"));
        stage.Browser.HasNoErrors();
    }

    [Theory]
    [InlineData(1440)]
    [InlineData(390)]
    public async Task What_was_done_is_told_without_covering_a_button_and_stays_until_it_is_closed(int width)
    {
        await stage.Cincopa.BehaveAsync("""{"importMs":[50,100],"outcomes":[{"outcome":"missing","input":"*/told/*"}]}""");
        var id = await stage.Api.StartAsync(DashboardStage.Manifest("told", "a-1", "b-1"));
        await stage.Api.FinishedAsync(id, RunLimit);
        await page.SetViewportSizeAsync(width, 900);
        await page.GotoAsync($"/imports/{id}");
        await page.GetByTestId("rerun-failed").ClickAsync();
        var told = page.Locator(".mud-snackbar");
        await Expect(told).ToContainTextAsync("2 records will be sent again.");
        await stage.Api.FinishedAsync(id, RunLimit);
        await Expect(page.GetByTestId("rerun-failed")).ToBeEnabledAsync();

        Assert.Empty(await page.EvaluateAsync<string[]>("""
            () => {
              const told = document.querySelector('.mud-snackbar').getBoundingClientRect();
              return [...document.querySelectorAll('button, a, input, select')].filter((e) => !e.closest('.mud-snackbar') && e.offsetParent).filter((e) => {
                const place = e.getBoundingClientRect();
                return place.left < told.right && place.right > told.left && place.top < told.bottom && place.bottom > told.top;
              }).map((e) => e.outerHTML);
            }
            """));
        Assert.Empty(await stage.Browser.ComplaintsAsync(page, "told"));
        await told.Locator("button").ClickAsync();
        await Expect(told).ToHaveCountAsync(0);
        stage.Browser.HasNoErrors();
    }

    private async Task BoxesAsync(params (string Box, string Value)[] wanted)
    {
        foreach (var (box, value) in wanted)
        {
            await Expect(page.GetByTestId(box)).ToBeEnabledAsync();
            await Expect(page.GetByTestId(box)).ToHaveValueAsync(value);
        }
    }

    [Fact]
    public async Task Text_that_no_database_can_hold_searches_for_nothing_and_harms_nothing()
    {
        await stage.Api.UploadAsync(DashboardStage.Manifest("no text", "clip-1"));
        await page.GotoAsync("/");
        var search = page.GetByTestId("search");
        await Expect(search).ToBeEnabledAsync();
        await search.EvaluateAsync(
            "field => { field.value = 'a\\0b'; field.dispatchEvent(new Event('change', { bubbles: true })); field.form.requestSubmit(); }");
        await Expect(page.GetByTestId("no-imports")).ToBeVisibleAsync();
        stage.Browser.HasNoErrors();
    }

    [Theory]
    [InlineData(413, "does not accept a file of this size")]
    [InlineData(502, "is not ready (502)")]
    [InlineData(504, "timed out (504)")]
    public async Task Page_of_a_proxy_is_told_in_plain_words_by_the_upload(int status, string words)
    {
        await page.RouteAsync("**/api/v1/imports*", route =>
            route.FulfillAsync(new() { Status = status, ContentType = "text/html", Body = "<html><h1>nginx</h1></html>" }));
        await page.GotoAsync("/upload");
        // The live page replaces the form; without a click, which no person chooses a file without, the file of the one before is not heard
        // of.
        await Expect(page.Locator("[data-testid=look] button").First).ToBeEnabledAsync();
        await page.Locator("form.upload input[type=file]")
            .SetInputFilesAsync(new FilePayload { Name = "a.csv", MimeType = "text/csv", Buffer = "url\n"u8.ToArray() });
        await page.Locator("form.upload [type=submit]").ClickAsync();
        await Expect(page.Locator("form.upload [data-complaint]")).ToContainTextAsync(words);
        // The browser notes the status, which was meant, and nothing else.
        Assert.Contains($"status of {status}", Assert.ThrowsAny<Exception>(stage.Browser.HasNoErrors).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sources_are_probed_in_the_review_and_what_is_found_stands_among_the_findings()
    {
        // The simulator's control side serves as a web server: something that is no media, and something that is not there.
        var id = await stage.Api.UploadAsync(
            $"url\n{stage.Cincopa.Address}/_sim/assets?probe=1\n{stage.Cincopa.Address}/_sim/probe-missing.mp4\n");
        await page.GotoAsync($"/imports/{id}");
        await page.GetByTestId("probe-all").ClickAsync();
        await Expect(page.GetByTestId("probe-state")).ToHaveTextAsync("2 of 2 files checked. 2 files have a problem.");
        await Expect(page.Locator("[data-testid=finding][data-code=source_is_no_media]")).ToBeVisibleAsync();
        await Expect(page.Locator("[data-testid=finding][data-code=source_missing]")).ToBeVisibleAsync();
        await HasStateAsync("review");
        Assert.Equal(0, await stage.SubmitsAsync("probe"));
        await stage.Api.ActAsync(id, "cancel");
        stage.Browser.HasNoErrors();
    }

    [Fact]
    public async Task Assets_without_their_texts_are_shown_with_the_reason_and_finished_by_a_button()
    {
        await stage.Cincopa.BehaveAsync("""{"importMs":[50,300],"rules":[{"on":"set_meta","fault":"refused"}]}""");
        var id = await stage.Api.StartAsync(DashboardStage.Manifest("texts", "clip-1", "clip-2"));
        await stage.Api.FinishedAsync(id, RunLimit);
        await page.GotoAsync($"/imports/{id}");
        await Expect(page.GetByTestId("unfinished")).ToContainTextAsync("2 imported assets are not finished: texts, tags or a gallery could not be written");
        await Expect(page.GetByTestId("banner-finish")).ToBeEnabledAsync();
        await page.GetByTestId("unfinished").GetByRole(AriaRole.Link).ClickAsync();
        await page.ArriveAtAsync("/records?finish=failed");
        await Expect(page.GetByTestId("filter-finish")).ToContainTextAsync("could not be written");
        await Expect(page.GetByTestId("record")).ToHaveCountAsync(2);
        await page.GetByTestId("record").First.GetByRole(AriaRole.Link).First.ClickAsync();
        await Expect(page.GetByText("invalid input").First).ToBeVisibleAsync();

        await stage.Cincopa.BehaveAsync("""{"importMs":[50,300]}""");
        await page.GotoAsync($"/imports/{id}");
        await page.GetByTestId("banner-finish").ClickAsync();
        await Expect(page.GetByTestId("unfinished")).ToHaveCountAsync(0);
        await page.GotoAsync($"/imports/{id}/records?finish=done");
        await Expect(page.GetByTestId("record")).ToHaveCountAsync(2);
        Assert.Equal(2, await stage.SubmitsAsync("texts"));
        stage.Browser.HasNoErrors();
    }

    [Fact]
    public async Task What_Cincopa_may_not_fetch_is_ordered_to_be_pushed()
    {
        await stage.Cincopa.BehaveAsync("""{"importMs":[50,300],"outcomes":[{"outcome":"forbidden","input":"*/closed/*"}]}""");
        var id = await stage.Api.StartAsync(DashboardStage.Manifest("closed", "clip-1", "clip-2"));
        await stage.Api.FinishedAsync(id, RunLimit);
        await page.GotoAsync($"/imports/{id}");
        await page.GetByTestId("push-code").ClickAsync();
        await Expect(page.GetByText("2 records will be sent again.")).ToBeVisibleAsync();
        await Expect(page.GetByText("2 (state failed, code source_forbidden), uploaded from this server")).ToBeVisibleAsync();
        // Cincopa is not asked to fetch them again; that a push arrives is PushAndFinishTests' to show.
        Assert.Equal(2, await stage.SubmitsAsync("closed"));
        await stage.Api.ActAsync(id, "cancel");
        stage.Browser.HasNoErrors();
    }

    [Fact]
    public async Task Rows_that_only_Cincopa_cannot_fetch_are_ordered_to_be_pushed_at_their_finding()
    {
        await stage.Cincopa.BehaveAsync("""{"importMs":[50,300]}""");
        var id = await stage.Api.StartAsync(DashboardStage.Manifest("far", "clip-1", new string('x', 1_900)));
        await stage.Api.FinishedAsync(id, RunLimit);
        await page.GotoAsync($"/imports/{id}");
        var push = page.Locator("[data-testid=finding][data-code=url_too_long]").GetByTestId("push-finding");
        await push.ClickAsync();
        await Expect(page.GetByText("1 record will be sent again.")).ToBeVisibleAsync();
        await Expect(page.GetByText("1 (state invalid, code url_too_long), uploaded from this server")).ToBeVisibleAsync();
        await Expect(push).ToHaveCountAsync(0);
        await stage.Api.ActAsync(id, "cancel");
        stage.Browser.HasNoErrors();
    }

    [Fact]
    public async Task Everything_is_done_by_the_keyboard_alone_and_the_focus_can_always_be_seen()
    {
        await stage.Cincopa.BehaveAsync("""{"importMs":[50,300],"outcomes":[{"outcome":"missing","input":"*/keys/gone*"}]}""");
        var id = await stage.Api.StartAsync(DashboardStage.Manifest("keys", "clip-1", "gone-1", "gone-2"));
        await stage.Api.FinishedAsync(id, RunLimit);

        // A page begins at its heading, behind the menu; the next keys lead through the page to an import.
        await BeginAsync("/");
        await Expect(page.Locator("h1:focus")).ToHaveTextAsync("Imports");
        await TabToAsync("new-import");
        await TabToAsync("filter-state");
        await TabToAsync("search");
        await TabToAsync("import-row");
        await page.Keyboard.PressAsync("Enter");
        await page.ArriveAtAsync("/imports/*");

        // A dialog takes the focus, keeps it, and goes with Escape.
        await BeginAsync($"/imports/{id}");
        await TabToAsync("export");
        await page.Keyboard.PressAsync("Enter");
        await FocusIsInTheDialogAsync();
        for (var presses = 0; presses < 12; presses++)
        {
            await page.Keyboard.PressAsync("Tab");
            await FocusIsInTheDialogAsync();
        }
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);

        // One of the failed rows is chosen and rerun.
        await BeginAsync($"/imports/{id}/records?state=failed");
        await TabToAsync("choose");
        await page.Keyboard.PressAsync("Space");
        await Expect(page.GetByTestId("chosen")).ToContainTextAsync("1");
        await TabToAsync("rerun-selection", backwards: true);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByTestId("outcome")).ToContainTextAsync("1 record will be sent again");
        await stage.Api.FinishedAsync(id, RunLimit);
        Assert.Equal(4, await stage.SubmitsAsync("keys"));

        // The review: a setting, a question that is answered by Escape, and the start.
        var review = await stage.Api.UploadAsync(DashboardStage.Manifest("more-keys", "clip-1"));
        await BeginAsync($"/imports/{review}");
        await TabToAsync("settings-fold");
        await page.Keyboard.PressAsync("Enter");
        await TabToAsync("set-priority");
        // A field of text, of which the whole is chosen by Tab.
        await page.Keyboard.TypeAsync("1");
        await TabToAsync("cancel", backwards: true);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("Discard this import?");
        await FocusIsInTheDialogAsync();
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
        await HasStateAsync("review");
        await TabToAsync("start");
        await page.Keyboard.PressAsync("Enter");
        await HasStateAsync("finished");
        Assert.Equal("1", (await stage.Api.WholeImportAsync(review)).GetProperty("priority").ToString());

        await BeginAsync("/upload");
        foreach (var field in new[] { "upload-file", "upload-name", "upload-account", "upload-start" }) await TabToAsync(field);
        stage.Browser.HasNoErrors();
    }

    /// <summary>
    /// The browser would otherwise fetch the other page and merge it into the first one, whose live page is on its way and replaces it.
    /// </summary>
    [Fact]
    public async Task A_link_that_is_followed_before_the_page_is_live_leads_to_its_page()
    {
        await page.RouteWebSocketAsync("**/_blazor**", browser =>
        {
            var server = browser.ConnectToServer();
            // In their order, each late.
            var late = Task.CompletedTask;
            server.OnMessage(frame => late = Later(late, () =>
            {
                if (frame.Binary is { } bytes) browser.Send(bytes);
                else browser.Send(frame.Text!);
            }));
        });
        await page.GotoAsync("/", new() { WaitUntil = WaitUntilState.DOMContentLoaded });
        await Task.Delay(1500, TestContext.Current.CancellationToken);
        await page.GetByRole(AriaRole.Link, new() { Name = "Accounts" }).ClickAsync();
        await Expect(page.Locator("[data-testid=look] button").First).ToBeEnabledAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Cincopa accounts");
        await page.ArriveAtAsync("/accounts");

        static async Task Later(Task earlier, Action send)
        {
            await earlier;
            await Task.Delay(400);
            send();
        }
    }

    private async Task TypeAsync(string field, string text)
    {
        await page.GetByTestId(field).FillAsync(text);
        await page.GetByTestId(field).BlurAsync();
    }

    /// <summary>
    /// On something of the dialog itself: the component library turns the focus back at its edges, which takes a trip to the server.
    /// </summary>
    private Task FocusIsInTheDialogAsync() => Expect(page.Locator(".mud-dialog :focus")).ToHaveCountAsync(1);

    private Task HasStateAsync(string state) => Expect(page.GetByTestId("import-state").First).ToHaveAttributeAsync("data-state", state);

    /// <summary>
    /// Opens a page and waits until its heading has the focus. The live page gives it that when it has taken the first drawing's place; a key
    /// that is pressed before leads elsewhere.
    /// </summary>
    private async Task BeginAsync(string address)
    {
        await page.GotoAsync(address);
        await Expect(page.Locator("h1:focus")).ToHaveCountAsync(1);
    }

    /// <summary>Presses Tab until the focus is on it or in it, where a person can see it.</summary>
    private async Task TabToAsync(string testId, bool backwards = false)
    {
        await Expect(page.GetByTestId(testId).First).ToBeEnabledAsync();
        for (var presses = 0; presses < 80; presses++)
        {
            await page.Keyboard.PressAsync(backwards ? "Shift+Tab" : "Tab");
            if (!await page.EvaluateAsync<bool>("id => document.activeElement.closest(`[data-testid=${id}]`) !== null", testId)) continue;
            Assert.True(await page.EvaluateAsync<bool>("""
                () => {
                  const isMarked = (element) => {
                    const style = getComputedStyle(element);
                    return style.opacity !== '0' && ((style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none');
                  };
                  const focused = document.activeElement;
                  return focused.matches(':focus-visible') && (isMarked(focused) || isMarked(focused.parentElement));
                }
                """), $"The focus on {testId} cannot be seen.");
            return;
        }
        Assert.Fail($"No Tab leads to {testId}.");
    }
}
