using System.Buffers;
using System.IO.Compression;

namespace BulkImporter.Manifests;

/// <summary>
/// The manifest's bytes as checked UTF-8 text: unpacked when gzipped, transcoded when UTF-16 or, if that is asked for, Windows-1252,
/// without byte order mark; of a workbook the rows of a sheet (<see cref="RowsAsText"/>). Keeps what was read since <see cref="Release"/>,
/// so that the reader can go back to the start of a damaged row.
/// </summary>
internal sealed class ManifestText : ForwardStream
{
    private const int ChunkSize = 64 * 1024;

    /// <summary>The most text that is kept for one record, in bytes; the window is hardly larger.</summary>
    public const int MostKept = 16 * 1024 * 1024;

    /// <summary>A gzip file of a few megabytes can unpack to terabytes, and would keep a worker busy for days.</summary>
    public const long UnpackedLimit = 8L << 30;

    /// <summary>
    /// How many bytes one byte of gzip may unpack to, once there are more than <see cref="RatioHoldsFrom"/>. Addresses and titles give 5 to
    /// 30; gzip could give 1,000.
    /// </summary>
    private const int MostRatio = 200;

    /// <summary>Below, in bytes, a test file of one row repeated does no harm.</summary>
    private const long RatioHoldsFrom = 10_000_000;

    /// <summary>
    /// How many bytes of gzip may come before there is text of them, besides twice the text. gzip makes nothing much larger, but a file of
    /// empty pieces holds no text at all, and would be read to its end by each preview.
    /// </summary>
    private const int MostWithoutText = 1024 * 1024;

    /// <summary>The one older encoding that can be asked for: what Excel writes as plain "CSV" on a western Windows.</summary>
    public const string Windows1252 = "windows-1252";

    private static readonly Encoding Western = CodePagesEncodingProvider.Instance.GetEncoding(1252)!;

    private readonly Stream source;
    private readonly Decoder? decoder;
    private readonly Encoder encoder = Encoding.UTF8.GetEncoder();
    private readonly byte[] undecoded;
    private readonly char[] chars;

    private byte[] window = new byte[4 * ChunkSize];
    private long windowStart;   // text offset of window[0]
    private int checkedEnd;     // window[..checkedEnd] is complete, valid UTF-8
    private int filledEnd;      // up to three bytes more: a sequence that the next chunk completes
    private long kept;          // text offset from which bytes are kept
    private long sourceOffset;  // bytes of (unpacked) source consumed, byte order mark included
    private bool sourceEnded;
    private long lineFeeds;     // line breaks in the source consumed, for the line of a damage
    private long carriageReturns;
    private bool isUtf8;        // a character beyond ASCII was met, and was valid

    private readonly ReplayedHead? packed;
    private readonly long unpackedLimit;

    private ManifestText(
        Stream source, ReplayedHead? packed, string encodingName, Encoding? encoding, int markLength, byte[] head, long unpackedLimit)
    {
        this.packed = packed;
        this.unpackedLimit = unpackedLimit;
        this.source = source;
        EncodingName = encodingName;
        HasByteOrderMark = markLength > 0;
        decoder = encoding?.GetDecoder();
        undecoded = encoding is null ? [] : new byte[ChunkSize];
        chars = encoding is null ? [] : new char[ChunkSize];
        sourceOffset = markLength;
        Take(head.AsSpan(markLength));
    }

    /// <summary>"utf-8", "utf-16le", "utf-16be" or "windows-1252".</summary>
    public string EncodingName { get; }

    public bool HasByteOrderMark { get; }

    /// <summary>The whole source has been read: nothing follows what is kept.</summary>
    public bool Ended => sourceEnded;

    /// <summary>The text offset of the next byte that <see cref="ReadAsync(Memory{byte}, CancellationToken)"/> gives.</summary>
    public override long Position { get; set; }

    /// <summary>What the text was made of, when the file is none itself; null for a file of text.</summary>
    public RowsAsText? Rows => source as RowsAsText;

    /// <summary>The text that a file of another format means. It is disposed of with this.</summary>
    public static ManifestText Of(RowsAsText rows, long unpackedLimit) => new(rows, null, "utf-8", null, 0, [], unpackedLimit);

