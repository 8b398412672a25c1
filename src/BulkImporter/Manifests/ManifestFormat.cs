using System.Buffers;
using CsvHelper;

namespace BulkImporter.Manifests;

/// <summary>What a column of a manifest can be to the importer.</summary>
public enum ManifestColumn
{
    Url,
    Caption,
    Description,
    LongDescription,
    Tags,
    ReferenceId,
    Gallery,
    Filename,
    Transfer,
    Fid,
    RelatedLinkText,
    RelatedLinkUrl,

    /// <summary>The address that people used until now: of the page or the embed, and not of the file.</summary>
    OldUrl,

    /// <summary>Bytes that the file has: what is to arrive.</summary>
    Size,

    /// <summary>The file's MD5, which is compared with what a push sends.</summary>
    Md5,

    /// <summary>How long the file plays: what is to arrive.</summary>
    Duration,
}

/// <summary>The only place where a column is named, and where the shape of a manifest is guessed from its beginning.</summary>
public static class ManifestFormat
{
    /// <summary>The columns that an export adds, in their order.</summary>
    public static readonly IReadOnlyList<string> ResultColumns =
    [
        "import_row", "import_state", "import_status_id", "import_rid", "import_attempts",
        "import_error_code", "import_error", "import_submitted_at", "import_finished_at",
        "import_hls_url", "import_embed_url", "import_file_url", "import_thumbnail_url", "import_fid", "import_playable",
        "import_verified", "import_expected_size", "import_size", "import_expected_duration", "import_duration", "import_sent_sha256",
    ];

    /// <summary>
    /// Each target's longest value, in characters, and its names, the canonical one first; where a file has several, the earlier wins.
    /// </summary>
    /// <remarks>
    /// Names and keys are as long as anybody's are, and far below what an index of the database takes; texts are longer than what one call
    /// can carry, which the finishing tells.
    /// </remarks>
    private static readonly (ManifestColumn Target, int MaxLength, string[] Names)[] Known =
    [
        (ManifestColumn.Url, 8000,
        [
            "url", "source_url", "input", "file_url", "download_url", "content_url", "media_url", "video_url", "asset_url",
            "original_url", "source", "link", "uri", "href", "src", "download_link", "file_link",
        ]),
        (ManifestColumn.Caption, 2000,
        [
            "caption", "title", "name", "video_title", "media_title", "asset_title", "clip_title",
            "video_name", "media_name", "asset_name", "clip_name",
        ]),
        (ManifestColumn.Description, 5000, ["description", "desc", "summary"]),
        (ManifestColumn.LongDescription, 20_000, ["long_description", "full_description"]),
        (ManifestColumn.Tags, 5000, ["tags", "tag", "keywords"]),
        (ManifestColumn.ReferenceId, 250, ["reference_id", "reference", "external_id", "key", "id"]),
        (ManifestColumn.Gallery, 250, ["gallery", "gallery_name", "album"]),
        (ManifestColumn.Filename, 250, ["filename"]),
        (ManifestColumn.Transfer, 250, ["transfer", "transfer_mode"]),
        (ManifestColumn.Fid, 250, ["fid", "gallery_id"]),
        (ManifestColumn.RelatedLinkText, 2000, ["related_link_text"]),
        (ManifestColumn.RelatedLinkUrl, 2000, ["related_link_url", "related_link"]),
        (ManifestColumn.OldUrl, 2000, ["old_url", "old_address"]),
        (ManifestColumn.Size, 250, ["size", "file_size", "size_bytes"]),
        (ManifestColumn.Md5, 250, ["md5"]),
        (ManifestColumn.Duration, 250, ["duration", "duration_seconds"]),
    ];

    private static readonly Dictionary<string, (ManifestColumn Target, int Rank)> ByName = Known
        .SelectMany(known => known.Names.Select((name, rank) => (name, known.Target, rank)))
        .ToDictionary(entry => Folded(entry.name), entry => (entry.Target, entry.rank));

    private static readonly SearchValues<char> SchemeCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

    private static readonly SearchValues<byte> Blanks = SearchValues.Create(" ,;\t|\"\r\n"u8);

    internal static readonly char[] Separators = [',', ';', '\t', '|'];

    /// <summary>The longest value of a column that is only passed on to the result file, in bytes of UTF-8.</summary>
    public const int MaxFieldLength = 1024 * 1024;

    /// <summary>The limits of <see cref="MaxLength"/> as a hint says them.</summary>
    internal const string LimitsInWords =
        "url 8,000 characters; long_description 20,000; description and tags 5,000; caption, related_link_text, "
        + "related_link_url and old_url 2,000; "
        + "reference_id, gallery, fid, filename, size, md5 and duration 250; any other 1 MB";

