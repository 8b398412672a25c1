using BulkImporter.Manifests;
using BulkImporter.Parse;
using BulkImporter.Sources;

namespace BulkImporter.Tests.Parse;

public sealed class RowBatchTests
{
    [Theory]
    [InlineData(0, 10_000)]
    [InlineData(100_000, 42)]
    [InlineData(ManifestFormat.MaxFieldLength, 4)]
    public void It_is_full_after_10000_rows_or_4_MB(int description, int expected)
    {
        var batch = new RowBatch(1);
        while (!batch.IsFull) batch.Add(Row(batch.Rows + 1, description), 1, 5, [], DateTimeOffset.UnixEpoch);
        Assert.Equal(expected, batch.Rows);
    }

    private static CheckedRow Row(int number, int description) => new(
        number, number + 1, IsBlocked: false, "https://media.example/clip.mp4", SourceKey.Of("https://media.example/clip.mp4"), null,
        description == 0 ? null : new string('d', description), null, null, null, null, null, Transfer.Pull, IsImported: false,
        ExpiresAt: null);
}
