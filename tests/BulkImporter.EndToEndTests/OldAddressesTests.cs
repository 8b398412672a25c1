using System.Text;

namespace BulkImporter.EndToEndTests;

/// <summary>Old links play again: an import, its map, and a real nginx that has it.</summary>
public sealed class OldAddressesTests : IAsyncDisposable
{
    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task A_real_nginx_with_the_map_sends_each_old_address_to_the_embed_page_of_its_asset()
    {
        var cincopa = await stage.StartSimulatorAsync();
        var (_, api) = await stage.ServeAsync(cincopa, []);
        await cincopa.BehaveAsync("""{"importMs":[10,20]}""");
        // What a browser would send for each, and what nginx must not take for syntax.
        (string Old, string Host, string Sent)[] rows =
        [
            ("https://old.example.com/watch/1", "old.example.com", "/watch/1"),
            ("HTTP://Old.Example.com:80/Watch?v=2&list=$x;#t=10", "OLD.example.com", "/Watch?v=2&list=$x;"),
            ("https://old.example.com/a b/\"three\".html", "old.example.com:8080", "/a%20b/%22three%22.html"),
            ("https://old.example.com/bücher/4", "old.example.com", "/b%C3%BCcher/4"),
            ("https://bücher.example/5", "xn--bcher-kva.example", "/5"),
            ("/on-any-host/6?x={y}", "whatever.example", "/on-any-host/6?x=%7By%7D"),
            ("https://old.example.com", "old.example.com", "/"),
            ("https://other.example.com", "other.example.com", "/"),
            ("https://old.example.com/~default;include/9", "old.example.com", "/~default;include/9"),
            ($"https://old.example.com/{new string('l', 1500)}", "old.example.com", "/" + new string('l', 1500)),
            ("https://old.example.com/%E2%82%AC?q=%22;%20}", "old.example.com", "/%E2%82%AC?q=%22;%20%7D"),
        ];
        var manifest = new StringBuilder("url,old_url\n");
        for (var n = 0; n < rows.Length; n++)
            manifest.Append($"https://media.example.com/{n}.mp4,\"{rows[n].Old.Replace("\"", "\"\"")}\"\n");
        var id = await api.StartAsync(manifest.ToString(), "&fid=Gall$1");
        await api.FinishedAsync(id, TimeSpan.FromMinutes(2));

        var map = Path.Combine(stage.Folder, "old-addresses.conf");
        await stage.VerbAsync(api, 0, TimeSpan.FromMinutes(1), "map", $"{id}", "--format", "nginx", "-o", map);
        var rids = (await api.RecordsAsync(id)).OrderBy(r => r.RowNumber).Select(r => r.Rid!).ToList();
        var port = await Nginx.StartAsync(stage, map);
        for (var n = 0; n < rows.Length; n++)
        {
            Assert.Equal((301, $"https://www.cincopa.com/media-platform/iframe.aspx?fid=Gall%241!{Uri.EscapeDataString(rids[n])}"),
                await Nginx.AskAsync(port, rows[n].Host, rows[n].Sent));
        }
        Assert.Equal((404, null), await Nginx.AskAsync(port, "old.example.com", "/watch/12"));
        Assert.Equal((404, null), await Nginx.AskAsync(port, "another.example.com", "/watch/1"));
    }
}
