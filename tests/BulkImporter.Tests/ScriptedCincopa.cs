using Cincopa.Client;

namespace BulkImporter.Tests;

/// <summary>The remote API in the test's hand: each call is noted, and answered by what the test says.</summary>
internal sealed class ScriptedCincopa : ICincopaClient
{
    private readonly Lock gate = new();
    private readonly List<string> submitted = [];
    private readonly List<string> asked = [];
    private int inFlight;

    /// <summary>Answers a submit call. Accepts with a status_id of its own unless the test says otherwise.</summary>
    public Func<string, CancellationToken, Task<SubmitResult>> OnSubmit { get; set; } = (_, _) => Task.FromResult(Accepted());

    public Func<string, StatusResult> OnStatus { get; set; } = _ => new StatusResult.Running(null, null, null, null, null);

    public int MostInFlight { get; private set; }

    public IReadOnlyList<string> Submitted
    {
        get { lock (gate) return [.. submitted]; }
    }

    public IReadOnlyList<string> Asked
    {
        get { lock (gate) return [.. asked]; }
    }

    public static SubmitResult Accepted() => new SubmitResult.Accepted(new StatusId($"st-{Guid.NewGuid():N}"));

    public static RemoteError Error(RemoteErrorKind kind, TimeSpan? retryAfter = null) => new(kind, null, kind.ToString(), retryAfter);

    public async Task<SubmitResult> UploadFromUrlAsync(CincopaAccess access, string input, Fid? fid, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            submitted.Add(input);
            MostInFlight = Math.Max(MostInFlight, ++inFlight);
        }
        try
        {
            return await OnSubmit(input, cancellationToken);
        }
        finally
        {
            lock (gate) inFlight--;
        }
    }

    public Task<StatusResult> GetUploadStatusAsync(CincopaAccess access, StatusId statusId, CancellationToken cancellationToken)
    {
        lock (gate) asked.Add(statusId.Value);
        return Task.FromResult(OnStatus(statusId.Value));
    }

    public Task<PingResult> PingAsync(CincopaAccess access, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<AssetListResult> ListAssetsAsync(CincopaAccess access, AssetListQuery query, CancellationToken cancellationToken) => throw new NotSupportedException();
}
