using BulkImporter.Telemetry;

namespace BulkImporter.Api;

/// <summary>Probes, open to everyone: they tell yes or no, and in a few words why.</summary>
internal static class HealthApi
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public static void MapHealth(this IEndpointRouteBuilder endpoints)
    {
        var health = endpoints.MapGroup("/health").AllowAnonymous().ExcludeFromDescription();
        health.MapGet("/live", () => Results.Text("alive"));
        health.MapGet("/ready", ReadyAsync);
    }

    /// <summary>
    /// Ready when the database answers and has a schema that this program can work on, and each loop of this process has had a round that
    /// worked within the last minute. Whatever else comes is no.
    /// </summary>
    private static async Task<IResult> ReadyAsync(
        NpgsqlDataSource database, LoopHealth loops, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            var oldest = await SchemaGeneration.OldestProgramAsync(database, either.Token);
            if (oldest > SchemaGeneration.OfThisProgram) return NotReady("the database needs a newer program");
            return loops.Failing is [_, ..] failing
                ? NotReady(
                    $"failing again and again, see the log: {string.Join(", ", failing.Select(f => $"{f.Name} ({f.Rounds} rounds)"))}")
                        : Results.Text("ready");
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            return NotReady("the database does not answer");
        }
    }

    private static IResult NotReady(string why) => Results.Text(why, statusCode: StatusCodes.Status503ServiceUnavailable);
}
