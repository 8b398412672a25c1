using System.Net;
using BulkImporter.Access;
using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Tests.Api;
using Microsoft.Extensions.DependencyInjection;

namespace BulkImporter.Tests.Dashboard;

/// <summary>
/// Accounts, people, API keys, audit log: who sees what. What the buttons do is shown by the operations' own tests and in the browser.
/// </summary>
public sealed class PeoplePagesTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/people")]
    [InlineData("/keys")]
    [InlineData("/audit")]
    public async Task Pages_of_an_admin_are_refused_to_everybody_else(string page)
    {
        foreach (var key in new[] { server.ViewerKey, server.OperatorKey })
        {
            var (status, html) = await GetAsync(key, page);
            Assert.Equal(HttpStatusCode.Forbidden, status);
            Assert.Contains("Your role does not allow this", html, StringComparison.Ordinal);
        }
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(server.AdminKey, page)).Status);
        using var nobody = await server.Client(null).GetAsync(page, Token);
        Assert.Equal("/sign-in", nobody.Headers.Location?.AbsolutePath);
    }

    [Fact]
    public async Task An_account_is_seen_by_all_and_offers_each_role_what_it_may_do()
    {
        await server.Database.SqlAsync(
            "UPDATE importer.account SET state = 'suspended', reason = 'Cincopa rejected the token.' WHERE name = 'default'");
        string[] all = ["check-account", "resume-account", "change-limits", "replace-token", "add-account"];
        foreach (var (key, offered) in new[] { (server.ViewerKey, 0), (server.OperatorKey, 2), (server.AdminKey, 5) })
        {
            var (_, html) = await GetAsync(key, "/accounts");
            Assert.Contains("Cincopa rejected the token.", html, StringComparison.Ordinal);
            Assert.Equal(all.Take(offered), all.Where(a => html.Contains($"data-testid=\"{a}\"", StringComparison.Ordinal)));
        }
        await server.Database.SqlAsync("UPDATE importer.account SET state = 'active', reason = NULL WHERE name = 'default'");
        Assert.DoesNotContain("data-testid=\"resume-account\"", (await GetAsync(server.AdminKey, "/accounts")).Html,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_account_shows_what_is_in_flight_and_outstanding_now()
    {
        await server.Database.ImportAsync(ImportState.Running,
            [RecordState.Submitting, RecordState.Submitting, RecordState.Submitted, RecordState.Imported, RecordState.Pending]);
        await server.Database.ImportAsync(ImportState.Paused, [RecordState.Submitted]);
        var (_, account) = await server.GetAsync(server.ViewerKey, "/api/v1/accounts/default");
        Assert.Equal((2, 2), ((int)account!["inFlight"]!, (int)account["outstanding"]!));
        var html = (await GetAsync(server.ViewerKey, "/accounts")).Html.ReplaceLineEndings(" ");
        Assert.Matches("data-testid=\"backlog\">.*?<b>4</b> \\(at most 1,000\\)", html);
        // Records and calls are two things: there may be more records at work than calls.
        Assert.Matches("data-testid=\"sending\">.*?<b>2 records</b>", html);
        Assert.Matches("data-testid=\"calls\">.*?<span>at most 5</span>", html);
        Assert.DoesNotContain(" of 5", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_shows_its_beginning_and_never_its_secret()
    {
        var key = await server.Services.GetRequiredService<MakeKey>()
            .RunAsync("shown", Role.Viewer, DateTimeOffset.UtcNow.AddDays(1), "test", Token);
        var (_, html) = await GetAsync(server.AdminKey, "/keys");
        Assert.Contains(key.Key.Prefix, html, StringComparison.Ordinal);
        Assert.DoesNotContain(key.Secret, html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_audit_log_shows_what_its_address_selects()
    {
        await server.PostAsync(server.OperatorKey, "/api/v1/accounts/default/resume");
        await server.PostAsync(server.AdminKey, "/api/v1/accounts/default/resume");
        var (_, html) = await GetAsync(server.AdminKey, "/audit?actor=otto&account=default");
        Assert.Contains("<b>otto</b>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>ada</b>", html, StringComparison.Ordinal);
        Assert.Contains("data-testid=\"no-entries\"", (await GetAsync(server.AdminKey, "/audit?actor=otto&import=999")).Html,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_own_password_is_offered_to_who_has_one()
    {
        var (_, html) = await GetAsync(server.ViewerKey, "/me");
        Assert.Contains("an API key", html, StringComparison.Ordinal);
        Assert.DoesNotContain("data-testid=\"change-password\"", html, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(server.ViewerKey, "/change-password")).Status);
    }

    private async Task<(HttpStatusCode Status, string Html)> GetAsync(string key, string path)
    {
        using var answer = await server.Client(key).GetAsync(path, Token);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Token));
    }
}
