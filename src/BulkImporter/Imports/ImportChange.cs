namespace BulkImporter.Imports;

/// <summary>
/// What became of an order about an import: <see cref="NotFound"/>, <see cref="Refused"/>, or what was done, for which an order that has
/// more to tell than the state has a record of its own.
/// </summary>
public abstract record ImportChange
{
    /// <summary>It is done, and the import is now in this state.</summary>
    public sealed record Done(ImportState State) : ImportChange;

    public sealed record NotFound(int ImportId) : ImportChange;

    /// <summary>The import's state does not allow it; nothing has changed.</summary>
    /// <param name="Sentence">For people: which state it is in, and what the order needs.</param>
    public sealed record Refused(ImportState State, string Sentence) : ImportChange;

    /// <summary>
    /// Runs a guarded statement that answers the new state of the import, or no row when the guard held it back. $1 is the import.
    /// </summary>
    /// <param name="needs">Ends the sentence of a refusal: "only an import in review can be started".</param>
    internal static async Task<ImportChange> RunAsync(
        NpgsqlConnection connection, string sql, int importId, string needs, CancellationToken cancellationToken, params object?[] more)
    {
        var states = await connection.QueryAsync<ImportState>(sql, cancellationToken, [importId, .. more]);
        return states is [var state] ? new Done(state) : await RefusalAsync(connection, importId, needs, cancellationToken);
    }

    internal static async Task<ImportChange> RefusalAsync(
        NpgsqlConnection connection, int importId, string needs, CancellationToken cancellationToken)
    {
        var states = await connection.QueryAsync<ImportState>("SELECT state FROM importer.import WHERE id = $1",
            cancellationToken, importId);
        return states is [var state] ? RefusalOf(importId, state, needs) : new NotFound(importId);
    }

    internal static Refused RefusalOf(int importId, ImportState state, string needs) =>
        new(state, $"Import {importId} is {Word(state)}; {needs}.");

    private static string Word(ImportState state) => state switch
    {
        ImportState.Parsing => "still being parsed",
        ImportState.Review => "in review",
        ImportState.Running => "running",
        ImportState.Paused => "paused",
        ImportState.Finished => "finished",
        ImportState.Cancelled => "cancelled",
        ImportState.Rejected => "rejected",
        ImportState.Deleting => "being deleted",
    };
}
