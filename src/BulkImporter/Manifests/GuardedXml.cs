using System.Xml;

namespace BulkImporter.Manifests;

/// <summary>
/// XML out of a file that a stranger made: no DTD and so no entities of its own, nothing longer than a cell can be, no endless nesting, no
/// endless names. What a reader holds of it stays small, however large it is.
/// </summary>
internal static class GuardedXml
{
    /// <summary>The longest text or tag, in bytes; a cell has at most 32,767 characters.</summary>
    private const int LongestRun = 1024 * 1024;

    /// <summary>The longest text that is kept, in characters: a cell's, and some more for programs that do not count.</summary>
    public const int LongestText = 200_000;

    private const int MostNames = 2000;

    private const int DeepestLevel = 64;

    /// <param name="bytes">The part of the workbook; it is disposed of with the reader.</param>
    /// <param name="limit">The most bytes that it may have.</param>
    /// <param name="part">Its name, for a message.</param>
    /// <param name="owner">Tells when to stop.</param>
    public static XmlReader Open(Stream bytes, long limit, string part, Workbook owner) => XmlReader.Create(
        // Not the stream itself: its encoding would be the file's to say, and what is looked for would hide in another.
        new StreamReader(new GuardedBytes(bytes, limit, part, owner), Encoding.UTF8, detectEncodingFromByteOrderMarks: false),
        new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            NameTable = new BoundedNames(),
            CloseInput = true,
            MaxCharactersInDocument = limit,
        });

    /// <summary>Goes to the next node; false at the end.</summary>
    public static bool Next(XmlReader xml)
    {
        try
        {
            return xml.Read() && (xml.Depth <= DeepestLevel ? true : throw Workbook.Damaged());
        }
        catch (XmlException damaged)
        {
            throw Workbook.Damaged(damaged);
        }
    }

    /// <summary>The text of the element that the reader stands at, without what is in elements inside of it; goes to its end.</summary>
    public static string Text(XmlReader xml)
    {
        if (xml.IsEmptyElement)
            return "";
        var text = new StringBuilder();
        var chunk = new char[1024];
        for (var depth = xml.Depth; Next(xml) && xml.Depth > depth;)
        {
            if (xml.NodeType is not (XmlNodeType.Text or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace))
                continue;
            try
            {
                for (int read; (read = xml.ReadValueChunk(chunk, 0, chunk.Length)) > 0;)
                {
                    text.Append(chunk, 0, read);
                    if (text.Length > LongestText)
                        throw TextTooLong();
                }
            }
            catch (XmlException damaged)
            {
                throw Workbook.Damaged(damaged);
            }
        }

        return text.ToString();
    }

    public static ManifestRejectedException TextTooLong() =>
        Workbook.TooLarge($"A cell of it has more than {LongestText:N0} characters.");

    /// <summary>The bytes of a part, as long as they are those of a sheet and not of an attack.</summary>
    private sealed class GuardedBytes(Stream bytes, long limit, string part, Workbook owner) : Stream
    {
        private long total;
        private long run;
        private bool endsInBracket;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => total; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            owner.Cancellation.ThrowIfCancellationRequested();
            int count;
            try
            {
                count = bytes.Read(buffer);
            }
            catch (InvalidDataException damaged)
            {
                throw Workbook.Damaged(damaged);
            }

            total += count;
            owner.CountUnpacked(count);
            if (total > limit)
                throw Workbook.TooLarge($"{part} of it unpacks to more than {limit:N0} bytes.");
            var fresh = buffer[..count];
            // Comments, CDATA and DOCTYPE: no spreadsheet program writes them, and of these alone the reader would keep more than a run.
            if (fresh.IndexOf("<!"u8) >= 0 || (endsInBracket && fresh is [(byte)'!', ..]))
                throw Workbook.Damaged();
            endsInBracket = fresh is [] ? endsInBracket : fresh is [.., (byte)'<'];
            var first = fresh.IndexOfAny((byte)'<', (byte)'>');
            run += first < 0 ? count : first;
            if (run > LongestRun)
                throw Workbook.TooLarge($"A value or a tag in {part} of it is longer than {LongestRun:N0} bytes.");
            if (first >= 0)
                run = count - 1 - fresh.LastIndexOfAny((byte)'<', (byte)'>');
            return count;
        }

        public override void Flush() => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                bytes.Dispose();
            base.Dispose(disposing);
        }
    }

    /// <summary>The reader keeps each name that it meets. A workbook has some hundred.</summary>
    private sealed class BoundedNames : XmlNameTable
    {
        private readonly NameTable names = new();
        private int count;

        public override string Add(string array) => names.Get(array) ?? Counted(names.Add(array));

        public override string Add(char[] array, int offset, int length) =>
            names.Get(array, offset, length) ?? Counted(names.Add(array, offset, length));

        public override string? Get(string array) => names.Get(array);

        public override string? Get(char[] array, int offset, int length) => names.Get(array, offset, length);

        private string Counted(string name) => ++count <= MostNames ? name : throw Workbook.Damaged();
    }
}
