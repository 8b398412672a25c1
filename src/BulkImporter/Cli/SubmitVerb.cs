using System.CommandLine;
using System.Net;
using System.Net.Http.Headers;
using BulkImporter.Api;
using BulkImporter.Imports;
using Spectre.Console;

namespace BulkImporter.Cli;

/// <summary><c>submit FILE</c> or <c>submit --from URL</c>: a manifest becomes an import.</summary>
internal static class SubmitVerb
{
    public static Verb Of(Surroundings surroundings)
    {
        var file = InputFile.Argument("The manifest: .csv, .tsv, .xlsx or .jsonl, text also as .gz; one row per media file with its URL");
        file.Arity = ArgumentArity.ZeroOrOne;
        var from = Options.Text("--from", "URL",
            "Let the server fetch the manifest instead: an https URL, or the link of a Google Sheet");
        var fileName = Options.Text("--file-name", "NAME", "What to call the file [as it is called where it comes from]");
        var (map, encoding, sheet) = (Options.Map(), Options.Encoding(), Options.Sheet());
        var import = new NewImportOptions();
        return new ClientVerb(surroundings, "submit",
            "Upload a manifest. It is read and checked. Then it waits for review, or starts with --start.",
            ["BulkImporter submit library.csv                         upload, then look at it: BulkImporter show ID",
                "BulkImporter submit library.csv --start --watch         all in one, with progress; exit code 3 when records failed",
                "BulkImporter submit catalogue.xlsx --sheet Videos",
                "BulkImporter submit old.csv --map url=Link,caption=Name --account museum",
                "BulkImporter submit library.csv --start --set window='22:00-06:00 Europe/Berlin'    only at night",
                "BulkImporter submit --from https://media.example.com/library.csv    fetched by the server; a Google Sheet's "
                    + "link works, too",
                "BulkImporter submit night.csv.gz --start --idempotency-key night-2026-11-23    safe to repeat in a script"],
            [file, from, fileName, .. import.With(map, encoding, sheet)],
            async call =>
            {
                var manifest = call.Get(from) is null ? call.Get(file) : null;
                var query = import.Query(call, call.Get(fileName) ?? manifest?.FileName, ("map", call.Get(map)),
                    ("encoding", call.Get(encoding)), ("sheet", call.Get(sheet)));
                var key = import.IdempotencyKey(call);
                if (manifest is null)
                    return await import.ShowAsync(call, await call.Api.SendAsync<ImportView>(HttpMethod.Post, "imports/address" + query,
                        new ManifestAddressBody(call.Get(from)!), call.CancellationToken, key, isLong: true));
                return await import.ShowAsync(call, await manifest.ReadAsync(async () =>
                {
                    await using var bytes = manifest.Open(surroundings);
                    return await UploadAsync(call.Api, bytes, manifest.FileName ?? "what comes through the pipe", query, key, surroundings,
                        call.CancellationToken);
                }));
            },
            refuses: result => [result.GetResult(file) is { Tokens.Count: > 0 } == result.GetResult(from) is not null
                ? "Name the manifest: a FILE, or --from URL." : null]);
    }

    /// <summary>Streams a manifest's bytes to the server, with a bar when a person looks on.</summary>
    public static Task<ApiReply<ImportView>> UploadAsync(
        ImporterApi api, Stream bytes, string fileName, string query, string? idempotencyKey, Surroundings surroundings,
        CancellationToken cancellationToken) =>
        // Compressed or not, the server tells by the bytes.
        StreamAsync(bytes, fileName, "text/csv", content => api.SendAsync<ImportView>(
            HttpMethod.Post, "imports" + query, content, cancellationToken, idempotencyKey), surroundings);

    /// <summary>Streams a file by a call, with a bar when a person looks on.</summary>
    public static async Task<ApiReply<T>> StreamAsync<T>(
        Stream bytes, string fileName, string mediaType, Func<HttpContent, Task<ApiReply<T>>> send, Surroundings surroundings)
    {
        if (!surroundings.IsLive)
        {
            surroundings.Error.WriteLine(bytes.CanSeek ? $"Uploading {fileName}, {Wording.Size(bytes.Length)}." : $"Uploading {fileName}.");
            using var plain = new FileContent(bytes, mediaType, _ => { });
            return await send(plain);
        }

        return await surroundings.Screen.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn())
            .StartAsync(async progress =>
            {
                var bar = progress.AddTask(Markup.Escape($"Uploading {fileName}"), maxValue: bytes.CanSeek
                    ? Math.Max(1, bytes.Length) : double.MaxValue);
                bar.IsIndeterminate = !bytes.CanSeek;
                using var content = new FileContent(bytes, mediaType, sent => bar.Value = sent);
                return await send(content);
            });
    }

    /// <summary>A file as it is sent, telling how far it is.</summary>
    private sealed class FileContent : HttpContent
    {
        private readonly Stream bytes;
        private readonly Action<long> sent;

        public FileContent(Stream bytes, string mediaType, Action<long> sent)
        {
            this.bytes = bytes;
            this.sent = sent;
            Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            var buffer = new byte[128 * 1024];
            var total = 0L;
            int read;
            while ((read = await bytes.ReadAsync(buffer, cancellationToken)) > 0)
            {
                await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                sent(total += read);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            // What comes through a pipe is sent in chunks: nobody knows how much will come.
            length = bytes.CanSeek ? bytes.Length : 0;
            return bytes.CanSeek;
        }
    }
}
