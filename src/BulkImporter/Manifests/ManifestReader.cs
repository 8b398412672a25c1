using CsvHelper;

namespace BulkImporter.Manifests;

/// <summary>How a manifest is to be read, beyond what it says itself.</summary>
/// <param name="Mapping">The operator's mapping, or null to go by the header.</param>
/// <param name="Encoding">The operator's word for a file that its beginning does not explain: <see cref="Windows1252"/>, or null.</param>
/// <param name="Sheet">The sheet of a workbook that the operator chose; null when it has only one with rows.</param>
/// <param name="TemplateFor">Asked, when there is no mapping, for the one that was saved for this header; may answer null.</param>
public sealed record ManifestReading(
    ManifestMapping? Mapping = null, string? Encoding = null, string? Sheet = null,
    Func<IReadOnlyList<string>, Task<ManifestMapping?>>? TemplateFor = null)
{
    /// <summary>The encoding that can be asked for.</summary>
    public const string Windows1252 = ManifestText.Windows1252;

    /// <summary>
    /// As an import's columns have it; <paramref name="mapping"/> may be empty, which is to go by the header and no template.
    /// </summary>
    internal static ManifestReading Of(string? mapping, string? encoding, string? sheet) =>
        new(mapping is null ? null : ManifestMapping.Parse(mapping), encoding, sheet);
}

/// <summary>
/// Reads a manifest one row at a time; memory does not grow with the file.
/// </summary>
/// <remarks>
/// <para>
/// Every row with anything in it is a data row and gets the next number. A row is blank, and not counted, when it is well-formed and all
/// its fields are empty or white space: empty lines, and the <c>,,,,</c> that spreadsheets leave, in the middle as well as at the end.
/// Missing fields read as empty.
/// </para>
/// <para>
/// A quote that is never closed would swallow the rows behind it. When a quoted value spans lines and then proves malformed, only the line
/// in which it begins becomes a (damaged) row, and reading goes on with the next line.
/// </para>
/// <para>
/// Blanks and tabs around a value, and around its quotes, are no part of it. A line that stands in quotes as a whole is read as what is in
/// them, and lines before the header that are no part of the table are skipped: see <see cref="ManifestPreamble"/>.
/// </para>
/// </remarks>
public sealed class ManifestReader : IAsyncDisposable
{
    private const int SampleSize = 64 * 1024;

    /// <summary>A record that is not complete after so many bytes is looked at for an unclosed quote.</summary>
    private const int SuspiciousRecordSize = 4 * 1024 * 1024;

    /// <summary>The longest line that is kept as a row; beyond that the file is not a manifest.</summary>
    private const int MaxRowSize = ManifestText.MostKept;

    /// <summary>
    /// The most columns. The widest exports of libraries have some hundreds, and each column costs: in every page that shows the header,
    /// and as a name in every line of a JSON-lines file.
    /// </summary>
    internal const int MaxColumns = 1000;

    /// <summary>
    /// After a damaged row the parser starts anew and reads ahead again: less, so that a file full of them stays readable.
    /// </summary>
    private const int RestartBufferSize = 4 * 1024;

    /// <summary>
    /// How many bytes may be read again, beyond a buffer, because the lines in which quotes open were cut off, and how many more for each
    /// byte of the file. Quotes that open anew in each line would otherwise have each of them read the megabytes that follow.
    /// </summary>
    private const long MostReadAgain = 512 << 20;

    private const int MostReadAgainOfEach = 16;

    private readonly ManifestText text;
    private readonly CsvReaderOptions options;

    private CsvReader csv;
    private long csvStart;        // text offset and line at which csv began to read
    private long csvLine;

    private long recordStart;     // the record last taken
    private long recordEnd;
    private long recordLine;
    private bool recordMalformed;
    private FindingCode? recordProblem;

