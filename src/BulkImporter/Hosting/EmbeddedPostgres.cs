using System.Runtime.Versioning;
using System.Security.Cryptography;

namespace BulkImporter.Hosting;

/// <summary>
/// The embedded default: a PostgreSQL server of our own, made of the machine's PostgreSQL programs, in a private cluster that no
/// one else uses. It lives as long as this object; its data outlives it.
/// </summary>
/// <remarks>
/// Below the data directory, in <c>postgres/</c>: <c>cluster/</c> (PostgreSQL's own), <c>password</c> (mode 0600: the administrator's, and
/// on its second line that of the role that the product works as), <c>server.conf</c> (rewritten at every start; change settings with
/// <c>ALTER SYSTEM</c>, which wins over it, or in our configuration), <c>socket/</c> (mode 0700), <c>owner.lock</c> (held open by the
/// process that runs the server) and <c>owner.pid</c> (that process's id). The server listens at a socket in that folder and at no port:
/// whoever is not we, root or the server's own account can neither reach it nor stand in its place while it is down. The server runs in a
/// session of its own, so that Ctrl-C ends us first and the server after our last write.
/// </remarks>
public sealed class EmbeddedPostgres : IAsyncDisposable
{
    private const string DatabaseName = "bulkimporter";
    private const string Administrator = "postgres";
    private const string Role = "bulkimporter";

    /// <summary>Part of the socket's file name, and nothing else: each server has a folder of its own.</summary>
    private const int Port = 5432;

    /// <summary>The system takes a little over 100 bytes for a socket's whole path.</summary>
    private const int LongestSocketFolder = 80;

