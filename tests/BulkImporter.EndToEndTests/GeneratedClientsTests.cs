namespace BulkImporter.EndToEndTests;

/// <summary>
/// A stranger makes a client from the OpenAPI document with a generator that is not ours, compiles it and uploads a manifest: in C# with
/// Kiota and in TypeScript with openapi-typescript.
/// </summary>
[Trait("Category", "Slow")]
public sealed class GeneratedClientsTests : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task Client_of_either_language_is_generated_compiled_and_uploads_a_manifest()
    {
        var made = stage.Start("clients", Path.Combine(BuiltPrograms.Repository, "run"), ["clients"]);
        Assert.True(await made.WaitForExitAsync(Limit) == 0, $"./run clients failed:\n{made.Tail(40)}");

        var cincopa = await stage.StartSimulatorAsync();
        await cincopa.BehaveAsync("""{"importMs":[20,60]}""");
        var (_, api) = await stage.ServeAsync(cincopa, []);
        await UploadsAsync("csharp", Path.Combine(BuiltPrograms.Repository, "artifacts", "bin", "GeneratedClient", "debug", "GeneratedClient"));
        await UploadsAsync("typescript", BuiltPrograms.OnPath("node", "nodejs"),
            Path.Combine(BuiltPrograms.Repository, "tests", "GeneratedClients", "TypeScript", "generated", "js", "upload.js"));

        async Task UploadsAsync(string language, string program, params string[] arguments)
        {
            var manifest = Path.Combine(stage.Folder, $"{language}.csv");
            string[] urls = [.. Enumerable.Range(1, 3).Select(n => $"https://media.example.com/{language}/clip-{n}.mp4")];
            await File.WriteAllLinesAsync(manifest, ["url", .. urls], TestContext.Current.CancellationToken);

            var client = stage.Start(language, program, [.. arguments, manifest],
                new Settings { ["BULKIMPORTER_SERVER"] = api.Address, ["BULKIMPORTER_API_KEY"] = api.Key });
            Assert.True(await client.WaitForExitAsync(TimeSpan.FromMinutes(2)) == 0, client.Tail(40));

            // Each row of what it printed: the number, the address and the asset that the remote side really made of it.
            var assets = (await cincopa.AssetsAsync()).ToDictionary(a => a.Input ?? "", a => a.Rid);
            Assert.Equal(urls.Select((url, n) => $"{n + 1} {url} {assets[url]}"), client.Log.TrimEnd().Split('\n'));
        }
    }
}
