using System.Runtime.InteropServices;
using BulkImporter.Records;
using Microsoft.Win32.SafeHandles;

namespace BulkImporter.Dispatch;

/// <summary>
/// Opens a file under one of the folders that may be pushed from. A manifest names the path and others may change the folder meanwhile, so
/// the file is opened first and what was opened is judged: where it really is, and that it is a regular file. Opening never waits, as it
/// would for a FIFO.
/// </summary>
internal static class LocalFile
{
    /// <summary>As many links one after another as Linux follows in a path.</summary>
    private const int MostLinks = 40;

    /// <param name="path">Absolute.</param>
    /// <exception cref="SourceFailedException">It is no file that may be pushed, or it cannot be read.</exception>
    public static FileStream Open(string path, IEnumerable<string> roots)
    {
        SafeFileHandle? handle = null;
        try
        {
            handle = OpenNow(path);
            var real = OperatingSystem.IsLinux() ? File.ResolveLinkTarget(Opened(handle), returnFinalTarget: false)!.FullName
                : RealPath(path);
            if (!roots.Any(root => IsUnder(real, RealPath(Path.GetFullPath(root)))))
                throw new SourceFailedException(FailureCode.SourceForbidden, "A link leads out of the folders that may be pushed from.");
            if (!IsRegular(handle)) throw new SourceFailedException(FailureCode.SourceForbidden, "It is not a regular file.");
            return new FileStream(handle, FileAccess.Read, 64 * 1024);
        }
        catch (Exception e)
        {
            handle?.Dispose();
            throw e switch
            {
                SourceFailedException => e,
                FileNotFoundException or DirectoryNotFoundException =>
                    new SourceFailedException(FailureCode.SourceNotFound, "There is no such file."),
                UnauthorizedAccessException => new SourceFailedException(FailureCode.SourceForbidden, "The file may not be read."),
                ArgumentException or NotSupportedException =>
                    new SourceFailedException(FailureCode.InvalidInput, "The URL does not name a file."),
                IOException => new SourceFailedException(FailureCode.SourceUnreachable, $"The file cannot be read: {e.Message}"),
                _ => e,
            };
        }
    }

    public static bool IsUnder(string path, string root) =>
        path.StartsWith(Path.TrimEndingDirectorySeparator(Path.GetFullPath(root)) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    /// <summary>The path with every link in it followed.</summary>
    /// <exception cref="SourceFailedException">A link leads back to itself, or through too many others.</exception>
    private static string RealPath(string path, int links = 0)
    {
        if (links > MostLinks) throw new SourceFailedException(FailureCode.SourceForbidden, "The path leads through too many links.");
        var real = Path.GetPathRoot(path)!;
        foreach (var part in Path.GetRelativePath(real, path).Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".") continue;
            real = Path.Combine(real, part);
            FileSystemInfo here = Directory.Exists(real) ? new DirectoryInfo(real) : new FileInfo(real);
            // Followed again from the root: a link may lead through other links.
            if (here.LinkTarget is not null) real = RealPath(here.ResolveLinkTarget(returnFinalTarget: false)!.FullName, links + 1);
        }
        return real;
    }

    // .NET's own opening waits for a FIFO's writer, for ever if none comes.
    private static SafeFileHandle OpenNow(string path)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
            return File.OpenHandle(path, options: FileOptions.Asynchronous | FileOptions.SequentialScan);
        if (path.Contains('\0', StringComparison.Ordinal)) throw new ArgumentException("A path holds no NUL.", nameof(path));
        var readOnlyNonBlockingCloseOnExec = OperatingSystem.IsLinux() ? 0x80800 : 0x1000004;
        var descriptor = open(path, readOnlyNonBlockingCloseOnExec);
        if (descriptor >= 0) return new SafeFileHandle(descriptor, ownsHandle: true);
        throw Marshal.GetLastPInvokeError() switch
        {
            NoSuchEntry or NotADirectory => new FileNotFoundException(),
            NotPermitted or AccessDenied => new UnauthorizedAccessException(),
            LoopLinux or LoopMac => new SourceFailedException(FailureCode.SourceForbidden, "The path leads through too many links."),
            var error => new IOException(Marshal.GetPInvokeErrorMessage(error)),
        };
    }

    /// <summary>Linux's name of what is open, whatever has become of the path meanwhile.</summary>
    private static string Opened(SafeFileHandle handle) => $"/proc/self/fd/{handle.DangerousGetHandle()}";

    private static bool IsRegular(SafeFileHandle handle)
    {
        if (OperatingSystem.IsLinux()) return FileKind.Of(Opened(handle)) is { IsRegular: true };
        using var probe = new FileStream(new SafeFileHandle(handle.DangerousGetHandle(), ownsHandle: false),
            FileAccess.Read, bufferSize: 0);
        return probe.CanSeek;
    }

    private const int NotPermitted = 1, NoSuchEntry = 2, AccessDenied = 13, NotADirectory = 20, LoopLinux = 40, LoopMac = 62;

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);
}
