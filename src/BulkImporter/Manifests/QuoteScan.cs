namespace BulkImporter.Manifests;

/// <summary>
/// The quoting problem that makes a record's fields doubtful, and the field that has it: the first one that spans lines
/// or is never closed, since it may have swallowed other rows, otherwise the first.
/// </summary>
/// <param name="Problem">Null when every quoted field is closed and followed by a separator or the end.</param>
/// <param name="FieldStart">The offset of the field with the problem.</param>
/// <param name="FieldEnd">The offset behind that field.</param>
internal readonly record struct QuoteScan(FindingCode? Problem, int FieldStart, int FieldEnd)
{
    /// <summary>
    /// Looks at <paramref name="record"/> by the rules of <see cref="ManifestFormat.Dialect"/>. Only for records known to be malformed,
    /// so it need not be fast.
    /// </summary>
    public static QuoteScan Of(ReadOnlySpan<byte> record, byte separator)
    {
        QuoteScan first = default;
        var start = 0;
        while (start < record.Length)
        {
            var blanks = Blanks(record[start..], separator);
            if (start + blanks == record.Length || record[start + blanks] != (byte)'"')
            {
                var next = record[start..].IndexOf(separator);
                if (next < 0)
                    break;
                start += next + 1;
                continue;
            }

            var at = start + blanks + 1;
            while (true)
            {
                var quote = record[at..].IndexOf((byte)'"');
                if (quote < 0)
                    return new QuoteScan(FindingCode.UnterminatedQuote, start, record.Length);
                at += quote + 1;
                if (at == record.Length || record[at] != (byte)'"')
                    break;
                at++;
            }

            at += Blanks(record[at..], separator);
            var behind = record[at..].IndexOf(separator);
            var end = behind < 0 ? record.Length : at + behind;
            if (end > at)
            {
                var problem = new QuoteScan(FindingCode.TextAfterQuote, start, end);
                if (record[start..end].ContainsAny((byte)'\r', (byte)'\n'))
                    return problem;
                if (first.Problem is null)
                    first = problem;
            }

            start = end + 1;
        }

        return first;
    }

    /// <summary>How many blanks and tabs <paramref name="text"/> begins with; a separator is none.</summary>
    private static int Blanks(ReadOnlySpan<byte> text, byte separator)
    {
        var count = 0;
        while (count < text.Length && text[count] is (byte)' ' or (byte)'\t' && text[count] != separator)
            count++;
        return count;
    }
}
