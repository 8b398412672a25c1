using System.Net;
using BulkImporter.Cli;

namespace BulkImporter.Tests.Cli;

public sealed class MapVerbTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Several_imports_become_one_file_and_what_is_not_in_it_is_told()
    {
        using var run = new CliRun();
        const string Query = @"\?import=7&import=8&format=nginx&page=%2Fwatch%2F%7Brid%7D";
        run.Api.On(HttpMethod.Get, "/api/v1/map/check" + Query, """{"addresses":1200,"repeated":1,"withoutTarget":2,"withoutAddress":0}""");
        run.Api.On(HttpMethod.Get, "/api/v1/map" + Query, () => new HttpResponseMessage { Content = new StringContent("map $host$request_uri") });
        var file = folder.File("old.conf");

        Assert.Equal(ExitCode.Done, await run.RunAsync("map", "7", "8", "--format", "nginx", "--page", "/watch/{rid}", "-o", file));

        Assert.Equal("map $host$request_uri", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
        Assert.Contains("old.conf: 1,200 old addresses. 1 row repeats the address and the asset of another row. 2 rows are left out because "
            + "their assets have no such address.", run.Error);
    }

    [Fact]
    public async Task A_refused_map_leaves_no_file()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, @"/api/v1/map/check\?import=7&format=csv", () =>
            FakeApi.Problem(HttpStatusCode.Conflict, "No map", "1 old address leads to more than one asset: o.test/a."));
        var file = folder.File("old.csv");

        Assert.Equal(ExitCode.Refused, await run.RunAsync("map", "7", "-o", file));

        Assert.False(File.Exists(file));
        Assert.Contains("o.test/a", run.Error);
    }
}
