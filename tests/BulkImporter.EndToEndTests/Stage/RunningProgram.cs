using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace BulkImporter.EndToEndTests;

/// <summary>A process of a test. It writes straight into its log file, so that nothing is lost when either side is killed.</summary>
internal sealed class RunningProgram : IDisposable
{
    private const int SigQuit = 3;
    private const int SigKill = 9;
    private const int SigTerm = 15;

    private static readonly ConcurrentDictionary<int, RunningProgram> Running = new();

    private readonly Process process;

    static RunningProgram() =>
        // A test run that is told to end (Ctrl-C, the time limit of ./run) leaves nobody behind.
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            foreach (var program in Running.Values) program.Kill();
        };

    private RunningProgram(string name, Process process, string logFile, string errorFile)
    {
        Name = name;
        this.process = process;
        LogFile = logFile;
        ErrorFile = errorFile;
        Id = process.Id;
    }

    public string Name { get; }

    public int Id { get; }

    public string LogFile { get; }

    /// <summary>The same as <see cref="LogFile"/> unless they were asked for apart.</summary>
    public string ErrorFile { get; }

    /// <summary>Where it answers; set by who told it.</summary>
    public string? Address { get; set; }

    public bool HasExited => process.HasExited;

    /// <summary>The memory that it has now, in bytes.</summary>
    public long Memory => OfStatus("VmRSS:");

    /// <summary>The most memory that it ever had, in bytes.</summary>
    public long MostMemory => OfStatus("VmHWM:");

    public string Log => File.ReadAllText(LogFile);

    /// <param name="environment">Null removes a variable.</param>
    /// <param name="errorFile">Where standard error goes; null = where standard output goes.</param>
    public static RunningProgram Start(string name, string program,
        IEnumerable<string> arguments, IReadOnlyDictionary<string, string?> environment, string logFile, string? errorFile = null)
    {
        // The shell only opens the files and then becomes the program, under the same process id.
        const string Become = """exec "$0" "$@" >>"$E2E_LOG" 2>>"$E2E_ERRORS" </dev/null""";
        var start = new ProcessStartInfo("/bin/sh", ["-c", Become, program, .. arguments])
        { WorkingDirectory = Path.GetDirectoryName(logFile)! };
        foreach (var (variable, value) in environment) start.Environment[variable] = value;
        start.Environment["E2E_LOG"] = logFile;
        start.Environment["E2E_ERRORS"] = errorFile ?? logFile;
        var running = new RunningProgram(name, Process.Start(start)!, logFile, errorFile ?? logFile);
        Running[running.Id] = running;
        return running;
    }

    /// <summary>kill -9, and the process is gone when this returns.</summary>
    public void Kill()
    {
        if (!process.HasExited) _ = Signal(Id, SigKill);
        process.WaitForExit();
        Running.TryRemove(Id, out _);
    }

    /// <summary>SIGTERM. Returns the exit code and how long it took.</summary>
    public async Task<(int ExitCode, TimeSpan Took)> TerminateAsync(TimeSpan limit)
    {
        var since = Stopwatch.GetTimestamp();
        Assert.False(process.HasExited, $"{Name} has ended before it was told to:\n{Tail(40)}");
        _ = Signal(Id, SigTerm);
        return (await WaitForExitAsync(limit), Stopwatch.GetElapsedTime(since));
    }

    public async Task<int> WaitForExitAsync(TimeSpan limit)
    {
        using var patience = new CancellationTokenSource(limit);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"{Name} has not ended within {limit.TotalSeconds:0} s:\n{Tail(40)}");
        }

        Running.TryRemove(Id, out _);
        return process.ExitCode;
    }

    public string Tail(int lines) =>
        string.Join('\n', new[] { LogFile, ErrorFile }.Distinct().Where(File.Exists).SelectMany(f => File.ReadLines(f).TakeLast(lines)));

    public void Dispose()
    {
        Kill();
        process.Dispose();
    }

    /// <summary>Runs something short to its end.</summary>
    public static async Task<string> CompleteAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException(
                $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {await output}{await errors}");
    }

    public static void SendKill(int processId) => _ = Signal(processId, SigKill);

    public static void SendQuit(int processId) => _ = Signal(processId, SigQuit);

    /// <summary>The kernel counts in KiB.</summary>
    private long OfStatus(string name) =>
        1024 * long.Parse(File.ReadLines($"/proc/{Id}/status").First(l => l.StartsWith(name, StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Signal(int processId, int signal);
}
