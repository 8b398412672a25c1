using System.Globalization;
using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Imports;

/// <summary>When an import may send: not before <see cref="Import.StartAt"/>, and only within its <see cref="DailyWindow"/>.</summary>
internal static class ImportSchedule
{
    /// <summary>Three columns: from, until, zone.</summary>
    public static DailyWindow? Window(NpgsqlDataReader r, int first) =>
        r.Text(first + 2) is { } zone ? new(r.GetFieldValue<TimeOnly>(first), r.GetFieldValue<TimeOnly>(first + 1), zone) : null;

    /// <summary>Why a running import does not send, or null when it may.</summary>
    public static string? Sentence(DateTimeOffset? waitsUntil, DailyWindow? window)
    {
        if (waitsUntil is not { } until) return null;
        var hours = window is null ? "" : string.Create(CultureInfo.InvariantCulture, $" It sends only from {window.From:HH\\:mm} to {window.Until:HH\\:mm}, {window.Zone}.");
        return string.Create(CultureInfo.InvariantCulture, $"Waits until {until.UtcDateTime:yyyy-MM-dd HH:mm} UTC.{hours}");
    }

    /// <summary>Whether the database knows the zone: one that it does not know would stop the feeder of all imports.</summary>
    /// <exception cref="InvalidArgumentException">It does not.</exception>
    public static async Task CheckZoneAsync(NpgsqlConnection connection, DailyWindow? window, CancellationToken cancellationToken)
    {
        if (window is null) return;
        var known = await connection.QueryAsync(
            "SELECT 1 FROM pg_timezone_names WHERE name = $1 UNION ALL SELECT 1 FROM pg_timezone_abbrevs WHERE abbrev = $1 LIMIT 1", r => r.GetInt32(0), cancellationToken, window.Zone);
        if (known.Count == 0)
            throw new InvalidArgumentException("window", $"'{window.Zone}' is no time zone. Write it as in Europe/Berlin, America/New_York or UTC.");
    }
}
