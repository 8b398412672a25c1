using Cincopa.Client;

namespace BulkImporter.Accounts;

/// <summary>What became of the order to resume an account.</summary>
public abstract record ResumedAccount
{
    public sealed record Done : ResumedAccount;

    public sealed record NotFound : ResumedAccount;

    /// <summary>Its token is still not accepted: it would be suspended again at once. Nothing has changed.</summary>
    public sealed record Refused(string Sentence) : ResumedAccount;
}

/// <summary>
/// Lets a suspended account be called again once Cincopa accepts its token, and forgets that the API asked everyone to stay away.
/// </summary>
public sealed class ResumeAccount(
    IDbContextFactory<ImporterDb> contexts, ReadAccounts accounts, CheckBeforeSending check, TimeProvider clock)
{
    /// <summary>An active account stays active.</summary>
    public async Task<ResumedAccount> RunAsync(string name, string actor, CancellationToken cancellationToken)
    {
        if (await accounts.FindAsync(name, cancellationToken) is not { } found) return new ResumedAccount.NotFound();
        if (found.State == AccountState.Suspended && await check.ObstacleAsync(found.Id, cancellationToken) is { } obstacle)
            return new ResumedAccount.Refused(obstacle);
        return await contexts.ChangeAsync<ResumedAccount>(async db =>
        {
            if (await db.Set<Account>().SingleOrDefaultAsync(a => a.Name == name, cancellationToken) is not { } account)
                return new ResumedAccount.NotFound();
            account.Activate();
            account.UpdatedAt = clock.GetUtcNow();
            if (account is { SubmitVerb: VerbSetting.Auto, FirstAcceptedAt: null }) account.VerbInUse = SubmitVerb.Get;
            await db.NoteResumedAsync(actor, account, cancellationToken);
            await db.SaveChangesAsync(cancellationToken);
            await db.Set<CallBudget>().Where(b => b.AccountId == account.Id).ExecuteUpdateAsync(
                set => set.SetProperty(b => b.BlockedUntil, (DateTimeOffset?)null).SetProperty(b => b.BlockedReason, (string?)null)
                    .SetProperty(b => b.BlocksInARow, 0), cancellationToken);
            return new ResumedAccount.Done();
        }, cancellationToken);
    }
}
