using System.Text;
using BulkImporter.Manifests;

namespace BulkImporter.Tests.Manifests;

/// <summary>Alone, because it measures the memory of the whole process, and how soon a reading ends.</summary>
[CollectionDefinition(nameof(EndlessManifestTests), DisableParallelization = true)]
[Collection(nameof(EndlessManifestTests))]
[Trait("Category", "Slow")]
public class EndlessManifestTests
{
    private const string Host = "https://media.example.org/";

    [Fact]
    public async Task Memory_stays_flat_over_a_long_manifest()
    {
        await using var source = new EndlessRows(400_000);
        await using var reader = await ManifestReader.OpenAsync(source, new ManifestReading(), TestContext.Current.CancellationToken);
        var rows = 0;
        var before = GC.GetTotalMemory(forceFullCollection: true);
        while (rows < 350_000 && await reader.ReadAsync(TestContext.Current.CancellationToken))
            rows++;
        Assert.Equal(350_000, rows);
        Assert.True(GC.GetTotalMemory(forceFullCollection: true) - before < 32 * 1024 * 1024);
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData(",\n")]
    [InlineData("\"\"\n")]
    [InlineData(" \t\n")]
    public async Task Blank_lines_without_an_end_take_no_memory_and_their_number_is_kept(string blank)
    {
        const int mb = 1024 * 1024;
        var lines = 17L * mb / blank.Length; // a window that keeps them doubles to 32 MB
        await using var source = new RepeatedText($"url,caption\n{Host}a.mp4,One\n", blank, lines, $"{Host}b.mp4,Two\n");
        await using var reader = await ManifestReader.OpenAsync(source, new ManifestReading(), TestContext.Current.CancellationToken);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        Assert.True(await reader.ReadAsync(TestContext.Current.CancellationToken));
        Assert.True(await reader.ReadAsync(TestContext.Current.CancellationToken));
        Assert.Equal((2, lines + 3), (reader.Row.RowNumber, reader.Row.LineNumber));
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 24 * mb);
        Assert.False(await reader.ReadAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("x\"z,\"y\n")]
    public async Task Cancelling_ends_the_reading_of_blank_lines_or_open_quotes_within_a_second(string piece)
    {
        await using var source = new RepeatedText("url,caption\n", piece, long.MaxValue, "");
        await using var reader = await ManifestReader.OpenAsync(source, new ManifestReading(), TestContext.Current.CancellationToken);
        using var cancelled = new CancellationTokenSource(TimeSpan.FromSeconds(0.2));
        var reading = Task.Run(async () =>
        {
            while (await reader.ReadAsync(cancelled.Token))
            {
            }
        }, TestContext.Current.CancellationToken);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            reading.WaitAsync(TimeSpan.FromSeconds(1.2), TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("x", 17_000_000)]
    [InlineData("\"\"", 9_000_000)]
    [InlineData("a,", 9_000_000)]
    [InlineData("\n\"\"", 6_000_000)]
    public async Task A_line_or_a_quoted_value_without_an_end_takes_no_more_than_the_window_and_no_more_than_its_time(
        string piece, long times)
    {
        var since = System.Diagnostics.Stopwatch.StartNew();
        await using var source = new RepeatedText($"url,caption\n{Host}a.mp4,\"", piece, times, "");
        await using var reader = await ManifestReader.OpenAsync(source, new ManifestReading(), TestContext.Current.CancellationToken);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        try
        {
            while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            {
            }
        }
        catch (ManifestRejectedException rejection)
        {
            Assert.Equal(RejectionCode.RowTooLong, rejection.Code);
        }

        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 40 * 1024 * 1024);
        Assert.InRange(since.Elapsed.TotalSeconds, 0, 10);
    }

    [Theory]
    [InlineData("x\"z,\"y\n", 1_500_000)]
    // The record ends below the size at which an unclosed quote is looked for.
    [InlineData("x\"z,\"y\n", 500_000)]
    public async Task Quotes_that_open_anew_in_each_line_end_the_reading_before_each_line_has_read_all_that_follow(string line, int lines)
    {
        await using var source = new RepeatedText("url,caption\n", line, lines, "e\"\n");
        await using var reader = await ManifestReader.OpenAsync(source, new ManifestReading(), TestContext.Current.CancellationToken);
        var rows = 0;
        var rejection = await Assert.ThrowsAsync<ManifestRejectedException>(async () =>
        {
            while (await reader.ReadAsync(TestContext.Current.CancellationToken)) rows++;
        });
        Assert.Equal((RejectionCode.TooManyInvalidRows, rows + 1L), (rejection.Code, rejection.Line));
        Assert.InRange(rows, 50, 500);
    }

    /// <summary>A beginning, one text many times, and an end, made while they are read.</summary>
    private sealed class RepeatedText(string start, string piece, long times, string end) : MemoryStream
    {
        private readonly byte[] piece = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(piece, 1000)));
        private byte[] start = Encoding.UTF8.GetBytes(start);
        private byte[] end = Encoding.UTF8.GetBytes(end);
        private long left = times > long.MaxValue / piece.Length ? long.MaxValue : times * piece.Length;
        private int at;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (start.Length > 0 || left == 0)
                return ValueTask.FromResult(Give(ref left == 0 && start.Length == 0 ? ref end : ref start, buffer));
            var count = (int)Math.Min(Math.Min(buffer.Length, piece.Length - at), left);
            piece.AsMemory(at, count).CopyTo(buffer);
            at = (at + count) % piece.Length;
            left -= count;
            return ValueTask.FromResult(count);
        }

        private static int Give(ref byte[] text, Memory<byte> buffer)
        {
            var count = Math.Min(buffer.Length, text.Length);
            text.AsMemory(0, count).CopyTo(buffer);
            text = text[count..];
            return count;
        }
    }
}

/// <summary>Rows made while they are read, so that the test itself holds none.</summary>
internal sealed class EndlessRows(int count) : MemoryStream
{
    private int row = -1;
    private byte[] rest = [];

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (rest.Length == 0 && row < count)
            rest = Encoding.UTF8.GetBytes(++row == 0 ? "url,caption\n" : $"https://media.example.org/{row}.mp4,\"Caption {row}\"\n");
        var given = Math.Min(buffer.Length, rest.Length);
        rest.AsMemory(0, given).CopyTo(buffer);
        rest = rest[given..];
        return ValueTask.FromResult(given);
    }
}
