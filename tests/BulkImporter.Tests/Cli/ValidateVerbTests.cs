using System.IO.Compression;
using System.Text.Json;
using BulkImporter.Cli;

namespace BulkImporter.Tests.Cli;

public sealed class ValidateVerbTests : IDisposable
{
    private const string Mixed =
        "url,title\nhttps://media.example.com/a.mp4,A\nftp://media.example.com/b.mp4,B\nhttps://media.example.com/a.mp4,again\n";

    private readonly TemporaryFolder folder = new();

    [Fact]
    public async Task Clean_manifest_exits_0_without_asking_a_server()
    {
        using var run = new CliRun();

        Assert.Equal(ExitCode.Done, await run.RunAsync("validate", folder.File("a.csv", "url\nhttps://media.example.com/a.mp4\n")));

        Assert.Contains("1 row: 1 valid, 0 invalid, 0 duplicate.", run.Output);
        Assert.Empty(run.Api.Calls);
    }

    [Fact]
    public async Task Rows_that_cannot_be_imported_exit_3_with_line_and_hint()
    {
        using var run = new CliRun();

        Assert.Equal(ExitCode.DoneWithProblems, await run.RunAsync("validate", folder.File("a.csv", Mixed)));

        Assert.Contains("line 3, row 2: error url_scheme in url", run.Output);
        Assert.Contains("duplicate_url in url (https://media.example.com/a.mp4), as in row 1", run.Output);
        Assert.Contains("3 rows: 1 valid, 1 invalid, 1 duplicate.", run.Output);
    }

    [Fact]
    public async Task Findings_beyond_the_limit_are_counted_and_not_printed()
    {
        using var run = new CliRun();

        await run.RunAsync("validate", folder.File("a.csv", Mixed), "--limit", "1");

        Assert.DoesNotContain("as in row 1", run.Output);
        Assert.Contains("and 1 more", run.Output);
        Assert.Contains("duplicate_url 1", run.Output);
    }

    [Fact]
    public async Task Json_is_one_object_with_all_findings()
    {
        using var run = new CliRun();

        Assert.Equal(ExitCode.DoneWithProblems, await run.RunAsync("validate", folder.File("a.csv", Mixed), "--json"));

        using var json = JsonDocument.Parse(run.Output);
        var root = json.RootElement;
        Assert.Equal((3, 1, 1, 1), (root.GetProperty("rows").GetInt32(), root.GetProperty("valid").GetInt32(), root.GetProperty("invalid")
            .GetInt32(), root.GetProperty("duplicate").GetInt32()));
        Assert.Equal(["url", "title"], root.GetProperty("columns").EnumerateArray().Select(c => c.GetString()));
        var finding = root.GetProperty("findings")[0];
        Assert.Equal((2, 3, "url", "url_scheme", "error"),
            (finding.GetProperty("row").GetInt32(), finding.GetProperty("line").GetInt32(), finding.GetProperty("column")
                .GetString(), finding.GetProperty("code").GetString(), finding.GetProperty("severity").GetString()));
    }

    [Fact]
    public async Task Skipped_lines_are_findings_without_a_row_and_unused_columns_are_named()
    {
        using var run = new CliRun();

        Assert.Equal(ExitCode.Done,
            await run.RunAsync("validate",
                folder.File("a.csv", "#TYPE System.Object\n\"url\", \"Remark\"\n\"https://media.example.com/a.mp4\", \"x, y\"\n")));

        Assert.Contains("line 1: warning line_skipped (#TYPE System.Object).", run.Output);
        Assert.Contains("not imported: Remark", run.Output);
        Assert.Contains("1 row: 1 valid, 0 invalid, 0 duplicate.", run.Output);
    }

    [Fact]
    public async Task Column_is_mapped_by_the_name_that_the_message_shows()
    {
        using var run = new CliRun();
        var file = folder.File("a.csv",
            "\"Link\nto file\",\"Poster\u00A0URL\"\nhttps://media.example.com/a.mp4,https://media.example.com/a.jpg\n");

        Assert.Equal(ExitCode.Failed, await run.RunAsync("validate", file));
        Assert.Contains("url=Link to file", run.Error);
        Assert.Equal(ExitCode.Done, await run.RunAsync("validate", file, "--map", "url=Link to file"));
    }

    [Fact]
    public async Task Compressed_manifest_is_read_too()
    {
        using var run = new CliRun();
        var file = folder.File("a.csv.gz");
        await using (var gzip = new GZipStream(File.Create(file), CompressionLevel.Fastest))
            gzip.Write("url\nhttps://media.example.com/a.mp4\n"u8);

        Assert.Equal(ExitCode.Done, await run.RunAsync("validate", file));
    }

    [Theory]
    [InlineData("", "has no rows", null)]
    [InlineData("a,b\nhttps://x.example.com/1,https://x.example.com/2\n", "Several columns hold URLs", "--map")]
    public async Task File_that_is_no_manifest_exits_1_and_says_what_to_do(string content, string told, string? advice)
    {
        using var run = new CliRun();

        Assert.Equal(ExitCode.Failed, await run.RunAsync("validate", folder.File("a.csv", content)));

        Assert.Contains(told, run.Error);
        Assert.Contains(advice ?? "", run.Error);
    }

    [Fact]
    public async Task Mapping_answers_the_question()
    {
        using var run = new CliRun();

        Assert.Equal(ExitCode.Done,
            await run.RunAsync("validate", folder.File("a.csv", "a,b\nhttps://x.example.com/1,https://x.example.com/2\n"),
                "--map", "url=b"));

        Assert.Contains("url = b", run.Output);
    }

    public void Dispose() => folder.Dispose();
}
