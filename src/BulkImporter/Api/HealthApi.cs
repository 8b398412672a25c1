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

    /// <summary>Ready when the database answers and has a schema that this program can work on. Whatever else comes is no.</summary>
    private static async Task<IResult> ReadyAsync(NpgsqlDataSource database, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            var oldest = await SchemaGeneration.OldestProgramAsync(database, either.Token);
            return oldest <= SchemaGeneration.OfThisProgram ? Results.Text("ready") : NotReady("the database needs a newer program");
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            return NotReady("the database does not answer");
        }
    }

    private static IResult NotReady(string why) => Results.Text(why, statusCode: StatusCodes.Status503ServiceUnavailable);
}