    /// <summary>The canonical names, for messages and pickers.</summary>
    public static IEnumerable<string> TargetNames => Known.Select(known => known.Names[0]);

    /// <summary>The canonical name of a target, e.g. <c>long_description</c>.</summary>
    public static string Name(ManifestColumn target) => Known[(int)target].Names[0];

    /// <summary>The longest value of a column, in characters.</summary>
    internal static int MaxLength(ManifestColumn column) => Known[(int)column].MaxLength;

    /// <summary>The target that this name or alias stands for, if any.</summary>
    public static ManifestColumn? TargetNamed(string name) => ByName.TryGetValue(Folded(name), out var known) ? known.Target : null;

    /// <summary>
    /// Which column is what: first the operator's mapping, then names and aliases, then, only for the URL, a single column whose values are
    /// URLs.
    /// </summary>
    /// <param name="columns">The header names, or column1, column2, … without a header.</param>
    /// <param name="hasHeader">Whether <paramref name="columns"/> come from the file.</param>
    /// <param name="urlLike">The columns whose sampled values are URLs.</param>
    /// <param name="mapping">The operator's mapping, if any.</param>
    /// <param name="resultColumns">Columns that an earlier export added; they are never a target.</param>
    /// <exception cref="ManifestRejectedException">A mapped column does not exist, or the URL column is missing or a question.</exception>
    internal static Dictionary<ManifestColumn, int> Assign(
        IReadOnlyList<string> columns, bool hasHeader, IReadOnlySet<int> urlLike, ManifestMapping? mapping, IReadOnlySet<int> resultColumns)
    {
        var assigned = new Dictionary<ManifestColumn, int>();
        foreach (var (target, name) in mapping?.Columns ?? new Dictionary<ManifestColumn, string>())
        {
            if (name.Length > 0)
                assigned[target] = ColumnNamed(name, columns);
        }

        var explicitly = assigned.Values.ToHashSet();
        foreach (var (target, _, _) in Known)
        {
            if (!hasHeader || mapping?.Columns.ContainsKey(target) == true)
                continue;
            var candidates = Enumerable.Range(0, columns.Count)
                .Where(index => !explicitly.Contains(index) && !resultColumns.Contains(index))
                .Where(index => ByName.TryGetValue(Folded(columns[index]), out var known) && known.Target == target)
                .OrderBy(index => ByName[Folded(columns[index])].Rank)
                .ToList();
            if (candidates.Count == 0)
                continue;

            // "source" is as often a person or an archive as an address: among several, the one that holds URLs.
            var best = candidates[0];
            if (target == ManifestColumn.Url && ByName[Folded(columns[best])].Rank > 0 && candidates.Any(urlLike.Contains))
                best = candidates.First(urlLike.Contains);
            assigned[target] = best;
        }

        // What people used until now are addresses too, and never those of the files.
        if (assigned.TryGetValue(ManifestColumn.OldUrl, out var old))
            explicitly.Add(old);
        if (!assigned.ContainsKey(ManifestColumn.Url))
            assigned[ManifestColumn.Url] = OnlyUrlColumn(columns, hasHeader, urlLike, explicitly);
        return assigned;
    }

    /// <summary>The separator under which the beginning of the file looks most like a manifest.</summary>
    /// <remarks>Known column names count most, then rows of equal width and in order, then having columns at all.</remarks>
    internal static char DetectSeparator(ReadOnlyMemory<byte> sample, bool isWhole, ManifestMapping? mapping)
    {
        var best = Separators[0];
        var bestScore = (Known: -1, Shape: -1, Start: 0);
        foreach (var separator in Separators)
        {
            var malformed = 0;
            var rows = SampleRows(sample, isWhole, Dialect(separator) with { OnMalformedRecord = _ => malformed++ }, 50);
            if (rows.Count == 0)
                continue;
            var first = rows[0];
            var known = first.Count(name => TargetNamed(name) is not null || Names(mapping, name));
            var (width, equal) = known > 0 ? (first.Length, rows.Count(row => row.Length == first.Length)) : MostCommonWidth(rows);
            var score = (known, 100 * (equal - malformed) / rows.Count + (width > 1 ? 50 + Math.Min(width, 40) : 0), -first[0].Length);
            if (score.CompareTo(bestScore) > 0)
                (best, bestScore) = (separator, score);
        }

        return best;
    }

