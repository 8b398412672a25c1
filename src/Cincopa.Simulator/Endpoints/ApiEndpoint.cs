using System.Collections.Frozen;
using Cincopa.Simulator.Faults;

namespace Cincopa.Simulator.Endpoints;

/// <summary>Every call of the API goes through here: written down, judged, answered, or spoilt as the script says.</summary>
internal sealed class ApiEndpoint(Simulator simulator, CancellationToken stopping)
{
    /// <summary>What each path under <c>/v2/</c> asks for, and what answers it.</summary>
    private static readonly FrozenDictionary<string, (Operation Operation, Func<Call, Result> Answer)> Calls =
        new Dictionary<string, (Operation, Func<Call, Result>)>
        {
            ["ping"] = (Operation.Ping, AccountEndpoints.Ping),
            ["asset.upload_from_url"] = (Operation.Submit, ImportEndpoints.Submit),
            ["asset.upload_from_url_get_status"] = (Operation.Status, ImportEndpoints.Status),
            ["asset.upload_from_url_abort"] = (Operation.Abort, ImportEndpoints.Abort),
            ["asset.list"] = (Operation.List, AssetEndpoints.List),
            ["asset.set_meta"] = (Operation.SetMeta, AssetEndpoints.SetMeta),
            ["asset.delete"] = (Operation.Delete, AssetEndpoints.Delete),
            ["asset.get_upload_url"] = (Operation.GetUploadUrl, PushEndpoint.GetUploadUrl),
            ["asset.get_tags"] = (Operation.GetTags, AssetEndpoints.Tags),
            ["asset.resync"] = (Operation.Resync, AssetEndpoints.Resync),
            ["gallery.create"] = (Operation.GalleryCreate, GalleryEndpoints.Create),
            ["gallery.list"] = (Operation.GalleryList, GalleryEndpoints.List),
            ["gallery.get_items"] = (Operation.GalleryItems, GalleryEndpoints.Items),
            ["gallery.add_item"] = (Operation.GalleryAddItem, GalleryEndpoints.AddItem),
            ["gallery.remove_item"] = (Operation.GalleryRemoveItem, GalleryEndpoints.RemoveItem),
            ["gallery.set_meta"] = (Operation.GallerySetMeta, GalleryEndpoints.SetMeta),
            ["gallery.set_master"] = (Operation.GallerySetMaster, GalleryEndpoints.SetMaster),
            ["gallery.delete"] = (Operation.GalleryDelete, GalleryEndpoints.Delete),
            ["webhook.set"] = (Operation.WebhookSet, WebhookEndpoints.Set),
            ["webhook.list"] = (Operation.WebhookList, WebhookEndpoints.List),
            ["webhook.delete"] = (Operation.WebhookDelete, WebhookEndpoints.Delete),
            ["token.get_temp"] = (Operation.TokenGetTemp, AccountEndpoints.TemporaryToken),
            ["token.list"] = (Operation.TokenList, AccountEndpoints.Tokens),
            ["token.create"] = (Operation.TokenCreate, AccountEndpoints.CreateToken),
            ["account.list_sub"] = (Operation.AccountListSub, AccountEndpoints.SubAccounts),
            ["account.add_sub"] = (Operation.AccountAddSub, AccountEndpoints.AddSubAccount),
        }.ToFrozenDictionary(call => $"/v2/{call.Key}.json", call => call.Value);

