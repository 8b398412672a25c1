using Hangfire;
using Hangfire.Common;
using Hangfire.States;

namespace BulkImporter.Tests.Dispatch;

/// <summary>Hangfire's client, noting what was enqueued.</summary>
internal sealed class NotedJobs : IBackgroundJobClient
{
    private readonly List<(int, int)> chunks = [];

    public bool Fails { get; set; }

    public IReadOnlyList<(int ImportId, int Number)> Chunks
    {
        get { lock (chunks) return [.. chunks]; }
    }

    public string Create(Job job, IState state)
    {
        if (Fails) throw new InvalidOperationException("Hangfire's storage is not to be reached.");
        lock (chunks) chunks.Add(((int)job.Args[0], (int)job.Args[1]));
        return "1";
    }

    public bool ChangeState(string jobId, IState state, string expectedState) => throw new NotSupportedException();
}
