using System.Text.RegularExpressions;
using BulkImporter.Access;
using BulkImporter.Tests.Api;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.StaticAssets;
using Microsoft.Extensions.DependencyInjection;

namespace BulkImporter.Tests.Access;

/// <summary>
/// Who may open what, for every endpoint that the running program has: an endpoint without a line in docs/security.md fails here, and each
/// line is tried with each role.
/// </summary>
public sealed partial class RoleMatrixTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    private static readonly string[] Roles = ["open", "viewer", "operator", "admin"];

    [Fact]
    public void The_document_lists_every_endpoint_with_the_least_role_that_opens_it()
    {
        var (documented, real) = (Documented().Select(Line).ToHashSet(), Real().Select(Line).ToHashSet());
        Assert.True(real.SetEquals(documented),
            "docs/security.md lacks, after you have made sure that each role is "
                + $"right:\n{string.Join('\n', real.Except(documented).Order())}\nand has too "
                    + $"many:\n{string.Join('\n', documented.Except(real).Order())}");
    }

    [Fact]
    public async Task Each_role_opens_what_the_matrix_says_and_nothing_above()
    {
        var tried = 0;
        foreach (var (method, pattern, least) in Real().Where(e => e.Least != "open"))
        {
            var path = Parameter()
                .Replace(pattern, m => m.Value.Contains(":int", StringComparison.Ordinal)
                    || m.Value.Contains(":long", StringComparison.Ordinal) ? "999999" : m.Value.StartsWith("{**", StringComparison.Ordinal)
                        ? "" : "nobody");
            // What a component's script and the circuit ask for is judged by the page that they belong to.
            if (method == "*" && !path.StartsWith("/hangfire", StringComparison.Ordinal)) continue;
            var verb = new HttpMethod(method == "*" ? "GET" : method);
            foreach (var (key, role) in new[] { (server.ViewerKey, "viewer"), (server.OperatorKey, "operator"),
                (server.AdminKey, "admin") })
            {
                var (status, _) = await server.SendAsync(key, verb, path, verb == HttpMethod.Get
                    ? null : new StringContent("{}", null, "application/json"));
                if (Array.IndexOf(Roles, role) >= Array.IndexOf(Roles, least))
                    Assert.False(status is 401 or 403, $"{method} {path} refused {role}: {status}");
                else Assert.True(status == 403, $"{method} {path} let {role} in: {status}");
            }
            var (nobody, _) = await server.SendAsync(null, verb, path);
            Assert.True(nobody is 401 or 302 or 403, $"{method} {path} let nobody in: {nobody}");
            tried++;
        }
        Assert.True(tried > 40, $"only {tried} endpoints were tried");
    }

    private static string Line((string Method, string Pattern, string Least) e) => $"| {e.Method} | `{e.Pattern}` | {e.Least} |";

    private List<(string Method, string Pattern, string Least)> Real() => [.. server.Services.GetServices<EndpointDataSource>()
        .SelectMany(s => s.Endpoints).OfType<RouteEndpoint>()
        .Where(e => e.Metadata.GetMetadata<StaticAssetDescriptor>() is null)
        .SelectMany(e => (e.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods is { Count: > 0 } methods ? methods : ["*"])
            .Select(m => (m, "/" + e.RoutePattern.RawText!.TrimStart('/'), Least(e))))
        .Distinct()];

    private static string Least(RouteEndpoint endpoint)
    {
        if (endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null) return "open";
        var policies = endpoint.Metadata.GetOrderedMetadata<IAuthorizeData>().Select(a => a.Policy ?? Policy.Viewer)
            .Concat(endpoint.Metadata.GetOrderedMetadata<AuthorizationPolicy>()
                .SelectMany(p => p.Requirements).OfType<Microsoft.AspNetCore.Authorization.Infrastructure.RolesAuthorizationRequirement>()
                .Select(r => Roles.First(role => r.AllowedRoles.Contains(role))));
        // Without any, the fallback policy asks for somebody who is signed in: a viewer at least.
        return policies.Append(Policy.Viewer).MaxBy(p => Array.IndexOf(Roles, p))!;
    }

    private static IEnumerable<(string Method, string Pattern, string Least)> Documented() =>
        Row().Matches(Repository.Read("docs/security.md")).Select(m => (m.Groups[1].Value, m.Groups[2].Value, m.Groups[3].Value));

    [GeneratedRegex(@"^\| (\*|[A-Z]+) \| `([^`]+)` \| (open|viewer|operator|admin) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex Parameter();
}

/// <summary>The claims of docs/security.md, each with the name of a test.</summary>
public sealed partial class SecurityDocumentTests
{
    [Fact]
    public void Every_claim_names_a_test_that_is_there()
    {
        var sources = Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), "*.cs", SearchOption.AllDirectories)
            .Select(File.ReadAllText).ToList();
        // A claim is an item of a list, with the lines that go on with it.
        var claims = Claim().Matches(Repository.Read("docs/security.md")).Select(m => m.Value).ToList();
        Assert.True(claims.Count > 35, $"only {claims.Count} claims");
        Assert.DoesNotContain(claims, c => !Test().IsMatch(c));
        foreach (Match named in claims.SelectMany(c => Test().Matches(c)))
        {
            var (type, method) = (named.Groups[1].Value, named.Groups[2].Value);
            Assert.True(sources.Exists(s => Regex.IsMatch(s, $@"class {type}\b")
                && (method.Length == 0 || Regex.IsMatch(s, $@"\b{method}\("))),
                    $"docs/security.md names {type}.{method}, which is not there");
        }
    }

    [GeneratedRegex(@"^- .*(?:\n  .*)*", RegexOptions.Multiline)]
    private static partial Regex Claim();

    [GeneratedRegex("`([A-Za-z]+Tests)(?:\\.([A-Za-z0-9_]+))?`")]
    private static partial Regex Test();
}

public sealed class SecurityHeaderTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    [Theory]
    [InlineData("/")]
    [InlineData("/sign-in")]
    [InlineData("/api/v1/imports")]
    [InlineData("/health/live")]
    [InlineData("/favicon.svg")]
    [InlineData("/no/such/page")]
    public async Task Every_answer_tells_the_browser_to_load_nothing_from_elsewhere_and_to_frame_nothing(string path)
    {
        using var answer = await server.Client(server.ViewerKey).GetAsync(path, TestContext.Current.CancellationToken);
        string Header(string name) => string.Join(',', answer.Headers.GetValues(name));
        var policy = Header("Content-Security-Policy");
        Assert.Contains("script-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("object-src 'none'", policy, StringComparison.Ordinal);
        Assert.Equal(("nosniff", "DENY", "same-origin"),
            (Header("X-Content-Type-Options"), Header("X-Frame-Options"), Header("Referrer-Policy")));
    }
}