    public async Task HandleAsync(HttpContext context)
    {
        // A browser asks first whether a page of another site may call. That is no call yet: not in the ledger.
        if (HttpMethods.IsOptions(context.Request.Method))
        {
            Reply.AllowBrowser(context);
            return;
        }

        // 1. Who asks for what.
        var path = context.Request.Path.Value ?? "";
        var (operation, answer) = Calls.TryGetValue(path, out var known)
            ? known : (path == PushEndpoint.Path ? Operation.Push : Operation.Unknown, NotFound);
        var query = new Query(context.Request.QueryString.Value);
        var import = operation is Operation.Status or Operation.Abort ? simulator.Library.FindImport(query["status_id"]) : null;
        var call = new Call(context, simulator, simulator.Faults, operation, query)
        {
            Input = operation == Operation.Submit ? query["input"] : import?.Input,
            Import = import,
            Answer = answer,
            Grant = simulator.Tokens.Find(query["api_token"], context.Connection.RemoteIpAddress),
        };

        // 2. Into the ledger, before anything can go wrong.
        var entry = simulator.Ledger.Open(operation, context.Request.Method, call.Input, out var ordinal);
        if (operation == Operation.Status && import is not null)
            ordinal = import.CountPoll();

        // 3. What happens and what is said. The effect comes first and the wait second: a client that gives up has still made its import.
        var result = new Result(default, new Answer(CallOutcome.ClientGone, HttpStatus: 0));
        FaultRule? rule = null;
        try
        {
            if (RefuseAtTheDoor(call) is { } refusal)
            {
                await DrainAsync(call);
                result = refusal;
            }
            else
            {
                var draw = call.Faults.Draw(operation, call.Input, ordinal);
                rule = draw.Rule;
                result = await ApplyAsync(call, rule);
                if (draw.Wait > TimeSpan.Zero)
                    await WaitAsync(call, draw.Wait);
                if (rule?.Fault == Fault.Hang)
                    await WaitAsync(call, Timeout.InfiniteTimeSpan);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The client gave up, broke off inside its own request, or the simulator stops.
            var outcome = rule?.Fault == Fault.Hang ? CallOutcome.Hung : CallOutcome.ClientGone;
            result = result with { Answer = result.Answer with { Outcome = outcome, HttpStatus = 0 } };
            context.Abort();
            return;
        }
        finally
        {
            // 4. The entry is complete before the client can see the answer.
            simulator.Ledger.Close(entry, result.Answer);
        }

        // 5. The answer, or what is left of it.
        if (rule?.Fault is Fault.ReplyLost or Fault.Reset)
            context.Abort();
        else if (rule?.Fault is Fault.ReplyCut)
            await result.Reply.SendHalfAsync(context);
        else
            await result.Reply.SendAsync(context, closes: !call.Script.KeepAlive);
    }

    /// <summary>Length of the query, verb, token and permission come before every scripted fault; null lets the call in.</summary>
    private static Result? RefuseAtTheDoor(Call call)
    {
        if (call.Operation is Operation.Push or Operation.Unknown)
            return null;
        if (call.Query.Length > call.Script.LongestQuery)
            return Refusal(CallOutcome.QueryTooLong, Reply.Refusal(ReplyStyle.Html, 404, "404.15 - query string too long"));
        if (call.Operation == Operation.Submit && call.Script.SubmitVerb is { } verb
            && !HttpMethods.Equals(verb.ToString(), call.Context.Request.Method))
            return Refusal(CallOutcome.MethodNotAllowed,
                Reply.Refusal(ReplyStyle.Html, 405, "405 - HTTP verb used to access this page is not allowed"));
        if (call.Grant is null)
            return Refusal(CallOutcome.TokenRejected,
                Reply.Refusal(ReplyStyle.Json, Assumptions.TokenRejectedStatus, Assumptions.TokenRejectedMessage));
        if (call.Grant.RejectedWith is { } status)
            return Refusal(CallOutcome.TokenRejected, Reply.Refusal(ReplyStyle.Json, status, Assumptions.TokenRejectedMessage));
        if (Assumptions.PermissionFor(call.Operation) is { } atom && !call.Grant.Covers(atom))
            return Refusal(CallOutcome.PermissionMissing,
                Reply.Refusal(ReplyStyle.Json, Assumptions.PermissionMissingStatus, Assumptions.PermissionMissingMessage));
        return null;

        static Result Refusal(CallOutcome outcome, Reply reply) => new(reply, new Answer(outcome, reply.HttpStatus));
    }

    /// <summary>Lets the call take effect unless the rule forbids it, and puts the rule's answer in place of the proper one.</summary>
    private static async ValueTask<Result> ApplyAsync(Call call, FaultRule? rule)
    {
        Result proper = default;
        if (rule is null || FaultReply.Commits(rule))
            proper = call.Operation == Operation.Push ? await PushEndpoint.TakeAsync(call) : call.Answer(call);
        else
            await DrainAsync(call);

        if (rule is null or { Fault: Fault.Delay })
            return proper;
        var import = proper.Reply.Body is null ? call.Import?.Number ?? -1 : proper.Answer.Import;
        var reply = FaultReply.For(rule, call.Operation, call.Simulator.Clock) ?? proper.Reply;
        var sent = rule.Fault is Fault.ReplyLost or Fault.Reset or Fault.Hang ? 0 : reply.HttpStatus;
        return new Result(reply, new Answer(FaultReply.OutcomeOf(rule.Fault), sent, proper.Answer.Accepted, import));
    }

    private static Result NotFound(Call call) =>
        new(Reply.Refusal(ReplyStyle.Html, 404, "Not Found"), new Answer(CallOutcome.NotFound, 404));

    /// <summary>Reads a pushed chunk to its end without keeping it, so that the client hears the answer and not a broken pipe.</summary>
    private static async ValueTask DrainAsync(Call call)
    {
        if (call.Operation == Operation.Push)
            await call.Context.Request.BodyReader.CopyToAsync(Stream.Null, call.Context.RequestAborted);
    }

    private async Task WaitAsync(Call call, TimeSpan time)
    {
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(call.Context.RequestAborted, stopping);
        await Task.Delay(time, simulator.Clock, gone.Token);
    }
}
