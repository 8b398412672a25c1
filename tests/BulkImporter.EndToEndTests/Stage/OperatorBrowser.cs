using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace BulkImporter.EndToEndTests;

/// <summary>Chromium in the hands of a person. Notes every error that a page puts on the console or throws.</summary>
internal sealed class OperatorBrowser : IAsyncDisposable
{
    private static readonly string[] LevelsAAndAa = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

    private readonly IPlaywright playwright;
    private readonly IBrowser chromium;
    private readonly ConcurrentQueue<string> errors = [];
    private string? axe;

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
            ExecutablePath = BuiltPrograms.OnPath("chromium", "chromium-browser", "google-chrome"),
            Args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        }));
    }

    /// <summary>A window of somebody who is not signed in.</summary>
    public async Task<IPage> OpenAsync(string address, bool isDark = false, int width = 1440)
    {
        var window = await chromium.NewContextAsync(new()
        {
            BaseURL = address,
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
        return page;
    }

    /// <summary>A window of its own, signed in with the role of the API's key.</summary>
    public async Task<IPage> OpenAsync(ImporterApi api, bool isDark = false, int width = 1440)
    {
        var page = await OpenAsync(api.Address, isDark, width);
        await page.GotoAsync(await api.SignInLinkAsync());
        await page.ClickAsync("button[type=submit]");
        await page.LeaveAsync("/sign-in");
        return page;
    }

    /// <summary>Fails with what the pages complained about since the last look.</summary>
    public void HasNoErrors()
    {
        var seen = errors.ToList();
        errors.Clear();
        Assert.True(seen.Count == 0, string.Join('\n', seen));
    }

    /// <summary>What axe-core finds against WCAG's levels A and AA on a page as it stands, a line each.</summary>
    /// <param name="part">A selector, when only a part of the page is ours.</param>
    public async Task<IReadOnlyList<string>> ComplaintsAsync(IPage page, string name, string? part = null)
    {
        axe ??= await File.ReadAllTextAsync(BuiltPrograms.Axe);
        await page.EvaluateAsync(axe);
        var violations = await page.EvaluateAsync<string[]>("""
            async ({ levels, part }) => {
              // What is half faded in has colours of its own.
              await Promise.all(document.getAnimations().filter((a) => a.effect?.getComputedTiming().endTime < Infinity).map((a) => a.finished.catch(() => {})));
              // A page that is redrawn has no title for a moment.
              for (let n = 0; n < 50 && !document.title; n++) await new Promise(seen => setTimeout(seen, 100));
              const { violations } = await axe.run(part ?? document, { runOnly: levels });
              return violations.flatMap((v) => v.nodes.map((n) => `${v.id} (${v.help}) ${n.html} ${n.failureSummary}`));
            }
            """, new { levels = LevelsAAndAa, part });
        return [.. violations.Select(v => $"{name}: {v}")];
    }

    public async ValueTask DisposeAsync()
    {
        await chromium.DisposeAsync();
        playwright.Dispose();
    }
}
