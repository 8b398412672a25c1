using BulkImporter.EndToEndTests.Durability;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(BulkImporter.EndToEndTests.LongestFirst))]

namespace BulkImporter.EndToEndTests;

/// <summary>
/// The classes that take minutes begin first: the last of them to begin would run alone at the end. The others follow in xunit's order.
/// </summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Longest = [typeof(KillPointTests).FullName!, typeof(DashboardTests).FullName!,
        typeof(WorkerKillTests).FullName!, typeof(SoakTests).FullName!];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderByDescending(c =>
            Longest.Any(name => c.TestCollectionDisplayName.Contains(name, StringComparison.Ordinal)))];
}
