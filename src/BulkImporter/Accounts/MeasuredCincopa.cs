using BulkImporter.Data;
using BulkImporter.Telemetry;
using Cincopa.Client;

namespace BulkImporter.Accounts;

/// <summary>
/// Times every call to Cincopa and names its outcome, whoever makes it. Neither the address nor what was sent or answered goes into a
/// measure or a trace: the token is in every address.
/// </summary>
internal sealed class MeasuredCincopa(ICincopaClient client, TimeProvider clock) : ICincopaClient, IDisposable
{
    private const string None = "none";

    public Task<PingResult> PingAsync(CincopaAccess access, CancellationToken cancellationToken) =>
        MeasureAsync("ping", () => client.PingAsync(access, cancellationToken), r => r switch
        {
            PingResult.Failed failed => ("failed", failed.Error),
            _ => ("ok", null),
        });

    public Task<SubmitResult> UploadFromUrlAsync(CincopaAccess access, string input, Fid? fid, CancellationToken cancellationToken) =>
        MeasureAsync("submit", () => client.UploadFromUrlAsync(access, input, fid, cancellationToken), r => r switch
        {
            SubmitResult.Refused refused => ("refused", refused.Error),
            SubmitResult.NeverSent unsent => ("never_sent", unsent.Error),
            SubmitResult.Unknown unknown => ("unknown", unknown.Error),
            _ => ("accepted", null),
        });

    public Task<StatusResult> GetUploadStatusAsync(CincopaAccess access, StatusId statusId, CancellationToken cancellationToken) =>
        MeasureAsync("status", () => client.GetUploadStatusAsync(access, statusId, cancellationToken), r => r switch
        {
            StatusResult.Done => ("done", null),
            StatusResult.DoneWithoutRid => ("done_without_rid", null),
            StatusResult.Failed failed => ("failed", failed.Error),
            StatusResult.NotFound missing => ("not_found", missing.Error),
            StatusResult.Unavailable unavailable => ("unavailable", unavailable.Error),
            _ => ("running", (RemoteError?)null),
        });

    public Task<AssetListResult> ListAssetsAsync(CincopaAccess access, AssetListQuery query, CancellationToken cancellationToken) =>
        MeasureAsync("list", () => client.ListAssetsAsync(access, query, cancellationToken), r => r switch
        {
            AssetListResult.Failed failed => ("failed", failed.Error),
            _ => ("ok", null),
        });

    public void Dispose() => (client as IDisposable)?.Dispose();

    private async Task<T> MeasureAsync<T>(string call, Func<Task<T>> make, Func<T, (string Outcome, RemoteError? Error)> judge)
    {
        using var span = Measures.Traces.StartActivity($"{Spans.Call} {call}", System.Diagnostics.ActivityKind.Client);
        var began = clock.GetTimestamp();
        var (outcome, error) = ("broke", None);
        Measures.CallBegan(call);
        try
        {
            var result = await make();
            var (word, remote) = judge(result);
            (outcome, error) = (word, remote is null ? None : EnumText<RemoteErrorKind>.Of(remote.Kind));
            return result;
        }
        catch (OperationCanceledException)
        {
            outcome = "cancelled";
            throw;
        }
        finally
        {
            Measures.CallEnded(call, outcome, error, clock.GetElapsedTime(began));
            span?.SetTag(Spans.Outcome, outcome).SetTag(Spans.Error, error);
        }
    }
}
