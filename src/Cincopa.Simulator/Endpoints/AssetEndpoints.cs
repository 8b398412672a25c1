using System.Globalization;
using Cincopa.Simulator.Faults;
using Cincopa.Simulator.Remote;

namespace Cincopa.Simulator.Endpoints;

/// <summary>The calls on assets: listed, described, counted by tag, processed again, deleted (contract 2.7 to 2.9).</summary>
internal static class AssetEndpoints
{
    public static Result List(Call call)
    {
        var query = new AssetQuery
        {
            Search = Given("search"),
            Rid = Given("rid"),
            ReferenceId = Given("reference_id"),
            Tag = Given("tag"),
            Types = Given("type"),
        };
        var page = call.Page();
        var (assets, count) = call.Library.List(query, call.ListedUpTo(), call.Script.ListOrder, page.Skip, page.Size);
        return call.Ok(("items", Items(call, assets)), ("items_data", ItemsData(call.Script.PageTotal, page, count)));

        string? Given(string name) => call.Query[name] is { Length: > 0 } value ? value : null;
    }

    /// <summary>A field that is not sent stays; tags replace the earlier ones (INF).</summary>
    public static Result SetMeta(Call call) => On(call, asset => call.Library.SetMeta(
        asset, Asset.MetaFields.Where(field => call.Query[field] is not null).Select(field => (field, call.Query[field]!))));

    public static Result Delete(Call call) => On(call, call.Library.Delete);

    /// <summary>Of every tag the number of its assets.</summary>
    public static Result Tags(Call call) => call.Ok(("tag_cloud", TagCloud(call.Library.Assets().Where(a => !a.Deleted)
        .SelectMany(a => a.Tags is [] ? [Assumptions.NoTag] : a.Tags.Append(Assumptions.AnyTag)))));

    /// <summary>Processes an asset again. What is here is always processed, so nothing changes (INF).</summary>
    public static Result Resync(Call call) => On(call, _ => { });

    /// <summary>How many of the things with these tags have which.</summary>
    public static Dictionary<string, int> TagCloud(IEnumerable<string> tags) =>
        tags.CountBy(tag => tag, StringComparer.OrdinalIgnoreCase).OrderBy(pair => pair.Key, StringComparer.Ordinal).ToDictionary();

    public static IEnumerable<Dictionary<string, object?>> Items(Call call, IReadOnlyList<Asset> assets) =>
        assets.Select(asset => Item(call, asset));

    /// <summary>
    /// The page total has two names in the field: <c>page_count</c> on <c>gallery.list</c>, <c>pages_count</c> elsewhere (3P).
    /// </summary>
    public static Dictionary<string, int> ItemsData(PageTotal total, PageRequest page, int count)
    {
        var data = new Dictionary<string, int> { ["page"] = page.Number, ["items_per_page"] = page.Size, ["items_count"] = count };
        if (total is PageTotal.PagesCount or PageTotal.Both)
            data["pages_count"] = page.PagesFor(count);
        if (total is PageTotal.PageCount or PageTotal.Both)
            data["page_count"] = page.PagesFor(count);
        return data;
    }

    private static Result On(Call call, Action<Asset> change)
    {
        if (call.Library.FindAsset(call.Query["rid"]) is not { } asset)
            return call.Refuse(404, Assumptions.UnknownAssetMessage);
        change(asset);
        return call.Ok();
    }

    private static Dictionary<string, object?> Item(Call call, Asset asset)
    {
        // Under one roof here: on the live service these are addresses of its CDN, which do not follow from the rid either.
        var media = $"{call.Context.Request.Scheme}://{call.Context.Request.Host}/media/{asset.Rid}";
        var original = $"{media}/{Uri.EscapeDataString(asset.FileName)}";
        var versions = asset.Type switch { "video" => Assumptions.VideoVersions, "image" => Assumptions.ImageVersions, _ => [] };
        var item = new Dictionary<string, object?>
        {
            ["id"] = asset.Id,
            ["rid"] = asset.Rid,
            ["type"] = asset.Type,
            ["filename"] = asset.FileName,
            ["caption"] = asset["caption"],
            ["description"] = asset["description"],
            ["long_description"] = asset["long_description"],
            ["filesize"] = asset.Size,
            ["uploaded"] = Time(asset.Uploaded),
            ["modified"] = Time(asset.Modified),
            ["syncstatus"] = "synced",
            ["storage"] = asset.Size.ToString(CultureInfo.InvariantCulture),
            ["claimed"] = "",
            ["related_link_text"] = asset["related_link_text"],
            ["related_link_url"] = asset["related_link_url"],
            ["reference_id"] = asset["reference_id"],
            ["tags"] = asset.WireTags,
            ["attributes"] = null,
            ["uploaded_by"] = $"{Assumptions.UserId},simulator",
        };
        if (asset.Type is "video" or "audio")
        {
            var length = TimeSpan.FromSeconds(asset.Size / Assumptions.BytesPerSecond);
            item["exif"] = new { duration = length.ToString("hh':'mm':'ss'.0'", CultureInfo.InvariantCulture) };
        }

        item["thumbnail"] = File($"{media}/thumbnail.jpg", "image/jpeg");
        item["content"] = File(versions is [var first, ..] ? AddressOf(first) : original, asset.Type switch
        {
            "video" => "video/mp4",
            "image" => "image/jpeg",
            "audio" => "audio/mpeg",
            _ => "application/octet-stream",
        });
        var files = new Dictionary<string, object>
        {
            ["original"] = new { url = original, filesize = asset.Size.ToString(CultureInfo.InvariantCulture), name = asset.FileName },
        };
        foreach (var version in versions)
            files[version] = new { url = AddressOf(version) };
        item["versions"] = files;
        return item;

        string AddressOf(string version) => $"{media}/{version}{(version.StartsWith("mp4", StringComparison.Ordinal) ? ".mp4" : ".jpg")}";

        // url: OWN, on the thumbnail of a list. syncstatus, type and value: DOC, on an event (INF here).
        static object File(string url, string type) => new { url, syncstatus = "synced", type, value = url };
    }

    /// <summary>Whole seconds, as in the documented sample (DOC).</summary>
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
