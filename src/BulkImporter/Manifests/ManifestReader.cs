using System.Text;
using CsvHelper;

namespace BulkImporter.Manifests;

/// <summary>How a manifest is to be read, beyond what it says itself.</summary>
/// <param name="Mapping">The operator's mapping, or null to go by the header.</param>
/// <param name="Encoding">The operator's word for a file that its beginning does not explain: <see cref="Windows1252"/>, or null.</param>
/// <param name="TemplateFor">Asked, when there is no mapping, for the one that was saved for this header; may answer null.</param>
public sealed record ManifestReading(ManifestMapping? Mapping = null, string? Encoding = null, Func<IReadOnlyList<string>, Task<ManifestMapping?>>? TemplateFor = null)
{
    /// <summary>The encoding that can be asked for.</summary>
    public const string Windows1252 = ManifestText.Windows1252;

    /// <summary>As an import's columns have it; <paramref name="mapping"/> may be empty, which is to go by the header and no template.</summary>
    internal static ManifestReading Of(string? mapping, string? encoding) => new(mapping is null ? null : ManifestMapping.Parse(mapping), encoding);
}

/// <summary>
/// Reads a manifest one row at a time; memory does not grow with the file.
/// </summary>
/// <remarks>
/// <para>
/// Every row with anything in it is a data row and gets the next number. A row is blank, and not counted, when it is
/// well-formed and all its fields are empty or white space: empty lines, and the <c>,,,,</c> that spreadsheets leave, in
/// the middle as well as at the end. Missing fields read as empty.
/// </para>
/// <para>
/// A quote that is never closed would swallow the rows behind it. When a quoted value spans lines and then proves
/// malformed, only the line in which it begins becomes a (damaged) row, and reading goes on with the next line.
/// </para>
/// </remarks>
public sealed class ManifestReader : IAsyncDisposable
{
    private const int SampleSize = 64 * 1024;

    /// <summary>A record that is not complete after so many bytes is looked at for an unclosed quote.</summary>
    private const int SuspiciousRecordSize = 4 * 1024 * 1024;

    /// <summary>The longest line that is kept as a row; beyond that the file is no manifest.</summary>
    private const int MaxRowSize = 16 * 1024 * 1024;

    /// <summary>After a damaged row the parser starts anew and reads ahead again: less, so that a file full of them stays readable.</summary>
    private const int RestartBufferSize = 4 * 1024;

    private readonly ManifestText _text;
    private readonly CsvReaderOptions _options;

    private CsvReader _csv;
    private long _csvStart;        // text offset and line at which _csv began to read
    private long _csvLine;

    private long _recordStart;     // the record last taken
    private long _recordEnd;
    private long _recordLine;
    private bool _recordMalformed;
    private FindingCode? _recordProblem;

    private CsvReader? _cutRecord; // one line of a record that _csv ran too far with, and where to go on behind it
    private long _resumeAt;
    private long _resumeLine;

    private bool _firstIsData;
    private int _rowNumber;
    private ManifestRow? _row;

    private ManifestReader(ManifestText text, char separator, long start, long line)
    {
        _text = text;
        _options = new CsvReaderOptions
        {
            Separator = separator,
            HasHeader = false,
            TrackLineNumbers = true,
            MaxRecordSize = SuspiciousRecordSize,
            IncludeValuesInExceptions = false,
            OnMalformedRecord = _ => _recordMalformed = true,
        };
        _csv = ParseFrom(start, line, SampleSize);
        Layout = null!;
    }

    public ManifestLayout Layout { get; private set; }

    /// <summary>The row that <see cref="ReadAsync"/> moved to.</summary>
    public ManifestRow Row => _row!;

    /// <summary>Opens a manifest: looks at encoding, separator and header, and settles which column is what.</summary>
    /// <param name="bytes">The file as uploaded, plain or gzipped; read forward only, and left open.</param>
    /// <param name="how">What the operator says of it: mapping, encoding.</param>
    /// <param name="cancellationToken">Cancels reading from <paramref name="bytes"/>.</param>
    /// <exception cref="ManifestRejectedException">The file is no manifest, or the operator has to say more.</exception>
    public static Task<ManifestReader> OpenAsync(Stream bytes, ManifestReading how, CancellationToken cancellationToken) =>
        OpenAsync(bytes, how, ManifestText.UnpackedLimit, cancellationToken);

    internal static async Task<ManifestReader> OpenAsync(Stream bytes, ManifestReading how, long unpackedLimit, CancellationToken cancellationToken)
    {
        var text = await ManifestText.OpenAsync(bytes, how.Encoding, unpackedLimit, cancellationToken);
        try
        {
            while (text.Kept(0).Length < SampleSize && await text.FillAsync(cancellationToken))
            {
            }

            var (preface, start) = SeparatorHint(text.Kept(0));
            var sample = text.KeptMemory(start);
            var separator = preface.Length > 0 ? preface[^1] : ManifestFormat.DetectSeparator(sample, text.Ended, how.Mapping);
            var sampleRows = ManifestFormat.SampleRows(sample, text.Ended, separator, 100);
            text.Rewind(start);
            var reader = new ManifestReader(text, separator, start, preface.Length > 0 ? 2 : 1);
            await reader.ReadLayoutAsync(preface, sampleRows, how, cancellationToken);
            return reader;
        }
        catch
        {
            await text.DisposeAsync();
            throw;
        }
    }

