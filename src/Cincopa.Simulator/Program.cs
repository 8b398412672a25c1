namespace Cincopa.Simulator;

/// <summary>
/// Runs the simulator until it is told to stop. Not a top-level program, so that its <c>Program</c> stays out of the way of the product's.
/// </summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        if (!CommandLine.TryRead(args, Environment.GetEnvironmentVariable, out var options, out var complaint))
        {
            await Console.Error.WriteLineAsync(complaint);
            await Console.Error.WriteLineAsync(CommandLine.Usage);
            return 2;
        }

        await using var host = await SimulatorHost.StartAsync(options);
        Console.WriteLine($"Cincopa simulator: API at {host.BaseAddress}, control at {new Uri(host.BaseAddress, "/_sim/ledger/summary")}");
        await host.WaitForShutdownAsync();
        return 0;
    }
}
