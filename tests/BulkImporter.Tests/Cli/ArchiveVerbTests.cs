using System.IO.Compression;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using BulkImporter.Cli;

namespace BulkImporter.Tests.Cli;

/// <summary>archive, verify and delete. What is in an archive is told by ArchiveImportTests.</summary>
public sealed class ArchiveVerbTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Archive_is_written_whole_and_verified_and_can_be_verified_again_without_a_server()
    {
        using var run = new CliRun();
        var file = Path.Combine(folder.Path, "spring.zip");
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7/archive", () => Zip(Archive("{\"row\":1}\n")));

        Assert.Equal(ExitCode.Done, await run.RunAsync("archive", "7", "-o", file));
        Assert.Contains($"Wrote {file}: import 7, Spring: 1 record and 2 files, whole and unchanged.", run.Output);

        using var verify = new CliRun();
        Assert.Equal(ExitCode.Done, await verify.RunAsync("verify", file));
        Assert.Contains("import 7, Spring: 1 record and 2 files, whole and unchanged.", verify.Output);
        Assert.Empty(verify.Api.Calls);
    }

    [Fact]
    public async Task Archive_that_lacks_records_is_no_success()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7/archive", () => Zip(Archive("")));
        Assert.Equal(ExitCode.Failed, await run.RunAsync("archive", "7", "-o", Path.Combine(folder.Path, "spring.zip")));
        Assert.Contains("records.jsonl has 0 records, and the import had 1", run.Error);
    }

    [Fact]
    public async Task File_that_is_no_archive_is_told_to_be_none()
    {
        using var run = new CliRun();
        Assert.Equal(ExitCode.Failed, await run.RunAsync("verify", folder.File("spring.zip", "url\n")));
        Assert.Contains("is not what was archived", run.Error);
    }

    [Fact]
    public async Task Delete_asks_to_be_told_that_it_is_meant()
    {
        using var run = new CliRun();
        Assert.Equal(ExitCode.Usage, await run.RunAsync("delete", "7"));
        Assert.Contains("give --yes", run.Error);
        Assert.Empty(run.Api.Calls);

        run.Api.On(HttpMethod.Delete, "/api/v1/imports/7", Bodies.Import(state: "deleting"));
        Assert.Equal(ExitCode.Done, await run.RunAsync("delete", "7", "--yes"));
        Assert.Contains("Import 7 is being deleted.", run.Output);
    }

    private static HttpResponseMessage Zip(byte[] bytes) =>
        new() { Content = new ByteArrayContent(bytes) { Headers = { ContentType = new MediaTypeHeaderValue("application/zip") } } };

    private static byte[] Archive(string records)
    {
        using var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            var sums = new StringBuilder();
            foreach (var (name, text) in new[] { ("import.json", """{"id":7,"name":"Spring","row_count":1}"""),
                ("records.jsonl", records) })
            {
                Write(zip, name, text);
                sums.Append($"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}  {name}\n");
            }
            Write(zip, "SHA256SUMS", sums.ToString());
        }
        return file.ToArray();
    }

    private static void Write(ZipArchive zip, string name, string text)
    {
        using var writer = new StreamWriter(zip.CreateEntry(name).Open());
        writer.Write(text);
    }
}
