using System.Net;
using System.Security.Claims;
using System.Text.Json.Nodes;
using BulkImporter.Access;
using BulkImporter.Dashboard;
using BulkImporter.Tests.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.Extensions.DependencyInjection;

namespace BulkImporter.Tests.Access;

/// <summary>Sessions are rows: what ends one, and that nothing else keeps a cookie alive.</summary>
public sealed class SessionTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    private const string Password = "correct horse battery";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_copied_cookie_opens_nothing_after_its_session_was_signed_out()
    {
        var (here, there) = (await JoinAsync("anna"), new Browser(server));
        await there.SignInAsync("anna", Password);
        var copy = here.Cookies;
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(copy));

        await here.PostAsync("/sign-out", []);

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(copy));
        Assert.Equal(200, (await there.GetAsync("/api/v1/imports")).Status);
        Assert.Equal(1L,
            await server.Database.OneAsync<long>(
                "SELECT count(*) FROM importer.audit_entry WHERE actor = 'anna' AND action = 'signed_out'"));
    }

    [Fact]
    public async Task A_session_is_listed_with_where_it_came_from_and_ended_by_its_owner_or_an_admin_and_by_nobody_else()
    {
        var (bert, carl) = (await JoinAsync("bert"), await JoinAsync("carl"));
        var (check, end) = (server.Services.GetRequiredService<CheckSession>(), server.Services.GetRequiredService<EndSession>());
        var (first, second) = (await CallerAsync("bert"), await CallerAsync("carl"));
        var listed = Assert.Single(await check.ListAsync(first, Token));
        Assert.Equal(("bert", "with a password link"), (listed.Name, listed.How));
        Assert.True((await check.ListAsync(null, Token)).Count >= 2);

        await end.RunAsync(listed.Id, second, Token);
        Assert.Equal(200, (await bert.GetAsync("/api/v1/imports")).Status);
        await end.RunAsync(listed.Id, first, Token);
        Assert.Equal(401, (await bert.GetAsync("/api/v1/imports")).Status);
        await end.RunAsync((await check.ListAsync(second, Token))[0].Id, new Caller("ada", Role.Admin, KeyId: 0), Token);
        Assert.Equal(401, (await carl.GetAsync("/api/v1/imports")).Status);
        Assert.Equal("bert carl",
            await server.Database.OneAsync<string>(
                "SELECT string_agg(detail, ' ' ORDER BY id) FROM importer.audit_entry WHERE action = 'session_ended' AND detail IN "
                    + "('bert', 'carl')"));
    }

    [Theory]
    [InlineData("began_at", 7 * 24)]
    [InlineData("seen_at", 12)]
    public async Task A_session_ends_at_its_age_and_when_nobody_has_used_it_for_long(string column, int hours)
    {
        var name = "dora" + column.Replace("_", "", StringComparison.Ordinal);
        var browser = await JoinAsync(name);
        await AgeAsync(hours * 60 - 2);
        Assert.Equal(200, (await browser.GetAsync("/api/v1/imports")).Status);
        await AgeAsync(hours * 60 + 2);
        Assert.Equal(401, (await browser.GetAsync("/api/v1/imports")).Status);

        Task AgeAsync(int minutes) => server.Database.SqlAsync(
            $"UPDATE importer.session SET {column} = now() - make_interval(mins => {minutes}) WHERE user_id = (SELECT id FROM "
                + $"importer.app_user WHERE user_name = '{name}')");
    }

    [Theory]
    [InlineData("GET", "/imports/1", true)]
    [InlineData("POST", "/_blazor/negotiate?negotiateVersion=1", false)]
    [InlineData("GET", "/_blazor?id=x", false)]
    [InlineData("POST", "/hangfire/stats", false)]
    [InlineData("GET", "/hangfire/imports/live", false)]
    [InlineData("GET", "/hangfire/imports", true)]
    public async Task An_open_page_alone_does_not_keep_a_session_alive(string method, string path, bool isUse)
    {
        var name = $"hugo{method}{path.Length}";
        var browser = await JoinAsync(name);
        var who = $"user_id = (SELECT id FROM importer.app_user WHERE user_name = '{name}')";
        await server.Database.SqlAsync($"UPDATE importer.session SET seen_at = now() - interval '1 hour' WHERE {who}");
        using var request = new HttpRequestMessage(new(method), path) { Headers = { { "Cookie", browser.Cookies } } };
        using var answer = await server.Client(null).SendAsync(request, Token);
        Assert.NotEqual(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal(isUse ? 0.0 : 1.0, await server.Database.OneAsync<double>(
            $"SELECT round(extract(epoch FROM now() - seen_at) / 3600)::float8 FROM importer.session WHERE {who}"));
    }

    [Fact]
    public async Task The_limits_are_settings()
    {
        var browser = await JoinAsync("emil");
        await using var strict = await server.StartAnotherAsync(new() { ["BulkImporter:Access:SessionIdle"] = "00:10:00" });
        await server.Database.SqlAsync("UPDATE importer.session SET seen_at = now() - interval '11 minutes'");
        Assert.Equal(401, (await browser.GetAsync("/api/v1/imports", strict)).Status);
    }

    [Theory]
    [InlineData("role")]
    [InlineData("password")]
    [InlineData("everywhere")]
    public async Task Links_that_were_made_before_a_new_password_or_role_open_nothing(string what)
    {
        var name = "fred-" + what;
        var browser = await JoinAsync(name);
        async Task<string> MakeAsync() =>
            new Uri((string)JsonNode.Parse((await browser.PostAsync("/api/v1/sign-in-links", [])).Body)!["url"]!).PathAndQuery;
        var (signIn, used) = (await MakeAsync(), await MakeAsync());
        Assert.Equal(302, (await new Browser(server).FollowLinkAsync(used)).Status);
        var (_, made) = await server.PostAsync(server.AdminKey, $"/api/v1/users/{name}/password-link");
        var choose = new Uri((string)made!["url"]!).PathAndQuery;
        Assert.Equal((200, 200),
            ((await new Browser(server).GetAsync(signIn)).Status, (await new Browser(server).GetAsync(choose)).Status));

        const string Next = "a longer and newer one";
        if (what == "role")
            await server.SendAsync(server.AdminKey, HttpMethod.Patch, $"/api/v1/users/{name}",
                new StringContent("""{"role":"operator"}""", null, "application/json"));
        else if (what == "password")
            await browser.FillAsync("/change-password", "/change-password", new()
            { ["present"] = Password, ["password"] = Next, ["again"] = Next });
        else await server.Services.GetRequiredService<EndSessions>().RunAsync((await CallerAsync(name)).UserId!.Value, Token);

        Assert.Equal((400, 400),
            ((await new Browser(server).FollowLinkAsync(signIn)).Status, (await new Browser(server).GetAsync(choose)).Status));
        // One that is made afterwards does, and an unlock takes none away.
        (_, made) = await server.PostAsync(server.AdminKey, $"/api/v1/users/{name}/password-link");
        await server.SendAsync(server.AdminKey, HttpMethod.Patch, $"/api/v1/users/{name}",
            new StringContent("""{"locked":false}""", null, "application/json"));
        Assert.Equal(200, (await new Browser(server).GetAsync(new Uri((string)made!["url"]!).PathAndQuery)).Status);
    }

    [Theory]
    [InlineData("revoked")]
    [InlineData("ended")]
    [InlineData("expired")]
    public async Task An_open_page_gives_no_order_once_its_key_or_session_is_over(string what)
    {
        var key = await server.Services.GetRequiredService<MakeKey>()
            .RunAsync("open page " + what, Role.Admin, DateTimeOffset.UtcNow.AddHours(1), "test", Token);
        var browser = new Browser(server);
        await browser.SignInWithKeyAsync(key.Secret);
        var session = (await server.Services.GetRequiredService<CheckSession>()
            .ListAsync(new Caller("", Role.Admin, KeyId: key.Key.Id), Token)).Single();

        // A page as it stands open: who opened it was looked at long ago.
        await using var circuit = server.Services.CreateAsyncScope();
        var page = circuit.ServiceProvider.GetRequiredService<SessionRevalidation>();
        page.SetAuthenticationState(
            Task.FromResult(
                new AuthenticationState(
                    Identities.Of(new Caller(key.Key.Name, Role.Admin, KeyId: key.Key.Id, SessionId: session.Id), "Cookies"))));
        Assert.True((await page.CurrentAsync(Token)).Identity!.IsAuthenticated);

        if (what == "revoked") await server.Services.GetRequiredService<RevokeKey>().RunAsync(key.Key.Id, "test", Token);
        else if (what == "ended")
            await server.Services.GetRequiredService<EndSession>().RunAsync(session.Id, new Caller("ada", Role.Admin, KeyId: 0), Token);
        else await server.Database.SqlAsync("UPDATE importer.api_key SET expires_at = now() - interval '1 second' WHERE id = $1",
            key.Key.Id);

        ClaimsPrincipal now = await page.CurrentAsync(Token);
        Assert.False(now.Identity!.IsAuthenticated);
        Assert.False((await page.GetAuthenticationStateAsync()).User.Identity!.IsAuthenticated);
    }

    [Fact]
    public void Every_order_of_a_page_asks_who_acts_at_the_deed()
    {
        // Who acts comes from DashboardPage alone, which asks the database: nothing else on the pages reads the name that an open page was
        // opened with.
        var pages = Directory.EnumerateFiles(Path.Combine(Repository.Root, "src/BulkImporter/Dashboard"), "*.razor").ToList();
        Assert.True(pages.Count > 20);
        Assert.DoesNotContain(pages, p => File.ReadAllText(p).Contains(".Actor()", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Whoever_has_lost_every_role_at_the_provider_is_signed_out_here_too()
    {
        await using var provider = await IdentityProvider.StartAsync();
        await using var app = await server.StartAnotherAsync(new()
        {
            ["BulkImporter:OpenIdConnect:Authority"] = provider.Address,
            ["BulkImporter:OpenIdConnect:ClientId"] = IdentityProvider.ClientId,
            ["BulkImporter:OpenIdConnect:ClientSecret"] = IdentityProvider.ClientSecret,
            ["BulkImporter:OpenIdConnect:Operators:0"] = "importers",
        });
        var browser = new Browser(server);
        await EnterAsync(browser, app, "importers");
        Assert.Equal(200, (await browser.GetAsync("/api/v1/imports", app)).Status);

        Assert.Equal("/sign-in?refused=no_role", await EnterAsync(new Browser(server), app, "others"));

        Assert.Equal(401, (await browser.GetAsync("/api/v1/imports", app)).Status);

        async Task<string?> EnterAsync(Browser with, WebApplication at, string role)
        {
            provider.Person.Clear();
            provider.Person.AddRange([new("sub", "s-9"), new("preferred_username", "greta"), new("roles", role)]);
            var there = (await with.GetAsync("/sign-in/provider", at)).Location!;
            using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
            using var back = await http.GetAsync(there, Token);
            return (await with.GetAsync(back.Headers.Location!.PathAndQuery, at)).Location;
        }
    }

    /// <summary>A new viewer's browser, signed in by the invitation.</summary>
    private async Task<Browser> JoinAsync(string name)
    {
        var (_, added) = await server.PostAsync(server.AdminKey, "/api/v1/users", $$"""{"name":"{{name}}","role":"viewer"}""");
        var browser = new Browser(server);
        await browser.FillAsync(new Uri((string)added!["link"]!["url"]!).PathAndQuery, "/choose-password", new()
        { ["password"] = Password, ["again"] = Password });
        return browser;
    }

    private async Task<Caller> CallerAsync(string name) =>
        new(name, Role.Viewer, UserId: await server.Database.OneAsync<int>("SELECT id FROM importer.app_user WHERE user_name = $1", name));

    private async Task<HttpStatusCode> StatusAsync(string cookies)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/imports");
        request.Headers.Add("Cookie", cookies);
        using var answer = await server.Client(null).SendAsync(request, Token);
        return answer.StatusCode;
    }
}
