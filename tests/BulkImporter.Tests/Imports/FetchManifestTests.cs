using System.Net;
using System.Text;
using BulkImporter.Accounts;
using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Sources;
using BulkImporter.Tests.Client;
using BulkImporter.Tests.Dispatch;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace BulkImporter.Tests.Imports;

/// <summary>A manifest by its address. The servers of these tests are on 127.0.0.1, which they allow.</summary>
public sealed class FetchManifestTests(ImporterDatabase database) : IClassFixture<ImporterDatabase>
{
    private const string Manifest = "url,caption\nhttps://media.example.com/1.mp4,One\n";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task File_becomes_an_import_with_the_name_that_its_server_gives_it()
    {
        await using var server = RawServer.Replying(
            RawServer.Reply(200, "text/csv", Manifest, "Content-Disposition: attachment; filename=\"../spring 2026.csv\"\r\n"));

        var id = (await FetchAsync(new Uri(server.BaseUrl, "/export?id=7").AbsoluteUri)).Id;

        Assert.Equal("spring 2026.csv", await database.OneAsync<string>("SELECT name FROM importer.import WHERE id = $1", id));
        Assert.Equal(Manifest, await BytesAsync(id));
        Assert.Equal("GET /export?id=7 HTTP/1.1", server.Requests.Single().Split("\r\n")[0]);
    }

    [Fact]
    public async Task File_without_a_name_is_called_as_its_address_or_as_the_caller_says()
    {
        await using var server = RawServer.Replying(RawServer.Reply(200, "text/csv", Manifest));
        var address = new Uri(server.BaseUrl, "/lists/fr%C3%BChling.csv?token=1").AbsoluteUri;

        var (named, own) = ((await FetchAsync(address)).Id, (await FetchAsync(address, fileName: "mine.csv")).Id);

        Assert.Equal("frühling.csv", await database.OneAsync<string>("SELECT name FROM importer.import WHERE id = $1", named));
        Assert.Equal("mine.csv", await database.OneAsync<string>("SELECT name FROM importer.import WHERE id = $1", own));
    }

