using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace BulkImporter.EndToEndTests;

/// <summary>A page in a state worth looking at.</summary>
/// <param name="Name">Names the picture.</param>
/// <param name="Sign">A selector of what is there when the page shows what it should.</param>
/// <param name="IsLive">It is one of the dashboard's own pages, which live.</param>
/// <param name="OursOnly">A selector, when only a part of the page is ours.</param>
internal sealed record Scene(string Name, string Path, string Sign, bool IsLive = true, string? OursOnly = null)
{
    public async Task ShowAsync(IPage page)
    {
        await page.GotoAsync(Path);
        await Expect(page.Locator(Sign).First).ToBeVisibleAsync();
        // A page that the server has just drawn comes alive a moment later, and its menus with it.
        if (IsLive) await Expect(page.Locator("[data-testid=look] button").First).ToBeEnabledAsync();
    }
}

/// <summary>
/// Content that brings every page into its interesting states, and the pages: what axe-core judges and what the camera takes.
/// </summary>
/// <param name="Unfinished">Imports that go on until they are cancelled.</param>
internal sealed record Scenes(IReadOnlyList<Scene> Shown, IReadOnlyList<int> Unfinished)
{
    private const string RefusedToken = "1000003irefused0token";

    /// <summary>What nobody has uploaded to yet.</summary>
    public static Scene Empty { get; } = new("empty", "/", Id("empty"));

    public static async Task<Scenes> SetAsync(SimulatedCincopa cincopa, ImporterApi api, TimeSpan limit)
    {
        await cincopa.BehaveAsync("""{"importMs":[200,1200],"rules":[{"on":"submit","fault":"reply_lost","input":"*/doubt/*"}]}""");
        await api.LiftLimitsAsync();
        var museum = await File.ReadAllTextAsync(BuiltPrograms.Sample("demo.csv"));
        var finished = await api.StartAsync(museum, "&name=Museum+films&fileName=museum-films.csv&maxAttempts=1");
        // Two rows of one file name: each may have become either asset, so a person has to say.
        var doubt =
            await api.StartAsync(
                "url,title\nhttps://media.example.com/doubt/1974/ferry.mp4,The ferry "
                    + "1974\nhttps://media.example.com/doubt/1975/ferry.mp4,The ferry 1975\n", "&name=Two+ferries&fileName=ferries.csv");
        var failing = await api.StartAsync(Manifest("lost-shelf", "missing-tape", 1010),
            "&name=Regional+tapes&fileName=regional-tapes.csv&maxAttempts=1");
        var review = await api.UploadAsync(museum, "&name=Museum+films,+again&fileName=museum-films.csv");
        var rejected = await api.UploadAsync("page,file\nhttps://media.example.com/a.html,https://media.example.com/a.mp4\n",
            "&name=Press+photos&fileName=press.csv");
        await api.AddAccountAsync("archive", RefusedToken, cincopa.ApiAddress);
        await cincopa.TokenAsync(Stage.Token);
        await cincopa.TokenAsync(RefusedToken, rejectedWith: 401);
        var suspended = await api.StartAsync(Manifest("radio", "broadcast", 40),
            "&name=Radio+broadcasts&fileName=radio.csv&account=archive");
        foreach (var (name, role) in new[] { ("anna", "admin"), ("ben", "operator"), ("vera", "viewer") })
            await api.InviteAsync(name, role);
        await api.MakeKeyAsync("operator");
        await api.AddTargetAsync("operations", "https://ops.example/hooks/imports");

        await api.UntilAsync(finished, i => i.State == "finished", limit);
        await api.UntilAsync(failing, i => i.State == "paused", limit);
        await api.UntilAsync(review, i => i.State == "review", limit);
        await api.UntilAsync(rejected, i => i.State == "rejected", limit);
        await Wait.UntilAsync(limit, "the account is suspended", async () => (await api.AccountAsync("archive")).State == "suspended");
        await Wait.UntilAsync(limit, "both ferries are candidates", async () => await api.CandidatesAsync(doubt, 1) == 2);
        await api.ChangeAccountAsync(new { rate = 12, maxInFlight = 20, backlog = 500 });
        var running = await api.StartAsync(Manifest("school", "lesson", 6000),
            "&name=School+television+1960-1989&fileName=school-television.csv");

        var list = $"/imports/{finished}/records";
        return new(
        [
            // First what moves while the others are looked at.
            new("import-running", $"/imports/{running}", Id("rate-chart")),
            new("imports", "/", Id("imports")),
            new("imports-none-found", "/?search=nothing+of+that+name", Id("no-imports")),
            new("upload", "/upload", Id("upload-submit")),
            new("import-finished", $"/imports/{finished}", Id("findings")),
            new("import-review", $"/imports/{review}", Id("findings")),
            new("fix", $"/imports/{finished}/fix", Id("fix")),
            new("fix-duplicates", $"/imports/{review}/fix?code=duplicate_url", ".fix-card, [data-testid=fix-none]"),
            new("import-rejected", $"/imports/{rejected}", Id("columns")),
            new("import-breaker-open", $"/imports/{failing}", Id("banner-resume")),
            new("import-account-suspended", $"/imports/{suspended}", Id("banner-resume-account")),
            new("report", $"/imports/{finished}/report", Id("sheet")),
            new("records", list, Id("selection")),
            new("records-wall", list + "?view=wall", Id("wall")),
            new("records-failed", list + "?state=failed", Id("selection")),
            new("records-differing", list + "?arrival=size_differs", Id("differs")),
            // The file that the simulator cuts.
            new("record-differing", list + "/24", Id("record-arrival")),
            new("records-none-found", list + "?search=nothing+of+that+name", Id("no-records")),
            new("record-failed", list + $"/{(await api.FirstAsync(finished, "failed")).RowNumber}", Id("attempt")),
            new("record-invalid", list + $"/{(await api.FirstAsync(finished, "invalid")).RowNumber}", "dl.detail"),
            new("record-unknown", $"/imports/{doubt}/records/1", Id("candidate")),
            new("accounts", "/accounts", Id("account-reason")),
            new("people", "/people", Id("person")),
            new("keys", "/keys", Id("key")),
            new("notifications", "/notifications", Id("target")),
            new("audit", "/audit", Id("entry")),
            new("me", "/me", Id("me")),
            new("hangfire-imports", "/hangfire/imports", Id("import-row"), IsLive: false, OursOnly: "#imports"),
            // Whoever is signed in is led away from it, except after a refusal.
            new("sign-in", "/sign-in?refused=", "#key, #name", IsLive: false),
        ], [running, failing, suspended]);
    }

    private static string Id(string testId) => $"[data-testid={testId}]";

    private static string Manifest(string folder, string name, int count) =>
        "url,title\n" + string.Concat(Enumerable.Range(1, count)
            .Select(n =>
                FormattableString.Invariant(
                    $"https://media.example.com/{folder}/{name}-{n:0000}.mp4,{char.ToUpperInvariant(name[0])}{name[1..]} {n}\n")));
}
