using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Spectre.Console;

namespace BulkImporter.Cli;

/// <summary><c>submit FILE</c>: uploads a manifest, which becomes an import.</summary>
internal sealed class SubmitVerb : ClientVerb
{
    private readonly Argument<FileInfo> file = new("FILE") { Description = "The manifest: .csv or .csv.gz, one row per media file with its URL" };
    private readonly Option<string?> account = new("--account") { HelpName = "NAME", Description = "The Cincopa account that the media go to [default]" };
    private readonly Option<string?> name = new("--name") { HelpName = "NAME", Description = "What to call the import (the file's name)" };
    private readonly Option<string?> map = new("--map") { HelpName = "MAPPING", Description = "Which column is what, when the header does not tell: url=OriginalURL,caption=Title" };
    private readonly Option<string[]> set = new("--set") { HelpName = "KEY=VALUE", Description = "A setting of the import, repeatable: maxAttempts, chunkSize, whenUnknown (hold or resubmit), alreadyImported and duplicateRows (skip or import), priority, fid, transfer (pull, push or auto), firstRows, startAt (ISO 8601), window (22:00-06:00 Europe/Berlin), stopAtFailurePercent, stopAfterRows", DefaultValueFactory = _ => [] };
    private readonly Option<string?> encoding = new("--encoding") { HelpName = "ENCODING", Description = "windows-1252 for a file in that encoding; UTF-8 and UTF-16 are recognised" };
    private readonly Option<bool> start = new("--start") { Description = "Start at once, without review" };
    private readonly Option<bool> watch = new("--watch", "-w") { Description = "Follow it to its end; Ctrl-C stops watching, not the import" };
    private readonly Option<string?> idempotencyKey = new("--idempotency-key") { HelpName = "KEY", Description = "Submitting again with the same key answers with the first import instead of making another" };

    public SubmitVerb(Surroundings surroundings)
        : base(surroundings, "submit", "Upload a manifest: it is read, checked, and waits for review, or starts with --start.",
            "BulkImporter submit library.csv                         upload, then look at it: BulkImporter show ID",
            "BulkImporter submit library.csv --start --watch         all in one, with progress; exit code 3 when records failed",
            "BulkImporter submit old.csv --map url=Link,caption=Name --account museum",
            "BulkImporter submit library.csv --start --set window='22:00-06:00 Europe/Berlin'    only at night",
            "BulkImporter submit night.csv.gz --start --idempotency-key night-2026-11-23    safe to repeat in a script")
    {
        file.AcceptExistingOnly();
        set.Validators.Add(result =>
        {
            foreach (var token in result.Tokens.Where(t => t.Value.IndexOf('=', StringComparison.Ordinal) < 1))
                result.AddError($"--set takes KEY=VALUE, and '{token.Value}' is none.");
        });
        encoding.AcceptOnlyFromAmong(Manifests.ManifestReading.Windows1252);
        TakesFromServer(file, account, name, map, encoding, set, start, watch, idempotencyKey, Json);
    }

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        var manifest = line.GetRequiredValue(file);
        var query = Query.Of(
            [
                ("name", line.GetValue(name)),
                ("fileName", manifest.Name),
                ("account", line.GetValue(account)),
                ("start", line.GetValue(start) ? "true" : null),
                ("map", line.GetValue(map)),
                ("encoding", line.GetValue(encoding)),
                .. line.GetRequiredValue(set).Select(s => ("set", (string?)s)),
            ]);
        ApiReply<ImportBody> import;
        try
        {
            await using var bytes = manifest.Open(new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.Read, Options = FileOptions.Asynchronous | FileOptions.SequentialScan });
            import = await UploadAsync(api, bytes, manifest.Name, query, line.GetValue(idempotencyKey), Surroundings, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new VerbFailure(ExitCode.Failed, $"{manifest.FullName} cannot be read: {e.Message}");
        }

        if (line.GetValue(watch))
            return await new Watch(api, Surroundings).RunAsync(import, line.GetValue(Json), cancellationToken);
        if (line.GetValue(Json))
        {
            Surroundings.Output.WriteLine(import.Json);
            return ExitCode.Done;
        }

        if (Surroundings.IsQuiet)
        {
            Surroundings.Output.WriteLine(import.Value.Id.ToString(CultureInfo.InvariantCulture));
            return ExitCode.Done;
        }

        Surroundings.Output.WriteLine(ImportPicture.Headline(import.Value));
        if (import.Value.SameManifestAs is { } same)
            Surroundings.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"The same file was uploaded before: it is import {same}."));
        Surroundings.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Follow it with: BulkImporter show {import.Value.Id} --watch"));
        return ExitCode.Done;
    }

    /// <summary>Streams a manifest's bytes to the server, with a bar when a person looks on.</summary>
    public static async Task<ApiReply<ImportBody>> UploadAsync(
        ImporterApi api, Stream bytes, string fileName, string query, string? idempotencyKey, Surroundings surroundings, CancellationToken cancellationToken)
    {
        if (!surroundings.IsLive)
        {
            surroundings.Error.WriteLine($"Uploading {fileName}, {Wording.Size(bytes.Length)}.");
            using var plain = new ManifestContent(bytes, _ => { });
            return await api.SubmitAsync(plain, query, idempotencyKey, cancellationToken);
        }

        return await surroundings.Screen.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn())
            .StartAsync(async progress =>
            {
                var bar = progress.AddTask(Markup.Escape($"Uploading {fileName}"), maxValue: Math.Max(1, bytes.Length));
                using var content = new ManifestContent(bytes, sent => bar.Value = sent);
                return await api.SubmitAsync(content, query, idempotencyKey, cancellationToken);
            });
    }

    /// <summary>A file as it is sent, telling how far it is.</summary>
    private sealed class ManifestContent : HttpContent
    {
        private readonly Stream bytes;
        private readonly Action<long> sent;

        public ManifestContent(Stream bytes, Action<long> sent)
        {
            this.bytes = bytes;
            this.sent = sent;
            // Compressed or not, the server tells by the bytes.
            Headers.ContentType = new MediaTypeHeaderValue("text/csv");
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

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
            length = bytes.Length;
            return true;
        }
    }
}
