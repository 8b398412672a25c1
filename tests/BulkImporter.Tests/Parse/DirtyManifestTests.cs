using System.Globalization;
using BulkImporter.Manifests;
using BulkImporter.Parse;
using BulkImporter.Tests.Manifests;

namespace BulkImporter.Tests.Parse;

/// <summary>
/// Each generated manifest gives the rows that a person reads in it, or a finding; nothing is wrong in silence. Other seeds:
/// <c>DIRTY_MANIFESTS=from-to</c>.
/// </summary>
public class DirtyManifestTests
{
    private const string SeedsVariable = "DIRTY_MANIFESTS";

    public static TheoryData<int, int> Seeds
    {
        get
        {
            var (from, to) = Environment.GetEnvironmentVariable(SeedsVariable)?.Split('-') is [var first, var last]
                ? (int.Parse(first, CultureInfo.InvariantCulture), int.Parse(last, CultureInfo.InvariantCulture))
                : (1, 400);
            return new(Enumerable.Range(from, to - from + 1).Chunk(20).Select(seeds => (seeds[0], seeds[^1])));
        }
    }

    [Theory, MemberData(nameof(Seeds))]
    public async Task A_dirty_manifest_gives_the_rows_that_a_person_reads_or_a_finding(int first, int last)
    {
        var complaints = new List<string>();
        for (var seed = first; seed <= last; seed++)
        {
            var manifest = new DirtyManifest(seed);
            if (await JudgeAsync(manifest) is { } complaint)
                complaints.Add($"Seed {seed}, {manifest.Encoding}, damage \"{manifest.Damaged}\": {complaint}\n{manifest.Text}\n");
        }

        Assert.True(complaints.Count == 0, string.Join('\n', complaints));
    }

    /// <summary>Null when all is well.</summary>
    internal static async Task<string?> JudgeAsync(DirtyManifest manifest)
    {
        var encoding = manifest.Encoding == "windows-1252" ? ManifestReading.Windows1252 : null;
        WholeManifest.Content content;
        try
        {
            content = await WholeManifest.ReadAsync(manifest.Bytes, manifest.Map, encoding: encoding);
        }
        catch (ManifestRejectedException rejected)
        {
            // A damaged file without header, or with all of it in quotes, may be a question; one that is only unusual is none.
            var isQuestion = manifest.CutOff is not null && rejected.Code == RejectionCode.EncodingInvalid
                || manifest.Damaged.Length > 0 && (manifest.IsWrapped || !manifest.HasHeader)
                    && rejected.Code is RejectionCode.ColumnUnknown or RejectionCode.HeaderDamaged or RejectionCode.UrlColumnMissing;
            return isQuestion ? null : $"rejected: {rejected.Message}";
        }

        if (Skips(manifest, content) is { } skips)
            return skips;
        var next = 0;
        for (var index = 0; index < content.Rows.Count; index++)
        {
            var row = content.Rows[index];
            var values = Values(row.Checked);
            var end = index + 1 < content.Rows.Count ? content.Rows[index + 1].LineNumber : long.MaxValue;
            var isExact = next < manifest.Rows.Count && manifest.Rows[next] is var meant && meant.Line == row.LineNumber
                && (values.SequenceEqual(meant.Values) || (meant == manifest.CutOff && IsBeginning(values, meant.Values)));
            if (!isExact && row.Codes.Length == 0 && !IsToldBeside(manifest, content.Rows, index))
                return $"row {row.RowNumber} in line {row.LineNumber} is wrong in silence: {string.Join(" / ", values)}";
            if (manifest.Damaged.Length == 0 && (row.State != "pending" || row.Codes.Length > 0))
                return $"row {row.RowNumber} in line {row.LineNumber} is in order and has {string.Join(", ", row.Codes)}";
            // A finding stands for all that the row swallowed.
            while (next < manifest.Rows.Count && manifest.Rows[next].Line < end)
            {
                if (row.Codes.Length == 0 && manifest.Rows[next].Line != row.LineNumber)
                    return $"the row in line {manifest.Rows[next].Line} is lost in silence";
                next++;
            }
        }

        if (next < manifest.Rows.Count)
            return $"the row in line {manifest.Rows[next].Line} is lost at the end";
        return await ExportIsTheSameAsync(manifest, encoding, content);
    }

    /// <summary>A lost quote makes several rows of one value's lines: the finding may stand on another of them.</summary>
    private static bool IsToldBeside(DirtyManifest manifest, List<WholeManifest.Row> rows, int index)
    {
        var meant = manifest.Rows.FindLastIndex(row => row.Line <= rows[index].LineNumber);
        var end = meant + 1 < manifest.Rows.Count ? manifest.Rows[meant + 1].Line : long.MaxValue;
        return meant >= 0
            && rows.Exists(row => row.LineNumber >= manifest.Rows[meant].Line && row.LineNumber < end && row.Codes.Length > 0);
    }

    private static string? Skips(DirtyManifest manifest, WholeManifest.Content content)
    {
        var skipped = content.Findings.Where(found => found.Code == FindingCode.LineSkipped).Select(found => found.LineNumber).ToList();
        // A first row whose address is damaged may be taken for a comment, and is told as one.
        var isTold = manifest.Damaged.Length > 0 && !manifest.HasHeader
            && skipped.Take(manifest.Skipped.Count).SequenceEqual(manifest.Skipped);
        return isTold || skipped.SequenceEqual(manifest.Skipped)
            ? null
            : $"lines {string.Join(", ", skipped)} were skipped, and not {string.Join(", ", manifest.Skipped)}";
    }

    private static async Task<string?> ExportIsTheSameAsync(DirtyManifest manifest, string? encoding, WholeManifest.Content content)
    {
        var bytes = await WholeManifest.ExportAsync(manifest.Bytes, manifest.Map, encoding: encoding);
        var exported = await WholeManifest.ReadAsync(bytes, content.Layout.HasHeader ? manifest.Map : null);
        if (exported.Rows.Count != content.Rows.Count)
            return $"{content.Rows.Count} rows became {exported.Rows.Count} in the export";
        foreach (var (before, after) in content.Rows.Zip(exported.Rows))
        {
            if (!before.Codes.Contains(FindingCode.UnterminatedQuote) && !Values(before.Checked).SequenceEqual(Values(after.Checked)))
                return $"row {before.RowNumber} became {string.Join(" / ", Values(after.Checked))} in the export";
        }

        return null;
    }

    private static string?[] Values(CheckedRow row) =>
        [row.Url is { Length: > 0 } url ? url : null, row.Caption, row.ReferenceId, row.Tags, row.Description];

    /// <summary>A file that was cut off in its last column says no more than this.</summary>
    private static bool IsBeginning(string?[] values, string?[] meant) =>
        values.Zip(meant).Count(pair => pair.First != pair.Second) == 1
        && values.Zip(meant).All(pair => pair.First == pair.Second || pair.Second!.StartsWith(pair.First ?? "", StringComparison.Ordinal));
}
