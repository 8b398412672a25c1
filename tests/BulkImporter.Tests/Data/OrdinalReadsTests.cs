using System.Text.RegularExpressions;

namespace BulkImporter.Tests.Data;

/// <summary>
/// What the database returns is read by name: two columns of one type that change places would compile, and nobody would see it.
/// </summary>
public sealed partial class OrdinalReadsTests
{
    /// <summary>Where a column is read by its number, and why that is right there.</summary>
    private static readonly Dictionary<string, string> Allowed = new()
    {
        ["Manifests/ManifestBytes.cs"] = "One column of bytes, as a stream: a part of a manifest never stands in memory as a whole.",
    };

    public static TheoryData<string, bool> Samples => new()
    {
        { "reader.GetInt32(0)", true },
        { "r.GetFieldValue<DateTimeOffset?[]>(10)", true },
        { "await reader.GetFieldValueAsync<int>(1, stop)", true },
        { "r.IsDBNull(3) ? null : 1", true },
        { "(int)reader[2]", true },
        { "r.GetString(first + 2)", true },
        { "reader.GetStream(0)", true },
        { "reader.GetName(0)", false },
        { "RandomNumberGenerator.GetBytes(32)", false },
        { "reader[\"state\"]", false },
        { "rows[0]", false },
    };

    [Theory]
    [MemberData(nameof(Samples))]
    public void An_ordinal_read_is_known_when_it_is_seen(string code, bool isOne) => Assert.Equal(isOne, OrdinalRead().IsMatch(code));

    [Fact]
    public void Columns_are_read_by_name()
    {
        var source = Path.Combine(Repository.Root, "src", "BulkImporter");
        var files = Directory.EnumerateFiles(source, "*.*", SearchOption.AllDirectories)
            .Where(f => f.EndsWith(".cs", StringComparison.Ordinal) || f.EndsWith(".razor", StringComparison.Ordinal))
            .Select(f => (Path: Path.GetRelativePath(source, f).Replace('\\', '/'), Text: File.ReadAllText(f)))
            .Where(f => !f.Path.StartsWith("obj/", StringComparison.Ordinal)).ToList();
        var reading = files.Where(f => OrdinalRead().IsMatch(f.Text)).ToList();
        Assert.Equal([],
            reading.Where(f => !Allowed.Keys.Any(a => f.Path.StartsWith(a, StringComparison.Ordinal)))
            .SelectMany(f => OrdinalRead().Matches(f.Text).Select(m => $"{f.Path}: {m.Value}")));
        // What is allowed and not done any more is taken from the list.
        Assert.Equal([], Allowed.Keys.Where(a => !reading.Exists(f => f.Path.StartsWith(a, StringComparison.Ordinal))));
    }

    [GeneratedRegex(
        @"(?<!RandomNumberGenerator)\.(Get(Boolean|Byte|Bytes|Char|Chars|DateTime|Decimal|Double|FieldValue|Float|Guid|Int16|Int32|Int64|Stream|String|TextReader|TimeSpan|Value)"
        + @"(Async)?(<[^()]*>)?|IsDBNull(Async)?|Text|Number|Time)\((\d|first\b)|\breader\[\d")]
    private static partial Regex OrdinalRead();
}