    /// <summary>Moves <see cref="Row"/> to the next row that is not blank; false at the end.</summary>
    /// <exception cref="ManifestRejectedException">From here on the file cannot be read: invalid encoding, damaged gzip data, an endless line.</exception>
    public async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        if (!await NextRecordAsync(cancellationToken))
            return false;
        if (_rowNumber == int.MaxValue)
            throw new ManifestRejectedException(RejectionCode.TooManyRows, $"A manifest has at most {int.MaxValue} rows.", line: _recordLine);
        _rowNumber++;
        _row!.MoveTo(Record, _rowNumber, _recordLine, _recordProblem);
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        _cutRecord?.Dispose();
        await _csv.DisposeAsync();
        await _text.DisposeAsync();
    }

    private CsvReader Record => _cutRecord ?? _csv;

    private async Task ReadLayoutAsync(string preface, List<string[]> sampleRows, ManifestReading how, CancellationToken cancellationToken)
    {
        var mapping = how.Mapping;
        if (!await NextRecordAsync(cancellationToken))
            throw new ManifestRejectedException(RejectionCode.ManifestEmpty, "The file holds no rows.");

        var first = new string[Record.FieldCount];
        for (var field = 0; field < first.Length; field++)
            first[field] = Record.GetString(field);
        var hasHeader = ManifestFormat.IsHeader(first, mapping);
        if (hasHeader && (_recordProblem is not null || Record.RawRecord.Contains((byte)0)))
            throw new ManifestRejectedException(RejectionCode.HeaderDamaged, $"The header in line {_recordLine} cannot be read: look for a quote that is not closed.", line: _recordLine);

        var columns = hasHeader ? first : [.. Enumerable.Range(1, first.Length).Select(number => $"column{number}")];
        var resultColumns = hasHeader ? ManifestFormat.FindResultColumns(columns) : [];
        var dataRows = hasHeader ? sampleRows.Skip(1).ToList() : sampleRows;
        var urlLike = ManifestFormat.UrlLikeColumns(dataRows, columns.Length);
        urlLike.ExceptWith(resultColumns);
        if (resultColumns.Count > 0)
            columns = [.. columns.Select(FormulaGuard.Unguard)];

        if (hasHeader && mapping is null && how.TemplateFor is { } templateFor)
            mapping = await templateFor(columns);

        var rawHeader = new byte[hasHeader ? first.Length : 0][];
        for (var field = 0; field < rawHeader.Length; field++)
            rawHeader[field] = Record.GetRawSpan(field).ToArray();

        Layout = new ManifestLayout(columns, ManifestFormat.Assign(columns, hasHeader, urlLike, mapping, resultColumns), resultColumns, urlLike)
        {
            HasHeader = hasHeader,
            Separator = _options.Separator!.Value,
            LineEnding = LineEndingOf(_text.Kept(_recordStart)[Record.RawRecord.Length..]),
            EncodingName = _text.EncodingName,
            HasByteOrderMark = _text.HasByteOrderMark,
            Preface = preface,
            RawHeader = rawHeader,
        };
        _row = new ManifestRow(Layout, _csv);
        _firstIsData = !hasHeader;
    }

    /// <summary>Takes the next record that is not blank: from the parser, or, when quotes are damaged, one line of it.</summary>
    private async ValueTask<bool> NextRecordAsync(CancellationToken cancellationToken)
    {
        if (_firstIsData)
        {
            _firstIsData = false;
            return true;
        }

        while (true)
        {
            if (_cutRecord is not null)
                LeaveCutRecord();

            _recordMalformed = false;
            _recordProblem = null;
            try
            {
                if (!await _csv.ReadAsync(cancellationToken))
                    return false;
            }
            catch (CsvFormatException)
            {
                // The only reason under these options: the record is longer than SuspiciousRecordSize.
                await TakeSuspiciousRecordAsync(cancellationToken);
                return true;
            }

            _recordStart = _csvStart + _csv.ByteOffset;
            _recordEnd = _recordStart + _csv.RawRecord.Length;
            _recordLine = _csvLine + _csv.LineNumber - 1;
            _text.Release(_recordStart);
            if (_recordMalformed)
                TakeMalformedRecord();
            if (_recordProblem is not null || !IsBlank())
                return true;
        }
    }

    private bool IsBlank()
    {
        var raw = Record.RawRecord;
        var other = raw.IndexOfAnyExcept([SeparatorByte, (byte)' ', (byte)'\t', (byte)'"']);
        if (other >= 0 && raw[other] is not ((byte)'\r' or (byte)'\n'))
            return false;
        for (var field = 0; field < Record.FieldCount; field++)
        {
            if (!Record.GetSpan(field).Trim(" \t\r\n"u8).IsEmpty)
                return false;
        }

        return true;
    }

    private void TakeMalformedRecord()
    {
        var record = _csv.RawRecord;
        var scan = QuoteScan.Of(record, SeparatorByte);
        _recordProblem = scan.Problem ?? FindingCode.StrayQuote;
        if (scan.Problem is null)
            return;
        var lineBreak = record[scan.FieldStart..scan.FieldEnd].IndexOfAny((byte)'\r', (byte)'\n');
        if (lineBreak >= 0 || scan.Problem == FindingCode.UnterminatedQuote)
            CutRecord(lineBreak >= 0 ? scan.FieldStart + lineBreak : record.Length, FindingCode.UnterminatedQuote);
    }

    /// <summary>
    /// The parser gave up on the record behind the last one taken: an unclosed quote, of which the line is cut off, or
    /// one very long line, which is kept whole.
    /// </summary>
    private async ValueTask TakeSuspiciousRecordAsync(CancellationToken cancellationToken)
    {
        StepToNextRecord();
        while (!TrySuspiciousRecord())
        {
            if (_text.Kept(_recordStart).Length > MaxRowSize)
                throw new ManifestRejectedException(RejectionCode.RowTooLong, $"Line {_recordLine} is longer than 16 MB: this is no manifest, or its line breaks are lost.", line: _recordLine);
            await _text.FillAsync(cancellationToken);
        }
    }

    /// <summary>False when more of the text is needed to see where the line ends.</summary>
    private bool TrySuspiciousRecord()
    {
        var record = _text.Kept(_recordStart);
        var scan = QuoteScan.Of(record, SeparatorByte);
        var lineBreak = record[scan.FieldStart..].IndexOfAny((byte)'\r', (byte)'\n');
        var end = lineBreak < 0 ? record.Length : scan.FieldStart + lineBreak;
        if (!_text.Ended && end + 1 >= record.Length)
            return false;
        CutRecord(end, scan.Problem is null ? null : FindingCode.UnterminatedQuote);
        return true;
    }

    /// <summary>Steps over the last record taken and the empty lines behind it.</summary>
    private void StepToNextRecord()
    {
        var kept = _text.Kept(_recordStart);
        var next = (int)(_recordEnd - _recordStart);
        while (next < kept.Length && kept[next] is (byte)'\r' or (byte)'\n')
            next++;
        _recordLine += LineBreaks(kept[..next]);
        _recordStart += next;
        _text.Release(_recordStart);
    }

    /// <summary>Makes the first <paramref name="length"/> bytes of the record a row of its own; reading goes on with the line behind it.</summary>
    private void CutRecord(int length, FindingCode? problem)
    {
        var record = _text.KeptMemory(_recordStart);
        var behind = record.Span[length..];
        _resumeAt = _recordStart + length + (behind is [(byte)'\r', (byte)'\n', ..] ? 2 : Math.Min(behind.Length, 1));
        _resumeLine = _recordLine + LineBreaks(record.Span[..length]) + 1;
        _recordProblem = problem;
        _cutRecord = CsvReader.Create(record[..length], new CsvReaderOptions { Separator = _options.Separator, HasHeader = false });
        _cutRecord.Read();
    }

    private void LeaveCutRecord()
    {
        _cutRecord!.Dispose();
        _cutRecord = null;
        _csv.Dispose();
        _csv = ParseFrom(_resumeAt, _resumeLine, RestartBufferSize);
    }

    private CsvReader ParseFrom(long start, long line, int bufferSize)
    {
        _text.Rewind(start);
        _text.Release(start);
        (_csvStart, _csvLine) = (start, line);
        (_recordStart, _recordEnd, _recordLine) = (start, start, line);
        return CsvReader.Create(_text, _options with { BufferSize = bufferSize }, leaveOpen: true);
    }

    private byte SeparatorByte => (byte)_options.Separator!.Value;

    /// <summary>CR, LF and CR LF each count once, as the parser counts them.</summary>
    private static long LineBreaks(ReadOnlySpan<byte> text)
    {
        var count = text.Count((byte)'\n');
        for (var at = text.IndexOf((byte)'\r'); at >= 0;)
        {
            if (at + 1 == text.Length || text[at + 1] != (byte)'\n')
                count++;
            var next = text[(at + 1)..].IndexOf((byte)'\r');
            at = next < 0 ? -1 : at + 1 + next;
        }

        return count;
    }

    private static string LineEndingOf(ReadOnlySpan<byte> text) => text switch
    {
        [(byte)'\r', (byte)'\n', ..] => "\r\n",
        [(byte)'\r', ..] => "\r",
        _ => "\n",
    };

    /// <summary>The line <c>sep=;</c> that Excel writes first, and where the text behind it starts.</summary>
    private static (string Preface, int Start) SeparatorHint(ReadOnlySpan<byte> text)
    {
        if (text is not [(byte)'s' or (byte)'S', (byte)'e' or (byte)'E', (byte)'p' or (byte)'P', (byte)'=', (byte)',' or (byte)';' or (byte)'\t' or (byte)'|', (byte)'\r' or (byte)'\n', ..])
            return ("", 0);
        return (Encoding.ASCII.GetString(text[..5]), text is [_, _, _, _, _, (byte)'\r', (byte)'\n', ..] ? 7 : 6);
    }
}
