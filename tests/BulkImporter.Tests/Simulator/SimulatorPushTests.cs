using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace BulkImporter.Tests.Simulator;

/// <summary>Pushing a file in chunks, as Cincopa's own uploader does it.</summary>
public sealed class SimulatorPushTests
{
    private static readonly byte[] File = [.. Enumerable.Range(0, 1000).Select(i => (byte)(i * 7))];

    [Fact]
    public async Task File_in_two_chunks_becomes_one_asset_named_on_line_index_five()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        var url = await UploadUrlAsync(simulator);

        var first = await PushAsync(simulator, url, 0, 600);
        var last = await PushAsync(simulator, url, 600, 1000);

        Assert.Contains("done", first);
        Assert.DoesNotContain("new resource id", first);
        var item = Assert.Single((await simulator.ListAsync()).GetProperty("items").EnumerateArray());
        Assert.Equal($"new resource id {item.GetProperty("id").GetString()} {item.GetProperty("rid").GetString()}", last.Split('\n')[5]);
        Assert.Contains("done", last);
        Assert.Equal("my clip.mp4", item.GetProperty("filename").GetString());
        Assert.Equal(1000, item.GetProperty("filesize").GetInt32());
        var asset = (await simulator.ControlAsync("assets")).GetProperty("assets")[0];
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File)), asset.GetProperty("sha256").GetString());
    }

    [Fact]
    public async Task Replayed_chunks_are_taken_once_and_the_last_one_gives_the_same_asset_again()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        var url = await UploadUrlAsync(simulator);

        await PushAsync(simulator, url, 0, 600);
        Assert.Contains("done", await PushAsync(simulator, url, 0, 600));
        var last = await PushAsync(simulator, url, 600, 1000);
        var again = await PushAsync(simulator, url, 600, 1000);

        Assert.Equal(last, again);
        var asset = Assert.Single((await simulator.ControlAsync("assets")).GetProperty("assets").EnumerateArray());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File)), asset.GetProperty("sha256").GetString());
    }

    [Fact]
    public async Task Gap_overlap_and_wrong_length_are_errors_in_text_and_the_file_can_go_on()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        var url = await UploadUrlAsync(simulator);

        Assert.StartsWith("error: gap", await PushAsync(simulator, url, 600, 1000));
        await PushAsync(simulator, url, 0, 600);
        Assert.StartsWith("error: overlap", await PushAsync(simulator, url, 500, 1000));
        Assert.StartsWith("error: 399 bytes", await PushAsync(simulator, url, 600, 1000, body: File[601..]));
        Assert.StartsWith("error: Content-Range", await PushAsync(simulator, url, 600, 1000, range: "600 to 1000"));

        Assert.Contains("new resource id", await PushAsync(simulator, url, 600, 1000));
        Assert.Equal(1, (await simulator.ControlAsync("assets")).GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task Without_a_total_a_chunk_is_never_the_last()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        var url = await UploadUrlAsync(simulator);

        Assert.DoesNotContain("new resource id", await PushAsync(simulator, url, 0, 600, range: "bytes 0-600"));
        Assert.Contains("new resource id", await PushAsync(simulator, url, 600, 1000));
    }

    [Fact]
    public async Task Upload_url_takes_many_files_and_any_gallery_but_no_other_signature()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        var url = await UploadUrlAsync(simulator);
        var fid = (await simulator.CallAsync("gallery.create.json?name=G")).GetProperty("fid").GetString();
        var intoGallery = url.Replace("addtofid=0", $"addtofid={fid}");

        await PushAsync(simulator, url, 0, 1000, uniqueId: "1");
        await PushAsync(simulator, intoGallery, 0, 1000, uniqueId: "2");
        var tampered = await PushAsync(simulator, url.Replace("&d=", "&d=0"), 0, 1000);

        Assert.StartsWith("error", tampered);
        Assert.Equal(2, (await simulator.ControlAsync("assets")).GetProperty("count").GetInt32());
        var items = (await simulator.CallAsync($"gallery.get_items.json?fid={fid}")).GetProperty("folder").GetProperty("items");
        Assert.Equal(1, items.GetArrayLength());
    }

    [Fact]
    public async Task Quota_is_said_in_text_with_status_200_and_a_lost_last_reply_leaves_the_asset()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        var url = await UploadUrlAsync(simulator);

        await simulator.ScriptAsync("""{"rules":[{"on":"push","fault":"quota_exceeded"}]}""");
        Assert.Equal("error: out of assets quota", await PushAsync(simulator, url, 0, 1000));
        Assert.Equal(0, (await simulator.ControlAsync("assets")).GetProperty("count").GetInt32());
        await simulator.ScriptAsync("""{"rules":[{"on":"push","fault":"reply_lost","times":1}]}""");
        await Assert.ThrowsAsync<HttpRequestException>(() => PushAsync(simulator, url, 0, 1000));

        Assert.Equal(1, (await simulator.ControlAsync("assets")).GetProperty("count").GetInt32());
        Assert.Contains("new resource id", await PushAsync(simulator, url, 0, 1000));
        Assert.Equal(1, (await simulator.ControlAsync("assets")).GetProperty("count").GetInt32());
    }

    private static async Task<string> UploadUrlAsync(RunningSimulator simulator) =>
        (await simulator.CallAsync("asset.get_upload_url.json")).GetProperty("upload_url").GetString()!;

    private static async Task<string> PushAsync(
        RunningSimulator simulator, string url, int start, int end, byte[]? body = null, string? range = null,
        string uniqueId = "1760000000000")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(body ?? File[start..end]) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("multipart/form-data");
        request.Content.Headers.TryAddWithoutValidation("Content-Range", range ?? $"bytes {start}-{end}/{File.Length}");
        request.Headers.Add("X-FILE-NAME", Uri.EscapeDataString("my clip.mp4"));
        request.Headers.Add("unique-id", uniqueId);
        using var reply = await simulator.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
        return await reply.Content.ReadAsStringAsync();
    }
}
