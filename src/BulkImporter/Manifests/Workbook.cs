using System.Buffers.Binary;
using System.IO.Compression;
using System.Xml;

namespace BulkImporter.Manifests;

/// <summary>
/// An .xlsx file: a zip archive of XML parts, of which the list of sheets, the number formats, the shared texts and the sheets are read and
/// nothing else. Macros, links to other files, pictures and formulas are never opened.
/// </summary>
/// <remarks>
/// It is held in memory as it came, because a zip archive is read from its end. How much its parts may unpack to is looked up before one is
/// opened, and counted while it is read.
/// </remarks>
internal sealed class Workbook : IDisposable
{
    /// <summary>The largest file, in bytes: a million rows of an address and a title take some 40 MB.</summary>
    public const int MostBytes = 64 << 20;

    /// <summary>
    /// The most that one byte of a part may unpack to, once there are more than <see cref="RatioHoldsFrom"/>. The XML of a sheet gives 5 to
    /// 30, with many empty cells 100.
    /// </summary>
    private const int MostRatio = 200;

    private const long RatioHoldsFrom = 10_000_000;

    private const long MostOfSheet = 2L << 30;

    /// <summary>
    /// The most that all sheets together may unpack to before the first row of each is found. It mostly stands at the beginning; a sheet
    /// whose million rows are formatted and empty has some 50 MB.
    /// </summary>
    private const long MostBeforeRows = 512 << 20;

    /// <summary>The shared texts are kept in memory, if packed; a million rows of an address and a title have some 200 MB.</summary>
    private const long MostOfTexts = 512 << 20;

    private const long MostOfOthers = 16 << 20;

    /// <summary>Sheets, pictures, comments and their like; each costs memory before it is looked at.</summary>
    private const int MostEntries = 10_000;

    private const int MostSheets = 255;

    private readonly ZipArchive zip;
    private readonly Dictionary<string, ZipArchiveEntry> entries = new(StringComparer.OrdinalIgnoreCase);

    private Workbook(byte[] bytes, int length)
    {
        if (CountEntries(bytes.AsSpan(0, length)) > MostEntries)
            throw TooLarge($"It has more than {MostEntries:N0} files.");
        try
        {
            zip = new ZipArchive(new MemoryStream(bytes, 0, length, writable: false), ZipArchiveMode.Read);
            foreach (var entry in zip.Entries)
                entries.TryAdd(entry.FullName.Replace('\\', '/').TrimStart('/'), entry);
        }
        catch (InvalidDataException damaged)
        {
            throw Damaged(damaged);
        }

        var texts = "";
        var styles = "";
        (Sheets, Uses1904Dates) = ReadSheets(ref texts, ref styles);
        Formats = new NumberFormats(Part(styles, MostOfOthers), Uses1904Dates);
        Texts = new SharedTexts(Part(texts, MostOfTexts));
    }

    /// <summary>Asked while parts are read: whoever reads says here how long he wants to.</summary>
    public CancellationToken Cancellation { get; set; }

    /// <summary>Bytes that parts were unpacked to, for <see cref="LookForRows"/>.</summary>
    private long unpacked;

    private long mostUnpacked = long.MaxValue;

    /// <summary>The sheets that a person sees, in their order.</summary>
    public IReadOnlyList<WorkbookSheet> Sheets { get; }

    public bool Uses1904Dates { get; }

    public NumberFormats Formats { get; }

    public SharedTexts Texts { get; }

    /// <summary>Whether a file that begins so can be a workbook, and not only some archive.</summary>
    public static bool IsLike(ReadOnlySpan<byte> head)
    {
        if (head is not [(byte)'P', (byte)'K', 3, 4, ..] || head.Length < 30)
            return false;
        var name = head[30..Math.Min(head.Length, 30 + BinaryPrimitives.ReadUInt16LittleEndian(head[26..]))];
        return name.StartsWith("[Content_Types]"u8) || name.StartsWith("_rels/"u8) || name.StartsWith("xl/"u8) || name.StartsWith("xl\\"u8)
            || name.StartsWith("docProps/"u8) || name.StartsWith("docMetadata/"u8) || name.StartsWith("customXml/"u8);
    }

