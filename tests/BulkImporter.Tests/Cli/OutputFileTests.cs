using System.Diagnostics;
using System.Runtime.Versioning;
using BulkImporter.Cli;

namespace BulkImporter.Tests.Cli;

/// <summary>What <c>-o</c> does with what is there already, for every verb that has it.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class OutputFileTests : IDisposable
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly TemporaryFolder folder = new();

    public static TheoryData<string> Verbs { get; } = ["export 7", "export 7 --findings", "findings 7"];

    public void Dispose() => folder.Dispose();

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task New_file_is_its_owners_alone(string verb)
    {
        var file = folder.File("results.csv");
        await WriteAsync(verb, file);
        Assert.Equal("new\n", File.ReadAllText(file));
        Assert.Equal(Private, File.GetUnixFileMode(file));
    }

    [Theory]
    [InlineData(Private)]
    [InlineData(Private | UnixFileMode.GroupRead | UnixFileMode.OtherRead)]
    [InlineData(Private | UnixFileMode.GroupRead | UnixFileMode.GroupWrite)]
    public async Task Mode_of_a_file_stays(UnixFileMode mode)
    {
        var file = folder.File("results.csv", "old");
        File.SetUnixFileMode(file, mode);
        foreach (string verb in Verbs)
        {
            await WriteAsync(verb, file);
            Assert.Equal("new\n", File.ReadAllText(file));
            Assert.Equal(mode, File.GetUnixFileMode(file));
        }
    }

    [Fact]
    public async Task Owner_of_a_file_stays()
    {
        var file = folder.File("results.csv", "old");
        // Only root can give a file away; whoever else runs this has a file of his own.
        if (Environment.IsPrivilegedProcess) Run("chown", "65534:65534", file);
        var owner = Run("stat", "-c", "%u:%g", file);

        await WriteAsync("export 7", file);

        Assert.Equal(owner, Run("stat", "-c", "%u:%g", file));
    }

    [Fact]
    public async Task Links_stay_and_what_they_lead_to_is_written()
    {
        var (file, middle, link, dangling) =
            (folder.File("results.csv", "old"), folder.File("middle"), folder.File("link"), folder.File("dangling"));
        File.CreateSymbolicLink(middle, "results.csv");
        File.CreateSymbolicLink(link, middle);
        File.CreateSymbolicLink(dangling, "later.csv");

        await WriteAsync("export 7", link);
        await WriteAsync("export 7", dangling);

        Assert.Equal("new\n", File.ReadAllText(file));
        Assert.Equal("new\n", File.ReadAllText(folder.File("later.csv")));
        Assert.Equal((middle, "results.csv", "later.csv"),
            (new FileInfo(link).LinkTarget, new FileInfo(middle).LinkTarget, new FileInfo(dangling).LinkTarget));
        Assert.Equal(5, Directory.GetFileSystemEntries(folder.Path).Length);
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task Pipe_is_written_into_and_stays_one(string verb)
    {
        var pipe = folder.File("pipe");
        Run("mkfifo", pipe);
        var reading = Task.Run(() => File.ReadAllText(pipe));

        await WriteAsync(verb, pipe);

        Assert.Equal("new\n", await reading.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Assert.Equal("fifo", Run("stat", "-c", "%F", pipe));
        Assert.Equal([pipe], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task Device_is_written_into_and_stays_one()
    {
        // Root may replace any file, so it gets a device of its own; nobody else can make one, or harm the system's.
        var device = Environment.IsPrivilegedProcess ? folder.File("null") : "/dev/null";
        if (Environment.IsPrivilegedProcess) Run("mknod", device, "c", "1", "3");

        await WriteAsync("export 7", device);

        Assert.Equal("character special file", Run("stat", "-c", "%F", device));
        Assert.True(Directory.GetFileSystemEntries(folder.Path).All(entry => entry == device));
    }

    [Fact]
    public async Task Archive_into_a_pipe_says_that_it_is_not_verified()
    {
        var pipe = folder.File("pipe");
        Run("mkfifo", pipe);
        var reading = Task.Run(() => File.ReadAllText(pipe));
        using var run = Answered();

        Assert.Equal(ExitCode.Done, await run.RunAsync("archive", "7", "-o", pipe));

        Assert.Equal("new\n", await reading.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Assert.Contains("BulkImporter verify", run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Output);
    }

    [Fact]
    public async Task Dash_is_standard_output()
    {
        foreach (var verb in Verbs.Select(row => (string)row).Append("archive 7"))
        {
            using var run = Answered();
            Assert.Equal(ExitCode.Done, await run.RunAsync([.. verb.Split(' '), "-o", "-"]));
            Assert.Equal("new\n", run.Output);
        }
        Assert.False(File.Exists("-"));
    }

    [Fact]
    public async Task Folder_and_no_name_are_refused_before_anything_is_asked()
    {
        using var run = Answered();
        Assert.Equal(ExitCode.Failed, await run.RunAsync("export", "7", "-o", folder.Path));
        Assert.Contains("is a folder", run.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, await run.RunAsync("export", "7", "-o", ""));
        Assert.Empty(run.Api.Calls);
    }

    private static async Task WriteAsync(string verb, string file)
    {
        using var run = Answered();
        Assert.True(await run.RunAsync([.. verb.Split(' '), "-o", file]) == ExitCode.Done, run.Error);
    }

    private static CliRun Answered()
    {
        var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7/.*", () => new HttpResponseMessage { Content = new StringContent("new\n") });
        return run;
    }

    internal static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }
}
