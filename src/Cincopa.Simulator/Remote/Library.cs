using System.Globalization;
using System.Runtime.InteropServices;
using Cincopa.Simulator.Faults;

namespace Cincopa.Simulator.Remote;

/// <summary>What the remote account holds: imports under way, assets, galleries, files half pushed. One lock guards it all.</summary>
public sealed class Library
{
    private readonly TimeProvider clock;
    private readonly Lock gate = new();
    private OpaqueIds ids;
    private int life;
    private List<Import?> imports = [];
    private List<Asset?> assets = [];
    private List<Asset> byUpload = [];
    private PriorityQueue<Import, long> running = new();
    private Dictionary<string, int> acceptedByInput = new(StringComparer.Ordinal);
    private Dictionary<string, Gallery> galleries = new(StringComparer.Ordinal);
    private Dictionary<string, PushedFile> pushed = new(StringComparer.Ordinal);

    internal Library(TimeProvider clock)
    {
        this.clock = clock;
        ids = NewIds();
    }

    internal void Reset()
    {
        lock (gate)
        {
            ids = NewIds();
            imports = [];
            assets = [];
            byUpload = [];
            running = new();
            acceptedByInput = new(StringComparer.Ordinal);
            galleries = new(StringComparer.Ordinal);
            pushed = new(StringComparer.Ordinal);
        }
    }

    // Imports by URL.

    /// <summary>Every accepted submit makes a new import, whatever its URL (INF).</summary>
    internal Import Accept(string input, string? fid, int? attachTo, FaultDeck faults)
    {
        lock (gate)
        {
            // A few at every submit, so that the first listing after a long run does not have them all to do.
            TakeInFinished(most: 2);
            var ordinal = ++CollectionsMarshal.GetValueRefOrAddDefault(acceptedByInput, input, out _);
            var (plan, takes) = faults.PlanImport(input, ordinal);
            var now = clock.GetTimestamp();
            var import = new Import(imports.Count, input, fid, attachTo, now, takes, plan);
            imports.Add(import);
            assets.Add(null);
            if (plan is { FailureText: null } && attachTo is null && !string.IsNullOrEmpty(fid)
                && faults.Script.GalleryShows == GalleryShows.AtStart)
                import.ShownEarly = PutInGallery(AssetOf(import, clock.GetUtcNow()));
            if (plan is { FailureText: null, Stalls: false, NeverEnds: false } && attachTo is null)
                running.Enqueue(import, now + (long)(takes.TotalSeconds * clock.TimestampFrequency));
            return import;
        }
    }

    internal Import? FindImport(string? statusId)
    {
        lock (gate)
        {
            var number = ids.ReadStatusId(statusId);
            return number >= 0 && number < imports.Count ? imports[number] : null;
        }
    }

    internal string StatusIdOf(int number) => ids.StatusId(number);

    internal string RidOf(Import import) => ids.Rid(import.AttachTo ?? import.Number);

    /// <summary>Stops an import that still runs; one that ended stays as it is (INF).</summary>
    internal void Abort(Import import)
    {
        lock (gate)
        {
            var done = import.DoneAfter(clock.GetElapsedTime(import.StartedAt));
            if (done >= 1)
                return;
            import.AbortedAt = done;
            if (import.ShownEarly is { } asset)
                galleries[asset.Fid!].Items.Remove(asset);
        }
    }

    // Assets.

    /// <summary>All assets, the oldest first, deleted ones too.</summary>
    public IReadOnlyList<Asset> Assets()
    {
        lock (gate)
        {
            TakeInFinished();
            return byUpload.ToArray();
        }
    }

    /// <summary>The asset of a rid or a numeric id; null when there is none (yet).</summary>
    internal Asset? FindAsset(string? ridOrId)
    {
        lock (gate)
        {
            TakeInFinished();
            var number = ids.ReadRid(ridOrId);
            if ((number < 0 || number >= assets.Count) && int.TryParse(ridOrId, CultureInfo.InvariantCulture, out var id))
                number = id - Assumptions.FirstAssetId;
            return number >= 0 && number < assets.Count && assets[number] is { Deleted: false } asset ? asset : null;
        }
    }

    /// <summary>One page of the assets that fit, and how many fit in all.</summary>
    internal (IReadOnlyList<Asset> Page, int Count) List(AssetQuery query, DateTimeOffset uploadedBy, ListOrder order, int skip, int take)
    {
        lock (gate)
        {
            TakeInFinished();
            return PageOf(order == ListOrder.OldestFirst ? byUpload : Newest(), query, uploadedBy, skip, take);
        }

        IEnumerable<Asset> Newest()
        {
            for (var i = byUpload.Count - 1; i >= 0; i--)
                yield return byUpload[i];
        }
    }

    internal void SetMeta(Asset asset, IEnumerable<(string Field, string Value)> changes)
    {
        lock (gate)
        {
            foreach (var (field, value) in changes)
                asset[field] = value;
            asset.Modified = clock.GetUtcNow();
        }
    }

    internal void Delete(Asset asset)
    {
        lock (gate)
        {
            asset.Deleted = true;
            foreach (var gallery in galleries.Values)
                gallery.Items.Remove(asset);
        }
    }

    // Galleries.

    internal Gallery CreateGallery(string name, string description)
    {
        lock (gate)
        {
            var fid = ids.Fid(galleries.Count);
            return galleries[fid] = new Gallery(fid, name, description, clock.GetUtcNow());
        }
    }

