namespace BulkImporter.Records;

/// <summary>
/// How this process signs the leases and attempts that it takes: host, process id and a piece of chance, for people and for fencing alike.
/// </summary>
public sealed record WorkerIdentity(string Name)
{
    public static WorkerIdentity OfThisProcess() =>
        new($"{Environment.MachineName}:{Environment.ProcessId}:{Guid.NewGuid().ToString("N")[..6]}");
}
