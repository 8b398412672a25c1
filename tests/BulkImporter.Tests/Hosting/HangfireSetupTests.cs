using BulkImporter.Tests.Api;
using Hangfire;
using Hangfire.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace BulkImporter.Tests.Hosting;

public sealed class HangfireSetupTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    [Fact]
    public async Task Lock_that_a_dead_process_left_holds_nobody_longer_than_half_a_minute()
    {
        await server.Database.SqlAsync("""
            INSERT INTO hangfire.lock (resource, updatecount, acquired)
            VALUES ('hangfire:job:1:state-lock', 0, now() - interval '25 seconds'), ('hangfire:job:2:state-lock', 0, now() - interval '31 seconds')
            """);
        using var connection = server.Services.GetRequiredService<JobStorage>().GetConnection();
        Assert.ThrowsAny<DistributedLockTimeoutException>(() => connection.AcquireDistributedLock("job:1:state-lock", TimeSpan.Zero));
        connection.AcquireDistributedLock("job:2:state-lock", TimeSpan.FromSeconds(1)).Dispose();
    }
}
