using System.Text;

namespace BulkImporter.Tests.Parse;

/// <summary>
/// A manifest as the world writes them: a dialect, and for most of them damage, all made from a seed. It knows the rows that a person reads
/// in it because it wrote them, and shares no code with the reader.
/// </summary>
internal sealed class DirtyManifest
{
    private const int Columns = 5;

    private static readonly string[] Targets = ["url", "caption", "reference_id", "tags", "description"];

    private static readonly string[][] Names =
    [
        ["url", "Source URL", "source_url", "File URL", "Download link"],
        ["caption", "Title", "name", "Video Title"],
        ["reference_id", "External ID", "Reference ID", "Key"],
        ["tags", "Keywords"],
        ["description", "Summary"],
    ];

    private static readonly string[] OwnWords = ["Link to file", "Was it heißt", "Nr of ours", "Words, several", "More on it"];

    private static readonly string[] Texts =
    [
        "Fog", "Harbour, at dusk", "5\" disk", "He said \"no\", twice", "\"Night\" by day", "Café à la carte", "2,5 km", "a;b", "x|y",
        "tab\there", "'quoted'", "=1+1", "# one", "two\nlines", "sum: 7", "-12.5", "[draft]", "{x}", "100 %", "a \"b\"", "N/A",
    ];

    private readonly Random random;
    private readonly char separator;
    private readonly int[] order;
    private readonly Quoting quoting;
    private readonly string lineEnd;
    private readonly List<string> lines = [];

    public DirtyManifest(int seed)
    {
        random = new Random(seed);
        separator = Any(',', ',', ';', '\t', '|');
        order = [.. Enumerable.Range(0, Columns).OrderBy(_ => random.Next())];
        quoting = Any(Quoting.Needed, Quoting.Needed, Quoting.All, Quoting.Spaced, Quoting.Spaced);
        lineEnd = Any("\n", "\r\n", "\r", "mixed");
        Encoding = Any("utf-8", "utf-8", "utf-8 bom", "utf-16le", "utf-16be", "windows-1252");
        HasHeader = random.Next(6) > 0;
        IsWrapped = HasHeader && random.Next(6) == 0;

        WritePreamble();
        if (HasHeader)
            WriteHeader();
        else
            Map = string.Join(',', order.Select((column, place) => $"{Targets[column]}=column{place + 1}"));
        FirstRow = lines.Count;
        WriteRows(random.Next(4, 12));
        Damage();
        Bytes = Encode();
    }

    /// <summary>What a person reads in one row, by target; null where there is nothing.</summary>
    /// <param name="Line">Where it starts in the file.</param>
    public sealed record Row(long Line, string?[] Values);

    public string Encoding { get; }

    public bool HasHeader { get; }

    /// <summary>Each line stands in quotes as a whole.</summary>
    public bool IsWrapped { get; }

    public string? Map { get; private set; }

    public List<Row> Rows { get; } = [];

    /// <summary>The lines before the header, and what the reader should say of them.</summary>
    public List<long> Skipped { get; } = [];

    /// <summary>What was done to it; empty for a manifest that is only unusual.</summary>
    public string Damaged { get; private set; } = "";

    /// <summary>The row that was cut off at the end of the file may be read as far as it goes.</summary>
    public Row? CutOff { get; private set; }

    public byte[] Bytes { get; }

    public string Text => string.Concat(lines);

    private int FirstRow { get; }

    private enum Quoting
    {
        Needed,
        All,
        Spaced,
    }

    private T Any<T>(params T[] of) => of[random.Next(of.Length)];

    private string LineEnd => lineEnd == "mixed" ? Any("\n", "\r\n", "\r") : lineEnd;

    private long NextLine => 1 + Breaks(Text);

    private static int Breaks(string text) => text.Replace("\r\n", "\n", StringComparison.Ordinal).Count(c => c is '\r' or '\n');

    private void WritePreamble()
    {
        if (random.Next(3) > 0)
            return;
        if (random.Next(4) == 0)
            lines.Add($"sep={separator}{LineEnd}");
        string[] kinds = HasHeader ? ["type", "comment", "comment", "title", "padded", "blank"] : ["type", "comment", "blank"];
        for (var count = random.Next(1, 4); count > 0; count--)
        {
            var text = Any(kinds) switch
            {
                "type" => "#TYPE System.Management.Automation.PSCustomObject",
                "comment" => Any("# made by hand", "# it's the \"final one", "#one, two; three | four"),
                "title" => Any("Asset report", "Library (2026)"),
                "padded" => "Generated 2026-01-01" + new string(separator, Columns - 1),
                _ => "",
            };
            if (text.Length > 0)
                Skipped.Add(NextLine);
            lines.Add(text + LineEnd);
        }
    }

    private void WriteHeader()
    {
        var own = random.Next(4) == 0;
        var names = own ? OwnWords : [.. Names.Select(Any)];
        if (own)
            Map = string.Join(',', Targets.Zip(names, (target, name) => $"{target}={(name.Contains(',') ? $"\"{name}\"" : name)}"));
        lines.Add(Line([.. order.Select(column => Decorated(names[column], own))]) + LineEnd);
    }

    private string Decorated(string name, bool own) => random.Next(6) switch
    {
        0 => name.ToUpperInvariant(),
        1 => name.Replace(' ', '\u00A0'),
        2 => name.Replace(" ", "\n", StringComparison.Ordinal),
        3 when Encoding != "windows-1252" => name.Insert(random.Next(1, name.Length), "\u200B"),
        4 when !own => "*" + name,
        _ => name,
    };

