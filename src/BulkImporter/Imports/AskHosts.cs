using BulkImporter.Access;
using BulkImporter.Records;

namespace BulkImporter.Imports;

/// <summary>
/// Lets hosts for which an import waits be asked now. One file of each asks; when it works, the host waits no more.
/// </summary>
public sealed class AskHosts(NpgsqlDataSource database, FailingHosts hosts)
{
    /// <param name="importId">Whose account's hosts are asked.</param>
    /// <param name="host">The one that is asked; null or empty for all that wait.</param>
    public Task<ImportChange> RunAsync(int importId, string? host, string actor, CancellationToken cancellationToken) =>
        database.TransactionAsync<ImportChange>(async connection =>
    {
        var states = await connection.QueryAsync<ImportState>(
            "SELECT state FROM importer.import WHERE id = $1 FOR KEY SHARE", cancellationToken, importId);
        if (states is not [var state]) return new ImportChange.NotFound(importId);
        var asked = await hosts.AskNowAsync(connection, importId, string.IsNullOrEmpty(host) ? null : host, cancellationToken);
        if (asked.Count == 0)
        {
            return new ImportChange.Refused(state,
                string.IsNullOrEmpty(host) ? "No source host waits to be asked again."
                    : $"The host {host} does not wait to be asked again.");
        }
        await connection.NoteAsync(
            actor, "hosts_asked", cancellationToken, string.Join(", ", asked.Order(StringComparer.Ordinal)), importId);
        return new ImportChange.Done(state);
    }, cancellationToken);
}
