using System.Security.Cryptography;
using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Retention;
using BulkImporter.Sources;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Sources;

/// <summary>Files that were sent here: how they are kept, found, read and removed.</summary>
public sealed class SourceFileTests(ImporterDatabase database) : IClassFixture<ImporterDatabase>
{
    private const int Piece = KeepSourceFile.PieceSize;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(Piece)]
    [InlineData((2 * Piece) + 17)]
    public async Task Bytes_come_back_as_they_were_from_any_place_on(int size)
    {
        var bytes = RandomNumberGenerator.GetBytes(size);
        var kept = await Keep().RunAsync(new MemoryStream(bytes), null, Token);
        Assert.Equal((Convert.ToHexStringLower(SHA256.HashData(bytes)), (long)size), (kept.Sha256, kept.SizeBytes));

        foreach (var from in new[] { 0, size / 2, size - 1, size })
        {
            var reader = (await Read().OpenAsync(kept.Sha256, from, Token))!;
            Assert.Equal(size, reader.Size);
            using var read = new MemoryStream();
            var buffer = new byte[10_007];
            for (int count; (count = await reader.ReadAsync(buffer, Token)) > 0;) read.Write(buffer, 0, count);
            Assert.Equal(bytes[from..], read.ToArray());
        }
    }

    [Fact]
    public async Task The_same_bytes_are_kept_once_also_when_they_come_twice_at_a_time()
    {
        var bytes = RandomNumberGenerator.GetBytes(Piece + 7);
        var kept = await Task.WhenAll(Keep().RunAsync(new MemoryStream(bytes), null, Token), Keep()
            .RunAsync(new MemoryStream(bytes), null, Token));
        var again = await Keep().RunAsync(new MemoryStream(bytes), null, Token);

        Assert.Equal(kept[0], kept[1]);
        Assert.Equal(kept[0], again);
        Assert.Equal(1L,
            await database.OneAsync<long>("SELECT count(*) FROM importer.source_file WHERE size_bytes = $1", (long)bytes.Length));
    }

    [Fact]
    public async Task An_upload_that_breaks_is_no_file_and_leaves_nothing()
    {
        var before = await PartsAsync();
        await Assert.ThrowsAsync<IOException>(() => Keep().RunAsync(new Broken(RandomNumberGenerator.GetBytes(2 * Piece)), null, Token));
        Assert.Equal("file",
            (await Assert.ThrowsAsync<InvalidArgumentException>(() => Keep().RunAsync(new MemoryStream(), null, Token))).Argument);
        Assert.Equal(before, await PartsAsync());
        Assert.Equal(0L, await database.OneAsync<long>("SELECT count(*) FROM importer.source_file WHERE received_at IS NULL"));
    }

    [Fact]
    public async Task The_limits_hold_for_one_file_and_for_all_and_what_is_refused_leaves_nothing()
    {
        // Something is kept already, also when no other test came first.
        await Keep().RunAsync(new MemoryStream(RandomNumberGenerator.GetBytes(20)), null, Token);
        var before = await PartsAsync();
        var sum = await database.OneAsync<long>("SELECT coalesce(sum(size_bytes), 0)::bigint FROM importer.source_file");

        // One that says how large it is is refused before its first byte.
        var tooLarge = await Assert.ThrowsAsync<SourceFileTooLargeException>(() =>
            Keep(limit: sum + 9).RunAsync(new Broken([]), sum + 10, Token));
        var tooMany = await Assert.ThrowsAsync<SourceFileTooLargeException>(() =>
            Keep(limit: sum + 9).RunAsync(new MemoryStream(RandomNumberGenerator.GetBytes(10)), null, Token));
        Assert.Equal(before, await PartsAsync());
        await Keep(limit: sum + Piece + 5).RunAsync(new MemoryStream(RandomNumberGenerator.GetBytes(Piece + 5)), null, Token);

        Assert.StartsWith("The file is larger than the limit", tooLarge.Message, StringComparison.Ordinal);
        Assert.StartsWith("The files that are waiting here would exceed", tooMany.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_goes_a_day_after_its_last_import_has_ended_or_when_none_came_and_not_before()
    {
        var (ended, running, young, unused, fresh) =
            (await FileAsync(), await FileAsync(), await FileAsync(), await FileAsync(), await FileAsync());
        await LinkAsync(ended, ImportState.Finished, "2 days");
        await LinkAsync(running, ImportState.Running, null);
        await LinkAsync(running, ImportState.Finished, "2 days");
        await LinkAsync(young, ImportState.Cancelled, "23 hours");
        await database.SqlAsync(
            "UPDATE importer.source_file SET received_at = now() - interval '25 hours', created_at = now() - interval '25 hours' WHERE "
                + "encode(sha256, 'hex') <> $1", fresh);

        var sweep = new SweepEnded(database.Source, Options.Create(new RetentionOptions()), NullLogger<SweepEnded>.Instance) { Rows = 2 };
        while (await sweep.RunAsync(Token) > 0) { }

        Assert.Null(await Read().FindAsync(ended, Token));
        Assert.Null(await Read().FindAsync(unused, Token));
        await Assert.AllAsync(new[] { running, young, fresh }, async file => Assert.NotNull(await Read().FindAsync(file, Token)));
        Assert.Equal(0L, await database.OneAsync<long>("SELECT count(*) FROM importer.source_file WHERE received_at IS NULL"));
    }

    private async Task<string> FileAsync() =>
        (await Keep().RunAsync(new MemoryStream(RandomNumberGenerator.GetBytes((3 * Piece) + 1)), null, Token)).Sha256;

    private async Task LinkAsync(string file, ImportState state, string? endedBefore)
    {
        var id = await database.ImportAsync(state, [state == ImportState.Running ? RecordState.Pending : RecordState.Imported]);
        if (endedBefore is not null)
            await database.SqlAsync("UPDATE importer.import SET finished_at = now() - $2::interval WHERE id = $1", id,
                TimeSpan.FromHours(endedBefore == "2 days" ? 48 : 23));
        await database.AddAsync(new ManifestSourceFile
        {
            ManifestId = await database.OneAsync<int>("SELECT manifest_id FROM importer.import WHERE id = $1", id),
            SourceFileId = await database.OneAsync<int>("SELECT id FROM importer.source_file WHERE encode(sha256, 'hex') = $1", file),
        });
    }

    private Task<long> PartsAsync() => database.OneAsync<long>("SELECT count(*) FROM importer.source_file_part");

    private ReadSourceFile Read() => new(database.Source);

    private KeepSourceFile Keep(long limit = 1L << 40) => new(database.Source, Options.Create(new SourceOptions { FilesLimitBytes = limit }));

    private sealed class Broken(byte[] bytes) : MemoryStream(bytes)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Position > Piece ? throw new IOException("The client went away.")
                : await base.ReadAsync(buffer[..Math.Min(buffer.Length, 100_000)], cancellationToken);
    }
}
