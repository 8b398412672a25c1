using System.Security.Claims;
using BulkImporter.Access;
using BulkImporter.Tests.Api;
using Microsoft.AspNetCore.Builder;

namespace BulkImporter.Tests.Access;

/// <summary>
/// Sign-in at an identity provider, over its whole way: our redirect, the provider's, the exchange of the code, our session.
/// </summary>
public sealed class ProviderTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    [Fact]
    public async Task A_person_of_the_provider_comes_in_with_the_role_that_it_says_today()
    {
        await using var provider = await IdentityProvider.StartAsync();
        await using var app = await StartAsync(provider);
        Is(provider, "s-1", "frieda", "importers", "others");
        var browser = new Browser(server);
        Assert.Contains("sign-in/provider?returnUrl=%2Faccounts", (await browser.GetAsync("/sign-in?returnUrl=/accounts", app)).Body,
            StringComparison.Ordinal);

        Assert.Equal("/accounts", await EnterAsync(browser, app, "/accounts"));
        Assert.Equal((200, 403),
            ((await browser.GetAsync("/api/v1/imports", app)).Status, (await browser.GetAsync("/api/v1/users", app)).Status));
        var (_, frieda) = await server.GetAsync(server.AdminKey, "/api/v1/users/frieda");
        Assert.Equal(("operator", "active"), ((string?)frieda!["role"], (string?)frieda["state"]));
        // There is no password to try.
        Assert.Equal(400, (await new Browser(server).SignInAsync("frieda", "")).Status);

        // Another role there: the next sign-in has it, and ends the session with the old one.
        Is(provider, "s-1", "frieda", "bosses");
        var later = new Browser(server);
        await EnterAsync(later, app);
        Assert.Equal(200, (await later.GetAsync("/api/v1/users", app)).Status);
        Assert.Equal(401, (await browser.GetAsync("/api/v1/imports", app)).Status);
        Assert.Equal("user_added, user_changed", await server.Database.OneAsync<string>(
            "SELECT string_agg(action, ', ' ORDER BY id) FROM importer.audit_entry WHERE actor = 'frieda' AND action LIKE 'user%'"));
        Assert.Equal(2,
            await server.Database.OneAsync<long>(
                "SELECT count(*) FROM importer.audit_entry WHERE actor = 'frieda' AND action = 'signed_in' AND detail = 'by the museum'"));

        // Locked here, whatever the provider says.
        Assert.Equal(200,
            (await server.SendAsync(server.AdminKey, HttpMethod.Patch, "/api/v1/users/frieda", Json("""{"locked":true}"""))).Status);
        Assert.Equal(401, (await later.GetAsync("/api/v1/imports", app)).Status);
        Assert.Equal("/sign-in?refused=locked", await EnterAsync(new Browser(server), app));
    }

    [Fact]
    public async Task Who_has_no_role_or_somebody_elses_name_stays_outside_and_is_told_why()
    {
        await using var provider = await IdentityProvider.StartAsync();
        await using var app = await StartAsync(provider);
        var browser = new Browser(server);
        Is(provider, "s-2", "gustav", "others");
        Assert.Equal("/sign-in?refused=no_role", await EnterAsync(browser, app));
        Assert.Contains("have no role here", (await browser.GetAsync("/sign-in?refused=no_role", app)).Body, StringComparison.Ordinal);
        Assert.Equal(401, (await browser.GetAsync("/api/v1/imports", app)).Status);

        // A name alone makes nobody somebody who is there already.
        Assert.Equal(201, (await server.PostAsync(server.AdminKey, "/api/v1/users", """{"name":"hanna","role":"admin"}""")).Status);
        Is(provider, "s-3", "Hanna", "importers");
        Assert.Equal("/sign-in?refused=name_taken", await EnterAsync(browser, app));
        Is(provider, "s-4", "no/name", "importers");
        Assert.Equal("/sign-in?refused=no_name", await EnterAsync(browser, app));
        Assert.Equal(401, (await browser.GetAsync("/api/v1/imports", app)).Status);
    }

    [Fact]
    public async Task An_answer_that_nobody_asked_for_lets_nobody_in()
    {
        await using var provider = await IdentityProvider.StartAsync();
        await using var app = await StartAsync(provider);
        Is(provider, "s-5", "ida", "importers");
        var asked = new Browser(server);
        var there = (await asked.GetAsync("/sign-in/provider", app)).Location!;
        // The answer to one browser, opened in another one.
        var stolen = new Browser(server);
        Assert.Equal("/sign-in?refused=failed", (await stolen.GetAsync(await BackAsync(there), app)).Location);
        Assert.Equal("/sign-in?refused=failed", (await stolen.GetAsync("/sign-in/provider/back?code=x&state=y", app)).Location);
        Assert.Equal(401, (await stolen.GetAsync("/api/v1/imports", app)).Status);
        Assert.Equal(404, (await server.GetAsync(server.AdminKey, "/api/v1/users/ida")).Status);
    }

    [Fact]
    public async Task Without_a_provider_there_is_no_such_way_in()
    {
        var browser = new Browser(server);
        Assert.DoesNotContain("sign-in/provider", (await browser.GetAsync("/sign-in")).Body, StringComparison.Ordinal);
        Assert.Equal(404, (await browser.GetAsync("/sign-in/provider")).Status);
    }

    [Fact]
    public void The_highest_role_counts_and_a_star_is_everybody()
    {
        var options = new ProviderOptions { Admins = ["bosses"], Operators = ["importers"], Viewers = ["*"] };
        Assert.Equal((Role.Admin, Role.Operator, Role.Viewer),
            (options.RoleOf(["importers", "bosses"]), options.RoleOf(["importers"]), options.RoleOf([])));
        Assert.Null(new ProviderOptions { Admins = ["bosses"] }.RoleOf(["Bosses"]));
    }

    private Task<WebApplication> StartAsync(IdentityProvider provider) => server.StartAnotherAsync(new()
    {
        ["BulkImporter:OpenIdConnect:Authority"] = provider.Address,
        ["BulkImporter:OpenIdConnect:ClientId"] = IdentityProvider.ClientId,
        ["BulkImporter:OpenIdConnect:ClientSecret"] = IdentityProvider.ClientSecret,
        ["BulkImporter:OpenIdConnect:Name"] = "the museum",
        ["BulkImporter:OpenIdConnect:Admins:0"] = "bosses",
        ["BulkImporter:OpenIdConnect:Operators:0"] = "importers",
    });

    private static void Is(IdentityProvider provider, string subject, string name, params IEnumerable<string> roles)
    {
        provider.Person.Clear();
        provider.Person.AddRange([new("sub", subject), new("preferred_username", name), .. roles.Select(role => new Claim("roles", role))]);
    }

    /// <summary>Goes the whole way. Returns where it ends.</summary>
    private static async Task<string> EnterAsync(Browser browser, WebApplication app, string returnUrl = "/")
    {
        var (status, _, there) = await browser.GetAsync($"/sign-in/provider?returnUrl={Uri.EscapeDataString(returnUrl)}", app);
        Assert.Equal(302, status);
        return (await browser.GetAsync(await BackAsync(there!), app)).Location!;
    }

    /// <summary>The provider's answer to a browser that we sent there, as a path of ours.</summary>
    private static async Task<string> BackAsync(string there)
    {
        using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        using var response = await http.GetAsync(there, TestContext.Current.CancellationToken);
        var back = response.Headers.Location!;
        Assert.Equal("http://localhost", back.GetLeftPart(UriPartial.Authority));
        return back.PathAndQuery;
    }

    private static StringContent Json(string text) => new(text, System.Text.Encoding.UTF8, "application/json");
}
