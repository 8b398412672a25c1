using System.Security.Cryptography;
using BulkImporter.Api;
using BulkImporter.Imports;
using BulkImporter.Sources;

namespace BulkImporter.Cli;

/// <summary><c>push FILE…</c>: sends local files to the server, and makes an import of them, which it pushes to Cincopa.</summary>
internal static class PushVerb
{
    /// <summary>The server takes no more for one import.</summary>
    private const int MostFiles = CreateImportOfFiles.MostFiles;

    public static Verb Of(Surroundings surroundings)
    {
        var files = InputFile.Arguments("Media files on this machine",
            "Cincopa recognises the kind of media by the name: write the bytes to a file such as clip.mp4, and push that.");
        var import = new NewImportOptions();
        return new ClientVerb(surroundings, "push",
            "Send files on this machine: each becomes a row of an import, which waits for review, or starts with --start.",
            ["BulkImporter push clip.mp4 --start --watch              one file, from here into Cincopa",
                "BulkImporter push media/*.mp4 --name 'Spring' --set fid=A4BcDeFgHiJk    all of a folder, into a gallery",
                "BulkImporter push media/*.mp4                           interrupted? Repeat it: what has arrived is not sent twice"],
            [files, .. import.With()],
            async call =>
            {
                var wanted = call.Get(files);
                if (wanted.Length > MostFiles)
                    throw new VerbFailure(ExitCode.Usage,
                        $"{wanted.Length:N0} files are too many for one import: {MostFiles:N0} at most.", "Push them in parts.");
                if (Array.Find(wanted, file => new FileInfo(file.Name).Length == 0) is { } empty)
                    throw new VerbFailure(ExitCode.Failed, $"{empty.Name} is empty. There is nothing to send.");

                var sent = new List<FileToPush>();
                foreach (var file in wanted) sent.Add(new FileToPush(file.FileName!, await SendAsync(call, file)));
                return await import.ShowAsync(call, await call.Api.SendAsync<ImportView>(HttpMethod.Post,
                    "imports/files" + import.Query(call), new FilesBody(sent), call.CancellationToken, import.IdempotencyKey(call)));
            });
    }

    /// <summary>Sends a file unless the server has its bytes already. Returns their hash.</summary>
    private static ValueTask<string> SendAsync(Call call, InputFile file) => file.ReadAsync(async () =>
    {
        await using var bytes = file.Open(call.Surroundings);
        var sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(bytes, call.CancellationToken));
        try
        {
            await call.GetAsync<KeptFile>($"files/{sha256}");
            call.Note($"{file.FileName} is already on the server.");
            return sha256;
        }
        catch (VerbFailure failure) when (failure.ExitCode == ExitCode.NotFound)
        {
            // Then it is sent.
        }

        bytes.Position = 0;
        var kept = await SubmitVerb.StreamAsync(bytes, file.FileName!, "application/octet-stream",
            content => call.PostAsync<KeptFile>("files", content), call.Surroundings);
        // The server says what arrived: a file that somebody writes to while it is sent is another one.
        return kept.Value.Sha256;
    });
}
