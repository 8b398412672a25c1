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
    /// <summary>Looks at <paramref name="record"/> by the rules of <see cref="CsvHelper.CsvMode.Rfc4180"/>. Only for records known to be malformed, so it need not be fast.</summary>
    public static QuoteScan Of(ReadOnlySpan<byte> record, byte separator)
    {
        QuoteScan first = default;
        var start = 0;
        while (start < record.Length)
        {
            if (record[start] != (byte)'"')
            {
                var next = record[start..].IndexOf(separator);
                if (next < 0)
                    break;
                start += next + 1;
                continue;
            }

            var at = start + 1;
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
}
