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

    // What the caller waits for before its call may leave is no part of the call's time.
    public Task<SubmitResult> UploadFromUrlAsync(
        CincopaAccess access, string input, Fid? fid, Func<CancellationToken, Task<bool>>? mayLeave, CancellationToken cancellationToken) =>
        MeasureAsync("submit", leaves => client.UploadFromUrlAsync(access, input, fid, async stopped =>
        {
            var may = mayLeave is null || await mayLeave(stopped);
            leaves();
            return may;
        }, cancellationToken), r => r switch
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

    public Task<AbortResult> AbortUploadAsync(CincopaAccess access, StatusId statusId, CancellationToken cancellationToken) =>
        MeasureAsync("abort", () => client.AbortUploadAsync(access, statusId, cancellationToken), r => r switch
        {
            AbortResult.Refused refused => ("refused", refused.Error),
            AbortResult.Unavailable unavailable => ("unavailable", unavailable.Error),
            _ => ("ok", null),
        });

    public Task<GalleryListResult> ListGalleriesAsync(CincopaAccess access, GalleryListQuery query, CancellationToken cancellationToken) =>
        MeasureAsync("gallery_list", () => client.ListGalleriesAsync(access, query, cancellationToken), r =>
            Judged((r as GalleryListResult.Failed)?.Error));

    public Task<AssetListResult> ListGalleryItemsAsync(
        CincopaAccess access, Fid fid, int page, int itemsPerPage, CancellationToken cancellationToken) =>
        MeasureAsync("gallery_items", () => client.ListGalleryItemsAsync(access, fid, page, itemsPerPage, cancellationToken), r =>
            Judged((r as AssetListResult.Failed)?.Error));

    public Task<GalleryCreateResult> CreateGalleryAsync(CincopaAccess access, string name, CancellationToken cancellationToken) =>
        MeasureAsync("gallery_create", () => client.CreateGalleryAsync(access, name, cancellationToken), r =>
            Judged((r as GalleryCreateResult.Failed)?.Error));

    public Task<ChangeResult> AddGalleryItemsAsync(
        CincopaAccess access, Fid fid, IReadOnlyCollection<Rid> rids, CancellationToken cancellationToken) =>
        MeasureAsync("gallery_add_item", () => client.AddGalleryItemsAsync(access, fid, rids, cancellationToken), r =>
            Judged((r as ChangeResult.Failed)?.Error));

    public Task<ChangeResult> SetMetaAsync(CincopaAccess access, Rid rid, AssetMeta meta, CancellationToken cancellationToken) =>
        MeasureAsync("set_meta", () => client.SetMetaAsync(access, rid, meta, cancellationToken), r =>
            Judged((r as ChangeResult.Failed)?.Error));

    public Task<ChangeResult> DeleteAssetAsync(CincopaAccess access, Rid rid, CancellationToken cancellationToken) =>
        MeasureAsync("delete", () => client.DeleteAssetAsync(access, rid, cancellationToken), r =>
            Judged((r as ChangeResult.Failed)?.Error));

    public Task<UploadUrlResult> GetUploadUrlAsync(CincopaAccess access, Fid? fid, CancellationToken cancellationToken) =>
        MeasureAsync("upload_url", () => client.GetUploadUrlAsync(access, fid, cancellationToken), r =>
            Judged((r as UploadUrlResult.Failed)?.Error));

    public Task<PushResult> PushRangeAsync(
        CincopaAccess access, UploadUrl uploadUrl, PushRange range,
        Func<Stream, CancellationToken, Task> write, CancellationToken cancellationToken) =>
        MeasureAsync("push_range", () => client.PushRangeAsync(access, uploadUrl, range, write, cancellationToken), r => r switch
        {
            PushResult.Stored => ("stored", null),
            PushResult.Refused refused => ("refused", refused.Error),
            PushResult.NeverSent unsent => ("never_sent", unsent.Error),
            PushResult.Unknown unknown => ("unknown", unknown.Error),
            _ => ("taken", (RemoteError?)null),
        });

    public void Dispose() => (client as IDisposable)?.Dispose();

    private static (string Outcome, RemoteError? Error) Judged(RemoteError? error) => error is null ? ("ok", null) : ("failed", error);

    private Task<T> MeasureAsync<T>(string call, Func<Task<T>> make, Func<T, (string Outcome, RemoteError? Error)> judge) =>
        MeasureAsync(call, _ => make(), judge);

    /// <param name="make">Makes the call; what it is given starts the clock anew.</param>
    private async Task<T> MeasureAsync<T>(string call, Func<Action, Task<T>> make, Func<T, (string Outcome, RemoteError? Error)> judge)
    {
        using var span = Measures.Traces.StartActivity($"{Spans.Call} {call}", System.Diagnostics.ActivityKind.Client);
        var began = clock.GetTimestamp();
        var (outcome, error) = ("broke", None);
        Measures.CallBegan(call);
        try
        {
            var result = await make(() => began = clock.GetTimestamp());
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
