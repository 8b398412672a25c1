using System.Globalization;
using System.Text.Json;
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
        return Result.Ok(Reply.Success((call, assets, count, page), static (json, state) =>
        {
            WriteItems(json, state.call, state.assets);
            WriteItemsData(json, state.call.Script.PageTotal, state.page, state.count);
        }));

        string? Given(string name) => call.Query[name] is { Length: > 0 } value ? value : null;
    }

    public static Result SetMeta(Call call)
    {
        if (call.Library.FindAsset(call.Query["rid"]) is not { } asset)
            return call.Refuse(404, Assumptions.UnknownAssetMessage);

        // A field that is not sent stays; tags replace the earlier ones (INF).
        call.Library.SetMeta(asset, Asset.MetaFields.Where(field => call.Query[field] is not null)
            .Select(field => (field, call.Query[field]!)));
        return Result.Ok(Reply.Success(0, static (_, _) => { }));
    }

    public static Result Delete(Call call)
    {
        if (call.Library.FindAsset(call.Query["rid"]) is not { } asset)
            return call.Refuse(404, Assumptions.UnknownAssetMessage);
        call.Library.Delete(asset);
        return Result.Ok(Reply.Success(0, static (_, _) => { }));
    }

    /// <summary>Of every tag the number of its assets.</summary>
    public static Result Tags(Call call) =>
        Result.Ok(Reply.Success(call.Library.Assets().Where(a => !a.Deleted).Select(a => a.Tags), WriteAssetTags));

    /// <summary>Processes an asset again. What is here is always processed, so nothing changes (INF).</summary>
    public static Result Resync(Call call) =>
        call.Library.FindAsset(call.Query["rid"]) is null
            ? call.Refuse(404, Assumptions.UnknownAssetMessage) : Result.Ok(Reply.Success(0, static (_, _) => { }));

    /// <summary>How many of the things with these tags have which.</summary>
    public static void WriteTagCloud(Utf8JsonWriter json, IEnumerable<string> tags)
    {
        json.WriteStartObject("tag_cloud"u8);
        foreach (var (tag, count) in tags.CountBy(tag => tag, StringComparer.OrdinalIgnoreCase)
            .OrderBy(pair => pair.Key, StringComparer.Ordinal))
            json.WriteNumber(tag, count);
        json.WriteEndObject();
    }

    public static void WriteItems(Utf8JsonWriter json, Call call, IReadOnlyList<Asset> assets)
    {
        json.WriteStartArray("items"u8);
        foreach (var asset in assets)
            WriteItem(json, call, asset);
        json.WriteEndArray();
    }

    /// <summary>
    /// The page total has two names in the field: <c>page_count</c> on <c>gallery.list</c>, <c>pages_count</c> elsewhere (3P).
    /// </summary>
    public static void WriteItemsData(Utf8JsonWriter json, PageTotal total, PageRequest page, int count)
    {
        json.WriteStartObject("items_data"u8);
        json.WriteNumber("page"u8, page.Number);
        json.WriteNumber("items_per_page"u8, page.Size);
        json.WriteNumber("items_count"u8, count);
        if (total is PageTotal.PagesCount or PageTotal.Both)
            json.WriteNumber("pages_count"u8, page.PagesFor(count));
        if (total is PageTotal.PageCount or PageTotal.Both)
            json.WriteNumber("page_count"u8, page.PagesFor(count));
        json.WriteEndObject();
    }

    private static void WriteAssetTags(Utf8JsonWriter json, IEnumerable<string[]> assets) =>
        WriteTagCloud(json, assets.SelectMany(tags => tags is [] ? [Assumptions.NoTag] : tags.Append(Assumptions.AnyTag)));

    private static void WriteItem(Utf8JsonWriter json, Call call, Asset asset)
    {
        var media = $"{call.Context.Request.Scheme}://{call.Context.Request.Host}/media/{asset.Rid}";
        json.WriteStartObject();
        json.WriteString("id"u8, asset.Id);
        json.WriteString("rid"u8, asset.Rid);
        json.WriteString("type"u8, asset.Type);
        json.WriteString("filename"u8, asset.FileName);
        json.WriteString("caption"u8, asset["caption"]);
        json.WriteString("description"u8, asset["description"]);
        json.WriteString("long_description"u8, asset["long_description"]);
        json.WriteNumber("filesize"u8, asset.Size);
        json.WriteString("uploaded"u8, Time(asset.Uploaded));
        json.WriteString("modified"u8, Time(asset.Modified));
        json.WriteString("syncstatus"u8, "synced"u8);
        json.WriteString("storage"u8, asset.Size.ToString(CultureInfo.InvariantCulture));
        json.WriteString("claimed"u8, ""u8);
        json.WriteString("related_link_text"u8, asset["related_link_text"]);
        json.WriteString("related_link_url"u8, asset["related_link_url"]);
        json.WriteString("reference_id"u8, asset["reference_id"]);
        json.WriteString("tags"u8, asset.WireTags);
        json.WriteNull("attributes"u8);
        json.WriteString("uploaded_by"u8, $"{Assumptions.UserId},simulator");
        if (asset.Type is "video" or "audio")
        {
            json.WriteStartObject("exif"u8);
            json.WriteString("duration"u8, TimeSpan.FromSeconds(asset.Size / Assumptions.BytesPerSecond)
                .ToString("hh':'mm':'ss'.0'", CultureInfo.InvariantCulture));
            json.WriteEndObject();
        }

        // Under one roof here: on the live service these are addresses of its CDN, which do not follow from the rid either.
        var versions = asset.Type switch { "video" => Assumptions.VideoVersions, "image" => Assumptions.ImageVersions, _ => [] };
        WriteFile("thumbnail", $"{media}/thumbnail.jpg", "image/jpeg");
        WriteFile("content", versions is [var first, ..] ? AddressOf(first) : Original(), asset.Type
            switch
        { "video" => "video/mp4", "image" => "image/jpeg", "audio" => "audio/mpeg", _ => "application/octet-stream" });
        json.WriteStartObject("versions"u8);
        json.WriteStartObject("original"u8);
        json.WriteString("url"u8, Original());
        json.WriteString("filesize"u8, asset.Size.ToString(CultureInfo.InvariantCulture));
        json.WriteString("name"u8, asset.FileName);
        json.WriteEndObject();
        foreach (var version in versions)
        {
            json.WriteStartObject(version);
            json.WriteString("url"u8, AddressOf(version));
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();

        string Original() => $"{media}/{Uri.EscapeDataString(asset.FileName)}";

        string AddressOf(string version) => $"{media}/{version}{(version.StartsWith("mp4", StringComparison.Ordinal) ? ".mp4" : ".jpg")}";

        // url: OWN, on the thumbnail of a list. syncstatus, type and value: DOC, on an event (INF here).
        void WriteFile(string name, string url, string type)
        {
            json.WriteStartObject(name);
            json.WriteString("url"u8, url);
            json.WriteString("syncstatus"u8, "synced"u8);
            json.WriteString("type"u8, type);
            json.WriteString("value"u8, url);
            json.WriteEndObject();
        }
    }

    /// <summary>Whole seconds, as in the documented sample (DOC).</summary>
    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
