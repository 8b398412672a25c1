using System.Text;
using BulkImporter.Manifests;

namespace BulkImporter.Tests.Manifests;

public class ManifestReaderTests
{
    private const string Host = "https://media.example.org/";

    [Fact]
    public async Task Million_blank_rows_at_the_end_are_no_rows()
    {
        var text = new StringBuilder($"url,caption\n{Host}a.mp4,One\n");
        for (var line = 0; line < 500_000; line++)
            text.Append("\r\n,,\r\n");
        text.Append($"{Host}b.mp4,Two\n").Append('\n', 6_000_000);
        var content = await WholeManifest.ReadAsync(text.ToString());
        Assert.Equal([(1, 2L), (2, 1_000_003L)], content.Rows.Select(row => (row.RowNumber, row.LineNumber)));
    }

    [Fact]
    public async Task Unclosed_quote_costs_its_own_line_however_much_follows()
    {
        var text = new StringBuilder($"url,caption\n{Host}first.mp4,\"One\n");
        for (var row = 0; row < 150_000; row++)
            text.Append($"{Host}clip-{row:000000}.mp4,Caption {row}\n");
        var content = await WholeManifest.ReadAsync(text.ToString());
        Assert.True(text.Length > 4 * 1024 * 1024, "The parser must meet its record limit.");
        Assert.Equal(150_001, content.Rows.Count);
        Assert.Equal(FindingCode.UnterminatedQuote, Assert.Single(content.Findings).Code);
        Assert.All(content.Rows.Skip(1), row => Assert.Equal($"{Host}clip-{row.RowNumber - 2:000000}.mp4", row.Fields[0]));
        Assert.All(content.Rows, row => Assert.Equal(row.RowNumber + 1, row.LineNumber));
    }

    [Theory]
    [InlineData(1024 * 1024 + 1, '"')]
    [InlineData(1024 * 1024 + 1, ' ')]
    [InlineData(3 * 1024 * 1024, '"')]
    [InlineData(6 * 1024 * 1024, ' ')]
    public async Task Field_over_1_MB_is_found_and_the_rows_around_it_are_read(int length, char quote)
    {
        var huge = $"{quote}{new string('x', length)}{quote}";
        var content = await WholeManifest.ReadAsync($"url,caption\n{Host}a.mp4,One\n{Host}b.mp4,{huge}\n{Host}c.mp4,Three\n");
        Assert.Equal([(2, FindingCode.FieldTooLong, "caption")],
            content.Findings.Select(finding => (finding.RowNumber, finding.Code, finding.Column!)));
        Assert.Equal([2L, 3L, 4L], content.Rows.Select(row => row.LineNumber));
        Assert.Equal($"{Host}b.mp4,{huge}", content.Rows[1].RawText);
    }

    [Fact]
    public async Task Field_of_1_MB_is_in_order()
    {
        var content = await WholeManifest.ReadAsync($"url,note\n{Host}a.mp4,{new string('x', 1024 * 1024)}\n");
        Assert.Empty(content.Findings);
    }

    [Fact]
    public async Task Line_over_16_MB_rejects_the_manifest_and_is_named()
    {
        var rejection = await Assert.ThrowsAsync<ManifestRejectedException>(() =>
            WholeManifest.ReadAsync($"url,caption\n{Host}a.mp4,One\n{Host}b.mp4,{new string('x', 17 * 1024 * 1024)}"));
        Assert.Equal((RejectionCode.RowTooLong, 3L), (rejection.Code, rejection.Line));
    }

    [Fact]
    public async Task File_of_unclosed_quotes_only_keeps_every_line_a_row()
    {
        var text = string.Concat(Enumerable.Range(0, 2000).Select(row => $"{Host}{row}.mp4,\"One\n"));
        var content = await WholeManifest.ReadAsync("url,caption\n" + text);
        Assert.Equal(2000, content.Rows.Count);
        Assert.All(content.Rows, row => Assert.Equal([FindingCode.UnterminatedQuote], row.Codes));
    }

    [Fact]
    public async Task Invalid_byte_far_behind_the_beginning_is_named_by_its_offset()
    {
        var good = Encoding.UTF8.GetBytes("url,caption\n"
            + string.Concat(Enumerable.Range(0, 20_000).Select(row => $"{Host}{row}.mp4,Café\n")));
        byte[] bytes = [.. good, (byte)'x', 0xFF, (byte)'\n'];
        var rejection = await Assert.ThrowsAsync<ManifestRejectedException>(() => WholeManifest.ReadAsync(bytes));
        Assert.Equal((RejectionCode.EncodingInvalid, (long?)(good.Length + 1)), (rejection.Code, rejection.ByteOffset));
        Assert.Contains("CSV UTF-8", rejection.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelling_ends_the_reading()
    {
        await using var source = new EndlessRows(10_000);
        await using var reader = await ManifestReader.OpenAsync(source, new ManifestReading(), TestContext.Current.CancellationToken);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            while (await reader.ReadAsync(cancelled.Token))
            {
            }
        });
    }

