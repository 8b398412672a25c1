using BulkImporter.Access;
using BulkImporter.Data;
using Cincopa.Client;
using Microsoft.EntityFrameworkCore;

namespace BulkImporter.Accounts;

/// <summary>Lets a suspended account be called again, and forgets that the API asked everyone to stay away.</summary>
public sealed class ResumeAccount(IDbContextFactory<ImporterDb> contexts, TimeProvider clock)
{
    /// <summary>False when there is no account of this name. An active account stays active.</summary>
    public Task<bool> RunAsync(string name, string actor, CancellationToken cancellationToken) => contexts.ChangeAsync(async db =>
    {
        if (await db.Set<Account>().SingleOrDefaultAsync(a => a.Name == name, cancellationToken) is not { } account) return false;
        account.Activate();
        account.UpdatedAt = clock.GetUtcNow();
        if (account is { SubmitVerb: VerbSetting.Auto, FirstAcceptedAt: null }) account.VerbInUse = SubmitVerb.Get;
        db.Note(actor, "account_resumed", accountId: account.Id);
        await db.SaveChangesAsync(cancellationToken);
        await db.Set<CallBudget>().Where(b => b.AccountId == account.Id).ExecuteUpdateAsync(
            set => set.SetProperty(b => b.BlockedUntil, (DateTimeOffset?)null).SetProperty(b => b.BlockedReason, (string?)null)
                .SetProperty(b => b.BlocksInARow, 0), cancellationToken);
        return true;
    }, cancellationToken);
}
