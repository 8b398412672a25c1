using BulkImporter.Accounts;
using BulkImporter.Reconcile;
using BulkImporter.Sources;
using BulkImporter.Tests.Client;
using BulkImporter.Tests.Dispatch;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Reconcile;

public sealed class LookAtSourceTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Size_and_type_are_asked_of_the_source_by_its_first_byte_and_only_of_a_web_address()
    {
        await using var server = new RawServer(async connection =>
        {
            while (await connection.ReadRequestAsync() is { } request)
                await connection.WriteAsync(request.Contains("/gone.mp4", StringComparison.Ordinal)
                    ? RawServer.Html(404, "gone") : RawServer.Reply(206, "video/mp4", "a", "Content-Range: bytes 0-0/2048\r\n"));
        });
        var id = await database.ImportAsync();
        string[] urls =
            [new Uri(server.BaseUrl, "/clip.mp4").AbsoluteUri, new Uri(server.BaseUrl, "/gone.mp4").AbsoluteUri, "file:///srv/a.mp4"];
        await database.SqlAsync("UPDATE importer.import_record SET source_url = ($2::text[])[row_number] WHERE import_id = $1", id, urls);
        using var reach = new ReachSource(new SourceNetworks(Options.Create(new SourceOptions { AllowedNetworks = ["127.0.0.1/32"] })),
            (_, _) => throw new NotSupportedException(), TimeProvider.System);
        var look = new LookAtSource(database.Contexts, reach,
            new SourceHeaders(database.Contexts, PushUnderTest.Protection, TimeProvider.System));

        Assert.Equal(new SourceView(2048, "video/mp4", null), await look.RunAsync(id, 1, Token));
        Assert.Contains("404", (await look.RunAsync(id, 2, Token))!.Problem, StringComparison.Ordinal);
        Assert.Null(await look.RunAsync(id, 3, Token));
        Assert.Null(await look.RunAsync(id, 4, Token));
        Assert.All(server.Requests, request => Assert.Contains("Range: bytes=0-0", request, StringComparison.Ordinal));
    }
}
