namespace Cincopa.Simulator.Endpoints;

/// <summary><c>webhook.set</c>, <c>webhook.list</c> and <c>webhook.delete</c> (contract 2.11).</summary>
internal static class WebhookEndpoints
{
    /// <summary>Creates, or changes what has the same <c>hook_url</c> (3P).</summary>
    public static Result Set(Call call)
    {
        if (!Uri.TryCreate(call.Query["hook_url"], UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https")
            || string.IsNullOrEmpty(call.Query["events"]))
            return call.Refuse(400, Assumptions.InvalidInputMessage);
        call.Simulator.Webhooks.Set(url.AbsoluteUri, call.Query["events"]!);
        return call.Ok();
    }

    /// <summary>The names in the reply were not found anywhere (INF).</summary>
    public static Result List(Call call) =>
        call.Ok(("webhooks", call.Simulator.Webhooks.Hooks.Select(hook => new { hook_url = hook.Key, events = hook.Value })));

    public static Result Delete(Call call)
    {
        call.Simulator.Webhooks.Remove(call.Query["hook_url"] ?? "");
        return call.Ok();
    }
}
