using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;

namespace BulkImporter.Export;

/// <param name="Name">The import's.</param>
/// <param name="Files">Files in the archive, without the list of their sums.</param>
/// <param name="Records">Records of the import.</param>
public sealed record VerifiedArchive(int ImportId, string Name, int Files, int Records);

/// <summary>
/// Reads an archive of <see cref="ArchiveImport"/> through and compares it with its sums; needs neither server nor database.
/// </summary>
public static class VerifyArchive
{
    /// <exception cref="InvalidDataException">It is not what was archived, or not all of it; the message says what and where.</exception>
    public static async Task<VerifiedArchive> RunAsync(Stream file, CancellationToken cancellationToken)
    {
        await using var zip = await ZipArchive.CreateAsync(file, ZipArchiveMode.Read, leaveOpen: true, entryNameEncoding: null,
            cancellationToken);
        if (zip.GetEntry(ArchiveImport.SumsEntry) is not { } sums)
            throw new InvalidDataException($"It has no {ArchiveImport.SumsEntry}: it is not an archive of an import, or it is incomplete.");
        var listed = (await TextAsync(sums, cancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split("  ", 2))
                .ToDictionary(parts => parts is [_, var name]
                    ? name : throw new InvalidDataException($"{ArchiveImport.SumsEntry} cannot be read."), parts => parts[0]);

        var records = 0;
        foreach (var entry in zip.Entries.Where(e => e.FullName != ArchiveImport.SumsEntry))
        {
            if (!listed.TryGetValue(entry.FullName, out var sum))
                throw new InvalidDataException($"{entry.FullName} is not in the list of sums: it was put in afterwards.");
            var (actual, lines) = await ReadAsync(entry, cancellationToken);
            if (actual != sum)
                throw new InvalidDataException($"{entry.FullName} was changed or damaged: its SHA-256 is {actual}, and was {sum}.");
            if (entry.FullName == ArchiveImport.RecordsEntry) records = lines;
        }
        if (listed.Keys.FirstOrDefault(name => zip.GetEntry(name) is null) is { } missing)
            throw new InvalidDataException($"{missing} is missing.");

        using var import =
            JsonDocument.Parse(await TextAsync(zip.GetEntry(ArchiveImport.ImportEntry)
                ?? throw new InvalidDataException($"{ArchiveImport.ImportEntry} is missing."), cancellationToken));
        var rows = import.RootElement.GetProperty("row_count") is { ValueKind: JsonValueKind.Number } count ? count.GetInt32() : 0;
        if (records != rows)
            throw new InvalidDataException($"{ArchiveImport.RecordsEntry} has {records} records, and the import had {rows}.");
        return new(import.RootElement.GetProperty("id").GetInt32(), import.RootElement.GetProperty("name")
            .GetString()!, listed.Count, records);
    }

    private static async Task<(string Sum, int Lines)> ReadAsync(ZipArchiveEntry entry, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var bytes = await entry.OpenAsync(cancellationToken);
        var buffer = new byte[64 * 1024];
        var lines = 0;
        for (int count; (count = await bytes.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            hash.AppendData(buffer, 0, count);
            lines += buffer.AsSpan(0, count).Count((byte)'\n');
        }
        return (Convert.ToHexStringLower(hash.GetHashAndReset()), lines);
    }

    private static async Task<string> TextAsync(ZipArchiveEntry entry, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(await entry.OpenAsync(cancellationToken), Encoding.UTF8);
        return await reader.ReadToEndAsync(cancellationToken);
    }
}
