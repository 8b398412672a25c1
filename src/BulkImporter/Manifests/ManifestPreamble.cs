namespace BulkImporter.Manifests;

/// <summary>A line before the header that is no part of the table.</summary>
/// <param name="Line">The 1-based line of the file.</param>
/// <param name="Text">The line, masked and cut.</param>
internal sealed record SkippedLine(long Line, string Text);

/// <summary>
/// What stands before the header: Excel's <c>sep=;</c>, PowerShell's <c>#TYPE</c>, comments, the title of a report. Comments are skipped
/// always, titles only where a later line names a URL column and is wider than they are.
/// </summary>
/// <remarks>
/// A list for Google's Storage Transfer Service says in its first line that it is one. It has no header and three columns: address, size in
/// bytes, MD5 in base64 (the reference of HttpData in its API; the last two may be missing).
/// </remarks>
/// <param name="Length">The bytes before the line that the table begins with.</param>
/// <param name="Line">The 1-based line of the file that the table begins with.</param>
/// <param name="Preface">The line that a program reads, without its line break; empty when there is none.</param>
/// <param name="Separator">The separator that the file itself names; null when it names none.</param>
/// <param name="Skipped">The lines that are not read.</param>
internal sealed record ManifestPreamble(int Length, long Line, string Preface, char? Separator, IReadOnlyList<SkippedLine> Skipped)
{
    private const string UrlList = "TsvHttpData-1.0";

    /// <summary>So many lines may stand before a header; further down there is none.</summary>
    private const int MostLines = 100;

    /// <summary>What the columns are if the file has no header; empty when nobody knows.</summary>
    public IReadOnlyList<string> Columns => Preface == UrlList ? ["url", "size", "md5"] : [];

    /// <param name="text">Its sample, which is what is kept of it, begins with the file.</param>
    /// <param name="mapping">The operator's mapping, whose URL column counts as a known name.</param>
    /// <exception cref="ManifestRejectedException"><see cref="RejectionCode.HeaderUnclear"/>: a line looks like the header, and what
    /// stands before it does not look like a title.</exception>
    public static ManifestPreamble Of(ManifestText text, ManifestMapping? mapping)
    {
        // Above the members of JSON lines nothing can stand.
        if (text.Rows is JsonLinesText)
            return new ManifestPreamble(0, 1, "", ',', []);
        var (sample, isWhole) = (text.KeptMemory(0), text.Ended);
        var (preface, separator, at) = text.Rows is null ? Hint(sample.Span) : ("", ',', 0);
        var line = preface.Length > 0 ? 2L : 1L;
        char[] separators = separator is { } named ? [named] : ManifestFormat.Separators;
        Candidate? commented = null;   // a comment that names columns: the header, unless another follows
        Candidate? header = null;
        Candidate? data = null;
        var comments = new List<Candidate>();
        var plain = new List<Candidate>();
        for (var seen = 0; seen < MostLines && at < sample.Length; seen++)
        {
            var rest = sample[at..];
            var (length, lineBreak) = LineAt(rest.Span);
            var isComment = IsComment(rest.Span[..length]);
            if (!ManifestFormat.IsBlank(rest.Span[..length]))
            {
                if (!isWhole && length == rest.Length)
                    break;
                line = text.Rows?.LineAt(at) ?? line;
                var record = ManifestFormat.FirstRecord(rest, separators, mapping);
                var here = new Candidate(at, line, record.Fields, Encoding.UTF8.GetString(rest.Span[..length]));
                if (record.Fields.Any(ManifestFormat.LooksLikeUrl))
                {
                    data = here;
                    break;
                }

                var names = record.Fields.Any(field => ManifestFormat.NamesUrl(field, mapping));
                if (isComment)
                {
                    commented = names ? here : commented;
                    comments.Add(here);
                }
                else if (names)
                {
                    header = here;
                    break;
                }
                else
                {
                    plain.Add(here);
                    // A name in quotes may hold line breaks.
                    (length, lineBreak) = (record.Length, LineBreak(rest.Span[record.Length..]));
                }
            }

            line += 1 + ManifestReader.LineBreaks(sample.Span.Slice(at, length));
            at += length + lineBreak;
        }

        var first = Header(header, commented, plain, data);
        if (first is null)
            return new ManifestPreamble(at, line, preface, separator, []);
        var skipped = comments.Concat(plain).Where(one => one.At < first.At && !ManifestTemplate.IsHelp(one.Fields[0]))
            .OrderBy(one => one.At);
        return new ManifestPreamble(
            first.At, first.Line, preface, separator, [.. skipped.Select(one => new SkippedLine(one.Line, FindingMask.Mask(one.Text)))]);
    }

