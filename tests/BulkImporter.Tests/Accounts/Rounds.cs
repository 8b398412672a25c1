using BulkImporter.Accounts;
using BulkImporter.Records;
using BulkImporter.Telemetry;
using Cincopa.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace BulkImporter.Tests.Accounts;

/// <summary>What a round works with, over a test's database and remote side.</summary>
internal static class Rounds
{
    public static RoundNeeds Over(
        NpgsqlDataSource source, ProtectToken tokens, ICincopaClient cincopa, TimeProvider? clock = null, ILogger<LoopHealth>? log = null,
        WorkOptions? work = null)
    {
        clock ??= TimeProvider.System;
        var governor = new CallGovernor(source, clock, () => 0.5);
        return new(source, new AccountAccess(source, tokens), governor,
            new AccountHealth(governor, new AccountBreaker(source, NullLogger<AccountBreaker>.Instance),
                Options.Create(new AccountsOptions())), cincopa,
            new LoopHealth(clock, log ?? NullLogger<LoopHealth>.Instance), Options.Create(work ?? new WorkOptions()), clock,
            NullLogger<RoundNeeds>.Instance);
    }
}
