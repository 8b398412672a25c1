using System.Text;
using System.Text.Json.Nodes;
using BulkImporter.Accounts;
using BulkImporter.Parse;
using BulkImporter.Records;
using BulkImporter.Tests.Api;
using Cincopa.Client;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace BulkImporter.Tests.Records;

/// <summary>What a viewer reads and finds: never a secret that stands in an address.</summary>
public sealed class SearchTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    private const string Secret = "s3cr3t77";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Addresses => [
        $"https://b.s3.amazonaws.com/k.mp4?X-Amz-Expires=60&X-Amz-Signature={Secret}",
        $"https://d.cloudfront.net/k.mp4?Policy=x{Secret}&Signature={Secret}&Key-Pair-Id={Secret}",
        $"https://a.blob.core.windows.net/c/k.mp4?se=2099&sig={Secret}%3D",
        $"https://cdn.example.com/k.mp4?TOKEN={Secret}&id=7",
        $"https://cdn.example.com/k.mp4?x=1;hdnts={Secret}",
        $"https://cdn.example.com/k.mp4?auth_key={Secret}",
        $"https://cdn.example.com/go?next=https%3A%2F%2Fb%2Fk%3Ftoken%3D{Secret}%26a%3D1",
    ];

    [Theory]
    [MemberData(nameof(Addresses))]
    public async Task A_secret_is_neither_shown_nor_found_sign_by_sign_wherever_its_address_stands(string address)
    {
        var csv =
            $"url,caption,reference_id,poster,as in {address}\n{address},see "
                + $"{address},{address},{address},\nhttps://plain.example/{Guid.NewGuid():N}.mp4,plain,,,\n";
        var (_, made) = await server.SendAsync(server.OperatorKey, HttpMethod.Post,
            "/api/v1/imports?fileName=m.csv&alreadyImported=import&map=", new StringContent(csv, Encoding.UTF8, "text/csv"));
        var id = (int)made!["id"]!;
        await ActivatorUtilities.CreateInstance<ParseManifest>(server.Services).RunAsync(id, "manifest", Token);

        foreach (var path in new[] { "preview", "records", "records/1", "findings", "results", "results?format=jsonl" })
        {
            using var answer = await server.Client(server.ViewerKey).GetAsync($"/api/v1/imports/{id}/{path}", Token);
            Assert.Equal((path, 200), (path, (int)answer.StatusCode));
            Assert.DoesNotContain(Secret, await answer.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        }
        // An operator's file is whole: it can be uploaded again.
        Assert.Contains(Secret, await server.Client(server.OperatorKey)
            .GetStringAsync($"/api/v1/imports/{id}/results", Token), StringComparison.Ordinal);

        foreach (var guess in Enumerable.Range(1, Secret.Length).Select(n => Secret[..n]).Append(address))
        {
            Assert.Empty(await FoundAsync($"records?search={Uri.EscapeDataString("=" + guess)}"));
            if (guess.Length > 2) Assert.Empty(await FoundAsync($"records?search={Uri.EscapeDataString(guess)}"));
            var results = await server.Client(server.ViewerKey)
                .GetStringAsync(
                    $"/api/v1/imports/{id}/results?format=jsonl&search={Uri.EscapeDataString(guess.Length > 2 ? guess : "=" + guess)}",
                    Token);
            Assert.Empty(results);
        }
        // What is shown is found.
        Assert.Single(await FoundAsync($"records?search={Uri.EscapeDataString(Redact.Secrets(address)[..30].ToUpperInvariant())}"));

        async Task<JsonArray> FoundAsync(string path) =>
            (await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{id}/{path}")).Body!["items"]!.AsArray();
    }

    [Theory]
    [MemberData(nameof(Addresses))]
    [InlineData("https://ann:pa55@host.test/a.mp4")]
    [InlineData("input=https%3A%2F%2Fann%3Apa55%40host.test%2Fa.mp4")]
    [InlineData("""{"api_token" : "999iother"}""")]
    [InlineData("""{"u":"x?a=1\u0026api_token=999i\u0026b=2"}""")]
    [InlineData("https://cdn.test/a%20b.mp4?width=10&id=5&end=3&method=GET&Expires=9")]
    [InlineData("x?next=%252Fv2%253Fapi_token%253D999i%2526b%253D2")]
    [InlineData("it's (token=a) <sig=b> 100% # d=1")]
    public async Task The_database_hides_what_the_program_hides(string text)
    {
        await using var db = server.Database.Contexts.CreateDbContext();
        Assert.Equal(Redact.Secrets(text), await db.Set<Account>().Select(a => RecordFilter.WithoutSecrets(text)).FirstAsync(Token));
    }
}
