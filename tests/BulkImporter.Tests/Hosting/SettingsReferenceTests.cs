using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using BulkImporter.Hosting;

namespace BulkImporter.Tests.Hosting;

/// <summary>docs/settings.md is what the options say of themselves.</summary>
public sealed partial class SettingsReferenceTests
{
    private const int Width = 140;

    private static readonly Dictionary<string, XElement> Comments =
        XDocument.Load(Path.Combine(AppContext.BaseDirectory, "BulkImporter.xml"))
        .Descendants("member").ToDictionary(m => m.Attribute("name")!.Value, m => m.Element("summary")!);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Reference_is_the_one_that_is_checked_in()
    {
        var reference = Reference();
        if (Environment.GetEnvironmentVariable("BULKIMPORTER_WRITE_SETTINGS") is { Length: > 0 } path)
        {
            await File.WriteAllTextAsync(path, reference, Token);
            return;
        }

        Assert.True(Repository.Read("docs/settings.md") == reference,
            "docs/settings.md is not what the options say of themselves. Type: ./run reference, and look at what changed.");
    }

    [Fact]
    public void Settings_stay_few() =>
        Assert.InRange(Classes().Sum(c => c.GetProperties().Length), 1, 57);

    /// <summary>Every class of options: it says in which section it stands.</summary>
    internal static IEnumerable<Type> Classes() =>
        typeof(ServerHost).Assembly.GetTypes().Where(t => t.Name.EndsWith("Options", StringComparison.Ordinal) && SectionOf(t) is not null);

    internal static string? SectionOf(Type options) =>
        options.GetField("Section", BindingFlags.Static | BindingFlags.Public)?.GetRawConstantValue() as string;

    private static string Reference()
    {
        var text = new StringBuilder("""
            # Settings

            Every setting, with its default, written by `./run reference`. As an environment variable, a setting is
            written as it is here; as a secrets file, it has the same name ([operations.md](operations.md#settings-and-secrets)).
            A time is `00:00:30` (half a minute), `1.12:00:00` (a day and a half). Besides these there are
            `ConnectionStrings__BulkImporter`, `CINCOPA_API_TOKEN` and `BULKIMPORTER_API_KEY`, which operations.md explains,
            and `Cincopa__BaseUrl`, for a stand-in for Cincopa.

            """);
        foreach (var options in Classes().OrderBy(SectionOf, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {SectionOf(options)}\n\n{Wrapped(Comment($"T:{options.FullName}"), "")}\n\n");
            var values = Activator.CreateInstance(options)!;
            foreach (var property in options.GetProperties())
            {
                var facts = string.Join("; ", new[] { Default(property, property.GetValue(values)), Bounds(property) }.OfType<string>());
                text.Append(CultureInfo.InvariantCulture,
                    $"- `{NameOf(options, property)}` ({facts})\n{Wrapped(Comment($"P:{options.FullName}.{property.Name}"), "  ")}\n");
            }
        }
        return text.ToString();
    }

    private static string NameOf(Type options, PropertyInfo property)
    {
        var name = $"{SectionOf(options)}:{property.Name}".Replace(":", "__", StringComparison.Ordinal);
        return property.PropertyType == typeof(IList<string>)
            ? $"{name}__0`, `__1`, `…" : property.PropertyType == typeof(IDictionary<string, string>) ? $"{name}__NAME" : name;
    }

    private static string Default(PropertyInfo property, object? value) => value switch
    {
        null => "not set",
        ICollection { Count: 0 } => "none",
        long bytes when property.Name.EndsWith("Bytes", StringComparison.Ordinal) && bytes % (1 << 30) == 0 =>
            $"default {bytes >> 30} GiB, in bytes",
        _ => $"default {Text(value)}",
    };

    private static string? Bounds(PropertyInfo property) => property.GetCustomAttribute<RangeAttribute>() is not { } range ? null
        : property.PropertyType == typeof(TimeSpan)
            ? $"{Text(TimeSpan.Parse((string)range.Minimum, CultureInfo.InvariantCulture))} to "
                + $"{Text(TimeSpan.Parse((string)range.Maximum, CultureInfo.InvariantCulture))}"
        : Convert.ToDouble(range.Maximum, CultureInfo.InvariantCulture) >= int.MaxValue ? $"at least {Text(range.Minimum)}"
        : $"{Text(range.Minimum)} to {Text(range.Maximum)}";

    private static string Text(object value) => value switch
    {
        TimeSpan time when time.TotalDays >= 2 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalDays:0.#} days"),
        TimeSpan { TotalDays: 1 } => "1 day",
        TimeSpan { TotalHours: >= 1 } time => string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:0.#} h"),
        TimeSpan { TotalMinutes: >= 1 } time => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:0.#} min"),
        TimeSpan time => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#} s"),
        int or long or double when Convert.ToDouble(value, CultureInfo.InvariantCulture) >= 10_000 =>
            string.Create(CultureInfo.InvariantCulture, $"{value:N0}"),
        bool yes => yes ? "true" : "false",
        _ => string.Create(CultureInfo.InvariantCulture, $"{value}"),
    };

    /// <summary>The summary as Markdown. A setting that nobody explained fails here.</summary>
    private static string Comment(string member)
    {
        Assert.True(Comments.TryGetValue(member, out var summary), $"{member} has no comment.");
        var text = string.Concat(summary!.Nodes().Select(node => node switch
        {
            XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
            XElement element => $"`{element.Attribute("cref")!.Value.Split('.', ':')[^1]}`",
            _ => ((XText)node).Value,
        }));
        return Blanks().Replace(text, " ").Trim();
    }

    private static string Wrapped(string text, string indent)
    {
        var lines = new List<string> { indent };
        foreach (var word in text.Split(' '))
        {
            if (lines[^1].Length > indent.Length && lines[^1].Length + 1 + word.Length > Width) lines.Add(indent);
            lines[^1] += lines[^1].Length == indent.Length ? word : $" {word}";
        }
        return string.Join('\n', lines);
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
