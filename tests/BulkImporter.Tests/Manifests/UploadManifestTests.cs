using System.Security.Cryptography;
using BulkImporter.Data;
using BulkImporter.Manifests;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Manifests;

public sealed class UploadManifestTests(ImporterDatabase database) : IClassFixture<ImporterDatabase>
{
    private const int Piece = ManifestBytes.PieceSize;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(Piece - 1)]
    [InlineData(Piece)]
    [InlineData(Piece + 1)]
    [InlineData((3 * Piece) + 17)]
    public async Task Bytes_come_back_as_they_were_whatever_their_number(int size)
    {
        var bytes = Noise(size);
        var manifest = await Upload().RunAsync(new Drip(bytes), "library.csv", Token);
        Assert.Equal(SHA256.HashData(bytes), manifest.Sha256);
        Assert.Equal(size, manifest.SizeBytes);
        Assert.Equal((size + Piece - 1) / Piece,
            (int)await database.OneAsync<long>("SELECT count(*) FROM importer.manifest_part WHERE manifest_id = $1", manifest.Id));

        await using var stream = await new ManifestBytes(database.Source).OpenAsync(manifest.Id, Token);
        using var read = new MemoryStream();
        await stream.CopyToAsync(read, 10_007, Token);
        Assert.Equal(bytes, read.ToArray());
        Assert.Equal(0, await stream.ReadAsync(new byte[1], Token));
    }

    [Fact]
    public async Task An_empty_file_is_refused_and_leaves_nothing()
    {
        var before = await ManifestsAsync();
        Assert.Equal("file",
            (await Assert.ThrowsAsync<InvalidArgumentException>(() => Upload().RunAsync(new MemoryStream(), "x.csv", Token))).Argument);
        Assert.Equal(before, await ManifestsAsync());
    }

    [Fact]
    public async Task A_file_of_the_limit_is_taken_and_one_byte_more_is_refused_and_leaves_nothing()
    {
        await Upload(limit: Piece + 5).RunAsync(new MemoryStream(Noise(Piece + 5)), "x.csv", Token);
        var before = await ManifestsAsync();
        var refused = await Assert.ThrowsAsync<ManifestTooLargeException>(() =>
            Upload(limit: Piece + 5).RunAsync(new MemoryStream(Noise(Piece + 6)), "x.csv", Token));
        Assert.Contains("1,048,581", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, await ManifestsAsync());
    }

    [Fact]
    public async Task An_upload_that_breaks_is_no_manifest_and_is_swept_after_its_time_and_not_before()
    {
        await Assert.ThrowsAsync<IOException>(() =>
            Upload().RunAsync(new Drip(Noise(2 * Piece)) { BreakAt = Piece + 100 }, "broken.csv", Token));
        var partial =
            await database.OneAsync<int>("SELECT id FROM importer.manifest WHERE file_name = 'broken.csv' AND received_at IS NULL");
        await Assert.ThrowsAsync<FileNotFoundException>(() => new ManifestBytes(database.Source).OpenAsync(partial, Token));

        await Sweep().RunAsync(Token);
        Assert.Equal(1L, await database.OneAsync<long>("SELECT count(*) FROM importer.manifest_part WHERE manifest_id = $1", partial));
        await database.SqlAsync("UPDATE importer.manifest SET created_at = now() - interval '25 hours' WHERE id = $1", partial);
        await Sweep().RunAsync(Token);
        Assert.Equal(0L, await database.OneAsync<long>("SELECT count(*) FROM importer.manifest_part WHERE manifest_id = $1", partial));
    }

    [Fact]
    public async Task The_sweep_takes_old_manifests_without_an_import_and_leaves_those_with_one()
    {
        var used = await database.ImportAsync(BulkImporter.Imports.ImportState.Review, [BulkImporter.Records.RecordState.Pending]);
        var unused = await Upload().RunAsync(new MemoryStream(Noise(10)), "unused.csv", Token);
        await database.SqlAsync(
            "UPDATE importer.manifest SET created_at = now() - interval '3 days', received_at = CASE WHEN received_at IS NULL THEN NULL "
                + "ELSE now() - interval '3 days' END");
        await Sweep().RunAsync(Token);
        Assert.Equal(0L, await database.OneAsync<long>("SELECT count(*) FROM importer.manifest WHERE id = $1", unused.Id));
        Assert.Equal(1L,
            await database.OneAsync<long>(
                "SELECT count(*) FROM importer.manifest m JOIN importer.import i ON i.manifest_id = m.id WHERE i.id = $1", used));
    }

    [Theory]
    [InlineData(@"C:\Users\ann\library.csv", "library.csv")]
    [InlineData("../../etc/library.csv", "library.csv")]
    [InlineData("li\nbrary.csv", "library.csv")]
    [InlineData("", "manifest.csv")]
    public async Task A_file_is_named_without_its_folder(string given, string kept)
    {
        var manifest = await Upload().RunAsync(new MemoryStream("x"u8.ToArray()), given, Token);
        Assert.Equal(kept, await database.OneAsync<string>("SELECT file_name FROM importer.manifest WHERE id = $1", manifest.Id));
    }

    [Fact]
    public async Task A_damaged_piece_is_an_error_and_not_an_early_end()
    {
        var manifest = await Upload().RunAsync(new MemoryStream(Noise(Piece + 100)), "x.csv", Token);
        await database.SqlAsync("DELETE FROM importer.manifest_part WHERE manifest_id = $1 AND number = 1", manifest.Id);
        await using var stream = await new ManifestBytes(database.Source).OpenAsync(manifest.Id, Token);
        await Assert.ThrowsAsync<InvalidDataException>(() => stream.CopyToAsync(Stream.Null, Token));
    }

    private UploadManifest Upload(long limit = 1L << 30) =>
        new(database.Source, Options.Create(new ManifestOptions { UploadLimitBytes = limit }));

    private SweepManifests Sweep() => new(database.Source);

    private Task<long> ManifestsAsync() => database.OneAsync<long>("SELECT count(*) FROM importer.manifest");

    /// <summary>Letters, so that it may be a manifest, and behind what an upload looks at any bytes.</summary>
    private static byte[] Noise(int size)
    {
        var bytes = new byte[size];
        var random = new Random(size);
        random.NextBytes(bytes);
        for (var at = 0; at < Math.Min(size, Piece / 2); at++) bytes[at] = (byte)random.Next('a', 'z' + 1);
        return bytes;
    }

    /// <summary>Gives its bytes in uneven small pieces, as a network does, and may break.</summary>
    private sealed class Drip(byte[] bytes) : MemoryStream(bytes)
    {
        public int BreakAt { get; init; } = int.MaxValue;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (Position >= BreakAt) throw new IOException("The connection is gone.");
            return base.ReadAsync(buffer[..Math.Min(buffer.Length, 70_001)], cancellationToken);
        }
    }
}
