using Cincopa.Client;

namespace BulkImporter.Tests;

/// <summary>The remote API in the test's hand: each call is noted, and answered by what the test says.</summary>
internal sealed class ScriptedCincopa : ICincopaClient
{
    private readonly Lock gate = new();
    private readonly List<string> submitted = [];
    private readonly List<string> asked = [];
    private readonly List<AssetListQuery> listed = [];
    private readonly List<string> aborted = [];
    private readonly List<string> deleted = [];
    private int inFlight;

    /// <summary>Answers a submit call. Accepts with a status_id of its own unless the test says otherwise.</summary>
    public Func<string, CancellationToken, Task<SubmitResult>> OnSubmit { get; set; } = (_, _) => Task.FromResult(Accepted());

    /// <summary>Answers a submit call by its verb, before <see cref="OnSubmit"/>; null leaves it to that.</summary>
    public Func<SubmitVerb, SubmitResult?> OnVerb { get; set; } = _ => null;

    public Func<string, StatusResult> OnStatus { get; set; } = _ => new StatusResult.Running(null, null, null, null, null);

    /// <summary>Answers a list call. An empty account unless the test says otherwise.</summary>
    public Func<AssetListQuery, Task<AssetListResult>> OnList { get; set; } = query => Task.FromResult(Page(query, []));

    public Func<string, AbortResult> OnAbort { get; set; } = _ => new AbortResult.Agreed();

    public Func<GalleryListQuery, GalleryListResult> OnGalleries { get; set; } = _ => new GalleryListResult.Ok([], 1, 50, 0, 0);


    public Func<PingResult> OnPing { get; set; } = () => new PingResult.Ok("account", null, null);

    public Func<Rid, AssetMeta, ChangeResult> OnSetMeta { get; set; } = (_, _) => new ChangeResult.Ok();

    public Func<Rid, ChangeResult> OnDelete { get; set; } = _ => new ChangeResult.Ok();

    public Func<Fid, IReadOnlyCollection<Rid>, ChangeResult> OnAddItems { get; set; } = (_, _) => new ChangeResult.Ok();

    public Func<string, Task<GalleryCreateResult>> OnCreateGallery { get; set; } = name =>
        Task.FromResult<GalleryCreateResult>(new GalleryCreateResult.Created(new Fid("F" + name)));

    public Func<PushRange, byte[], PushResult> OnPush { get; set; } = (range, _) =>
        range.IsLast ? new PushResult.Stored(new Rid("pushed-" + range.UniqueId)) : new PushResult.Taken();

    public int MostInFlight { get; private set; }

    public IReadOnlyList<string> Submitted
    {
        get { lock (gate) return [.. submitted]; }
    }

    public IReadOnlyList<string> Asked
    {
        get { lock (gate) return [.. asked]; }
    }

    public IReadOnlyList<string> Aborted
    {
        get { lock (gate) return [.. aborted]; }
    }

    public IReadOnlyList<string> Deleted
    {
        get { lock (gate) return [.. deleted]; }
    }

    public IReadOnlyList<AssetListQuery> Listed
    {
        get { lock (gate) return [.. listed]; }
    }

    /// <summary>The page of these assets that a query asks for.</summary>
    public static AssetListResult Page(AssetListQuery query, IReadOnlyList<RemoteAsset> assets)
    {
        var wanted = assets.Where(a => query.Rid is null || a.Rid == query.Rid).ToList();
        return new AssetListResult.Ok(
            [.. wanted.Skip((query.Page - 1) * query.ItemsPerPage).Take(query.ItemsPerPage)],
            query.Page, query.ItemsPerPage, wanted.Count, (wanted.Count + query.ItemsPerPage - 1) / query.ItemsPerPage);
    }

    public static SubmitResult Accepted() => new SubmitResult.Accepted(new StatusId($"st-{Guid.NewGuid():N}"));

    public static RemoteError Error(RemoteErrorKind kind, TimeSpan? retryAfter = null) => new(kind, null, kind.ToString(), retryAfter);

    public async Task<SubmitResult> UploadFromUrlAsync(
        CincopaAccess access, string input, Fid? fid, Func<CancellationToken, Task<bool>>? mayLeave, CancellationToken cancellationToken)
    {
        if (mayLeave is not null && !await mayLeave(cancellationToken)) throw new OperationCanceledException("turned back");
        lock (gate)
        {
            submitted.Add(input);
            MostInFlight = Math.Max(MostInFlight, ++inFlight);
        }
        try
        {
            return OnVerb(access.SubmitVerb) ?? await OnSubmit(input, cancellationToken);
        }
        finally
        {
            lock (gate) inFlight--;
        }
    }

    public Task<StatusResult> GetUploadStatusAsync(CincopaAccess access, StatusId statusId, CancellationToken cancellationToken)
    {
        lock (gate) asked.Add(statusId.Value);
        return Task.FromResult(OnStatus(statusId.Value));
    }

    public Task<PingResult> PingAsync(CincopaAccess access, CancellationToken cancellationToken) => Task.FromResult(OnPing());

    public Task<AbortResult> AbortUploadAsync(CincopaAccess access, StatusId statusId, CancellationToken cancellationToken)
    {
        lock (gate) aborted.Add(statusId.Value);
        return Task.FromResult(OnAbort(statusId.Value));
    }

    public Task<GalleryListResult> ListGalleriesAsync(CincopaAccess access, GalleryListQuery query, CancellationToken cancellationToken) =>
        Task.FromResult(OnGalleries(query));

    public Task<AssetListResult> ListAssetsAsync(CincopaAccess access, AssetListQuery query, CancellationToken cancellationToken)
    {
        lock (gate) listed.Add(query);
        return OnList(query);
    }

    public Task<ChangeResult> SetMetaAsync(CincopaAccess access, Rid rid, AssetMeta meta, CancellationToken cancellationToken) =>
        Task.FromResult(OnSetMeta(rid, meta));

    public Task<ChangeResult> DeleteAssetAsync(CincopaAccess access, Rid rid, CancellationToken cancellationToken)
    {
        lock (gate) deleted.Add(rid.Value);
        return Task.FromResult(OnDelete(rid));
    }

    public Task<GalleryCreateResult> CreateGalleryAsync(CincopaAccess access, string name, CancellationToken cancellationToken) =>
        OnCreateGallery(name);

    public Task<ChangeResult> AddGalleryItemsAsync(CincopaAccess access, Fid fid,
        IReadOnlyCollection<Rid> rids, CancellationToken cancellationToken) => Task.FromResult(OnAddItems(fid, rids));

    public Task<AssetListResult> ListGalleryItemsAsync(
        CincopaAccess access, Fid fid, int page, int itemsPerPage, CancellationToken cancellationToken) =>
        Task.FromResult<AssetListResult>(new AssetListResult.Ok([], page, itemsPerPage, 0, 1));

    public Task<UploadUrlResult> GetUploadUrlAsync(CincopaAccess access, Fid? fid, CancellationToken cancellationToken) =>
        Task.FromResult<UploadUrlResult>(new UploadUrlResult.Ok(new UploadUrl(new Uri("http://127.0.0.1:9/post.jpg?d=1&hash=2"))));

    public async Task<PushResult> PushRangeAsync(
        CincopaAccess access, UploadUrl uploadUrl, PushRange range,
        Func<Stream, CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        await write(body, cancellationToken);
        return OnPush(range, body.ToArray());
    }
}
