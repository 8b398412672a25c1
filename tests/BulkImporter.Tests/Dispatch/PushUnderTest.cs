using System.Net;
using BulkImporter.Accounts;
using BulkImporter.Dispatch;
using BulkImporter.Records;
using BulkImporter.Sources;
using Cincopa.Client;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace BulkImporter.Tests.Dispatch;

/// <summary>A pusher as a worker has it, which may reach this machine.</summary>
internal static class PushUnderTest
{
    /// <summary>One key ring for all, as in an installation: what one worker kept, another can read.</summary>
    public static readonly EphemeralDataProtectionProvider Protection = new();

    public static PushFile New(NpgsqlDataSource database, ICincopaClient cincopa, PushOptions? options = null, TimeProvider? clock = null,
        IDataProtectionProvider? keys = null)
    {
        var settings = Options.Create(options ?? new PushOptions());
        var sources = Options.Create(new SourceOptions { AllowedNetworks = { "127.0.0.0/8" } });
        var time = clock ?? TimeProvider.System;
        var ring = keys ?? Protection;
        var source = new PushSource(new ReachSource(new SourceNetworks(sources), Dns.GetHostAddressesAsync, time),
            new SourceHeaders(database.Contexts(), ring, time), new ReadSourceFile(database), settings);
        return new(source, new PushProgress(database),
            new Bandwidth(settings, time), cincopa, new RetrySchedule(TimeSpan.Zero, TimeSpan.Zero, () => 0), ring, settings, time, () =>
                0.5, NullLogger<PushFile>.Instance);
    }
}
