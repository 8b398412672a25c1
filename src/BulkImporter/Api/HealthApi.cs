using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Api;

/// <summary>Probes, open to everyone: they tell nothing but yes or no.</summary>
internal static class HealthApi
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public static void MapHealth(this IEndpointRouteBuilder endpoints)
    {
        var health = endpoints.MapGroup("/health").AllowAnonymous().ExcludeFromDescription();
        health.MapGet("/live", () => Results.Text("alive"));
        health.MapGet("/ready", ReadyAsync);
    }

    /// <summary>Ready when the database answers and has the schema.</summary>
    private static async Task<IResult> ReadyAsync(NpgsqlDataSource database, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            await database.QueryAsync("SELECT 1 FROM importer.import LIMIT 1", r => r.GetInt32(0), either.Token);
            return Results.Text("ready");
        }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return Results.Text("the database does not answer", statusCode: StatusCodes.Status503ServiceUnavailable);
        }
    }
}
