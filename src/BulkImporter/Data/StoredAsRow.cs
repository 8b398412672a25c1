using System.Reflection;

namespace BulkImporter.Data;

/// <summary>
/// Marks a record that statements take as a composite of schema <c>importer</c>, many in one array: <c>unnest($1::importer.outcome[])</c>.
/// Each attribute of the composite is filled from the constructor's parameter of its name; the composites stand in the migration of
/// functions.
/// </summary>
/// <param name="name">The composite's name.</param>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class StoredAsRowAttribute(string name) : Attribute
{
    public string Name => name;

    /// <summary>All that there are, with what they are called in the database.</summary>
    public static IEnumerable<(Type Type, string Name)> All { get; } =
        [.. from type in Assembly.GetExecutingAssembly().GetTypes()
            let mark = type.GetCustomAttribute<StoredAsRowAttribute>()
            where mark is not null
            select (type, $"{ImporterDb.Schema}.{mark.Name}")];

    public static NpgsqlDataSourceBuilder MapAll(NpgsqlDataSourceBuilder builder)
    {
        foreach (var (type, name) in All) builder.MapComposite(type, name);
        return builder;
    }
}
