using System.Globalization;
using BulkImporter.Data;
using BulkImporter.Manifests;

namespace BulkImporter.Imports;

public enum ImportOrder
{
    Newest,
    Oldest,
    Name,
}

/// <summary>Which imports a list shows, and in which order. Everything that is set must hold.</summary>
public sealed record ImportFilter
{
    /// <summary>Every import, the newest first.</summary>
    public static ImportFilter All { get; } = new();

    public ImportState? State { get; init; }

    /// <summary>Part of the name, the file's name, the account or the person who made it, in any case; or the import's number.</summary>
    public string? Search { get; init; }

    public ImportOrder Order { get; init; }

    /// <summary>The ids of one page: those behind import $1 (null for the first page), at most $2. Values go to <paramref name="parameters"/>.</summary>
    internal string PageSql(List<object?> parameters)
    {
        var conditions = "";
        if (State is { } state) conditions += $" AND i.state = {Next(EnumText<ImportState>.Of(state))}";
        if (Search is { Length: > 0 } search)
        {
            var pattern = Next(Like.Containing(search));
            var number = int.TryParse(search.TrimStart('#'), CultureInfo.InvariantCulture, out var id) ? $" OR i.id = {Next(id)}" : "";
            conditions += $" AND (i.name ILIKE {pattern} OR m.file_name ILIKE {pattern} OR a.name ILIKE {pattern} OR i.created_by ILIKE {pattern}{number})";
        }
        var (behind, order) = Order switch
        {
            ImportOrder.Newest => ("i.id < $1", "i.id DESC"),
            ImportOrder.Oldest => ("i.id > $1", "i.id"),
            ImportOrder.Name => ("(lower(i.name), i.id) > (SELECT lower(name), id FROM importer.import WHERE id = $1)", "lower(i.name), i.id"),
        };
        return $"""
            SELECT i.id FROM importer.import i
            JOIN importer.account a ON a.id = i.account_id
            JOIN importer.manifest m ON m.id = i.manifest_id
            WHERE ($1::int IS NULL OR {behind}){conditions}
            ORDER BY {order} LIMIT $2
            """;

        string Next(object value)
        {
            parameters.Add(value);
            return $"${parameters.Count}";
        }
    }
}
