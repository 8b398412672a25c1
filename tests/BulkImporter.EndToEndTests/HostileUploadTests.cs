using System.Diagnostics;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;

namespace BulkImporter.EndToEndTests;

/// <summary>
/// The budget: a server of 512 MB gets sixty files at once that are made to exhaust it. Each is refused or read, and what others import
/// goes on; afterwards the memory goes back.
/// </summary>
public sealed class HostileUploadTests : IAsyncDisposable
{
    private const int MB = 1024 * 1024;
    private const int CopiesOfEach = 6;
    private const int GoodRows = 600;
    private const long MostMemory = 700L * MB;
    private const long MostKept = 50L * MB;

    private const string Header = "url,caption\n";
    private const string Row = "https://media.example.com/1.mp4,One\n";

    /// <summary>Sixty readings one after the other, on a machine that does other things too.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task Sixty_hostile_files_at_once_are_refused_or_read_within_the_budget_and_what_others_import_goes_on()
    {
        var (server, api) = await stage.ServeAsync(await stage.StartSimulatorAsync(), new()
        { ["DOTNET_GCHeapHardLimit"] = "0x20000000", ["MALLOC_ARENA_MAX"] = "2" });
        using var http = new HttpClient { BaseAddress = new Uri($"{api.Address}/api/v1/"), Timeout = Limit };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", api.Key);

        // What the first file of all costs is no matter of the hostile ones.
        await api.LiftLimitsAsync();
        var first = await api.StartAsync(Header + Row);
        await api.FinishedAsync(first, Limit);
        await PreviewAsync(http, first);

        await api.ChangeAccountAsync(new { rate = 10, maxInFlight = 0, backlog = 0 });
        var good = await api.StartAsync(Header
            + string.Concat(Enumerable.Range(1, GoodRows).Select(n => $"https://media.example.com/good-{n}.mp4,Good\n")));
        await api.UntilAsync(good, i => i.Counts.Imported > 0, Limit);
        var (before, since) = (server.Memory, Stopwatch.GetTimestamp());

        var files = Hostile();
        var sent = await Task.WhenAll(Enumerable.Range(0, CopiesOfEach * files.Count)
            .Select(n => Task.Run(() => SendAsync(http, files[n % files.Count], starts: n % 2 == 0))));
        var duringUploads = await api.ImportAsync(good);
        foreach (var (file, id) in sent)
        {
            var ended = await api.UntilAsync(id, i => i.State is "rejected" or "review" or "finished", Limit);
            Assert.True(file.IsRead ? ended.State is "review" or "finished" : ended.State == "rejected", $"{file.Name}: {ended}");
            if (!file.IsRead) Assert.Contains(file.Complaint, ended.Reason, StringComparison.Ordinal);
            if (file.IsRead) await ExportAsync(http, id);
        }

        // The good one went on beside them, and ends.
        Assert.True((await api.ImportAsync(good)).Counts.Imported > duringUploads.Counts.Imported);
        await api.LiftLimitsAsync();
        Assert.Equal(GoodRows, (await api.FinishedAsync(good, Limit)).Counts.Imported);

        var (most, took) = (server.MostMemory, Stopwatch.GetElapsedTime(since));
        var plain = await api.StartAsync(Header + "https://media.example.com/afterwards.mp4,One\n");
        Assert.Equal(1, (await api.FinishedAsync(plain, Limit)).Counts.Imported);
        // The memory is given back when the process falls quiet, in some rounds.
        var after = server.Memory;
        for (var quiet = Stopwatch.StartNew(); after > before + MostKept && quiet.Elapsed < Limit; after = server.Memory)
            await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken);
        var memory = $"Memory {before / MB} MB before, {most / MB} MB at most, {after / MB} MB after; {took.TotalSeconds:0} s.";
        TestContext.Current.TestOutputHelper?.WriteLine(memory);
        Assert.True(most < MostMemory, memory);
        Assert.True(after <= before + MostKept, memory);
    }

    private static async Task<(HostileFile File, int Id)> SendAsync(HttpClient http, HostileFile file, bool starts)
    {
        using var content = new ByteArrayContent(file.Bytes);
        content.Headers.ContentType = new("text/csv");
        using var created = await http.PostAsync($"imports?fileName={file.Name}.csv&start={(starts ? "true" : "false")}", content);
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        var id = (await created.Content.ReadFromJsonAsync<ImportBody>())!.Id;
        await PreviewAsync(http, id);
        return (file, id);
    }

    /// <summary>It is made, or there is none of this file, or it is told when to ask again.</summary>
    private static async Task PreviewAsync(HttpClient http, int id)
    {
        using var preview = await http.GetAsync($"imports/{id}/preview?rows=100");
        Assert.True(preview.StatusCode is HttpStatusCode.OK or HttpStatusCode.NotFound
            or HttpStatusCode.TooManyRequests, $"{preview.StatusCode}");
        if (preview.StatusCode == HttpStatusCode.TooManyRequests) Assert.NotNull(preview.Headers.RetryAfter?.Delta);
    }

    private static async Task ExportAsync(HttpClient http, int id)
    {
        using var results = await http.GetAsync($"imports/{id}/results?format=jsonl", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, results.StatusCode);
        await using var rows = await results.Content.ReadAsStreamAsync();
        await rows.CopyToAsync(Stream.Null);
    }

    private static List<HostileFile> Hostile() =>
    [
        Refused("bomb-of-blank-lines", Packed(Header + Row, "\n", 256 * MB, Row), "times its size"),
        Refused("bomb-of-rows", Packed(Header, Row, 256 * MB, ""), "times its size"),
        Refused("bomb-of-one-line", Packed(Header, "x", 1024 * MB, "\n" + Row), "times its size"),
        Refused("line-of-20-MB", Plain(Header + Row, "x", 20 * MB, "\n" + Row), "longer than 16 MB"),
        Refused("quote-without-an-end", Plain(Header + Row + "\"", "an open line\n", 20 * MB, ""), "all invalid"),
        Read("quote-without-a-line", Plain(Header + Row + "\n\"", "\"\"", 3 * MB, "\n" + Row)),
        Refused("a-hundred-thousand-columns", Plain("url", ",c", 200_000, "\n" + Row), "columns"),
        Refused("a-million-equal-names", Plain("url", ",same", 5_000_000, "\n" + Row), "columns"),
        Read("a-thousand-equal-names",
            Plain("url", ",same", 5 * 999, "\n"
                + string.Concat(Enumerable.Range(0, 500).Select(n => $"https://media.example.com/equal-{n}.mp4{new string(',', 999)}\n")))),
        Read("blank-lines", Plain(Header + Row, "\n", 20 * MB, "https://media.example.com/2.mp4,Two\n")),
    ];

    private static HostileFile Refused(string name, byte[] bytes, string complaint) => new(name, bytes, IsRead: false, complaint);

    private static HostileFile Read(string name, byte[] bytes) => new(name, bytes, IsRead: true, "");

    private static byte[] Plain(string start, string piece, int length, string end) =>
        Encoding.UTF8.GetBytes(start + string.Concat(Enumerable.Repeat(piece, length / piece.Length)) + end);

    /// <summary>Gzip of several members, of which the long one is packed once and repeated.</summary>
    private static byte[] Packed(string start, string piece, int length, string end)
    {
        const int part = 16 * MB;
        var middle = Packed(string.Concat(Enumerable.Repeat(piece, part / piece.Length)));
        return [.. Packed(start), .. Enumerable.Repeat(middle, length / part).SelectMany(m => m), .. Packed(end)];
    }

    private static byte[] Packed(string text)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize)) gzip.Write(Encoding.UTF8.GetBytes(text));
        return packed.ToArray();
    }

    private sealed record HostileFile(string Name, byte[] Bytes, bool IsRead, string Complaint);
}
