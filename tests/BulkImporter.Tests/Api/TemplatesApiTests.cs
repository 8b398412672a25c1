using System.Text;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Records;
using Microsoft.Extensions.DependencyInjection;

namespace BulkImporter.Tests.Api;

/// <summary>Column templates over HTTP. How they are chosen is told by MappingTemplateTests.</summary>
public sealed class TemplatesApiTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    [Fact]
    public async Task A_template_is_kept_listed_and_removed()
    {
        var id = await ImportAsync("OriginalURL,Title\nhttps://media.example/1.mp4,One\n", "url=OriginalURL,caption=Title");
        var (status, saved) = await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/template", """{"name":"Old platform"}""");
        Assert.Equal((200, "Old platform", "url=OriginalURL,caption=Title"), (status, (string?)saved!["name"], (string?)saved["mapping"]));

        var (_, list) = await server.GetAsync(server.ViewerKey, "/api/v1/accounts/default/templates");
        Assert.Equal(["Old platform"], list!["items"]!.AsArray().Select(t => (string?)t!["name"]));

        Assert.Equal(204,
            (await server.SendAsync(server.OperatorKey, HttpMethod.Delete, "/api/v1/accounts/default/templates/Old%20platform")).Status);
        Assert.Equal(404,
            (await server.SendAsync(server.OperatorKey, HttpMethod.Delete, "/api/v1/accounts/default/templates/Old%20platform")).Status);
    }

    [Fact]
    public async Task What_cannot_be_kept_says_why()
    {
        var id = await ImportAsync("https://media.example/1.mp4\n", null);
        var (status, problem) = await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/template", """{"name":"None"}""");
        Assert.Equal((400, "import"), (status, (string?)problem!["argument"]));
        (status, problem) = await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/template", """{"name":" "}""");
        Assert.Equal((400, "name"), (status, (string?)problem!["argument"]));
        Assert.Equal(404, (await server.PostAsync(server.OperatorKey, "/api/v1/imports/999999/template", """{"name":"None"}""")).Status);
        Assert.Equal(404, (await server.GetAsync(server.ViewerKey, "/api/v1/accounts/nobody/templates")).Status);
        Assert.Equal(403, (await server.PostAsync(server.ViewerKey, $"/api/v1/imports/{id}/template", """{"name":"None"}""")).Status);
    }

    private async Task<int> ImportAsync(string manifest, string? mapping)
    {
        var id = await server.Database.ImportAsync(ImportState.Review, [RecordState.Pending]);
        var uploaded = await server.Services.GetRequiredService<UploadManifest>()
            .RunAsync(new MemoryStream(Encoding.UTF8.GetBytes(manifest)), "library.csv", TestContext.Current.CancellationToken);
        await server.Database.SqlAsync("UPDATE importer.import SET manifest_id = $2, mapping = $3 WHERE id = $1", id, uploaded.Id, mapping);
        return id;
    }
}
