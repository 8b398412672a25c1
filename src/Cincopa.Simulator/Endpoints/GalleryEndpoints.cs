using Cincopa.Simulator.Faults;
using Cincopa.Simulator.Remote;

namespace Cincopa.Simulator.Endpoints;

/// <summary>The gallery calls (contract 2.10).</summary>
internal static class GalleryEndpoints
{
    public static Result Create(Call call)
    {
        var gallery = call.Library.CreateGallery(call.Query["name"] ?? "", call.Query["description"] ?? "");
        return Result.Ok(Reply.Success((call, gallery), static (json, state) =>
        {
            json.WriteString("fid"u8, state.gallery.Fid);
            json.WriteString("upload_url"u8, PushEndpoint.UploadUrl(state.call.Context.Request, state.gallery.Fid));
        }));
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
        return Result.Ok(Reply.Success((call, all, fitting, page), static (json, state) =>
        {
            json.WriteString("workspace"u8, "simulator"u8);
            json.WriteStartArray("galleries"u8);
            foreach (var gallery in state.fitting.Skip(state.page.Skip).Take(state.page.Size))
            {
                json.WriteStartObject();
                json.WriteString("fid"u8, gallery.Fid);
                json.WriteString("name"u8, gallery.Name);
                json.WriteString("description"u8, gallery.Description);
                json.WriteString("upload_url"u8, PushEndpoint.UploadUrl(state.call.Context.Request, gallery.Fid));
                json.WriteString("tags"u8, gallery.Tags is [] ? "" : $",{string.Join(',', gallery.Tags)},");
                json.WriteString("modified"u8, gallery.Modified);
                json.WriteString("syncstatus"u8, "synced"u8);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            AssetEndpoints.WriteTagCloud(json, state.all.SelectMany(gallery => gallery.Tags));
            AssetEndpoints.WriteItemsData(json, state.call.Script.GalleryPageTotal, state.page, state.fitting.Count);
        }));
    }

    public static Result Items(Call call)
    {
        if (Find(call) is not { } gallery)
            return call.Refuse(404, Assumptions.UnknownGalleryMessage);
        var page = call.Page();
        var (assets, count) = call.Library.ListItems(gallery, call.ListedUpTo(), page.Skip, page.Size);
        return Result.Ok(Reply.Success((call, gallery, assets, count, page), static (json, state) =>
        {
            json.WriteString("fid"u8, state.gallery.Fid);
            json.WriteString("upload_url"u8, PushEndpoint.UploadUrl(state.call.Context.Request, state.gallery.Fid));
            json.WriteString("claimed"u8, Assumptions.GalleryClaimed);
            json.WriteString("spfid"u8, state.gallery.Fid);
            json.WriteStartObject("folder"u8);
            AssetEndpoints.WriteItems(json, state.call, state.assets);
            AssetEndpoints.WriteItemsData(json, PageTotal.PagesCount, state.page, state.count);
            json.WriteEndObject();
        }));
    }

    public static Result AddItem(Call call)
    {
        if (Find(call) is not { } gallery)
            return call.Refuse(404, Assumptions.UnknownGalleryMessage);
        if (Assets(call) is not { } assets)
            return call.Refuse(404, Assumptions.UnknownAssetMessage);
        call.Library.AddItems(gallery, assets, top: call.Query["insert_position"] == "top");
        return Result.Ok(Reply.Success(0, static (_, _) => { }));
    }

    public static Result RemoveItem(Call call)
    {
        if (Find(call) is not { } gallery)
            return call.Refuse(404, Assumptions.UnknownGalleryMessage);
        if (Assets(call) is not { } assets)
            return call.Refuse(404, Assumptions.UnknownAssetMessage);
        call.Library.RemoveItems(gallery, assets);
        if (call.Query["delete_asset"] == "yes")
        {
            foreach (var asset in assets)
                call.Library.Delete(asset);
        }

        return Result.Ok(Reply.Success(0, static (_, _) => { }));
    }

    /// <summary>
    /// A field that is not sent stays (INF, as the names of the fields are: those of <c>gallery.create</c> and of the list).
    /// </summary>
    public static Result SetMeta(Call call)
    {
        if (Find(call) is not { } gallery)
            return call.Refuse(404, Assumptions.UnknownGalleryMessage);
        call.Library.Change(gallery, changed =>
        {
            changed.Name = call.Query["name"] ?? changed.Name;
            changed.Description = call.Query["description"] ?? changed.Description;
            changed.Tags = call.Query["tags"] is { } tags ? Words(tags) : changed.Tags;
        });
        return Result.Ok(Reply.Success(0, static (_, _) => { }));
    }

    /// <summary>
    /// Links a gallery to the one whose looks it takes: <c>master</c>, and <c>fid</c> (OWN). What the call means without <c>fid</c> is UNK,
    /// so it is refused.
    /// </summary>
    public static Result SetMaster(Call call)
    {
        if (Find(call) is not { } gallery || call.Library.FindGallery(call.Query["master"], call.Script.AnyGallery) is not { } master
            || master == gallery)
            return call.Refuse(404, Assumptions.UnknownGalleryMessage);
        call.Library.Change(gallery, changed => changed.Master = master.Fid);
        return Result.Ok(Reply.Success(0, static (_, _) => { }));
    }

    /// <summary>
    /// One that is not there is refused, also where any gallery is taken as existing: nothing is to be made by a deletion.
    /// </summary>
    public static Result Delete(Call call)
    {
        if (call.Library.FindGallery(call.Query["fid"], create: false) is not { } gallery)
            return call.Refuse(404, Assumptions.UnknownGalleryMessage);
        call.Library.Delete(gallery, assets: call.Query["delete_assets"] == "yes");
        return Result.Ok(Reply.Success(0, static (_, _) => { }));
    }

    private static bool Has(Gallery gallery, string tag) => gallery.Tags.Contains(tag, StringComparer.OrdinalIgnoreCase);

    private static string[] Words(string? commaList) =>
        (commaList ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static Gallery? Find(Call call) => call.Library.FindGallery(call.Query["fid"], call.Script.AnyGallery);

    /// <summary>The assets of the comma list in <c>rid</c>; null when one of them does not exist.</summary>
    private static List<Asset>? Assets(Call call)
    {
        var assets = new List<Asset>();
        foreach (var rid in (call.Query["rid"] ?? "").Split(','))
        {
            if (call.Library.FindAsset(rid) is not { } asset)
                return null;
            assets.Add(asset);
        }

        return assets;
    }
}