    private const string ElsewhereDirectory = "/var/lib/bulkimporter";
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Passable = Private | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private static readonly TimeSpan OrphanTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);

    private readonly DatabaseOptions options;
    private readonly ILogger logger;
    private readonly TimeProvider clock;
    private readonly UnprivilegedAccount? account;
    private readonly string home;
    private readonly CancellationTokenSource stopping = new();
    private FileStream? ownerLock;
    private PostgresBinaries? binaries;
    private string socketFolder = "";
    private Task watch = Task.CompletedTask;

    private EmbeddedPostgres(DatabaseOptions options, ILogger logger, TimeProvider clock, UnprivilegedAccount? account, string home) =>
        (this.options, this.logger, this.clock, this.account, this.home) = (options, logger, clock, account, home);

    /// <summary>
    /// Npgsql form; names the database <c>bulkimporter</c> and a role that owns it and is no superuser. Contains the password: do not log
    /// it.
    /// </summary>
    public string ConnectionString { get; private set; } = "";

    /// <summary>
    /// The same for the server's superuser, with which tests and benchmarks make databases and extensions. The product never uses it.
    /// </summary>
    public string AdministratorConnectionString { get; private set; } = "";

    private string Cluster => Path.Combine(home, "cluster");

    private string PasswordFile => Path.Combine(home, "password");

    private string SettingsFile => Path.Combine(home, "server.conf");

    private string ServerLog => Path.Combine(Cluster, "server.log");

    private string OwnerFile => Path.Combine(home, "owner.pid");

    private string OwnSocketFolder => Path.Combine(home, "socket");

    /// <summary>A server that was told not to wait for the disk need not wait for it while it is made either.</summary>
    private bool IsDurable => !(options.PostgresSettings.TryGetValue("fsync", out var fsync) && fsync == "off");

    /// <summary>
    /// Creates the cluster when there is none, cleans up after a crash when there was one, starts the server and answers when it takes
    /// connections.
    /// </summary>
    /// <exception cref="StartupException">No PostgreSQL on this machine; another process owns this data directory; the data is of
    /// another major version; the folder cannot be used; the server does not start. The message is for the operator.</exception>
    public static async Task<EmbeddedPostgres> StartAsync(
        DatabaseOptions options, ILogger logger, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows())
            throw new StartupException(
                "The embedded PostgreSQL runs on Linux and macOS. On Windows set ConnectionStrings:BulkImporter to a PostgreSQL server.");

        var postgres = await OpenAsync(options, logger, clock, cancellationToken);
        try
        {
            if (!postgres.TryOwn())
                throw new StartupException(
                    $"The data directory {options.DataDirectory} is in use by another BulkImporter, process {postgres.OwnerProcessId()}. " +
                    "Stop that one first, or set BulkImporter:DataDirectory to another folder.");
            await postgres.RunAsync(cancellationToken);
            return postgres;
        }
        catch
        {
            await postgres.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Stops the server (open transactions are rolled back, all else is on disk) and waits for its end. Leaves another owner's server
    /// alone.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (stopping.IsCancellationRequested)
            return;

        await stopping.CancelAsync();
        await watch;
        if (ownerLock is not null)
        {
            if (binaries is not null && PostmasterFile.ProcessId(Cluster) is not null)
                await StopServerAsync();
            if (socketFolder != OwnSocketFolder && Directory.Exists(socketFolder))
                Directory.Delete(socketFolder, recursive: true);
            File.Delete(OwnerFile);
            await ownerLock.DisposeAsync();
        }

        stopping.Dispose();
    }

    [UnsupportedOSPlatform("windows")]
    private static async Task<EmbeddedPostgres> OpenAsync(
        DatabaseOptions options, ILogger logger, TimeProvider clock, CancellationToken cancellationToken)
    {
        var dataDirectory = Path.GetFullPath(options.DataDirectory);
        if (dataDirectory.Any(char.IsControl))
            throw new StartupException(
                "The name of the data directory has a line break or another control character, which PostgreSQL does not accept: "
                    + $"{string.Concat(dataDirectory.Select(c => char.IsControl(c) ? '?' : c))}. " +
                "Set BulkImporter:DataDirectory to another folder.");
        try
        {
            var isRoot = Environment.IsPrivilegedProcess;
            if (!Directory.Exists(dataDirectory))
            {
                Directory.CreateDirectory(dataDirectory);
                if (isRoot)
                    File.SetUnixFileMode(dataDirectory, Passable);
            }

            var place = Path.Combine(dataDirectory, "postgres");
            var account = await UnprivilegedAccount.ForAsync(Path.Combine(place, "cluster"), cancellationToken);
            if (account is not null)
                await PlaceAsync(place, account, logger, cancellationToken);
            else
                Directory.CreateDirectory(place, Private);

            return new EmbeddedPostgres(options, logger, clock, account, RealDirectory(place));
        }
        catch (Exception refused) when (refused is UnauthorizedAccessException or IOException)
        {
            throw new StartupException(
                $"The data directory {dataDirectory} cannot be used by the account \"{Environment.UserName}\": {refused.Message} " +
                "Set BulkImporter:DataDirectory to a folder that this account may write to.", refused);
        }
    }

    /// <summary>
    /// As root the server runs under another account, which must get to its files. A data directory below a private folder
    /// (<c>/root</c>) cannot be entered by it; we do not open other people's folders, so the database then goes to
    /// <c>/var/lib/bulkimporter</c>, and a link stands where it would have been.
    /// </summary>
    [UnsupportedOSPlatform("windows")]
    private static async Task PlaceAsync(string place, UnprivilegedAccount account, ILogger logger, CancellationToken cancellationToken)
    {
        if (new FileInfo(place).LinkTarget is { } target && !Directory.Exists(place))
            throw new StartupException(
                $"{place} is a link to {target}, where the database was, and that folder is gone. Bring it back, or delete the link to "
                    + "start empty.");

        var isNew = !Directory.Exists(place);
        if (isNew)
            CreatePassable(place);
        if (await account.CanEnterAsync(RealDirectory(place), cancellationToken))
            return;
        if (!isNew && Directory.EnumerateFileSystemEntries(place).Any())
            throw new StartupException(
                $"The account \"{account.Name}\", which PostgreSQL runs under because root may not, cannot enter {place}. " +
                "Give it search permission on that folder and on every folder above it (chmod o+x), or set BulkImporter:DataDirectory to "
                    + "another folder.");

        Directory.Delete(place);
        if (!Directory.Exists(ElsewhereDirectory))
            CreatePassable(ElsewhereDirectory);
        var elsewhere = Path.Combine(ElsewhereDirectory, $"postgres-{RandomNumberGenerator.GetHexString(8, lowercase: true)}");
        CreatePassable(elsewhere);
        if (!await account.CanEnterAsync(elsewhere, cancellationToken))
            throw new StartupException(
                $"The account \"{account.Name}\", which PostgreSQL runs under because root may not, can enter neither {place} nor "
                    + $"{elsewhere}. Set BulkImporter:DataDirectory to a folder that every account may enter.");
        Directory.CreateSymbolicLink(place, elsewhere);
        logger.PlacedElsewhere(account.Name, Path.GetDirectoryName(place)!, elsewhere);
    }

    /// <summary>
    /// The lock goes with the process, however it ends; the process id stands in a second file because the locked one cannot be read.
    /// </summary>
    private bool TryOwn()
    {
        try
        {
            ownerLock = new FileStream(Path.Combine(home, "owner.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException held) when (held is not (DirectoryNotFoundException or FileNotFoundException or PathTooLongException))
        {
            return false;
        }

        File.WriteAllText(OwnerFile, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        return true;
    }

    private int OwnerProcessId() =>
        File.Exists(OwnerFile) && int.TryParse(File.ReadAllText(OwnerFile), CultureInfo.InvariantCulture, out var processId)
            ? processId : 0;

    [UnsupportedOSPlatform("windows")]
    private async Task RunAsync(CancellationToken cancellationToken)
    {
        binaries = await PostgresBinaries.FindAsync(options.PostgresBinaries, ClusterMajorVersion(), cancellationToken);
        if (!Directory.Exists(Cluster))
            await CreateClusterAsync(cancellationToken);

        await ClearLeftoversAsync(cancellationToken);
        socketFolder = await MakeSocketFolderAsync(cancellationToken);
        await StartServerAsync(cancellationToken);
        await ConnectAsync(cancellationToken);
        watch = WatchAsync();
    }

    private int? ClusterMajorVersion()
    {
        var file = Path.Combine(Cluster, "PG_VERSION");
        if (!Directory.Exists(Cluster))
            return null;

        return File.Exists(file) && int.TryParse(File.ReadAllText(file), CultureInfo.InvariantCulture, out var version)
            ? version
            : throw new StartupException(
                $"{Cluster} is not a PostgreSQL cluster (no readable PG_VERSION in it). Move it away, or set BulkImporter:DataDirectory "
                    + "to another folder.");
    }

    /// <summary>Made under another name and then renamed, so that a cluster that exists is a whole one.</summary>
    [UnsupportedOSPlatform("windows")]
    private async Task CreateClusterAsync(CancellationToken cancellationToken)
    {
        var unfinished = Path.Combine(home, "cluster.new");
        if (Directory.Exists(unfinished))
            Directory.Delete(unfinished, recursive: true);

        Directory.CreateDirectory(unfinished, Private);
        // initdb takes the first line for its superuser and reads no further.
        await WritePrivatelyAsync(PasswordFile, $"{NewPassword()}\n{NewPassword()}\n", cancellationToken);
        if (account is not null)
        {
            await account.OwnAsync(unfinished, cancellationToken);
            await account.OwnAsync(PasswordFile, cancellationToken);
        }

        // Byte order sorts fast and alike everywhere, and lets an index serve LIKE 'x%'; C.UTF-8 adds upper and lower case beyond
        // ASCII for searches, but not every system has it.
        var made = await InitdbAsync(unfinished, ["--lc-collate=C", "--lc-ctype=C.UTF-8"], cancellationToken);
        if (made.ExitCode != 0 && made.Output.Contains("locale", StringComparison.Ordinal))
            made = await InitdbAsync(unfinished, ["--lc-collate=C", "--lc-ctype=C"], cancellationToken);
        if (made.ExitCode != 0)
            throw new StartupException($"initdb could not create the cluster in {Cluster}: {made.Output}");

        await File.AppendAllTextAsync(Path.Combine(unfinished, "postgresql.conf"), "\ninclude '../server.conf'\n", cancellationToken);
        Directory.Move(unfinished, Cluster);
        logger.ClusterCreated(binaries!.MajorVersion, Cluster);
    }

    private Task<CommandAnswer> InitdbAsync(string directory, string[] locale, CancellationToken cancellationToken) =>
        Command.RunAsync(
            binaries!.Initdb,
            ["-D", directory, "-U", Administrator, "-E", "UTF8", "--lc-messages=C", .. locale, "--auth=scram-sha-256",
                $"--pwfile={PasswordFile}", "--data-checksums", .. IsDurable ? Array.Empty<string>() : ["--no-sync"]],
            account,
            cancellationToken);

    private async Task StartServerAsync(CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync(SettingsFile, Settings(), cancellationToken);
        // No server of ours runs and the folder is nobody else's; PostgreSQL itself would believe a lock file whose process id lives on
        // elsewhere.
        foreach (var left in Directory.EnumerateFiles(socketFolder, ".s.PGSQL.*"))
            File.Delete(left);
        if (File.Exists(ServerLog))
            File.Move(ServerLog, ServerLog + ".previous", overwrite: true);

        // Recovery after a crash takes as long as the log since the last checkpoint is; ten minutes is beyond any of ours.
        // pg_ctl starts the server by a shell and puts both names into its line as they are: relative ones hold no sign that a shell would
        // take for its own. Where there is no /proc a server is known by its command line, which then has to name the cluster as a whole.
        var (cluster, log) = Directory.Exists("/proc/self") ? ("cluster", "cluster/server.log") : (Cluster, ServerLog);
        var starting = Command.RunAsync(binaries!.PgCtl, ["start", "-D", cluster, "-l", log, "-w", "-t", "600"], account,
            CancellationToken.None, home);
        try
        {
            await starting.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Were pg_ctl killed now, it could leave a server that nobody finds: it has not written its file yet. With the file there,
            // whoever ends us stops it.
            while (!starting.IsCompleted && PostmasterFile.ServerOf(Cluster) is null)
                await Task.Delay(LookAgain, clock, CancellationToken.None);
            throw;
        }

        var answer = await starting;
        if (answer.ExitCode != 0)
        {
            var reason = File.Exists(ServerLog) ? await File.ReadAllTextAsync(ServerLog, cancellationToken) : answer.Output;
            throw new StartupException($"PostgreSQL did not start from {Cluster}: {reason.Trim()}");
        }

        logger.Started(binaries.Directory, socketFolder, PostmasterFile.ProcessId(Cluster) ?? 0, Cluster);
    }

    /// <summary>
    /// Beside the cluster, where the path allows it: the setting is a list in which some signs mean something, and a socket's path has a
    /// limit. Elsewhere a new folder of the system's temporary ones, which is private too.
    /// </summary>
    [UnsupportedOSPlatform("windows")]
    private async Task<string> MakeSocketFolderAsync(CancellationToken cancellationToken)
    {
        var folder = OwnSocketFolder;
        if (folder.Length > LongestSocketFolder
            || folder.Any(c => !char.IsAsciiLetterOrDigit(c) && !"/._-".Contains(c, StringComparison.Ordinal)))
            folder = Directory.CreateTempSubdirectory("bulkimporter-").FullName;
        else
            Directory.CreateDirectory(folder);
        File.SetUnixFileMode(folder, Private);
        if (account is not null)
            await account.OwnAsync(folder, cancellationToken);
        return folder;
    }

    /// <summary>
    /// We hold the owner's lock, so a server that still runs was left behind by an owner that was killed. It is stopped and not
    /// adopted: it may run with old settings or from binaries that were upgraded under it, and what its dead owner left half done ends with
    /// it.
    /// </summary>
    private async Task ClearLeftoversAsync(CancellationToken cancellationToken)
    {
        if (PostmasterFile.ServerOf(Cluster) is { } left)
        {
            await StopServerAsync();
            logger.LeftBehindStopped(left);
        }

        // The children of a killed postmaster notice within moments; while one lives, a new server on the same files would be fatal.
        var started = clock.GetTimestamp();
        while (PostmasterFile.ProcessesOf(Cluster) is { Count: > 0 } processes)
        {
            if (clock.GetElapsedTime(started) > OrphanTimeout)
                throw new StartupException(
                    $"Processes of a crashed PostgreSQL still work on {Cluster}: {string.Join(", ", processes)}. End them (kill -QUIT) "
                        + "and start again.");
            await Task.Delay(LookAgain, clock, cancellationToken);
        }

        // A dead process id is PostgreSQL's own to clear; one that another program got since makes it refuse, and only then do we step in.
        if (PostmasterFile.ProcessId(Cluster) is { } stale && Directory.Exists($"/proc/{stale}"))
        {
            File.Delete(PostmasterFile.PathIn(Cluster));
            logger.StalePidFileRemoved(stale);
        }
    }

    private async Task StopServerAsync()
    {
        // Not to be cancelled: whoever stops us wants the server stopped. Immediate mode loses nothing either, the next start only
        // recovers.
        var answer = await StopAsync("fast", seconds: 60);
        if (answer.ExitCode != 0 && PostmasterFile.ProcessId(Cluster) is not null)
            answer = await StopAsync("immediate", seconds: 20);

        if (answer.ExitCode == 0 || PostmasterFile.ProcessId(Cluster) is null)
            logger.Stopped();
        else
            logger.StopFailed(answer.Output);
    }

    private Task<CommandAnswer> StopAsync(string mode, int seconds) =>
        Command.RunAsync(
            binaries!.PgCtl,
            ["stop", "-D", Cluster, "-m", mode, "-w", "-t", seconds.ToString(CultureInfo.InvariantCulture)],
            account,
            CancellationToken.None);

    /// <summary>
    /// A server that dies under us (out of memory, a stray kill) comes back at the same socket, so that every open connection string stays
    /// true.
    /// </summary>
    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(WatchInterval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping.Token))
            {
                if (PostmasterFile.ServerOf(Cluster) is not null)
                    continue;

                logger.Died(PostmasterFile.ProcessId(Cluster) ?? 0);
                try
                {
                    await ClearLeftoversAsync(stopping.Token);
                    await StartServerAsync(stopping.Token);
                }
                catch (Exception failure) when (failure is not OperationCanceledException)
                {
                    logger.RestartFailed(failure);
                }
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The end of our life, and the only way out of the loop.
        }
    }

    private async Task ConnectAsync(CancellationToken cancellationToken)
    {
        if (await File.ReadAllLinesAsync(PasswordFile, cancellationToken) is not [var administrator, var role])
            throw new StartupException(
                $"{PasswordFile} does not have two passwords: this database was made by a build before the first release. " +
                "Export its imports with that build, and set BulkImporter:DataDirectory to a new folder.");

        var server = new NpgsqlConnectionStringBuilder { Host = socketFolder, Port = Port, Database = DatabaseName };
        AdministratorConnectionString = new NpgsqlConnectionStringBuilder(server.ConnectionString)
        { Username = Administrator, Password = administrator }.ConnectionString;
        ConnectionString = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Username = Role, Password = role }.ConnectionString;

        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(AdministratorConnectionString)
        { Database = "postgres", Pooling = false }.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        if ((await connection.QueryAsync<int>("SELECT 1 FROM pg_database WHERE datname = $1", cancellationToken, DatabaseName)) is [_])
            return;

        // A start that died between the two leaves the role behind.
        await connection.ExecuteAsync($"DROP ROLE IF EXISTS {Role}", cancellationToken);
        await connection.ExecuteAsync($"CREATE ROLE {Role} LOGIN PASSWORD '{role}'", cancellationToken);
        await connection.ExecuteAsync($"CREATE DATABASE {DatabaseName} OWNER {Role}", cancellationToken);
    }

    private static string NewPassword() => RandomNumberGenerator.GetHexString(48, lowercase: true);

    /// <summary>
    /// Small enough for a laptop, wide enough for a million records; durability stays as PostgreSQL ships it. Ours first, the operator's
    /// after, the address last.
    /// </summary>
    private string Settings()
    {
        var settings = new StringBuilder("""
            # Written at every start. Change a setting with ALTER SYSTEM or BulkImporter:PostgresSettings, not here.
            fsync = on
            shared_buffers = '128MB'
            max_connections = 100
            maintenance_work_mem = '128MB'
            # Random reads cost little on the disks of today, and the planner should prefer our keys.
            random_page_cost = 1.1
            # Bulk loading writes much log: rarer checkpoints, spread out, with smaller page images.
            max_wal_size = '2GB'
            min_wal_size = '256MB'
            checkpoint_timeout = '15min'
            checkpoint_completion_target = 0.9
            wal_compression = on
            timezone = 'UTC'
            log_timezone = 'UTC'
            # A failed statement is reported to the program that sent it; here it would only copy people's URLs into a file.
            log_min_messages = log
            log_min_error_statement = panic
            log_checkpoints = off

            """);
        if (binaries!.HasLibrary("pg_stat_statements"))
            settings.AppendLine("shared_preload_libraries = 'pg_stat_statements'");
        foreach (var (name, value) in options.PostgresSettings)
            settings.AppendLine(CultureInfo.InvariantCulture, $"{name} = '{value.Replace("'", "''", StringComparison.Ordinal)}'");
        settings.AppendLine("listen_addresses = ''");
        settings.AppendLine(CultureInfo.InvariantCulture, $"unix_socket_directories = '{socketFolder}'");
        settings.AppendLine(CultureInfo.InvariantCulture, $"port = {Port}");
        return settings.ToString();
    }

    [UnsupportedOSPlatform("windows")]
    private static async Task WritePrivatelyAsync(string path, string text, CancellationToken cancellationToken)
    {
        File.Delete(path);
        await using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        await file.WriteAsync(Encoding.ASCII.GetBytes(text), cancellationToken);
    }

    /// <summary>Set apart from the creation, which the umask would narrow.</summary>
    [UnsupportedOSPlatform("windows")]
    private static void CreatePassable(string directory)
    {
        Directory.CreateDirectory(directory);
        File.SetUnixFileMode(directory, Passable);
    }

    /// <summary>The path without any link in it, as the system reports a process's working folder.</summary>
    private static string RealDirectory(string directory)
    {
        var parent = Path.GetDirectoryName(directory);
        if (parent is null)
            return directory;

        var path = Path.Combine(RealDirectory(parent), Path.GetFileName(directory));
        return new FileInfo(path).LinkTarget is { } target ? RealDirectory(Path.GetFullPath(target, Path.GetDirectoryName(path)!)) : path;
    }
}
