using System.Diagnostics;
using BulkImporter.Cli;

namespace BulkImporter.Tests.Cli;

[Trait("Category", "Processes")]
public sealed class ChildProcessTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    [Fact]
    public async Task Child_is_asked_to_end_and_its_output_is_in_the_log()
    {
        var child = Start("trap 'echo going; exit 0' TERM; echo $$ >&2; echo started; while :; do sleep 0.02; done",
            TimeSpan.FromSeconds(30));
        var id = await IdOnceStartedAsync(child);

        await child.DisposeAsync();

        Assert.False(IsAlive(id));
        Assert.Equal([.. new[] { $"{id}", "going", "started" }.Order()], File.ReadAllLines(child.LogFile).Order());
    }

    [Fact]
    public async Task Child_that_does_not_listen_is_killed_after_its_grace()
    {
        var child = Start("trap '' TERM; echo $$; echo started; while :; do sleep 0.02; done", TimeSpan.FromMilliseconds(50));
        var id = await IdOnceStartedAsync(child);

        await child.DisposeAsync();

        Assert.False(IsAlive(id));
    }

    [Fact]
    public async Task Child_that_has_ended_by_itself_can_be_disposed()
    {
        var child = Start("echo one; echo two; echo three; exit 7", TimeSpan.FromSeconds(30));
        await child.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(child.HasExited);
        Assert.Equal($"two{Environment.NewLine}three", child.Tail(2));

        await child.DisposeAsync();
    }

    [Fact]
    public async Task Child_whose_own_child_holds_its_output_open_is_not_waited_for()
    {
        var child = Start("sleep 600 & echo $!; echo started; while :; do sleep 0.02; done", TimeSpan.FromSeconds(30));
        var grandchild = await IdOnceStartedAsync(child);

        await child.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));

        Assert.True(IsAlive(grandchild));
        Process.GetProcessById(grandchild).Kill();
    }

    [Fact]
    public async Task Variables_are_added_and_taken_away()
    {
        var child = ChildProcess.Start("child", new ProgramFile("/bin/sh", ["-c", "echo \"$ADDED,$HOME\""]), [],
            new Dictionary<string, string?> { ["ADDED"] = "yes", ["HOME"] = null }, folder.File("child.log"), TimeSpan.FromSeconds(30));
        await child.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal("yes,", child.Tail(1));

        await child.DisposeAsync();
    }

    [Fact]
    public void Program_that_does_not_exist_is_a_failure_of_the_verb()
    {
        var failure = Assert.Throws<VerbFailure>(() =>
            ChildProcess.Start("child", ProgramFile.At("/no/such/program"), [], new Dictionary<string, string?>(),
                folder.File("child.log"), TimeSpan.FromSeconds(1)));

        Assert.Contains("/no/such/program", failure.Message);
    }

    public void Dispose() => folder.Dispose();

    internal static bool IsAlive(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private ChildProcess Start(string script, TimeSpan grace) =>
        ChildProcess.Start("child", new ProgramFile("/bin/sh", ["-c", script]), [], new Dictionary<string, string?>(),
            folder.File("child.log"), grace);

    /// <summary>The script tells its process id, and then that it is ready for a signal.</summary>
    private static async Task<int> IdOnceStartedAsync(ChildProcess child)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            var lines = child.Tail(10).Split(Environment.NewLine);
            if (lines.Contains("started") && lines.FirstOrDefault(l => int.TryParse(l, out _)) is { } id)
                return int.Parse(id);
            await Task.Delay(10, limit.Token);
        }
    }
}