    /// <summary>How many fields most rows have, and how many rows those are.</summary>
    internal static (int Width, int Rows) MostCommonWidth(IReadOnlyList<string[]> rows)
    {
        var most = rows.GroupBy(row => row.Length).MaxBy(equal => equal.Count())!;
        return (most.Key, most.Count());
    }

    /// <summary>
    /// A row that holds an address is no header, unless a name in it is one we know; and there is none where the operator counts
    /// columns.
    /// </summary>
    internal static bool IsHeader(IReadOnlyList<string> first, ManifestMapping? mapping)
    {
        if (LooksLikeUrl(first[0]))
            return false;
        var isKnown = first.Any(name => TargetNamed(name) is not null || Names(mapping, name));
        if (!isKnown && Number(mapping?.Columns.GetValueOrDefault(ManifestColumn.Url)) is { } number
            && (number > first.Count || !string.IsNullOrWhiteSpace(first[number - 1])))
            return false;
        return isKnown || !first.Any(LooksLikeUrl);
    }

    /// <summary>
    /// The header of a list for Kaltura's bulk upload: a star before its first name, and a name that nobody else has. In such a list a row
    /// that begins with a number sign is a comment, wherever it stands (BulkUploadEngineCsv of Kaltura's server, and its page "Bulk Content
    /// Ingestion API"). In any other list it may be a title.
    /// </summary>
    internal static bool IsOfKaltura(IReadOnlyList<string> header) =>
        header[0].TrimStart().StartsWith('*') && header.Any(name => KalturaNames.Contains(Folded(name)));

    private static readonly HashSet<string> KalturaNames =
    [
        "contenttype", "conversionprofile", "conversionprofileid", "accesscontrolprofileid", "schedulestartdate", "scheduleenddate",
        "partnerdata",
    ];