    [Fact]
    public async Task Source_headers_of_the_account_go_along()
    {
        await using var server = RawServer.Replying(RawServer.Reply(200, "text/csv", Manifest));
        var headers = new SourceHeaders(database.Contexts, PushUnderTest.Protection, TimeProvider.System);
        await headers.SetAsync("default", server.BaseUrl.GetLeftPart(UriPartial.Authority), "X-List-Key", "k-1", "test", Token);

        await FetchAsync(server.BaseUrl.AbsoluteUri);

        Assert.Contains("X-List-Key: k-1", server.Requests.Single(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Same_idempotency_key_again_fetches_nothing()
    {
        await using var server = RawServer.Replying(RawServer.Reply(200, "text/csv", Manifest));

        var first = await FetchAsync(server.BaseUrl.AbsoluteUri, key: "night-1");
        var second = await FetchAsync(server.BaseUrl.AbsoluteUri, key: "night-1");

        Assert.Equal((first.Id, false, true), (second.Id, first.Existed, second.Existed));
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData("", "must start with https://")]
    [InlineData("library.csv", "must start with https://")]
    [InlineData("ftp://media.example.com/library.csv", "must start with https://")]
    [InlineData("file:///etc/passwd", "must start with https://")]
    [InlineData("http://media.example.com/library.csv", "not with http://")]
    [InlineData("http://8.8.8.8/library.csv", "not with http://")]
    [InlineData("https://ann:secret@media.example.com/library.csv", "Add a source header")]
    [InlineData("https://inside.example.com/library.csv", "which is not a public address")]
    public async Task Address_that_may_not_be_called_is_refused(string address, string complaint)
    {
        var refused = await Assert.ThrowsAsync<InvalidArgumentException>(() => FetchAsync(address));
        Assert.Equal("from", refused.Argument);
        Assert.Contains(complaint, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>What a foreign server says is not repeated, and nothing of its file is kept.</summary>
    [Theory]
    [InlineData("HTTP/1.1 404 Nope\r\nContent-Length: 6\r\n\r\nsecret", "127.0.0.1 answered 404.")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "is not a manifest. The file is empty.")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 37\r\n\r\n<!doctype html><title>secret</title>\r\n", "is not a manifest. ")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nurl,caption\n", "broke off in the middle of the file")]
    public async Task What_is_not_a_whole_manifest_is_refused_with_the_reason(string reply, string complaint)
    {
        await using var server = RawServer.ReplyingOnceAndClosing(reply);

        var refused = await Assert.ThrowsAsync<InvalidArgumentException>(() => FetchAsync(server.BaseUrl.AbsoluteUri));

        Assert.Equal("from", refused.Argument);
        Assert.StartsWith("The manifest could not be fetched: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(complaint, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task File_without_an_end_is_cut_at_the_limit_of_an_upload()
    {
        await using var server = RawServer.Replying(
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + Manifest + new string('\n', 2_000_000));
        await Assert.ThrowsAsync<ManifestTooLargeException>(() => FetchAsync(server.BaseUrl.AbsoluteUri, limit: 1_000_000));
    }

    [Fact]
    public async Task File_that_takes_too_long_is_given_up()
    {
        await using var server = new RawServer(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\nurl\n");
            await connection.HoldAsync();
        });
        var time = new FakeTimeProvider();
        var fetching = FetchAsync(server.BaseUrl.AbsoluteUri, time: time);
        await server.NextRequestAsync();
        while (!fetching.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(10));
            await Task.Delay(20, Token);
        }
        var refused = await Assert.ThrowsAsync<InvalidArgumentException>(() => fetching);
        Assert.Contains("127.0.0.1", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://docs.google.com/spreadsheets/d/1AbC_def-GHIjkl/edit#gid=42", "format=csv&gid=42")]
    [InlineData("https://docs.google.com/spreadsheets/d/1AbC_def-GHIjkl/edit?gid=7&usp=sharing", "format=csv&gid=7")]
    [InlineData("https://docs.google.com/spreadsheets/d/1AbC_def-GHIjkl/edit?usp=sharing", "format=csv")]
    [InlineData("https://docs.google.com/spreadsheets/u/1/d/1AbC_def-GHIjkl/view", "format=csv")]
    [InlineData("https://docs.google.com/spreadsheets/d/1AbC_def-GHIjkl", "format=csv")]
    [InlineData("https://docs.google.com/spreadsheets/d/1AbC_def-GHIjkl/edit#gid=42%26format%3Dpdf", "format=csv")]
    public void Link_of_a_google_sheet_leads_to_its_csv(string link, string query) =>
        Assert.Equal($"https://docs.google.com/spreadsheets/d/1AbC_def-GHIjkl/export?{query}",
            FetchManifest.SheetExport(new Uri(link))?.AbsoluteUri);

    [Theory]
    [InlineData("https://docs.google.com/spreadsheets/d/1AbC_def-GHIjkl/export?format=csv")]
    [InlineData("https://docs.google.com/spreadsheets/d/e/2PACX-1v/pub?output=csv")]
    [InlineData("https://docs.google.com/document/d/1AbC_def-GHIjkl/edit")]
    [InlineData("https://docs.google.com.evil.example/spreadsheets/d/1AbC_def-GHIjkl/edit")]
    public void Other_address_is_called_as_it_is(string address) => Assert.Null(FetchManifest.SheetExport(new Uri(address)));

    private async Task<CreatedImport> FetchAsync(
        string address, string? fileName = null, string? key = null, long limit = 10_000_000, TimeProvider? time = null)
    {
        var networks = new SourceNetworks(Options.Create(new SourceOptions { AllowedNetworks = ["127.0.0.0/8"] }));
        using var reach = new ReachSource(networks, Resolve, time ?? TimeProvider.System);
        var fetch = new FetchManifest(reach, new SourceHeaders(database.Contexts, PushUnderTest.Protection, TimeProvider.System),
            new UploadManifest(database.Source, Options.Create(new ManifestOptions { UploadLimitBytes = limit })),
            new CreateImport(database.Contexts, TimeProvider.System), database.Contexts, time ?? TimeProvider.System);
        return await fetch.RunAsync(new NewImport(0, "test") { IdempotencyKey = key }, address, fileName, Token);
    }

    private static Task<IPAddress[]> Resolve(string host, CancellationToken cancellationToken) =>
        Task.FromResult<IPAddress[]>([IPAddress.Parse(host.StartsWith("inside", StringComparison.Ordinal) ? "10.0.0.1" : "127.0.0.1")]);

    private async Task<string> BytesAsync(int importId)
    {
        var manifest = await database.OneAsync<int>("SELECT manifest_id FROM importer.import WHERE id = $1", importId);
        await using var bytes = await new ManifestBytes(database.Source).OpenAsync(manifest, Token);
        using var text = new StreamReader(bytes, Encoding.UTF8);
        return await text.ReadToEndAsync(Token);
    }
}
