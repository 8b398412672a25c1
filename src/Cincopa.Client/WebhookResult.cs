namespace Cincopa.Client;

/// <summary>The answer to <see cref="ICincopaClient.SetWebhookAsync"/> and <see cref="ICincopaClient.DeleteWebhookAsync"/>.</summary>
public abstract record WebhookResult
{
    private WebhookResult() { }

    /// <summary>Cincopa took it.</summary>
    public sealed record Done : WebhookResult;

    /// <summary>Refused, or the call did not work; giving the same order again is harmless.</summary>
    public sealed record Failed(RemoteError Error) : WebhookResult;
}
