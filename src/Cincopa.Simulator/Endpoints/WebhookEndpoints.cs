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
        return Result.Ok(Reply.Success(0, static (_, _) => { }));
    }

    /// <summary>The names in the reply were not found anywhere (INF).</summary>
    public static Result List(Call call) => Result.Ok(Reply.Success(call.Simulator.Webhooks.Hooks, static (json, hooks) =>
    {
        json.WriteStartArray("webhooks"u8);
        foreach (var (url, events) in hooks)
        {
            json.WriteStartObject();
            json.WriteString("hook_url"u8, url);
            json.WriteString("events"u8, events);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }));

    public static Result Delete(Call call)
    {
        call.Simulator.Webhooks.Remove(call.Query["hook_url"] ?? "");
        return Result.Ok(Reply.Success(0, static (_, _) => { }));
    }
}
