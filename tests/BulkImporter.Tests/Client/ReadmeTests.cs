using System.Text.RegularExpressions;
using BulkImporter.Tests.Simulator;
using Cincopa.Client;

namespace BulkImporter.Tests.Client;

/// <summary>The examples of the client's README: they run, and stand there as they stand here.</summary>
public sealed partial class ReadmeTests
{
    private const string apiToken = "1i2";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("|asset.*|", "account AMDASIMULATE")]
    [InlineData("|gallery.*|", "may not upload")]
    public async Task Ask_what_a_token_may_do(string permissions, string expected)
    {
        await using var simulator = await RunningSimulator.StartAsync();
        using var grant = await simulator.Http.PostAsync("/_sim/tokens",
            new StringContent($$"""{"token":"{{apiToken}}","permissions":"{{permissions}}"}"""), Token);
        Assert.Equal(expected, await AskAsync(simulator.Http.BaseAddress!.AbsoluteUri, Token));
    }

    [Theory]
    [InlineData("{}", "imported as ")]
    [InlineData("""{"outcomes":[{"outcome":"missing"}]}""", "failed: SourceNotFound")]
    [InlineData("""{"rules":[{"on":"submit","fault":"quota_exceeded"}]}""", "safe to send again once this is mended: QuotaExceeded")]
    [InlineData("""{"rules":[{"on":"submit","fault":"reply_lost"}]}""", "look for the asset first: ConnectionLost")]
    public async Task Have_a_URL_fetched_and_follow_it(string script, string expected)
    {
        await using var simulator = await RunningSimulator.StartAsync(script);
        using var client = ClientUnderTest.New();
        var pause = () =>
        {
            simulator.Clock.Advance(TimeSpan.FromSeconds(1));
            return Task.CompletedTask;
        };
        Assert.StartsWith(expected, await SubmitAsync(client, new CincopaAccess(simulator.Http.BaseAddress!, apiToken), pause, Token),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Look_through_the_assets()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":0}""");
        using var client = ClientUnderTest.New();
        for (var n = 0; n < 60; n++) await simulator.SubmitAsync($"https://cdn.example.test/{n}/{(n == 3 ? "clip" : "other")}.mp4");
        Assert.Single(await LookAsync(client, new CincopaAccess(simulator.Http.BaseAddress!, apiToken), Token));
    }

    [Fact]
    public void The_examples_of_the_README_are_those_that_run_here()
    {
        var here = Plain(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "ReadmeTests.cs")));
        var examples = Example().Matches(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Cincopa.Client.README.md")));
        Assert.Equal(4, examples.Count);
        Assert.All(examples, example => Assert.Contains(Plain(example.Groups[1].Value), here, StringComparison.Ordinal));
    }

    private static async Task<string> AskAsync(string baseUrl, CancellationToken cancellationToken)
    {
        using var client = new CincopaClient(new CincopaClientOptions(), TimeProvider.System);
        var access = new CincopaAccess(new Uri(baseUrl), apiToken);

        var answer = await client.PingAsync(access, cancellationToken) switch
        {
            PingResult.Ok { Permissions.CanUpload: false } => "may not upload",
            PingResult.Ok ok => $"account {ok.AccountId}",
            PingResult.Failed failed => $"{failed.Error.Kind}: {failed.Error.Message}",
            _ => throw new InvalidOperationException(),
        };
        return answer;
    }

    private static async Task<string> SubmitAsync(
        CincopaClient client, CincopaAccess access, Func<Task> pause, CancellationToken cancellationToken)
    {
        switch (await client.UploadFromUrlAsync(access, "https://cdn.example/clip.mp4", fid: null, cancellationToken))
        {
            case SubmitResult.Accepted accepted:
                return await FollowAsync(client, access, accepted.StatusId, pause, cancellationToken);
            case SubmitResult.Refused refused:
                return $"safe to send again once this is mended: {refused.Error.Kind}";
            case SubmitResult.NeverSent never:
                return $"safe to send again: {never.Error.Kind}";
            case SubmitResult.Unknown unknown:
                return $"look for the asset first: {unknown.Error.Kind}";
            default:
                throw new InvalidOperationException();
        }
    }

    private static async Task<string> FollowAsync(
        CincopaClient client, CincopaAccess access, StatusId ticket, Func<Task> pause, CancellationToken cancellationToken)
    {
        while (true)
        {
            switch (await client.GetUploadStatusAsync(access, ticket, cancellationToken))
            {
                case StatusResult.Done done:
                    return $"imported as {done.Rid}";
                case StatusResult.Failed failed:
                    return $"failed: {failed.Error.Kind}";
            }
            await pause();
        }
    }

    private static async Task<List<RemoteAsset>> LookAsync(CincopaClient client, CincopaAccess access, CancellationToken cancellationToken)
    {
        var found = new List<RemoteAsset>();
        for (var page = 1; ; page++)
        {
            var query = new AssetListQuery { Page = page, ItemsPerPage = 50, BypassCache = true };
            if (await client.ListAssetsAsync(access, query, cancellationToken) is not AssetListResult.Ok ok) break;
            found.AddRange(ok.Items.Where(asset => asset.FileName == "clip.mp4"));
            if (ok.Items.Count == 0 || page >= ok.PagesCount) break;
        }
        return found;
    }

    private static string Plain(string code) => Blank().Replace(code, " ").Trim();

    [GeneratedRegex(@"```csharp\r?\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blank();
}
