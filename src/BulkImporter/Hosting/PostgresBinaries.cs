using System.Text.RegularExpressions;

namespace BulkImporter.Hosting;

/// <summary>PostgreSQL's own programs, as some package manager put them on this machine.</summary>
internal sealed partial record PostgresBinaries(string Directory, int MajorVersion)
{
    /// <summary>The oldest major version whose behaviour the schema and the start-up rely on.</summary>
    public const int OldestMajorVersion = 15;

    private static readonly string[] Programs = ["initdb", "pg_ctl", "postgres"];

    public string Initdb => Path.Combine(Directory, "initdb");

    public string PgCtl => Path.Combine(Directory, "pg_ctl");

    /// <summary>
    /// Distributions put extension libraries into a package of their own, and a server told to preload a missing one does not start.
    /// </summary>
    public bool HasLibrary(string name) =>
        new[] { "../lib", "../lib/postgresql" }.Any(folder =>
            new[] { ".so", ".dylib" }.Any(extension => File.Exists(Path.Combine(Directory, folder, name + extension))));

    /// <summary>
    /// Looks in the setting alone when there is one; otherwise in PATH and in the folders that distributions use, newest version first.
    /// A cluster can only be opened by the major version that made it, so <paramref name="clusterMajorVersion"/> narrows the choice.
    /// </summary>
    /// <exception cref="StartupException">Nothing fits; the message says what was found and what to type.</exception>
    public static async Task<PostgresBinaries> FindAsync(string? setting, int? clusterMajorVersion, CancellationToken cancellationToken)
    {
        var found = new List<PostgresBinaries>();
        foreach (var directory in setting is null ? UsualDirectories() : [Path.GetFullPath(setting)])
        {
            if (Programs.All(program => File.Exists(Path.Combine(directory, program)))
                && await MajorVersionAsync(directory, cancellationToken) is { } version)
                found.Add(new PostgresBinaries(directory, version));
        }

        var usable = found.Where(binaries => binaries.MajorVersion >= OldestMajorVersion).ToList();
        if (usable.Count == 0)
            throw new StartupException(NothingFound(setting, found));

        if (clusterMajorVersion is null)
            return usable[0];

        return usable.Find(binaries => binaries.MajorVersion == clusterMajorVersion)
            ?? throw new StartupException(
                $"The data was written by PostgreSQL {clusterMajorVersion}, and this machine has {Describe(usable)}. " +
                $"A major version cannot open the data of another one. Install PostgreSQL {clusterMajorVersion} beside it " +
                $"(apt-get install postgresql-{clusterMajorVersion}), or move the data with pg_upgrade, " +
                "or set BulkImporter:DataDirectory to a new folder to start empty.");
    }

    private static IEnumerable<string> UsualDirectories()
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, "initdb"))
            .Where(File.Exists)
            .Select(initdb => Path.GetDirectoryName(Path.GetFullPath(RealFile(initdb)))!);

        string[] versioned = ["/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin",
            "/usr/local/opt/postgresql@*/bin"];
        string[] plain = ["/usr/local/pgsql/bin", "/usr/libexec/postgresql", "/opt/homebrew/opt/postgresql/bin",
            "/usr/local/opt/postgresql/bin"];

        return path.Concat(versioned.SelectMany(NewestFirst)).Concat(plain).Distinct();
    }

    private static IEnumerable<string> NewestFirst(string pattern)
    {
        var parts = pattern.Split('*');
        var parent = Path.GetDirectoryName(parts[0])!;
        if (!System.IO.Directory.Exists(parent))
            return [];

        return System.IO.Directory.EnumerateDirectories(parent, Path.GetFileName(parts[0]) + "*")
            .Select(folder => (folder, version: folder[parts[0].Length..]))
            .Where(candidate => int.TryParse(candidate.version, out _))
            .OrderByDescending(candidate => int.Parse(candidate.version, CultureInfo.InvariantCulture))
            .Select(candidate => candidate.folder + parts[1]);
    }

    private static string RealFile(string path) => File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;

    private static async Task<int?> MajorVersionAsync(string directory, CancellationToken cancellationToken)
    {
        var answer = await Command.RunAsync(Path.Combine(directory, "postgres"), ["--version"], account: null, cancellationToken);
        var version = VersionPattern().Match(answer.Output);
        return version.Success ? int.Parse(version.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : null;
    }

    private static string NothingFound(string? setting, List<PostgresBinaries> tooOld)
    {
        var looked = setting is null
            ? "PATH and the usual folders (/usr/lib/postgresql/*/bin, /usr/pgsql-*/bin, /usr/local/pgsql/bin, Homebrew's) have no "
                + "initdb, pg_ctl and postgres"
            : $"BulkImporter:PostgresBinaries is \"{setting}\", and that folder does not have initdb, pg_ctl and postgres";
        var problem = tooOld.Count == 0 ? looked : $"this machine has only {Describe(tooOld)}";

        return $"PostgreSQL {OldestMajorVersion} or newer was not found: {problem}. Install it (Debian, Ubuntu: sudo apt-get install "
            + "postgresql; Fedora: sudo dnf install postgresql-server; macOS: brew install postgresql@17), or set "
            + "BulkImporter:PostgresBinaries to the folder that holds initdb, or set ConnectionStrings:BulkImporter to a server that "
            + "already runs.";
    }

    private static string Describe(IEnumerable<PostgresBinaries> binaries) =>
        string.Join(", ", binaries.Select(one => $"PostgreSQL {one.MajorVersion} in {one.Directory}"));

    [GeneratedRegex(@"PostgreSQL\) (\d+)")]
    private static partial Regex VersionPattern();
}