    /// <summary>The gallery of that id; with <paramref name="create"/> it comes into being when it is first named.</summary>
    internal Gallery? FindGallery(string? fid, bool create)
    {
        if (string.IsNullOrEmpty(fid))
            return null;
        lock (gate)
        {
            TakeInFinished();
            if (galleries.TryGetValue(fid, out var gallery) || !create)
                return gallery;
            return galleries[fid] = new Gallery(fid, fid, "", clock.GetUtcNow());
        }
    }

    internal void Change(Gallery gallery, Action change)
    {
        lock (gate)
        {
            change();
            gallery.Modified = clock.GetUtcNow();
        }
    }

    /// <summary>Removes a gallery; with <paramref name="assets"/> what is in it too.</summary>
    internal void Delete(Gallery gallery, bool assets)
    {
        lock (gate)
        {
            galleries.Remove(gallery.Fid);
            foreach (var asset in assets ? gallery.Items.ToArray() : [])
                Delete(asset);
        }
    }

    internal IReadOnlyList<Gallery> Galleries()
    {
        lock (gate)
            return galleries.Values.ToArray();
    }

    internal (IReadOnlyList<Asset> Page, int Count) ListItems(Gallery gallery, DateTimeOffset uploadedBy, int skip, int take)
    {
        lock (gate)
            return PageOf(gallery.Items, new AssetQuery(), uploadedBy, skip, take);
    }

    // Files by push.

    /// <summary>The file under that key. With <paramref name="anew"/> a finished one gives way to a new one.</summary>
    internal PushedFile OpenPush(string key, bool anew)
    {
        lock (gate)
            return pushed.TryGetValue(key, out var file) && !(anew && file.Asset is not null) ? file : pushed[key] = new PushedFile();
    }

    internal Asset FinishPush(PushedFile file, string fileName, string? fid)
    {
        lock (gate)
        {
            TakeInFinished();
            var number = imports.Count;
            imports.Add(null);
            assets.Add(null);
            var asset = AssetOf(number, fileName, input: null, fid, file.Received, clock.GetUtcNow(), file.Sha256());
            return file.Asset = PutInGallery(Shelve(asset));
        }
    }

    /// <summary>
    /// Makes assets of the imports that came to their end, in the order in which they did, so that the shelf stays sorted.
    /// </summary>
    private void TakeInFinished(int most = int.MaxValue)
    {
        var now = clock.GetTimestamp();
        for (; most > 0 && running.TryPeek(out var import, out var endsAt) && endsAt <= now; most--)
        {
            running.Dequeue();
            if (import.AbortedAt is not null)
                continue;
            var uploaded = clock.GetUtcNow() - clock.GetElapsedTime(endsAt, now);
            if (import.ShownEarly is { } shown)
                Shelve(shown);
            else
                PutInGallery(Shelve(AssetOf(import, uploaded)));
        }
    }

    private Asset Shelve(Asset asset)
    {
        assets[asset.Number] = asset;
        byUpload.Add(asset);
        return asset;
    }

    private Asset PutInGallery(Asset asset)
    {
        if (string.IsNullOrEmpty(asset.Fid))
            return asset;
        if (!galleries.TryGetValue(asset.Fid, out var gallery))
            gallery = galleries[asset.Fid] = new Gallery(asset.Fid, asset.Fid, "", asset.Uploaded);
        gallery.Items.Add(asset);
        return asset;
    }

    private Asset AssetOf(Import import, DateTimeOffset uploaded) =>
        AssetOf(import.Number, Assumptions.FileNameOf(import.Input), import.Input, import.Fid, import.Arriving, uploaded, sha256: null);

    private Asset AssetOf(int number, string fileName, string? input, string? fid, long size, DateTimeOffset uploaded, string? sha256) =>
        new()
        {
            Number = number,
            Id = (Assumptions.FirstAssetId + number).ToString(CultureInfo.InvariantCulture),
            Rid = ids.Rid(number),
            FileName = fileName,
            Input = input,
            Fid = fid,
            Size = size,
            Uploaded = uploaded,
            Modified = uploaded,
            Sha256 = sha256,
        };

    private static (IReadOnlyList<Asset> Page, int Count) PageOf(
        IEnumerable<Asset> assets, AssetQuery query, DateTimeOffset uploadedBy, int skip, int take)
    {
        var page = new List<Asset>();
        var count = 0;
        foreach (var asset in assets)
        {
            if (asset.Deleted || asset.Uploaded > uploadedBy || (!query.IsEmpty && !query.Fits(asset)))
                continue;
            if (count >= skip && page.Count < take)
                page.Add(asset);
            count++;
        }

        return (page, count);
    }

    private OpaqueIds NewIds() => new(Mix.Of(clock.GetUtcNow().Ticks, text: null, ++life));
}

/// <summary>A gallery and the assets in it, in display order.</summary>
internal sealed class Gallery(string fid, string name, string description, DateTimeOffset createdAt)
{
    public string Fid => fid;

    public string Name { get; set; } = name;

    public string Description { get; set; } = description;

    public string[] Tags { get; set; } = [];

    /// <summary>The gallery whose looks it has; null for its own.</summary>
    public string? Master { get; set; }

    public DateTimeOffset Modified { get; set; } = createdAt;

    public List<Asset> Items { get; } = [];
}
