namespace BulkImporter.Imports;

/// <summary>
/// When an import may send: not before <see cref="ImportSettings.StartAt"/>, and only within its <see cref="DailyWindow"/>.
/// </summary>
internal static class ImportSchedule
{
    /// <summary>
    /// The zone of import <c>i</c> is no longer one that PostgreSQL knows: a new version of the server, or of its image, may bring other
    /// names.
    /// </summary>
    internal const string HasLostZone =
        "i.window_zone IS NOT NULL AND importer.opens_at(NULL, i.window_from, i.window_until, i.window_zone) = 'infinity'";

    /// <summary>Why a running import does not send, or null when it may.</summary>
    public static string? Sentence(DateTimeOffset? waitsUntil, DailyWindow? window)
    {
        if (waitsUntil is not { } until) return null;
        if (until == DateTimeOffset.MaxValue && window is not null) return LostZone(window.Zone);
        var hours = window is null ? "" : $" It sends only from {window.From:HH\\:mm} to {window.Until:HH\\:mm}, {window.Zone}.";
        return $"Waits until {until.UtcDateTime:yyyy-MM-dd HH:mm} UTC.{hours}";
    }

    /// <summary>What a person reads of an import that <see cref="HasLostZone"/>.</summary>
    public static string LostZone(string zone) =>
        $"The database no longer knows the time zone '{zone}' of this import's daily window. Give the import another window, such as "
            + "22:00-06:00 Europe/Berlin, or none, then resume it.";

    /// <summary>
    /// The settings with the name of their window's zone as both PostgreSQL and this machine know it, so that either side's time can be
    /// told.
    /// </summary>
    /// <exception cref="InvalidArgumentException">One of them does not know it.</exception>
    public static async Task<ImportSettings> CheckedAsync(ImporterDb db, ImportSettings settings, CancellationToken cancellationToken)
    {
        if (settings.WindowZone is not { } zone) return settings;
        var known = await db.Database.SqlQuery<string>(
            $"SELECT name AS \"Value\" FROM pg_timezone_names WHERE lower(name) = lower({zone}) LIMIT 1").ToListAsync(cancellationToken);
        if (known is [var name] && TimeZoneInfo.TryFindSystemTimeZoneById(name, out _)) return settings with { WindowZone = name };
        var who = known.Count == 0 ? "The database does" : "This server does";
        throw new InvalidArgumentException("window",
            $"'{zone}' is not a time zone. {who} not know it. Write it as in Europe/Berlin, America/New_York or UTC.");
    }
}
