namespace BulkImporter.Cli;

/// <summary>Numbers, times and foreign text as the terminal shows them, the same everywhere.</summary>
internal static class Wording
{
    /// <summary>A value as the API writes it.</summary>
    public static string Of<T>(T value) where T : struct, Enum => EnumText<T>.Of(value);

    public static string Number(double value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary><c>1 record was</c>, <c>2 records were</c>.</summary>
    public static string Count(long value, string one, string many) => $"{Number(value)} {(value == 1 ? one : many)}";

    public static string Percent(double part) =>
        part == 0 ? "0 %" : (Math.Floor(1000 * part) / 10).ToString("0.0", CultureInfo.InvariantCulture) + " %";

    public static string Rate(double? perSecond) => perSecond switch
    {
        null => "-",
        < 10 => perSecond.Value.ToString("0.0", CultureInfo.InvariantCulture) + "/s",
        _ => Number(perSecond.Value) + "/s",
    };

    /// <summary>The two largest units: <c>2 d 3 h</c>, <c>4 min 10 s</c>.</summary>
    public static string Duration(double? seconds)
    {
        if (seconds is not { } value || !double.IsFinite(value) || value > TimeSpan.MaxValue.TotalSeconds / 2)
            return "-";
        var time = TimeSpan.FromSeconds(Math.Max(0, Math.Ceiling(value)));
        return time switch
        {
            { TotalDays: >= 1 } => $"{(int)time.TotalDays} d {time.Hours} h",
            { TotalHours: >= 1 } => $"{time.Hours} h {time.Minutes} min",
            { TotalMinutes: >= 1 } => $"{time.Minutes} min {time.Seconds} s",
            _ => $"{time.Seconds} s",
        };
    }

    public static string Size(long bytes) => bytes switch
    {
        < 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        < 1024 * 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.0} KB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0 / 1024:0.0} MB"),
    };

    public static string Time(DateTimeOffset? at, TimeProvider clock) =>
        at is null ? "-" : TimeZoneInfo.ConvertTime(at.Value, clock.LocalTimeZone)
            .ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>
    /// Text from a manifest or from the remote side on one line, without the control characters that would steer the terminal.
    /// </summary>
    public static string Plain(string? text) =>
        text is null ? "" : string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
}
