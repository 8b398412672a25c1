using BulkImporter.Access;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;

namespace BulkImporter.Dashboard;

/// <summary>An open page has no requests that would check its session, so it asks: a page ends with the key or the person that opened it.</summary>
internal sealed class SessionRevalidation(ILoggerFactory loggers, CheckSession session) : RevalidatingServerAuthenticationStateProvider(loggers)
{
    protected override TimeSpan RevalidationInterval => TimeSpan.FromSeconds(30);

    protected override Task<bool> ValidateAuthenticationStateAsync(AuthenticationState authenticationState, CancellationToken cancellationToken) =>
        session.IsLiveAsync(authenticationState.User, cancellationToken);
}
