namespace BulkImporter.Imports;

/// <summary>A chunk's range of rows and their states, and the import that it belongs to.</summary>
public sealed record ChunkView(
    int ImportId, string ImportName, ImportState ImportState, int Number, int FirstRow, int LastRow, StateCounts Counts);

public sealed class ReadChunks(IDbContextFactory<ImporterDb> contexts)
{
    public Task<ChunkView?> FindAsync(int importId, int number, CancellationToken cancellationToken) => contexts.ReadAsync(db => (
        from c in db.Set<Chunk>()
        join i in db.Set<Import>() on c.ImportId equals i.Id
        where c.ImportId == importId && c.Number == number
        select new ChunkView(i.Id, i.Name, i.State, c.Number, c.FirstRow, c.LastRow, new StateCounts(
            c.PendingCount, c.SubmittingCount, c.SubmittedCount, c.ImportedCount, c.FailedCount, c.UnknownCount, c.CancelledCount,
            c.InvalidCount, c.DuplicateCount, c.DeletedCount))).SingleOrDefaultAsync(cancellationToken));
}
