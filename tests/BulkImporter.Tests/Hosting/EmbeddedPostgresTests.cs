using System.Diagnostics;
using System.Runtime.Versioning;
using BulkImporter.Hosting;
using BulkImporter.Tests.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace BulkImporter.Tests.Hosting;

[UnsupportedOSPlatform("windows")]
[Trait("Category", "Processes")]
public sealed class EmbeddedPostgresTests(
    EmbeddedPostgresTests.StoppedCluster stopped) : IClassFixture<EmbeddedPostgresTests.StoppedCluster>, IDisposable
{
    private readonly string directory = CreatePassableDirectory();

    /// <summary>A data directory whose server ran once and was stopped in order. Making one takes seconds, copying it does not.</summary>
    public sealed class StoppedCluster : IAsyncLifetime
    {
        private readonly string directory = CreatePassableDirectory();

        public async ValueTask InitializeAsync() => await (await StartAsync(new() { DataDirectory = directory })).DisposeAsync();

        public ValueTask DisposeAsync()
        {
            Directory.Delete(directory, recursive: true);
            return ValueTask.CompletedTask;
        }

        /// <summary>With owners and modes, which PostgreSQL insists on.</summary>
        public async Task CopyToAsync(string target)
        {
            var copy = await Command.RunAsync("cp", ["-a", Path.Combine(directory, "postgres"), target], account: null,
                TestContext.Current.CancellationToken);
            Assert.True(copy.ExitCode == 0, copy.Output);
        }
    }

    private string Cluster => Path.Combine(directory, "postgres", "cluster");

    private DatabaseOptions Options => new() { DataDirectory = directory };

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task Name_of_the_data_directory_means_nothing_to_a_shell()
    {
        var odd = Path.Combine(directory, "it's \"one\" $HOME `id` $(id) \\ & ; * # ~ ü %n");
        await using (var postgres = await StartAsync(new() { DataDirectory = odd })) Assert.Equal("bulkimporter",
            await ScalarAsync(postgres, "SELECT current_database()"));
        await using var again = await StartAsync(new() { DataDirectory = odd });
        Assert.Equal("bulkimporter", await ScalarAsync(again, "SELECT current_database()"));
    }

    [Fact]
    public async Task Line_break_in_the_name_of_the_data_directory_is_refused_with_what_to_do()
    {
        var refusal = await Assert.ThrowsAsync<StartupException>(() =>
            StartAsync(new() { DataDirectory = Path.Combine(directory, "two\nlines") }));
        Assert.Contains("line break", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("BulkImporter:DataDirectory", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
    }

    [Fact]
    public async Task A_durable_server_answers_at_a_private_socket_only_with_a_password_to_a_role_that_is_no_superuser()
    {
        await using var postgres = await StartAsync(Options);

        var connection = new NpgsqlConnectionStringBuilder(postgres.ConnectionString);
        Assert.Equal(Path.Combine(directory, "postgres", "socket"), connection.Host);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(connection.Host!));
        Assert.Equal("off", await ScalarAsync(postgres, "SHOW is_superuser"));
        Assert.Equal(false,
            await ScalarAsync(postgres,
                "SELECT rolcreaterole OR rolcreatedb OR rolsuper OR rolreplication FROM pg_roles WHERE rolname = current_user"));
        Assert.Equal("bulkimporter", await ScalarAsync(postgres, "SELECT current_database()"));
        Assert.Equal("UTF8", await ScalarAsync(postgres, "SHOW server_encoding"));
        Assert.Equal("on", await ScalarAsync(postgres, "SHOW fsync"));
        Assert.Equal("on", await ScalarAsync(postgres, "SHOW full_page_writes"));
        Assert.Equal("on", await ScalarAsync(postgres, "SHOW synchronous_commit"));
        Assert.Equal("", await ScalarAsync(postgres, "SHOW listen_addresses"));

        connection.Password = "guess";
        await using var stranger = new NpgsqlConnection(connection.ConnectionString);
        var refusal = await Assert.ThrowsAsync<PostgresException>(() => stranger.OpenAsync(TestContext.Current.CancellationToken));
        Assert.Equal(PostgresErrorCodes.InvalidPassword, refusal.SqlState);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(directory, "postgres", "password")));
    }

    [Theory]
    [InlineData("a folder, with signs that a list of folders would take apart")]
    [InlineData("long-long-long-long-long-long-long-long-long-long-long-long-long-long-long-long-long-long-long-long")]
    public async Task A_socket_whose_path_PostgreSQL_could_not_take_lies_in_another_private_folder(string name)
    {
        var postgres = await StartAsync(new() { DataDirectory = Path.Combine(directory, name) });
        var folder = new NpgsqlConnectionStringBuilder(postgres.ConnectionString).Host!;
        await using (postgres)
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
            Assert.Equal(1, await ScalarAsync(postgres, "SELECT 1"));
        }
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task A_database_of_a_build_with_one_password_is_refused_with_what_to_do()
    {
        await stopped.CopyToAsync(directory);
        await File.WriteAllTextAsync(Path.Combine(directory, "postgres", "password"), "0123456789");
        var refusal = await Assert.ThrowsAsync<StartupException>(() => StartAsync(Options));
        Assert.Contains("Export its imports with that build", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_that_we_start_gets_none_of_our_secrets()
    {
        Environment.SetEnvironmentVariable("BULKIMPORTER_TEST_SECRET", "s3cret");
        var answer = await Command.RunAsync("env", [], account: null, TestContext.Current.CancellationToken);
        Assert.Contains("PATH=", answer.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", answer.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Data_socket_and_password_are_the_same_after_a_restart_and_no_process_stays_in_between()
    {
        string before;
        int process;
        await using (var postgres = await StartAsync(Options))
        {
            await ScalarAsync(postgres, "CREATE TABLE kept AS SELECT 42 AS value");
            before = postgres.ConnectionString;
            process = ServerProcess();
        }

        // The server removes its file and then ends; it may take a moment between the two.
        await Poll.UntilAsync(() => !IsAlive(process));
        Assert.False(File.Exists(Path.Combine(Cluster, "postmaster.pid")));

        await using var again = await StartAsync(Options);
        Assert.Equal(before, again.ConnectionString);
        Assert.Equal(42, await ScalarAsync(again, "SELECT value FROM kept"));
    }

    [Fact]
    public async Task A_settings_value_of_the_operator_wins_over_ours_but_never_opens_an_address()
    {
        await stopped.CopyToAsync(directory);
        var settings = new Dictionary<string, string>
        { ["work_mem"] = "7MB", ["max_connections"] = "33", ["listen_addresses"] = "*", ["unix_socket_directories"] = "/tmp" };

        await using var postgres = await StartAsync(Options with { PostgresSettings = settings });

        Assert.Equal("7MB", await ScalarAsync(postgres, "SHOW work_mem"));
        Assert.Equal("33", await ScalarAsync(postgres, "SHOW max_connections"));
        Assert.Equal("", await ScalarAsync(postgres, "SHOW listen_addresses"));
        Assert.Equal(Path.Combine(directory, "postgres", "socket"),
            await ScalarAsync(postgres.AdministratorConnectionString, "SHOW unix_socket_directories"));
    }

    [Fact]
    public async Task A_second_owner_is_refused_with_the_process_id_of_the_first()
    {
        await stopped.CopyToAsync(directory);
        await using var first = await StartAsync(Options);

        var refusal = await Assert.ThrowsAsync<StartupException>(() => StartAsync(Options));

        Assert.Contains($"process {Environment.ProcessId}", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(1, await ScalarAsync(first, "SELECT 1"));
    }

    [Fact]
    public async Task A_server_that_outlived_its_killed_owner_is_replaced_and_its_data_kept()
    {
        await stopped.CopyToAsync(directory);
        await using (var postgres = await StartAsync(Options))
            await ScalarAsync(postgres, "CREATE TABLE kept AS SELECT 42 AS value");
        // What kill -9 of the owner leaves: the server running, the lock gone with the process, its id still written down.
        await PgCtlAsync("start", "-w", "-l", Path.Combine(Cluster, "server.log"));
        var leftBehind = ServerProcess();

        await using var next = await StartAsync(Options);

        Assert.NotEqual(leftBehind, ServerProcess());
        Assert.False(IsAlive(leftBehind));
        Assert.Equal(42, await ScalarAsync(next, "SELECT value FROM kept"));
    }

    [Fact]
    public async Task A_pid_file_whose_process_is_gone_does_not_hinder_recovery()
    {
        await stopped.CopyToAsync(directory);
        await using (var postgres = await StartAsync(Options))
            await ScalarAsync(postgres, "CREATE TABLE kept (value int)");
        await PgCtlAsync("start", "-w", "-l", Path.Combine(Cluster, "server.log"));
        await ScalarAsync(await ConnectionStringOnDiskAsync(), "INSERT INTO kept VALUES (42)");
        Process.GetProcessById(ServerProcess()).Kill();

        await using var next = await StartAsync(Options);

        Assert.Equal(42, await ScalarAsync(next, "SELECT value FROM kept"));
    }

    [Fact]
    public async Task A_pid_file_that_names_another_program_is_removed_and_that_program_left_alone()
    {
        await stopped.CopyToAsync(directory);
        // Under the server's own account, because PostgreSQL itself sees through a process id of any other.
        var account = await UnprivilegedAccount.ForAsync(Cluster, TestContext.Current.CancellationToken);
        string[] sleep = [.. account?.Prefix ?? [], "sleep", "600"];
        using var bystander = Process.Start(sleep[0], sleep[1..]);
        try
        {
            await File.WriteAllTextAsync(Path.Combine(Cluster, "postmaster.pid"),
                $"{bystander.Id}\n{Cluster}\n1700000000\n5432\n/tmp\n\n 1 1\nready   \n");

            await using var next = await StartAsync(Options);

            Assert.Equal(1, await ScalarAsync(next, "SELECT 1"));
            Assert.False(bystander.HasExited);
        }
        finally
        {
            bystander.Kill();
        }
    }

    [Fact]
    public async Task A_server_that_is_killed_under_us_comes_back_at_the_same_socket()
    {
        await stopped.CopyToAsync(directory);
        var restarted = new LogSignal("PostgresStarted", times: 2);
        await using var postgres = await EmbeddedPostgres.StartAsync(Options, restarted, TimeProvider.System,
            TestContext.Current.CancellationToken);
        await ScalarAsync(postgres, "CREATE TABLE kept AS SELECT 42 AS value");

        Process.GetProcessById(ServerProcess()).Kill();
        await restarted.Seen.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

        Assert.Equal(42, await ScalarAsync(postgres, "SELECT value FROM kept"));
    }

    [Fact]
    public async Task A_start_that_is_ended_while_the_server_comes_up_leaves_no_process_behind()
    {
        await stopped.CopyToAsync(directory);
        using var ended = new CancellationTokenSource();
        var starting = EmbeddedPostgres.StartAsync(Options, NullLogger.Instance, TimeProvider.System, ended.Token);
        // The moment at which the server is there and its file may not be.
        while (PostmasterFile.ProcessesOf(Cluster).Count == 0 && !starting.IsCompleted) await Task.Yield();
        await ended.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => starting);
        Assert.Empty(PostmasterFile.ProcessesOf(Cluster));
        await using var again = await StartAsync(Options);
        Assert.Equal("bulkimporter", await ScalarAsync(again, "SELECT current_database()"));
    }

    [Fact]
    public async Task A_half_made_cluster_of_a_killed_first_start_is_made_anew()
    {
        Directory.CreateDirectory(Path.Combine(directory, "postgres", "cluster.new", "base"));

        await using var postgres = await StartAsync(Options);

        Assert.Equal(1, await ScalarAsync(postgres, "SELECT 1"));
    }

    [Fact]
    public async Task Missing_binaries_are_named_together_with_what_to_type()
    {
        var nowhere = Path.Combine(directory, "nowhere");

        var missing = await Assert.ThrowsAsync<StartupException>(() => StartAsync(Options with { PostgresBinaries = nowhere }));

        Assert.Contains(nowhere, missing.Message, StringComparison.Ordinal);
        Assert.Contains("apt-get install postgresql", missing.Message, StringComparison.Ordinal);
        Assert.Contains("ConnectionStrings:BulkImporter", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cluster_of_another_major_version_is_refused_and_left_as_it_is()
    {
        await stopped.CopyToAsync(directory);
        var version = Path.Combine(Cluster, "PG_VERSION");
        var ours = await File.ReadAllTextAsync(version);
        await File.WriteAllTextAsync(version, "14\n");

        var refusal = await Assert.ThrowsAsync<StartupException>(() => StartAsync(Options));
        Assert.Contains("written by PostgreSQL 14", refusal.Message, StringComparison.Ordinal);
        Assert.Contains($"PostgreSQL {ours.Trim()} in", refusal.Message, StringComparison.Ordinal);

        await File.WriteAllTextAsync(version, ours);
        await using var next = await StartAsync(Options);
        Assert.Equal(1, await ScalarAsync(next, "SELECT 1"));
    }

    [Fact]
    public async Task A_private_parent_folder_is_no_hindrance_for_root()
    {
        // As under /root: nobody else may pass. An ordinary user runs the server as itself and passes anyway.
        File.SetUnixFileMode(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var place = Path.Combine(directory, "data", "postgres");

        string? elsewhere;
        await using (var postgres = await StartAsync(Options with { DataDirectory = Path.Combine(directory, "data") }))
        {
            Assert.Equal(1, await ScalarAsync(postgres, "SELECT 1"));
            elsewhere = new FileInfo(place).LinkTarget;
        }

        Assert.Equal(Environment.IsPrivilegedProcess, elsewhere is not null);
        Assert.True(File.Exists(Path.Combine(place, "cluster", "PG_VERSION")));
        if (elsewhere is not null)
            Directory.Delete(elsewhere, recursive: true);
    }

    /// <summary>A temporary folder is private to its maker; the account that runs PostgreSQL for root has to pass through it.</summary>
    private static string CreatePassableDirectory()
    {
        var path = Directory.CreateTempSubdirectory("bulkimporter-embedded-").FullName;
        File.SetUnixFileMode(path, File.GetUnixFileMode(path) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        return path;
    }

    private static Task<EmbeddedPostgres> StartAsync(DatabaseOptions options) =>
        EmbeddedPostgres.StartAsync(options, NullLogger.Instance, TimeProvider.System, TestContext.Current.CancellationToken);

    private static Task<object?> ScalarAsync(EmbeddedPostgres postgres, string sql) => ScalarAsync(postgres.ConnectionString, sql);

    private static async Task<object?> ScalarAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString)
        { Pooling = false }.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }

    private static bool IsAlive(int processId) => Directory.Exists($"/proc/{processId}")
        && new FileInfo($"/proc/{processId}/cwd").LinkTarget is not null;

    private int ServerProcess() => PostmasterFile.ProcessId(Cluster)!.Value;

    private async Task<string> ConnectionStringOnDiskAsync() =>
        $"Host={Path.Combine(directory, "postgres", "socket")};Username=bulkimporter;Database=bulkimporter;" +
        $"Password={(await File.ReadAllLinesAsync(Path.Combine(directory, "postgres", "password")))[1]}";

    private async Task PgCtlAsync(string verb, params string[] arguments)
    {
        var binaries = await PostgresBinaries.FindAsync(setting: null, clusterMajorVersion: null, TestContext.Current.CancellationToken);
        var account = await UnprivilegedAccount.ForAsync(Cluster, TestContext.Current.CancellationToken);
        var answer = await Command.RunAsync(binaries.PgCtl, [verb, "-D", Cluster, .. arguments], account,
            TestContext.Current.CancellationToken);
        Assert.True(answer.ExitCode == 0, answer.Output);
    }

    /// <summary>Completes when an event was logged for the given number of times.</summary>
    private sealed class LogSignal(string eventName, int times) : ILogger
    {
        private readonly TaskCompletionSource seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int count;

        public Task Seen => seen.Task;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Name == eventName && Interlocked.Increment(ref count) == times)
                seen.SetResult();
        }
    }
}
