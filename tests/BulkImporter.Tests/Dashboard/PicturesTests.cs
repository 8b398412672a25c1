using BulkImporter.Access;
using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Tests.Api;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Dashboard;

/// <summary>Pictures of other hosts: none until a person turns them on, and then of the named hosts only.</summary>
public sealed class PicturesTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_browser_loads_pictures_only_when_they_were_turned_on_and_only_of_named_hosts()
    {
        var id = await server.Database.ImportAsync(ImportState.Finished, [RecordState.Imported, RecordState.Imported, RecordState.Failed]);
        await server.Database.AddAsync(Seen(id, 1, "https://mediacdn.cincopa.com/1.jpg"), Seen(id, 2, "https://elsewhere.test/2.jpg"));

        var (off, policy) = await GetAsync($"/imports/{id}/records?view=wall", pictures: false);
        Assert.DoesNotContain("<img src=\"https://", off, StringComparison.Ordinal);
        Assert.Contains("img-src 'self' data:;", policy, StringComparison.Ordinal);
        Assert.Contains("Load pictures from Cincopa", off, StringComparison.Ordinal);
        Assert.Contains("1:02", off, StringComparison.Ordinal);
        Assert.Contains("not playable yet", off, StringComparison.Ordinal);

        var (on, policyOn) = await GetAsync($"/imports/{id}/records?view=wall", pictures: true);
        Assert.Contains("<img src=\"https://mediacdn.cincopa.com/1.jpg\"", on, StringComparison.Ordinal);
        Assert.DoesNotContain("elsewhere.test", on, StringComparison.Ordinal);
        Assert.Contains("img-src 'self' data: https://*.cincopa.com;", policyOn, StringComparison.Ordinal);
        Assert.Contains("Hide pictures", on, StringComparison.Ordinal);

        var (record, _) = await GetAsync($"/imports/{id}/records/1", pictures: true);
        Assert.Contains("<img src=\"https://mediacdn.cincopa.com/1.jpg\"", record, StringComparison.Ordinal);
        Assert.Contains("still making its renditions", record, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://*.cincopa.com", "https://a.b.cincopa.com/x.jpg", true)]
    [InlineData("https://*.cincopa.com", "https://cincopa.com/x.jpg", false)]
    [InlineData("https://*.cincopa.com", "https://evilcincopa.com/x.jpg", false)]
    [InlineData("https://*.cincopa.com", "http://a.cincopa.com/x.jpg", false)]
    [InlineData("https://*.cincopa.com", "https://a.cincopa.com:8443/x.jpg", false)]
    [InlineData("https://*.cincopa.com", "https://u@a.cincopa.com/x.jpg", false)]
    [InlineData("https://x.test, http://127.0.0.1:9000", "http://127.0.0.1:9000/x.jpg", true)]
    [InlineData("https://x.test, http://127.0.0.1:9000", "javascript:alert(1)", false)]
    [InlineData("", "https://a.cincopa.com/x.jpg", false)]
    public void A_picture_is_of_a_named_host_or_is_not_shown(string hosts, string url, bool isAllowed) =>
        Assert.Equal(isAllowed, new PictureHosts(Options.Create(new WebOptions { PictureHosts = hosts })).Allow(url));

    [Theory]
    [InlineData("*")]
    [InlineData("https://a.test; script-src *")]
    [InlineData("cincopa.com")]
    [InlineData("https://a.test/path")]
    [InlineData("data:")]
    public void What_is_no_host_gets_into_no_policy(string hosts) => Assert.Null(PictureHosts.Parse(hosts));

    private static RecordAsset Seen(int id, int row, string thumbnail) => new()
    {
        ImportId = id,
        RowNumber = row,
        Rid = $"rid{row}",
        Type = "video",
        Seconds = 62.3,
        ThumbnailUrl = thumbnail,
        Playable = false,
        SeenAt = DateTimeOffset.UnixEpoch,
    };

    private async Task<(string Html, string Policy)> GetAsync(string path, bool pictures)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (pictures) request.Headers.Add("Cookie", $"{PictureHosts.Cookie}=1");
        using var response = await server.Client(server.ViewerKey).SendAsync(request, Token);
        return (await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync(Token),
            response.Headers.GetValues("Content-Security-Policy").Single());
    }
}
