using System.IO.Compression;
using System.Text;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace BulkImporter.EndToEndTests;

/// <summary>From a file to a started import: what is wrong is told, shown, and cured on the page itself.</summary>
public sealed class ReviewTests(DashboardStage stage) : IClassFixture<DashboardStage>, IAsyncLifetime
{
    private static readonly TimeSpan RunLimit = TimeSpan.FromMinutes(3);

    private IPage page = null!;

    public async ValueTask InitializeAsync() => page = await stage.OpenAsync();

    public async ValueTask DisposeAsync()
    {
        stage.ShowFailure();
        await page.Context.CloseAsync();
    }

    /// <summary>The forms in which a page is walked.</summary>
    public static TheoryData<bool, int> Forms() => new() { { false, 1440 }, { true, 1440 }, { false, 390 }, { true, 390 } };

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task A_wrong_file_is_told_for_what_it_is_and_leaves_no_import(bool isDark, int width)
    {
        await OpenAsync(isDark, width);
        var before = (await stage.Api.ImportsAsync()).Count;
        await OpenUploadAsync();
        (string Name, string Content, string Told)[] wrong =
        [
            ("films.xlsx", "PK\u0003\u0004\u0014\0\u0006\0", "This is a zip archive or another document in one, not an Excel workbook (.xlsx)."),
            ("films.json", "[{\"url\": \"https://media.example.com/1.mp4\"}]", "This is JSON, but not JSON lines"),
            ("films.csv", "<!DOCTYPE html>\n<html><body>Sign in</body></html>", "This is a web page (HTML), not CSV"),
            ("films.txt", "%PDF-1.7\n", "This is a PDF"),
        ];
        foreach (var (name, content, told) in wrong)
        {
            await ChooseAsync(name, "text/plain", content);
            await Expect(page.GetByTestId("upload-kind")).ToBeEmptyAsync();
            await page.GetByTestId("upload-submit").ClickAsync();
            await Expect(page.GetByTestId("upload-error")).ToContainTextAsync(told);
        }
        // A picture or a PDF can be what somebody wants in Cincopa: then it is said that the file itself is meant.
        await ChooseAsync("poster.png", "image/png", "\u0089PNG\r\n");
        await Expect(page.GetByTestId("upload-kind")).ToContainTextAsync("This file itself is uploaded and becomes one asset.");
        await ChooseAsync("list.pdf", "application/pdf", "%PDF-1.7\n");
        await Expect(page.GetByTestId("upload-kind")).ToContainTextAsync("To import from a list of URLs, choose a CSV or a workbook.");
        await Expect(page.GetByTestId("upload-error")).ToBeHiddenAsync();
        await LooksWellAsync("upload, wrong file");
        Assert.Equal(before, (await stage.Api.ImportsAsync()).Count);
        RefusalsOnly();
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task A_review_begins_with_what_was_found_and_each_finding_has_its_rows_and_its_cure(bool isDark, int width)
    {
        await OpenAsync(isDark, width);
        var id = await ReviewAsync("""
            url,title,shelf,empty
            https://media.example.com/found/1.mp4,One,A,
            ,Two,A,
            ,Three,B,
            https://media.example.com/found/1.mp4,Four,,
            https://media.example.com/found/1.mp4,Five,,
            """);
        await page.GotoAsync($"/imports/{id}");
        await Expect(Finding("url_missing")).ToContainTextAsync("2 rows have no URL.");
        await Expect(Finding("duplicate_url")).ToContainTextAsync("2 rows have the URL of an earlier row.");
        // What was found comes first, then the columns, then the settings.
        var (found, columns, settings) = (await TopAsync("findings"), await TopAsync("columns"), await TopAsync("settings-fold"));
        Assert.True(found < columns && columns < settings, $"{found} {columns} {settings}");

        // The columns: used as, three values, how full; also those that nothing is read from.
        await Expect(page.GetByTestId("column")).ToHaveCountAsync(4);
        await Expect(Column("title")).ToContainTextAsync("One");
        await Expect(Column("title").Locator("select")).ToHaveValueAsync("caption");
        await Expect(Column("title").Locator(".samples span")).ToHaveCountAsync(3);
        await Expect(Column("url")).ToContainTextAsync("60 %");
        await Expect(Column("shelf").Locator("select")).ToHaveValueAsync("");
        await Expect(Column("shelf")).ToContainTextAsync("60 %");
        await Expect(Column("empty")).ToContainTextAsync("0 %");
        await Expect(page.GetByTestId("settings-text")).ToHaveTextAsync("Account default. Everything else is as usual.");
        await Expect(page.GetByTestId("set-priority")).ToBeHiddenAsync();
        await LooksWellAsync("review");
        await page.GetByTestId("settings-fold").Locator("summary").ClickAsync();
        await page.GetByTestId("set-priority").FillAsync("4");
        await page.GetByTestId("set-priority").BlurAsync();
        await Expect(page.GetByTestId("settings-text")).ToHaveTextAsync("Account default. Priority: 4.");

        // Every member of a group of duplicates can be reached, the first one too.
        await Finding("duplicate_url").GetByTestId("show-rows").ClickAsync();
        await page.ArriveAtAsync("/fix?code=duplicate_url");
        await Expect(page.GetByTestId("fix-row")).ToHaveCountAsync(2);
        await Expect(Row(4)).ToContainTextAsync("like row 1");
        await Row(5).GetByRole(AriaRole.Link, new() { Name = "row 1" }).ClickAsync();
        await page.ArriveAtAsync("/records/1");
        await Expect(page.GetByTestId("like")).ToHaveTextAsync("row 4 row 5");
        await page.GetByTestId("like").GetByRole(AriaRole.Link, new() { Name = "row 4" }).ClickAsync();
        await Expect(page.GetByTestId("like")).ToHaveTextAsync("row 1 row 5");
        await page.GotoAsync($"/imports/{id}");
        await Finding("duplicate_url").GetByTestId("cure").ClickAsync();
        await Expect(page.GetByTestId("count-pending")).ToHaveTextAsync("3");
        await Expect(Finding("duplicate_url")).ToHaveCountAsync(0);
        await Expect(page.GetByTestId("settings-text")).ToContainTextAsync("Rows with the same URL: Import all of them.");
        await stage.Api.ActAsync(id, "cancel");
        stage.Browser.HasNoErrors();
    }

    [Fact]
    public async Task Share_links_that_were_made_direct_are_told_by_host_and_left_as_written_by_a_button()
    {
        await OpenAsync(false, 1280);
        var id = await ReviewAsync("""
            url,title
            https://drive.google.com/file/d/1AbC/view?usp=sharing,One
            https://www.dropbox.com/s/abc/clip.mp4?dl=0,Two
            https://drive.google.com/file/d/2DeF/view,Three
            """);
        await page.GotoAsync($"/imports/{id}");
        await Expect(Finding("url_made_direct")).ToContainTextAsync("3 links of 2 hosts were made direct.");
        var hosts = page.GetByTestId("direct-hosts").Locator("li");
        await Expect(hosts.First).ToContainTextAsync(
            "https://drive.google.com/file/d/1AbC/view?usp=sharing → https://drive.google.com/uc?export=download&id=1AbC");
        await LooksWellAsync("share links");
        await hosts.First.GetByTestId("keep-links").ClickAsync();
        await Expect(Finding("url_share_page")).ToContainTextAsync("2 rows have the URL of a share page.");
        await Expect(Finding("url_made_direct")).ToContainTextAsync("1 link of 1 host was made direct.");
        await Expect(page.GetByTestId("settings-text")).ToContainTextAsync("Leave links as written: drive.google.com.");
        await stage.Api.ActAsync(id, "cancel");
        stage.Browser.HasNoErrors();
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Of_a_workbook_with_two_sheets_one_is_chosen_in_the_review_and_its_results_are_a_workbook(bool isDark, int width)
    {
        await OpenAsync(isDark, width);
        await OpenUploadAsync();
        await Expect(page.GetByText("one list of them, as .csv, .tsv, .xlsx or .jsonl")).ToBeVisibleAsync();
        await LooksWellAsync("upload, formats");
        await page.GetByTestId("upload-file").SetInputFilesAsync(new FilePayload
        {
            Name = "catalogue.xlsx",
            MimeType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Buffer = Workbook(("Read me", [["Ask Ada what is in here"]]),
                ("Videos", [["url", "title"], [$"https://media.example.com/sheets-{width}-{isDark}/1.mp4", "One"]])),
        });
        await Expect(page.GetByTestId("upload-kind")).ToBeEmptyAsync();
        await page.GetByTestId("upload-submit").ClickAsync();
        await page.ArriveAtAsync("/imports/*");
        await HasStateAsync("rejected");
        await Expect(page.GetByTestId("reason")).ToContainTextAsync("The sheets with rows are: Read me, Videos.");
        await Expect(page.GetByTestId("sheet")).ToBeEnabledAsync();
        await LooksWellAsync("which sheet");
        await page.GetByTestId("sheet").SelectOptionAsync("Videos");
        await HasStateAsync("review");
        await Expect(Column("title")).ToContainTextAsync("One");
        await Expect(page.GetByTestId("sheet")).ToHaveValueAsync("Videos");
        await Expect(page.GetByTestId("count-pending")).ToHaveTextAsync("1");
        await LooksWellAsync("a sheet was chosen");

        var id = int.Parse(page.Url[(page.Url.LastIndexOf('/') + 1)..], System.Globalization.CultureInfo.InvariantCulture);
        var answer = await page.APIRequest.GetAsync(new Uri(new Uri(page.Url), $"/api/v1/imports/{id}/results").ToString());
        Assert.Contains("catalogue-results.xlsx", answer.Headers["content-disposition"], StringComparison.Ordinal);
        using var results = new ZipArchive(new MemoryStream(await answer.BodyAsync()));
        using var sheet = new StreamReader(results.GetEntry("xl/worksheets/sheet1.xml")!.Open());
        Assert.Contains(">One</t>", await sheet.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await stage.Api.ActAsync(id, "cancel");
        stage.Browser.HasNoErrors();
    }

    [Fact]
    public async Task A_file_in_another_encoding_is_read_by_a_button_in_the_red_box()
    {
        await OpenUploadAsync();
        await page.GetByTestId("upload-file").SetInputFilesAsync(new FilePayload
        {
            Name = "cafe.csv",
            MimeType = "text/csv",
            Buffer = Encoding.Latin1.GetBytes("url,caption\nhttps://media.example.com/western/1.mp4,Caf\u00e9\n"),
        });
        await page.GetByTestId("upload-submit").ClickAsync();
        await page.ArriveAtAsync("/imports/*");
        await HasStateAsync("rejected");
        await LooksWellAsync("wrong encoding");
        await page.GetByTestId("read-as").ClickAsync();
        await HasStateAsync("review");
        await Expect(page.GetByTestId("read-as")).ToHaveCountAsync(0);
        await Expect(Column("caption")).ToContainTextAsync("Café");
        await page.GetByTestId("cancel").ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Discard" }).ClickAsync();
        await HasStateAsync("cancelled");
        stage.Browser.HasNoErrors();
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Invalid_rows_are_corrected_in_the_grid_of_the_review(bool isDark, int width)
    {
        await OpenAsync(isDark, width);
        var folder = $"grid-{width}-{isDark}";
        var rows = Enumerable.Range(1, 9).Select(n => n <= 3 ? $",Clip {n}\n" : $"media.example.com/{folder}/{n}.mp4,Clip {n}\n");
        var id = await ReviewAsync($"url,caption\nhttps://media.example.com/{folder}/10.mp4,Ten\n" + string.Concat(rows));
        await page.GotoAsync($"/imports/{id}");
        await Finding("url_not_absolute").GetByTestId("show-rows").ClickAsync();
        await Expect(page.GetByTestId("fix-row")).ToHaveCountAsync(6);

        // All at once, with a preview of what it does.
        await page.GetByTestId("find").FillAsync("media.example.com/");
        await page.GetByTestId("replacement").FillAsync("https://media.example.com/");
        await Expect(page.GetByTestId("matches")).ToContainTextAsync("Matches 6 rows");
        await Expect(page.GetByTestId("matches")).ToContainTextAsync($"https://media.example.com/{folder}/4.mp4");
        await page.GetByTestId("replace").ClickAsync();
        await Expect(page.GetByTestId("fix-good")).ToHaveCountAsync(6);
        await LooksWellAsync("grid");
        // What is typed is judged while it is typed.
        await Field(5, "url").FillAsync($"https://media.example.com/{folder}/10.mp4");
        await Expect(Row(5).GetByTestId("fix-wrong")).ToHaveTextAsync("Row 1 has this address.");
        await Field(5, "url").FillAsync("https://youtu.be/abc");
        await Expect(Row(5).GetByTestId("fix-wrong")).ToContainTextAsync("This is a watch page");
        await Expect(page.GetByTestId("fix-state")).ToContainTextAsync("1 row still has a problem");
        await LooksWellAsync("grid with a problem");
        await Field(5, "url").FillAsync($"https://media.example.com/{folder}/4.mp4");
        await Expect(Row(5).GetByTestId("fix-good")).ToBeVisibleAsync();
        await page.GetByTestId("fix-save").ClickAsync();
        await Expect(page.GetByTestId("fix-report")).ToContainTextAsync("6 rows were corrected.");
        await page.GetByTestId("fix-back").ClickAsync();
        await Expect(page.GetByTestId("count-pending")).ToHaveTextAsync("7");

        // The others from a spreadsheet: two columns of three rows.
        await Finding("url_missing").GetByTestId("show-rows").ClickAsync();
        await Expect(page.GetByTestId("fix-row")).ToHaveCountAsync(3);
        await PasteAsync(Field(2, "url"),
            $"https://media.example.com/{folder}/1.mp4\tOne\nhttps://media.example.com/{folder}/2.mp4\t\"Two, \"\"again\"\"\"\nhttps://media.example.com/{folder}/3.mp4\t\n");
        await Expect(Field(4, "url")).ToHaveValueAsync($"https://media.example.com/{folder}/3.mp4");
        await Expect(Field(3, "caption")).ToHaveValueAsync("Two, \"again\"");
        await Expect(page.GetByTestId("fix-good")).ToHaveCountAsync(3);
        // The keyboard goes from row to row.
        await Field(2, "caption").FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(Field(3, "caption")).ToBeFocusedAsync();
        await page.GetByTestId("fix-save").ClickAsync();
        await page.GetByTestId("fix-back").ClickAsync();
        await Expect(page.GetByTestId("count-pending")).ToHaveTextAsync("10");
        await Expect(page.GetByText("No problem was found.")).ToBeVisibleAsync();
        await Expect(page.Locator("[data-testid=deed][data-action=records_corrected]")).ToHaveCountAsync(2);

        await page.GetByTestId("start").ClickAsync();
        await HasStateAsync("finished");
        await Expect(page.GetByTestId("count-imported")).ToHaveTextAsync("10");
        Assert.Equal(10, await stage.SubmitsAsync(folder));
        stage.Browser.HasNoErrors();
    }

    [Fact]
    public async Task Failed_rows_are_corrected_in_the_grid_and_one_on_its_own_page_and_only_they_are_sent_again()
    {
        await stage.Cincopa.BehaveAsync("""{"importMs":[50,300],"outcomes":[{"outcome":"missing","input":"*/refix/gone*"}]}""");
        var id = await stage.Api.StartAsync(DashboardStage.Manifest("refix", ["clip-0", .. Enumerable.Range(1, 60).Select(n => $"gone-{n}")]));
        await stage.Api.FinishedAsync(id, RunLimit);
        await page.GotoAsync($"/imports/{id}");
        await page.GetByTestId("correct").ClickAsync();
        // More rows than a page shows: what is found and replaced are all of them.
        await Expect(page.GetByTestId("fix-row")).ToHaveCountAsync(50);
        await page.GetByTestId("fix-next").ClickAsync();
        await Expect(page.GetByTestId("fix-row")).ToHaveCountAsync(10);
        await page.GetByTestId("find").FillAsync("gone-");
        await page.GetByTestId("replacement").FillAsync("there-");
        await Expect(page.GetByTestId("matches")).ToContainTextAsync("Matches 60 rows");
        await page.GetByTestId("replace").ClickAsync();
        await Expect(page.GetByTestId("fix-state")).ToHaveTextAsync("60 rows changed.");
        await page.GetByTestId("fix-undo").ClickAsync();
        await Expect(page.GetByTestId("fix-save")).ToBeDisabledAsync();
        await page.GetByTestId("find").FillAsync("gone-1");
        await page.GetByTestId("replacement").FillAsync("there-1");
        await Expect(page.GetByTestId("matches")).ToContainTextAsync("Matches 11 rows");
        await page.GetByTestId("replace").ClickAsync();
        await page.GetByTestId("fix-save").ClickAsync();
        await Expect(page.GetByTestId("fix-report")).ToContainTextAsync("11 rows were corrected and will be sent again.");
        await page.GetByTestId("fix-back").ClickAsync();
        await Expect(page.GetByTestId("count-imported")).ToHaveTextAsync("12");
        await HasStateAsync("finished");

        // A record's page edits its own row.
        await page.GotoAsync($"/imports/{id}/records/3");
        await Expect(page.GetByTestId("find")).ToHaveCountAsync(0);
        await Field(3, "url").FillAsync("https://media.example.com/refix/there-2.mp4");
        await Expect(page.GetByTestId("fix-good")).ToBeVisibleAsync();
        await page.GetByTestId("fix-save").ClickAsync();
        await Expect(page.GetByText("The asset exists in Cincopa.")).ToBeVisibleAsync();
        await Expect(page.GetByTestId("fix")).ToHaveCountAsync(0);
        Assert.Equal(61 + 11 + 1, await stage.SubmitsAsync("refix"));
        stage.Browser.HasNoErrors();
    }

    [Fact]
    public async Task A_viewer_sees_the_rows_of_a_finding_and_changes_nothing()
    {
        var id = await ReviewAsync("url,caption\nmedia.example.com/viewed.mp4,One\n");
        using var viewer = new ImporterApi(stage.Api.Address, await stage.Api.MakeKeyAsync("viewer"));
        var seen = await stage.Browser.OpenAsync(viewer);
        await seen.GotoAsync($"/imports/{id}");
        await seen.GetByTestId("show-rows").ClickAsync();
        await Expect(seen.Locator("input[data-column=url]")).ToHaveValueAsync("media.example.com/viewed.mp4");
        await Expect(seen.Locator("input[data-column=url]")).ToBeDisabledAsync();
        await Expect(seen.Locator("[data-testid=fix-save],[data-testid=find],[data-testid=cure],[data-testid=start-first]")).ToHaveCountAsync(0);
        await seen.Context.CloseAsync();
        await stage.Api.ActAsync(id, "cancel");
        stage.Browser.HasNoErrors();
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task The_first_records_are_sent_and_then_the_rest(bool isDark, int width)
    {
        await OpenAsync(isDark, width);
        var folder = $"trial-{width}-{isDark}";
        var id = await ReviewAsync(DashboardStage.Manifest(folder, DashboardStage.Clips(40)));
        await page.GotoAsync($"/imports/{id}");
        await page.GetByTestId("first").FillAsync("3");
        await LooksWellAsync("before the trial");
        await page.GetByTestId("start-first").ClickAsync();
        await HasStateAsync("paused");
        await Expect(page.GetByTestId("reason")).ToContainTextAsync("The first 3 records have ended.");
        await Expect(page.GetByTestId("count-imported")).ToHaveTextAsync("3");
        await Expect(page.GetByTestId("count-pending")).ToHaveTextAsync("37");
        Assert.Equal(3, await stage.SubmitsAsync(folder));
        await LooksWellAsync("after the trial");
        await Expect(page.GetByTestId("resume")).ToHaveTextAsync("All good, send the rest (37)");
        await page.GetByTestId("resume").ClickAsync();
        await HasStateAsync("finished");
        await Expect(page.GetByTestId("count-imported")).ToHaveTextAsync("40");
        Assert.Equal(40, await stage.SubmitsAsync(folder));
        stage.Browser.HasNoErrors();
    }

    /// <summary>A window in another form, in place of the one that was opened.</summary>
    private async Task OpenAsync(bool isDark, int width)
    {
        await page.Context.CloseAsync();
        page = await stage.Browser.OpenAsync(stage.Api, isDark, width);
    }

    private async Task<int> ReviewAsync(string manifest)
    {
        var id = await stage.Api.UploadAsync(manifest);
        await stage.Api.UntilAsync(id, i => i.State == "review", RunLimit);
        return id;
    }

    private ILocator Finding(string code) => page.Locator($"[data-testid=finding][data-code={code}]");

    private ILocator Column(string name) => page.Locator($"[data-testid=column][data-column={name}]");

    private ILocator Row(int number) => page.Locator($"[data-testid=fix-row][data-row='{number}']");

    private ILocator Field(int number, string column) => Row(number).Locator($"input[data-column={column}]");

    /// <summary>Until the page is alive: a field that is replaced while a test fills it is no person's.</summary>
    private async Task OpenUploadAsync()
    {
        await page.GotoAsync("/upload");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Light or dark" })).ToBeEnabledAsync();
    }

    /// <summary>A workbook of texts, with as little in it as one can have.</summary>
    private static byte[] Workbook(params (string Name, string[][] Rows)[] sheets)
    {
        const string main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        const string relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        using var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create))
        {
            Add("[Content_Types].xml", "<Types/>");
            Add("xl/workbook.xml", $"<workbook xmlns=\"{main}\" xmlns:r=\"{relations}\"><sheets>"
                + string.Concat(sheets.Select((s, i) => $"<sheet name=\"{s.Name}\" sheetId=\"{i + 1}\" r:id=\"r{i}\"/>")) + "</sheets></workbook>");
            Add("xl/_rels/workbook.xml.rels", "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
                + string.Concat(sheets.Select((_, i) => $"<Relationship Id=\"r{i}\" Type=\"{relations}/worksheet\" Target=\"sheet{i}.xml\"/>"))
                + "</Relationships>");
            foreach (var (sheet, number) in sheets.Select((s, i) => (s, i)))
            {
                Add($"xl/sheet{number}.xml", $"<worksheet xmlns=\"{main}\"><sheetData>" + string.Concat(sheet.Rows.Select(row =>
                    $"<row>{string.Concat(row.Select(cell => $"<c t=\"inlineStr\"><is><t>{cell}</t></is></c>"))}</row>"))
                    + "</sheetData></worksheet>");
            }

            void Add(string name, string text)
            {
                using var part = zip.CreateEntry(name).Open();
                part.Write(Encoding.UTF8.GetBytes(text));
            }
        }

        return file.ToArray();
    }

    private Task ChooseAsync(string name, string type, string content) => page.GetByTestId("upload-file")
        .SetInputFilesAsync(new FilePayload { Name = name, MimeType = type, Buffer = Encoding.Latin1.GetBytes(content) });

    /// <summary>As from a spreadsheet's clipboard.</summary>
    private static async Task PasteAsync(ILocator field, string text) => await field.EvaluateAsync("""
        (field, text) => {
            const data = new DataTransfer();
            data.setData('text/plain', text);
            field.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
        }
        """, text);

    private async Task<double> TopAsync(string testId) => (await page.GetByTestId(testId).BoundingBoxAsync())!.Y;

    private Task HasStateAsync(string state) => Expect(page.GetByTestId("import-state").First).ToHaveAttributeAsync("data-state", state);

    /// <summary>Nothing for axe to complain of, and nothing wider than the window. A picture of it, for a person who wants one.</summary>
    private async Task LooksWellAsync(string name)
    {
        var width = page.ViewportSize!.Width;
        if (Environment.GetEnvironmentVariable("BULKIMPORTER_SCREENSHOTS") is { Length: > 0 } folder)
        {
            var isDark = await page.EvaluateAsync<bool>("matchMedia('(prefers-color-scheme: dark)').matches");
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}-{width}-{(isDark ? "dark" : "light")}.png"), FullPage = true });
        }
        var complaints = await stage.Browser.ComplaintsAsync(page, name);
        Assert.True(complaints.Count == 0, string.Join('\n', complaints));
        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"), $"{name} is wider than its window.");
    }

    /// <summary>The browser notes the status of each refusal, which was meant, and nothing else.</summary>
    private void RefusalsOnly() => Assert.All(Assert.ThrowsAny<Exception>(stage.Browser.HasNoErrors).Message.Split('\n')
        .Where(line => line.Contains("error", StringComparison.OrdinalIgnoreCase)),
        line => Assert.Contains("status of 400", line, StringComparison.Ordinal));
}
