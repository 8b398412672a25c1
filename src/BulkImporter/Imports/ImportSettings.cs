using System.Text.Json;
using System.Text.Json.Serialization;

namespace BulkImporter.Imports;

/// <summary>
/// What an import is run with, said once: each member has its default, its bounds and its words beside it. Table, API, command line and
/// page take it from here (<see cref="Setting"/>); what a setting does stands where a statement obeys it.
/// </summary>
public record ImportSettings
{
    /// <summary>How the manifest's bytes are read when its beginning does not say; null for UTF-8 (and UTF-16 by its mark).</summary>
    [Setting("Encoding of the file", "windows-1252, or empty to detect it", Stands = "ENCODING", OneOf = ["windows-1252"],
        Choices = ["Detect it", "Windows-1252 (Excel's CSV)"], Reads = true)]
    public string? Encoding { get; init; }

    /// <summary>The sheet of a workbook that is the manifest; null when it has only one with rows, and of every other file.</summary>
    [Setting("Sheet of the workbook", "The sheet to read, if several sheets of a workbook have rows", Note = "of a workbook",
        Empty = "The only one with rows", Stands = "NAME", Reads = true, IsOfFile = true)]
    public string? Sheet { get; init; }

    /// <summary>Only this many rows from the beginning of the manifest are read, for a trial; null for all.</summary>
    [Setting("Only the first rows", "Read only this many rows, 0 for all", Note = "a trial", Empty = "All rows", Least = 1, Reads = true,
        Complaint = "The number of rows to read must be 1 or more. Leave it out to read all.")]
    public int? FirstRows { get; init; }

    /// <summary>Attempts that a record gets before a retryable failure becomes final; a rerun grants as many again.</summary>
    [Setting("Attempts for each record", "Attempts for each record", Least = 1, Most = 100, Reads = true,
        Complaint = "The number of attempts must be from 1 to 100.")]
    public int MaxAttempts { get; init; } = 5;

    /// <summary>What to do with rows whose source an earlier import of the account already has.</summary>
    [Setting("Rows imported before", "What to do with rows that an earlier import of the account already has",
        Choices = ["Skip, as duplicates", "Import anyway"], Reads = true)]
    public WhenDuplicate AlreadyImported { get; init; } = WhenDuplicate.Skip;

    /// <summary>What to do with rows whose source an earlier row of the manifest has.</summary>
    [Setting("Rows with the same URL", "What to do with rows that have the URL of an earlier row",
        Choices = ["Import the first only", "Import all of them"], Reads = true)]
    public WhenDuplicate DuplicateRows { get; init; } = WhenDuplicate.Skip;

    /// <summary>What identifies a row as one that was there before, in the manifest or in an earlier import of the account.</summary>
    [Setting("Rows are the same by", "What makes a row the same as an earlier one: its URL, its reference id, or either of them",
        Choices = ["The URL (without its signature)", "The reference id, or the URL if there is none", "The URL or the reference id"],
        Reads = true)]
    public RowMatch MatchBy { get; init; } = RowMatch.Url;

    /// <summary>The hosts whose share links are used as written, and not turned into the links of the files; null for none.</summary>
    [Setting("Leave links as written",
        "Hosts whose share links are used as written, e.g. 'dropbox.com drive.google.com', or * for all; others are made direct",
        Note = "hosts, * for all", Empty = "Make share links direct", Stands = "HOSTS", Longest = 1000, Reads = true)]
    public string? LinksAsWritten { get; init; }

    /// <summary>How files are transferred if their row does not say it.</summary>
    [Setting("Files",
        "How files are transferred if the row does not say it: fetched by Cincopa, uploaded by this server, or uploaded only if the "
            + "URL is too long for Cincopa",
        Note = "unless a row says it",
        Choices = ["Cincopa fetches them", "This server uploads them", "Cincopa fetches them; this server if the URL is too long"],
        Reads = true)]
    public ImportTransfer Transfer { get; init; } = ImportTransfer.Pull;

    /// <summary>The gallery that new assets join, or null for none.</summary>
    [Setting("Gallery", "The gallery for new assets, empty for none", Note = "fid, optional", Empty = "None", Stands = "FID",
        IsGallery = true)]
    public string? Fid { get; init; }

