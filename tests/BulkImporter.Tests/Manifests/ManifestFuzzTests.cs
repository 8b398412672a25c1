using System.Text;
using BulkImporter.Manifests;

namespace BulkImporter.Tests.Manifests;

/// <summary>Bounded: fixed seeds, the seed in every message.</summary>
public class ManifestFuzzTests
{
    private static readonly string[] Pieces = ["\"", "\"\"", ",", ";", "\t", "\n", "\r\n", "\r", "\0", "é", "🎬", "'", "=", " ", "https://a.test/x", "x", "\uFEFF"];

    public static TheoryData<int> Seeds => new(Enumerable.Range(1, 40));

    [Theory, MemberData(nameof(Seeds))]
    public async Task Random_bytes_are_read_or_rejected(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 25; round++)
        {
            var bytes = new byte[random.Next(0, 400)];
            random.NextBytes(bytes);
            if (round % 3 == 0)
                bytes = [.. Encoding.UTF8.GetBytes("url,caption\n"), .. bytes.Select(b => (byte)(b & 0x7F))];
            try
            {
                await Manifest.ReadAsync(bytes);
            }
            catch (ManifestRejectedException)
            {
                // the only answer besides rows
            }
        }
    }

    [Theory, MemberData(nameof(Seeds))]
    public async Task Random_bytes_asked_for_as_Windows_1252_are_read_with_every_line_accounted_for(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 25; round++)
        {
            // Any byte but quotes: then each line that is not blank is a row, whatever is in it.
            var bytes = new byte[random.Next(0, 400)];
            random.NextBytes(bytes);
            bytes = [.. Encoding.UTF8.GetBytes("url,caption\n"), .. bytes.Where(b => b != (byte)'"')];
            var content = await Manifest.ReadAsync(bytes, encoding: ManifestReading.Windows1252);
            var text = CodePagesEncodingProvider.Instance.GetEncoding(1252)!.GetString(bytes).Replace("\r\n", "\n", StringComparison.Ordinal);
            var lines = text.Split('\r', '\n').Skip(1).Where(line => !IsBlank(line)).ToList();
            Assert.True(lines.SequenceEqual(content.Rows.Select(row => row.RawText)), $"Seed {seed}, round {round}.");
            Assert.All(content.Rows, row => Assert.True(row.State is "pending" or "duplicate" || row.Codes.Length > 0));
        }
    }

    [Theory, MemberData(nameof(Seeds))]
    public async Task Mutated_manifest_loses_no_text_and_no_row(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 25; round++)
        {
            var body = Mutated(random);
            var content = await Manifest.ReadAsync("url,caption,tags\n" + body);

            // Every row is a piece of the text, in order; between them lie only line breaks and blank rows.
            var at = 0;
            foreach (var row in content.Rows)
            {
                var found = body.IndexOf(row.RawText, at, StringComparison.Ordinal);
                Assert.True(found >= 0, $"Seed {seed}, round {round}: row {row.RowNumber} is not in the text.");
                Assert.True(IsBlank(body[at..found]), $"Seed {seed}, round {round}: lost \"{body[at..found]}\" before row {row.RowNumber}.");
                Assert.Equal(2 + Breaks(body[..found]), row.LineNumber);
                at = found + row.RawText.Length;
            }

            Assert.True(IsBlank(body[at..]), $"Seed {seed}, round {round}: lost \"{body[at..]}\" at the end.");
            Assert.Equal(Enumerable.Range(1, content.Rows.Count), content.Rows.Select(row => row.RowNumber));
        }
    }

    [Theory, MemberData(nameof(Seeds))]
    public async Task Export_of_a_mutated_manifest_has_the_same_rows(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 25; round++)
        {
            var bytes = Encoding.UTF8.GetBytes("url,caption,tags\n" + Mutated(random));
            var original = await Manifest.ReadAsync(bytes);
            var exported = await Manifest.ReadAsync(await Manifest.ExportAsync(bytes));
            Assert.True(original.Rows.Count == exported.Rows.Count, $"Seed {seed}, round {round}: {original.Rows.Count} rows became {exported.Rows.Count}.");
            foreach (var (before, after) in original.Rows.Zip(exported.Rows))
            {
                if (before.Codes.Contains(FindingCode.UnterminatedQuote))
                    continue;
                Assert.True(before.Fields.Take(3).SequenceEqual(after.Fields.Take(3)), $"Seed {seed}, round {round}, row {before.RowNumber}.");
            }
        }
    }

    private static string Mutated(Random random)
    {
        var text = new StringBuilder();
        for (var row = 0; row < 30; row++)
            text.Append($"https://a.test/{row},\"Caption {row}\",\"a,b\"\n");
        for (var mutation = random.Next(1, 15); mutation > 0; mutation--)
        {
            var at = random.Next(text.Length);
            if (random.Next(3) == 0)
                text.Remove(at, Math.Min(random.Next(1, 8), text.Length - at));
            else
                text.Insert(at, Pieces[random.Next(Pieces.Length)]);
        }

        // A removal or an insertion may have split a surrogate pair; the manifest is made of whole characters.
        return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text.ToString()));
    }

    private static bool IsBlank(string text) => text.AsSpan().Trim(" ,\t\r\n\"").IsEmpty;

    private static int Breaks(string text) => text.Replace("\r\n", "\n", StringComparison.Ordinal).Count(c => c is '\r' or '\n');
}
