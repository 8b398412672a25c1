using Cincopa.Simulator.Faults;
using Cincopa.Simulator.Remote;

namespace Cincopa.Simulator.Endpoints;

/// <summary>The gallery calls (contract 2.10).</summary>
internal static class GalleryEndpoints
{
    public static Result Create(Call call)
    {
        var fid = call.Library.CreateGallery(call.Query["name"] ?? "", call.Query["description"] ?? "").Fid;
        return call.Ok(("fid", fid), ("upload_url", PushEndpoint.UploadUrl(call.Context.Request, fid)));
    }

    public static Result List(Call call)
    {
        var search = call.Query["search"] ?? "";
        var exact = search.StartsWith("caption=", StringComparison.Ordinal) ? search[8..] : null;
        // Those with each of these tags, and without each that has a hyphen before it (3P).
        var tags = Words(call.Query["filter_tags"]);
        var all = call.Library.Galleries();
        var fitting = all
            .Where(g => exact is null ? g.Name.Contains(search, StringComparison.OrdinalIgnoreCase) : g.Name == exact)
            .Where(g => Array.TrueForAll(tags, tag => tag[0] == '-' ? !Has(g, tag[1..]) : Has(g, tag)))
            .ToList();
        var page = call.Page();
        return call.Ok(
            ("workspace", "simulator"),
            ("galleries", fitting.Skip(page.Skip).Take(page.Size).Select(gallery => new
            {
                fid = gallery.Fid,
                name = gallery.Name,
                description = gallery.Description,
                upload_url = PushEndpoint.UploadUrl(call.Context.Request, gallery.Fid),
                tags = gallery.Tags is [] ? "" : $",{string.Join(',', gallery.Tags)},",
                modified = gallery.Modified,
                syncstatus = "synced",
            })),
            ("tag_cloud", AssetEndpoints.TagCloud(all.SelectMany(gallery => gallery.Tags))),
            ("items_data", AssetEndpoints.ItemsData(call.Script.GalleryPageTotal, page, fitting.Count)));
    }

    public static Result Items(Call call) => On(call, gallery =>
    {
        var page = call.Page();
        var (assets, count) = call.Library.ListItems(gallery, call.ListedUpTo(), page.Skip, page.Size);
        return call.Ok(
            ("fid", gallery.Fid),
            ("upload_url", PushEndpoint.UploadUrl(call.Context.Request, gallery.Fid)),
            ("claimed", Assumptions.GalleryClaimed),
            ("spfid", gallery.Fid),
            ("folder", new
            {
                items = AssetEndpoints.Items(call, assets),
                items_data = AssetEndpoints.ItemsData(PageTotal.PagesCount, page, count),
            }));
    });

    public static Result AddItem(Call call) => Rearrange(call, (gallery, assets) =>
        gallery.Items.InsertRange(call.Query["insert_position"] == "top" ? 0 : gallery.Items.Count, assets));

    public static Result RemoveItem(Call call) => Rearrange(call, (_, assets) =>
    {
        if (call.Query["delete_asset"] == "yes")
            assets.ForEach(call.Library.Delete);
    });

    /// <summary>
    /// A field that is not sent stays (INF, as the names of the fields are: those of <c>gallery.create</c> and of the list).
    /// </summary>
    public static Result SetMeta(Call call) => On(call, gallery => Change(call, gallery, () =>
    {
        gallery.Name = call.Query["name"] ?? gallery.Name;
        gallery.Description = call.Query["description"] ?? gallery.Description;
        gallery.Tags = call.Query["tags"] is { } tags ? Words(tags) : gallery.Tags;
    }));

    /// <summary>
    /// Links a gallery to the one whose looks it takes: <c>master</c>, and <c>fid</c> (OWN). What the call means without <c>fid</c> is UNK,
    /// so it is refused.
    /// </summary>
    public static Result SetMaster(Call call) => On(call, gallery =>
        call.Library.FindGallery(call.Query["master"], call.Script.AnyGallery) is { } master && master != gallery
            ? Change(call, gallery, () => gallery.Master = master.Fid)
            : call.Refuse(404, Assumptions.UnknownGalleryMessage));

    /// <summary>
    /// One that is not there is refused, also where any gallery is taken as existing: nothing is to be made by a deletion.
    /// </summary>
    public static Result Delete(Call call)
    {
        if (call.Library.FindGallery(call.Query["fid"], create: false) is not { } gallery)
            return call.Refuse(404, Assumptions.UnknownGalleryMessage);
        call.Library.Delete(gallery, assets: call.Query["delete_assets"] == "yes");
        return call.Ok();
    }

    private static bool Has(Gallery gallery, string tag) => gallery.Tags.Contains(tag, StringComparer.OrdinalIgnoreCase);

    private static string[] Words(string? commaList) =>
        (commaList ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static Result On(Call call, Func<Gallery, Result> answer) =>
        call.Library.FindGallery(call.Query["fid"], call.Script.AnyGallery) is { } gallery
            ? answer(gallery) : call.Refuse(404, Assumptions.UnknownGalleryMessage);

    /// <summary>
    /// Takes the assets of the comma list in <c>rid</c> out of the gallery, for something else; refused when one of them does not exist.
    /// </summary>
    private static Result Rearrange(Call call, Action<Gallery, List<Asset>> change) => On(call, gallery =>
    {
        var rids = (call.Query["rid"] ?? "").Split(',');
        var assets = rids.Select(call.Library.FindAsset).OfType<Asset>().ToList();
        return assets.Count < rids.Length ? call.Refuse(404, Assumptions.UnknownAssetMessage) : Change(call, gallery, () =>
        {
            assets.ForEach(asset => gallery.Items.Remove(asset));
            change(gallery, assets);
        });
    });

    private static Result Change(Call call, Gallery gallery, Action change)
    {
        call.Library.Change(gallery, change);
        return call.Ok();
    }
}
