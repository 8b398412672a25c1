using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace BulkImporter.EndToEndTests;

/// <summary>
/// Accounts, people and keys in a real browser: from the setup link that the first start prints to a session that an admin ends. All of it
/// below a path of another site, which nothing else plays.
/// </summary>
public sealed partial class PeopleTests : IAsyncDisposable
{
    private const string Password = "correct horse battery";

    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Theory]
    [InlineData("key revoked")]
    [InlineData("session ended")]
    public async Task A_page_that_stays_open_gives_no_order_after_its_key_or_session_was_ended_elsewhere(string what)
    {
        var (_, api) = await stage.ServeAsync(await stage.StartSimulatorAsync(), []);
        using var own = stage.Kept(new ImporterApi(api.Address, await api.MakeKeyAsync("admin")));
        await using var browser = await OperatorBrowser.LaunchAsync();
        var admin = await browser.OpenAsync(own);
        await admin.GotoAsync(api.Address + "/keys");
        await admin.GetByTestId("new-key").ClickAsync();
        await Expect(admin.GetByTestId("new-name")).ToBeFocusedAsync();
        await admin.GetByTestId("new-name").FillAsync("by nobody");

        if (what == "key revoked")
        {
            await api.RevokeKeyAsync((await api.KeysAsync()).Single(k => k.Name == "test admin").Id);
        }
        else
        {
            var colleague = await browser.OpenAsync(api);
            await colleague.GotoAsync(api.Address + "/people");
            await colleague.Locator("tr", new() { HasText = "test admin" }).GetByTestId("end-session").ClickAsync();
            await Expect(colleague.Locator("tr", new() { HasText = "test admin" }).GetByTestId("end-session")).ToHaveCountAsync(0);
        }
        // The live connection stands: the page has not asked for anything since.
        await admin.GetByTestId("make-key").ClickAsync();

        await Expect(admin).ToHaveURLAsync(new Regex("/sign-in"));
        await Expect(admin.Locator("button[type=submit]").First).ToBeVisibleAsync();
        Assert.DoesNotContain(await api.KeysAsync(), k => k.Name == "by nobody");
    }

    [Fact]
    public async Task First_admin_sets_up_an_account_a_key_and_a_colleague_and_the_colleagues_open_page_ends_with_the_lock()
    {
        var cincopa = await stage.StartSimulatorAsync();
        var (server, api) = await stage.ServeAsync(cincopa, [], below: "/media/import");
        await using var browser = await OperatorBrowser.LaunchAsync();
        var admin = await browser.OpenAsync(api.Address);
        var complaints = new List<string>();

        await admin.GotoAsync(SetupLink().Match(server.Log).Groups[1].Value);
        await LookAsync(admin, "setup");
        await admin.FillAsync("#name", "root");
        await ChoosePasswordAsync(admin);
        await Expect(admin).ToHaveURLAsync(api.Address + "/");

        // Invite, and open the link as somebody else.
        await admin.GotoAsync(api.Address + "/people");
        await admin.GetByTestId("invite").ClickAsync();
        await Expect(admin.GetByTestId("new-name")).ToBeFocusedAsync();
        await admin.GetByTestId("new-name").FillAsync("vera");
        await admin.GetByTestId("new-role").SelectOptionAsync("Viewer");
        await LookAsync(admin, "invite");
        await admin.GetByTestId("make-link").ClickAsync();
        var link = await admin.GetByTestId("secret").InputValueAsync();
        var colleague = await browser.OpenAsync(api.Address);
        await colleague.GotoAsync(link);
        await LookAsync(colleague, "welcome");
        await ChoosePasswordAsync(colleague);
        await Expect(colleague).ToHaveURLAsync(api.Address + "/");
        await colleague.GotoAsync(api.Address + "/accounts");
        await Expect(colleague.GetByTestId("account")).ToHaveCountAsync(1);
        await Expect(colleague.GetByTestId("check-account")).ToHaveCountAsync(0);
        // Asked for beside the page: Chromium writes a refused page on its console.
        Assert.Equal(403, (await colleague.APIRequest.GetAsync(api.Address + "/people")).Status);
        await colleague.GotoAsync(api.Address + "/accounts");

        // An account: check, limits, a second one.
        await admin.GotoAsync(api.Address + "/accounts");
        await admin.GetByTestId("change-limits").ClickAsync();
        await LookAsync(admin, "limits");
        await admin.GetByTestId("limit-maxInFlight").FillAsync("7");
        await admin.GetByTestId("save").ClickAsync();
        await Expect(admin.GetByTestId("calls")).ToContainTextAsync("at most 7");
        await Expect(colleague.GetByTestId("calls")).ToContainTextAsync("at most 7");
        await Expect(admin.GetByTestId("verb")).ToContainTextAsync("GET (auto)");
        await admin.GetByTestId("change-limits").ClickAsync();
        await admin.GetByTestId("submit-verb").SelectOptionAsync("POST");
        await admin.GetByTestId("save").ClickAsync();
        await Expect(colleague.GetByTestId("verb")).ToHaveTextAsync(new Regex("POST$"));
        await admin.GetByTestId("check-account").ClickAsync();
        await Expect(admin.GetByTestId("check-result")).ToContainTextAsync("asset.*");

        // A header for its sources, whose value is not seen again.
        await admin.GetByTestId("add-header").ClickAsync();
        await admin.GetByTestId("header-host").FillAsync("https://media.example.com/");
        await admin.GetByTestId("header-name").FillAsync("Authorization");
        await admin.GetByTestId("header-value").FillAsync("Bearer 0pen5esame");
        await admin.GetByTestId("save").ClickAsync();
        await Expect(admin.GetByTestId("complaint")).ToContainTextAsync("Write media.example.com for https");
        await LookAsync(admin, "source header");
        await admin.GetByTestId("header-host").FillAsync("media.example.com");
        await admin.GetByTestId("save").ClickAsync();
        await Expect(admin.GetByTestId("source-headers")).ToContainTextAsync("authorization for media.example.com");
        await admin.ReloadAsync();
        await Expect(admin.GetByTestId("source-headers")).ToContainTextAsync("authorization for media.example.com");
        Assert.DoesNotContain("0pen5esame", await admin.ContentAsync());
        await admin.GetByTestId("header-remove").ClickAsync();
        await Expect(admin.GetByTestId("source-headers")).ToHaveCountAsync(0);

        await admin.GetByTestId("add-account").ClickAsync();
        await Expect(admin.GetByTestId("new-name")).ToBeFocusedAsync();
        await admin.GetByTestId("new-name").FillAsync("museum");
        await LookAsync(admin, "new account");
        await admin.GetByTestId("new-url").FillAsync(cincopa.ApiAddress);
        await cincopa.TokenAsync("1000002iwrong", 401);
        await admin.GetByTestId("new-token").FillAsync("1000002iwrong");
        await admin.GetByTestId("save-account").ClickAsync();
        await Expect(admin.GetByTestId("complaint")).ToContainTextAsync("Nothing was saved, because Cincopa did not confirm the token");
        await Expect(admin.GetByTestId("save-anyway")).ToBeVisibleAsync();
        await LookAsync(admin, "token not confirmed");
        await Expect(admin.GetByTestId("account")).ToHaveCountAsync(1);
        await cincopa.TokenAsync("1000002imuseum");
        await admin.GetByTestId("new-token").FillAsync("1000002imuseum");
        await admin.GetByTestId("save-account").ClickAsync();
        await Expect(admin.GetByTestId("account")).ToHaveCountAsync(2);
        await Expect(admin.GetByTestId("added")).ToContainTextAsync("museum is Cincopa account");

        // A key, shown once.
        await admin.GotoAsync(api.Address + "/keys");
        await admin.GetByTestId("new-key").ClickAsync();
        await admin.GetByTestId("new-name").FillAsync("nightly");
        await admin.GetByTestId("make-key").ClickAsync();
        var key = await admin.GetByTestId("secret").InputValueAsync();
        await LookAsync(admin, "key, shown once");
        using (var nightly = new ImporterApi(api.Address, key)) Assert.Empty(await nightly.ImportsAsync());
        await admin.ReloadAsync();
        Assert.DoesNotContain(key, await admin.ContentAsync());

        // A lock ends the colleague's open page, which sends no request by itself.
        await admin.GotoAsync(api.Address + "/people");
        await ChooseAsync(admin, "vera", "Lock");
        await Expect(admin.Locator("[data-person=vera] [data-testid=user-state]")).ToHaveTextAsync("locked");
        await Expect(colleague).ToHaveURLAsync(new Regex("/sign-in"));

        // The last admin stays.
        await ChooseAsync(admin, "root", "Remove");
        await Expect(admin.GetByText("last admin who can sign in")).ToBeVisibleAsync();

        await admin.GotoAsync(api.Address + "/audit?actor=root&account=museum");
        await Expect(admin.GetByTestId("entry")).ToHaveCountAsync(1);
        await admin.GotoAsync(api.Address + "/me");
        await Expect(admin.GetByTestId("me")).ToContainTextAsync("root");
        foreach (var path in new[] { "/change-password", "/problem/403", "/problem/404", "/problem/500" })
        {
            await admin.GotoAsync(api.Address + path);
            await Expect(admin.Locator("h1")).ToBeVisibleAsync();
            await LookAsync(admin, path);
        }
        await admin.GotoAsync(api.Address + "/me");
        await admin.GetByTestId("sign-out-everywhere").ClickAsync();
        await InDialog(admin, "Sign out everywhere").ClickAsync();
        await Expect(admin).ToHaveURLAsync(api.Address + "/sign-in");
        await admin.FillAsync("#name", "root");
        await admin.FillAsync("#password", Password);
        await admin.ClickAsync("button[type=submit]");
        await Expect(admin).ToHaveURLAsync(api.Address + "/");

        // From a file to its import, to the jobs, and back.
        await admin.GotoAsync(api.Address + "/upload");
        await Expect(admin.GetByRole(AriaRole.Button, new() { Name = "Signed in" })).ToBeEnabledAsync();
        await admin.GetByTestId("upload-file")
            .SetInputFilesAsync(new FilePayload
            { Name = "one.csv", MimeType = "text/csv", Buffer = "url\nhttps://media.example.com/one.mp4\n"u8.ToArray() });
        await admin.GetByTestId("upload-submit").ClickAsync();
        await Expect(admin).ToHaveURLAsync(api.Address + "/imports/1");
        await admin.GetByTestId("jobs-link").ClickAsync();
        await Expect(admin).ToHaveURLAsync(api.Address + "/hangfire");
        await admin.GotoAsync(api.Address + "/hangfire/imports");
        await admin.Locator("#import-1").ClickAsync();
        await Expect(admin).ToHaveURLAsync(api.Address + "/imports/1");
        Assert.True(complaints.Count == 0, string.Join('\n', complaints));
        browser.HasNoErrors();

        // Pages and forms that no import brings up, judged as the others are (DashboardTests).
        async Task LookAsync(IPage page, string name) => complaints.AddRange(await browser.ComplaintsAsync(page, name));
    }

    private static async Task ChoosePasswordAsync(IPage page)
    {
        await page.FillAsync("#password", Password);
        await page.FillAsync("#again", Password);
        await page.ClickAsync("button[type=submit]");
    }

    /// <summary>
    /// Opens the menu of a person, chooses, and confirms. Each is one click, as a person makes it: what does not hear yet is disabled, and
    /// Playwright waits until it is not. A second click would close the menu again, under the choice.
    /// </summary>
    private static async Task ChooseAsync(IPage page, string person, string item)
    {
        await page.Locator($"[data-person={person}]").GetByRole(AriaRole.Button).ClickAsync();
        await page.GetByRole(AriaRole.Menuitem, new() { Name = item, Exact = true }).ClickAsync();
        await InDialog(page, item).ClickAsync();
    }

    private static ILocator InDialog(IPage page, string button) =>
        page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = button, Exact = true });

    [GeneratedRegex("Choose a name and a password, once, within an hour: (\\S+)")]
    private static partial Regex SetupLink();
}
