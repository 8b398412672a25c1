namespace Cincopa.Client;

/// <summary>
/// The calls of Cincopa's REST API V2 that move a library. Every expected answer, refusals and lost connections included, is a
/// value; each call is sent by us exactly as often as the method is called, except that the platform may repeat a read.
/// </summary>
public interface ICincopaClient
{
    /// <summary><c>ping.json</c>: is the token good, whose is it, and what may it do?</summary>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    Task<PingResult> PingAsync(CincopaAccess access, CancellationToken cancellationToken);

    /// <summary>
    /// <c>asset.upload_from_url.json</c>: asks Cincopa to fetch <paramref name="input"/>, into the gallery <paramref name="fid"/>
    /// when one is given. Not idempotent: every accepted call is taken to make a new asset (INF), so nothing here sends twice.
    /// </summary>
    /// <param name="input">The source URL; arrives as it is given, character for character.</param>
    /// <param name="fid">The gallery that the new asset is added to, or null.</param>
    /// <param name="mayLeave">Asked when the connection stands and before the first byte of the request leaves, so that a caller who paces
    /// its calls can wait for the time of this one behind the connecting, which takes as long as it likes. False: nothing is sent. Null: at
    /// once.</param>
    /// <param name="cancellationToken">Cancelling after the request began to leave gives <see cref="SubmitResult.Unknown"/>, not an
    /// exception: an import may exist.</param>
    /// <exception cref="OperationCanceledException">The caller cancelled or <paramref name="mayLeave"/> said no, and provably no byte of
    /// the request had left.</exception>
    Task<SubmitResult> UploadFromUrlAsync(
        CincopaAccess access, string input, Fid? fid, Func<CancellationToken, Task<bool>>? mayLeave, CancellationToken cancellationToken);

    /// <summary><c>asset.upload_from_url_get_status.json</c>: what became of an accepted submit? Harmless to repeat.</summary>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    Task<StatusResult> GetUploadStatusAsync(CincopaAccess access, StatusId statusId, CancellationToken cancellationToken);

    /// <summary><c>asset.upload_from_url_abort.json</c>: asks Cincopa to give an import up. Harmless to repeat (INF); what became of the
    /// import, only its status tells: the effect on a finished or unknown id is not known (UNK).</summary>
    /// <exception cref="OperationCanceledException">The caller cancelled, and provably no byte of the request had left.</exception>
    Task<AbortResult> AbortUploadAsync(CincopaAccess access, StatusId statusId, CancellationToken cancellationToken);

    /// <summary><c>gallery.list.json</c>: one page of the account's galleries. Harmless to repeat.</summary>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    Task<GalleryListResult> ListGalleriesAsync(CincopaAccess access, GalleryListQuery query, CancellationToken cancellationToken);

    /// <summary><c>asset.list.json</c>: one page of the account's assets. Harmless to repeat.</summary>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    Task<AssetListResult> ListAssetsAsync(CincopaAccess access, AssetListQuery query, CancellationToken cancellationToken);

    /// <summary><c>asset.set_meta.json</c>: writes the fields that are given. The same again is taken as harmless (INF).</summary>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    Task<ChangeResult> SetMetaAsync(CincopaAccess access, Rid rid, AssetMeta meta, CancellationToken cancellationToken);

    /// <summary>
    /// <c>asset.delete.json</c>: deletes an asset for good. The answer for one that is not there (any more) is not known (UNK), so an error
    /// says nothing about the asset: <see cref="ListAssetsAsync"/> with its rid, past the caches, does.
    /// </summary>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    Task<ChangeResult> DeleteAssetAsync(CincopaAccess access, Rid rid, CancellationToken cancellationToken);

    /// <summary><c>gallery.create.json</c>: makes a gallery of this name, whether there is one already or not (INF). Sent once.</summary>
    /// <exception cref="OperationCanceledException">The caller cancelled, and provably no byte of the request had left.</exception>
    Task<GalleryCreateResult> CreateGalleryAsync(CincopaAccess access, string name, CancellationToken cancellationToken);

    /// <summary><c>gallery.add_item.json</c>: puts assets into a gallery. The same again is taken as harmless (INF).</summary>
    /// <param name="rids">The assets, sent as a comma list (3P S11).</param>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    Task<ChangeResult> AddGalleryItemsAsync(CincopaAccess access, Fid fid,
        IReadOnlyCollection<Rid> rids, CancellationToken cancellationToken);

    /// <summary><c>gallery.get_items.json</c>: one page of a gallery's assets, past the caches.</summary>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    Task<AssetListResult> ListGalleryItemsAsync(CincopaAccess access, Fid fid, int page, int itemsPerPage,
        CancellationToken cancellationToken);

    /// <summary>
    /// <c>asset.get_upload_url.json</c>: where to push a file to, into the gallery <paramref name="fid"/> when one is given.
    /// </summary>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    Task<UploadUrlResult> GetUploadUrlAsync(CincopaAccess access, Fid? fid, CancellationToken cancellationToken);

    /// <summary>Posts one range of a file to its upload URL, as Cincopa's own uploader does (OWN S6 S9). Sent once.</summary>
    /// <param name="access">Whose token must not show in an error.</param>
    /// <param name="uploadUrl">From <see cref="GetUploadUrlAsync"/>.</param>
    /// <param name="range">Which bytes of which file.</param>
    /// <param name="write">Writes just the range's bytes. What it throws comes out of this call.</param>
    /// <param name="cancellationToken">Cancelling after the request began to leave gives <see cref="PushResult.Unknown"/>.</param>
    /// <exception cref="OperationCanceledException">The caller cancelled, and provably no byte of the request had left.</exception>
    Task<PushResult> PushRangeAsync(
        CincopaAccess access, UploadUrl uploadUrl, PushRange range,
        Func<Stream, CancellationToken, Task> write, CancellationToken cancellationToken);
}