    private void WriteRows(int count)
    {
        for (var number = 1; number <= count; number++)
        {
            var values = new string?[Columns];
            values[0] = $"https://media.example.org/{number}{Any("", "", ",x", "%20y")}.mp4";
            values[1] = random.Next(8) == 0 ? null : Any(Texts);
            values[2] = $"A-{number}";
            values[3] = random.Next(3) == 0 ? null : Any(Texts);
            values[4] = random.Next(3) == 0 ? null : Any(Texts);
            if (random.Next(8) == 0)
                lines.Add(Any("", "", new string(separator, Columns - 1), " ") + LineEnd);
            Rows.Add(new Row(NextLine, values));
            lines.Add(Line([.. order.Select(column => values[column] ?? "")]) + LineEnd);
        }

        if (random.Next(3) == 0)
            lines[^1] = lines[^1].TrimEnd('\r', '\n');
    }

    private string Line(string[] cells)
    {
        var line = new StringBuilder();
        for (var index = 0; index < cells.Length; index++)
        {
            if (index > 0)
                line.Append(separator);
            var blanks = separator == '\t' ? " " : Any(" ", "  ", "\t");
            var isSpaced = quoting == Quoting.Spaced;
            var needed = cells[index].AsSpan().IndexOfAny("\"\r\n") >= 0 || cells[index].Contains(separator, StringComparison.Ordinal);
            var quoted = needed || quoting == Quoting.All || (isSpaced && random.Next(3) > 0)
                ? $"\"{cells[index].Replace("\"", "\"\"", StringComparison.Ordinal)}\""
                : cells[index];
            line.Append(isSpaced && index > 0 ? blanks : "").Append(quoted).Append(isSpaced && random.Next(4) == 0 ? " " : "");
        }

        return IsWrapped ? $"\"{line.Replace("\"", "\"\"")}\"" : line.ToString();
    }

    private void Damage()
    {
        if (random.Next(4) == 0)
            return;
        var number = random.Next(Rows.Count);
        string[] marks = [$"A-{number + 1}", $"org/{number + 1}"];
        var line = lines.FindIndex(FirstRow, text => marks.All(mark => text.Contains(mark, StringComparison.Ordinal)));
        var row = lines[line];
        var end = row.Length - row.TrimEnd('\r', '\n').Length;
        var body = row[..(row.Length - end)];
        Damaged = Any(
            "stray quote", "stray quote", "quote lost", "quote lost", "surplus", "missing", "nul", "unseen", "several",
            "decimal comma", "cut off");
        switch (Damaged)
        {
            case "stray quote":
                body = body.Insert(random.Next(body.Length + 1), "\"");
                break;
            case "quote lost" when body.Contains('"', StringComparison.Ordinal):
                var quotes = Enumerable.Range(0, body.Length).Where(at => body[at] == '"').ToArray();
                body = body.Remove(Any(quotes), 1);
                break;
            case "surplus" when !IsWrapped:
                body += $"{separator}more";
                break;
            case "decimal comma" when separator == ',' && !IsWrapped:
                body = Line([.. order.Select(column => Rows[number].Values[column] ?? "")]);
                Rows[number].Values[1] = "2,5";
                var cells = order.Select(column => column == 1 ? "§" : Rows[number].Values[column] ?? "").ToArray();
                body = Line(cells).Replace("\"§\"", "2,5", StringComparison.Ordinal).Replace("§", "2,5", StringComparison.Ordinal);
                break;
            case "missing" when !IsWrapped:
                var kept = random.Next(1, Columns);
                if (order.AsSpan(0, kept).Contains(0))
                {
                    body = Line([.. order[..kept].Select(column => Rows[number].Values[column] ?? "")]);
                    foreach (var column in order[kept..])
                        Rows[number].Values[column] = null;
                }

                break;
            case "nul":
                body = body.Insert(random.Next(body.Length + 1), "\0");
                break;
            case "unseen":
                var unseen = Encoding == "windows-1252" ? "\u00A0" : Any("\u00A0", "\u200B", "\u200E");
                string Around(string? value) => value is null ? "" : random.Next(2) == 0 ? unseen + value : value + unseen;
                body = Line([.. order.Select(column => Around(Rows[number].Values[column]))]);
                break;
            case "several":
                var two = $"https://media.example.org/x.mp4{Any("|", ";", ",", " ", "\n")}https://media.example.org/y.mp4";
                body = Line([.. order.Select(column => column == 0 ? two : Rows[number].Values[column] ?? "")]);
                Rows[number].Values[0] = null;
                break;
            case "cut off":
                CutOff = Rows[^1];
                var last = lines.Count - 1;
                lines[last] = lines[last][..(1 + random.Next(lines[last].TrimEnd('\r', '\n').Length))];
                if (lines[last].AsSpan().Trim(" ,;\t|\"").IsEmpty)
                    Rows.Remove(CutOff);
                return;
            default:
                Damaged = "";
                return;
        }

        lines[line] = body + row[(row.Length - end)..];
        MoveLines();
    }

    /// <summary>After a change of a row, what follows may start elsewhere.</summary>
    private void MoveLines()
    {
        var found = 0;
        for (var index = FirstRow; index < lines.Count && found < Rows.Count; index++)
        {
            if (lines[index].AsSpan().Trim(" ,;\t|\r\n").Length > 0)
                Rows[found] = Rows[found++] with { Line = 1 + Breaks(string.Concat(lines.Take(index))) };
        }
    }

    private byte[] Encode()
    {
        Encoding encoding = Encoding switch
        {
            "utf-8" => new UTF8Encoding(false),
            "utf-8 bom" => new UTF8Encoding(true),
            "utf-16le" => new UnicodeEncoding(false, true),
            "utf-16be" => new UnicodeEncoding(true, true),
            _ => CodePagesEncodingProvider.Instance.GetEncoding(1252)!,
        };
        return [.. encoding.GetPreamble(), .. encoding.GetBytes(Text)];
    }
}
