using Cincopa.Client;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace BulkImporter.Accounts;

public static class AccountsSetup
{
    public static IServiceCollection AddAccounts(this IServiceCollection services)
    {
        // One key ring for all processes: a cookie made by one is read by the others, a token protected by one is used by the others.
        services.AddDataProtection().SetApplicationName("BulkImporter").PersistKeysToDbContext<ImporterDb>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<CincopaClientOptions>().BindConfiguration("Cincopa")
            .Validate(o => o.SubmitTimeout > TimeSpan.Zero && o.ReadTimeout > TimeSpan.Zero
                && o.ConnectTimeout > TimeSpan.Zero, "Cincopa:SubmitTimeout, ReadTimeout and ConnectTimeout must be more than zero.")
            .ValidateOnStart();
        services.AddOptions<AccountsOptions>().BindConfiguration(AccountsOptions.Section)
            .ValidateOnStart();
        services.TryAddSingleton<ICincopaClient>(provider =>
            new MeasuredCincopa(
                new CincopaClient(provider.GetRequiredService<IOptions<CincopaClientOptions>>().Value,
                    provider.GetRequiredService<TimeProvider>(),
                    provider.GetRequiredService<ReachCincopa>().ConnectAsync),
                provider.GetRequiredService<TimeProvider>()));
        return services
            .AddSingleton<ProtectToken>()
            .AddSingleton<ReachCincopa>()
            .AddSingleton<AddAccount>()
            .AddSingleton<ReadAccounts>()
            .AddSingleton<ChangeAccount>()
            .AddSingleton<ResumeAccount>()
            .AddSingleton<CheckAccount>()
            .AddSingleton<CheckBeforeSending>()
            .AddSingleton<ReadGalleries>()
            .AddSingleton<AccountAccess>()
            .AddSingleton<FirstAccount>()
            .AddSingleton<SourceHeaders>()
            .AddSingleton<CallGovernor>()
            .AddSingleton<AccountBreaker>()
            .AddSingleton<AccountHealth>()
            .AddSingleton<RoundNeeds>();
    }
}
