using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using BulkImporter.Api;
using BulkImporter.Imports;
using BulkImporter.Sources;

namespace BulkImporter.Cli;

/// <summary><c>push FILE…</c>: sends local files to the server, and makes an import of them, which it pushes to Cincopa.</summary>
internal sealed class PushVerb : ClientVerb
{
    /// <summary>The server takes no more for one import.</summary>
    private const int MostFiles = Imports.CreateImportOfFiles.MostFiles;

    private readonly Argument<InputFile[]> files = InputFile.Arguments(
        "Media files of this machine",
        "Cincopa tells by the name what kind of media it is: write the bytes to a file such as clip.mp4, and push that.");
    private readonly NewImportOptions import = new();

    public PushVerb(Surroundings surroundings)
        : base(surroundings, "push",
            "Send files of this machine: each becomes a row of an import, which waits for review, or starts with --start.",
            "BulkImporter push clip.mp4 --start --watch              one file, from here into Cincopa",
            "BulkImporter push media/*.mp4 --name 'Spring' --set fid=A4BcDeFgHiJk    all of a folder, into a gallery",
            "BulkImporter push media/*.mp4                           interrupted? Repeat it: what has arrived is not sent twice")
    {
        TakesFromServer(files, import.Account, import.Name, import.Set, import.Start, import.Watch, import.IdempotencyKey, Json);
    }

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        var wanted = line.GetRequiredValue(files);
        if (wanted.Length > MostFiles)
            throw new VerbFailure(ExitCode.Usage,
                string.Create(CultureInfo.InvariantCulture,
                    $"{wanted.Length:N0} files are too many for one import: {MostFiles:N0} at most."), "Push them in parts.");
        if (Array.Find(wanted, file => new FileInfo(file.Name).Length == 0) is { } empty)
            throw new VerbFailure(ExitCode.Failed, $"{empty.Name} is empty. There is nothing to send.");

        var sent = new List<FileToPush>();
        foreach (var file in wanted)
            sent.Add(new FileToPush(file.FileName!, await SendAsync(api, file, cancellationToken)));
        var made = await api.CreateOfFilesAsync(new FilesBody(sent), import.Query(line), line.GetValue(import.IdempotencyKey),
            cancellationToken);
        return await import.ShowAsync(line, made, api, line.GetValue(Json), Surroundings, cancellationToken);
    }

    /// <summary>Sends a file unless the server has its bytes already. Returns their hash.</summary>
    private ValueTask<string> SendAsync(ImporterApi api, InputFile file, CancellationToken cancellationToken) => file.ReadAsync(async () =>
    {
        await using var bytes = file.Open(Surroundings);
        var sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(bytes, cancellationToken));
        if (await api.HasFileAsync(sha256, cancellationToken))
        {
            Surroundings.Error.WriteLine($"{file.FileName} is already on the server.");
            return sha256;
        }

        bytes.Position = 0;
        var kept = await SubmitVerb.StreamAsync(
            bytes, file.FileName!, "application/octet-stream", content =>
                api.UploadAsync<KeptFile>("files", content, cancellationToken), Surroundings);
        // The server says what arrived: a file that somebody writes to while it is sent is another one.
        return kept.Value.Sha256;
    });
}
