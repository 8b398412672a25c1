using BulkImporter.Access;
using BulkImporter.Records;

namespace BulkImporter.Rerun;

/// <summary>
/// Leaves records in doubt as they are: they become failed with the code <c>given_up</c>, and no bulk rerun takes them unless it names
/// them. Nothing is sent and nothing is asked; a late answer that shows the asset is still noted on the attempt.
/// </summary>
public sealed class GiveUpRecords(NpgsqlDataSource database, RecordTransitions transitions)
{
    /// <summary>Returns how many records of the selection were in doubt and are failed now; the others are left alone.</summary>
    public Task<int> RunAsync(
        int importId, RecordFilter filter, string actor, CancellationToken cancellationToken) =>
        database.TransactionAsync(async connection =>
    {
        var givenUp = await transitions.GaveUpAsync(connection, importId, filter, $"Given up by {actor}.", cancellationToken);
        if (givenUp > 0) await connection.NoteAsync(actor, "records_given_up", cancellationToken, $"{givenUp} ({filter})", importId);
        return givenUp;
    }, cancellationToken);
}
