using Cincopa.Client;

namespace BulkImporter.Tests.Client;

/// <summary>A client, its access to a server, and the token that may show nowhere.</summary>
internal static class ClientUnderTest
{
    public const string Token = "1234567iq8w7e6r5t4y3u2i1o0p9";

    public static readonly StatusId Ticket = new("st-1");

    public static CincopaClient New(TimeProvider? clock = null, CincopaClientOptions? options = null) =>
        new(options ?? new CincopaClientOptions(), clock ?? TimeProvider.System);

    public static CincopaAccess To(RawServer server) => new(server.BaseUrl, Token);

    /// <summary>What one submit makes of a server that always replies with these bytes.</summary>
    public static async Task<SubmitResult> SubmitAsync(string reply)
    {
        await using var server = RawServer.ReplyingOnceAndClosing(reply);
        using var client = New();
        var result = await client.UploadFromUrlAsync(To(server), "https://cdn.test/a.mp4", null, CancellationToken.None);
        Assert.Single(server.Requests);
        Assert.DoesNotContain(Token, result.ToString(), StringComparison.OrdinalIgnoreCase);
        return result;
    }

    /// <summary>What one status call makes of a server that always replies with these bytes.</summary>
    public static async Task<StatusResult> StatusAsync(string reply)
    {
        await using var server = RawServer.ReplyingOnceAndClosing(reply);
        using var client = New();
        var result = await client.GetUploadStatusAsync(To(server), Ticket, CancellationToken.None);
        Assert.DoesNotContain(Token, result.ToString(), StringComparison.OrdinalIgnoreCase);
        return result;
    }
}