    private readonly bool isWrapped;
    private CsvReader? unwrapped; // the row in a line that stands in quotes as a whole
    private CsvReader? cutRecord; // one line of a record that csv ran too far with, and where to go on behind it
    private long resumeAt;
    private long resumeLine;
    private long readAgain;

    private bool firstIsData;
    private bool skipsComments;   // they may stand anywhere, and are no rows
    private OriginalRow? original;
    private bool anyShort;        // a row had fewer fields than there are columns
    private int rowNumber;
    private ManifestRow? row;

    private ManifestReader(ManifestText text, char separator, bool isWrapped, long start, long line)
    {
        this.text = text;
        this.isWrapped = isWrapped;
        options = ManifestFormat.Dialect(separator) with
        {
            // An empty line is a record like any other: skipped by the parser, millions of them would be one step, in which nothing that
            // was read is released.
            SkipEmptyLines = false,
            TrackLineNumbers = true,
            MaxRecordSize = SuspiciousRecordSize,
            IncludeValuesInExceptions = false,
            OnMalformedRecord = _ => recordMalformed = true,
        };
        csv = ParseFrom(start, line, SampleSize);
        Layout = null!;
    }

    public ManifestLayout Layout { get; private set; }

    /// <summary>The row that <see cref="ReadAsync"/> moved to.</summary>
    public ManifestRow Row => row!;

    /// <summary>Opens a manifest: looks at encoding, separator and header, and settles which column is what.</summary>
    /// <param name="bytes">The file as uploaded, text (plain or gzipped) or a workbook; read forward only, and left open.</param>
    /// <param name="how">What the operator says of it: mapping, encoding, sheet.</param>
    /// <param name="cancellationToken">Cancels reading from <paramref name="bytes"/>.</param>
    /// <exception cref="ManifestRejectedException">The file is no manifest, or the operator has to say more.</exception>
    public static Task<ManifestReader> OpenAsync(Stream bytes, ManifestReading how, CancellationToken cancellationToken) =>
        OpenAsync(bytes, how, ManifestText.UnpackedLimit, cancellationToken);

    internal static async Task<ManifestReader> OpenAsync(
        Stream bytes, ManifestReading how, long unpackedLimit, CancellationToken cancellationToken)
    {
        var text = await ManifestText.OpenAsync(bytes, how.Encoding, how.Sheet, unpackedLimit, cancellationToken);
        try
        {
            await FillSampleAsync(text, cancellationToken);
            if (text.Rows is null && OtherFormat.OfText(text.Kept(0), text.Ended) is { } other)
                throw new ManifestRejectedException(RejectionCode.NotCsv, other);
            if (text.Rows is null && JsonLinesText.Is(text.Kept(0), text.Ended))
            {
                text = ManifestText.Of(await JsonLinesText.OpenAsync(text, cancellationToken), unpackedLimit);
                await FillSampleAsync(text, cancellationToken);
            }

            var preamble = ManifestPreamble.Of(text, how.Mapping);
            var sample = text.KeptMemory(preamble.Length);
            var unwrapped = text.Rows is null && preamble.Columns.Count == 0
                ? ManifestFormat.Unwrapped(sample, text.Ended, how.Mapping) : null;
            var (shown, isWhole) = unwrapped is { } lines ? (lines, true) : (sample, text.Ended);
            var separator = preamble.Separator ?? ManifestFormat.DetectSeparator(shown, isWhole, how.Mapping);
            var sampleRows = ManifestFormat.SampleRows(shown, isWhole, separator, 100);
            text.Rewind(preamble.Length);
            var reader = new ManifestReader(text, separator, unwrapped is not null, preamble.Length, preamble.Line);
            await reader.ReadLayoutAsync(preamble, sampleRows, how, cancellationToken);
            return reader;
        }
        catch
        {
            await text.DisposeAsync();
            throw;
        }
    }

    private static async Task FillSampleAsync(ManifestText text, CancellationToken cancellationToken)
    {
        while (text.Kept(0).Length < SampleSize && await text.FillAsync(cancellationToken))
        {
        }
    }

