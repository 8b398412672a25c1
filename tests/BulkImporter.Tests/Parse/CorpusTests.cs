using System.Text;
using System.Text.Json;
using BulkImporter.Data;
using BulkImporter.Export;
using BulkImporter.Manifests;
using BulkImporter.Tests.Manifests;

namespace BulkImporter.Tests.Parse;

/// <summary>Each manifest of Corpus/ with the expectation beside it.</summary>
public class CorpusTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Parse", "Corpus");

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public static TheoryData<string> Cases => new(Directory.GetFiles(Folder, "*.json").Select(Path.GetFileNameWithoutExtension).Order()!);

    /// <param name="State">invalid when it has an error, else pending: only what differs is written down.</param>
    public sealed record ExpectedRow(int Row, long Line, string[] Fields, string[]? Findings, string? State);

    public sealed record Expected(
        string File, string? Map, string? Separator, string? LineEnding, string? Encoding, bool? ByteOrderMark, bool? HasHeader,
        bool? ResultFile,
        string[]? Columns,
        Dictionary<string, int>? Mapping, ExpectedRow[]? Rows, string? Rejected, long? ByteOffset, long? AtLine, string? Offers, string[]? Candidates, string? Ask);

    [Theory, MemberData(nameof(Cases))]
    public async Task Manifest_reads_as_its_expectation_says(string name)
    {
        var (expected, bytes) = Load(name);
        if (expected.Rejected is not null)
        {
            var rejection = await Assert.ThrowsAsync<ManifestRejectedException>(() =>
                WholeManifest.ReadAsync(bytes, expected.Map, encoding: expected.Ask));
            Assert.Equal(expected.Rejected, EnumText<RejectionCode>.Of(rejection.Code));
            Assert.Equal(expected.ByteOffset, rejection.ByteOffset);
            Assert.Equal(expected.Candidates ?? [], rejection.Candidates);
            Assert.Equal(expected.Offers, rejection.Encoding);
            if (expected.AtLine is not null)
                Assert.Equal(expected.AtLine, rejection.Line);
            return;
        }

        var content = await WholeManifest.ReadAsync(bytes, expected.Map, encoding: expected.Ask);
        Assert.Equal(expected.Separator ?? content.Layout.Separator.ToString(), content.Layout.Separator.ToString());
        Assert.Equal(expected.LineEnding ?? content.Layout.LineEnding, content.Layout.LineEnding);
        Assert.Equal(expected.Encoding ?? "utf-8", content.Layout.EncodingName);
        Assert.Equal(expected.ByteOrderMark ?? false, content.Layout.HasByteOrderMark);
        Assert.Equal(expected.HasHeader ?? true, content.Layout.HasHeader);
        Assert.Equal(expected.ResultFile ?? false, content.Layout.IsResultFile);
        Assert.Equal(expected.Columns ?? content.Layout.Columns, content.Layout.Columns);
        if (expected.Mapping is not null)
            Assert.Equal(expected.Mapping.OrderBy(m => m.Key),
                content.Layout.Mapping.ToDictionary(m => ManifestFormat.Name(m.Key), m => m.Value).OrderBy(m => m.Key));
        Assert.Equal(
            expected.Rows!.Select(row =>
                Line(row.Row, row.Line, row.Fields, [row.State ?? StateBy(row.Findings ?? []), .. row.Findings ?? []])),
            content.Rows.Select(row =>
                Line(row.RowNumber, row.LineNumber, row.Fields, [row.State, .. row.Codes.Select(code => code.Name())])));
    }

    [Theory, MemberData(nameof(Cases))]
    public async Task Rows_are_the_same_when_the_bytes_come_one_at_a_time(string name)
    {
        var (expected, bytes) = Load(name);
        if (expected.Rejected is not null)
            return;
        var whole = await WholeManifest.ReadAsync(bytes, expected.Map, encoding: expected.Ask);
        var trickled = await WholeManifest.ReadAsync(bytes, expected.Map, chunk: 1, encoding: expected.Ask);
        Assert.Equal(
            whole.Rows.Select(row => Line(row.RowNumber, row.LineNumber, row.Fields, [row.RawText])),
            trickled.Rows.Select(row => Line(row.RowNumber, row.LineNumber, row.Fields, [row.RawText])));
    }

    [Theory, MemberData(nameof(Cases))]
    public async Task Exported_rows_read_back_with_their_original_fields(string name)
    {
        var (expected, bytes) = Load(name);
        if (expected.Rejected is not null)
            return;
        var original = await WholeManifest.ReadAsync(bytes, expected.Map, encoding: expected.Ask);
        var exported = await WholeManifest.ReadAsync(
            await WholeManifest.ExportAsync(bytes, expected.Map, new RowResult("failed", "st-1", null, 1), expected.Ask), expected.Map);

        Assert.True(exported.Layout.IsResultFile);
        Assert.Equal(original.Rows.Count, exported.Rows.Count);
        foreach (var (before, after) in original.Rows.Zip(exported.Rows))
        {
            Assert.Equal(before.RowNumber.ToString(), after.Fields[exported.Layout.Columns.ToList().IndexOf("import_row")]);
            var wasCut = before.Codes.Contains(FindingCode.UnterminatedQuote);
            Assert.Equal(
                Originals(original.Layout, before.Fields)
                    .Select((field, index) => wasCut && index == before.FieldCount - 1 ? "\"" + field : field),
                Originals(exported.Layout, after.Fields));
        }
    }

    private static string StateBy(string[] findings) =>
        findings.Any(code => FindingCodes.Named(code)!.Value.Severity() == FindingSeverity.Error) ? "invalid" : "pending";

    private static IEnumerable<string> Originals(ManifestLayout layout, string[] fields) =>
        fields.Where((_, index) => !layout.ResultColumnIndexes.Contains(index));

    private static string Line(int row, long line, string[] fields, string[] more) =>
        JsonSerializer.Serialize(new { row, line, fields, more }, Json);

    private static (Expected Expected, byte[] Bytes) Load(string name)
    {
        var expected = JsonSerializer.Deserialize<Expected>(File.ReadAllText(Path.Combine(Folder, name + ".json"), Encoding.UTF8), Json)!;
        return (expected, File.ReadAllBytes(Path.Combine(Folder, expected.File)));
    }
}
