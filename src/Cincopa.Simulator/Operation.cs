namespace Cincopa.Simulator;

/// <summary>What a call asked for. In JSON in snake case: <c>submit</c>, <c>get_upload_url</c>, …</summary>
public enum Operation
{
    /// <summary>No call of the API: an unknown path.</summary>
    Unknown,
    /// <summary><c>ping.json</c></summary>
    Ping,
    /// <summary><c>asset.upload_from_url.json</c></summary>
    Submit,
    /// <summary><c>asset.upload_from_url_get_status.json</c></summary>
    Status,
    /// <summary><c>asset.upload_from_url_abort.json</c></summary>
    Abort,
    /// <summary><c>asset.list.json</c></summary>
    List,
    /// <summary><c>asset.set_meta.json</c></summary>
    SetMeta,
    /// <summary><c>asset.delete.json</c></summary>
    Delete,
    /// <summary><c>asset.get_upload_url.json</c></summary>
    GetUploadUrl,
    /// <summary><c>asset.get_tags.json</c></summary>
    GetTags,
    /// <summary><c>asset.resync.json</c></summary>
    Resync,
    /// <summary>A chunk, or a whole file, posted to an upload URL.</summary>
    Push,
    /// <summary><c>gallery.create.json</c></summary>
    GalleryCreate,
    /// <summary><c>gallery.list.json</c></summary>
    GalleryList,
    /// <summary><c>gallery.get_items.json</c></summary>
    GalleryItems,
    /// <summary><c>gallery.add_item.json</c></summary>
    GalleryAddItem,
    /// <summary><c>gallery.remove_item.json</c></summary>
    GalleryRemoveItem,
    /// <summary><c>gallery.set_meta.json</c></summary>
    GallerySetMeta,
    /// <summary><c>gallery.set_master.json</c></summary>
    GallerySetMaster,
    /// <summary><c>gallery.delete.json</c></summary>
    GalleryDelete,
    /// <summary><c>webhook.set.json</c></summary>
    WebhookSet,
    /// <summary><c>webhook.list.json</c></summary>
    WebhookList,
    /// <summary><c>webhook.delete.json</c></summary>
    WebhookDelete,
    /// <summary><c>token.get_temp.json</c></summary>
    TokenGetTemp,
    /// <summary><c>token.list.json</c></summary>
    TokenList,
    /// <summary><c>token.create.json</c></summary>
    TokenCreate,
    /// <summary><c>account.list_sub.json</c></summary>
    AccountListSub,
    /// <summary><c>account.add_sub.json</c></summary>
    AccountAddSub,
    /// <summary>A TCP connection; only fault rules and the ledger know it.</summary>
    Connection,
}
