using BulkImporter.Data;
using Cincopa.Client;
using NetArchTest.Rules;

namespace BulkImporter.Tests;

/// <summary>The arrows of ARCHITECTURE.md point down only: doors, stages, core, data.</summary>
public sealed class ArchitectureTests
{
    private static readonly string[] Doors = ["Cli", "Dashboard", "Api", "Hosting"];
    private static readonly string[] Stages = ["Manifests", "Dispatch", "Status", "Finish", "Reconcile", "Rerun", "Export", "Notify", "Retention"];
    private static readonly string[] Core = ["Imports", "Records", "Accounts", "Access", "Sources"];

    public static TheoryData<string, string> Forbidden()
    {
        var arrows = new TheoryData<string, string>();
        foreach (var stage in Stages)
        {
            foreach (var door in Doors) arrows.Add(stage, door);
            foreach (var other in Stages.Where(s => s != stage && !(stage == "Export" && s == "Manifests"))) arrows.Add(stage, other);
        }
        foreach (var core in Core)
        {
            foreach (var above in Doors.Concat(Stages)) arrows.Add(core, above);
        }
        foreach (var lowest in new[] { "Data", "Telemetry" })
        {
            foreach (var above in Doors.Concat(Stages).Concat(Core)) arrows.Add(lowest, above);
        }
        arrows.Add("Telemetry", "Data");
        return arrows;
    }

    [Theory]
    [MemberData(nameof(Forbidden))]
    public void Folders_depend_downwards_only(string from, string on) =>
        Holds(Types.InAssembly(typeof(ImporterDb).Assembly).That().ResideInNamespace($"BulkImporter.{from}")
            .ShouldNot().HaveDependencyOn($"BulkImporter.{on}").GetResult());

    [Fact]
    public void The_remote_api_is_called_only_from_where_its_answers_are_understood()
    {
        string[] callers = ["Dispatch", "Status", "Finish", "Reconcile", "Accounts"];
        var others = Doors.Concat(Stages).Concat(Core).Append("Data").Except(callers);
        foreach (var folder in others)
        {
            Holds(Types.InAssembly(typeof(ImporterDb).Assembly).That().ResideInNamespace($"BulkImporter.{folder}")
                .ShouldNot().HaveDependencyOn(typeof(ICincopaClient).FullName).GetResult());
        }
    }

    [Fact]
    public void The_client_knows_nothing_of_the_product()
    {
        var references = typeof(ICincopaClient).Assembly.GetReferencedAssemblies().Select(a => a.Name!).ToList();
        Assert.DoesNotContain(references, r => r.StartsWith("BulkImporter", StringComparison.Ordinal)
            || r.StartsWith("Hangfire", StringComparison.Ordinal) || r.Contains("EntityFrameworkCore", StringComparison.Ordinal) || r == "Npgsql");
    }

    [Fact]
    public void The_simulator_shares_nothing_with_the_client_or_the_product()
    {
        var references = typeof(Cincopa.Simulator.SimulatorHost).Assembly.GetReferencedAssemblies().Select(a => a.Name!).ToList();
        Assert.DoesNotContain(references, r => r == "Cincopa.Client" || r == "BulkImporter");
    }

    [Fact]
    public void Types_are_named_for_what_they_do()
    {
        string[] unwanted = ["Manager", "Helper", "Helpers", "Util", "Utils", "Service", "Base"];
        var named = typeof(ImporterDb).Assembly.GetTypes().Concat(typeof(ICincopaClient).Assembly.GetTypes())
            .Where(t => t.Namespace?.StartsWith("BulkImporter", StringComparison.Ordinal) == true || t.Namespace?.StartsWith("Cincopa", StringComparison.Ordinal) == true)
            .Where(t => unwanted.Any(u => t.Name.EndsWith(u, StringComparison.Ordinal)))
            .Select(t => t.FullName);
        Assert.Empty(named);
    }

    private static void Holds(NetArchTest.Rules.TestResult result) => Assert.True(result.IsSuccessful, string.Join(", ", result.FailingTypeNames ?? []));
}
