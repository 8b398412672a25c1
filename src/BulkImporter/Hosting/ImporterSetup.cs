using System.Security.Cryptography;
using BulkImporter.Access;
using BulkImporter.Accounts;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Parse;
using BulkImporter.Probes;
using BulkImporter.Records;
using BulkImporter.Sources;
using BulkImporter.Telemetry;

namespace BulkImporter.Hosting;

/// <summary>What every process has: the database, the queue, a name, a clock and a source of chance.</summary>
internal static class ImporterSetup
{
    public static IServiceCollection AddImporter(this IServiceCollection services, string connectionString) => services
        .AddSingleton(TimeProvider.System)
        .AddSingleton<Func<double>>(() => RandomNumberGenerator.GetInt32(int.MaxValue) / (double)int.MaxValue)
        .AddSingleton(WorkerIdentity.OfThisProcess())
        .AddWebLimits()
        .AddSingleton<LoopHealth>()
        .AddHostedService<GiveMemoryBack>()
        .AddImporterData(connectionString)
        .AddAudit()
        .AddHangfireStorage(connectionString)
        .AddSources()
        .AddManifests()
        .AddParse()
        .AddProbes()
        .AddImports()
        .AddRecords()
        .AddAccounts();
}
