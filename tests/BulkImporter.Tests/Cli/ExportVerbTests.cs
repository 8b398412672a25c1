using System.Net;
using BulkImporter.Cli;

namespace BulkImporter.Tests.Cli;

public sealed class ExportVerbTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    [Fact]
    public async Task Without_a_file_the_bytes_go_to_standard_output_unchanged()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, @"/api/v1/imports/7/results\?format=jsonl&state=failed", () =>
            new HttpResponseMessage { Content = new StringContent("{\"ä\":1}\r\n") });

        Assert.Equal(ExitCode.Done, await run.RunAsync("export", "7", "--state", "failed", "--format", "jsonl"));

        Assert.Equal("{\"ä\":1}\r\n", run.Output);
        Assert.Empty(run.Error);
    }

    [Fact]
    public async Task Findings_are_an_export_too()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, @"/api/v1/imports/7/findings\?format=csv", () =>
            new HttpResponseMessage { Content = new StringContent("row,line\n") });

        Assert.Equal(ExitCode.Done, await run.RunAsync("export", "7", "--findings"));

        Assert.Equal("row,line\n", run.Output);
    }

    [Fact]
    public async Task Findings_of_one_state_are_refused_before_anything_is_asked()
    {
        using var run = new CliRun();
        Assert.Equal(ExitCode.Usage, await run.RunAsync("export", "7", "--findings", "--state", "failed"));
        Assert.Empty(run.Api.Calls);
    }

    [Fact]
    public async Task File_is_replaced_as_a_whole()
    {
        using var run = new CliRun();
        var file = folder.File("results.csv", "old");
        run.Api.On(HttpMethod.Get, @"/api/v1/imports/7/results", () =>
            new HttpResponseMessage { Content = new StringContent("url,import_row\n") });

        Assert.Equal(ExitCode.Done, await run.RunAsync("export", "7", "-o", file));

        Assert.Equal("url,import_row\n", File.ReadAllText(file));
        Assert.Equal([file], Directory.GetFiles(folder.Path));
        Assert.Empty(run.Output);
    }

    [Fact]
    public async Task Old_file_stays_whole_while_the_new_one_is_written()
    {
        using var run = new CliRun();
        var file = folder.File("results.csv", "old");
        var seen = "";
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7/results.*", () => new HttpResponseMessage
        {
            Content = new StreamContent(new Chunks("new"u8.ToArray(), () =>
            {
                seen = File.ReadAllText(file);
                return 0;
            })),
        });

        await run.RunAsync("export", "7", "-o", file);

        Assert.Equal("old", seen);
        Assert.Equal("new", File.ReadAllText(file));
    }

    [Fact]
    public async Task Answer_that_breaks_off_leaves_the_old_file_and_nothing_else()
    {
        using var run = new CliRun();
        var file = folder.File("results.csv", "old");
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7/results.*", () => new HttpResponseMessage
        {
            Content = new StreamContent(new Chunks("half"u8.ToArray(), () =>
                throw new HttpIOException(HttpRequestError.ResponseEnded, "The response ended prematurely."))),
        });

        Assert.Equal(ExitCode.Failed, await run.RunAsync("export", "7", "-o", file));

        Assert.Equal("old", File.ReadAllText(file));
        Assert.Equal([file], Directory.GetFiles(folder.Path));
        Assert.Contains("was cut off", run.Error);
    }

    [Fact]
    public async Task Unknown_import_leaves_no_file()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7/results.*", () =>
            FakeApi.Problem(HttpStatusCode.NotFound, "Not found", "There is no import 7."));

        Assert.Equal(ExitCode.NotFound, await run.RunAsync("export", "7", "-o", folder.File("results.csv")));

        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public async Task Folder_that_does_not_exist_exits_1_and_names_it()
    {
        using var run = new CliRun();
        var file = Path.Combine(folder.Path, "no", "results.csv");

        Assert.Equal(ExitCode.Failed, await run.RunAsync("export", "7", "-o", file));

        Assert.Contains(file, run.Error);
    }

    public void Dispose() => folder.Dispose();

    /// <summary>One chunk, and then what the test says.</summary>
    private sealed class Chunks(byte[] first, Func<int> then) : Stream
    {
        private bool sent;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (sent)
                return then();
            sent = true;
            first.CopyTo(buffer, offset);
            return first.Length;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
