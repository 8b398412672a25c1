using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using BulkImporter.Manifests;
using BulkImporter.Parse;

namespace BulkImporter.Api;

/// <summary>Findings as a table for a spreadsheet.</summary>
internal static class FindingsCsv
{
    private const int FlushAfter = 64 * 1024;

    public static async Task WriteAsync(IAsyncEnumerable<FindingView> findings, PipeWriter output, CancellationToken cancellationToken)
    {
        Line("row", "line", "column", "code", "severity", "value", "hint", "other_row", "other_import");
        await foreach (var f in findings.WithCancellation(cancellationToken))
        {
            Line(f.Row.ToString(CultureInfo.InvariantCulture), f.Line.ToString(CultureInfo.InvariantCulture), f.Column, f.Code, f.Severity,
                f.Value, f.Hint,
                f.OtherRow?.ToString(CultureInfo.InvariantCulture), f.OtherImport?.ToString(CultureInfo.InvariantCulture));
            if (output.UnflushedBytes >= FlushAfter) await output.FlushAsync(cancellationToken);
        }
        await output.FlushAsync(cancellationToken);

        void Line(params string?[] cells) => Encoding.UTF8.GetBytes(string.Join(',', cells.Select(FormulaGuard.Cell)) + "\r\n", output);
    }
}
