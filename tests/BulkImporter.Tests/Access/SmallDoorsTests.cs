using System.Net;
using BulkImporter.Access;
using BulkImporter.Export;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Records;
using BulkImporter.Tests.Api;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;

namespace BulkImporter.Tests.Access;

/// <summary>Guessing, and what is noted of it, each on a fixture whose limit it may use up.</summary>
public sealed class GuessesTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    [Theory]
    [InlineData("/api/v1/imports")]
    [InlineData("/metrics")]
    public async Task Wrong_keys_and_tokens_are_slowed_down_after_the_limit_and_not_before(string path)
    {
        await using var app = await server.StartAnotherAsync(new() { ["BulkImporter:Telemetry:MetricsToken"] = "a-token-for-scraping" });
        using var client = app.GetTestClient();
        for (var attempt = 1; attempt <= ImporterServer.SignInsPerMinute; attempt++)
            Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync("guess" + attempt)).StatusCode);
        using var slowed = await AskAsync("guess");
        Assert.Equal(HttpStatusCode.TooManyRequests, slowed.StatusCode);
        Assert.NotNull(slowed.Headers.RetryAfter);

        async Task<HttpResponseMessage> AskAsync(string secret)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Authorization = new("Bearer", secret);
            return await client.SendAsync(request, TestContext.Current.CancellationToken);
        }
    }

    [Theory]
    [InlineData("203.0.113.9", "203.0.113.9")]
    [InlineData("::ffff:203.0.113.9", "203.0.113.9")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64")]
    [InlineData("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64")]
    [InlineData("2001:db8:1:3::1", "2001:db8:1:3::/64")]
    public void An_IPv6_network_is_one_caller(string address, string network) =>
        Assert.Equal(network, Guesses.NetworkOf(IPAddress.Parse(address)));
}

