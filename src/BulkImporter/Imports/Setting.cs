using System.Reflection;
using System.Text.Json;

namespace BulkImporter.Imports;

/// <summary>
/// What stands beside a member of <see cref="ImportSettings"/>: how people read it, what it may be, and when it may change.
/// </summary>
/// <param name="label">On the page and in the audit log.</param>
/// <param name="help">One sentence, in the help of the command line and in the API's document.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SettingAttribute(string label, string help) : Attribute
{
    public string Label => label;

    public string Help => help;

    /// <summary>Small, behind the label.</summary>
    public string? Note { get; init; }

    /// <summary>What an empty field shows.</summary>
    public string? Empty { get; init; }

    /// <summary>Of a number.</summary>
    public int Least { get; init; } = int.MinValue;

    public int Most { get; init; } = int.MaxValue;

    /// <summary>What stands behind a number where it is only shown.</summary>
    public string? Unit { get; init; }

    /// <summary>Its greatest value means never.</summary>
    public bool MostIsNever { get; init; }

    /// <summary>Of a text.</summary>
    public int Longest { get; init; } = 200;

    /// <summary>The only texts that it may be, besides none.</summary>
    public string[]? OneOf { get; init; }

    /// <summary>How people read the choices: those of an enum in the order of its members, those of a text after that of none.</summary>
    public string[]? Choices { get; init; }

    /// <summary>What is said of a value out of bounds.</summary>
    public string? Complaint { get; init; }

    /// <summary>What stands for the value in the help of the command line.</summary>
    public string? Stands { get; init; }

    /// <summary>It steers the sending, and may change while the import runs or is paused.</summary>
    public bool Steers { get; init; }

    /// <summary>Records and findings are made by it: after a change the manifest is read again.</summary>
    public bool Reads { get; init; }

    /// <summary>The page asks for it where it shows the file, and only of a file that it can be said of.</summary>
    public bool IsOfFile { get; init; }

    /// <summary>It names a gallery of the account.</summary>
    public bool IsGallery { get; init; }

    /// <summary>It can be given to a new import only.</summary>
    public bool IsForNew { get; init; }
}

/// <summary>
/// A setting of an import, made of a member of <see cref="ImportSettings"/>. In requests, on the command line and in fields of a page its
/// value is a text; an empty one is its default.
/// </summary>
public sealed class Setting
{
    private readonly PropertyInfo member;
    private readonly SettingAttribute about;
    private readonly Type type;

    private Setting(PropertyInfo member)
    {
        (this.member, about) = (member, member.GetCustomAttribute<SettingAttribute>()!);
        type = Nullable.GetUnderlyingType(member.PropertyType) ?? member.PropertyType;
        Name = JsonNamingPolicy.CamelCase.ConvertName(member.Name);
        Option = "--" + JsonNamingPolicy.KebabCaseLower.ConvertName(member.Name);
        Values = type.IsEnum
            ? [.. Enum.GetValues(type).Cast<Enum>().Select(v => JsonNamingPolicy.SnakeCaseLower.ConvertName(v.ToString()))] : about.OneOf;
    }

    public static IReadOnlyList<Setting> All { get; } =
        [.. typeof(ImportSettings).GetProperties().Where(p => p.IsDefined(typeof(SettingAttribute))).Select(p => new Setting(p))];

    /// <summary>As requests and answers have it, in camel case.</summary>
    public string Name { get; }

    /// <summary>As the command line has it, in lower case with dashes.</summary>
    public string Option { get; }

    public SettingAttribute About => about;

    public bool IsNumber => type == typeof(int);

    public bool IsTime => type == typeof(DateTimeOffset);

    /// <summary>The texts that it may be, when they are few; null when they are many.</summary>
    public IReadOnlyList<string>? Values { get; }

    public IEnumerable<(string Value, string Words)>? Choices =>
        about.Choices is not { } words ? null : (type.IsEnum ? Values! : Values!.Prepend("")).Zip(words);

    public string Default => Text(new ImportSettings());

    public static Setting? Named(string name) => All.FirstOrDefault(s => s.Name == name);

    /// <summary>Its value as a text; empty for none.</summary>
    public string Text(ImportSettings settings) => Text(member.GetValue(settings));

    /// <summary>Its value as people read it.</summary>
    public string Words(ImportSettings settings) => member.GetValue(settings) is int number
        ? about.MostIsNever && number == about.Most ? "never" : number.ToString("N0", CultureInfo.InvariantCulture) + about.Unit
        : Choices?.FirstOrDefault(c => c.Value == Text(settings)).Words ?? Text(settings);

    public DateTimeOffset? Time(ImportSettings settings) => (DateTimeOffset?)member.GetValue(settings);

    public bool IsSame(ImportSettings one, ImportSettings other) => Equals(member.GetValue(one), member.GetValue(other));

    /// <summary>The same settings with another value of this one.</summary>
    /// <exception cref="InvalidArgumentException">The text cannot be meant, or is out of bounds.</exception>
    public ImportSettings With(ImportSettings settings, string text)
    {
        var changed = settings with { };
        // A number is plainly one, or it is refused; the name of a sheet is what its tab shows, blanks and all. Around other texts blanks
        // mean nothing.
        var meant = IsNumber || about.IsOfFile ? text : text.Trim();
        // Of a record's copy: an initializer may set it.
        member.SetValue(changed, meant.Length > 0 ? Value(meant) : member.GetValue(new ImportSettings()));
        return changed;
    }

    private object? Value(string text)
    {
        if (IsNumber) return Bounded(PlainNumber.Whole<int>(Name, text));
        if (IsTime) return Time(text);
        if (type == typeof(DailyWindow)) return DailyWindow.Parse(text);
        if (Values is not null && !Values.Contains(text.ToLowerInvariant()))
            throw new InvalidArgumentException(Name, $"'{text}' is not known; known are: {string.Join(", ", Values)}.");
        if (type.IsEnum) return Enum.GetValues(type).GetValue(Values!.ToList().IndexOf(text.ToLowerInvariant()));
        if (text.Length > about.Longest) throw new InvalidArgumentException(Name, $"{about.Label}: at most {about.Longest} characters.");
        return Values is null ? text : text.ToLowerInvariant();
    }

    private int? Bounded(int number)
    {
        // Of a number that may be absent 0 is none.
        if (number == 0 && member.PropertyType == typeof(int?)) return null;
        return number >= about.Least && number <= about.Most ? number : throw new InvalidArgumentException(Name, about.Complaint!);
    }

    /// <summary>To the microsecond, which is what the database keeps, and in its zone.</summary>
    private DateTimeOffset Time(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
        ? time.ToUniversalTime().AddTicks(-(time.Ticks % TimeSpan.TicksPerMicrosecond))
        : throw new InvalidArgumentException(Name,
            $"'{text}' is not a time. Write it as 2026-11-24T22:00:00+01:00 (without an offset it is UTC).");

    private static string Text(object? value) => value switch
    {
        null => "",
        Enum choice => JsonNamingPolicy.SnakeCaseLower.ConvertName(choice.ToString()),
        DateTimeOffset time => time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFK", CultureInfo.InvariantCulture)
            .Replace("+00:00", "Z", StringComparison.Ordinal),
        _ => $"{value}",
    };
}
