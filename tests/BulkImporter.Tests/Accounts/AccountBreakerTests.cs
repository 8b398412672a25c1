using BulkImporter.Accounts;
using BulkImporter.Data;
using BulkImporter.Imports;
using Cincopa.Client;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Accounts;

public sealed class AccountBreakerTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private readonly AccountBreaker breaker = new(database.Source, NullLogger<AccountBreaker>.Instance);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_third_rejection_in_a_row_suspends_the_account_and_says_why()
    {
        var account = await database.AccountAsync();
        var version = await VersionAsync(account);
        await breaker.CredentialRejectedAsync(account, version, 1, "Invalid token.");
        await breaker.CredentialRejectedAsync(account, version, 1, "Invalid token.");
        Assert.Equal("active", await StateAsync(account));
        await breaker.CredentialRejectedAsync(account, version, 1, "Invalid token.");
        Assert.Equal("suspended", await StateAsync(account));
        Assert.Contains("Invalid token.", await database.OneAsync<string>("SELECT reason FROM importer.account WHERE id = $1", account),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_suspension_stands_in_the_history_of_each_import_that_it_holds_up_and_once_when_there_is_none()
    {
        var account = await database.AccountAsync();
        var (running, paused) = (await database.ImportAsync(account: account),
            await database.ImportAsync(account: account, state: ImportState.Paused));
        await database.ImportAsync(account: account, state: ImportState.Finished);
        await breaker.QuotaExceededAsync(account, await VersionAsync(account), "full");
        Assert.Equal([running, paused], await SuspendedAsync(account));

        var idle = await database.AccountAsync();
        await breaker.CredentialRejectedAsync(idle, await VersionAsync(idle), 3, "no");
        Assert.Equal([null], await SuspendedAsync(idle));

        async Task<List<int?>> SuspendedAsync(int id) => await database.Source.QueryAsync<int?>(
            "SELECT import_id FROM importer.audit_entry WHERE account_id = $1 AND action = 'account_suspended' ORDER BY import_id",
            Token, id);
    }

    [Fact]
    public async Task Three_rejections_that_are_told_at_once_suspend_as_three_that_are_told_one_by_one()
    {
        var account = await database.AccountAsync();
        await breaker.CredentialRejectedAsync(account, await VersionAsync(account), 2, "no");
        Assert.Equal("active", await StateAsync(account));
        await breaker.CredentialRejectedAsync(account, await VersionAsync(account), 2, "no");
        Assert.Equal("suspended", await StateAsync(account));
    }

    [Fact]
    public async Task A_call_that_worked_breaks_the_row_of_rejections()
    {
        var account = await database.AccountAsync();
        var version = await VersionAsync(account);
        for (var n = 0; n < 3; n++)
        {
            await breaker.CredentialRejectedAsync(account, version, 1, "no");
            await breaker.CredentialRejectedAsync(account, version, 1, "no");
            await breaker.CredentialWorkedAsync(account);
        }
        Assert.Equal("active", await StateAsync(account));
    }

    [Fact]
    public async Task A_replaced_token_is_not_judged_by_calls_of_the_old_one()
    {
        var account = await database.AccountAsync();
        var old = await VersionAsync(account);
        await database.SqlAsync("UPDATE importer.account SET token_protected = 'new', updated_at = clock_timestamp() WHERE id = $1",
            account);
        for (var n = 0; n < 5; n++) await breaker.CredentialRejectedAsync(account, old, 1, "no");
        await breaker.QuotaExceededAsync(account, old, "full");
        Assert.Equal("active", await StateAsync(account));

        var current = await VersionAsync(account);
        for (var n = 0; n < 3; n++) await breaker.CredentialRejectedAsync(account, current, 1, "no");
        Assert.Equal("suspended", await StateAsync(account));
    }

    [Fact]
    public async Task A_full_quota_suspends_at_once()
    {
        var account = await database.AccountAsync();
        await breaker.QuotaExceededAsync(account, await VersionAsync(account), "Storage limit reached.");
        Assert.Equal("suspended", await StateAsync(account));
    }

    [Theory]
    [InlineData(RemoteErrorKind.TokenRejected, "active", 1, false)]
    [InlineData(RemoteErrorKind.PermissionMissing, "active", 1, false)]
    [InlineData(RemoteErrorKind.QuotaExceeded, "suspended", 0, false)]
    [InlineData(RemoteErrorKind.RateLimited, "active", 0, true)]
    [InlineData(RemoteErrorKind.ConnectionRefused, "active", 0, true)]
    public async Task Each_kind_of_error_is_told_to_the_one_whom_it_concerns(
        RemoteErrorKind kind, string state, int rejections, bool blocked)
    {
        var account = await database.AccountAsync();
        var health = new AccountHealth(new CallGovernor(database.Source, TimeProvider.System, () => 0), breaker,
            Options.Create(new AccountsOptions()));
        await health.FailedAsync(account, await VersionAsync(account), CallKind.Submit, ScriptedCincopa.Error(kind));
        Assert.Equal((state, rejections),
            (await StateAsync(account),
                await database.OneAsync<int>("SELECT rejected_in_a_row FROM importer.account WHERE id = $1", account)));
        Assert.Equal(blocked,
            await database.OneAsync<bool>(
                "SELECT blocked_until IS NOT NULL FROM importer.call_budget WHERE account_id = $1 AND kind = 'submit'", account));
    }

    private Task<string> StateAsync(int account) => database.OneAsync<string>("SELECT state FROM importer.account WHERE id = $1", account);

    private Task<DateTimeOffset> VersionAsync(int account) =>
        database.OneAsync<DateTimeOffset>("SELECT updated_at FROM importer.account WHERE id = $1", account);
}