    /// <exception cref="ManifestRejectedException">The bytes are no manifest, or the operator has to say which sheet is one.</exception>
    /// <param name="encoding"><see cref="Windows1252"/> when the operator says so, else null. A byte order mark knows better than he
    /// does.</param>
    /// <param name="sheet">The sheet of a workbook that he chose; null when he did not.</param>
    public static async Task<ManifestText> OpenAsync(
        Stream source, string? encoding, string? sheet, long unpackedLimit, CancellationToken cancellationToken)
    {
        ReplayedHead? packed = null;
        var head = await HeadAsync(source, cancellationToken);
        if (Workbook.IsLike(head))
            return Of(await WorkbookText.OpenAsync(head, source, sheet, cancellationToken), unpackedLimit);
        if (head is [0x1F, 0x8B, ..])
        {
            packed = new ReplayedHead(head, source);
            packed.Allow(MostWithoutText);
            source = new GZipStream(packed, CompressionMode.Decompress, leaveOpen: true);
            head = await Unpacked(() => HeadAsync(source, cancellationToken));
        }

        if (OtherFormat.OfBytes(head) is { } other)
            throw new ManifestRejectedException(RejectionCode.NotCsv, other);
        if (head is [0xFF, 0xFE, 0x00, 0x00, ..] or [0x00, 0x00, 0xFE, 0xFF, ..])
            throw new ManifestRejectedException(RejectionCode.EncodingInvalid,
                "This file is UTF-32. Save it as \"CSV UTF-8\".", byteOffset: 0);

        return head switch
        {
            [0xEF, 0xBB, 0xBF, ..] => Text("utf-8", null, 3),
            [0xFF, 0xFE, ..] => Text("utf-16le", new UnicodeEncoding(bigEndian: false, byteOrderMark: false, throwOnInvalidBytes: true), 2),
            [0xFE, 0xFF, ..] => Text("utf-16be", new UnicodeEncoding(bigEndian: true, byteOrderMark: false, throwOnInvalidBytes: true), 2),
            // Two ASCII letters in UTF-16: legal as UTF-8, but every other byte would be a NUL.
            [not 0, 0, not 0, 0, ..] or [0, not 0, 0, not 0, ..] => throw new ManifestRejectedException(
                RejectionCode.EncodingInvalid, "This file looks like UTF-16 without a byte order mark. Save it as \"CSV UTF-8\".",
                byteOffset: 0),
            _ when encoding == Windows1252 => Text(Windows1252, Western, 0),
            _ => Text("utf-8", null, 0),
        };

        ManifestText Text(string name, Encoding? encoding, int markLength) =>
            new(source, packed, name, encoding, markLength, head, unpackedLimit);
    }

    /// <summary>The kept text from <paramref name="offset"/> on, as far as it has been read.</summary>
    public ReadOnlySpan<byte> Kept(long offset) => window.AsSpan((int)(offset - windowStart)..checkedEnd);

    /// <inheritdoc cref="Kept"/>
    public ReadOnlyMemory<byte> KeptMemory(long offset) => window.AsMemory((int)(offset - windowStart)..checkedEnd);

    /// <summary>What lies before <paramref name="offset"/> is not asked for again.</summary>
    public void Release(long offset) => kept = offset;

    /// <summary>Goes on reading at <paramref name="offset"/>, which must not have been released.</summary>
    public void Rewind(long offset) => Position = offset;

    /// <summary>Reads one more chunk behind what is kept; false at the end of the manifest.</summary>
    /// <exception cref="ManifestRejectedException">The bytes are not valid in the manifest's encoding, or the gzip data is
    /// damaged.</exception>
    public async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (sourceEnded)
            return false;

        MakeRoom();
        packed?.Allow(2 * sourceOffset + MostWithoutText);
        var target = decoder is null ? window.AsMemory(filledEnd) : undecoded;
        var read = await Unpacked(() => source.ReadAsync(target, cancellationToken).AsTask());
        if (read == 0)
        {
            sourceEnded = true;
            return TakeEnd();
        }
        if (sourceOffset + read > unpackedLimit)
            throw new ManifestRejectedException(RejectionCode.UnpackedTooLarge,
                $"Unpacked, this file is larger than {unpackedLimit:N0} bytes. Split it into several files.");

