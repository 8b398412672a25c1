using System.Globalization;
using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Imports;

/// <summary>When an import may send: not before <see cref="Import.StartAt"/>, and only within its <see cref="DailyWindow"/>.</summary>
internal static class ImportSchedule
{
    /// <summary>
    /// The zone of import <c>i</c> is no longer one that PostgreSQL knows: a new version of the server, or of its image, may bring other names.
    /// </summary>
    internal const string HasLostZone = "i.window_zone IS NOT NULL AND importer.opens_at(NULL, i.window_from, i.window_until, i.window_zone) = 'infinity'";

    public static DailyWindow? Window(Import i) => i is { WindowFrom: { } from, WindowUntil: { } until, WindowZone: { } zone } ? new(from, until, zone) : null;

    /// <summary>Three columns: from, until, zone.</summary>
    public static DailyWindow? Window(NpgsqlDataReader r, int first) =>
        r.Text(first + 2) is { } zone ? new(r.GetFieldValue<TimeOnly>(first), r.GetFieldValue<TimeOnly>(first + 1), zone) : null;

    /// <summary>Why a running import does not send, or null when it may.</summary>
    public static string? Sentence(DateTimeOffset? waitsUntil, DailyWindow? window)
    {
        if (waitsUntil is not { } until) return null;
        if (until == DateTimeOffset.MaxValue && window is not null) return LostZone(window.Zone);
        var hours = window is null ? "" : string.Create(CultureInfo.InvariantCulture, $" It sends only from {window.From:HH\\:mm} to {window.Until:HH\\:mm}, {window.Zone}.");
        return string.Create(CultureInfo.InvariantCulture, $"Waits until {until.UtcDateTime:yyyy-MM-dd HH:mm} UTC.{hours}");
    }

    /// <summary>What a person reads of an import that <see cref="HasLostZone"/>.</summary>
    public static string LostZone(string zone) =>
        $"The database no longer knows the time zone '{zone}' of this import's daily window. Give the import another window, such as 22:00-06:00 Europe/Berlin, or none, then resume it.";

    /// <summary>The window with its zone's name as both PostgreSQL and this machine know it, so that either side's time can be told.</summary>
    /// <exception cref="InvalidArgumentException">One of them does not know it.</exception>
    public static async Task<DailyWindow?> CheckedAsync(NpgsqlConnection connection, DailyWindow? window, CancellationToken cancellationToken)
    {
        if (window is null) return null;
        var known = await connection.QueryAsync<string>("SELECT name FROM pg_timezone_names WHERE lower(name) = lower($1) LIMIT 1", cancellationToken, window.Zone);
        if (known is [var name] && TimeZoneInfo.TryFindSystemTimeZoneById(name, out _)) return window with { Zone = name };
        var who = known.Count == 0 ? "The database does" : "This server does";
        throw new InvalidArgumentException("window", $"'{window.Zone}' is no time zone. {who} not know it. Write it as in Europe/Berlin, America/New_York or UTC.");
    }
}
