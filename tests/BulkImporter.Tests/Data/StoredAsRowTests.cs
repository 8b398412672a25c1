using BulkImporter.Data;
using BulkImporter.Records;
using Cincopa.Client;

namespace BulkImporter.Tests.Data;

/// <summary>The composites of the schema and the records that are their rows.</summary>
public sealed class StoredAsRowTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_record_has_the_members_of_its_composite_and_there_is_no_other_composite()
    {
        var stored = await database.Source.QueryAsync<Attributes>("""
            SELECT 'importer.' || t.typname AS name, string_agg(a.attname, ' ' ORDER BY a.attnum) AS members
            FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace AND n.nspname = 'importer'
            JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c' JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
            GROUP BY 1 ORDER BY 1
            """, Token);
        Assert.Equal(
            StoredAsRowAttribute.All.OrderBy(r => r.Name, StringComparer.Ordinal)
                .Select(r =>
                    $"{r.Name}: {string.Join(' ', r.Type.GetConstructors().Single().GetParameters().Select(p => SnakeCase(p.Name!)))}"),
            stored.Select(s => $"{s.Name}: {s.Members}"));
    }

    [Fact]
    public async Task A_database_that_was_restored_under_a_running_program_takes_its_answers_all_the_same()
    {
        var lease = await database.LeaseAsync(await database.ImportAsync(rows: 2));
        var intents = await database.Transitions.SubmittingAsync(lease, [1, 2], Token);
        await database.AnswerAsync(lease, EngineDatabase.Accepted(intents[0]));
        var statements = await database.OneAsync<string>("""
            SELECT string_agg(format('DROP TYPE importer.%I; CREATE TYPE importer.%I AS (%s);', typname, typname, members), ' ') FROM (
                SELECT t.typname, string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', '
                    ORDER BY a.attnum) AS members
                FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace AND n.nspname = 'importer'
                JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c' JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
                GROUP BY 1) composite
            """);
        await database.SqlAsync(statements);

        await database.AnswerAsync(lease, EngineDatabase.Accepted(intents[1]));
        Assert.Equal("submitted 2", await database.SoundCountsAsync(lease.ImportId));
        Assert.Equal(2, await database.Transitions.ConcludedAsync(
            [.. intents.Select(i => new Conclusion(
                lease.ImportId, i.RowNumber, new StatusId(EngineDatabase.StatusIdOf(i)), RecordState.Imported, new Rid($"r{i.RowNumber}"),
                null, null, null))], Token));
    }

    private static string SnakeCase(string name) =>
        string.Concat(name.Select((c, n) => char.IsUpper(c) ? $"{(n == 0 ? "" : "_")}{char.ToLowerInvariant(c)}" : $"{c}"));

    private sealed record Attributes(string Name, string Members);
}
