using BulkImporter.Access;
using BulkImporter.Data;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace BulkImporter.Tests;

internal static class TestContexts
{
    /// <summary>Contexts as the product makes them.</summary>
    public static IDbContextFactory<ImporterDb> Contexts(this NpgsqlDataSource source) =>
        new Contexts(source, [new KeepAudit(TimeProvider.System)]);
}
