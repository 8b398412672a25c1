using BulkImporter.Access;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;

namespace BulkImporter.Dashboard;

/// <summary>
/// What components share: who looks, and a token that ends when they leave. Their persistent state is what they hand from the first drawing
/// on the server to the live page, so that this does not begin empty again.
/// </summary>
public abstract class DashboardPage : ComponentBase, IHandleEvent, IDisposable
{
    private readonly Dictionary<object, Func<ChangeEventArgs, Task>> changes = [];
    private bool wasOpen;
    private readonly CancellationTokenSource left = new();

    // The token outlives its source: what goes on after the component has left asks for it, and must find it cancelled and not gone.
    protected DashboardPage() => Left = left.Token;

    [CascadingParameter] private Task<AuthenticationState> Session { get; set; } = null!;

    [Inject] private IAuthorizationService Authorization { get; set; } = null!;

    [Inject] private AuthenticationStateProvider Present { get; set; } = null!;

    /// <summary>Whether the person may act, and not only look.</summary>
    protected bool MayAct { get; private set; }

    /// <summary>Whether the person may manage accounts, people and keys.</summary>
    protected bool MayAdminister { get; private set; }

    protected CancellationToken Left { get; }

    /// <summary>An order of this page is under way.</summary>
    protected bool IsBusy { get; set; }

    /// <summary>Why what was ordered last was not done, for the person to read; null when it was.</summary>
    protected string? Complaint { get; set; }

    /// <summary>
    /// The page hears what is done on it. It does not yet when the server first draws it, so what needs it to hear is disabled until then:
    /// a click that would be lost cannot be made. Links, and forms that the browser sends by itself, work before.
    /// </summary>
    protected bool IsAlive => RendererInfo.IsInteractive;

    /// <summary>A click would do something: the page is alive, and no order is under way.</summary>
    protected bool IsReady => IsAlive && !IsBusy;

    public override async Task SetParametersAsync(ParameterView parameters)
    {
        parameters.SetParameterProperties(this);
        var user = (await Session).User;
        MayAct = (await Authorization.AuthorizeAsync(user, Policy.Operator)).Succeeded;
        MayAdminister = (await Authorization.AuthorizeAsync(user, Policy.Admin)).Succeeded;
        await base.SetParametersAsync(ParameterView.Empty);
    }

    /// <summary>
    /// As <see cref="ComponentBase"/> does it, but text that no database can hold (a browser may send NUL) becomes the sign for what is no
    /// character, in every field of every page.
    /// </summary>
    async Task IHandleEvent.HandleEventAsync(EventCallbackWorkItem item, object? arg)
    {
        if (arg is ChangeEventArgs { Value: string text } change) change.Value = PlainText.Storable(text);
        var work = item.InvokeAsync(arg);
        if (!work.IsCompleted) StateHasChanged();
        try
        {
            await work;
        }
        catch (OperationCanceledException) when (work.IsCanceled)
        {
            return;
        }
        StateHasChanged();
    }

    /// <summary>Who acts, for the audit log. Asked at the deed, because the session may have ended since the page was opened.</summary>
    /// <exception cref="UnauthorizedAccessException">He may not, or not any more.</exception>
    protected async Task<string> ActorAsync() => (await CallerAsync(Policy.Operator)).Name;

    /// <inheritdoc cref="ActorAsync()"/>
    protected async Task<string> AdminAsync() => (await CallerAsync(Policy.Admin)).Name;

    /// <summary>
    /// What is done when a field is changed: one handler, the same at each drawing. A lambda in a loop is a new one each time and takes the
    /// place of the one before, so what is typed while a slow server draws the page would come to a handler that is gone.
    /// </summary>
    /// <param name="field">Which field, among those of the page.</param>
    /// <param name="change">Gets the field's new value. That of the field's first drawing stays.</param>
    protected Func<ChangeEventArgs, Task> HandlerOf(object field, Func<object?, Task> change)
    {
        if (!changes.TryGetValue(field, out var known)) changes.Add(field, known = e => change(e.Value));
        return known;
    }

    /// <summary>Called after each drawing: moves the focus into the first field of a form that has just opened.</summary>
    protected async Task FocusWhenOpenedAsync(bool isOpen, ElementReference field)
    {
        var hasOpened = isOpen && !wasOpen;
        wasOpen = isOpen;
        if (hasOpened) await field.FocusAsync();
    }

    /// <summary>Carries out an order; meanwhile no other can be given.</summary>
    protected async Task WhileBusyAsync(Func<Task> order)
    {
        IsBusy = true;
        try
        {
            await order();
        }
        finally
        {
            IsBusy = false;
        }
    }

    /// <summary>Carries out an order; when it makes no sense, that is the <see cref="Complaint"/>.</summary>
    protected Task OrderAsync(Func<Task> order) => WhileBusyAsync(async () =>
    {
        Complaint = null;
        try
        {
            await order();
        }
        catch (InvalidArgumentException refused)
        {
            Complaint = refused.Message;
        }
    });

    /// <summary>
    /// Does something again and again while <paramref name="goesOn"/> and somebody looks. What it cannot do is the page's failure.
    /// </summary>
    protected async Task EveryAsync(TimeSpan interval, TimeProvider clock, Func<bool> goesOn, Func<Task> turn)
    {
        try
        {
            using var timer = new PeriodicTimer(interval, clock);
            while (goesOn() && await timer.WaitForNextTickAsync(Left)) await InvokeAsync(turn);
        }
        catch (OperationCanceledException)
        {
            // The person has left the page.
        }
        catch (Exception e)
        {
            await DispatchExceptionAsync(e);
        }
    }

    /// <summary>
    /// Reads again what the page shows. False when the database did not answer: what stands there is older than it should be, the feed logs
    /// it, and the next reading tries again.
    /// </summary>
    protected async Task<bool> IsReadAsync(Func<Task> read)
    {
        try
        {
            await read();
            return true;
        }
        catch (OperationCanceledException) when (Left.IsCancellationRequested)
        {
            // Nobody looks any more.
            return true;
        }
        catch (Exception e) when (e.IsOfTheDatabase())
        {
            return false;
        }
    }

    /// <inheritdoc cref="ActorAsync()"/>
    protected async Task<Caller> CallerAsync(string policy)
    {
        var user = await ((SessionRevalidation)Present).CurrentAsync(Left);
        if (!(await Authorization.AuthorizeAsync(user, policy)).Succeeded)
            throw new UnauthorizedAccessException("Your session has ended or its role does not allow this. Sign in again.");
        return user.Caller();
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
