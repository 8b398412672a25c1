using System.Diagnostics;

namespace BulkImporter.Hosting;

/// <summary>
/// What <c>postmaster.pid</c> says: PostgreSQL writes it at start, its process id first, and removes it at an orderly stop. After a crash
/// it stays, and its process id may by then belong to any other program.
/// </summary>
internal static class PostmasterFile
{
    public static string PathIn(string cluster) => Path.Combine(cluster, "postmaster.pid");

    /// <returns>Null when there is none, or when it is only just being written.</returns>
    public static int? ProcessId(string cluster)
    {
        try
        {
            return int.TryParse(File.ReadLines(PathIn(cluster)).FirstOrDefault(), CultureInfo.InvariantCulture, out var id) ? id : null;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    /// <summary>
    /// The process, when it exists and is a server of this very cluster. Every PostgreSQL process works in its cluster's folder, so the
    /// working folder tells, where the system shows it; elsewhere (macOS) the command line does.
    /// </summary>
    public static int? ServerOf(string cluster) => ProcessId(cluster) is { } id && IsServerOf(cluster, id) ? id : null;

    private static bool IsServerOf(string cluster, int processId)
    {
        if (Directory.Exists("/proc/self"))
            return WorkingDirectory(processId) == cluster;

        using var ps = Process.Start(new ProcessStartInfo("ps", ["-o", "command=", "-p", processId.ToString(CultureInfo.InvariantCulture)])
        { RedirectStandardOutput = true })!;
        return ps.StandardOutput.ReadToEnd().Contains(cluster, StringComparison.Ordinal);
    }

    /// <summary>
    /// All processes of the cluster, also the children that outlive a killed postmaster for a moment. On a system without
    /// <c>/proc</c> the list is empty, and PostgreSQL's own check of its shared memory is what remains.
    /// </summary>
    public static IReadOnlyList<int> ProcessesOf(string cluster) =>
        !Directory.Exists("/proc/self")
            ? []
            : [.. Directory.EnumerateDirectories("/proc")
                .Select(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var processId) ? processId : 0)
                .Where(processId => processId > 0 && WorkingDirectory(processId) == cluster)];

    private static string? WorkingDirectory(int processId)
    {
        try
        {
            return new FileInfo($"/proc/{processId}/cwd").LinkTarget;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // The process ended while we looked, or belongs to somebody else: not a server of ours either way.
            return null;
        }
    }
}