public sealed class AuditedDoorsTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    [Fact]
    public async Task Failed_sign_ins_and_links_are_in_the_audit_log()
    {
        await new Browser(server).SignInAsync("my password in the wrong field", "x");
        await new Browser(server).SignInWithKeyAsync("bik_wrong");
        await server.PostAsync(server.ViewerKey, "/api/v1/sign-in-links");
        var log = await server.Database.OneAsync<string>(
            "SELECT string_agg(concat_ws(' ', actor, action, detail), E'\\n') FROM importer.audit_entry");
        Assert.Contains("somebody sign_in_failed with a password", log, StringComparison.Ordinal);
        Assert.Contains("somebody sign_in_failed with an API key", log, StringComparison.Ordinal);
        Assert.Contains("vera sign_in_link_made", log, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong field", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Downloaded_results_and_archives_and_a_sign_out_are_in_the_audit_log()
    {
        var id = await server.Database.ImportAsync(ImportState.Finished, [RecordState.Imported]);
        await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{id}/results?state=imported");
        await server.GetAsync(server.OperatorKey, $"/api/v1/imports/{id}/results?format=jsonl");
        // An archive that breaks off has let a part out: this one does, as the import has no manifest's bytes.
        using (var archive = await server.Client(server.OperatorKey)
            .GetAsync($"/api/v1/imports/{id}/archive", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken)) { }
        await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{id}/archive");
        var browser = new Browser(server);
        await browser.SignInWithKeyAsync(server.ViewerKey);
        await browser.PostAsync("/sign-out", []);

        Assert.Equal(
            ["vera results_exported csv, state imported", "otto results_exported jsonl, all records, with whole source addresses",
                "otto import_archived with whole source addresses"],
            await server.Database.Source.QueryAsync(
                "SELECT concat_ws(' ', actor, action, detail) FROM importer.audit_entry WHERE import_id = $1 ORDER BY id", r =>
                    r.GetString(0), TestContext.Current.CancellationToken, id));
        Assert.Equal("vera",
            await server.Database.OneAsync<string>(
                "SELECT actor FROM importer.audit_entry WHERE action = 'signed_out' ORDER BY id DESC LIMIT 1"));
    }

    [Theory]
    [InlineData("http://localhost/", "/sign-in", false)]
    [InlineData("https://localhost/", "/sign-in", true)]
    [InlineData("https://localhost/", "/api/v1/imports", true)]
    public async Task Answers_are_kept_by_nobody_and_over_https_bind_the_browser_to_https(string address, string path, bool isBound)
    {
        using var client = server.Client(null);
        client.BaseAddress = new Uri(address);
        using var answer = await client.GetAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal(isBound, answer.Headers.Contains("Strict-Transport-Security"));
        Assert.True(answer.Headers.CacheControl!.NoStore);
    }

    [Theory]
    [InlineData("library.csv", "library.csv")]
    [InlineData("../../etc/passwd", "passwd")]
    [InlineData("..\\..\\boot.ini", "boot.ini")]
    [InlineData("..", "manifest.csv")]
    [InlineData("con.csv", "_con.csv")]
    [InlineData("a\nb  c.csv", "a_b  c.csv")]
    [InlineData("x:y|z.csv", "x_y_z.csv")]
    [InlineData("fdp\u202evsc.exe", "fdp_vsc.exe")]
    public void An_archives_entry_has_a_name_that_stays_in_its_folder(string fileName, string entry) =>
        Assert.Equal(entry, ArchiveImport.EntryName(fileName));

    [Theory]
    [InlineData(" =1+1")]
    [InlineData("\u00a0=1+1")]
    [InlineData("\ufeff@cmd")]
    [InlineData(" ' +1+1")]
    [InlineData("\u3000-1+1")]
    public void A_formula_behind_blanks_is_guarded_and_comes_back(string cell)
    {
        Assert.Equal("'" + cell, FormulaGuard.Guard(cell));
        Assert.Equal(cell, FormulaGuard.Unguard("'" + cell));
    }

    [Theory]
    [InlineData("password12345", true)]
    [InlineData("Passw0rd!Passw0rd!", true)]
    [InlineData("123456789012", true)]
    [InlineData("qwertyuiop123", true)]
    [InlineData("aaaaaaaaaaaaa", true)]
    [InlineData("anna-anna-2026", true)]
    [InlineData("Welcome2026!!", true)]
    [InlineData("correct horse battery", false)]
    [InlineData("a longer and newer one", false)]
    [InlineData("tR9$kq-Lm2!x", false)]
    public void What_is_tried_first_is_no_password(string password, bool isCommon) =>
        Assert.Equal(isCommon, RefuseCommonPasswords.IsCommon(password, "anna"));
}

public sealed class FirstKeyEndsTests(ImporterDatabase database) : IClassFixture<ImporterDatabase>
{
    [Theory]
    [InlineData(null)]
    [InlineData("0123456789abcdef")]
    public async Task A_first_key_ends_after_a_month_and_a_restart_lets_somebody_in_again_where_it_was_the_only_way(string? given)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { [FirstKey.Variable] = given }).Build();
        await database.SqlAsync("WITH keys AS (DELETE FROM importer.api_key) DELETE FROM importer.app_user");
        var token = TestContext.Current.CancellationToken;
        var (first, check) = (new FirstKey(database.Contexts, TimeProvider.System), new CheckKey(database.Contexts, TimeProvider.System));
        var secret = (await first.EnsureAsync(configuration, token))!.KeySecret ?? given!;
        Assert.NotNull(await check.RunAsync(secret, token));
        Assert.True(
            await database.OneAsync<bool>(
                "SELECT expires_at BETWEEN now() + interval '29 days' AND now() + interval '30 days' FROM importer.api_key"));

        await database.SqlAsync("UPDATE importer.api_key SET expires_at = now() - interval '1 second'");
        Assert.Null(await check.RunAsync(secret, token));
        var again = (await first.EnsureAsync(configuration, token))!.KeySecret ?? given!;
        Assert.NotNull(await check.RunAsync(again, token));
        Assert.Null(await first.EnsureAsync(configuration, token));
    }
}