    [Fact]
    public async Task Lines_before_the_header_are_findings_about_the_file_and_line_numbers_stay_true()
    {
        var content = await WholeManifest.ReadAsync(
            $"#TYPE System.Object\n# it's \"open\n\nAsset report\nGenerated,,\nurl,title,id\n{Host}a.mp4,One,A-1\n");
        Assert.Equal(
            [(0, 1L, "#TYPE System.Object"), (0, 2L, "# it's \"open"), (0, 4L, "Asset report"), (0, 5L, "Generated,,")],
            content.Findings.Where(finding => finding.Code == FindingCode.LineSkipped)
                .Select(finding => (finding.RowNumber, finding.LineNumber, finding.MaskedValue!)));
        Assert.Equal((1, 7L, "pending"), (content.Rows[0].RowNumber, content.Rows[0].LineNumber, content.Rows[0].State));
    }

    [Theory]
    [InlineData("Report,Ann,2026\n\nurl,title\n", "Line 3 looks like the header (url, title). Line 1 before it is not part of its table")]
    [InlineData("Report\nAnn\nLink to file,Remark\n",
        "Line 3 looks like the header (Link to file, Remark). Lines 1 to 2 before it are not part of its table")]
    public async Task A_title_that_may_be_a_header_is_refused_with_the_line_that_looks_like_one(string before, string told)
    {
        var rejection = await Assert.ThrowsAsync<ManifestRejectedException>(() => WholeManifest.ReadAsync($"{before}{Host}a.mp4,One\n"));
        Assert.Equal(RejectionCode.HeaderUnclear, rejection.Code);
        Assert.Contains(told, rejection.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("url,\"title\nx,y\n", "a quote that is not closed")]
    [InlineData("url,\"title\" of it\nx,y\n", "text follows a closing quote")]
    [InlineData("url,\u00A0\"title\"\nx,y\n", "after an unusual blank")]
    [InlineData("url,title\0\nx,y\n", "NUL")]
    public async Task A_damaged_header_is_told_by_its_own_damage(string text, string told)
    {
        var rejection = await Assert.ThrowsAsync<ManifestRejectedException>(() => WholeManifest.ReadAsync(text));
        Assert.Equal(RejectionCode.HeaderDamaged, rejection.Code);
        Assert.Contains(told, rejection.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1000, false)]
    [InlineData(1001, true)]
    [InlineData(1_000_000, true)]
    public async Task More_than_a_thousand_columns_are_refused_before_they_cost_anything(int columns, bool refused)
    {
        foreach (var header in new[] { "url" + new StringBuilder()
            .Insert(0, ",x", columns - 1), $"{Host}a.mp4" + new string(',', columns - 1) })
        {
            var text = $"{header}\n{Host}a.mp4\n";
            if (refused)
            {
                var rejection = await Assert.ThrowsAsync<ManifestRejectedException>(() => WholeManifest.ReadAsync(text));
                Assert.Equal((RejectionCode.TooManyColumns, 1L), (rejection.Code, rejection.Line));
            }
            else
            {
                Assert.NotEmpty((await WholeManifest.ReadAsync(text)).Rows);
            }
        }
    }

    [Theory]
    [InlineData(99_999, 0, false)]
    [InlineData(100_000, 0, true)]
    [InlineData(99_999, 99_999, false)]
    public async Task A_hundred_thousand_invalid_rows_in_a_row_end_the_reading(int before, int after, bool refused)
    {
        var text = new StringBuilder("url\n").Insert(4, "x\n", before).Append($"{Host}a.mp4\n");
        for (var row = 0; row < after; row++) text.Append("x\n");
        if (refused)
            Assert.Equal((RejectionCode.TooManyInvalidRows, 100_001L), await RejectionAsync(text.ToString()));
        else
            Assert.Equal(before + 1 + after, (await WholeManifest.ReadAsync(text.ToString())).Rows.Count);
    }

    private static async Task<(RejectionCode, long?)> RejectionAsync(string text)
    {
        var rejection = await Assert.ThrowsAsync<ManifestRejectedException>(() => WholeManifest.ReadAsync(text));
        return (rejection.Code, rejection.Line);
    }

    [Fact]
    public async Task What_unpacks_to_two_hundred_times_its_size_is_refused()
    {
        using var packed = new MemoryStream();
        await using (var gzip = new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionLevel.Optimal,
            leaveOpen: true))
        {
            await gzip.WriteAsync(Encoding.UTF8.GetBytes($"url\n{Host}a.mp4\n"), TestContext.Current.CancellationToken);
            // Blank lines of eleven megabytes: up to ten, a file may unpack to any number of times its size.
            var blank = Encoding.UTF8.GetBytes(new string(' ', 9_999) + "\n");
            for (var line = 0; line < 1_100; line++) await gzip.WriteAsync(blank, TestContext.Current.CancellationToken);
        }

        packed.Position = 0;
        await using var reader = await ManifestReader.OpenAsync(packed, new ManifestReading(), TestContext.Current.CancellationToken);
        Assert.True(await reader.ReadAsync(TestContext.Current.CancellationToken));
        var rejection = await Assert.ThrowsAsync<ManifestRejectedException>(async () =>
            await reader.ReadAsync(TestContext.Current.CancellationToken));
        Assert.Equal(RejectionCode.UnpackedTooLarge, rejection.Code);
    }