    /// <summary>The 3 of <c>column3</c>; null for every other name.</summary>
    private static int? Number(string? name) =>
        name?.StartsWith("column", StringComparison.OrdinalIgnoreCase) == true
        && int.TryParse(name.AsSpan(6), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : null;

    /// <summary>The columns of which most sampled values are URLs.</summary>
    internal static HashSet<int> UrlLikeColumns(IReadOnlyList<string[]> rows, int columnCount)
    {
        var found = new HashSet<int>();
        for (var column = 0; column < columnCount; column++)
        {
            var values = rows.Where(row => column < row.Length && !string.IsNullOrWhiteSpace(row[column]))
                .Select(row => row[column]).ToList();
            if (values.Count > 0 && 2 * values.Count(LooksLikeUrl) > values.Count)
                found.Add(column);
        }

        return found;
    }

    /// <summary>The first rows of the sample that are not blank; the last is left out when the sample may cut it.</summary>
    internal static List<string[]> SampleRows(ReadOnlyMemory<byte> sample, bool isWhole, char separator, int count) =>
        SampleRows(sample, isWhole, Dialect(separator), count);

    private static List<string[]> SampleRows(ReadOnlyMemory<byte> sample, bool isWhole, CsvReaderOptions dialect, int count)
    {
        var rows = new List<string[]>();
        using var csv = CsvReader.Create(sample, dialect);
        while (rows.Count < count && csv.Read())
        {
            var reachesTheEnd = csv.ByteOffset + csv.RawRecord.Length >= sample.Length;
            if (reachesTheEnd && !isWhole && rows.Count > 0)
                break;
            if (!IsBlank(csv.RawRecord))
                rows.Add(Fields(csv));
        }

        return rows;
    }

    /// <summary>
    /// How fields are told apart. Blanks around a value are no part of it, also those around its quotes: <c>"a", "b"</c>.
    /// </summary>
    internal static CsvReaderOptions Dialect(char separator) => new() { Separator = separator, HasHeader = false, TrimWhitespace = true };

    internal static string[] Fields(CsvReader csv)
    {
        var fields = new string[csv.FieldCount];
        for (var field = 0; field < fields.Length; field++)
            fields[field] = csv.GetString(field);
        return fields;
    }

    /// <summary>
    /// The record that <paramref name="text"/> begins with, by the separator under which it looks most like a header. Quotes around all
    /// of it do not count.
    /// </summary>
    internal static (string[] Fields, int Length) FirstRecord(
        ReadOnlyMemory<byte> text, IEnumerable<char> separators, ManifestMapping? mapping)
    {
        var best = (Fields: Array.Empty<string>(), Length: 0);
        var bestScore = (Known: -1, Fields: -1);
        foreach (var separator in separators)
        {
            using var csv = CsvReader.Create(text, Dialect(separator));
            if (!csv.Read())
                continue;
            var fields = WholeQuote(csv.RawRecord, Padding) is { Length: > 0 } inner
                ? SampleRows(inner, true, separator, 1).FirstOrDefault([])
                : Fields(csv);
            var score = (fields.Count(name => TargetNamed(name) is not null || Names(mapping, name)), fields.Length);
            if (score.CompareTo(bestScore) > 0)
                (best, bestScore) = ((fields, csv.RawRecord.Length), score);
        }

        return best;
    }

    /// <summary>What may stand around a line that is in quotes as a whole.</summary>
    internal static ReadOnlySpan<byte> Padding => " \t,;|"u8;

    /// <summary>Blank under any separator.</summary>
    internal static bool IsBlank(ReadOnlySpan<byte> line) => line.IndexOfAnyExcept(Blanks) < 0;

    /// <summary>
    /// A file of which each line stands in quotes as a whole, as Excel writes one that it has all in column A: its lines without those
    /// quotes. Null for every other file.
    /// </summary>
    /// <exception cref="ManifestRejectedException"><see cref="RejectionCode.HeaderUnclear"/>: without a header, such a line may be one
    /// address too.</exception>
    internal static ReadOnlyMemory<byte>? Unwrapped(ReadOnlyMemory<byte> sample, bool isWhole, ManifestMapping? mapping)
    {
        var lines = new MemoryStream();
        var padding = '"';
        using (var csv = CsvReader.Create(sample, Dialect(',')))
        {
            while (csv.Read())
            {
                if (lines.Length > 0 && !isWhole && csv.ByteOffset + csv.RawRecord.Length >= sample.Length)
                    break;
                var line = WholeQuote(csv.RawRecord, Padding);
                if (lines.Length == 0)
                {
                    if (line.Length == 0)
                        return null;
                    padding = (char)csv.RawRecord.TrimEnd(" \t"u8)[^1];
                }

                lines.Write(line.Length > 0 ? line : csv.RawRecord);
                lines.WriteByte((byte)'\n');
            }
        }

        ReadOnlyMemory<byte> unwrapped = lines.ToArray();
        var separator = DetectSeparator(unwrapped, true, mapping);
        var rows = SampleRows(unwrapped, true, separator, 100);
        if (rows is not [{ Length: > 1 } first, ..])
            return null;
        var equal = rows.Count(row => row.Length == first.Length);
        if (!first.Any(LooksLikeUrl))
        {
            var known = first.Count(name => TargetNamed(name) is not null);
            if (known < 2 && (known == 0 || rows.Count > 1) && 2 * (equal - 1) < Math.Max(rows.Count - 1, 1))
                return null;
            return padding == '"' || padding == separator ? unwrapped : throw LinesQuoted();
        }

        // What stands behind a comma of one address mostly holds a slash; the value of a column does not.
        if (equal == rows.Count && rows.TrueForAll(row => LooksLikeUrl(row[0]) && !row.Skip(1).Any(rest => rest.Contains('/'))))
            throw LinesQuoted();
        return null;
    }

    private static ManifestRejectedException LinesQuoted() => new(
        RejectionCode.HeaderUnclear,
        "Each line of this file is in double quotes as a whole, so that it is one value with separators in it. If each line is " +
            "several columns, take the outer quotes away (in Excel: Data, Text to Columns, then save as \"CSV UTF-8\"). If each line " +
            "is one address, write \"url\" in a line before them.",
        line: 1);

    /// <summary>
    /// The value of a text that is one quoted value and, behind it, nothing but <paramref name="padding"/>; empty when it is not.
    /// </summary>
    internal static byte[] WholeQuote(ReadOnlySpan<byte> text, ReadOnlySpan<byte> padding)
    {
        text = text.Trim(padding);
        if (text is not [(byte)'"', .., (byte)'"'])
            return [];
        var value = new List<byte>(text.Length);
        for (var at = 1; at < text.Length - 1; at++)
        {
            if (text[at] == (byte)'"' && (++at == text.Length - 1 || text[at] != (byte)'"'))
                return [];
            value.Add(text[at]);
        }

        return [.. value];
    }

    /// <summary>Where the columns of an earlier export stand, by <see cref="ResultColumns"/>; empty when the file is none.</summary>
    /// <remarks>The last column of a name is ours: an export writes its columns behind all others.</remarks>
    internal static HashSet<int> FindResultColumns(IReadOnlyList<string> columns)
    {
        var names = columns.Select(Plain).ToList();
        var found = ResultColumns.Select(name => names.LastIndexOf(name)).Where(index => index >= 0).ToHashSet();
        return names.Contains("import_row") && names.Contains("import_state") ? found : [];
    }

    private static int ColumnNamed(string name, IReadOnlyList<string> columns)
    {
        Func<int, bool>[] ways =
        [
            index => columns[index] == name,
            index => string.Equals(Plain(columns[index]), Plain(name), StringComparison.OrdinalIgnoreCase),
            index => IsNamed(columns[index], name),
            index => Shown(columns[index]) == name,
        ];
        foreach (var matches in ways)
        {
            for (var index = 0; index < columns.Count; index++)
            {
                if (matches(index))
                    return index;
            }
        }

        string[] shown = [.. columns.Select(Shown)];
        throw new ManifestRejectedException(
            RejectionCode.ColumnUnknown, $"There is no column \"{FindingMask.Mask(name)}\". The columns are: {Listed(shown)}.",
            column: name, candidates: shown);
    }

    private static int OnlyUrlColumn(IReadOnlyList<string> columns, bool hasHeader, IReadOnlySet<int> urlLike, HashSet<int> taken)
    {
        var candidates = urlLike.Where(index => !taken.Contains(index)).Order().ToList();
        if (candidates.Count == 1 || (!hasHeader && candidates is [0, ..]))
            return candidates[0];
        if (candidates.Count > 1)
        {
            var names = candidates.ConvertAll(index => Shown(columns[index]));
            throw new ManifestRejectedException(
                RejectionCode.UrlColumnAmbiguous,
                $"Several columns hold URLs: {Listed(names)}. Choose the one to import from, for example " +
                    $"url={ManifestMapping.Quoted(names[0])}.",
                candidates: names);
        }

        string[] all = [.. columns.Select(Shown)];
        throw new ManifestRejectedException(
            RejectionCode.UrlColumnMissing,
            $"No column is named url or similar, and no single column holds URLs. The columns are: {Listed(all)}. Choose the one that " +
                "has the addresses, for example url=OriginalURL.",
            candidates: all);
    }

    /// <summary>Shown names for a message, as a mapping takes them: a file that is no manifest can have thousands.</summary>
    private static string Listed(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(40).Select(ManifestMapping.Quoted)) + (names.Count > 40 ? $" and {names.Count - 40} more" : "");

    /// <summary>A column's name as a message shows it, which a mapping can name it by.</summary>
    private static string Shown(string name) => FindingMask.Mask(Plain(name));

    private static bool Names(ManifestMapping? mapping, string column) =>
        mapping?.Columns.Values.Any(name => name.Length > 0 && IsNamed(column, name)) == true;

    /// <summary>Whether a column's name, or the operator's mapping, says that the URLs stand in it.</summary>
    internal static bool NamesUrl(string column, ManifestMapping? mapping) =>
        TargetNamed(column) == ManifestColumn.Url
        || (mapping?.Columns.GetValueOrDefault(ManifestColumn.Url) is { } name && IsNamed(column, name));

    /// <summary>Whether two names are one, however they are spelled.</summary>
    internal static bool IsNamed(string column, string name) => Folded(column) == Folded(name);

    /// <summary>Something of the form scheme://rest, also a scheme that is refused later: the operator then learns why.</summary>
    internal static bool LooksLikeUrl(string value)
    {
        ReadOnlySpan<char> text = Encoding.UTF8.GetString(UrlCell.Read(CellText.Trim(Encoding.UTF8.GetBytes(value)), out _, out _));
        var mark = text.IndexOf("://", StringComparison.Ordinal);
        return mark > 0 && text.Length > mark + 3 && !text[..mark].ContainsAnyExcept(SchemeCharacters);
    }

    /// <summary>A text on one line: white space of any kind becomes one blank, and what nobody sees is left out.</summary>
    internal static string Plain(string text)
    {
        var plain = new StringBuilder(text.Length);
        foreach (var c in text.EnumerateRunes())
        {
            if (Rune.IsWhiteSpace(c) || Rune.IsControl(c))
            {
                if (plain.Length > 0 && plain[^1] != ' ')
                    plain.Append(' ');
            }
            else if (Rune.GetUnicodeCategory(c) != UnicodeCategory.Format && !CellText.IsHidden(c))
            {
                plain.Append(c);
            }
        }

        return plain.ToString().TrimEnd(' ');
    }

    /// <summary>source_url, Source URL, sourceUrl and *Source URL: are one name.</summary>
    private static string Folded(string name) =>
        string.Concat(Plain(name).TrimStart('#').Trim('*', ':', ' ').Where(c => c is not ('_' or '-' or ' '))).ToLowerInvariant();
}
