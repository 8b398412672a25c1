using System.Net.Http.Headers;
using System.Text;
using BulkImporter.Imports;
using BulkImporter.Records;

namespace BulkImporter.Tests.Api;

/// <summary>A corrections file over HTTP. What each row may change is told by CorrectRecordsTests.</summary>
public sealed class CorrectionsApiTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    private const string File = "import_row,url\n2,https://media.example/better.mp4\n1,https://media.example/other.mp4\n";

    [Fact]
    public async Task Each_row_is_answered_and_only_what_failed_is_sent_again()
    {
        var id = await server.Database.ImportAsync(ImportState.Finished, [RecordState.Imported, RecordState.Failed]);
        var (status, report) = await server.SendAsync(server.OperatorKey, HttpMethod.Post, Path(id), Csv(File));
        Assert.Equal((200, 1, 1), (status, (int)report!["corrected"]!, (int)report["refused"]!));
        Assert.Equal(["2 2 corrected", "3 1 wrong_state"], report["rows"]!.AsArray()
            .Select(r => $"{r!["line"]} {r["row"]} {r["outcome"]}"));
        Assert.Equal("running", await server.Database.StateAsync(id));
        var (_, record) = await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{id}/records/2");
        Assert.Equal(("pending", "https://media.example/better.mp4"), ((string?)record!["state"], (string?)record["url"]));
    }

    [Fact]
    public async Task A_form_with_the_file_does_the_same()
    {
        var id = await server.Database.ImportAsync(ImportState.Finished, [RecordState.Imported, RecordState.Failed]);
        using var form =
            new MultipartFormDataContent { { Csv("import_row,url\n2,https://media.example/form.mp4\n"), "file", "better.csv" } };
        var (status, report) = await server.SendAsync(server.OperatorKey, HttpMethod.Post, Path(id), form);
        Assert.Equal((200, 1), (status, (int)report!["corrected"]!));
    }

    [Fact]
    public async Task An_import_whose_manifest_was_rejected_refuses_and_one_that_is_not_there_is_not_found()
    {
        var (status, problem) = await server.SendAsync(server.OperatorKey, HttpMethod.Post,
            Path(await server.Database.ImportAsync(ImportState.Rejected, [])), Csv(File));
        Assert.Equal((409, "rejected"), (status, (string?)problem!["state"]));
        Assert.Equal(404, (await server.SendAsync(server.OperatorKey, HttpMethod.Post, Path(999_999), Csv(File))).Status);
    }

    [Theory]
    [InlineData("url\nhttps://media.example/better.mp4\n", "which rows it corrects")]
    [InlineData("", "no rows")]
    public async Task A_file_that_cannot_be_used_says_what_it_lacks_and_changes_nothing(string file, string says)
    {
        var id = await server.Database.ImportAsync(ImportState.Finished, [RecordState.Failed]);
        var (status, problem) = await server.SendAsync(server.OperatorKey, HttpMethod.Post, Path(id), Csv(file));
        Assert.Equal((400, "file"), (status, (string?)problem!["argument"]));
        Assert.Contains(says, (string?)problem["detail"], StringComparison.OrdinalIgnoreCase);
        Assert.Equal("finished", await server.Database.StateAsync(id));
    }

    [Fact]
    public async Task A_viewer_may_not()
    {
        var id = await server.Database.ImportAsync(ImportState.Finished, [RecordState.Failed]);
        Assert.Equal(403, (await server.SendAsync(server.ViewerKey, HttpMethod.Post, Path(id), Csv(File))).Status);
    }

    private static string Path(int id) => $"/api/v1/imports/{id}/corrections";

    private static StringContent Csv(string text) => new(text, Encoding.UTF8, new MediaTypeHeaderValue("text/csv"));
}
