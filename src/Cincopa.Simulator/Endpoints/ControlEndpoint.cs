using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cincopa.Simulator.Faults;
using Cincopa.Simulator.Remote;

namespace Cincopa.Simulator.Endpoints;

/// <summary>What a test or a person asks the simulator itself: everything under <c>/_sim</c>. These calls are not in the ledger.</summary>
internal sealed class ControlEndpoint(Simulator simulator)
{
    private const int MostTaken = 100_000;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    private static readonly Reply Done = new(200, Reply.Json, """{"success":true}"""u8.ToArray());

    public async Task HandleAsync(HttpContext context)
    {
        Reply reply;
        try
        {
            reply = await AnswerAsync(context);
        }
        catch (JsonException e)
        {
            reply = Reply.Refusal(ReplyStyle.Json, 400, e.Message);
        }

        await reply.SendAsync(context, closes: false);
    }

    private async ValueTask<Reply> AnswerAsync(HttpContext context)
    {
        var request = context.Request;
        var query = new Query(request.QueryString.Value);
        switch (request.Method, request.Path.Value)
        {
            case ("GET", "/_sim/ledger"):
                return Ledger(query);
            case ("GET", "/_sim/ledger/summary"):
                return Reply.Of(simulator.Ledger.Summarise(), Json);
            case ("GET", "/_sim/assets"):
                return Assets(query);
            case ("GET", "/_sim/outcomes"):
                return Reply.Of(UrlPatterns.All.Select(p =>
                    new { p.Name, FileName = p.Name + "-*", p.Effect, EndsImport = p.Plan is not null }), Json);
            case ("POST", "/_sim/reset"):
                simulator.Reset();
                return Done;
            case ("GET" or "POST" or "PUT" or "DELETE", "/_sim/faults"):
                if (request.Method != "GET")
                    simulator.Script = request.Method == "DELETE" ? FaultScript.None : FaultScript.Parse(await BodyAsync(context));
                return new(200, Reply.Json, simulator.Script.ToJson());
            case ("POST", "/_sim/tokens"):
                simulator.Tokens.Set(JsonSerializer.Deserialize<TokenGrant>(await BodyAsync(context), Json)
                    ?? throw new JsonException("a token is a JSON object"));
                return Done;
            case ("DELETE", "/_sim/tokens"):
                simulator.Tokens.Reset();
                return Done;
            default:
                return Reply.Refusal(ReplyStyle.Json, 404, "see src/Cincopa.Simulator/README.md for what is under /_sim");
        }
    }

    private Reply Ledger(Query query)
    {
        Operation? operation = null;
        if (query["op"] is { } name)
        {
            if (!Enum.TryParse<Operation>(name.Replace("_", "", StringComparison.Ordinal), ignoreCase: true, out var named))
                throw new JsonException($"no operation is named \"{name}\"");
            operation = named;
        }

        var (lines, count) = simulator.Ledger.Read(operation, query["input"], query.Number("skip", 0),
            Math.Min(query.Number("take", 100), MostTaken), simulator.Library.StatusIdOf);
        return Reply.Of(new { Count = count, Entries = lines }, Json);
    }

    private Reply Assets(Query query)
    {
        var all = simulator.Library.Assets();
        var shown = all.Skip(query.Number("skip", 0)).Take(Math.Min(query.Number("take", 100), MostTaken)).Select(asset => new
        {
            asset.Id,
            asset.Rid,
            asset.FileName,
            asset.Input,
            asset.Fid,
            asset.Size,
            asset.Uploaded,
            asset.Sha256,
            asset.Deleted,
            Meta = Asset.MetaFields.Where(field => asset[field].Length > 0).ToDictionary(field => field, field => asset[field]),
        });
        return Reply.Of(new { all.Count, Assets = shown }, Json);
    }

    private static async Task<byte[]> BodyAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        return body.ToArray();
    }
}
