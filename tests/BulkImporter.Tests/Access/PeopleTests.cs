using BulkImporter.Access;
using BulkImporter.Tests.Api;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace BulkImporter.Tests.Access;

public sealed class PeopleTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    private const string Password = "correct horse battery";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_invited_person_chooses_a_password_with_the_link_once_and_then_signs_in_with_it()
    {
        var link = await InviteAsync("anna", "operator");
        Assert.Equal(409, (await server.PostAsync(server.AdminKey, "/api/v1/users", """{"name":"Anna","role":"viewer"}""")).Status);
        Assert.Equal(400, (await new Browser(server).SignInAsync("anna", "")).Status);

        var browser = new Browser(server);
        // A program that previews links opens it first.
        Assert.Equal(200, (await browser.GetAsync(link)).Status);
        var (status, body, _) = await ChooseAsync(browser, link, "too short!!");
        Assert.Equal(400, status);
        Assert.Contains("at least 12 characters", body, StringComparison.Ordinal);
        Assert.Equal(400,
            (await browser.FillAsync(link, "/choose-password", new() { ["password"] = Password, ["again"] = "something else!" })).Status);
        Assert.Equal(302, (await ChooseAsync(browser, link, Password)).Status);
        Assert.Equal((200, 403), ((await browser.GetAsync("/api/v1/imports")).Status, (await browser.GetAsync("/api/v1/users")).Status));

        Assert.Equal(400, (await new Browser(server).GetAsync(link)).Status);
        Assert.Equal(400, (await ChooseAsync(new Browser(server), link, "another password")).Status);

        var later = new Browser(server);
        Assert.Equal(302, (await later.SignInAsync("ANNA", Password)).Status);
        Assert.Equal(200, (await later.GetAsync("/api/v1/imports")).Status);
        var (_, anna) = await server.GetAsync(server.AdminKey, "/api/v1/users/anna");
        Assert.Equal(("anna", "operator", "active"), ((string?)anna!["name"], (string?)anna["role"], (string?)anna["state"]));
        Assert.NotNull(anna["signedInAt"]);
    }

    [Fact]
    public async Task A_new_link_ends_the_earlier_one_and_the_old_password_works_until_it_is_used()
    {
        var first = await InviteAsync("bert", "viewer");
        var (_, body) = await server.PostAsync(server.AdminKey, "/api/v1/users/bert/password-link");
        Assert.Equal(400, (await new Browser(server).GetAsync(first)).Status);
        await ChooseAsync(new Browser(server), Path(body!["url"]!), Password);

        (_, body) = await server.PostAsync(server.AdminKey, "/api/v1/users/bert/password-link");
        var session = new Browser(server);
        Assert.Equal(302, (await session.SignInAsync("bert", Password)).Status);
        await ChooseAsync(new Browser(server), Path(body!["url"]!), "quite another one");
        Assert.Equal(401, (await session.GetAsync("/api/v1/imports")).Status);
        Assert.Equal(400, (await new Browser(server).SignInAsync("bert", Password)).Status);
        Assert.Equal(302, (await new Browser(server).SignInAsync("bert", "quite another one")).Status);
    }

    [Fact]
    public async Task A_link_is_too_old_after_its_time()
    {
        var link = await InviteAsync("carl", "viewer");
        await server.Database.SqlAsync(
            "UPDATE importer.password_link SET expires_at = now() - interval '1 second' WHERE user_id = (SELECT id FROM "
                + "importer.app_user WHERE user_name = 'carl')");
        Assert.Equal(400, (await new Browser(server).GetAsync(link)).Status);
        Assert.Equal(404, (await server.PostAsync(server.AdminKey, "/api/v1/users/nobody/password-link")).Status);
    }

    [Fact]
    public async Task Five_wrong_passwords_in_a_row_lock_out_for_a_time_and_four_do_not()
    {
        await JoinAsync("dora", "viewer");
        for (var wrong = 1; wrong <= 4; wrong++) Assert.Equal(400, (await new Browser(server).SignInAsync("dora", "wrong")).Status);
        Assert.Equal(302, (await new Browser(server).SignInAsync("dora", Password)).Status);

        for (var wrong = 1; wrong <= 5; wrong++) Assert.Equal(400, (await new Browser(server).SignInAsync("dora", "wrong")).Status);
        Assert.Equal(400, (await new Browser(server).SignInAsync("dora", Password)).Status);
        Assert.Equal(1L,
            await server.Database.OneAsync<long>(
                "SELECT count(*) FROM importer.audit_entry WHERE actor = 'dora' AND action = 'locked_out'"));
        var (_, dora) = await server.GetAsync(server.AdminKey, "/api/v1/users/dora");
        Assert.InRange((DateTimeOffset)dora!["lockedOutUntil"]!, DateTimeOffset.UtcNow.AddMinutes(13),
            DateTimeOffset.UtcNow.AddMinutes(16));

        await server.Database.SqlAsync("UPDATE importer.app_user SET lockout_end = now() - interval '1 second' WHERE user_name = 'dora'");
        Assert.Equal(302, (await new Browser(server).SignInAsync("dora", Password)).Status);
    }

    [Fact]
    public async Task An_unlock_ends_a_lockout()
    {
        await JoinAsync("emil", "viewer");
        for (var wrong = 1; wrong <= 5; wrong++) await new Browser(server).SignInAsync("emil", "wrong");
        await ChangeAsync("emil", """{"locked":false}""");
        Assert.Equal(302, (await new Browser(server).SignInAsync("emil", Password)).Status);
    }

    [Fact]
    public async Task Nobody_learns_from_the_answer_who_there_is()
    {
        await JoinAsync("fred", "viewer");
        var known = await new Browser(server).SignInAsync("fred", "wrong password");
        var unknown = await new Browser(server).SignInAsync("no-such-person", "wrong password");
        Assert.Equal((known.Status, Complaint(known.Body)), (unknown.Status, Complaint(unknown.Body)));
        Assert.NotEmpty(Complaint(known.Body));
    }

    [Theory]
    [InlineData("role", """{"role":"operator"}""", true)]
    [InlineData("lock", """{"locked":true}""", false)]
    public async Task Another_role_or_a_lock_ends_the_sessions_and_only_a_lock_keeps_the_person_out(
        string what, string change, bool mayComeBack)
    {
        var name = "gina-" + what;
        await JoinAsync(name, "viewer");
        var (_, body) = await server.PostAsync(server.AdminKey, $"/api/v1/users/{name}/password-link");
        var session = new Browser(server);
        await session.SignInAsync(name, Password);
        Assert.Equal(200, (await session.GetAsync("/api/v1/imports")).Status);

        await ChangeAsync(name, change);
        Assert.Equal(401, (await session.GetAsync("/api/v1/imports")).Status);
        Assert.Equal(mayComeBack ? 302 : 400, (await session.SignInAsync(name, Password)).Status);
        Assert.Equal(400, (await new Browser(server).GetAsync(Path(body!["url"]!))).Status);
        if (mayComeBack) return;

        await ChangeAsync(name, """{"locked":false}""");
        Assert.Equal(302, (await session.SignInAsync(name, Password)).Status);
    }

    [Fact]
    public async Task A_removed_person_is_gone_with_the_sessions_and_links_and_stays_in_the_audit_log()
    {
        await JoinAsync("hans", "viewer");
        var (_, link) = await server.PostAsync(server.AdminKey, "/api/v1/users/hans/password-link");
        var session = new Browser(server);
        await session.SignInAsync("hans", Password);

        Assert.Equal(204, (await server.SendAsync(server.AdminKey, HttpMethod.Delete, "/api/v1/users/hans")).Status);
        Assert.Equal(401, (await session.GetAsync("/api/v1/imports")).Status);
        Assert.Equal(400, (await session.SignInAsync("hans", Password)).Status);
        Assert.Equal(400, (await new Browser(server).GetAsync(Path(link!["url"]!))).Status);
        Assert.Equal(404, (await server.SendAsync(server.AdminKey, HttpMethod.Delete, "/api/v1/users/hans")).Status);
        var (_, log) = await server.GetAsync(server.AdminKey, "/api/v1/audit?actor=ada&limit=500");
        Assert.Contains(log!["items"]!.AsArray(), e => (string?)e!["action"] == "user_removed" && (string?)e["detail"] == "hans");
    }

    [Fact]
    public async Task A_person_changes_the_own_password_which_ends_the_other_sessions_only()
    {
        await JoinAsync("ines", "viewer");
        var (here, there) = (new Browser(server), new Browser(server));
        await here.SignInAsync("ines", Password);
        await there.SignInAsync("ines", Password);

        const string Next = "a longer and newer one";
        Assert.Equal(400,
            (await here.FillAsync("/change-password", "/change-password", new()
            { ["present"] = "wrong", ["password"] = Next, ["again"] = Next })).Status);
        Assert.Equal(400,
            (await here.FillAsync("/change-password", "/change-password", new()
            { ["present"] = Password, ["password"] = "short", ["again"] = "short" })).Status);
        Assert.Equal(200, (await there.GetAsync("/api/v1/imports")).Status);
        Assert.Equal(302,
            (await here.FillAsync("/change-password", "/change-password", new()
            { ["present"] = Password, ["password"] = Next, ["again"] = Next })).Status);

        Assert.Equal(200, (await here.GetAsync("/api/v1/imports")).Status);
        Assert.Equal(401, (await there.GetAsync("/api/v1/imports")).Status);
        Assert.Equal(400, (await there.SignInAsync("ines", Password)).Status);
        Assert.Equal(302, (await there.SignInAsync("ines", Next)).Status);
    }

    [Fact]
    public async Task Signing_out_everywhere_ends_all_sessions_of_the_person_and_of_nobody_else()
    {
        await JoinAsync("jana", "viewer");
        await JoinAsync("kurt", "viewer");
        var (jana, linked, kurt) = (new Browser(server), new Browser(server), new Browser(server));
        await jana.SignInAsync("jana", Password);
        await kurt.SignInAsync("kurt", Password);
        var link = await jana.PostAsync("/api/v1/sign-in-links", []);
        await linked.FollowLinkAsync(Path(System.Text.Json.Nodes.JsonNode.Parse(link.Body)!["url"]!));
        Assert.Equal(200, (await linked.GetAsync("/api/v1/imports")).Status);

        await server.Services.GetRequiredService<EndSessions>()
            .RunAsync(await server.Database.OneAsync<int>("SELECT id FROM importer.app_user WHERE user_name = 'jana'"), Token);
        Assert.Equal((401, 401, 200), ((await jana.GetAsync("/api/v1/imports")).Status, (await linked.GetAsync("/api/v1/imports")).Status,
            (await kurt.GetAsync("/api/v1/imports")).Status));
    }

    [Theory]
    [InlineData("/sign-in", "name=lena&password=correct horse battery")]
    [InlineData("/choose-password", "password=stolen password&again=stolen password")]
    [InlineData("/change-password", "present=correct horse battery&password=stolen password&again=stolen password")]
    public async Task A_form_without_the_pages_token_does_nothing(string action, string fields)
    {
        var name = "lena" + action.Replace('/', '-');
        await JoinAsync(name, "viewer");
        var (_, link) = await server.PostAsync(server.AdminKey, $"/api/v1/users/{name}/password-link");
        var form = fields.Split('&').Select(f => f.Split('=')).ToDictionary(f => f[0], f => f[1]);
        if (form.ContainsKey("name")) form["name"] = name;
        form["code"] = Path(link!["url"]!).Split('=')[1];
        var browser = new Browser(server);
        if (action == "/change-password") await browser.SignInAsync(name, Password);

        Assert.Equal(400, (await browser.PostAsync(action, form)).Status);
        Assert.Equal(action == "/change-password" ? 200 : 401, (await browser.GetAsync("/api/v1/imports")).Status);
        Assert.Equal(302, (await new Browser(server).SignInAsync(name, Password)).Status);
    }

    [Fact]
    public async Task Neither_passwords_nor_codes_nor_stamps_are_in_an_answer_the_log_or_the_database()
    {
        var link = await InviteAsync("mona", "viewer");
        var code = link.Split('=')[1];
        await ChooseAsync(new Browser(server), link, "a password of mona's");
        var stored =
            await server.Database.OneAsync<string>(
                "SELECT concat((SELECT string_agg(u::text, ' ') FROM importer.app_user u), (SELECT string_agg(l::text, ' ') FROM "
                    + "importer.password_link l))");
        var stamp = await server.Database.OneAsync<string>("SELECT security_stamp FROM importer.app_user WHERE user_name = 'mona'");
        var hash = await server.Database.OneAsync<string>("SELECT password_hash FROM importer.app_user WHERE user_name = 'mona'");
        var (_, users) = await server.GetAsync(server.AdminKey, "/api/v1/users");
        var (_, log) = await server.GetAsync(server.AdminKey, "/api/v1/audit?limit=500");
        var page = await (await server.Client(server.AdminKey).GetAsync("/people", Token)).Content.ReadAsStringAsync(Token);
        foreach (var told in new[] { users!.ToJsonString(), log!.ToJsonString(), page })
        {
            Assert.Contains("mona", told, StringComparison.Ordinal);
            Assert.DoesNotContain(stamp, told, StringComparison.Ordinal);
            Assert.DoesNotContain(hash, told, StringComparison.Ordinal);
            Assert.DoesNotContain(code, told, StringComparison.Ordinal);
        }
        Assert.DoesNotContain("a password of mona's", stored, StringComparison.Ordinal);
        Assert.DoesNotContain(code, stored, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_may_hold_spaces_and_is_signed_in_with()
    {
        await JoinAsync("Nora van Berg", "viewer");
        Assert.Equal(302, (await new Browser(server).SignInAsync("nora van berg", Password)).Status);
        Assert.Equal(200, (await server.GetAsync(server.AdminKey, "/api/v1/users/Nora%20van%20Berg")).Status);
    }

    [Fact]
    public async Task The_sign_in_asks_for_name_and_password_first_and_a_key_is_the_other_way()
    {
        var first = await (await server.Client(null).GetAsync("/sign-in", Token)).Content.ReadAsStringAsync(Token);
        Assert.Contains("name=\"password\"", first, StringComparison.Ordinal);
        Assert.DoesNotContain("name=\"key\"", first, StringComparison.Ordinal);
        var other = await (await server.Client(null).GetAsync("/sign-in?with=key", Token)).Content.ReadAsStringAsync(Token);
        Assert.Contains("name=\"key\"", other, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"name":"","role":"viewer"}""", "name")]
    [InlineData("""{"name":"a  b","role":"viewer"}""", "name")]
    [InlineData("""{"name":"nora"}""", "role")]
    [InlineData("""{"name":"nora","role":"owner"}""", "role")]
    public async Task A_person_that_cannot_be_added_is_refused_by_the_argument(string json, string argument)
    {
        var (status, problem) = await server.PostAsync(server.AdminKey, "/api/v1/users", json);
        Assert.Equal((400, argument), (status, (string?)problem!["argument"]));
    }

    [Fact]
    public async Task The_audit_log_is_read_in_pages_and_by_actor_account_and_import()
    {
        await server.Database.AddAsync(new AuditEntry { Actor = "Paul", Action = "thing_1" });
        await server.Database.AddAsync(new AuditEntry
        {
            Actor = "Paul",
            Action = "thing_2",
            AccountId = await server.Database.OneAsync<int>("SELECT id FROM importer.account WHERE name = 'default'")
        });
        await server.Database.AddAsync(new AuditEntry { Actor = "Paul", Action = "thing_3", ImportId = 4711 });
        async Task<(string Actions, string? Next)> ReadAsync(string query)
        {
            var (status, body) = await server.GetAsync(server.AdminKey, "/api/v1/audit?" + query);
            Assert.Equal(200, status);
            return (string.Join(' ', body!["items"]!.AsArray().Select(e => (string)e!["action"]!)), (string?)body["next"]);
        }

        var first = await ReadAsync("actor=paul&limit=2");
        Assert.Equal("thing_3 thing_2", first.Actions);
        Assert.Equal(("thing_1", null), await ReadAsync($"actor=paul&limit=2&after={first.Next}"));
        Assert.Equal(("thing_2", null), await ReadAsync("actor=paul&account=default"));
        Assert.Equal(("thing_3", null), await ReadAsync("import=4711"));
        Assert.Equal(("", null), await ReadAsync("actor=pau"));
        Assert.Equal(400, (await server.GetAsync(server.AdminKey, "/api/v1/audit?after=last")).Status);
    }

    private static string Path(System.Text.Json.Nodes.JsonNode url) => new Uri((string)url!).PathAndQuery;

    private static string Complaint(string html) =>
        System.Text.RegularExpressions.Regex.Match(html, "class=\"complaint\"[^>]*>([^<]*)<").Groups[1].Value;

    private static Task<(int Status, string Body, string? Location)> ChooseAsync(Browser browser, string link, string password) =>
        browser.FillAsync(link, "/choose-password", new() { ["password"] = password, ["again"] = password });

    private async Task<string> InviteAsync(string name, string role)
    {
        var (status, body) = await server.PostAsync(server.AdminKey, "/api/v1/users", $$"""{"name":"{{name}}","role":"{{role}}"}""");
        Assert.Equal((201, "invited"), (status, (string?)body!["user"]!["state"]));
        return Path(body["link"]!["url"]!);
    }

    private async Task JoinAsync(string name, string role) =>
        Assert.Equal(302, (await ChooseAsync(new Browser(server), await InviteAsync(name, role), Password)).Status);

    private async Task ChangeAsync(string name, string json) =>
        Assert.Equal(200,
            (await server.SendAsync(server.AdminKey, HttpMethod.Patch, $"/api/v1/users/{name}",
                new StringContent(json, null, "application/json"))).Status);
}

public sealed class FirstAdminTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    private const string Password = "correct horse battery";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_setup_link_of_an_empty_installation_makes_the_first_admin_once()
    {
        var link = await FirstStartAsync();
        var browser = new Browser(server);
        Assert.Equal(400, (await BecomeAsync(browser, link, "not a name!", Password)).Status);
        Assert.Equal(400, (await BecomeAsync(browser, link, "root", "short")).Status);
        Assert.Equal(0L, await server.Database.OneAsync<long>("SELECT count(*) FROM importer.app_user"));
        Assert.Equal(302, (await BecomeAsync(browser, link, "root", Password)).Status);
        Assert.Equal(200, (await browser.GetAsync("/api/v1/users")).Status);
        Assert.Equal("admin", await server.Database.OneAsync<string>("SELECT role FROM importer.app_user WHERE user_name = 'root'"));

        Assert.Equal(400, (await new Browser(server).GetAsync(link)).Status);
        Assert.Equal(400, (await BecomeAsync(new Browser(server), link, "second", Password)).Status);
        Assert.Equal(1L, await server.Database.OneAsync<long>("SELECT count(*) FROM importer.app_user"));
        await server.Database.SqlAsync("DELETE FROM importer.api_key");
        Assert.Null(await server.Services.GetRequiredService<FirstKey>().EnsureAsync(new ConfigurationBuilder().Build(), Token));
    }

    [Fact]
    public async Task The_setup_link_is_void_as_soon_as_there_is_anybody_and_after_an_hour()
    {
        var link = await FirstStartAsync();
        Assert.Equal(200, (await new Browser(server).GetAsync(link)).Status);
        await server.Database.SqlAsync("UPDATE importer.password_link SET expires_at = expires_at - interval '61 minutes'");
        Assert.Equal(400, (await new Browser(server).GetAsync(link)).Status);
        await server.Database.SqlAsync("UPDATE importer.password_link SET expires_at = expires_at + interval '61 minutes'");
        await server.Services.GetRequiredService<AddUser>().RunAsync("anybody", Role.Viewer, "test", Token);
        Assert.Equal(400, (await new Browser(server).GetAsync(link)).Status);
        Assert.Equal(400, (await BecomeAsync(new Browser(server), link, "root", Password)).Status);
    }

    [Fact]
    public async Task The_last_admin_who_can_sign_in_stays_and_one_of_two_may_go()
    {
        await BecomeAsync(new Browser(server), await FirstStartAsync(), "root", Password);
        var (change, remove, add) = (server.Services.GetRequiredService<ChangeUser>(), server.Services.GetRequiredService<RemoveUser>(),
            server.Services.GetRequiredService<AddUser>());
        // Somebody who was only invited cannot let anybody in.
        var link = await add.RunAsync("second", Role.Admin, "test", Token);
        Assert.Equal(UserOrder.LastAdmin, await change.RunAsync("root", new UserChange(Role: Role.Operator), "test", Token));
        Assert.Equal(UserOrder.LastAdmin, await change.RunAsync("root", new UserChange(Locked: true), "test", Token));
        Assert.Equal(UserOrder.LastAdmin, await remove.RunAsync("root", "test", Token));
        Assert.Equal(UserOrder.Done, await change.RunAsync("root", new UserChange(Role: Role.Admin), "test", Token));
        Assert.Equal(UserOrder.NotFound, await remove.RunAsync("nobody", "test", Token));

        await new Browser(server).FillAsync("/" + link!.Path, "/choose-password", new() { ["password"] = Password, ["again"] = Password });
        var both = await Task.WhenAll(change.RunAsync("root", new UserChange(Locked: true), "test", Token),
            remove.RunAsync("second", "test", Token));
        Assert.Equal([UserOrder.Done, UserOrder.LastAdmin], both.Order());
    }

    private static Task<(
        int Status, string Body, string? Location)> BecomeAsync(Browser browser, string link, string name, string password) =>
        browser.FillAsync(link, "/choose-password", new()
        { ["name"] = name, ["password"] = password, ["again"] = password, ["code"] = link.Split('=')[1] });

    private async Task<string> FirstStartAsync()
    {
        await server.Database.SqlAsync("DELETE FROM importer.app_user");
        await server.Database.SqlAsync("DELETE FROM importer.api_key");
        return "/" + (await server.Services.GetRequiredService<FirstKey>()
            .EnsureAsync(new ConfigurationBuilder().Build(), Token))!.Setup.Path;
    }
}
