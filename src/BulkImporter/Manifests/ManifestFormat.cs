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
}

/// <summary>The only place where a column is named, and where the shape of a manifest is guessed from its beginning.</summary>
public static class ManifestFormat
{
    /// <summary>The columns that an export adds, in their order.</summary>
    public static readonly IReadOnlyList<string> ResultColumns =
    [
        "import_row", "import_state", "import_status_id", "import_rid", "import_attempts",
        "import_error_code", "import_error", "import_submitted_at", "import_finished_at",
    ];

    /// <summary>Each target's names, the canonical one first; where a file has several, the earlier wins.</summary>
    private static readonly (ManifestColumn Target, string[] Names)[] Known =
    [
        (ManifestColumn.Url,
        [
            "url", "source_url", "input", "file_url", "download_url", "content_url", "media_url", "video_url", "asset_url",
            "original_url", "source", "link", "uri", "href", "src", "download_link", "file_link",
        ]),
        (ManifestColumn.Caption, ["caption", "title", "name"]),
        (ManifestColumn.Description, ["description", "desc", "summary"]),
        (ManifestColumn.LongDescription, ["long_description", "full_description"]),
        (ManifestColumn.Tags, ["tags", "tag", "keywords"]),
        (ManifestColumn.ReferenceId, ["reference_id", "reference", "external_id", "key", "id"]),
        (ManifestColumn.Gallery, ["gallery", "gallery_name", "album"]),
        (ManifestColumn.Filename, ["filename"]),
        (ManifestColumn.Transfer, ["transfer", "transfer_mode"]),
        (ManifestColumn.Fid, ["fid", "gallery_id"]),
        (ManifestColumn.RelatedLinkText, ["related_link_text"]),
        (ManifestColumn.RelatedLinkUrl, ["related_link_url", "related_link"]),
    ];

    private static readonly Dictionary<string, (ManifestColumn Target, int Rank)> ByName = Known
        .SelectMany(known => known.Names.Select((name, rank) => (name, known.Target, rank)))
        .ToDictionary(entry => Folded(entry.name), entry => (entry.Target, entry.rank));

    private static readonly SearchValues<char> SchemeCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

    private static readonly char[] Separators = [',', ';', '\t', '|'];

    /// <summary>The canonical names, for messages and pickers.</summary>
    public static IEnumerable<string> TargetNames => Known.Select(known => known.Names[0]);

    /// <summary>The canonical name of a target, e.g. <c>long_description</c>.</summary>
    public static string Name(ManifestColumn target) => Known[(int)target].Names[0];

    /// <summary>The target that this name or alias stands for, if any.</summary>
    public static ManifestColumn? TargetNamed(string name) => ByName.TryGetValue(Folded(name), out var known) ? known.Target : null;

    /// <summary>
    /// Which column is what: first the operator's mapping, then names and aliases, then, only for the URL, a single
    /// column whose values are URLs.
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
        foreach (var (target, _) in Known)
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

