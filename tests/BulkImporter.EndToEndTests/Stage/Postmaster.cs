using System.Globalization;

namespace BulkImporter.EndToEndTests;

/// <summary>The PostgreSQL server of a cluster directory, ours or the one that a server under test brought along.</summary>
internal static class Postmaster
{
    /// <summary>Its process, or null when it does not run. The file alone proves nothing: it survives kill -9.</summary>
    public static async Task<int?> FindAsync(string cluster)
    {
        if (PidFile(cluster) is not { Exists: true } file
            || !int.TryParse(File.ReadLines(file.FullName).FirstOrDefault(), CultureInfo.InvariantCulture, out var pid)) return null;
        try
        {
            // A server works in its cluster's folder; only without /proc does its command line name it.
            if (Directory.Exists("/proc/self")) return new FileInfo($"/proc/{pid}/cwd").LinkTarget is { } folder
                && folder.EndsWith(cluster, StringComparison.Ordinal) ? pid : null;
            return (await RunningProgram.CompleteAsync("ps", "-p", $"{pid}", "-o", "command=")).Contains(cluster, StringComparison.Ordinal)
                ? pid : null;
        }
        catch (InvalidOperationException)
        {
            return null; // ps found no such process
        }
    }

    /// <summary>What <c>pg_ctl stop -m immediate</c> does: every backend drops what it was doing, and the next start recovers.</summary>
    public static async Task StopNowAsync(string cluster)
    {
        if (await FindAsync(cluster) is not { } pid) return;
        RunningProgram.SendQuit(pid);
        await Wait.UntilAsync(TimeSpan.FromSeconds(30), $"PostgreSQL {pid} has stopped", () => Task.FromResult(!PidFile(cluster).Exists));
    }

    /// <summary>kill -9 of the postmaster, as the kernel does when memory runs out. Its backends see it and end.</summary>
    public static async Task KillAsync(string cluster)
    {
        var pid = await FindAsync(cluster);
        Assert.NotNull(pid);
        RunningProgram.SendKill(pid.Value);
        await Wait.UntilAsync(TimeSpan.FromSeconds(30), $"PostgreSQL {pid} is gone", async () => await FindAsync(cluster) is null);
    }

    private static FileInfo PidFile(string cluster) => new(Path.Combine(cluster, "postmaster.pid"));
}
