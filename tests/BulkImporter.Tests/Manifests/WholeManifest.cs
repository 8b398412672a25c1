using System.Buffers;
using System.Text;
using BulkImporter.Export;
using BulkImporter.Manifests;
using BulkImporter.Parse;
using BulkImporter.Sources;

namespace BulkImporter.Tests.Manifests;

/// <summary>Reads whole manifests into memory, which only a test may do.</summary>
internal static class WholeManifest
{
    public static readonly DateTimeOffset Now = new(2026, 1, 15, 12, 0, 0, TimeSpan.Zero);

    public sealed record Row(int RowNumber, long LineNumber, string RawText, int FieldCount, string[] Fields, CheckedRow Checked,
        FindingCode[] Codes, string State);

    public sealed record Content(ManifestLayout Layout, List<Row> Rows, List<Finding> Findings);

    public static Task<Content> ReadAsync(string text, string? map = null) => ReadAsync(Encoding.UTF8.GetBytes(text), map);

    public static async Task<Content> ReadAsync(
        byte[] bytes, string? map = null, int chunk = int.MaxValue, string? encoding = null, string? sheet = null)
    {
        await using var source = new ChunkedStream(bytes, chunk);
        await using var reader = await ManifestReader.OpenAsync(source,
            new ManifestReading(map is null ? null : ManifestMapping.Parse(map), encoding, sheet), TestContext.Current.CancellationToken);
        var checks = new ManifestChecks(reader.Layout, new SourceUrlRules(new ManifestOptions()), Now);
        var duplicates = new DuplicateRows(reader.Layout);
        var rows = new List<Row>();
        var findings = new List<Finding>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
        {
            var row = reader.Row;
            var before = findings.Count;
            var @checked = checks.Check(row, findings);
            var isDuplicate = duplicates.Check(@checked, findings);
            var fields = Enumerable.Range(0, Math.Max(row.FieldCount, reader.Layout.Columns.Count)).Select(row.GetString).ToArray();
            rows.Add(new Row(row.RowNumber, row.LineNumber, Encoding.UTF8.GetString(row.RawText), row.FieldCount, fields, @checked,
                [.. findings.Skip(before).Where(f => f.RowNumber > 0).Select(f => f.Code)],
                @checked.IsBlocked ? "invalid" : isDuplicate ? "duplicate" : "pending"));
        }

        return new Content(reader.Layout, rows, findings);
    }

    /// <summary>The result file of a manifest in which every row had the same end.</summary>
    public static async Task<byte[]> ExportAsync(byte[] bytes, string? map = null, RowResult? result = null, string? encoding = null)
    {
        await using var source = new MemoryStream(bytes);
        await using var reader = await ManifestReader.OpenAsync(source,
            new ManifestReading(map is null ? null : ManifestMapping.Parse(map), encoding), TestContext.Current.CancellationToken);
        var output = new ArrayBufferWriter<byte>();
        var writer = new ResultRowWriter(reader.Layout, output);
        writer.WriteHeader();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            writer.WriteRow(reader.Row, result ?? new RowResult("imported", "st-1", "Rid1", 1));
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The result file in a format, of a manifest in which every row had the same end.</summary>
    public static async Task<byte[]> ExportAsync(
        byte[] bytes, FileFormat format, bool isWhole = true, IReadOnlyDictionary<ManifestColumn, string>? corrected = null,
        RowResult? result = null)
    {
        await using var source = new MemoryStream(bytes);
        await using var reader = await ManifestReader.OpenAsync(source, new ManifestReading(), TestContext.Current.CancellationToken);
        var output = new ArrayBufferWriter<byte>();
        using IResultWriter writer = format switch
        {
            FileFormat.Xlsx => new WorkbookResults(reader.Layout, isWhole, output),
            FileFormat.Jsonl => new JsonLineResults(reader.Layout, isWhole, output),
            _ => new ResultRowWriter(reader.Layout, output, isWhole),
        };
        writer.WriteHeader();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            writer.WriteRow(reader.Row, (result ?? new RowResult("imported", "st-1", "Rid1", 1)) with { Corrected = corrected });
        writer.Complete();
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Gives at most so many bytes at a time, as a network does.</summary>
    private sealed class ChunkedStream(byte[] bytes, int chunk) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer.Length > chunk ? buffer[..chunk] : buffer, cancellationToken);
    }
}