        if (!assigned.ContainsKey(ManifestColumn.Url))
            assigned[ManifestColumn.Url] = OnlyUrlColumn(columns, hasHeader, urlLike, explicitly);
        return assigned;
    }

    /// <summary>The separator under which the beginning of the file looks most like a manifest.</summary>
    /// <remarks>Known column names count most, then rows of equal width, then having columns at all.</remarks>
    internal static char DetectSeparator(ReadOnlyMemory<byte> sample, bool isWhole, ManifestMapping? mapping)
    {
        var best = Separators[0];
        var bestScore = (Known: -1, Shape: -1, Start: 0);
        foreach (var separator in Separators)
        {
            var rows = SampleRows(sample, isWhole, separator, 50);
            if (rows.Count == 0)
                continue;
            var first = rows[0];
            var known = first.Count(name => TargetNamed(name) is not null || Names(mapping, name));
            var equal = 100 * rows.Count(row => row.Length == first.Length) / rows.Count;
            var score = (known, equal + (first.Length > 1 ? 50 + Math.Min(first.Length, 40) : 0), -first[0].Length);
            if (score.CompareTo(bestScore) > 0)
                (best, bestScore) = (separator, score);
        }

        return best;
    }

    /// <summary>A row that holds an address is no header, unless a name in it is one we know.</summary>
    internal static bool IsHeader(IReadOnlyList<string> first, ManifestMapping? mapping)
    {
        if (LooksLikeUrl(first[0]))
            return false;
        return !first.Any(LooksLikeUrl) || first.Any(name => TargetNamed(name) is not null || Names(mapping, name));
    }

    /// <summary>The columns of which most sampled values are URLs.</summary>
    internal static HashSet<int> UrlLikeColumns(IReadOnlyList<string[]> rows, int columnCount)
    {
        var found = new HashSet<int>();
        for (var column = 0; column < columnCount; column++)
        {
            var values = rows.Where(row => column < row.Length && !string.IsNullOrWhiteSpace(row[column])).Select(row => row[column]).ToList();
            if (values.Count > 0 && 2 * values.Count(LooksLikeUrl) > values.Count)
                found.Add(column);
        }

        return found;
    }

    /// <summary>The first rows of the sample that are not blank; the last is left out when the sample may cut it.</summary>
    internal static List<string[]> SampleRows(ReadOnlyMemory<byte> sample, bool isWhole, char separator, int count)
    {
        var rows = new List<string[]>();
        using var csv = CsvReader.Create(sample, new CsvReaderOptions { Separator = separator, HasHeader = false });
        while (rows.Count < count && csv.Read())
        {
            var reachesTheEnd = csv.ByteOffset + csv.RawRecord.Length >= sample.Length;
            if (reachesTheEnd && !isWhole && rows.Count > 0)
                break;
            var row = new string[csv.FieldCount];
            for (var field = 0; field < row.Length; field++)
                row[field] = csv.GetString(field);
            if (!Array.TrueForAll(row, field => field.AsSpan().Trim(" ,;\t|").IsEmpty)) // blank under any separator
                rows.Add(row);
        }

        return rows;
    }

    /// <summary>Where the columns of an earlier export stand, by <see cref="ResultColumns"/>; empty when the file is none.</summary>
    /// <remarks>The last column of a name is ours: an export writes its columns behind all others.</remarks>
    internal static HashSet<int> FindResultColumns(IReadOnlyList<string> columns)
    {
        var names = columns.Select(name => name.Trim()).ToList();
        var found = ResultColumns.Select(name => names.LastIndexOf(name)).Where(index => index >= 0).ToHashSet();
        return names.Contains("import_row") && names.Contains("import_state") ? found : [];
    }

    private static int ColumnNamed(string name, IReadOnlyList<string> columns)
    {
        Func<string, bool>[] ways =
        [
            column => column == name,
            column => string.Equals(column.Trim(), name, StringComparison.OrdinalIgnoreCase),
            column => Folded(column) == Folded(name),
        ];
        foreach (var matches in ways)
        {
            for (var index = 0; index < columns.Count; index++)
            {
                if (matches(columns[index]))
                    return index;
            }
        }

        throw new ManifestRejectedException(
            RejectionCode.ColumnUnknown, $"There is no column \"{name}\". The columns are: {Listed(columns)}.", column: name, candidates: [.. columns]);
    }

    private static int OnlyUrlColumn(IReadOnlyList<string> columns, bool hasHeader, IReadOnlySet<int> urlLike, HashSet<int> taken)
    {
        var candidates = urlLike.Where(index => !taken.Contains(index)).Order().ToList();
        if (candidates.Count == 1 || (!hasHeader && candidates is [0, ..]))
            return candidates[0];
        if (candidates.Count > 1)
        {
            var names = candidates.ConvertAll(index => columns[index]);
            throw new ManifestRejectedException(
                RejectionCode.UrlColumnAmbiguous,
                $"Several columns hold URLs: {Listed(names)}. Say which one to import from, for example url={names[0]}.",
                candidates: names);
        }

        throw new ManifestRejectedException(
            RejectionCode.UrlColumnMissing,
            $"No column is named url (or {string.Join(", ", Known[0].Names.Skip(1))}), and no single column holds URLs. The columns are: {Listed(columns)}. Say which one it is, for example url=OriginalURL.",
            candidates: [.. columns]);
    }

    /// <summary>Names for a message: a file that is no manifest can have thousands.</summary>
    private static string Listed(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(40).Select(FindingMask.Mask)) + (names.Count > 40 ? $" and {names.Count - 40} more" : "");

    private static bool Names(ManifestMapping? mapping, string column) =>
        mapping?.Columns.Values.Any(name => name.Length > 0 && Folded(name) == Folded(column)) == true;

    /// <summary>Something of the form scheme://rest, also a scheme that is refused later: the operator then learns why.</summary>
    private static bool LooksLikeUrl(string value)
    {
        var text = value.AsSpan().Trim();
        var mark = text.IndexOf("://", StringComparison.Ordinal);
        return mark > 0 && text.Length > mark + 3 && !text[..mark].ContainsAnyExcept(SchemeCharacters);
    }

    /// <summary>source_url, Source URL and sourceUrl are one name.</summary>
    private static string Folded(string name) => string.Concat(name.Where(c => c is not ('_' or '-' or ' ' or '\uFEFF' or '\t'))).ToLowerInvariant();
}
