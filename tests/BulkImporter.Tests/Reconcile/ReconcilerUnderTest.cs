using BulkImporter.Accounts;
using BulkImporter.Reconcile;
using BulkImporter.Records;
using Cincopa.Client;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
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
        await database.SqlAsync("UPDATE importer.account SET token_protected = $2, base_url = coalesce($3, base_url) WHERE id = $1", Account, tokens.Protect("1000001itest"), baseUrl?.AbsoluteUri);
    }

    /// <param name="itemsPerPage">Assets asked for with one call.</param>
    /// <param name="source">The database by another way.</param>
    public Task<int> RunAsync(int itemsPerPage = 50, NpgsqlDataSource? source = null)
    {
        source ??= database.Source;
        var governor = new CallGovernor(source, TimeProvider.System, () => 0.5);
        var options = Options.Create(new ReconcileOptions { ItemsPerPage = itemsPerPage });
        return new ReconcileUnknown(
            source, new RecordTransitions(source), new AccountAccess(source, tokens),
            new AccountHealth(governor, new AccountBreaker(source, NullLogger<AccountBreaker>.Instance), Options.Create(new AccountsOptions())),
            new WalkAssets(governor, cincopa, options), cincopa, options, NullLogger<ReconcileUnknown>.Instance).RunAsync(Token);
    }

    /// <summary>What waits for a person, e.g. "r1 r2", the latest asset first.</summary>
    public async Task<string> CandidatesAsync(int importId, int row) => string.Join(' ', (await FindAsync(importId, row)).Items.Select(c => c.Rid));

    public async Task<CandidatesView> FindAsync(int importId, int row) => (await new ReadCandidates(database.Source).FindAsync(importId, row, Token))!;

    /// <summary>Lets an account's next look be due that was put off.</summary>
    public Task DueAsync() => database.SqlAsync("UPDATE importer.reconcile_look SET next_at = now() WHERE account_id = $1", Account);
}