    [Theory]
    // Empty members one after another, a name without an end in the head of one, and blocks that hold nothing.
    [InlineData("1F8B080000000000020303000000000000000000", 200_000)]
    [InlineData("41", 4_000_000)]
    [InlineData("000000FFFF", 800_000)]
    public async Task Gzip_that_holds_no_text_is_not_read_to_its_end(string piece, int times)
    {
        var head = piece switch
        {
            "41" => "1F8B08080000000002FF",
            "000000FFFF" => "1F8B08000000000002FF",
            _ => "",
        };
        var bytes = Convert.FromHexString(head + string.Concat(Enumerable.Repeat(piece, times)));
        using var packed = new MemoryStream(bytes);
        var rejection = await Assert.ThrowsAsync<ManifestRejectedException>(async () =>
        {
            await using var reader = await ManifestReader.OpenAsync(packed, new ManifestReading(), TestContext.Current.CancellationToken);
        });
        Assert.Equal(RejectionCode.GzipDamaged, rejection.Code);
        Assert.InRange(packed.Position, 1, 2 * 1024 * 1024);
    }

    [Fact]
    public async Task Gzip_of_text_that_cannot_be_made_smaller_is_read()
    {
        var noise = new byte[6_000_000];
        new Random(7).NextBytes(noise);
        var text = "url,note\n" + string.Concat(Convert.ToBase64String(noise).Chunk(900)
            .Select((note, row) => $"{Host}{row}.mp4,{new string(note)}\n"));
        using var packed = new MemoryStream();
        await using (var gzip = new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionLevel.NoCompression,
            leaveOpen: true))
            await gzip.WriteAsync(Encoding.UTF8.GetBytes(text), TestContext.Current.CancellationToken);
        packed.Position = 0;
        await using var reader = await ManifestReader.OpenAsync(packed, new ManifestReading(), TestContext.Current.CancellationToken);
        var rows = 0;
        while (await reader.ReadAsync(TestContext.Current.CancellationToken)) rows++;
        Assert.Equal(text.Count(c => c == '\n') - 1, rows);
    }

    [Theory]
    [InlineData(1_000_000, true)]
    [InlineData(10_000_000, false)]
    public async Task A_small_file_that_unpacks_to_more_than_the_limit_is_rejected_and_one_below_it_is_read(long limit, bool rejected)
    {
        using var packed = new MemoryStream();
        await using (var gzip = new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionLevel.Fastest,
            leaveOpen: true))
        {
            await gzip.WriteAsync("url\n"u8.ToArray(), TestContext.Current.CancellationToken);
            var row = System.Text.Encoding.UTF8.GetBytes("https://media.example/" + new string('a', 77) + "\n");
            for (var i = 0; i < 20_000; i++) await gzip.WriteAsync(row, TestContext.Current.CancellationToken);
        }
        Assert.True(packed.Length < 100_000, "the bomb is no bomb");
        packed.Position = 0;

        async Task<int> ReadAsync()
        {
            await using var reader =
                await ManifestReader.OpenAsync(packed, new ManifestReading(), limit, TestContext.Current.CancellationToken);
            var rows = 0;
            while (await reader.ReadAsync(TestContext.Current.CancellationToken)) rows++;
            return rows;
        }
        if (rejected) Assert.Equal(RejectionCode.UnpackedTooLarge, (await Assert.ThrowsAsync<ManifestRejectedException>(ReadAsync)).Code);
        else Assert.Equal(20_000, await ReadAsync());
    }
}
