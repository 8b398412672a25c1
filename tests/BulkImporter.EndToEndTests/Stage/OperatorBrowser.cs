using System.Collections.Concurrent;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace BulkImporter.EndToEndTests;

/// <summary>Chromium in the hands of somebody who is signed in. Notes every error that a page puts on the console or throws.</summary>
internal sealed class OperatorBrowser : IAsyncDisposable
{
    private static readonly AxeRunOptions LevelsAAndAa = new() { RunOnly = RunOnlyOptions.Tags("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa") };

    private readonly IPlaywright playwright;
    private readonly IBrowser chromium;
    private readonly ConcurrentQueue<string> errors = [];

    private OperatorBrowser(IPlaywright playwright, IBrowser chromium)
    {
        this.playwright = playwright;
        this.chromium = chromium;
    }

    public static async Task<OperatorBrowser> LaunchAsync()
    {
        Assertions.SetDefaultExpectTimeout(120_000);
        var playwright = await Playwright.CreateAsync();
        return new(playwright, await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = "/usr/bin/chromium",
            Args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        }));
    }

    /// <summary>A window of its own, signed in with the role of the API's key.</summary>
    public async Task<IPage> OpenAsync(ImporterApi api, bool isDark = false, int width = 1440)
    {
        var window = await chromium.NewContextAsync(new()
        {
            BaseURL = api.Address,
            ColorScheme = isDark ? ColorScheme.Dark : ColorScheme.Light,
            ViewportSize = new() { Width = width, Height = 900 },
            ReducedMotion = ReducedMotion.Reduce,
        });
        window.SetDefaultTimeout(90_000);
        var page = await window.NewPageAsync();
        page.Console += (_, message) =>
        {
            if (message.Type == "error") errors.Enqueue($"{page.Url}: {message.Text}");
        };
        page.PageError += (_, error) => errors.Enqueue($"{page.Url}: {error}");
        await page.GotoAsync(await api.SignInLinkAsync());
        return page;
    }

    /// <summary>Fails with what the pages complained about since the last look.</summary>
    public void HasNoErrors()
    {
        var seen = errors.ToList();
        errors.Clear();
        Assert.Empty(seen);
    }

    /// <summary>What axe-core finds against WCAG's levels A and AA on a page as it stands, a line each.</summary>
    public static async Task<IReadOnlyList<string>> ComplaintsAsync(IPage page, string name)
    {
        var result = await page.RunAxe(LevelsAAndAa);
        return [.. result.Violations.SelectMany(v => v.Nodes.Select(n => $"{name}: {v.Id} ({v.Help}) {n.Html}"))];
    }

    public async ValueTask DisposeAsync()
    {
        await chromium.DisposeAsync();
        playwright.Dispose();
    }
}
