using System.Security.Claims;
using BulkImporter.Access;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;

namespace BulkImporter.Dashboard;

/// <summary>
/// An open page has no requests that would check its session. So it asks whenever somebody does something on it, before that is done, and
/// by itself every half minute: it ends with the session, the key or the person that opened it.
/// </summary>
internal sealed class SessionRevalidation(
    ILoggerFactory loggers, CheckSession session) : RevalidatingServerAuthenticationStateProvider(loggers)
{
    protected override TimeSpan RevalidationInterval => TimeSpan.FromSeconds(30);

    protected override Task<bool> ValidateAuthenticationStateAsync(
        AuthenticationState authenticationState, CancellationToken cancellationToken) =>
        session.IsLiveAsync(authenticationState.User, cancellationToken, isUse: false);

    /// <summary>Who acts now. Nobody (not authenticated) when the session is over; the page then shows the sign-in.</summary>
    public async Task<ClaimsPrincipal> CurrentAsync(CancellationToken cancellationToken)
    {
        var user = (await GetAuthenticationStateAsync()).User;
        if (await session.IsLiveAsync(user, cancellationToken)) return user;
        var nobody = new ClaimsPrincipal(new ClaimsIdentity());
        SetAuthenticationState(Task.FromResult(new AuthenticationState(nobody)));
        return nobody;
    }
}