        if (packed is not null && sourceOffset + read > Math.Max(RatioHoldsFrom, MostRatio * packed.Given))
            throw new ManifestRejectedException(RejectionCode.UnpackedTooLarge,
                $"This file unpacks to more than {MostRatio} times its size, which no list of URLs does. Upload the .csv itself if "
                    + "it is right.");

        if (decoder is null)
            TakeUtf8(read);
        else
            TakeDecoded(undecoded.AsSpan(0, read), flush: false);
        return true;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (windowStart + checkedEnd == Position)
        {
            if (!await FillAsync(cancellationToken))
                return 0;
        }

        var text = KeptMemory(Position);
        var count = Math.Min(text.Length, buffer.Length);
        text[..count].CopyTo(buffer);
        Position += count;
        return count;
    }

    private static async Task<byte[]> HeadAsync(Stream source, CancellationToken cancellationToken)
    {
        var head = new byte[OtherFormat.HeadLength];
        var count = await source.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken);
        return head[..count];
    }

    private static async Task<T> Unpacked<T>(Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (InvalidDataException damaged)
        {
            throw new ManifestRejectedException(RejectionCode.GzipDamaged,
                "The gzip data of this file is damaged or cut off. Compress it again, or upload the .csv itself.", innerException: damaged);
        }
    }

    private void MakeRoom()
    {
        // a byte of Windows-1252 is at most three of UTF-8, one of UTF-16 half of that
        var needed = decoder is null ? ChunkSize : 3 * ChunkSize + 4;
        if (this.window.Length - filledEnd >= needed)
            return;

        var from = (int)(Math.Min(kept, Position) - windowStart);
        var window = this.window;
        if (filledEnd - from + needed > window.Length)
            window = new byte[Math.Max(Math.Min(2 * window.Length, MostKept), filledEnd - from + needed)];
        this.window.AsSpan(from..filledEnd).CopyTo(window);
        this.window = window;
        windowStart += from;
        checkedEnd -= from;
        filledEnd -= from;
    }

    private void Take(ReadOnlySpan<byte> head)
    {
        if (decoder is null)
        {
            head.CopyTo(window);
            TakeUtf8(head.Length);
        }
        else
        {
            TakeDecoded(head, flush: false);
        }
    }

    private void TakeUtf8(int count)
    {
        filledEnd += count;
        var fresh = window.AsSpan(checkedEnd..filledEnd);
        var complete = fresh.Length - UnfinishedLength(fresh);
        if (!System.Text.Unicode.Utf8.IsValid(fresh[..complete]))
            throw InvalidUtf8(fresh);
        CountLines(fresh[..complete]);
        isUtf8 |= !System.Text.Ascii.IsValid(fresh[..complete]);
        checkedEnd += complete;
        sourceOffset += complete;
    }

    private void CountLines(ReadOnlySpan<byte> text)
    {
        lineFeeds += text.Count((byte)'\n');
        carriageReturns += text.Count((byte)'\r');
    }

    private void TakeDecoded(ReadOnlySpan<byte> bytes, bool flush)
    {
        try
        {
            var chars = decoder!.GetChars(bytes, this.chars, flush);
            filledEnd += encoder.GetBytes(this.chars.AsSpan(0, chars), window.AsSpan(filledEnd), flush);
        }
        catch (DecoderFallbackException invalid)
        {
            var offset = sourceOffset + Math.Max(invalid.Index, 0);
            throw new ManifestRejectedException(
                RejectionCode.EncodingInvalid, $"Byte {offset} is not valid {EncodingName}. Save the file as \"CSV UTF-8\".",
                byteOffset: offset, innerException: invalid);
        }

        checkedEnd = filledEnd;
        sourceOffset += bytes.Length;
    }

    private bool TakeEnd()
    {
        if (filledEnd > checkedEnd)
            throw InvalidUtf8(window.AsSpan(checkedEnd..filledEnd));
        if (decoder is null)
            return false;
        var before = checkedEnd;
        TakeDecoded([], flush: true);
        return checkedEnd > before;
    }

    /// <summary>The length of a started, not completed UTF-8 sequence at the end of <paramref name="bytes"/>.</summary>
    private static int UnfinishedLength(ReadOnlySpan<byte> bytes)
    {
        for (var back = 1; back <= Math.Min(3, bytes.Length); back++)
        {
            var value = bytes[^back];
            if ((value & 0xC0) == 0x80)
                continue;
            var length = value switch { >= 0xF0 => 4, >= 0xE0 => 3, >= 0xC0 => 2, _ => 1 };
            return length > back ? back : 0;
        }

        return 0;
    }

    private ManifestRejectedException InvalidUtf8(ReadOnlySpan<byte> bytes)
    {
        var at = 0;
        while (Rune.DecodeFromUtf8(bytes[at..], out _, out var consumed) == OperationStatus.Done)
            at += consumed;
        var offset = sourceOffset + at;
        CountLines(bytes[..at]);
        var line = 1 + (lineFeeds > 0 ? lineFeeds : carriageReturns);
        if (isUtf8 || !System.Text.Ascii.IsValid(bytes[..at]))
            return new ManifestRejectedException(RejectionCode.EncodingInvalid,
                $"Byte {offset} (0x{bytes[at]:X2}) in line {line} is not valid UTF-8, which the text before it is: a character is "
                    + "damaged there, or two files in different encodings were joined. Correct that line, save the file as \"CSV UTF-8\" "
                        + "and upload it again.", line: line, byteOffset: offset);
        var found = $"Byte {offset} (0x{bytes[at]:X2}) in line {line} is not valid UTF-8";
        if (AsWestern(at) is not { } reads)
            return new ManifestRejectedException(RejectionCode.EncodingInvalid,
                $"{found}. Save the file as \"CSV UTF-8\" and upload it again.", line: line, byteOffset: offset);
        return new ManifestRejectedException(
            RejectionCode.EncodingInvalid,
            $"{found}. As Windows-1252, which Excel writes as plain \"CSV\", it reads: \"{reads}\". If that is right, read it with "
                + "encoding=windows-1252. If not, save the file as \"CSV UTF-8\" and upload it again.",
            line: line, byteOffset: offset, encoding: Windows1252);
    }

    /// <summary>
    /// What stands around a byte that is no UTF-8, as Windows-1252; null when that is no answer, because a byte there means nothing in it.
    /// <paramref name="at"/> counts from the end of what is checked.
    /// </summary>
    private string? AsWestern(int at)
    {
        const int around = 30;
        var damaged = checkedEnd + at;
        ReadOnlySpan<byte> text = window.AsSpan(Math.Max(0, damaged - around)..filledEnd);
        var here = damaged - Math.Max(0, damaged - around);
        text = text[..Math.Min(text.Length, here + around)];
        var start = text[..here].LastIndexOfAny((byte)'\r', (byte)'\n') + 1;
        var end = text[here..].IndexOfAny((byte)'\r', (byte)'\n');
        text = text[start..(end < 0 ? text.Length : here + end)];
        // These five are no characters there, and a file with a NUL is none of text.
        if (window.AsSpan(..filledEnd).Contains((byte)0) || text.IndexOfAny((ReadOnlySpan<byte>)[0x81, 0x8D, 0x8F, 0x90, 0x9D]) >= 0
            || text.IndexOfAnyInRange((byte)0, (byte)8) >= 0)
            return null;
        return FindingMask.Mask(Western.GetString(text).Trim());
    }

    protected override void Dispose(bool disposing)
    {
        // What was given to be read stays open; what was put around it does not.
        if (disposing && source is GZipStream or RowsAsText)
            source.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>The bytes looked at for the gzip mark, then the rest of the stream.</summary>
    private sealed class ReplayedHead(byte[] head, Stream rest) : ForwardStream
    {
        private int given;
        private long givenOfRest;
        private long allowed;

        /// <summary>How many bytes of the file were read.</summary>
        public long Given => given + givenOfRest;

        /// <summary>How many may be read before there is more text.</summary>
        public void Allow(long bytes) => allowed = bytes;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (given == head.Length)
            {
                var read = await rest.ReadAsync(buffer, cancellationToken);
                givenOfRest += read;
                return Given <= allowed ? read
                    : throw new ManifestRejectedException(RejectionCode.GzipDamaged,
                        "The gzip data of this file contains almost no text. Compress it again, or upload the .csv itself.");
            }

            var count = Math.Min(buffer.Length, head.Length - given);
            head.AsMemory(given, count).CopyTo(buffer);
            given += count;
            return count;
        }
    }
}
