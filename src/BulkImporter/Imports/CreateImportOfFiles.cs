using BulkImporter.Manifests;
using BulkImporter.Sources;

namespace BulkImporter.Imports;

/// <summary>A file of a new import, which was sent here before.</summary>
/// <param name="Name">The name that its asset gets; a folder in it is dropped.</param>
/// <param name="Sha256">Of its bytes, in hexadecimal.</param>
public sealed record FileToPush(string Name, string Sha256);

/// <summary>
/// Makes an import of files that were sent here: a manifest is written with a row for each, which is from then on as any other, and whose
/// transfer is push. The files are kept while the import has not ended.
/// </summary>
public sealed class CreateImportOfFiles(NpgsqlDataSource database, ReadSourceFile files, UploadManifest upload, CreateImport create)
{
    public const int MostFiles = 10_000;

    /// <param name="import">Its manifest, and how that is read and sent, are made here.</param>
    /// <exception cref="InvalidArgumentException">A setting cannot be used, or a file is not here.</exception>
    public async Task<CreatedImport> RunAsync(NewImport import, IReadOnlyList<FileToPush> wanted, CancellationToken cancellationToken)
    {
        if (await create.FindByKeyAsync(import.IdempotencyKey, cancellationToken) is { } known) return known;
        if (wanted.Count is 0 or > MostFiles)
            throw new InvalidArgumentException("files", $"An import is made of 1 to {MostFiles:N0} files.");
        var named = wanted.Select(file => file with { Name = Bare(file.Name) }).ToList();
        import = import with
        {
            Name = import.Name ?? NameOf(named),
            Mapping = null,
            Settings = import.Settings
            with
            { Transfer = ImportTransfer.Push, Encoding = null }
        };
        await create.CheckAsync(import, mayNameAccount: false, cancellationToken);

        // 1. From now on the files stay for as long as retention waits, which is much longer than the rest takes.
        var here = await files.WantAsync(named.Select(file => file.Sha256), cancellationToken);
        if (named.FirstOrDefault(file => !here.ContainsKey(file.Sha256)) is { } missing)
            throw new InvalidArgumentException("files",
                $"This server does not have '{missing.Name}'. Send its bytes first, with POST /api/v1/files.");

        // 2. Dies here: a manifest without an import, which is swept.
        var manifest = await upload.RunAsync(new MemoryStream(Text(named)), "uploaded files.csv", cancellationToken);
        await database.ExecuteAsync(ManifestSourceFile.Link, cancellationToken, manifest.Id, here.Values.Distinct().ToArray());

        // 3. Now it is an import.
        return await create.RunAsync(import with { ManifestId = manifest.Id }, cancellationToken);
    }

    private static byte[] Text(IEnumerable<FileToPush> files)
    {
        var text = new StringBuilder("url,filename,transfer\n");
        foreach (var file in files)
        {
            var address = ReadSourceFile.AddressOf(file.Sha256.ToLowerInvariant(), file.Name);
            text.Append(address).Append(",\"").Append(file.Name.Replace("\"", "\"\"", StringComparison.Ordinal)).Append("\",push\n");
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static string NameOf(List<FileToPush> files)
    {
        var more = files.Count == 1 ? "" : $" and {files.Count - 1:N0} more";
        return (files[0].Name.Length > 150 ? files[0].Name[..150] : files[0].Name) + more;
    }

    private static string Bare(string name)
    {
        var bare = string.Concat(name[(name.LastIndexOfAny(['/', '\\']) + 1)..].Where(c => !char.IsControl(c))).Trim();
        return bare.Length switch
        {
            0 => throw new InvalidArgumentException("files", "A file has no name."),
            > 200 =>
                throw new InvalidArgumentException("files",
                    $"The name of a file has at most 200 characters, and '{bare[..40]}…' has {bare.Length:N0}."),
            _ => bare,
        };
    }
}
