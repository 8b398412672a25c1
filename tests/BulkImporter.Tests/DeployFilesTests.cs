using System.Text.RegularExpressions;
using BulkImporter.Cli;
using BulkImporter.Tests.Hosting;

namespace BulkImporter.Tests;

/// <summary>
/// No container engine is at hand where the tests run, so what the files for deployment name is held against the program.
/// </summary>
public sealed partial class DeployFilesTests
{
    public static TheoryData<string> Files() =>
        ["docker-compose.yml", "deploy/systemd/bulkimporter-web.service", "deploy/systemd/bulkimporter-work@.service",
        "deploy/systemd/bulkimporter-migrate.service", "docs/operations.md", "docs/telemetry.md", "docs/webhooks.md", "README.md"];

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_setting_that_is_named_is_one(string file)
    {
        var known = SettingsReferenceTests.Classes()
            .SelectMany(t => t.GetProperties().Select(p => $"{SettingsReferenceTests.SectionOf(t)}:{p.Name}"))
            .Select(name => name.Replace(":", "__", StringComparison.Ordinal)).ToHashSet();
        Assert.All(Setting().Matches(Repository.Read(file)).Select(m => m.Value), name => Assert.Contains(name, known));
    }

    [Fact]
    public void Compose_and_units_start_verbs_that_there_are_and_ask_probes_where_the_process_listens()
    {
        var verbs = typeof(ServerVerbs).GetProperties().Select(p => p.Name.ToLowerInvariant()).ToHashSet();
        var compose = Repository.Read("docker-compose.yml");
        Assert.All(ComposeVerb().Matches(compose).Select(m => m.Groups[1].Value).Where(v => v != "postgres"), verb =>
            Assert.Contains(verb, verbs));
        Assert.Contains("""command: ["work", "--urls", "http://0.0.0.0:5080"]""", compose, StringComparison.Ordinal);
        foreach (var unit in Directory.EnumerateFiles(Path.Combine(Repository.Root, "deploy", "systemd")))
            Assert.Contains(UnitVerb().Match(File.ReadAllText(unit)).Groups[1].Value, verbs);
    }

    [Fact]
    public void A_secret_reaches_the_program_under_the_name_of_its_setting_and_no_secret_stands_in_the_environment()
    {
        var compose = Repository.Read("docker-compose.yml");
        var targets = Target().Matches(compose).Select(m => m.Groups[1].Value).ToList();
        Assert.Equal(["BulkImporter__DatabasePassword", "BulkImporter__Telemetry__MetricsToken", "CINCOPA_API_TOKEN"], targets);
        Assert.DoesNotContain("Password=", compose, StringComparison.Ordinal);
        foreach (var unit in Directory.EnumerateFiles(Path.Combine(Repository.Root, "deploy", "systemd")))
            Assert.All(targets, target => Assert.Contains($"LoadCredential={target}:", File.ReadAllText(unit), StringComparison.Ordinal));
    }

    [Fact]
    public void Every_unit_and_container_has_no_more_rights_and_room_than_it_needs()
    {
        string[] lines =
        [
            "DynamicUser=yes", "UMask=0077", "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes", "PrivateDevices=yes",
            "NoNewPrivileges=yes", "CapabilityBoundingSet=",
            "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX", "RestrictNamespaces=yes", "LockPersonality=yes",
            "SystemCallFilter=@system-service", "LimitCORE=0",
        ];
        foreach (var unit in Directory.EnumerateFiles(Path.Combine(Repository.Root, "deploy", "systemd")))
        {
            var said = File.ReadAllLines(unit);
            Assert.All(lines, line => Assert.Contains(line, said));
            Assert.Contains(said, line => line.StartsWith("MemoryMax=", StringComparison.Ordinal));
            Assert.Contains(said, line => line.StartsWith("TasksMax=", StringComparison.Ordinal));
        }

        // What a service says itself, or by the block that it takes over.
        var compose = Repository.Read("docker-compose.yml");
        var shared =
            compose[compose.IndexOf("x-bulkimporter:", StringComparison.Ordinal)..compose.IndexOf("\nservices:", StringComparison.Ordinal)];
        var services = Service()
            .Split(compose[compose.IndexOf("\nservices:", StringComparison.Ordinal)..compose.IndexOf("\nsecrets:",
                StringComparison.Ordinal)])[1..];
        Assert.Equal(5, services.Length);
        Assert.All(services, service =>
            Assert.All(["read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", "mem_limit:", "pids_limit:"],
            line => Assert.Contains(line, service.Contains("*bulkimporter", StringComparison.Ordinal)
                ? shared : service, StringComparison.Ordinal)));
    }

    [GeneratedRegex(@"\n  (?=[a-z]+:\n)")]
    private static partial Regex Service();

    [GeneratedRegex(@"\bBulkImporter__[A-Za-z_]*[A-Za-z]")]
    private static partial Regex Setting();

    [GeneratedRegex("""command: \["([a-z]+)""")]
    private static partial Regex ComposeVerb();

    [GeneratedRegex(@"ExecStart=/opt/bulkimporter/BulkImporter ([a-z]+)")]
    private static partial Regex UnitVerb();

    [GeneratedRegex(@"target: ([A-Z]\w+)")]
    private static partial Regex Target();
}