    /// <summary>What a manifest that was read before is, by its beginning.</summary>
    internal static async Task<FileFormat> FormatAsync(Stream bytes, string? encoding, CancellationToken cancellationToken)
    {
        // Twice of what is looked at, so that the cut at its end is not reached.
        var head = new byte[2 * SampleSize];
        var count = await bytes.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken);
        if (Workbook.IsLike(head.AsSpan(0, count)))
            return FileFormat.Xlsx;
        await using var beginning = new MemoryStream(head, 0, count, writable: false);
        await using var text = await ManifestText.OpenAsync(beginning, encoding, null, ManifestText.UnpackedLimit, cancellationToken);
        await FillSampleAsync(text, cancellationToken);
        return JsonLinesText.Is(text.Kept(0), text.Ended) ? FileFormat.Jsonl : FileFormat.Csv;
    }

    /// <summary>
    /// Why a file of which this is the beginning is no manifest, whatever a person may say of it: another format, or bytes that are no
    /// text. Null when it may be one.
    /// </summary>
    /// <param name="isWhole">Nothing follows.</param>
    internal static async Task<ManifestRejectedException?> ObstacleAsync(
        ArraySegment<byte> head, bool isWhole, string? encoding, CancellationToken cancellationToken)
    {
        try
        {
            // Of a workbook all has to be there before anything can be seen.
            if (!isWhole && Workbook.IsLike(head)) return null;
            await using var bytes = new MemoryStream(head.Array!, head.Offset, head.Count, writable: false);
            await using var text = await ManifestText.OpenAsync(bytes, encoding, null, ManifestText.UnpackedLimit, cancellationToken);
            await FillSampleAsync(text, cancellationToken);
            if (text.Rows is not null) return null;
            if (isWhole && text.Ended && text.Kept(0).Trim(" \t\r\n"u8).IsEmpty) return Empty();
            return OtherFormat.OfText(text.Kept(0), isWhole && text.Ended) is { } other
                ? new ManifestRejectedException(RejectionCode.NotCsv, other) : null;
        }
        catch (ManifestRejectedException open) when (open.Encoding is { } offered && encoding is null)
        {
            // A page or a document may be in an older encoding too. A table in it is a question that the review asks.
            return await ObstacleAsync(head, isWhole, offered, cancellationToken);
        }
        catch (ManifestRejectedException open) when (open.Code == RejectionCode.SheetUnclear)
        {
            return null; // as is a sheet
        }
        catch (ManifestRejectedException refused)
        {
            // The end of a beginning is cut off, in the middle of a character or of packed data.
            return isWhole || refused.Code == RejectionCode.NotCsv ? refused : null;
        }
    }

    /// <summary>Moves <see cref="Row"/> to the next row that is not blank; false at the end.</summary>
    /// <exception cref="ManifestRejectedException">From here on the file cannot be read: invalid encoding, damaged gzip data, an endless
    /// line.</exception>
    public async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        if (!await NextRecordAsync(cancellationToken))
            return false;
        if (rowNumber == int.MaxValue)
            throw new ManifestRejectedException(RejectionCode.TooManyRows, $"A manifest has at most {int.MaxValue} rows.",
                line: recordLine);
        rowNumber++;
        if (Record.FieldCount < Layout.Columns.Count)
        {
            if (!anyShort && rowNumber > 1 && recordProblem is null && text.Ended && text.Kept(recordEnd).IsEmpty)
                recordProblem = FindingCode.RowCutOff;
            anyShort = true;
        }

        row!.MoveTo(Record, rowNumber, recordLine, recordProblem, original);
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        unwrapped?.Dispose();
        cutRecord?.Dispose();
        await csv.DisposeAsync();
        await text.DisposeAsync();
    }

    private static ManifestRejectedException Empty() => new(RejectionCode.ManifestEmpty, "The file has no rows.");

    private CsvReader Record => unwrapped ?? Line;

    /// <summary>The record as it stands in the file.</summary>
    private CsvReader Line => cutRecord ?? csv;

    private async Task ReadLayoutAsync(
        ManifestPreamble preamble, List<string[]> sampleRows, ManifestReading how, CancellationToken cancellationToken)
    {
        var mapping = how.Mapping;
        if (!await NextRecordAsync(cancellationToken))
            throw Empty();

        if (Record.FieldCount > MaxColumns)
            throw TooManyColumns(Record.FieldCount);
        var first = ManifestFormat.Fields(Record);
        // The members of JSON lines are their names, whatever they look like.
        var hasHeader = text.Rows is JsonLinesText || ManifestFormat.IsHeader(first, mapping);
        if (hasHeader && HeaderDamage() is { } damage)
            throw new ManifestRejectedException(
                RejectionCode.HeaderDamaged, $"The header in line {recordLine} cannot be read: {damage}", line: recordLine);

        var dataRows = hasHeader ? sampleRows.Skip(1).ToList() : sampleRows;
        var width = dataRows.Count == 0 ? first.Length : ManifestFormat.MostCommonWidth(dataRows).Width;
        if (width > MaxColumns)
            throw TooManyColumns(width);
        string[] columns = [.. Enumerable.Range(0, hasHeader ? first.Length : width)
            .Select(index => hasHeader && ManifestFormat.Plain(first[index]).Length > 0 ? first[index]
                : !hasHeader && index < preamble.Columns.Count ? preamble.Columns[index] : $"column{index + 1}")];
        var resultColumns = hasHeader ? ManifestFormat.FindResultColumns(columns) : [];
        var urlLike = ManifestFormat.UrlLikeColumns(dataRows, columns.Length);
        urlLike.ExceptWith(resultColumns);
        if (resultColumns.Count > 0 && text.Rows is null)
            columns = [.. columns.Select(column => FormulaGuard.Unguard(column, SeparatorByte))];

        if (hasHeader && mapping is null && how.TemplateFor is { } templateFor)
            mapping = await templateFor(columns);

        var rawHeader = new byte[hasHeader ? first.Length : 0][];
        for (var field = 0; field < rawHeader.Length; field++)
            rawHeader[field] = Record.GetRawSpan(field).ToArray();

        var isNamed = hasHeader || preamble.Columns.Count > 0;
        Layout = new ManifestLayout
        {
            Columns = columns,
            Mapping = ManifestFormat.Assign(columns, isNamed, urlLike, mapping, resultColumns),
            ResultColumnIndexes = resultColumns,
            UrlLikeColumns = urlLike,
            Format = text.Rows?.Format ?? FileFormat.Csv,
            Sheet = (text.Rows as WorkbookText)?.Sheet,
            Sheets = (text.Rows as WorkbookText)?.Sheets ?? [],
            Uses1904Dates = text.Rows is WorkbookText { Uses1904Dates: true },
            HasHeader = hasHeader,
            Separator = options.Separator!.Value,
            LineEnding = LineEndingOf(text.Kept(recordStart)[Line.RawRecord.Length..]),
            EncodingName = text.EncodingName,
            HasByteOrderMark = text.HasByteOrderMark,
            RowWidth = Math.Max(width, columns.Length),
            Preface = preamble.Preface,
            SkippedLines = preamble.Skipped,
            RawHeader = rawHeader,
        };
        row = new ManifestRow(Layout, csv);
        firstIsData = !hasHeader;
        skipsComments = hasHeader && text.Rows is null && ManifestFormat.IsOfKaltura(first);
    }

    private ManifestRejectedException TooManyColumns(int count) => new(
        RejectionCode.TooManyColumns,
        $"Line {recordLine} has {count:N0} columns, and a manifest has at most {MaxColumns:N0}. Leave out what is not needed, and any "
            + "separators after the last name, and upload it again.",
        line: recordLine);

    private string? HeaderDamage() => recordProblem switch
    {
        _ when Record.RawRecord.Contains((byte)0) => "it has a NUL character, which text cannot have. Export the file again.",
        FindingCode.UnterminatedQuote => "look for a quote that is not closed.",
        FindingCode.TextAfterQuote => "text follows a closing quote. Double the quotes that belong to a name.",
        not null => "a quote is inside a name that does not begin with one, perhaps after an unusual blank. Begin the name with its " +
            "quote, and double the quotes that belong to it.",
        null => null,
    };

    /// <summary>Takes the next record that is not blank: from the parser, or, when quotes are damaged, one line of it.</summary>
    private async ValueTask<bool> NextRecordAsync(CancellationToken cancellationToken)
    {
        if (firstIsData)
        {
            firstIsData = false;
            return true;
        }

        while (true)
        {
            // Here too: what stands in the window is read without waiting for anything.
            cancellationToken.ThrowIfCancellationRequested();
            if (unwrapped is not null)
                LeaveUnwrapped();
            if (cutRecord is not null)
                LeaveCutRecord();

            recordMalformed = false;
            recordProblem = null;
            try
            {
                if (!await csv.ReadAsync(cancellationToken))
                    return false;
            }
            catch (CsvFormatException)
            {
                // The only reason under these options: the record is longer than SuspiciousRecordSize.
                await TakeSuspiciousRecordAsync(cancellationToken);
                Unwrap();
                return true;
            }

            recordStart = csvStart + csv.ByteOffset;
            recordEnd = recordStart + csv.RawRecord.Length;
            recordLine = csvLine + csv.LineNumber - 1;
            text.Release(recordStart);
            if (text.Rows is { } rows)
                recordLine = (original = rows.RowAt(recordStart)).Line;
            if (recordMalformed)
                TakeMalformedRecord();
            if (recordProblem is null && (IsBlank() || (skipsComments && csv.RawRecord.TrimStart(" \t\""u8) is [(byte)'#', ..])))
                continue;
            Unwrap();
            return true;
        }
    }

    /// <summary>
    /// Takes the quotes from around a line that stands in them as a whole: each line of a file that is written so, and elsewhere one in
    /// which only the quotes inside it can have been the reason. Where one address may be meant instead, the row gets a finding.
    /// </summary>
    private void Unwrap()
    {
        if (recordProblem is not null || text.Rows is not null
            || (!isWrapped && (Record.FieldCount > 1 || this.row is null || Layout.Columns.Count == 1)))
            return;
        for (var field = 1; field < Record.FieldCount; field++)
        {
            if (!Record.IsEmpty(field))
                return;
        }

        var line = ManifestFormat.WholeQuote(Record.GetRawSpan(0), " \t"u8);
        if (line.Length == 0)
            return;
        var row = CsvReader.Create(line, options);
        var isWhole = row.Read() && row.RawRecord.Length == line.Length;
        var isMalformed = recordMalformed;
        // With a damaged quote, what stands behind a line break may be anything: the line stays as it is.
        var isDoubtful = isMalformed && line.AsSpan().ContainsAny((byte)'\r', (byte)'\n');
        if (isWrapped && isDoubtful)
        {
            recordProblem = FindingCode.TextAfterQuote;
        }
        else if (isWrapped && isWhole)
        {
            unwrapped = row;
            if (isMalformed)
                recordProblem = QuoteScan.Of(line, SeparatorByte).Problem ?? FindingCode.StrayQuote;
            return;
        }
        else if (isWhole && !isMalformed && row.FieldCount == Layout.Columns.Count)
        {
            if (line.AsSpan().Contains((byte)'"'))
            {
                unwrapped = row;
                return;
            }

            recordProblem = FindingCode.WholeLineQuoted;
        }

        row.Dispose();
    }

    private void LeaveUnwrapped()
    {
        unwrapped!.Dispose();
        unwrapped = null;
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
        var record = csv.RawRecord;
        var scan = QuoteScan.Of(record, SeparatorByte);
        recordProblem = scan.Problem ?? FindingCode.StrayQuote;
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
            var kept = text.Kept(recordStart).Length;
            if (kept > MaxRowSize)
                throw new ManifestRejectedException(RejectionCode.RowTooLong,
                    $"Line {recordLine} is longer than 16 MB: this is not a manifest, or its line breaks are lost.", line: recordLine);
            // Much at a time, for each look begins at the start of the record.
            var wanted = Math.Min(kept + SuspiciousRecordSize, MaxRowSize + 1);
            while (text.Kept(recordStart).Length < wanted && await text.FillAsync(cancellationToken))
            {
            }
        }
    }

    /// <summary>False when more of the text is needed to see where the line ends.</summary>
    private bool TrySuspiciousRecord()
    {
        var record = text.Kept(recordStart);
        var scan = QuoteScan.Of(record, SeparatorByte);
        var lineBreak = record[scan.FieldStart..].IndexOfAny((byte)'\r', (byte)'\n');
        var end = lineBreak < 0 ? record.Length : scan.FieldStart + lineBreak;
        if (!text.Ended && end + 1 >= record.Length)
            return false;
        CutRecord(end, scan.Problem is null ? null : FindingCode.UnterminatedQuote);
        return true;
    }

    /// <summary>Steps over the last record taken and the empty lines behind it.</summary>
    private void StepToNextRecord()
    {
        var kept = text.Kept(recordStart);
        var next = (int)(recordEnd - recordStart);
        while (next < kept.Length && kept[next] is (byte)'\r' or (byte)'\n')
            next++;
        recordLine += LineBreaks(kept[..next]);
        recordStart += next;
        text.Release(recordStart);
    }

    /// <summary>
    /// Makes the first <paramref name="length"/> bytes of the record a row of its own; reading goes on with the line behind it.
    /// </summary>
    private void CutRecord(int length, FindingCode? problem)
    {
        var record = text.KeptMemory(recordStart);
        var behind = record.Span[length..];
        resumeAt = recordStart + length + (behind is [(byte)'\r', (byte)'\n', ..] ? 2 : Math.Min(behind.Length, 1));
        resumeLine = recordLine + LineBreaks(record.Span[..length]) + 1;
        recordProblem = problem;
        cutRecord = CsvReader.Create(record[..length], ManifestFormat.Dialect(options.Separator!.Value));
        cutRecord.Read();
    }

    private void LeaveCutRecord()
    {
        cutRecord!.Dispose();
        cutRecord = null;
        csv.Dispose();
        readAgain += Math.Max(0, text.Position - resumeAt - RestartBufferSize);
        if (readAgain > MostReadAgain + MostReadAgainOfEach * resumeAt)
            throw new ManifestRejectedException(RejectionCode.TooManyInvalidRows,
                $"Quotes are opened and not closed, again and again, the last time in line {recordLine}. Nothing of the manifest is "
                    + "imported. Double the quotes that belong to a value, or export the file again.", line: recordLine);
        csv = ParseFrom(resumeAt, resumeLine, RestartBufferSize);
    }

    private CsvReader ParseFrom(long start, long line, int bufferSize)
    {
        text.Rewind(start);
        text.Release(start);
        (csvStart, csvLine) = (start, line);
        (recordStart, recordEnd, recordLine) = (start, start, line);
        return CsvReader.Create(text, options with { BufferSize = bufferSize }, leaveOpen: true);
    }

    private byte SeparatorByte => (byte)options.Separator!.Value;

    /// <summary>CR, LF and CR LF each count once, as the parser counts them.</summary>
    internal static long LineBreaks(ReadOnlySpan<byte> text)
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
}
