using System.Globalization;
using System.Text;

namespace BulkImporter.Benchmarks;

/// <summary>What the rows of a sample say.</summary>
internal enum SampleColumns
{
    Url,
    UrlAndCaption,
    All,
}

/// <summary>A manifest as a media team writes one: address, caption with a comma, reference.</summary>
internal static class SampleManifest
{
    /// <param name="label">Part of every address, so that no two runs name the same source.</param>
    /// <param name="descriptionLength">Characters of a description in each row; 0 for no such column.</param>
    public static void Write(
        string file, int rows, string label, int descriptionLength = 0, SampleColumns columns = SampleColumns.All)
    {
        using var writer = new StreamWriter(file, append: false, new UTF8Encoding(false), 1 << 16);
        writer.Write(columns switch
        {
            SampleColumns.Url => "url\n",
            SampleColumns.UrlAndCaption => "url,caption\n",
            SampleColumns.All => descriptionLength == 0 ? "url,caption,reference_id\n" : "url,caption,reference_id,description\n",
        });
        var description = descriptionLength == 0
            ? "" : ","
                + string.Concat(Enumerable.Repeat("a long talk of its time and place ", descriptionLength / 34 + 1))[..descriptionLength]
                    .TrimEnd();
        for (var row = 1; row <= rows; row++)
            writer.Write(columns switch
            {
                SampleColumns.Url => $"{Url(label, row)}\n",
                SampleColumns.UrlAndCaption => $"{Url(label, row)},\"{Caption(row)}\"\n",
                SampleColumns.All => string.Create(CultureInfo.InvariantCulture,
                    $"{Url(label, row)},\"{Caption(row)}\",REF-{row:D8}{description}\n"),
            });
    }

    public static string Caption(int row) => string.Create(CultureInfo.InvariantCulture, $"Interview {row}, second take");

    public static string Url(string label, int row) =>
        string.Create(CultureInfo.InvariantCulture, $"https://media.example.com/{label}/2019/interviews/interview-{row:D7}.mp4");
}
