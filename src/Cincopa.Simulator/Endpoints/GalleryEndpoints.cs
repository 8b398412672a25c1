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
        var fitting = call.Library.Galleries()
            .Where(g => exact is null ? g.Name.Contains(search, StringComparison.OrdinalIgnoreCase) : g.Name == exact)
            .ToList();
        var page = call.Page();
        return Result.Ok(Reply.Success((call, fitting, page), static (json, state) =>
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
                json.WriteString("tags"u8, ""u8);
                json.WriteString("modified"u8, gallery.Modified);
                json.WriteString("syncstatus"u8, "synced"u8);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            AssetEndpoints.WriteItemsData(json, AssetEndpoints.NameOf(state.call.Script.GalleryPageTotal), state.page, state.fitting.Count);
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
            json.WriteStartObject("folder"u8);
            AssetEndpoints.WriteItems(json, state.call, state.assets);
            AssetEndpoints.WriteItemsData(json, "pages_count", state.page, state.count);
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
