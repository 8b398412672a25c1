using BulkImporter.Data;
using Cincopa.Client;
using NetArchTest.Rules;

namespace BulkImporter.Tests;

/// <summary>The arrows of ARCHITECTURE.md point down only: hosting, doors, stages, core, ground.</summary>
public sealed class ArchitectureTests
{
    private static readonly string[] Stages =
        ["Parse", "Probes", "Dispatch", "Status", "Finish", "Reconcile", "Rerun", "Undo", "Export", "Notify", "Retention"];

    private static readonly string[] Core = ["Imports", "Accounts", "Records", "Access", "Sources", "Manifests"];

    /// <summary>The floors of the house from the top: a folder may use what stands below it, and nothing beside it.</summary>
    private static readonly string[][] Floors =
        [["Hosting"], ["Cli"], ["Api", "Dashboard"], Stages, .. Core.Select(folder => new[] { folder }), ["Data"], ["Telemetry"]];

    // Read once for all rows of the theories: reading an assembly takes longer than any question about it.
    private static readonly Types Product = Types.InAssembly(typeof(ImporterDb).Assembly);

    public static TheoryData<string, string> Forbidden()
    {
        var arrows = new TheoryData<string, string>();
        for (var floor = 0; floor < Floors.Length; floor++)
        {
            foreach (var from in Floors[floor])
            {
                foreach (var on in Floors.Take(floor + 1).SelectMany(f => f).Where(other => other != from)) arrows.Add(from, on);
            }
        }
        return arrows;
    }

    [Fact]
    public void Every_folder_has_its_floor() => Assert.Equal(
        Directory.EnumerateDirectories(Path.Combine(Repository.Root, "src", "BulkImporter")).Select(Path.GetFileName)
            .Where(folder => folder is not ("obj" or "bin" or "wwwroot" or "Properties")).Order(),
        Floors.SelectMany(floor => floor).Order());

    [Theory]
    [MemberData(nameof(Forbidden))]
    public void Folders_depend_downwards_only(string from, string on) =>
        Holds(Product.That().ResideInNamespace($"BulkImporter.{from}")
            .ShouldNot().HaveDependencyOn($"BulkImporter.{on}").GetResult());

    [Fact]
    public void The_remote_api_is_called_only_from_where_its_answers_are_understood()
    {
        string[] callers = ["Dispatch", "Status", "Finish", "Reconcile", "Undo", "Accounts"];
        var others = Floors.SelectMany(floor => floor).Except(callers);
        foreach (var folder in others)
        {
            Holds(Product.That().ResideInNamespace($"BulkImporter.{folder}")
                .ShouldNot().HaveDependencyOn(typeof(ICincopaClient).FullName).GetResult());
        }
    }

    [Fact]
    public void The_client_knows_nothing_of_the_product()
    {
        var references = typeof(ICincopaClient).Assembly.GetReferencedAssemblies().Select(a => a.Name!).ToList();
        Assert.DoesNotContain(references, r => r.StartsWith("BulkImporter", StringComparison.Ordinal)
            || r.StartsWith("Hangfire", StringComparison.Ordinal) || r.Contains("EntityFrameworkCore", StringComparison.Ordinal)
                || r == "Npgsql");
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
            .Where(t => t.Namespace?.StartsWith("BulkImporter", StringComparison.Ordinal) == true
                || t.Namespace?.StartsWith("Cincopa", StringComparison.Ordinal) == true)
            .Where(t => unwanted.Any(u => t.Name.EndsWith(u, StringComparison.Ordinal)))
            .Select(t => t.FullName);
        Assert.Empty(named);
    }

    private static void Holds(NetArchTest.Rules.TestResult result) =>
        Assert.True(result.IsSuccessful, string.Join(", ", result.FailingTypeNames ?? []));
}