    /// <param name="head">What was read of the file already.</param>
    /// <param name="rest">What follows it.</param>
    /// <exception cref="ManifestRejectedException">It is no workbook, or too large, or damaged.</exception>
    public static async Task<Workbook> OpenAsync(byte[] head, Stream rest, CancellationToken cancellationToken)
    {
        var bytes = new byte[256 * 1024];
        head.CopyTo(bytes, 0);
        var length = head.Length;
        for (int read; (read = await rest.ReadAsync(bytes.AsMemory(length), cancellationToken)) > 0;)
        {
            length += read;
            if (length > MostBytes)
                throw TooLarge($"It has more than {MostBytes >> 20} MB.");
            if (length == bytes.Length)
                Array.Resize(ref bytes, Math.Min(2 * bytes.Length, MostBytes + 1));
        }

        return new Workbook(bytes, length);
    }

    /// <summary>The sheet's part, from its beginning.</summary>
    public XmlReader Open(WorkbookSheet sheet) => Part(sheet.Part, MostOfSheet) ?? throw Damaged();

    /// <summary>The sheets that <paramref name="hasRows"/> finds rows in. How much it reads of them is bounded.</summary>
    public List<WorkbookSheet> LookForRows(Func<WorkbookSheet, bool> hasRows)
    {
        mostUnpacked = unpacked + MostBeforeRows;
        var filled = Sheets.Where(hasRows).ToList();
        mostUnpacked = long.MaxValue;
        return filled;
    }

    /// <summary>Counts bytes that a part was unpacked to.</summary>
    public void CountUnpacked(int bytes)
    {
        unpacked += bytes;
        if (unpacked > mostUnpacked)
            throw TooLarge($"Its sheets have more than {MostBeforeRows >> 20} MB before their first row.");
    }

    public void Dispose()
    {
        Texts.Dispose();
        zip.Dispose();
    }

    public static ManifestRejectedException Damaged(Exception? cause = null) => new(RejectionCode.WorkbookDamaged,
        "This workbook is damaged, or was not written by a spreadsheet program. Open it in Excel and save it again as .xlsx, or as "
            + "\"CSV UTF-8\".", innerException: cause);

    public static ManifestRejectedException TooLarge(string why) => new(RejectionCode.UnpackedTooLarge,
        $"This workbook is too large to be read as one. {why} Save the sheet as \"CSV UTF-8\", which may have any size.");

    /// <summary>
    /// The entries of the archive's directory, as far as they follow one another. Looked at before the archive is opened, which makes an
    /// object for each.
    /// </summary>
    private static int CountEntries(ReadOnlySpan<byte> file)
    {
        const int endLength = 22;
        var tail = file[Math.Max(0, file.Length - endLength - ushort.MaxValue)..];
        var end = tail.LastIndexOf("PK\u0005\u0006"u8);
        if (end < 0 || tail.Length - end < endLength)
            throw Damaged();
        long at = BinaryPrimitives.ReadUInt32LittleEndian(tail[(end + 16)..]);
        // All ones: larger than a workbook may be, or a form of archive that no spreadsheet program writes below 4 GB.
        var count = 0;
        while (at + 46 <= file.Length && file[(int)at..].StartsWith("PK\u0001\u0002"u8))
        {
            var entry = file[(int)at..];
            at += 46 + BinaryPrimitives.ReadUInt16LittleEndian(entry[28..]) + BinaryPrimitives.ReadUInt16LittleEndian(entry[30..])
                + BinaryPrimitives.ReadUInt16LittleEndian(entry[32..]);
            count++;
        }

        return count > 0 ? count : throw Damaged();
    }

