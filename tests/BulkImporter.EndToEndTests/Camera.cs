namespace BulkImporter.EndToEndTests;

/// <summary>
/// Takes every page in light and dark, wide and narrow, for a person to look at: <c>./run screenshots</c>. Not a test of anything and not
/// run with the others.
/// </summary>
public sealed class Camera : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>The most that a picture in a document shows of a page.</summary>
    private const float PictureHeight = 1500;

    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact(Explicit = true)]
    public async Task Every_page_is_taken()
    {
        var folder = Directory.CreateDirectory(Environment.GetEnvironmentVariable("BULKIMPORTER_SCREENSHOTS")
            ?? Path.Combine(BuiltPrograms.Repository, "screenshots")).FullName;
        var cincopa = await stage.StartSimulatorAsync();
        var (_, api) = await stage.ServeAsync(cincopa, DashboardStage.Settings);
        await using var browser = await OperatorBrowser.LaunchAsync();
        (bool IsDark, int Width)[] forms = [(false, 1440), (true, 1440), (false, 390), (true, 390)];
        foreach (var form in forms) await TakeAsync([Scenes.Empty], form);
        var scenes = await Scenes.SetAsync(cincopa, api, Limit);
        foreach (var form in forms) await TakeAsync(scenes.Shown, form);

        async Task TakeAsync(IReadOnlyList<Scene> shown, (bool IsDark, int Width) form)
        {
            var page = await browser.OpenAsync(api, form.IsDark, form.Width);
            foreach (var scene in shown)
            {
                await scene.ShowAsync(page);
                await page.ScreenshotAsync(
                    new()
                    {
                        Path = Path.Combine(folder, $"{scene.Name}-{form.Width}-{(form.IsDark ? "dark" : "light")}.png"),
                        FullPage = true
                    });
                // For a document, which needs no more than the beginning.
                if (form.Width == 1440)
                {
                    var height = await page.EvaluateAsync<float>("document.documentElement.scrollHeight");
                    await page.ScreenshotAsync(
                        new()
                        {
                            Path = Path.Combine(folder, $"picture-{scene.Name}-{(form.IsDark ? "dark" : "light")}.png"),
                            FullPage = true,
                            Clip = new() { X = 0, Y = 0, Width = form.Width, Height = Math.Min(height, PictureHeight) },
                        });
                }
            }
            await page.Context.CloseAsync();
        }
    }
}
