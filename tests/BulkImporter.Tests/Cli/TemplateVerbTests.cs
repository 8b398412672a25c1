using System.Net;
using BulkImporter.Cli;

namespace BulkImporter.Tests.Cli;

public sealed class TemplateVerbTests
{
    private const string Template =
        """{"name":"Old platform","mapping":"url=OriginalURL","columns":["OriginalURL","Title"],"createdBy":"otto","createdAt":"2026-11-23T11:00:00Z"}""";

    [Fact]
    public async Task Save_sends_the_name_and_tells_the_mapping()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/imports/7/template", Template);

        Assert.Equal(ExitCode.Done, await run.RunAsync("template", "save", "7", "Old platform"));

        Assert.Equal("""{"name":"Old platform"}""", run.Api.Calls.Single().Body);
        Assert.Contains("Old platform: url=OriginalURL", run.Output);
    }

    [Fact]
    public async Task List_names_each_with_its_header()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/accounts/museum/templates", $$"""{"items":[{{Template}}],"next":null}""");

        Assert.Equal(ExitCode.Done, await run.RunAsync("template", "list", "--account", "museum"));

        Assert.Contains("Old platform: url=OriginalURL  (OriginalURL, Title)", run.Output);
    }

    [Fact]
    public async Task Delete_of_one_that_is_not_there_exits_4()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Delete, "/api/v1/accounts/default/templates/Old%20platform",
            () => new HttpResponseMessage(HttpStatusCode.NoContent), () =>
                FakeApi.Problem(HttpStatusCode.NotFound, "Not found", "Account 'default' has no template 'Old platform'."));

        Assert.Equal(ExitCode.Done, await run.RunAsync("template", "delete", "Old platform"));
        Assert.Equal(ExitCode.NotFound, await run.RunAsync("template", "delete", "Old platform"));

        Assert.Contains("has no template", run.Error);
    }
}
