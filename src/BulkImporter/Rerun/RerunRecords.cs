using System.Diagnostics;
using BulkImporter.Access;
using BulkImporter.Imports;
using BulkImporter.Records;

namespace BulkImporter.Rerun;

/// <summary>A selection was rerun.</summary>
/// <param name="Rerun">Records that are pending again.</param>
/// <param name="Left">Records of the selection that were left as they are, by state, each with the reason.</param>
public sealed record RerunDone(int Rerun, IReadOnlyList<RefusedRecords> Left) : ImportChange;

public sealed record RefusedRecords(RecordState State, int Count, string Reason);

/// <summary>
/// Orders new attempts for a selection: failed and cancelled records become pending with all their attempts again, and an import that
/// had ended runs again. What is or was in doubt, and duplicates, only when the selection names them, by state, by code or by row: sending
/// them can make a second asset. So too what an undo has deleted: somebody wanted it gone. Imported ones only when the selection is a
/// difference of what arrived from what was expected: they get another asset, and the one that they have stays in Cincopa.
/// </summary>
public sealed class RerunRecords(NpgsqlDataSource database, RecordTransitions transitions)
{
    private static readonly string GivenUp = EnumText<FailureCode>.Of(FailureCode.GivenUp);

    /// <summary>The codes of duplicates are those of their findings, which are named in another stage.</summary>
    private static readonly string?[] DuplicateCodes = ["duplicate_url", "already_imported", "repeated_reference_id", "new_address"];

    private const string LockImport =
        "SELECT 1 FROM importer.import WHERE id = $1 AND state IN ('running', 'paused', 'finished', 'cancelled') AND row_count IS NOT "
            + "NULL FOR NO KEY UPDATE";

    /// <param name="push">Their files are read and sent by us from now on, instead of being fetched by Cincopa: for sources that it cannot
    /// reach. Rows that are invalid only for this are included.</param>
    public Task<ImportChange> RunAsync(
        int importId, RecordFilter filter, bool push, string actor, CancellationToken cancellationToken) =>
        database.TransactionAsync<ImportChange>(async connection =>
    {
        if (await connection.QueryAsync<int>(LockImport, cancellationToken, importId) is [])
            return await ImportChange.RefusalAsync(
                connection, importId, "only an import that was started can rerun records", cancellationToken);

        var (rerun, left) = await transitions.PendingAgainAsync(connection, importId, filter, Named(filter), push, cancellationToken);
        if (rerun > 0)
        {
            await connection.ExecuteAsync(ImportTransitions.RunsAgain, cancellationToken, importId);
            var detail = $"{rerun} ({filter}){(push ? ", uploaded from this server" : "")}";
            await connection.NoteAsync(actor, "records_rerun", cancellationToken, detail, importId);
        }
        return new RerunDone(rerun, [.. left.OrderBy(l => l.Key).Select(l => new RefusedRecords(l.Key, l.Value, Reason(l.Key)))]);
    }, cancellationToken);

    /// <summary>Which of the states that are left alone otherwise the selection names.</summary>
    private static RecordState[] Named(RecordFilter filter)
    {
        if (filter.Arrival?.Differs() == true) return [RecordState.Imported];
        if (filter.RowNumbers is not null) return [RecordState.Unknown, RecordState.Duplicate, RecordState.Deleted];
        if (filter.State == RecordState.Unknown || filter.Code == GivenUp) return [RecordState.Unknown];
        if (filter.State == RecordState.Deleted) return [RecordState.Deleted];
        return filter.State == RecordState.Duplicate || DuplicateCodes.Contains(filter.Code) ? [RecordState.Duplicate] : [];
    }

    private static string Reason(RecordState state) => state switch
    {
        RecordState.Pending => "It will be sent anyway.",
        RecordState.Submitting => "It is being sent at this moment.",
        RecordState.Submitted => "Cincopa is importing it at this moment.",
        RecordState.Imported => "It is imported. Sending it again would make a second asset. What differs from what was expected is sent "
            + "again when arrival size_differs, duration_differs or md5_differs is selected, unless it is being finished or undone.",
        RecordState.Unknown =>
            "Cincopa may have it, so sending it again may make a second asset. Select state unknown or the "
                + "row itself to accept that.",
        RecordState.Invalid => "The row cannot be sent. Correct it first.",
        RecordState.Duplicate =>
            "Another row or an earlier import has the same source. Select state duplicate or the row itself to send it anyway. If "
                + "its stored address is masked, correct the row instead.",
        RecordState.Failed =>
            "It was given up while in doubt, so sending it again may make a second asset. Select code given_up or the row itself to "
                + "accept that.",
        RecordState.Deleted => "An undo has deleted its asset. Select state deleted or the row itself to send it again.",
        RecordState.Cancelled => throw new UnreachableException("Cancelled records are always rerun."),
    };
}

public static class RerunSetup
{
    public static IServiceCollection AddRerun(this IServiceCollection services) =>
        services.AddSingleton<RerunRecords>().AddSingleton<GiveUpRecords>();
}
