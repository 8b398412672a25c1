using BulkImporter.Access;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;

namespace BulkImporter.Dashboard;

/// <summary>What components share: who looks, and a token that ends when they leave.</summary>
public abstract class DashboardPage : ComponentBase, IDisposable
{
    private readonly CancellationTokenSource left = new();

    [CascadingParameter] private Task<AuthenticationState> Session { get; set; } = null!;

    [Inject] private IAuthorizationService Authorization { get; set; } = null!;

    /// <summary>Whether the person may act, and not only look.</summary>
    protected bool MayAct { get; private set; }

    protected CancellationToken Left => left.Token;

    public override async Task SetParametersAsync(ParameterView parameters)
    {
        parameters.SetParameterProperties(this);
        MayAct = (await Authorization.AuthorizeAsync((await Session).User, Policy.Operator)).Succeeded;
        await base.SetParametersAsync(ParameterView.Empty);
    }

    /// <summary>Who acts, for the audit log. Asked at the deed, because the session may have ended since the page was opened.</summary>
    /// <exception cref="UnauthorizedAccessException">He may not, or not any more.</exception>
    protected async Task<string> ActorAsync()
    {
        var user = (await Session).User;
        if (!(await Authorization.AuthorizeAsync(user, Policy.Operator)).Succeeded)
            throw new UnauthorizedAccessException("Your session has ended or its role does not allow this. Sign in again.");
        return user.Actor();
    }

    public void Dispose()
    {
        left.Cancel();
        left.Dispose();
        Leave();
        GC.SuppressFinalize(this);
    }

    /// <summary>Lets go of what the page watches.</summary>
    protected virtual void Leave()
    {
    }
}