    [Setting("If the submit result is unknown", "What to do with a record if Cincopa may or may not have it",
        Choices = ["Hold (may leave a gap)", "Submit again (may make a duplicate)"], Steers = true)]
    public WhenUnknown WhenUnknown { get; init; } = WhenUnknown.Hold;

    /// <summary>Higher is served first among the account's running imports.</summary>
    [Setting("Priority", "A higher number is sent first", Note = "a higher number is sent first", Steers = true)]
    public int Priority { get; init; }

    /// <summary>Nothing is sent before; null for at once. The start must be ordered all the same.</summary>
    [Setting("Start sending at", "When to start sending, e.g. 2026-11-24T22:00:00+01:00, empty for now", Note = "UTC, optional",
        Stands = "TIME",
        Steers = true, Reads = true)]
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>The daily window outside of which nothing is sent; null for all day.</summary>
    [Setting("Send only in these hours", "Send only in these hours, e.g. '22:00-06:00 Europe/Berlin', empty for all day",
        Note = "optional", Stands = "HOURS",
        Empty = "22:00-06:00 Europe/Berlin", Steers = true, Reads = true)]
    public DailyWindow? Window
    {
        get => WindowZone is { } zone ? new(WindowFrom!.Value, WindowUntil!.Value, zone) : null;
        init => (WindowFrom, WindowUntil, WindowZone) = (value?.From, value?.Until, value?.Zone);
    }

    /// <summary>The failure breaker: the import is paused when more than this part of its finished records failed; 100 for never.</summary>
    [Setting("Pause at failures above", "Pause if more than this percentage of records failed, 100 for never", Note = "percent",
        Unit = " %", Least = 1, Most = 100, MostIsNever = true, Steers = true,
        Complaint = "The percentage of failures must be from 1 to 100; 100 means never pause.")]
    public int StopAtFailurePercent { get; init; } = 50;

    /// <summary>
    /// The breaker of arrival: the import is paused when more than this part of the assets that could be compared with what was expected
    /// differ from it; 100 for never.
    /// </summary>
    [Setting("Pause at differences above",
        "Pause if more than this percentage of what arrived differs from what was expected, 100 for never",
        Note = "percent", Unit = " %", Least = 1, Most = 100, MostIsNever = true, Steers = true,
        Complaint = "The percentage of differences must be from 1 to 100; 100 means never pause.")]
    public int StopAtDifferencePercent { get; init; } = 100;

    /// <summary>The breakers judge only after so many records, finished or compared.</summary>
    [Setting("… but not before", "Do not pause before this many records have ended", Note = "records have ended",
        Unit = " records have ended", Least = 1, Steers = true,
        Complaint = "This must be 1 record or more.")]
    public int StopAfterRows { get; init; } = 1000;

    /// <summary>Records per chunk.</summary>
    [Setting("Records per chunk", "Records that one worker takes at a time", Least = 1, Most = 100_000, IsForNew = true,
        Complaint = "A chunk can have from 1 to 100,000 records.")]
    public int ChunkSize { get; init; } = 500;

    // The window as its table has it: three columns, all or none.
    [JsonIgnore]
    public TimeOnly? WindowFrom { get; init; }

    [JsonIgnore]
    public TimeOnly? WindowUntil { get; init; }

    [JsonIgnore]
    public string? WindowZone { get; init; }

    /// <summary>Equal for settings by which a manifest is read and judged alike.</summary>
    [JsonIgnore]
    public string ReadBy => string.Join('\n', Setting.All.Where(s => s.About.Reads).Select(s => s.Text(this)));

    /// <summary>The same settings with the given ones changed.</summary>
    /// <exception cref="InvalidArgumentException">A name is no setting's, or a text cannot be meant.</exception>
    public ImportSettings With(IEnumerable<KeyValuePair<string, string>> changes) =>
        changes.Aggregate(this, (settings, change) => (Setting.Named(change.Key)
            ?? throw new InvalidArgumentException(change.Key,
                $"'{change.Key}' is not a setting; known are: {string.Join(", ", Setting.All.Select(s => s.Name))}."))
            .With(settings, change.Value));

    /// <exception cref="InvalidArgumentException">A value is out of its bounds.</exception>
    internal void Check()
    {
        foreach (var setting in Setting.All) setting.With(this, setting.Text(this));
    }

