using System.Collections.Frozen;
using System.Text.Json;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace BulkImporter.Data;

/// <summary>
/// The text of an enum member outside C#: snake_case, the same in the database, in JSON, on the command line and on the pages.
/// </summary>
public static class EnumText<T> where T : struct, Enum
{
    private static readonly FrozenDictionary<T, string> Texts =
        Enum.GetValues<T>().ToFrozenDictionary(v => v, v => JsonNamingPolicy.SnakeCaseLower.ConvertName(v.ToString()));
    private static readonly FrozenDictionary<string, T> Values = Texts.ToFrozenDictionary(p => p.Value, p => p.Key, StringComparer.Ordinal);

    public static IReadOnlyList<string> All { get; } = [.. Enum.GetValues<T>().Select(v => Texts[v])];

    public static string Of(T value) => Texts[value];

    public static bool TryParse(string? text, out T value)
    {
        value = default;
        return text is not null && Values.TryGetValue(text, out value);
    }

    public static T Parse(string text) => TryParse(text, out var value)
        ? value
        : throw new FormatException($"'{text}' is not a {typeof(T).Name}; known are: {string.Join(", ", All)}.");

    /// <summary>A CHECK that lets only the members' texts into <paramref name="column"/>.</summary>
    public static string Check(string column) => $"{column} IN ({string.Join(", ", All.Select(t => $"'{t}'"))})";
}

/// <summary>Lets EF Core store an enum as its <see cref="EnumText{T}"/>.</summary>
public sealed class EnumTextConverter<T>() : ValueConverter<T, string>(v => EnumText<T>.Of(v), t => EnumText<T>.Parse(t))
    where T : struct, Enum;
