namespace BulkImporter.Hosting;

/// <summary>The account that the server runs under when we are root, because PostgreSQL refuses to run as root.</summary>
internal sealed record UnprivilegedAccount(string Name, int Uid, int Gid, IReadOnlyList<string> Prefix)
{
    /// <summary>
    /// An existing cluster is run by its owner; a new one by <c>postgres</c>, which a PostgreSQL package creates, otherwise by
    /// <c>nobody</c>.
    /// </summary>
    /// <returns>Null when we are not root: the server then simply runs as we do.</returns>
    public static async Task<UnprivilegedAccount?> ForAsync(string cluster, CancellationToken cancellationToken)
    {
        if (!Environment.IsPrivilegedProcess)
            return null;

        var accounts = await ReadAccountsAsync(cancellationToken);
        if (Directory.Exists(cluster))
        {
            var owner = await Command.RunAsync("stat", ["-c", "%u:%g", cluster], account: null, cancellationToken);
            if (owner.ExitCode != 0)
                throw new StartupException($"The owner of {cluster} could not be read: {owner.Output}");

            var (uid, gid) = ParseIds(owner.Output);
            if (uid == 0)
                throw new StartupException(
                    $"{cluster} belongs to root, and PostgreSQL refuses to run as root. Give it back to the account that ran it, " +
                    $"for example: chown -R postgres: {cluster} {Path.Combine(Path.GetDirectoryName(cluster)!, "password")}");

            return Create(accounts.FirstOrDefault(entry => entry.Value.Uid == uid).Key
                ?? uid.ToString(CultureInfo.InvariantCulture), uid, gid);
        }

        foreach (var name in (string[])["postgres", "nobody"])
        {
            if (accounts.TryGetValue(name, out var ids))
                return Create(name, ids.Uid, ids.Gid);
        }

        throw new StartupException(
            "This program runs as root, PostgreSQL refuses to, and /etc/passwd has no account \"postgres\" or \"nobody\" to run it under. "
                + "Create one (useradd --system postgres), or run this program as an ordinary user.");
    }

    /// <summary>Hands one file or folder over, so that the server may read it.</summary>
    public async Task OwnAsync(string path, CancellationToken cancellationToken)
    {
        var answer = await Command.RunAsync("chown", ["-h", $"{Uid}:{Gid}", path], account: null, cancellationToken);
        if (answer.ExitCode != 0)
            throw new StartupException($"{path} could not be given to the account \"{Name}\": {answer.Output}");
    }

    /// <summary>Whether the account gets into the folder: it needs search permission on it and on every folder above.</summary>
    public async Task<bool> CanEnterAsync(string directory, CancellationToken cancellationToken) =>
        (await Command.RunAsync("test", ["-x", directory], this, cancellationToken)).ExitCode == 0;

    private static UnprivilegedAccount Create(string name, int uid, int gid)
    {
        string[] prefix = InPath("setpriv") is { } setpriv
            ? [setpriv, $"--reuid={uid}", $"--regid={gid}", "--clear-groups", "--"]
            : InPath("runuser") is { } runuser
                ? [runuser, "-u", name, "--"]
                : throw new StartupException(
                    "This program runs as root and PostgreSQL refuses to; to start it under another account setpriv or runuser is needed " +
                    "(both are in the package util-linux). Install it, or run this program as an ordinary user.");

        return new UnprivilegedAccount(name, uid, gid, prefix);
    }

    private static string? InPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Concat(["/usr/bin", "/usr/sbin", "/bin", "/sbin"])
            .Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(File.Exists);

    private static async Task<Dictionary<string, (int Uid, int Gid)>> ReadAccountsAsync(CancellationToken cancellationToken) =>
        (await File.ReadAllLinesAsync("/etc/passwd", cancellationToken))
            .Select(line => line.Split(':'))
            .Where(fields => fields.Length >= 4)
            .DistinctBy(fields => fields[0])
            .ToDictionary(fields => fields[0], fields => ParseIds($"{fields[2]}:{fields[3]}"));

    private static (int Uid, int Gid) ParseIds(string pair)
    {
        var ids = pair.Split(':');
        return (int.Parse(ids[0], CultureInfo.InvariantCulture), int.Parse(ids[1], CultureInfo.InvariantCulture));
    }
}
