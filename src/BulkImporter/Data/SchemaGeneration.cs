namespace BulkImporter.Data;

/// <summary>
/// Whether this program can work on a database that a newer one has migrated. Most migrations add, and leave older programs working: they
/// change nothing here, so that old and new workers run side by side while they are exchanged. A migration that breaks older programs
/// raises what <c>importer.oldest_program()</c> answers, and <see cref="OfThisProgram"/> with it.
/// </summary>
public static class SchemaGeneration
{
    /// <summary>The newest generation that this program was made for.</summary>
    public const int OfThisProgram = 1;

    /// <summary>The least generation that a program must know to work on this database.</summary>
    public static async Task<int> OldestProgramAsync(NpgsqlDataSource database, CancellationToken cancellationToken) =>
        (await database.QueryAsync<int>("SELECT importer.oldest_program()", cancellationToken))[0];
}
