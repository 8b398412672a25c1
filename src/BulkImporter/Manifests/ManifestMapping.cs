namespace BulkImporter.Manifests;

/// <summary>
/// The operator's own answer to which column is what, e.g. <c>url=OriginalURL,caption=Title</c>. It overrides what the
/// header suggests for the targets it names; an empty name (<c>reference_id=</c>) leaves that target without a column.
/// Names that hold a comma, an equals sign or a quote stand in double quotes, a quote inside doubled.
/// </summary>
public sealed class ManifestMapping
{
    private readonly Dictionary<ManifestColumn, string> columns;

    private ManifestMapping(Dictionary<ManifestColumn, string> columns) => this.columns = columns;

    /// <summary>Target to column name as the operator wrote it; empty for "no column".</summary>
    public IReadOnlyDictionary<ManifestColumn, string> Columns => columns;

    /// <exception cref="ManifestRejectedException"><see cref="RejectionCode.MappingInvalid"/>: not of the form, an unknown target, or a
    /// target named twice.</exception>
    public static ManifestMapping Parse(string text)
    {
        var pairs = new List<KeyValuePair<string, string>>();
        var at = 0;
        while (at < text.Length)
        {
            var target = Part(text, ref at, '=');
            if (at >= text.Length || text[at] != '=')
                throw Invalid($"\"{target}\" has no column: write target=column, for example url=OriginalURL,caption=Title.");
            at++;
            pairs.Add(new(target, Part(text, ref at, ',')));
            if (at < text.Length)
                at++;
        }

        return From(pairs);
    }

    /// <summary>The same from pairs of target name and column name, as a form or a JSON body gives them.</summary>
    /// <exception cref="ManifestRejectedException"><see cref="RejectionCode.MappingInvalid"/>.</exception>
    public static ManifestMapping From(IEnumerable<KeyValuePair<string, string>> pairs)
    {
        var columns = new Dictionary<ManifestColumn, string>();
        foreach (var (name, column) in pairs)
        {
            if (ManifestFormat.TargetNamed(name) is not { } target)
                throw Invalid(
                    $"\"{name}\" is nothing that a column can be. Possible are: {string.Join(", ", ManifestFormat.TargetNames)}.", name);
            if (target == ManifestColumn.Url && string.IsNullOrWhiteSpace(column))
                throw Invalid("url needs a column.", name);
            if (!columns.TryAdd(target, column.Trim()))
                throw Invalid($"\"{ManifestFormat.Name(target)}\" is mapped twice.", name);
        }

        return new ManifestMapping(columns);
    }

    /// <summary>The text that <see cref="Parse"/> reads back.</summary>
    public override string ToString() =>
        string.Join(',', columns.OrderBy(c => c.Key).Select(c => $"{ManifestFormat.Name(c.Key)}={Quoted(c.Value)}"));

    /// <summary>A column's name as it stands in a mapping.</summary>
    internal static string Quoted(string column) =>
        column.AsSpan().IndexOfAny(",=\"") < 0 ? column : $"\"{column.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static string Part(string text, ref int at, char end)
    {
        while (at < text.Length && text[at] == ' ')
            at++;
        if (at >= text.Length || text[at] != '"')
        {
            var length = text.AsSpan(at).IndexOf(end);
            var plain = length < 0 ? text[at..] : text.Substring(at, length);
            at += plain.Length;
            return plain.Trim();
        }

        var part = new StringBuilder();
        for (at++; at < text.Length; at++)
        {
            if (text[at] != '"')
            {
                part.Append(text[at]);
            }
            else if (at + 1 < text.Length && text[at + 1] == '"')
            {
                part.Append('"');
                at++;
            }
            else
            {
                at++;
                while (at < text.Length && text[at] == ' ')
                    at++;
                if (at < text.Length && text[at] != end)
                    throw Invalid($"Unexpected \"{text[at]}\" after the quoted name \"{part}\".");
                return part.ToString();
            }
        }

        throw Invalid($"The quote before \"{part}\" is not closed.");
    }

    private static ManifestRejectedException Invalid(string message, string? column = null) =>
        new(RejectionCode.MappingInvalid, "The column mapping cannot be read. " + message, column: column);
}
