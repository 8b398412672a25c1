using System.Diagnostics;
using System.Text.Json;
using BulkImporter.Telemetry;
using Cincopa.Client;

namespace BulkImporter.Accounts;

/// <summary>
/// Times every call to Cincopa and names its outcome, whoever makes it. Neither the address nor what was sent or answered goes into a
/// measure or a trace: the token is in every address.
/// </summary>
internal sealed class MeasuredCincopa(ICincopaClient client, TimeProvider clock) : ICincopaClient, IDisposable
{
    public Task<PingResult> PingAsync(CincopaAccess access, CancellationToken cancellationToken) =>
        MeasureAsync("ping", _ => client.PingAsync(access, cancellationToken));

    // What the caller waits for before its call may leave is no part of the call's time.
    public Task<SubmitResult> UploadFromUrlAsync(
        CincopaAccess access, string input, Fid? fid, Func<CancellationToken, Task<bool>>? mayLeave, CancellationToken cancellationToken) =>
        MeasureAsync("submit", leaves => client.UploadFromUrlAsync(access, input, fid, async stopped =>
        {
            var may = mayLeave is null || await mayLeave(stopped);
            leaves();
            return may;
        }, cancellationToken));

    public Task<StatusResult> GetUploadStatusAsync(CincopaAccess access, StatusId statusId, CancellationToken cancellationToken) =>
        MeasureAsync("status", _ => client.GetUploadStatusAsync(access, statusId, cancellationToken));

    public Task<AssetListResult> ListAssetsAsync(CincopaAccess access, AssetListQuery query, CancellationToken cancellationToken) =>
        MeasureAsync("list", _ => client.ListAssetsAsync(access, query, cancellationToken));

    public Task<AbortResult> AbortUploadAsync(CincopaAccess access, StatusId statusId, CancellationToken cancellationToken) =>
        MeasureAsync("abort", _ => client.AbortUploadAsync(access, statusId, cancellationToken));

    public Task<GalleryListResult> ListGalleriesAsync(CincopaAccess access, GalleryListQuery query, CancellationToken cancellationToken) =>
        MeasureAsync("gallery_list", _ => client.ListGalleriesAsync(access, query, cancellationToken));

    public Task<AssetListResult> ListGalleryItemsAsync(
        CincopaAccess access, Fid fid, int page, int itemsPerPage, CancellationToken cancellationToken) =>
        MeasureAsync("gallery_items", _ => client.ListGalleryItemsAsync(access, fid, page, itemsPerPage, cancellationToken));

    public Task<GalleryCreateResult> CreateGalleryAsync(CincopaAccess access, string name, CancellationToken cancellationToken) =>
        MeasureAsync("gallery_create", _ => client.CreateGalleryAsync(access, name, cancellationToken));

    public Task<ChangeResult> AddGalleryItemsAsync(
        CincopaAccess access, Fid fid, IReadOnlyCollection<Rid> rids, CancellationToken cancellationToken) =>
        MeasureAsync("gallery_add_item", _ => client.AddGalleryItemsAsync(access, fid, rids, cancellationToken));

    public Task<ChangeResult> SetMetaAsync(CincopaAccess access, Rid rid, AssetMeta meta, CancellationToken cancellationToken) =>
        MeasureAsync("set_meta", _ => client.SetMetaAsync(access, rid, meta, cancellationToken));

    public Task<ChangeResult> DeleteAssetAsync(CincopaAccess access, Rid rid, CancellationToken cancellationToken) =>
        MeasureAsync("delete", _ => client.DeleteAssetAsync(access, rid, cancellationToken));

    public Task<UploadUrlResult> GetUploadUrlAsync(CincopaAccess access, Fid? fid, CancellationToken cancellationToken) =>
        MeasureAsync("upload_url", _ => client.GetUploadUrlAsync(access, fid, cancellationToken));

    public Task<PushResult> PushRangeAsync(
        CincopaAccess access, UploadUrl uploadUrl, PushRange range,
        Func<Stream, CancellationToken, Task> write, CancellationToken cancellationToken) =>
        MeasureAsync("push_range", _ => client.PushRangeAsync(access, uploadUrl, range, write, cancellationToken));

    public void Dispose() => (client as IDisposable)?.Dispose();

    /// <param name="make">Makes the call; what it is given starts the clock anew.</param>
    private async Task<T> MeasureAsync<T>(string call, Func<Action, Task<T>> make) where T : class
    {
        using var span = Measures.Traces.StartActivity($"{Spans.Call} {call}", ActivityKind.Client);
        var began = clock.GetTimestamp();
        var (outcome, error) = ("broke", "none");
        Measures.CallBegan(call);
        try
        {
            var result = await make(() => began = clock.GetTimestamp());
            outcome = result is AbortResult.Agreed or GalleryCreateResult.Created
                ? "ok" : JsonNamingPolicy.SnakeCaseLower.ConvertName(result.GetType().Name);
            if (result is IFailure failed) error = EnumText<RemoteErrorKind>.Of(failed.Error.Kind);
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
