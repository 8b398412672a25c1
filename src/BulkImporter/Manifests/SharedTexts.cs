using System.IO.Compression;
using System.Xml;

namespace BulkImporter.Manifests;

/// <summary>
/// The texts that the cells of a workbook share, by number. Read as far as they are asked for, since a workbook is written with the texts
/// in the order in which its rows need them; kept in small blocks, compressed once they are many, so that they take no more memory than
/// the file itself.
/// </summary>
/// <param name="xml">The part that holds them; null when the workbook has none.</param>
internal sealed class SharedTexts(XmlReader? xml) : IDisposable
{
    /// <summary>Of a block before it is compressed. Rows that were sorted since ask for one text here and one there.</summary>
    private const int BlockSize = 8 * 1024;

    /// <summary>Blocks that stay as they are.</summary>
    private const int MostPlain = 512;

    private const int MostOpen = 64;

    private readonly List<Block> blocks = [];
    private readonly List<string> fresh = [];
    private readonly Dictionary<int, string[]> open = [];
    private int freshSize;
    private int count;

    /// <exception cref="ManifestRejectedException">There is no such text, or the texts cannot be read.</exception>
    public string this[int number]
    {
        get
        {
            while (number >= count && ReadNext())
            {
            }

            if (number >= count)
                throw Workbook.Damaged();
            var firstFresh = count - fresh.Count;
            if (number >= firstFresh)
                return fresh[number - firstFresh];
            var at = BlockOf(number);
            if (!open.TryGetValue(at, out var texts))
            {
                if (open.Count == MostOpen)
                    open.Clear();
                open[at] = texts = blocks[at].Texts();
            }

            return texts[number - blocks[at].First];
        }
    }

    public void Dispose() => xml?.Dispose();

    private bool ReadNext()
    {
        while (xml is not null && GuardedXml.Next(xml))
        {
            if (xml.NodeType != XmlNodeType.Element || xml.LocalName != "si")
                continue;
            var text = SheetText.Of(xml);
            fresh.Add(text);
            count++;
            freshSize += Encoding.UTF8.GetByteCount(text) + 2;
            if (freshSize >= BlockSize)
            {
                blocks.Add(Block.Of(count - fresh.Count, fresh, isPlain: blocks.Count < MostPlain));
                fresh.Clear();
                freshSize = 0;
            }

            return true;
        }

        return false;
    }

    private int BlockOf(int number)
    {
        var (from, to) = (0, blocks.Count - 1);
        while (from < to)
        {
            var middle = (from + to + 1) / 2;
            (from, to) = blocks[middle].First <= number ? (middle, to) : (from, middle - 1);
        }

        return from;
    }

    /// <param name="First">The number of its first text.</param>
    /// <param name="Length">Of the bytes before they are compressed; 0 when they are not.</param>
    private sealed record Block(int First, byte[] Bytes, int Length)
    {
        public static Block Of(int first, List<string> texts, bool isPlain)
        {
            using var bytes = new MemoryStream();
            using (var writer = new BinaryWriter(bytes, Encoding.UTF8, leaveOpen: true))
            {
                writer.Write7BitEncodedInt(texts.Count);
                texts.ForEach(writer.Write);
            }

            var plain = bytes.ToArray();
            if (isPlain)
                return new(first, plain, 0);
            var packed = new byte[BrotliEncoder.GetMaxCompressedLength(plain.Length)];
            if (!BrotliEncoder.TryCompress(plain, packed, out var length, quality: 1, window: 16))
                throw new InvalidOperationException("A block did not fit the buffer that is made for the worst case.");
            return new(first, packed[..length], plain.Length);
        }

        public string[] Texts()
        {
            var plain = Bytes;
            if (Length > 0)
            {
                plain = new byte[Length];
                if (!BrotliDecoder.TryDecompress(Bytes, plain, out _))
                    throw new InvalidOperationException("A block that was compressed here cannot be read.");
            }

            using var reader = new BinaryReader(new MemoryStream(plain), Encoding.UTF8);
            var texts = new string[reader.Read7BitEncodedInt()];
            for (var at = 0; at < texts.Length; at++)
                texts[at] = reader.ReadString();
            return texts;
        }
    }
}

/// <summary>A text of a workbook, which may be in pieces with fonts of their own.</summary>
internal static class SheetText
{
    /// <summary>The text in the element that the reader stands at (<c>si</c> or <c>is</c>), without how it is pronounced.</summary>
    public static string Of(XmlReader xml)
    {
        if (xml.IsEmptyElement)
            return "";
        var text = new StringBuilder();
        var pronounced = int.MaxValue;
        for (var depth = xml.Depth; GuardedXml.Next(xml) && xml.Depth > depth;)
        {
            if (xml.NodeType != XmlNodeType.Element)
                continue;
            if (xml.Depth <= pronounced)
                pronounced = xml.LocalName == "rPh" ? xml.Depth : int.MaxValue;
            if (xml.LocalName == "t" && pronounced == int.MaxValue)
                text.Append(GuardedXml.Text(xml));
            if (text.Length > GuardedXml.LongestText)
                throw GuardedXml.TextTooLong();
        }

        return Unescaped(text.ToString());
    }

    /// <summary>What XML cannot hold stands as <c>_x000D_</c> in it.</summary>
    public static string Unescaped(string text)
    {
        if (!text.Contains("_x", StringComparison.Ordinal))
            return text;
        var plain = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] == '_' && at + 6 < text.Length && text[at + 1] == 'x' && text[at + 6] == '_'
                && ushort.TryParse(text.AsSpan(at + 2, 4), System.Globalization.NumberStyles.AllowHexSpecifier,
                    System.Globalization.CultureInfo.InvariantCulture, out var code))
            {
                plain.Append((char)code);
                at += 6;
            }
            else
            {
                plain.Append(text[at]);
            }
        }

        return plain.ToString();
    }
}
