using System.Buffers;

namespace BulkImporter.Manifests;

/// <summary>A manifest to fill in: a line of help for each column, the header, and one row to be replaced.</summary>
public static class ManifestTemplate
{
    private const string SheetName = "Files";

    // No comma, semicolon or bar in the help: whatever a spreadsheet separates by, a line of it stays one cell.
    private static readonly (ManifestColumn Column, string Help, string Example)[] Columns =
    [
        (ManifestColumn.Url, "the URL that the file can be downloaded from. The only column that must be filled.",
            "https://media.example.com/videos/spring.mp4"),
        (ManifestColumn.Caption, "the title in Cincopa.", "Spring"),
        (ManifestColumn.Description, "a text. About 1700 characters reach Cincopa and fewer with accents or other scripts.",
            "A walk in the park"),
        (ManifestColumn.Tags, "words to find it by. Put commas between them.", "spring, park"),
        (ManifestColumn.ReferenceId, "your own key for the file. It is written to the asset.", "A-1"),
        (ManifestColumn.Gallery, "the name of the gallery that it joins. It is created if there is none.", "Seasons"),
        (ManifestColumn.Filename, "what the file is called if its URL does not say it.", "spring.mp4"),
    ];

    private static readonly string[] Helps = [.. Columns.Select(c => $"# {ManifestFormat.Name(c.Column)}: {c.Help}")];

    /// <summary>The formats that a person can fill in.</summary>
    public static IReadOnlyList<FileFormat> Formats { get; } = [FileFormat.Csv, FileFormat.Xlsx];

    /// <summary>What the file is called.</summary>
    public static string FileName(FileFormat format) => $"manifest-template.{(format == FileFormat.Xlsx ? "xlsx" : "csv")}";

    public static void Write(FileFormat format, IBufferWriter<byte> output)
    {
        string[][] rows =
        [
            .. Helps.Select(help => (string[])[help]),
            [.. Columns.Select(c => ManifestFormat.Name(c.Column))],
            [.. Columns.Select(c => c.Example)],
        ];
        if (format == FileFormat.Csv)
        {
            foreach (var row in rows)
                Encoding.UTF8.GetBytes(string.Join(',', row.Select(FormulaGuard.Cell)) + "\r\n", output);
            return;
        }

        using var sheet = new WorkbookWriter(output, SheetName, uses1904Dates: false);
        foreach (var row in rows)
        {
            foreach (var cell in row)
                sheet.Text(cell);
            sheet.EndRow();
        }

        sheet.Complete();
    }

    /// <summary>Whether a comment is a line of this help, which is no news to anybody.</summary>
    internal static bool IsHelp(string comment) => Array.IndexOf(Helps, comment) >= 0;
}
