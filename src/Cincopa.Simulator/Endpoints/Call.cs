using Cincopa.Simulator.Faults;
using Cincopa.Simulator.Remote;

namespace Cincopa.Simulator.Endpoints;

/// <summary>A call of the API as its endpoint sees it.</summary>
/// <param name="Faults">The script and its counters as they were when the call arrived.</param>
internal sealed record Call(HttpContext Context, Simulator Simulator, FaultDeck Faults, Operation Operation, Query Query)
{
    public Library Library => Simulator.Library;

    public FaultScript Script => Faults.Script;

    /// <summary>The source URL of a submit, or of the import that is asked about.</summary>
    public string? Input { get; init; }

    /// <summary>The import whose status_id was sent, if it has one.</summary>
    public Import? Import { get; init; }

    /// <summary>What answers it.</summary>
    public required Func<Call, Result> Answer { get; init; }

    /// <summary>What the token may do; null when the call had no good one.</summary>
    public TokenGrant? Grant { get; init; }

    /// <summary>Assets younger than this are not listed yet: a reading from a cache that <c>cache=never</c> avoids (OWN).</summary>
    public DateTimeOffset ListedUpTo() =>
        Query["cache"] == "never" ? DateTimeOffset.MaxValue : Simulator.Clock.GetUtcNow().AddMilliseconds(-Script.ListLagMs);

    /// <summary>The page that the call asks for.</summary>
    public PageRequest Page() =>
        new(Query.Number("page", fallback: 1, least: 1),
            Math.Min(Query.Number("items_per_page", Assumptions.ItemsPerPage, least: 1), Assumptions.MostItemsPerPage));

    /// <summary>The proper answer, with these members.</summary>
    public Result Ok(params ReadOnlySpan<(string Name, object? Value)> members) => Result.Ok(Reply.Success(members));

    /// <summary>A refusal by the API itself, in the style that the script has set.</summary>
    public Result Refuse(int httpStatus, string message)
    {
        var reply = Reply.Refusal(Script.Refusals, httpStatus, message);
        return new Result(reply, new Answer(CallOutcome.Refused, reply.HttpStatus));
    }
}

/// <summary>What a call is answered with, and what the ledger says of it.</summary>
internal readonly record struct Result(Reply Reply, Answer Answer)
{
    public static Result Ok(Reply reply, Import? import = null, bool accepted = true) =>
        new(reply, new Answer(CallOutcome.Ok, reply.HttpStatus, accepted, import?.Number ?? -1));
}

/// <summary>A page by its number, from 1, and its size.</summary>
internal readonly record struct PageRequest(int Number, int Size)
{
    public int Skip => (int)Math.Min((long)(Number - 1) * Size, int.MaxValue);

    public int PagesFor(int count) => (count + Size - 1) / Size;
}
