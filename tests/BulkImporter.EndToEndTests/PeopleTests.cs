using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace BulkImporter.EndToEndTests;

/// <summary>Accounts, people and keys in a real browser: from the setup link that the first start prints to a session that an admin ends.</summary>
public sealed partial class PeopleTests : IAsyncDisposable
{
    private const string Password = "correct horse battery";

    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task First_admin_sets_up_an_account_a_key_and_a_colleague_and_the_colleagues_open_page_ends_with_the_lock()
    {
        var cincopa = await stage.StartSimulatorAsync();
        var (server, api) = await stage.ServeAsync(cincopa, []);
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = "/usr/bin/chromium",
            Args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        });
        SetDefaultExpectTimeout(120_000);
        var admin = await NewPageAsync(browser);

        await admin.GotoAsync(SetupLink().Match(server.Log).Groups[1].Value);
        await admin.FillAsync("#name", "root");
        await ChooseAsync(admin);
        await Expect(admin).ToHaveURLAsync(api.Address + "/");

        // Invite, and open the link as somebody else.
        await admin.GotoAsync(api.Address + "/people");
        await OpenAsync(admin, "invite", "new-name");
        await admin.GetByTestId("new-name").FillAsync("vera");
        await admin.GetByTestId("new-role").SelectOptionAsync("Viewer");
        await admin.GetByTestId("make-link").ClickAsync();
        var link = await admin.GetByTestId("secret").InputValueAsync();
        var colleague = await NewPageAsync(browser);
        await colleague.GotoAsync(link);
        await ChooseAsync(colleague);
        await Expect(colleague).ToHaveURLAsync(api.Address + "/");
        await colleague.GotoAsync(api.Address + "/accounts");
        await Expect(colleague.GetByTestId("account")).ToHaveCountAsync(1);
        await Expect(colleague.GetByTestId("check-account")).ToHaveCountAsync(0);
        Assert.Equal(403, (await colleague.GotoAsync(api.Address + "/people"))!.Status);
        await colleague.GotoAsync(api.Address + "/accounts");

        // An account: check, limits, a second one.
        await admin.GotoAsync(api.Address + "/accounts");
        await OpenAsync(admin, "change-limits", "max-in-flight");
        await admin.GetByTestId("max-in-flight").FillAsync("7");
        await admin.GetByTestId("save").ClickAsync();
        await Expect(admin.GetByTestId("in-flight")).ToContainTextAsync("of 7");
        await Expect(colleague.GetByTestId("in-flight")).ToContainTextAsync("of 7");
        await admin.GetByTestId("check-account").ClickAsync();
        await Expect(admin.GetByTestId("check-result")).ToContainTextAsync("asset.*");
        await admin.GetByTestId("add-account").ClickAsync();
        await admin.GetByTestId("new-name").FillAsync("museum");
        await admin.GetByTestId("new-token").FillAsync("1000002imuseum");
        await admin.GetByTestId("save-account").ClickAsync();
        await Expect(admin.GetByTestId("account")).ToHaveCountAsync(2);

        // A key, shown once.
        await admin.GotoAsync(api.Address + "/keys");
        await OpenAsync(admin, "new-key", "new-name");
        await admin.GetByTestId("new-name").FillAsync("nightly");
        await admin.GetByTestId("make-key").ClickAsync();
        var key = await admin.GetByTestId("secret").InputValueAsync();
        using (var nightly = new ImporterApi(api.Address, key)) Assert.Empty(await nightly.ImportsAsync());
        await admin.ReloadAsync();
        Assert.DoesNotContain(key, await admin.ContentAsync());

        // A lock ends the colleague's open page, which sends no request by itself.
        await admin.GotoAsync(api.Address + "/people");
        await OpenMenuAsync(admin, "vera", "Lock");
        await admin.GetByRole(AriaRole.Dialog).GetByText("Lock", new() { Exact = true }).ClickAsync();
        await Expect(admin.Locator("[data-person=vera] [data-testid=user-state]")).ToHaveTextAsync("locked");
        await Expect(colleague).ToHaveURLAsync(new Regex("/sign-in"));

        // The last admin stays.
        await OpenMenuAsync(admin, "root", "Remove");
        await admin.GetByRole(AriaRole.Dialog).GetByText("Remove", new() { Exact = true }).ClickAsync();
        await Expect(admin.GetByText("last admin who can sign in")).ToBeVisibleAsync();

        await admin.GotoAsync(api.Address + "/audit?actor=root&account=museum");
        await Expect(admin.GetByTestId("entry")).ToHaveCountAsync(1);
        await admin.GotoAsync(api.Address + "/me");
        await Expect(admin.GetByTestId("me")).ToContainTextAsync("root");
        await OpenAsync(admin, "sign-out-everywhere", role: AriaRole.Dialog);
        await admin.GetByRole(AriaRole.Dialog).GetByText("Sign out everywhere", new() { Exact = true }).ClickAsync();
        await Expect(admin).ToHaveURLAsync(api.Address + "/sign-in");
        await admin.FillAsync("#name", "root");
        await admin.FillAsync("#password", Password);
        await admin.ClickAsync("button[type=submit]");
        await Expect(admin).ToHaveURLAsync(api.Address + "/");
    }

    private static async Task<IPage> NewPageAsync(IBrowser browser)
    {
        var page = await (await browser.NewContextAsync()).NewPageAsync();
        page.SetDefaultTimeout(60_000);
        return page;
    }

    private static async Task ChooseAsync(IPage page)
    {
        await page.FillAsync("#password", Password);
        await page.FillAsync("#again", Password);
        await page.ClickAsync("button[type=submit]");
    }

    /// <summary>A page is drawn by the server first, and its buttons do nothing until it comes alive.</summary>
    private static Task OpenAsync(IPage page, string button, string? opens = null, AriaRole? role = null) =>
        Wait.UntilAsync(TimeSpan.FromMinutes(1), $"{button} opens", async () =>
        {
            var opened = opens is null ? page.GetByRole(role!.Value) : page.GetByTestId(opens);
            if (await opened.CountAsync() == 0 && await page.GetByTestId(button).CountAsync() > 0) await page.GetByTestId(button).ClickAsync();
            return await opened.CountAsync() > 0;
        });

    private static async Task OpenMenuAsync(IPage page, string person, string item)
    {
        var menu = page.Locator($"[data-person={person}]").GetByRole(AriaRole.Button);
        var entry = page.GetByRole(AriaRole.Menuitem, new() { Name = item, Exact = true });
        await Wait.UntilAsync(TimeSpan.FromMinutes(1), $"the menu of {person} opens", async () =>
        {
            if (!await entry.IsVisibleAsync()) await menu.ClickAsync();
            return await entry.IsVisibleAsync();
        });
        await entry.ClickAsync();
    }

    [GeneratedRegex("Choose a name and a password, once, within an hour: (\\S+)")]
    private static partial Regex SetupLink();
}
