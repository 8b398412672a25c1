using BulkImporter.Accounts;
using BulkImporter.Reconcile;
using BulkImporter.Records;
using BulkImporter.Tests.Accounts;
using Cincopa.Client;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace BulkImporter.Tests.Reconcile;

/// <summary>A reconciler over a database of its own account, and what its rounds left behind.</summary>
internal sealed class ReconcilerUnderTest(EngineDatabase database, ICincopaClient cincopa)
{
    private readonly ProtectToken tokens = new(new EphemeralDataProtectionProvider());

    public int Account { get; private set; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The reconciler looks at all accounts: what other tests left must not be due.</summary>
    public async Task BeginAsync(Uri? baseUrl = null)
    {
        await database.SqlAsync("DELETE FROM importer.import");
        Account = await database.AccountAsync();
        await database.SqlAsync("UPDATE importer.account SET token_protected = $2, base_url = coalesce($3, base_url) WHERE id = $1",
            Account, tokens.Protect("1000001itest"), baseUrl?.AbsoluteUri);
    }

    /// <summary>One round. Returns how many accounts were looked through to the end.</summary>
    /// <param name="itemsPerPage">Assets asked for with one call.</param>
    /// <param name="source">The database by another way.</param>
    /// <param name="stop">Ends the process that it runs in.</param>
    public async Task<int> RunAsync(int itemsPerPage = 50, NpgsqlDataSource? source = null, CancellationToken? stop = null)
    {
        source ??= database.Source;
        var began = await database.OneAsync<DateTimeOffset>("SELECT clock_timestamp()");
        await new ReconcileUnknown(
            Rounds.Over(source, tokens, cincopa), new RecordTransitions(source), new WalkAssets(cincopa) { ItemsPerPage = itemsPerPage },
            NullLogger<ReconcileUnknown>.Instance).RunAsync(stop ?? Token);
        return (int)await database.OneAsync<long>("SELECT count(*) FROM importer.reconcile_look WHERE looked_at >= $1", began);
    }

    /// <summary>What waits for a person, e.g. "r1 r2", the latest asset first.</summary>
    public async Task<string> CandidatesAsync(int importId, int row) =>
        string.Join(' ', (await FindAsync(importId, row)).Items.Select(c => c.Rid));

    public async Task<CandidatesView> FindAsync(int importId, int row) =>
        (await new ReadCandidates(database.Contexts).FindAsync(importId, row, Token))!;

    /// <summary>Lets an account's next look be due that was put off.</summary>
    public Task DueAsync() => database.SqlAsync("UPDATE importer.reconcile_look SET next_at = now() WHERE account_id = $1", Account);
}
