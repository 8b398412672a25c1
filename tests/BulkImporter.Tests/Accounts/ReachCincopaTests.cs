using System.Net;
using BulkImporter.Accounts;
using BulkImporter.Sources;
using BulkImporter.Tests.Api;
using BulkImporter.Tests.Client;
using Cincopa.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;

namespace BulkImporter.Tests.Accounts;

/// <summary>Where the client of Cincopa connects to. Every name leads to this machine, but for those that say otherwise.</summary>
public sealed class ReachCincopaTests(ImporterServer importer) : IClassFixture<ImporterServer>
{
    private const string Accepted = """{"success":true,"status_id":"st-1"}""";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(SubmitVerb.Get)]
    [InlineData(SubmitVerb.Post)]
    public async Task A_submit_to_a_name_that_leads_inside_is_provably_never_sent(SubmitVerb verb)
    {
        await using var server = RawServer.Replying(RawServer.Json(200, Accepted));
        using var client = Client(Reach(importer.Database.Source));

        var result = await client.UploadFromUrlAsync(Access(server, "inner.test")
            with
        { SubmitVerb = verb }, "https://cdn.test/a.mp4", null, Stop);

        var error = Assert.IsType<SubmitResult.NeverSent>(result).Error;
        Assert.Equal(
            "inner.test leads to 127.0.0.1, which is not a public address, so nothing was sent. To send there, let the server's operator "
                + "add its network to "
            + "BulkImporter:Sources:AllowedNetworks, or name the address in Cincopa__BaseUrl.", error.Message);
        Assert.Equal((RemoteErrorKind.ConnectionRefused, 0), (error.Kind, server.Connections));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]
    [InlineData("half-inner.test")]
    public async Task No_call_connects_to_an_address_inside_and_the_check_says_why(string host)
    {
        await using var server = RawServer.Replying(RawServer.Json(200, """{"success":true,"accid":"inside"}"""));
        using var client = Client(Reach(importer.Database.Source));
        await importer.Database.SqlAsync("UPDATE importer.account SET base_url = $1 WHERE name = 'default'",
            Access(server, host).BaseUrl.AbsoluteUri);

        var check = await ActivatorUtilities.CreateInstance<CheckAccount>(importer.Services, (ICincopaClient)client)
            .RunAsync("default", Stop);

        Assert.False(check!.Ok);
        Assert.Contains("is not a public address, so nothing was sent", check.Message, StringComparison.Ordinal);
        Assert.Equal(0, server.Connections);
    }

    [Fact]
    public async Task An_address_for_an_upload_that_a_reply_names_passes_the_same_guard()
    {
        await using var inner = RawServer.ReplyingOnceAndClosing(RawServer.Reply(200, "text/plain", "done"));
        await using var server =
            RawServer.Replying(
                RawServer.Json(200, $$"""{"success":true,"upload_url":"http://inner.test:{{inner.BaseUrl.Port}}/post.jpg"}"""));
        using var client = Client(Reach(importer.Database.Source, own: server.BaseUrl.AbsoluteUri));

        var url = Assert.IsType<UploadUrlResult.Ok>(await client.GetUploadUrlAsync(Access(server, "127.0.0.1"), null, Stop)).UploadUrl;
        var pushed = await client.PushRangeAsync(Access(server, "127.0.0.1"), url, new PushRange("a.mp4", "1", 0, 0, 9), (_, _) =>
            Task.CompletedTask, Stop);

        Assert.Contains("nothing was sent", Assert.IsType<PushResult.NeverSent>(pushed).Error.Message, StringComparison.Ordinal);
        Assert.Equal(0, inner.Connections);
    }

    [Fact]
    public async Task The_place_that_the_operator_named_and_the_networks_that_he_allowed_are_reached()
    {
        await using var server = RawServer.Replying(RawServer.Json(200, """{"success":true}"""));
        using var named = Client(Reach(importer.Database.Source, own: server.BaseUrl.AbsoluteUri));
        using var allowed = Client(Reach(importer.Database.Source, allowed: "127.0.0.0/8"));
        await using var other = RawServer.Replying(RawServer.Json(200, """{"success":true}"""));

        Assert.IsType<PingResult.Ok>(await named.PingAsync(Access(server, "127.0.0.1"), Stop));
        Assert.IsType<PingResult.Ok>(await allowed.PingAsync(Access(server, "inner.test"), Stop));
        // Its port is another, so it is another place.
        Assert.IsType<PingResult.Failed>(await named.PingAsync(Access(other, "127.0.0.1"), Stop));
    }

    [Fact]
    public async Task A_worker_reaches_the_place_that_the_environment_of_the_web_named_last_and_no_former_one()
    {
        await using var server = RawServer.Replying(RawServer.Json(200, """{"success":true}"""));
        using var worker = Client(Reach(importer.Database.Source));
        var access = Access(server, "127.0.0.1");

        Assert.IsType<PingResult.Failed>(await worker.PingAsync(access, Stop));
        await WebStartsAsync(access.BaseUrl);
        Assert.IsType<PingResult.Ok>(await worker.PingAsync(access, Stop));
        await WebStartsAsync(null);
        using var later = Client(Reach(importer.Database.Source));
        Assert.IsType<PingResult.Failed>(await later.PingAsync(access, Stop));

        async Task WebStartsAsync(Uri? named)
        {
            var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
            {
                [FirstAccount.TokenVariable] = ClientUnderTest.Token,
                [FirstAccount.BaseUrlKey] = named?.AbsoluteUri,
            }).Build();
            var reach = Reach(importer.Database.Source, own: named?.AbsoluteUri);
            var tokens = importer.Services.GetRequiredService<ProtectToken>();
            var contexts = importer.Database.Contexts;
            await new FirstAccount(contexts, new AddAccount(contexts, tokens, reach, TimeProvider.System),
                new ChangeAccount(contexts, tokens, reach, TimeProvider.System), tokens)
                .EnsureAsync(configuration, Stop);
        }
    }

    [Theory]
    [InlineData("http://api.test/v2/", "GET http://api.test/v2/")]
    [InlineData("https://api.test/v2/", "CONNECT api.test:443")]
    public async Task A_proxy_of_the_environment_may_stand_inside(string address, string line)
    {
        await using var proxy = RawServer.ReplyingOnceAndClosing(RawServer.Reply(403, "text/plain", "no"));
        using var http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            Proxy = new WebProxy($"http://proxy.test:{proxy.BaseUrl.Port}"),
            ConnectCallback = Reach(importer.Database.Source).ConnectAsync,
        });
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        try
        {
            using var response = await http.SendAsync(request, Stop);
        }
        catch (HttpRequestException e)
        {
            Assert.Equal(HttpRequestError.ProxyTunnelError, e.HttpRequestError);
        }

        Assert.StartsWith(line, Assert.Single(proxy.Requests), StringComparison.Ordinal);
    }

    private static CincopaAccess Access(RawServer server, string host) =>
        new(new Uri($"http://{host}:{server.BaseUrl.Port}/v2/"), ClientUnderTest.Token);

    private static CincopaClient Client(ReachCincopa reach) => new(new CincopaClientOptions(), TimeProvider.System, reach.ConnectAsync);

    internal static ReachCincopa Reach(NpgsqlDataSource database, string? own = null, string? allowed = null) => new(
        new SourceNetworks(Options.Create(new SourceOptions { AllowedNetworks = allowed is null ? [] : [allowed] })),
        (name, _) => Task.FromResult<IPAddress[]>(name == "half-inner.test"
            ? [IPAddress.Parse("1.1.1.1"), IPAddress.Loopback] : [IPAddress.Loopback]),
        new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { [FirstAccount.BaseUrlKey] = own })
            .Build(), database.Contexts());
}
