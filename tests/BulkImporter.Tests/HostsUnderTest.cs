using BulkImporter.Records;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace BulkImporter.Tests;

/// <summary>The breaker of source hosts, over a test's database.</summary>
internal static class HostsUnderTest
{
    public static FailingHosts New(NpgsqlDataSource source, TimeProvider? clock = null) =>
        new(source, clock ?? TimeProvider.System, NullLogger<FailingHosts>.Instance);
}