    private (IReadOnlyList<WorkbookSheet> Sheets, bool Uses1904Dates) ReadSheets(ref string texts, ref string styles)
    {
        var main = Relations("", "_rels/.rels").FirstOrDefault(r => r.Kind == "officeDocument")?.Part ?? "xl/workbook.xml";
        if (!entries.ContainsKey(main) || main.EndsWith(".bin", StringComparison.OrdinalIgnoreCase) || !main.StartsWith("xl/",
            StringComparison.OrdinalIgnoreCase))
            throw new ManifestRejectedException(RejectionCode.NotCsv, OtherFormat.Zip);
        var folder = main[..(main.LastIndexOf('/') + 1)];
        var relations = Relations(folder, $"{folder}_rels/{main[folder.Length..]}.rels");
        texts = relations.FirstOrDefault(r => r.Kind == "sharedStrings")?.Part ?? "";
        styles = relations.FirstOrDefault(r => r.Kind == "styles")?.Part ?? "";

        var parts = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var (visible, hidden, uses1904) = (new List<WorkbookSheet>(), new List<WorkbookSheet>(), false);
        using var xml = Part(main, MostOfOthers)!;
        while (GuardedXml.Next(xml))
        {
            if (xml.NodeType != XmlNodeType.Element)
                continue;
            if (xml.LocalName == "workbookPr")
                uses1904 |= xml.GetAttribute("date1904") is "1" or "true"; // an extension has an element of this name, too
            if (xml.LocalName != "sheet" || xml.GetAttribute("name") is not { } name)
                continue;
            var isHidden = xml.GetAttribute("state") is "hidden" or "veryHidden";
            string? id = null;
            while (xml.MoveToNextAttribute())
            {
                // Of the relations' namespace, of which there are two.
                if (xml.LocalName == "id" && xml.NamespaceURI.Length > 0)
                    id = xml.Value;
            }

            if (relations.Find(r => r.Id == id) is { Kind: "worksheet", Part: var part })
            {
                // Two sheets of one part: a small file that costs as much as many large ones.
                if (!parts.Add(part))
                    throw Damaged();
                (isHidden ? hidden : visible).Add(new(name, part));
            }

            if (visible.Count + hidden.Count > MostSheets)
                throw TooLarge($"It has more than {MostSheets} sheets.");
        }

        return (visible.Count > 0 ? visible : hidden, uses1904);
    }

    private List<Relation> Relations(string folder, string name)
    {
        var relations = new List<Relation>();
        using var xml = Part(name, MostOfOthers);
        while (xml is not null && GuardedXml.Next(xml))
        {
            // What lies outside of the file is never looked at.
            if (xml.NodeType != XmlNodeType.Element || xml.LocalName != "Relationship" || xml.GetAttribute("TargetMode") == "External"
                || xml.GetAttribute("Id") is not { } id || xml.GetAttribute("Type") is not { } type
                || xml.GetAttribute("Target") is not { } target)
                continue;
            relations.Add(new(id, type[(type.LastIndexOf('/') + 1)..], Resolved(target.StartsWith('/') ? target : folder + target)));
        }

        return relations;
    }

    /// <summary>The part that a path with <c>.</c> and <c>..</c> in it means.</summary>
    private static string Resolved(string path)
    {
        var steps = new List<string>();
        foreach (var step in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (step == ".." && steps.Count > 0)
                steps.RemoveAt(steps.Count - 1);
            else if (step is not (".." or "."))
                steps.Add(step);
        }

        return string.Join('/', steps);
    }

    private XmlReader? Part(string name, long limit)
    {
        if (!entries.TryGetValue(name, out var entry))
            return null;
        try
        {
            if (entry.Length > limit)
                throw TooLarge($"{entry.Name} of it unpacks to {entry.Length:N0} bytes, and {limit:N0} are the limit.");
            if (entry.Length > Math.Max(RatioHoldsFrom, MostRatio * entry.CompressedLength))
                throw TooLarge($"{entry.Name} of it unpacks to more than {MostRatio} times its size, which no list of URLs does.");
            return GuardedXml.Open(entry.Open(), limit, entry.Name, this);
        }
        catch (Exception damaged) when (damaged is InvalidDataException or NotSupportedException)
        {
            throw Damaged(damaged);
        }
    }

    private sealed record Relation(string Id, string Kind, string Part);
}

/// <param name="Name">As its tab shows it.</param>
/// <param name="Part">The file of the archive that holds it.</param>
internal sealed record WorkbookSheet(string Name, string Part);