    private static Candidate? Header(Candidate? header, Candidate? commented, List<Candidate> plain, Candidate? data)
    {
        var first = plain.FirstOrDefault() ?? data;
        if (header is not null)
        {
            // A header without a URL column that we know, above a row in which such a word stands.
            if (plain.Find(one => one.Filled > 1 && one.Fields.Any(field => ManifestFormat.TargetNamed(field) is not null)) is { } other)
                return other == first ? first : throw Unclear(other, plain);
            return plain.TrueForAll(one => one.Filled < Math.Max(2, header.Fields.Length)) ? header : throw Unclear(header, plain);
        }

        if (plain.Count == 0)
            return commented ?? first;
        if (data is { Fields.Length: > 1 } && plain[^1] is { } last && last != first
            && last.Filled == data.Fields.Length && plain[..^1].TrueForAll(one => one.Filled == 1))
            throw Unclear(last, plain);
        return first;
    }

    private static ManifestRejectedException Unclear(Candidate header, List<Candidate> plain)
    {
        var before = plain.FindAll(one => one.At < header.At);
        var lines = before.Count == 1
            ? $"Line {before[0].Line} before it is"
            : $"Lines {before[0].Line} to {before[^1].Line} before it are";
        return new ManifestRejectedException(
            RejectionCode.HeaderUnclear,
            $"Line {header.Line} looks like the header ({string.Join(", ", header.Fields.Take(10).Select(FindingMask.Mask))}). " +
                $"{lines} not part of its table: remove everything before line {header.Line} and upload the file again.",
            line: header.Line);
    }

    /// <summary>The line <c>sep=;</c> that Excel writes first, or the name of a format, and where the text behind it starts.</summary>
    private static (string Line, char? Separator, int Start) Hint(ReadOnlySpan<byte> text)
    {
        if (text.StartsWith("TsvHttpData-1.0"u8) && LineAt(text) is var first && text[UrlList.Length..first.Length].Trim(" \t"u8).IsEmpty)
            return (UrlList, '\t', first.Length + first.LineBreak);
        if (text is not [(byte)'s' or (byte)'S', (byte)'e' or (byte)'E', (byte)'p' or (byte)'P', (byte)'=', (byte)',' or (byte)';'
            or (byte)'\t' or (byte)'|', (byte)'\r' or (byte)'\n', ..])
            return ("", null, 0);
        return (Encoding.ASCII.GetString(text[..5]), (char)text[4], 5 + LineBreak(text[5..]));
    }

    /// <summary>A number sign first, also in quotes around all of the line; but not the name of a column that is only that sign.</summary>
    private static bool IsComment(ReadOnlySpan<byte> line)
    {
        line = line.TrimStart(" \t"u8);
        if (ManifestFormat.WholeQuote(line, ManifestFormat.Padding) is { Length: > 0 } quoted)
            line = quoted;
        return line is [(byte)'#'] or [(byte)'#', not ((byte)',' or (byte)';' or (byte)'\t' or (byte)'|' or (byte)'"'), ..];
    }

    private static (int Length, int LineBreak) LineAt(ReadOnlySpan<byte> text)
    {
        var end = text.IndexOfAny((byte)'\r', (byte)'\n');
        return end < 0 ? (text.Length, 0) : (end, LineBreak(text[end..]));
    }

    private static int LineBreak(ReadOnlySpan<byte> text) => text is [(byte)'\r', (byte)'\n', ..] ? 2 : Math.Min(text.Length, 1);

    private sealed record Candidate(int At, long Line, string[] Fields, string Text)
    {
        /// <summary>How many fields hold something.</summary>
        public int Filled => Fields.Count(value => !string.IsNullOrWhiteSpace(value));
    }
}