    /// <summary>What the table itself refuses.</summary>
    internal static void Check(TableBuilder<Import> t)
    {
        t.HasCheckConstraint("import_when_unknown_is_known", EnumText<WhenUnknown>.Check("when_unknown"));
        t.HasCheckConstraint("import_transfer_is_known", EnumText<ImportTransfer>.Check("transfer"));
        t.HasCheckConstraint("import_when_already_imported_is_known", EnumText<WhenDuplicate>.Check("already_imported"));
        t.HasCheckConstraint("import_when_duplicate_rows_is_known", EnumText<WhenDuplicate>.Check("duplicate_rows"));
        t.HasCheckConstraint("import_match_by_is_known", EnumText<RowMatch>.Check("match_by"));
        t.HasCheckConstraint("import_encoding_is_known", "encoding IN ('windows-1252')");
        t.HasCheckConstraint("import_settings_are_positive", "chunk_size > 0 AND max_attempts > 0 AND first_rows > 0");
        t.HasCheckConstraint("import_breaker_is_possible",
            "stop_at_failure_percent BETWEEN 1 AND 100 AND stop_at_difference_percent BETWEEN 1 AND 100 AND stop_after_rows > 0");
        t.HasCheckConstraint("import_window_is_whole",
            "(window_from IS NULL) = (window_zone IS NULL) AND (window_until IS NULL) = (window_zone IS NULL) AND window_from <> "
                + "window_until");
    }

    internal static void Configure(ComplexPropertyBuilder<ImportSettings> settings)
    {
        settings.Ignore(s => s.Window).Ignore(s => s.ReadBy);
        foreach (var member in typeof(ImportSettings).GetProperties().Where(p => p.Name is not (nameof(Window) or nameof(ReadBy))))
            settings.Property(member.PropertyType, member.Name).HasColumnName(JsonNamingPolicy.SnakeCaseLower.ConvertName(member.Name));
        // For statements that name no settings; EF Core always does.
        var fresh = new ImportSettings();
        settings.Property(s => s.Transfer).HasDefaultValue(fresh.Transfer).ValueGeneratedNever();
        settings.Property(s => s.AlreadyImported).HasDefaultValue(fresh.AlreadyImported).ValueGeneratedNever();
        settings.Property(s => s.DuplicateRows).HasDefaultValue(fresh.DuplicateRows).ValueGeneratedNever();
        settings.Property(s => s.MatchBy).HasDefaultValue(fresh.MatchBy).ValueGeneratedNever();
        settings.Property(s => s.StopAtFailurePercent).HasDefaultValue(fresh.StopAtFailurePercent).ValueGeneratedNever();
        settings.Property(s => s.StopAtDifferencePercent).HasDefaultValue(fresh.StopAtDifferencePercent).ValueGeneratedNever();
        settings.Property(s => s.StopAfterRows).HasDefaultValue(fresh.StopAfterRows).ValueGeneratedNever();
    }
}

/// <summary>What to do with a record whose submit call may or may not have been received.</summary>
[StoredAsText]
public enum WhenUnknown
{
    /// <summary>Keep it <c>unknown</c> until a person decides: a gap rather than a duplicate.</summary>
    Hold,

    /// <summary>Submit it again when its asset was looked for and not found: a duplicate rather than a gap.</summary>
    Resubmit,
}

/// <summary>How the files of an import's rows reach Cincopa, unless a row says so itself.</summary>
[StoredAsText]
public enum ImportTransfer
{
    /// <summary>Cincopa fetches them from their addresses.</summary>
    Pull,

    /// <summary>We read them and send them.</summary>
    Push,

    /// <summary>Cincopa fetches those whose addresses fit into its call; the others are sent.</summary>
    Auto,
}

/// <summary>
/// What to do with a row whose source another row brings already: an earlier row of the manifest, or one of an earlier import of the
/// account.
/// </summary>
[StoredAsText]
public enum WhenDuplicate
{
    /// <summary>The row becomes a <c>duplicate</c>, with a finding that names the other row and its import.</summary>
    Skip,

    /// <summary>The row is imported all the same: a second asset.</summary>
    Import,
}

/// <summary>What identifies a row as one that was there before.</summary>
[StoredAsText]
public enum RowMatch
{
    /// <summary>By its URL, without what only authorises: a file that has another URL is another file.</summary>
    Url,

    /// <summary>
    /// By its reference id: the same URL under another reference id is another record. A row without one goes by its URL.
    /// </summary>
    ReferenceId,

    /// <summary>By either of them.</summary>
    Both,
}
