using BulkImporter.Accounts;
using BulkImporter.Tests.Api;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace BulkImporter.Tests.Accounts;

public sealed class FirstAccountTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_environment_makes_the_default_account_and_a_changed_token_replaces_it_and_resumes()
    {
        await server.Database.SqlAsync("DELETE FROM importer.account");
        await EnsureAsync(null);
        Assert.Equal(0L, await server.Database.OneAsync<long>("SELECT count(*) FROM importer.account"));

        await EnsureAsync("token-one");
        var accounts = server.Services.GetRequiredService<ReadAccounts>();
        var made = await accounts.FindAsync("default", Token);
        Assert.Equal(("https://api.cincopa.com/v2/", AccountState.Active), (made!.BaseUrl, made.State));
        Assert.Equal("token-one", await TokenAsync(made.Id));

        await server.Database.SqlAsync("UPDATE importer.account SET state = 'suspended', reason = 'rejected'");
        await EnsureAsync("token-one");
        Assert.Equal(AccountState.Suspended, (await accounts.FindAsync("default", Token))!.State);

        await EnsureAsync("token-two", "https://cincopa.example/v2");
        var changed = await accounts.FindAsync("default", Token);
        Assert.Equal(("https://cincopa.example/v2/", AccountState.Active, null), (changed!.BaseUrl, changed.State, changed.Reason));
        Assert.Equal("token-two", await TokenAsync(changed.Id));
    }

    private Task EnsureAsync(string? token, string? baseUrl = null) => server.Services.GetRequiredService<FirstAccount>().EnsureAsync(
        new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        { [FirstAccount.TokenVariable] = token, [FirstAccount.BaseUrlKey] = baseUrl }).Build(), Token);

    /// <summary>With an empty cache.</summary>
    private async Task<string> TokenAsync(int id) =>
        (await ActivatorUtilities.CreateInstance<AccountAccess>(server.Services).GetAsync(id, Token)).Access.ApiToken;
}
