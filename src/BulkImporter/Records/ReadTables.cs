namespace BulkImporter.Records;

// What lists of records read of tables that other rooms write. Entities without a key and not pieces of SQL: EF Core makes the text of a
// query with SQL of ours in it anew at each call, which takes it milliseconds. ToTable(null) is for the naming convention, which would
// give them a table beside the view.

/// <summary>What is read of a submitted record's row in <c>status_poll</c>, which the status stage writes.</summary>
/// <param name="MovedAt">When its progress last changed.</param>
internal sealed record FollowedRecord(
    int ImportId, int RowNumber, short? ProgressPercent, long? ProgressBytes, long? TotalBytes, DateTimeOffset MovedAt)
{
    public sealed class Configuration : IEntityTypeConfiguration<FollowedRecord>
    {
        public void Configure(EntityTypeBuilder<FollowedRecord> entity) => entity.HasNoKey().ToTable((string?)null).ToView("status_poll");
    }
}

/// <summary>What is read of an imported record's row in <c>record_finish</c>, which finishing writes.</summary>
internal sealed record FinishedRecord(
    int ImportId, int RowNumber, string State, short FailedCount, string? ErrorCode, string? ErrorMessage, DateTimeOffset NextAt)
{
    public sealed class Configuration : IEntityTypeConfiguration<FinishedRecord>
    {
        public void Configure(EntityTypeBuilder<FinishedRecord> entity) => entity.HasNoKey().ToTable((string?)null).ToView("record_finish");
    }
}

/// <summary>What is read of an imported record's row in <c>record_undo</c>, which the undo writes.</summary>
internal sealed record UndoneRecord(
    int ImportId, int RowNumber, string State, short FailedCount, string? ErrorCode, string? ErrorMessage, DateTimeOffset NextAt)
{
    public sealed class Configuration : IEntityTypeConfiguration<UndoneRecord>
    {
        public void Configure(EntityTypeBuilder<UndoneRecord> entity) => entity.HasNoKey().ToTable((string?)null).ToView("record_undo");
    }
}

/// <summary>The rows of a chunk, whose counters the imports keep.</summary>
internal sealed record ChunkRange(int ImportId, int Number, int FirstRow, int LastRow)
{
    /// <summary>Those that have a record in this state.</summary>
    public static IQueryable<ChunkRange> With(ImporterDb db, int importId, RecordState state)
    {
        var counter = Counter(state);
        return db.Set<ChunkRange>().Where(c => c.ImportId == importId && EF.Property<int>(c, counter) > 0);
    }

    private static string Counter(RecordState state) => $"{state}Count";

    public sealed class Configuration : IEntityTypeConfiguration<ChunkRange>
    {
        public void Configure(EntityTypeBuilder<ChunkRange> entity)
        {
            entity.HasNoKey().ToTable((string?)null).ToView("import_chunk");
            foreach (var state in Enum.GetValues<RecordState>()) entity.Property<int>(Counter(state));
        }
    }
}
