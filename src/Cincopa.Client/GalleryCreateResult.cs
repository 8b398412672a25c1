namespace Cincopa.Client;

/// <summary>
/// The answer to <see cref="ICincopaClient.CreateGalleryAsync"/>. Not idempotent: two calls with one name make two galleries (INF).
/// </summary>
public abstract record GalleryCreateResult
{
    private GalleryCreateResult() { }

    public sealed record Created(Fid Fid) : GalleryCreateResult;

    /// <summary>Refused, or nobody knows whether it was made: look into the list before creating it again.</summary>
    public sealed record Failed(RemoteError Error) : GalleryCreateResult, IFailure;
}
