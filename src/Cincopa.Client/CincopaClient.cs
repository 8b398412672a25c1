using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Cincopa.Client;

/// <summary>
/// <see cref="ICincopaClient"/> over HTTP/1.1. One instance serves all accounts and any number of calls at once. It adds nothing
/// that repeats, follows or remembers: no retry, no redirect, no cookie, no Expect-Continue.
/// </summary>
/// <param name="options">Limits.</param>
/// <param name="clock">Runs the timeouts of calls and reads Retry-After dates; the connect timeout is the platform's own.</param>
/// <param name="connect">Makes each connection, of uploads too; what it throws is a call that was never sent, and the message of an
/// exception that is no <see cref="SocketException"/> is the error's. Null: the platform connects to whatever the address says.</param>
public sealed class CincopaClient(CincopaClientOptions options, TimeProvider clock,
    Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>>? connect = null) : ICincopaClient, IDisposable
{
    private const int MaxReplyBytes = 256 * 1024;
    private const int MaxListBytes = 8 * 1024 * 1024;

    // Not HttpClient: no default headers, no base address, no buffering and no timeout of its own are wanted.
    private readonly HttpMessageInvoker http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectCallback = connect,
        ConnectTimeout = options.ConnectTimeout,
        PooledConnectionIdleTimeout = options.ConnectionIdleTimeout,
        PooledConnectionLifetime = options.ConnectionLifetime,
        MaxConnectionsPerServer = options.MaxConnections,
        // Takes the platform's tracing of requests out of the path: the token is in every URL.
        ActivityHeadersPropagator = null,
    });

    public Task<PingResult> PingAsync(CincopaAccess access, CancellationToken cancellationToken) => AnswerAsync<PingResult>(
        ReadAsync(access, RequestUrl.For(access, "ping"), MaxReplyBytes, cancellationToken),
        (_, root) => new PingResult.Ok(root.Text("accid"u8), root.Text("accemail"u8),
            root.Text("permissions"u8) is { } permissions ? TokenPermissions.Parse(permissions) : null),
        error => new PingResult.Failed(error));

    /// <inheritdoc cref="ICincopaClient.UploadFromUrlAsync"/>
    public Task<SubmitResult> UploadFromUrlAsync(CincopaAccess access, string input, Fid? fid, CancellationToken cancellationToken) =>
        UploadFromUrlAsync(access, input, fid, null, cancellationToken);

    public async Task<SubmitResult> UploadFromUrlAsync(
        CincopaAccess access, string input, Fid? fid, Func<CancellationToken, Task<bool>>? mayLeave, CancellationToken cancellationToken)
    {
        var url = RequestUrl.For(access, "asset.upload_from_url", ("input", input), ("fid", fid?.Value));
        using var turnedBack = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var timer = new CancellationTokenSource(options.SubmitTimeout, clock);
        using var content = new SingleUseContent(LeavingAsync);
        // With content, also by GET: the platform sends a request without content again when its connection ends before the first byte of
        // the answer.
        using var request = Request(access.SubmitVerb == SubmitVerb.Get ? HttpMethod.Get : HttpMethod.Post, url);
        request.Content = content;
        using var reply = await ReplyAsync();
        var verdict = reply.Judge(out var root, out var error);
        return verdict switch
        {
            Verdict.Success => root.Id("status_id"u8) is { } statusId
                ? new SubmitResult.Accepted(new StatusId(statusId))
                : new SubmitResult.Unknown(reply.Unreadable("accepted without status_id")),
            Verdict.Refusal => new SubmitResult.Refused(error),
            Verdict.NeverSent => new SubmitResult.NeverSent(error),
            Verdict.Unclear => new SubmitResult.Unknown(error),
        };

        async Task<Reply> ReplyAsync()
        {
            try
            {
                return await SendAsync(access, request, content, timer, options.SubmitTimeout, MaxReplyBytes, turnedBack.Token);
            }
            catch (OperationCanceledException)
            {
                // Callers know their own token, not the one that turned this call back.
                throw new OperationCanceledException(cancellationToken);
            }
        }

        async Task LeavingAsync(CancellationToken stopped)
        {
            // What the caller waits for is its own time and no part of the call's.
            timer.CancelAfter(Timeout.InfiniteTimeSpan);
            try
            {
                if (mayLeave is not null && !await mayLeave(stopped)) await turnedBack.CancelAsync();
            }
            catch (OperationCanceledException)
            {
                await turnedBack.CancelAsync();
            }
            turnedBack.Token.ThrowIfCancellationRequested();
            timer.CancelAfter(options.SubmitTimeout);
        }
    }

    public async Task<StatusResult> GetUploadStatusAsync(CincopaAccess access, StatusId statusId, CancellationToken cancellationToken)
    {
        var url = RequestUrl.For(access, "asset.upload_from_url_get_status", ("status_id", statusId.Value));
        using var reply = await ReadAsync(access, url, MaxReplyBytes, cancellationToken);
        var verdict = reply.Judge(out var root, out var error);
        if (verdict == Verdict.Success)
            return StatusOf(reply, root);

        // 404 and 410 are about the id, and so is another refusal that speaks of it; all INF.
        var aboutId = verdict == Verdict.Refusal
            && (error.HttpStatus is 404 or 410
                || (error.Kind is RemoteErrorKind.Rejected or RemoteErrorKind.InvalidInput or RemoteErrorKind.SourceNotFound
                    && ErrorText.IsAboutStatusId(error.Message)));
        return aboutId ? new StatusResult.NotFound(error.Kind == RemoteErrorKind.NotTheApi
            ? error : error with { Kind = RemoteErrorKind.UnknownStatusId }) : new StatusResult.Unavailable(error);
    }

    public async Task<AbortResult> AbortUploadAsync(CincopaAccess access, StatusId statusId, CancellationToken cancellationToken)
    {
        using var reply = await WriteAsync(access, RequestUrl.For(access, "asset.upload_from_url_abort", ("status_id", statusId.Value)),
            cancellationToken);
        return reply.Judge(out _, out var error) switch
        {
            Verdict.Success => new AbortResult.Agreed(),
            // Of the account and not of the import: another call may be answered otherwise.
            Verdict.Refusal when error.Kind is RemoteErrorKind.TokenRejected or RemoteErrorKind.PermissionMissing
                or RemoteErrorKind.RateLimited
                or RemoteErrorKind.QuotaExceeded or RemoteErrorKind.ServerError or RemoteErrorKind.NotTheApi =>
                    new AbortResult.Unavailable(error),
            Verdict.Refusal => new AbortResult.Refused(error),
            Verdict.NeverSent or Verdict.Unclear => new AbortResult.Unavailable(error),
        };
    }

    public Task<GalleryListResult> ListGalleriesAsync(CincopaAccess access, GalleryListQuery query, CancellationToken cancellationToken)
    {
        var url = RequestUrl.For(
            access,
            "gallery.list",
            ("page", query.Page.ToString(CultureInfo.InvariantCulture)),
            ("items_per_page", query.ItemsPerPage.ToString(CultureInfo.InvariantCulture)),
            ("search", query.Search),
            ("cache", query.BypassCache ? "never" : null));
        return AnswerAsync(
            ReadAsync(access, url, MaxListBytes, cancellationToken), GalleriesOf, error => new GalleryListResult.Failed(error));
    }

    public Task<AssetListResult> ListAssetsAsync(CincopaAccess access, AssetListQuery query, CancellationToken cancellationToken)
    {
        var url = RequestUrl.For(
            access,
            "asset.list",
            ("page", query.Page.ToString(CultureInfo.InvariantCulture)),
            ("items_per_page", query.ItemsPerPage.ToString(CultureInfo.InvariantCulture)),
            ("search", query.Search),
            ("rid", query.Rid?.Value),
            ("reference_id", query.ReferenceId),
            ("details", query.Details),
            ("cache", query.BypassCache ? "never" : null));
        return AnswerAsync(ReadAsync(access, url, MaxListBytes, cancellationToken), ListOf, error => new AssetListResult.Failed(error));
    }

    public Task<ChangeResult> SetMetaAsync(CincopaAccess access, Rid rid, AssetMeta meta, CancellationToken cancellationToken) =>
        AnswerAsync(WriteAsync(access, RequestUrl.For(
            access,
            "asset.set_meta",
            ("rid", rid.Value),
            ("caption", meta.Caption),
            ("description", meta.Description),
            ("long_description", meta.LongDescription),
            ("related_link_text", meta.RelatedLinkText),
            ("related_link_url", meta.RelatedLinkUrl),
            ("reference_id", meta.ReferenceId),
            ("tags", meta.Tags)), cancellationToken));

    public Task<ChangeResult> DeleteAssetAsync(CincopaAccess access, Rid rid, CancellationToken cancellationToken) =>
        AnswerAsync(WriteAsync(access, RequestUrl.For(access, "asset.delete", ("rid", rid.Value)), cancellationToken));

    public Task<GalleryCreateResult> CreateGalleryAsync(CincopaAccess access, string name, CancellationToken cancellationToken) =>
        AnswerAsync<GalleryCreateResult>(
            WriteAsync(access, RequestUrl.For(access, "gallery.create", ("name", name)), cancellationToken),
            (reply, root) => root.Id("fid"u8) is { } fid
                ? new GalleryCreateResult.Created(new Fid(fid))
                : new GalleryCreateResult.Failed(reply.Unreadable("created without fid")),
            error => new GalleryCreateResult.Failed(error));

    public Task<ChangeResult> AddGalleryItemsAsync(
        CincopaAccess access, Fid fid, IReadOnlyCollection<Rid> rids, CancellationToken cancellationToken) =>
        AnswerAsync(WriteAsync(
            access, RequestUrl.For(access, "gallery.add_item", ("fid", fid.Value), ("rid", string.Join(',', rids))), cancellationToken));

    public Task<AssetListResult> ListGalleryItemsAsync(
        CincopaAccess access, Fid fid, int page, int itemsPerPage, CancellationToken cancellationToken)
    {
        var url = RequestUrl.For(
            access,
            "gallery.get_items",
            ("fid", fid.Value),
            ("page", page.ToString(CultureInfo.InvariantCulture)),
            ("items_per_page", itemsPerPage.ToString(CultureInfo.InvariantCulture)),
            ("cache", "never"));
        return AnswerAsync(
            ReadAsync(access, url, MaxListBytes, cancellationToken),
            (reply, root) => root.Object("folder"u8) is { } folder
                ? ListOf(reply, folder) : new AssetListResult.Failed(reply.Unreadable("the reply has no folder")),
            error => new AssetListResult.Failed(error));
    }

    public Task<UploadUrlResult> GetUploadUrlAsync(CincopaAccess access, Fid? fid, CancellationToken cancellationToken) =>
        AnswerAsync<UploadUrlResult>(
            ReadAsync(access, RequestUrl.For(access, "asset.get_upload_url", ("fid", fid?.Value)), MaxReplyBytes, cancellationToken),
            (reply, root) => Uri.TryCreate(root.Text("upload_url"u8), UriKind.Absolute, out var url)
                && (url.Scheme == Uri.UriSchemeHttps || url.Scheme == Uri.UriSchemeHttp)
                ? new UploadUrlResult.Ok(new UploadUrl(url))
                : new UploadUrlResult.Failed(reply.Unreadable("the reply has no upload_url")),
            error => new UploadUrlResult.Failed(error));

    public async Task<PushResult> PushRangeAsync(
        CincopaAccess access, UploadUrl uploadUrl, PushRange range,
        Func<Stream, CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        using var content = new RangeContent(range, write);
        using var request = Request(HttpMethod.Post, uploadUrl.Value);
        request.Headers.TryAddWithoutValidation("X-FILE-NAME", Uri.EscapeDataString(range.FileName));
        request.Headers.TryAddWithoutValidation("unique-id", range.UniqueId);
        request.Content = content;
        using var reply = await SendAsync(access, request, content, options.PushTimeout, MaxReplyBytes, cancellationToken);
        content.ThrowWhatTheSourceThrew();
        return reply.JudgePush(range.IsLast);
    }

    public void Dispose() => http.Dispose();

    /// <summary>
    /// <c>inprogress, ready, failed</c> are 3P S12, <c>pending, in_progress, completed, failed</c> 3P S14; the full list of words is not
    /// published, the rest is INF.
    /// </summary>
    private StatusResult StatusOf(Reply reply, JsonElement root)
    {
        if (root.Text("status"u8) is not { } word)
            return new StatusResult.Unavailable(reply.Unreadable("the reply has no status"));

        var rid = (root.Id("resid"u8) ?? root.Id("rid"u8) ?? root.Id("asset_id"u8)) is { } id ? new Rid(id) : (Rid?)null;
        return string.Concat(word.Where(c => c is not ('_' or '-' or ' '))).ToLowerInvariant() switch
        {
            "inprogress" or "pending" or "queued" or "processing" or "downloading" or "uploading" or "waiting" => Running(null),
            "ready" or "completed" or "complete" or "done" or "success" or "synced" => rid is { } known
                ? new StatusResult.Done(known, root.Number("progress_bytes"u8) is > 0 and var bytes ? bytes : null)
                : new StatusResult.DoneWithoutRid(),
            "failed" or "error" => Failed(null),
            "aborted" or "cancelled" or "canceled" => Failed(RemoteErrorKind.Aborted),
            _ => Running(reply.Redacted(word, 100)),
        };

        StatusResult Running(string? unknownWord) => new StatusResult.Running(
            Percent(root.Number("progress"u8)), root.Number("progress_bytes"u8), root.Number("file_size_bytes"u8), rid, unknownWord);

        StatusResult Failed(RemoteErrorKind? certain)
        {
            var why = root.Text("more"u8) ?? root.Text("error_message"u8) ?? root.Text("message"u8) ?? root.Text("error"u8)
                ?? root.Text("debug"u8);
            return new StatusResult.Failed(reply.Error(certain ?? ErrorText.KindOfFailedImport(why ?? "", options.ReadErrorText), why
                ?? $"{word}, without a reason"));
        }
    }

    private static int? Percent(long? progress) => progress is { } percent ? (int)Math.Min(percent, 100) : null;

    private static AssetListResult ListOf(Reply reply, JsonElement root)
    {
        var (page, itemsPerPage, count, pages) = TotalsOf(root);
        return ItemsOf(root, "items"u8, count, AssetOf, out var isDamaged) is { } assets
            ? new AssetListResult.Ok(assets, page, itemsPerPage, count, pages)
            : new AssetListResult.Failed(reply.Unreadable(isDamaged ? "the reply has an item without rid" : "the reply has no items"));
    }

    private static GalleryListResult GalleriesOf(Reply reply, JsonElement root)
    {
        var (page, itemsPerPage, count, pages) = TotalsOf(root);
        // Its upload_url is a secret, and stays behind.
        return ItemsOf(root, "galleries"u8, count, item => item.Id("fid"u8) is { } fid
            ? new RemoteGallery(new Fid(fid), item.Text("name"u8), item.Text("description"u8)) : null, out var isDamaged) is { } galleries
            ? new GalleryListResult.Ok(galleries, page, itemsPerPage, count, pages)
            : new GalleryListResult.Failed(
                reply.Unreadable(isDamaged ? "the reply has a gallery without fid" : "the reply has no galleries"));
    }

    /// <summary>Null when the list is absent although there should be one, or when an item of it cannot be read.</summary>
    private static List<T>? ItemsOf<T>(
        JsonElement root, ReadOnlySpan<byte> name, int? count, Func<JsonElement, T?> read, out bool isDamaged) where T : class
    {
        isDamaged = false;
        if (!root.TryField(name, out var items) || items.ValueKind != JsonValueKind.Array) return count == 0 ? [] : null;
        var all = items.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Object ? read(item) : null).ToList();
        isDamaged = all.Contains(null);
        return isDamaged ? null : [.. all.OfType<T>()];
    }

    private static Task<ChangeResult> AnswerAsync(Task<Reply> sent) =>
        AnswerAsync<ChangeResult>(sent, (_, _) => new ChangeResult.Ok(), error => new ChangeResult.Failed(error));

    private static async Task<T> AnswerAsync<T>(Task<Reply> sent, Func<Reply, JsonElement, T> read, Func<RemoteError, T> failed)
    {
        using var reply = await sent;
        return reply.Judge(out var root, out var error) == Verdict.Success ? read(reply, root) : failed(error);
    }

    /// <summary>
    /// The number of pages goes by <c>pages_count</c> (OWN S7 S9, 3P S12) and by <c>page_count</c> (3P S13, on <c>gallery.list</c>).
    /// </summary>
    private static (int? Page, int? ItemsPerPage, int? ItemsCount, int? PagesCount) TotalsOf(JsonElement root) =>
        root.Object("items_data"u8) is { } totals
            ? (totals.Count("page"u8), totals.Count("items_per_page"u8), totals.Count("items_count"u8), totals.Count("pages_count"u8)
                ?? totals.Count("page_count"u8))
            : default;

    private static RemoteAsset? AssetOf(JsonElement item)
    {
        if ((item.Id("rid"u8) ?? item.Id("resid"u8) ?? item.Id("drid"u8)) is not { } rid)
            return null;
        var versions = item.Object("versions"u8);
        var original = versions?.Object("original"u8);
        return new RemoteAsset(
            new Rid(rid),
            item.Text("filename"u8) ?? original?.Text("name"u8),
            item.Number("filesize"u8) ?? original?.Number("filesize"u8),
            item.Time("uploaded"u8),
            item.Text("caption"u8),
            item.Text("reference_id"u8),
            item.Text("type"u8),
            item.Text("syncstatus"u8),
            original?.Text("url"u8) ?? item.Object("content"u8)?.Text("value"u8) ?? PlayedVersion(versions),
            item.Object("thumbnail"u8) is { } thumbnail ? thumbnail.Text("url"u8) ?? thumbnail.Text("value"u8) : null,
            DurationOf(item.Object("exif"u8)?.Text("duration"u8) ?? item.Text("duration"u8)));
    }

    /// <summary>Versions are named for their kind and size (<c>mp4_hd</c>, <c>jpg_600x450</c>); which are there differs (DOC S4).</summary>
    private static string? PlayedVersion(JsonElement? versions)
    {
        if (versions is not { } all) return null;
        foreach (var version in all.EnumerateObject())
        {
            if (version.Value.ValueKind == JsonValueKind.Object && !version.Name.StartsWith("jpg", StringComparison.OrdinalIgnoreCase)
                && version.Value.Text("url"u8) is { } url)
                return url;
        }
        return null;
    }

    /// <summary>As <c>00:01:02.3</c> (OWN S7) or in seconds (INF); null for what is neither.</summary>
    private static TimeSpan? DurationOf(string? text)
    {
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds))
            return seconds is >= 0 and < 1e7 ? TimeSpan.FromSeconds(seconds) : null;
        // Of 24 hours and more the library would make days.
        if (text?.Split(':') is not [var hours, var minutes, var rest]
            || !int.TryParse(hours, NumberStyles.None, CultureInfo.InvariantCulture, out var h)
            || !int.TryParse(minutes, NumberStyles.None, CultureInfo.InvariantCulture, out var m)
            || !double.TryParse(rest, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var s)
            || h > 10_000 || m > 59 || s >= 60) return null;
        return TimeSpan.FromSeconds(h * 3600d + m * 60 + s);
    }

    private static HttpRequestMessage Request(HttpMethod method, Uri url)
    {
        var request = new HttpRequestMessage(method, url)
        { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.ExpectContinue = false;
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        // Some front servers refuse a request that does not say who it is from.
        request.Headers.TryAddWithoutValidation("User-Agent", "Cincopa.Client/0.1 (BulkImporter)");
        return request;
    }

    private async Task<Reply> ReadAsync(CincopaAccess access, Uri url, int maxBytes, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Get, url);
        return await SendAsync(access, request, null, options.ReadTimeout, maxBytes, cancellationToken);
    }

    private async Task<Reply> SendAsync(
        CincopaAccess access, HttpRequestMessage request, OnceContent? onlyOnce, TimeSpan timeout, int maxBytes,
        CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(timeout, clock);
        return await SendAsync(access, request, onlyOnce, timer, timeout, maxBytes, cancellationToken);
    }

    // A call that changes something and may be repeated by the caller: the platform still sends it once.
    private async Task<Reply> WriteAsync(CincopaAccess access, Uri url, CancellationToken cancellationToken)
    {
        using var content = new SingleUseContent();
        using var request = Request(HttpMethod.Post, url);
        request.Content = content;
        return await SendAsync(access, request, content, options.ReadTimeout, MaxReplyBytes, cancellationToken);
    }

    // onlyOnce is the content of a request that may not be sent twice; null for a read, which may be cancelled at any time.
    private async Task<Reply> SendAsync(
        CincopaAccess access, HttpRequestMessage request, OnceContent? onlyOnce, CancellationTokenSource timer,
        TimeSpan timeout, int maxBytes,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        var reply = new Reply(access.ApiToken, options.ReadErrorText);
        try
        {
            using var response = await http.SendAsync(request, either.Token);
            await reply.ReadAsync(response, maxBytes, clock.GetUtcNow(), either.Token);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested && onlyOnce is not { Left: true })
        {
            reply.Dispose();
            throw new OperationCanceledException(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            if (cancellationToken.IsCancellationRequested)
                reply.LostBy(RemoteErrorKind.ConnectionLost, "The call was cancelled after the request began to leave.");
            else if (timer.IsCancellationRequested)
                reply.LostBy(RemoteErrorKind.Timeout, $"There was no complete reply within {timeout.TotalSeconds:0.###} s.");
            else
                reply.LostBy(
                    RemoteErrorKind.ConnectTimedOut, $"There was no connection within {options.ConnectTimeout.TotalSeconds:0.###} s.");
        }
        catch (HttpRequestException error)
        {
            var kind = KindOf(error);
            reply.LostBy(kind, Described(kind, request.RequestUri!.Host, error));
        }
        catch (IOException error)
        {
            reply.LostBy(RemoteErrorKind.ConnectionLost, Described(RemoteErrorKind.ConnectionLost, request.RequestUri!.Host, error));
        }
        finally
        {
            reply.Left = onlyOnce is { Left: true };
        }

        return reply;
    }

    private static RemoteErrorKind KindOf(HttpRequestException error) => error.HttpRequestError switch
    {
        HttpRequestError.NameResolutionError => RemoteErrorKind.NameNotResolved,
        HttpRequestError.SecureConnectionError => RemoteErrorKind.TlsFailed,
        HttpRequestError.ConnectionError => error.InnerException switch
        {
            SocketException { SocketErrorCode: SocketError.TimedOut } => RemoteErrorKind.ConnectTimedOut,
            SocketException
            { SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData or SocketError.NoRecovery } =>
                    RemoteErrorKind.NameNotResolved,
            _ => RemoteErrorKind.ConnectionRefused,
        },
        HttpRequestError.ProxyTunnelError => RemoteErrorKind.ConnectionRefused,
        HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded => RemoteErrorKind.UnreadableReply,
        _ => RemoteErrorKind.ConnectionLost,
    };

    // Told to people. Only where the cause helps to find the fault is the framework's own text part of it.
    private static string Described(RemoteErrorKind kind, string host, Exception error)
    {
        if (error is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError, InnerException: IOException refused })
            return refused.Message;
        // Of a chain the innermost says what the system said; the others are about our own code.
        var cause = error;
        while (cause.InnerException is { } inner) cause = inner;
        return kind switch
        {
            RemoteErrorKind.NameNotResolved => $"There is no address for the name {host}. Check the network and the DNS of this server.",
            RemoteErrorKind.ConnectionRefused => $"{host} cannot be reached: {cause.Message}",
            RemoteErrorKind.ConnectTimedOut => $"{host} did not take the connection in time.",
            RemoteErrorKind.TlsFailed => $"There is no secure connection to {host}: {cause.Message}",
            RemoteErrorKind.ConnectionLost => cause is SocketException
                ? $"The connection to {host} was lost: {cause.Message}." : $"The connection to {host} was lost.",
            _ => cause.Message,
        };
    }
}
