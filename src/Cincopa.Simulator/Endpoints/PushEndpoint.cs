using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using Cincopa.Simulator.Remote;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Cincopa.Simulator.Endpoints;

/// <summary>
/// Upload URLs and the chunks posted to them (contract 2.5 and 2.6). All answers to chunks are plain text with HTTP 200 (OWN).
/// </summary>
internal static class PushEndpoint
{
    public const string Path = "/post.jpg";

    public static Result GetUploadUrl(Call call) => string.IsNullOrEmpty(call.Query["rid"])
        ? call.Ok(("upload_url", UploadUrl(call.Context.Request, call.Query["fid"])))
        : call.Refuse(400, "attaching by push is not simulated");

    /// <summary>A URL at this host. The signature does not cover <c>addtofid</c> (OWN).</summary>
    public static string UploadUrl(HttpRequest request, string? fid)
    {
        var blob = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var gallery = string.IsNullOrEmpty(fid) ? "0" : Uri.EscapeDataString(fid);
        return $"{request.Scheme}://{request.Host}{Path}?uid={Assumptions.AccountId}&d={blob}&hash={Signature(blob)}&addtofid={gallery}";
    }

    /// <summary>
    /// Takes a whole file, when no range is said, as a form or as the body; else one chunk: the next one, or one that was taken before.
    /// Anything else is an error in text.
    /// </summary>
    public static async Task<Result> TakeAsync(Call call)
    {
        var request = call.Context.Request;
        var gone = call.Context.RequestAborted;
        var blob = call.Query["d"];
        if (blob is null || call.Query["hash"] != Signature(blob))
            return await DrainAndRefuseAsync(Assumptions.BadUploadUrlText);
        var fileName = Uri.UnescapeDataString(request.Headers["X-FILE-NAME"].ToString());
        var body = request.Body;
        if (BoundaryOf(request) is { } boundary)
        {
            if (!call.Script.FormUploads)
                return await DrainAndRefuseAsync("error: a form is not taken");
            if (await FirstFileAsync(boundary, request.Body, gone) is not { } part)
                return await DrainAndRefuseAsync("error: no file in the form");
            body = part.Body;
            if (fileName.Length == 0)
                fileName = part.Name;
        }

        if (fileName.Length == 0)
            return await DrainAndRefuseAsync("error: X-FILE-NAME is missing");

        // Without a range the body is the whole file (INF).
        if (request.Headers.ContentRange.Count == 0)
        {
            var whole = new PushedFile();
            var wholeHash = whole.BeginChunk();
            whole.EndChunk(wholeHash, await HashAsync(body, wholeHash, gone));
            await request.Body.CopyToAsync(Stream.Null, gone);
            return Finish(whole);
        }

        if (!ChunkRange.TryParse(request.Headers.ContentRange, out var range))
            return await DrainAndRefuseAsync("error: Content-Range is missing or wrong");

        // Without a unique-id (OWN: one of two clients sends none) a file that begins again is a new file (INF).
        var uniqueId = request.Headers["unique-id"].ToString();
        var file = call.Library.OpenPush($"{blob}|{uniqueId}|{fileName}", anew: uniqueId.Length == 0 && range.Start == 0);
        await file.Turn.WaitAsync(gone);
        try
        {
            if (range.Start > file.Received)
                return await DrainAndRefuseAsync($"error: gap, {file.Received} bytes received so far");
            if (range.Start < file.Received && range.End > file.Received)
                return await DrainAndRefuseAsync($"error: overlap, {file.Received} bytes received so far");
            var replay = range.End <= file.Received && file.Received > 0;

            var hash = file.BeginChunk();
            var length = await HashAsync(body, hash, gone);
            if (replay || length != range.End - range.Start)
                hash.Dispose();
            if (length != range.End - range.Start)
                return Refuse($"error: {length} bytes in the body, {range.End - range.Start} in Content-Range");
            if (!replay)
                file.EndChunk(hash, length);

            return range.Total is not null && range.End == range.Total ? Finish(file) : Result.Ok(Reply.Text("chunk received\ndone\n"));
        }
        finally
        {
            file.Turn.Release();
        }

        Result Finish(PushedFile file)
        {
            if (file.Asset is null)
            {
                var fid = call.Query["addtofid"];
                call.Simulator.Webhooks.Announce(call.Library.FinishPush(file, fileName, fid is null or "" or "0" or "*" ? null : fid),
                    call.Script);
            }

            return Result.Ok(Reply.Text(LastReply(file.Asset!)));
        }

        async Task<Result> DrainAndRefuseAsync(string text)
        {
            await request.Body.CopyToAsync(Stream.Null, gone);
            return Refuse(text);
        }

        static Result Refuse(string text) => new(Reply.Text(text), new Answer(CallOutcome.Refused, 200));
    }

    private static string LastReply(Asset asset) =>
        $"{string.Join('\n', Assumptions.PushPreamble)}\nnew resource id {asset.Id} {asset.Rid}\ndone\n";

    /// <summary>The boundary of a true form; null for the widget's raw body, whose <c>multipart/form-data</c> names none (OWN).</summary>
    private static string? BoundaryOf(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
            && HeaderUtilities.RemoveQuotes(type.Boundary) is { Length: > 0 } boundary ? boundary.Value : null;

    /// <summary>
    /// The first file of a form, whatever its field is called; others are read over (INF). Null when there is none, or the form is damaged.
    /// </summary>
    private static async Task<(string Name, Stream Body)?> FirstFileAsync(string boundary, Stream form, CancellationToken cancellationToken)
    {
        try
        {
            var reader = new MultipartReader(boundary, form);
            while (await reader.ReadNextSectionAsync(cancellationToken) is { } section)
            {
                if (section.AsFileSection() is { } file)
                    return (file.FileName, section.Body);
            }
        }
        catch (InvalidDataException)
        {
            // No form in spite of what it says of itself.
        }

        return null;
    }

    private static async Task<long> HashAsync(Stream body, IncrementalHash hash, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        var length = 0L;
        for (int read; (read = await body.ReadAsync(buffer, cancellationToken)) > 0; length += read)
            hash.AppendData(buffer, 0, read);
        return length;
    }

    private static string Signature(string blob) => Mix.Of(20_260_101, blob, 0).ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>
    /// <c>bytes START-END/TOTAL</c> with END exclusive, one more than RFC 9110 has it (OWN); <c>/TOTAL</c> may be absent.
    /// </summary>
    private readonly record struct ChunkRange(long Start, long End, long? Total)
    {
        public static bool TryParse([NotNullWhen(true)] string? header, out ChunkRange range)
        {
            range = default;
            if (header is null || !header.StartsWith("bytes ", StringComparison.Ordinal))
                return false;
            var text = header.AsSpan(6).Trim();
            var slash = text.IndexOf('/');
            long? total = null;
            if (slash >= 0 && text[(slash + 1)..] is not "*")
            {
                if (!Number(text[(slash + 1)..], out var value))
                    return false;
                total = value;
            }

            var span = slash < 0 ? text : text[..slash];
            var dash = span.IndexOf('-');
            if (dash < 0 || !Number(span[..dash], out var start) || !Number(span[(dash + 1)..], out var end))
                return false;
            range = new ChunkRange(start, end, total);
            return start <= end && !(end > total);
        }

        private static bool Number(ReadOnlySpan<char> text, out long value) =>
            long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }
}
