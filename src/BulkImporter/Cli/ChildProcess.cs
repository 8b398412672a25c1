using System.Diagnostics;
using System.Runtime.InteropServices;

namespace BulkImporter.Cli;

/// <summary>A program to start: the file and the arguments that come before any other.</summary>
internal sealed record ProgramFile(string FileName, IReadOnlyList<string> Arguments)
{
    /// <summary>A .dll is run by the dotnet host that runs us.</summary>
    public static ProgramFile At(string path) => path.EndsWith(".dll", StringComparison.OrdinalIgnoreCase)
        ? new ProgramFile("dotnet", [path])
        : new ProgramFile(path, []);
}

/// <summary>
/// A child whose output goes to a log file, stopped by SIGTERM to its process id, and never left behind: disposing stops it.
/// </summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    /// <summary>How long the last lines of an ended child may take: a child of its own may hold the pipe open for ever.</summary>
    private static readonly TimeSpan LastLines = TimeSpan.FromSeconds(5);

    private readonly Process process;
    private readonly TaskCompletionSource exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly StreamWriter log;
    private readonly Lock logging = new();
    private readonly TimeSpan grace;
    private bool closed;

    private ChildProcess(string name, Process process, StreamWriter log, string logFile, TimeSpan grace)
    {
        Name = name;
        LogFile = logFile;
        this.process = process;
        this.log = log;
        this.grace = grace;
    }

    public string Name { get; }

    public int Id => process.Id;

    public string LogFile { get; }

    public bool HasExited => process.HasExited;

    /// <param name="environment">Added to ours; null takes a variable away.</param>
    /// <param name="grace">How long after SIGTERM it may take to end before it is killed.</param>
    public static ChildProcess Start(string name, ProgramFile program,
        IEnumerable<string> arguments, IReadOnlyDictionary<string, string?> environment, string logFile, TimeSpan grace)
    {
        var start = new ProcessStartInfo(program.FileName, [.. program.Arguments, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in environment)
        {
            start.Environment.Remove(key);
            if (value is not null)
                start.Environment[key] = value;
        }

        var log = new StreamWriter(logFile, append: false) { AutoFlush = true };
        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        var child = new ChildProcess(name, process, log, logFile, grace);
        process.Exited += (_, _) => child.exited.TrySetResult();
        process.OutputDataReceived += (_, line) => child.Write(line.Data);
        process.ErrorDataReceived += (_, line) => child.Write(line.Data);
        try
        {
            process.Start();
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            process.Dispose();
            log.Dispose();
            throw new VerbFailure(ExitCode.Failed, $"{program.FileName} cannot be started: {e.Message}");
        }

        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return child;
    }

    /// <summary>Until it has ended and its log is complete.</summary>
    public async Task WaitForExitAsync(CancellationToken cancellationToken)
    {
        await exited.Task.WaitAsync(cancellationToken);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(LastLines);
        await process.WaitForExitAsync(patience.Token)
            .ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>The last lines of its log.</summary>
    public string Tail(int lines)
    {
        lock (logging)
            return string.Join(Environment.NewLine, File.ReadLines(LogFile).TakeLast(lines));
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (!process.HasExited)
                Terminate();
            if (await Task.WhenAny(exited.Task, Task.Delay(grace)) != exited.Task)
                process.Kill(entireProcessTree: true);
            await WaitForExitAsync(CancellationToken.None);
        }
        finally
        {
            process.Dispose();
            lock (logging)
            {
                closed = true;
                log.Dispose();
            }
        }
    }

    private void Write(string? line)
    {
        lock (logging)
        {
            if (line is not null && !closed)
                log.WriteLine(line);
        }
    }

    private void Terminate()
    {
        if (OperatingSystem.IsWindows())
            process.Kill(entireProcessTree: true);
        else
            _ = Signal(process.Id, SigTerm);
    }

    private const int SigTerm = 15;

    // The framework can only kill. The answer does not matter: a child that is gone is what was wanted.
    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Signal(int processId, int signal);
}
