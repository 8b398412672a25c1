using System.Text.Json.Serialization;
using BulkImporter.Finish;
using BulkImporter.Records;
using BulkImporter.Undo;
using Microsoft.AspNetCore.Mvc;

namespace BulkImporter.Api;

/// <summary>Reads what a caller wrote; a mistake names the argument and what would be right.</summary>
internal static class ApiArguments
{
    public static int Limit(int? limit, int usual, int most) => limit switch
    {
        null => usual,
        < 1 => throw new InvalidArgumentException("limit", $"'limit' must be from 1 to {most}."),
        var l when l > most => throw new InvalidArgumentException("limit", $"'limit' must be from 1 to {most}."),
        var l => l.Value,
    };

    /// <exception cref="InvalidArgumentException">The text is no member's.</exception>
    public static T? Choice<T>(string argument, string? text) where T : struct, Enum
    {
        if (string.IsNullOrEmpty(text)) return null;
        return EnumText<T>.TryParse(text, out var value)
            ? value
            : throw new InvalidArgumentException(argument, $"'{text}' is not known; known are: {string.Join(", ", EnumText<T>.All)}.");
    }

    public static int? Cursor(string? after)
    {
        if (string.IsNullOrEmpty(after)) return null;
        return int.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out var cursor)
            ? cursor
            : throw new InvalidArgumentException("after", "'after' must be the 'next' of the previous page.");
    }

    public static bool Flag(string argument, string text) => text.Trim().ToLowerInvariant() switch
    {
        "true" or "1" or "yes" or "on" => true,
        "false" or "0" or "no" or "off" or "" => false,
        _ => throw new InvalidArgumentException(argument, $"'{text}' is neither true nor false. Write true or false."),
    };
}

/// <summary>
/// The selection as query arguments: <c>state</c>, <c>code</c>, <c>recordIds</c> (repeated), <c>search</c>, <c>stalledMinutes</c>,
/// <c>finish</c>, <c>undo</c>, <c>arrival</c>.
/// </summary>
internal sealed record SelectionQuery(
    [FromQuery(Name = "state")] string? State, [FromQuery(Name = "code")] string? Code, [FromQuery(Name = "recordIds")] int[]? RecordIds,
    [FromQuery(Name = "search")] string? Search, [FromQuery(Name = "stalledMinutes")] double? StalledMinutes,
    [FromQuery(Name = "finish")] string? Finish, [FromQuery(Name = "undo")] string? Undo, [FromQuery(Name = "arrival")] string? Arrival)
{
    public RecordFilter ToFilter() =>
        new SelectionBody(State, Code, RecordIds is { Length: > 0 } rows ? rows : null, Search, StalledMinutes, Finish, Undo, Arrival)
            .ToFilter();
}

/// <summary>The selection as a JSON body. What is left out does not narrow it.</summary>
/// <param name="RecordIds">Row numbers: a record's id within its import.</param>
/// <param name="Search">Part of the source URL, caption, reference id, status_id or rid, in any case; or a row number.</param>
/// <param name="StalledMinutes">Only submitted records that have not moved at Cincopa for this many minutes.</param>
/// <param name="Finish">Only imported records whose asset's finishing has this state: pending, done or failed.</param>
/// <param name="Undo">Only records whose undo has this state: pending, done (the asset is deleted) or failed.</param>
/// <param name="Arrival">Only imported records with this result of the comparison with what was expected: verified, size_differs,
/// duration_differs, md5_differs or unverifiable.</param>
// A member that is misspelt and ignored would make the selection larger.
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public record SelectionBody(
    string? State = null, string? Code = null, IReadOnlyList<int>? RecordIds = null, string? Search = null, double? StalledMinutes = null,
    string? Finish = null, string? Undo = null, string? Arrival = null)
{
    /// <summary>Rows that one request may name; a larger selection is told by state, code or search.</summary>
    private const int MostRows = 100_000;

    /// <summary>Room for so many rows.</summary>
    internal const int MostBytes = 2 * 1024 * 1024;

    private static string Known(string code) => RecordFilter.Codes.Contains(code)
        ? code
        : throw new InvalidArgumentException("code", $"'{code}' is not known; known are: {string.Join(", ", RecordFilter.Codes)}.");

    /// <exception cref="InvalidArgumentException">The state or the code is not known, or too many rows are named.</exception>
    internal RecordFilter ToFilter()
    {
        if (RecordIds is { Count: > MostRows })
            throw new InvalidArgumentException("recordIds", $"A request can name at most {MostRows:N0} rows.");
        if (StalledMinutes is { } minutes && !(minutes >= 0 && minutes < TimeSpan.FromDays(365).TotalMinutes))
            throw new InvalidArgumentException("stalledMinutes", "'stalledMinutes' must be from 0 to 525,600 (a year).");
        return new RecordFilter
        {
            State = ApiArguments.Choice<RecordState>("state", State),
            Code = string.IsNullOrEmpty(Code) ? null : Known(Code),
            RowNumbers = RecordIds,
            Search = string.IsNullOrEmpty(Search) ? null : Search,
            Finish = ApiArguments.Choice<FinishState>("finish", Finish) is { } finish ? EnumText<FinishState>.Of(finish) : null,
            Undo = ApiArguments.Choice<UndoState>("undo", Undo) is { } undo ? EnumText<UndoState>.Of(undo) : null,
            Arrival = ApiArguments.Choice<Arrival>("arrival", Arrival),
            Stalled = StalledMinutes is { } stalled ? TimeSpan.FromMinutes(stalled) : null,
        };
    }
}

/// <inheritdoc cref="SelectionBody"/>
/// <param name="Push">Their files are read and sent by this server from now on, instead of being fetched by Cincopa.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record RerunOrder(string? State = null, string? Code = null, IReadOnlyList<int>? RecordIds = null,
    string? Search = null, double? StalledMinutes = null, string? Finish = null, string? Undo = null,
    string? Arrival = null, bool? Push = null)
    : SelectionBody(State, Code, RecordIds, Search, StalledMinutes, Finish, Undo, Arrival);

/// <inheritdoc cref="SelectionBody"/>
/// <param name="Name">The name of the import, to confirm it. Not needed with dryRun.</param>
/// <param name="DryRun">Only says what would be deleted and what left.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record UndoOrder(string? State = null, string? Code = null, IReadOnlyList<int>? RecordIds = null,
    string? Search = null, double? StalledMinutes = null, string? Finish = null, string? Undo = null,
    string? Arrival = null, string? Name = null, bool? DryRun = null)
    : SelectionBody(State, Code, RecordIds, Search, StalledMinutes, Finish, Undo, Arrival);
