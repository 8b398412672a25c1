namespace Cincopa.Simulator;

/// <summary>
/// What a call asked for; <see cref="Endpoints.ApiEndpoint"/> has the paths. In JSON in snake case: <c>submit</c>, <c>set_meta</c>, …
/// </summary>
public enum Operation
{
    /// <summary>No call of the API: an unknown path.</summary>
    Unknown,
    Ping,
    Submit,
    Status,
    Abort,
    List,
    SetMeta,
    Delete,
    GetUploadUrl,
    GetTags,
    Resync,
    /// <summary>A chunk, or a whole file, posted to an upload URL.</summary>
    Push,
    GalleryCreate,
    GalleryList,
    GalleryItems,
    GalleryAddItem,
    GalleryRemoveItem,
    GallerySetMeta,
    GallerySetMaster,
    GalleryDelete,
    WebhookSet,
    WebhookList,
    WebhookDelete,
    TokenGetTemp,
    TokenList,
    TokenCreate,
    AccountListSub,
    AccountAddSub,
    /// <summary>A TCP connection; only fault rules and the ledger know it.</summary>
    Connection,
}
