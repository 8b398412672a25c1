using System.Net;
using BulkImporter.Access;
using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Tests.Api;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace BulkImporter.Tests.Access;

public sealed class AccessTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET", "/api/v1/imports", Role.Viewer)]
    [InlineData("POST", "/api/v1/imports/1/start", Role.Operator)]
    [InlineData("POST", "/api/v1/imports/1/cancel", Role.Operator)]
    [InlineData("POST", "/api/v1/imports/1/rerun", Role.Operator)]
    [InlineData("POST", "/api/v1/imports/1/records/1/give-up", Role.Operator)]
    [InlineData("POST", "/api/v1/imports/1/undo", Role.Admin)]
    [InlineData("PATCH", "/api/v1/imports/1", Role.Operator)]
    [InlineData("GET", "/api/v1/imports/1/preview", Role.Viewer)]
    [InlineData("GET", "/api/v1/accounts", Role.Viewer)]
    [InlineData("POST", "/api/v1/accounts/x/resume", Role.Operator)]
    [InlineData("PATCH", "/api/v1/accounts/x", Role.Admin)]
    [InlineData("GET", "/api/v1/keys", Role.Admin)]
    [InlineData("POST", "/api/v1/keys", Role.Admin)]
    [InlineData("DELETE", "/api/v1/keys/999999", Role.Admin)]
    [InlineData("POST", "/api/v1/accounts", Role.Admin)]
    [InlineData("POST", "/api/v1/accounts/x/check", Role.Operator)]
    [InlineData("GET", "/api/v1/users", Role.Admin)]
    [InlineData("GET", "/api/v1/users/x", Role.Admin)]
    [InlineData("POST", "/api/v1/users", Role.Admin)]
    [InlineData("PATCH", "/api/v1/users/x", Role.Admin)]
    [InlineData("POST", "/api/v1/users/x/password-link", Role.Admin)]
    [InlineData("DELETE", "/api/v1/users/x", Role.Admin)]
    [InlineData("GET", "/api/v1/audit", Role.Admin)]
    [InlineData("POST", "/api/v1/sign-in-links", Role.Viewer)]
    public async Task A_role_opens_what_it_may_and_nothing_above(string method, string path, Role least)
    {
        foreach (var (key, role) in new[] { (server.ViewerKey, Role.Viewer), (server.OperatorKey, Role.Operator),
            (server.AdminKey, Role.Admin) })
        {
            var (status, _) = await server.SendAsync(key, new HttpMethod(method), path, new StringContent("{}", null, "application/json"));
            if (role >= least) Assert.DoesNotContain(status, new[] { 401, 403, 500 });
            else Assert.Equal(403, status);
        }
        Assert.Equal(401, (await server.SendAsync(null, new HttpMethod(method), path)).Status);
        Assert.Equal(401, (await server.SendAsync("bik_wrong", new HttpMethod(method), path)).Status);
    }

    [Theory]
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    [InlineData("/sign-in")]
    public async Task Probes_and_the_way_in_are_open(string path) =>
        Assert.Equal(HttpStatusCode.OK, (await server.Client(null).GetAsync(path, Token)).StatusCode);

    [Fact]
    public async Task A_refusal_is_a_problem_that_tells_how_to_give_a_key()
    {
        var (status, problem) = await server.GetAsync(null, "/api/v1/imports");
        Assert.Equal((401, "key-needed"), (status, (string?)problem!["type"]));
        (status, problem) = await server.PostAsync(server.ViewerKey, "/api/v1/imports/1/start");
        Assert.Equal((403, "role-too-low"), (status, (string?)problem!["type"]));
    }

    [Fact]
    public async Task A_key_works_until_it_expires_or_is_revoked_and_its_secret_is_stored_nowhere()
    {
        var make = server.Services.GetRequiredService<MakeKey>();
        var key = await make.RunAsync("short", Role.Viewer, DateTimeOffset.UtcNow.AddHours(1), "test", Token);
        Assert.Equal(200, (await server.GetAsync(key.Secret, "/api/v1/imports")).Status);
        Assert.DoesNotContain(key.Secret,
            await server.Database.OneAsync<string>("SELECT string_agg(k::text, ' ') FROM importer.api_key k"), StringComparison.Ordinal);

        await server.Database.SqlAsync("UPDATE importer.api_key SET expires_at = now() - interval '1 second' WHERE id = $1", key.Key.Id);
        Assert.Equal(401, (await server.GetAsync(key.Secret, "/api/v1/imports")).Status);

        var other = await make.RunAsync("revoked", Role.Viewer, null, "test", Token);
        Assert.Equal(204, (await server.SendAsync(server.AdminKey, HttpMethod.Delete, $"/api/v1/keys/{other.Key.Id}")).Status);
        Assert.Equal(401, (await server.GetAsync(other.Secret, "/api/v1/imports")).Status);
        Assert.Equal(404, (await server.SendAsync(server.AdminKey, HttpMethod.Delete, $"/api/v1/keys/{other.Key.Id}")).Status);
    }

    [Fact]
    public async Task A_browser_signs_in_with_a_key_and_its_session_ends_with_the_key()
    {
        var key = await server.Services.GetRequiredService<MakeKey>().RunAsync("browser", Role.Operator, null, "test", Token);
        var browser = new Browser(server);
        Assert.Equal(401, (await browser.GetAsync("/api/v1/imports")).Status);

        var (status, _, location) = await browser.SignInWithKeyAsync(key.Secret, "/imports/7");
        Assert.Equal((302, "/imports/7"), (status, location));
        Assert.Equal(200, (await browser.GetAsync("/api/v1/imports")).Status);

        await server.Services.GetRequiredService<RevokeKey>().RunAsync(key.Key.Id, "test", Token);
        Assert.Equal(401, (await browser.GetAsync("/api/v1/imports")).Status);
    }

    [Theory]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example/")]
    [InlineData("/\\evil.example/")]
    public async Task Signing_in_leads_to_a_page_of_ours_only(string returnUrl)
    {
        var (_, _, location) = await new Browser(server).SignInWithKeyAsync(server.ViewerKey, returnUrl);
        Assert.Equal("/", location);
    }

    [Fact]
    public async Task A_wrong_key_or_a_form_from_elsewhere_signs_nobody_in()
    {
        var browser = new Browser(server);
        Assert.Equal(400, (await browser.SignInWithKeyAsync("bik_wrong")).Status);
        Assert.Equal(400, (await browser.PostAsync("/sign-in", new() { ["key"] = server.AdminKey })).Status);
        Assert.Equal(401, (await browser.GetAsync("/api/v1/imports")).Status);
    }

    [Fact]
    public async Task A_link_signs_in_once_as_who_made_it_and_the_session_ends_with_that_key()
    {
        var key = await server.Services.GetRequiredService<MakeKey>().RunAsync("terminal", Role.Viewer, null, "test", Token);
        var (_, body) = await server.PostAsync(key.Secret, "/api/v1/sign-in-links");
        var link = new Uri((string)body!["url"]!).PathAndQuery;
        var first = new Browser(server);
        // The link alone signs nobody in: it says as whom, and waits for the button.
        var (status, page, _) = await first.GetAsync(link);
        Assert.Equal(200, status);
        Assert.Contains("Continue as terminal", page, StringComparison.Ordinal);
        Assert.Equal(401, (await first.GetAsync("/api/v1/imports")).Status);
        Assert.Equal(400, (await first.PostAsync("/sign-in/once", new() { ["code"] = link.Split('=')[1] })).Status);
        Assert.Equal(302, (await first.FollowLinkAsync(link)).Status);
        Assert.Equal(200, (await first.GetAsync("/api/v1/imports")).Status);
        Assert.Equal(403, (await first.GetAsync("/api/v1/keys")).Status);
        var second = new Browser(server);
        Assert.Equal(400, (await second.FollowLinkAsync(link)).Status);
        Assert.Equal(401, (await second.GetAsync("/api/v1/imports")).Status);

        await server.Services.GetRequiredService<RevokeKey>().RunAsync(key.Key.Id, "test", Token);
        Assert.Equal(401, (await first.GetAsync("/api/v1/imports")).Status);
    }

    [Fact]
    public async Task A_link_is_too_old_after_its_time()
    {
        var (_, body) = await server.PostAsync(server.AdminKey, "/api/v1/sign-in-links");
        await server.Database.SqlAsync("UPDATE importer.sign_in_link SET expires_at = now() - interval '1 second'");
        Assert.Equal(400, (await new Browser(server).GetAsync(new Uri((string)body!["url"]!).PathAndQuery)).Status);
    }

    [Fact]
    public async Task A_session_is_hidden_from_scripts_and_kept_to_https_where_there_is_https()
    {
        async Task<List<string>> CookiesAsync(string address)
        {
            var browser = new Browser(server, address);
            await browser.SignInWithKeyAsync(server.ViewerKey);
            Assert.Equal(200, (await browser.GetAsync("/api/v1/imports")).Status);
            return browser.Received;
        }

        var plain = await CookiesAsync("http://localhost/");
        Assert.Contains(plain, c => c.StartsWith("bulkimporter=", StringComparison.Ordinal));
        Assert.All(plain, c => Assert.DoesNotContain("secure", c, StringComparison.OrdinalIgnoreCase));
        var safe = await CookiesAsync("https://localhost/");
        Assert.Contains(safe, c => c.StartsWith("__Host-bulkimporter=", StringComparison.Ordinal));
        Assert.All(safe, c => Assert.Matches("^__Host-[^;]+;(?=.* path=/(;|$))(?=.* secure)", c));
        Assert.All(plain.Concat(safe), c => Assert.Matches("(?=.* httponly)(?=.* samesite=strict)", c));
    }

    [Fact]
    public async Task A_cookie_that_could_be_planted_from_a_neighbouring_name_is_no_session_over_https()
    {
        var browser = new Browser(server, "https://localhost/");
        await browser.SignInWithKeyAsync(server.ViewerKey);
        var session = browser.Received.Last(c => c.StartsWith("__Host-bulkimporter=", StringComparison.Ordinal)).Split(';')[0];
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(session));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(session["__Host-".Length..]));

        async Task<HttpStatusCode> StatusAsync(string cookie)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "https://localhost/api/v1/imports");
            request.Headers.Add("Cookie", cookie);
            using var answer = await server.Client(null).SendAsync(request, Token);
            return answer.StatusCode;
        }
    }

    [Theory]
    [InlineData("cross-site", HttpStatusCode.OK)]
    [InlineData("same-site", HttpStatusCode.OK)]
    [InlineData("none", HttpStatusCode.Found)]
    [InlineData(null, HttpStatusCode.Found)]
    public async Task A_link_on_another_sites_page_leads_a_signed_in_person_to_its_page(string? site, HttpStatusCode status)
    {
        // The strict cookie does not come along; with the next request, which our own page makes, it does.
        using var request = new HttpRequestMessage(HttpMethod.Get, "/accounts?x=1&y=2");
        if (site is not null) request.Headers.Add("Sec-Fetch-Site", site);
        request.Headers.Add("Sec-Fetch-Mode", "navigate");
        using var answer = await server.Client(null).SendAsync(request, Token);
        Assert.Equal(status, answer.StatusCode);
        var next = answer.Headers.Location?.PathAndQuery
            ?? new Uri(string.Join("", answer.Headers.GetValues("Refresh"))["0; url=".Length..]).PathAndQuery;

        var browser = new Browser(server);
        await browser.SignInWithKeyAsync(server.ViewerKey);
        Assert.Equal((302, "/accounts?x=1&y=2"), await browser.GetAsync(next) is var (code, _, location) ? (code, location) : default);
    }

    [Theory]
    [InlineData("POST", "/api/v1/sign-in-links", "{}")]
    [InlineData("POST", "/api/v1/users", """{"name":"hosta","role":"viewer"}""")]
    public async Task A_link_never_has_a_name_that_only_the_request_knows(string method, string path, string body)
    {
        await using var named = await server.StartAnotherAsync(new()
        { ["BulkImporter:Web:PageBaseUrl"] = "https://import.example/media/" });
        await using var allowed = await server.StartAnotherAsync(new() { ["AllowedHosts"] = "localhost;import.example" });
        async Task<(HttpStatusCode, string)> AskAsync(HttpClient client, string host)
        {
            client.DefaultRequestHeaders.Authorization = new("Bearer", server.AdminKey);
            using var request = new HttpRequestMessage(new(method), path)
            {
                Content = new StringContent(body.Replace("hosta", "host" + Guid.NewGuid().ToString("N")[..8], StringComparison.Ordinal),
                    null, "application/json")
            };
            request.Headers.Host = host;
            using var answer = await client.SendAsync(request, Token);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Token));
        }

        var (status, text) = await AskAsync(server.Client(server.AdminKey), "evil.example");
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("PageBaseUrl", text, StringComparison.Ordinal);
        (_, text) = await AskAsync(server.Client(server.AdminKey), "localhost:5080");
        Assert.Contains("\"http://localhost:5080/", text, StringComparison.Ordinal);
        (_, text) = await AskAsync(named.GetTestClient(), "evil.example");
        Assert.Contains("\"https://import.example/media/", text, StringComparison.Ordinal);
        (_, text) = await AskAsync(allowed.GetTestClient(), "import.example");
        Assert.Contains("\"http://import.example/", text, StringComparison.Ordinal);
        (status, text) = await AskAsync(allowed.GetTestClient(), "evil.example");
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.DoesNotContain("code=", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_survives_a_restart_of_the_server()
    {
        var browser = new Browser(server);
        await browser.SignInWithKeyAsync(server.ViewerKey);
        await using var restarted = await server.StartAnotherAsync();
        Assert.Equal(200, (await browser.GetAsync("/api/v1/imports", restarted)).Status);
    }

    [Fact]
    public async Task The_last_use_of_a_key_is_noted_once_a_minute_and_not_more_often()
    {
        var key = await server.Services.GetRequiredService<MakeKey>().RunAsync("busy", Role.Viewer, null, "test", Token);
        async Task<string> NotedAsync()
        {
            Assert.Equal(200, (await server.GetAsync(key.Secret, "/api/v1/imports")).Status);
            return await server.Database.OneAsync<string>("SELECT xmin::text || ' ' || last_used_at FROM importer.api_key WHERE id = $1",
                key.Key.Id);
        }

        var first = await NotedAsync();
        Assert.Equal(first, await NotedAsync());
        await server.Database.SqlAsync("UPDATE importer.api_key SET last_used_at = now() - interval '61 seconds' WHERE id = $1",
            key.Key.Id);
        await NotedAsync();
        Assert.True(await server.Database.OneAsync<bool>(
            "SELECT last_used_at > now() - interval '10 seconds' FROM importer.api_key WHERE id = $1", key.Key.Id));
        var (_, keys) = await server.GetAsync(server.AdminKey, "/api/v1/keys");
        Assert.NotNull(keys!["items"]!.AsArray().Single(k => (int)k!["id"]! == key.Key.Id)!["lastUsedAt"]);
    }

    [Fact]
    public async Task Signing_out_ends_the_session()
    {
        var browser = new Browser(server);
        await browser.SignInWithKeyAsync(server.ViewerKey);
        await browser.PostAsync("/sign-out", []);
        Assert.Equal(401, (await browser.GetAsync("/api/v1/imports")).Status);
    }

    [Fact]
    public async Task An_account_is_added_changed_checked_and_resumed_and_its_token_is_shown_nowhere()
    {
        const string Secret = "1234567isecretsecretsecret";
        var (status, account) = await server.PostAsync(server.AdminKey, "/api/v1/accounts",
            $$"""{"name":"museum","token":"{{Secret}}","baseUrl":"https://cincopa.example/v2"}""");
        Assert.Equal((201, "museum", "https://cincopa.example/v2/", "active"),
            (status, (string?)account!["name"], (string?)account["baseUrl"], (string?)account["state"]));
        Assert.Equal(409, (await server.PostAsync(server.AdminKey, "/api/v1/accounts", """{"name":"museum","token":"x"}""")).Status);
        Assert.Equal(2L,
            await server.Database.OneAsync<long>(
                "SELECT count(*) FROM importer.call_budget b JOIN importer.account a ON a.id = b.account_id WHERE a.name = 'museum'"));

        (_, account) = await server.SendAsync(server.AdminKey, HttpMethod.Patch, "/api/v1/accounts/museum",
            new StringContent("""{"rate":10,"maxInFlight":0}""", null, "application/json"));
        Assert.Equal((10.0, 0, 1000), ((double)account!["rate"]!, (int)account["maxInFlight"]!, (int)account["backlog"]!));
        foreach (var rate in new[] { "-1", "1e-300" })
        {
            (status, var problem) = await server.SendAsync(server.AdminKey, HttpMethod.Patch, "/api/v1/accounts/museum",
                new StringContent($$"""{"rate":{{rate}}}""", null, "application/json"));
            Assert.Equal((400, "rate"), (status, (string?)problem!["argument"]));
        }

        (_, var check) = await server.PostAsync(server.OperatorKey, "/api/v1/accounts/museum/check");
        Assert.Equal((true, "AMDA1", "asset.*"), ((bool)check!["ok"]!, (string?)check["accountId"], (string?)check["permissions"]![0]));

        await server.Database.SqlAsync("UPDATE importer.account SET state = 'suspended', reason = 'rejected' WHERE name = 'museum'");
        (_, account) = await server.PostAsync(server.OperatorKey, "/api/v1/accounts/museum/resume");
        Assert.Equal(("active", null), ((string?)account!["state"], (string?)account["reason"]));

        (_, var list) = await server.GetAsync(server.ViewerKey, "/api/v1/accounts");
        Assert.DoesNotContain(Secret, list!.ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, await server.Database.OneAsync<string>("SELECT string_agg(a::text, ' ') FROM importer.account a"),
            StringComparison.Ordinal);
        Assert.DoesNotContain(Secret,
            await server.Database.OneAsync<string>("SELECT string_agg(e::text, ' ') FROM importer.audit_entry e"),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_is_not_sent_to_an_address_that_it_was_not_given_for()
    {
        await server.PostAsync(server.AdminKey, "/api/v1/accounts", """{"name":"moved","token":"1234567isecret"}""");

        var (status, problem) = await ChangeAsync("""{"baseUrl":"https://collect.example/v2/"}""");
        Assert.Equal((400, "token"), (status, (string?)problem!["argument"]));
        Assert.Equal("https://api.cincopa.com/v2/",
            await server.Database.OneAsync<string>("SELECT base_url FROM importer.account WHERE name = 'moved'"));

        (status, var account) = await ChangeAsync("""{"baseUrl":"https://api.example/v2/","token":"1234567iother"}""");
        Assert.Equal((200, "https://api.example/v2/"), (status, (string?)account!["baseUrl"]));

        (status, problem) = await ChangeAsync("""{"baseUrl":"http://10.0.0.7/v2/","token":"1234567iother"}""");
        Assert.Equal((400, "baseUrl"), (status, (string?)problem!["argument"]));
        Assert.Contains("AllowedNetworks", (string?)problem["detail"], StringComparison.Ordinal);

        Task<(int Status, System.Text.Json.Nodes.JsonNode? Body)> ChangeAsync(string json) =>
            server.SendAsync(server.AdminKey, HttpMethod.Patch, "/api/v1/accounts/moved",
                new StringContent(json, null, "application/json"));
    }

    [Theory]
    [InlineData("""{"name":"","token":"x"}""", "name")]
    [InlineData("""{"name":"a/b","token":"x"}""", "name")]
    [InlineData("""{"name":"ok","token":" "}""", "token")]
    [InlineData("""{"name":"ok","token":"x","baseUrl":"nowhere"}""", "baseUrl")]
    [InlineData("""{"name":"ok","token":"x","baseUrl":"https://user:pass@x.example/"}""", "baseUrl")]
    [InlineData("""{"name":"ok","token":"x","baseUrl":"http://169.254.169.254/v2/"}""", "baseUrl")]
    [InlineData("""{"name":"ok","token":"x","baseUrl":"https://[::ffff:10.0.0.1]/v2/"}""", "baseUrl")]
    [InlineData("""{"name":"ok","token":"x","baseUrl":"http://2130706433/v2/"}""", "baseUrl")]
    public async Task An_account_that_cannot_work_is_refused_by_its_argument(string json, string argument)
    {
        var (status, problem) = await server.PostAsync(server.AdminKey, "/api/v1/accounts", json);
        Assert.Equal((400, argument), (status, (string?)problem!["argument"]));
    }

    [Fact]
    public async Task Every_order_is_in_the_audit_log_with_who_gave_it()
    {
        var id = await server.Database.ImportAsync(ImportState.Running, [RecordState.Pending]);
        await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/pause");
        var entry = Assert.Single(
            (await server.Services.GetRequiredService<ReadAudit>().PageAsync(new(ImportId: id), null, 10, Token)).Items);
        Assert.Equal(("otto", "import_paused"), (entry.Actor, entry.Action));
    }
}

public sealed class SignInLimitTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    [Fact]
    public async Task Guessing_is_slowed_down_after_the_limit_and_not_before()
    {
        using var browser = server.Client(null);
        for (var attempt = 1; attempt <= ImporterServer.SignInsPerMinute; attempt++)
            Assert.Equal(HttpStatusCode.BadRequest,
                (await browser.GetAsync("/sign-in/once?code=guess", TestContext.Current.CancellationToken)).StatusCode);
        var slowed = await browser.GetAsync("/sign-in/once?code=guess", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.TooManyRequests, slowed.StatusCode);
        Assert.NotNull(slowed.Headers.RetryAfter);
    }
}

public sealed class FirstKeyTests(ImporterDatabase database) : IClassFixture<ImporterDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private FirstKey First => new(database.Contexts, TimeProvider.System);

    private CheckKey Check => new(database.Contexts, TimeProvider.System);

    [Fact]
    public async Task An_empty_installation_gets_one_key_and_later_starts_get_none()
    {
        await EmptyAsync();
        var starts = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Task.Run(() => First.EnsureAsync(Configuration(null), Token))));
        var start = Assert.Single(starts, s => s is not null);
        Assert.Equal(Role.Admin, (await Check.RunAsync(start!.KeySecret!, Token))!.Role);
        Assert.Equal(1L, await database.OneAsync<long>("SELECT count(*) FROM importer.api_key"));
        Assert.Null(await First.EnsureAsync(Configuration("another-key-of-mine"), Token));
        Assert.Null(await Check.RunAsync("another-key-of-mine", Token));
    }

    [Fact]
    public async Task A_given_key_becomes_the_first_one_and_is_not_shown()
    {
        await EmptyAsync();
        Assert.Null((await First.EnsureAsync(Configuration("0123456789abcdef"), Token))!.KeySecret);
        Assert.Equal(Role.Admin, (await Check.RunAsync("0123456789abcdef", Token))!.Role);
    }

    [Fact]
    public async Task A_given_key_that_is_too_short_is_refused() =>
        await Assert.ThrowsAsync<InvalidArgumentException>(() => First.EnsureAsync(Configuration("0123456789abcde"), Token));

    [Theory]
    [InlineData("0123456789abcdef\r")]
    [InlineData("0123456789abcdef and more")]
    [InlineData("schlüssel-0123456789")]
    public async Task A_given_key_that_nobody_could_send_is_refused(string key)
    {
        await EmptyAsync();
        var refused = await Assert.ThrowsAsync<InvalidArgumentException>(() => First.EnsureAsync(Configuration(key), Token));
        Assert.DoesNotContain(key, refused.Message, StringComparison.Ordinal);
        Assert.Equal(0L, await database.OneAsync<long>("SELECT count(*) FROM importer.api_key"));
    }

    [Fact]
    public async Task The_last_admin_key_stays_and_one_of_two_may_go()
    {
        await EmptyAsync();
        var make = new MakeKey(database.Contexts, TimeProvider.System);
        var one = (await make.RunAsync("one", Role.Admin, null, "test", Token)).Key.Id;
        var two = (await make.RunAsync("two", Role.Admin, null, "test", Token)).Key.Id;
        var revoke = new RevokeKey(database.Contexts, TimeProvider.System);
        var both = await Task.WhenAll(revoke.RunAsync(one, "test", Token), revoke.RunAsync(two, "test", Token));
        Assert.Equal([KeyRevocation.Done, KeyRevocation.LastAdmin], both.Order());

        // Where an admin signs in with a password, the keys may go.
        var last = await database.OneAsync<int>("SELECT id FROM importer.api_key WHERE revoked_at IS NULL");
        await database.AddAsync(new User
        { UserName = "ann", NormalizedUserName = "ANN", Role = Role.Admin, PasswordHash = "hash", SecurityStamp = "s" });
        Assert.Equal(KeyRevocation.Done, await revoke.RunAsync(last, "test", Token));
    }

    private Task<int> EmptyAsync() => database.SqlAsync("WITH keys AS (DELETE FROM importer.api_key) DELETE FROM importer.app_user");

    private static IConfiguration Configuration(string? key) =>
        new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { [FirstKey.Variable] = key }).Build();
}
