using System.Text.RegularExpressions;
using BulkImporter.Access;
using BulkImporter.Imports;
using BulkImporter.Records;

namespace BulkImporter.Dashboard;

/// <summary>Numbers, times and states as the pages say them.</summary>
internal static partial class Words
{
    public static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    public static string Count(long value, string one, string many) => value == 1 ? $"1 {one}" : $"{Number(value)} {many}";

    /// <summary>Rounded down, so that it does not say 100 % before the end.</summary>
    public static string Percent(double part) => (Math.Floor(part * 1000) / 10).ToString("0.#", CultureInfo.InvariantCulture) + " %";

    public static string Rate(double? perSecond) => perSecond switch
    {
        null => "-",
        < 10 => perSecond.Value.ToString("0.0", CultureInfo.InvariantCulture) + "/s",
        _ => Number((long)perSecond.Value) + "/s",
    };

    /// <summary>The two largest units.</summary>
    public static string Duration(TimeSpan time) => time switch
    {
        { TotalDays: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalDays} d {time.Hours} h"),
        { TotalHours: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.Hours} h {time.Minutes} min"),
        { TotalMinutes: >= 1, Seconds: 0 } => string.Create(CultureInfo.InvariantCulture, $"{time.Minutes} min"),
        { TotalMinutes: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.Minutes} min {time.Seconds} s"),
        { TotalSeconds: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalSeconds} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, (long)time.TotalMilliseconds)} ms"),
    };

    /// <summary>An estimate: no finer than it is good for.</summary>
    /// <param name="seconds">Seconds to the end; null when not known.</param>
    public static string Eta(long? seconds) => seconds switch
    {
        null => "-",
        > 365L * 86_400 => "over a year",
        < 120 and var few => "about " + Duration(TimeSpan.FromSeconds(few)),
        { } many => "about " + Duration(TimeSpan.FromMinutes(Math.Round(many / 60.0))),
    };

    public static string Size(long bytes) => bytes switch
    {
        < 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        < 1024 * 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.#} KB"),
        < 1024L * 1024 * 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0 / 1024:0.#} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0 / 1024 / 1024:0.##} GB"),
    };

    /// <summary>The stable text of an enum's member, as in the API and in addresses.</summary>
    public static string Code<T>(T value) where T : struct, Enum => EnumText<T>.Of(value);

    public static string Of(RecordState state) => Code(state);

    /// <summary>What the state means, for someone who meets it first.</summary>
    public static string Meaning(RecordState state) => state switch
    {
        RecordState.Pending => "Not sent yet, or waiting for its next attempt.",
        RecordState.Submitting => "Being sent to Cincopa at this moment.",
        RecordState.Submitted => "Accepted by Cincopa, which is fetching the file.",
        RecordState.Imported => "The asset exists in Cincopa.",
        RecordState.Failed => "It is not tried again automatically. A rerun sends it again.",
        RecordState.Unknown => "Cincopa may or may not have received it, so it is not sent again unless you say so.",
        RecordState.Cancelled => "Not sent: the import was cancelled before its turn.",
        RecordState.Invalid => "The row cannot be sent. A finding says why.",
        RecordState.Duplicate => "Another row or an earlier import already has this file.",
        RecordState.Deleted => "It was imported, and an undo deleted its asset in Cincopa. A rerun sends the file again.",
    };

    /// <summary>The state of an import whose counts are known: an end says what did not come in.</summary>
    public static string Of(ImportState state, StateCounts? counts)
    {
        List<string> parts = [Of(state)];
        if (state == ImportState.Finished && counts is { Failed: > 0 }) parts.Add($"{Number(counts.Failed)} failed");
        if (state == ImportState.Finished && counts is { Unknown: > 0 }) parts.Add($"{Number(counts.Unknown)} in doubt");
        if (counts is { Deleted: > 0 }) parts.Add($"{Number(counts.Deleted)} deleted");
        if (state == ImportState.Cancelled && counts is { Cancelled: > 0 }) parts.Add($"{Number(counts.Cancelled)} not sent");
        return string.Join(", ", parts);
    }

    /// <summary>What a person does next with an import in this state; null when it goes on by itself or its reason says so.</summary>
    public static string? NextStep(ImportState state, StateCounts counts, ArrivalCounts arrival) => (state, counts) switch
    {
        (ImportState.Review, { Pending: 0 }) => "No row can be sent. See below why, and what you can do.",
        (ImportState.Review, _) => "Nothing has been sent yet. Check what was found below, then start.",
        (ImportState.Finished, { Failed: > 0 }) =>
            $"{Count(counts.Failed, "record", "records")} failed. See why below, then rerun or correct them.",
        (ImportState.Finished, { Unknown: > 0 }) => $"{Count(counts.Unknown, "record is", "records are")} in doubt: Cincopa may have the "
            + "files or not. Open each one and say which asset it became, or send it again.",
        (ImportState.Finished, { Invalid: > 0 }) =>
            $"{Count(counts.Invalid, "row", "rows")} could not be sent. See why below, then correct them.",
        (ImportState.Finished, _) when arrival.Differ > 0 =>
            $"{Count(arrival.Differ, "asset differs", "assets differ")} from what was expected. See which below.",
        (ImportState.Finished, { Imported: > 0 } or { Deleted: > 0 }) => "Nothing is left to do.",
        (ImportState.Cancelled, { Cancelled: > 0 }) =>
            $"{Count(counts.Cancelled, "record was", "records were")} not sent. Rerun them if they should be.",
        _ => null,
    };

    /// <summary>What a role lets people do.</summary>
    public static string Of(Role role) => role switch
    {
        Role.Viewer => "viewer: read-only",
        Role.Operator => "operator: can upload, start and rerun",
        Role.Admin => "admin: can also manage accounts, people and keys",
    };

    /// <summary>What resuming the import does.</summary>
    public static string Resuming(ImportView import) => import switch
    {
        { State: ImportState.Paused, Trial.HasEnded: true } => "All good, send the rest",
        { State: ImportState.Running, Trial: not null } => "Send the rest now",
        _ => "Resume import",
    };

    public static string Of(ImportState state) => state switch
    {
        ImportState.Parsing => "Reading the manifest",
        ImportState.Review => "Ready for review",
        ImportState.Running => "Running",
        ImportState.Paused => "Paused",
        ImportState.Finished => "Finished",
        ImportState.Cancelled => "Cancelled",
        ImportState.Rejected => "Needs an answer",
        ImportState.Deleting => "Being deleted",
    };

    public static string Of(Arrival arrival) => arrival switch
    {
        Arrival.Verified => "Verified",
        Arrival.SizeDiffers => "Size differs",
        Arrival.DurationDiffers => "Duration differs",
        Arrival.Md5Differs => "MD5 differs",
        Arrival.Unverifiable => "Not compared",
    };

    public static string Meaning(Arrival arrival) => arrival switch
    {
        Arrival.Verified => "What arrived is what was expected.",
        Arrival.SizeDiffers => "The asset's size is not the one that the file should have.",
        Arrival.DurationDiffers => "The asset's duration is not the one that the file should have.",
        Arrival.Md5Differs => "The file that was uploaded from here has a different MD5 than the manifest says.",
        Arrival.Unverifiable => "Nothing was expected, or Cincopa did not say what arrived.",
    };

    /// <summary>Whether a person has something to hear of an import.</summary>
    public static ImportOutcome Outcome(ImportView import) => import switch
    {
        { State: ImportState.Finished, Counts: { Failed: 0, Unknown: 0 } } => ImportOutcome.Good,
        { State: ImportState.Finished or ImportState.Rejected or ImportState.Paused }
            or { State: ImportState.Running, AccountState: Accounts.AccountState.Suspended }
            or { State: ImportState.Running, Stalled: > 0 } => ImportOutcome.Troubled,
        { State: ImportState.Cancelled or ImportState.Deleting or ImportState.Review } => ImportOutcome.Over,
        _ => ImportOutcome.None,
    };

    /// <summary>What the tab shows before the name: that it is well ended, or that somebody is needed.</summary>
    public static string Mark(ImportView import) => Outcome(import) switch
    {
        ImportOutcome.Good => "✓ ",
        ImportOutcome.Troubled => "! ",
        _ => "",
    };

    /// <summary>What somebody did, as the audit log names it, in words; a name that this version does not know is shown as it is.</summary>
    public static string Deed(string action) => action switch
    {
        "import_created" => "uploaded the manifest",
        "import_revised" => "changed the settings",
        "import_started" => "started the import",
        "import_paused" => "paused the import",
        "import_resumed" => "resumed the import",
        "import_cancelled" => "cancelled the import",
        "import_deleted" => "deleted the import",
        "import_undone" => "ordered the undo of the import",
        "records_rerun" => "reran records",
        "asset_adopted" => "adopted an asset",
        "records_given_up" => "gave up records",
        "records_corrected" => "corrected rows",
        "hosts_asked" => "asked the source hosts again",
        "arrival_verified_again" => "compared again what arrived",
        "records_finished_again" => "wrote texts and galleries again",
        "results_exported" => "downloaded results",
        "cincopa_named" => "set the address of Cincopa",
        "import_archived" => "downloaded an archive",
        "manifest_not_read" => "could not read the manifest",
        "import_probed" => "started a check of the files",
        "assets_adopted" => "adopted assets",
        "assets_looked_for" => "looked for assets again",
        "import_not_probed" => "could not check the files",
        "import_not_sent" => "could not send a part of the import",
        "account_suspended" => "suspended the account",
        "account_resumed" => "resumed the account",
        "template_saved" => "saved the columns as a template",
        _ => action.Replace('_', ' '),
    };

    /// <summary>What happened by itself, as a story tells it; a name that this version does not know is shown as it is.</summary>
    public static string Event(string what) => what switch
    {
        "manifest_read" => "The manifest was read and checked",
        "sending_began" => "Sending began",
        "files_checked" => "The files were checked",
        "import_finished" => "The import finished",
        "undo_ended" => "The undo ended",
        "import_paused" => "The import was paused",
        "import_stalled" => "Records made no progress at Cincopa",
        "server_started" => "A server process started",
        "texts_written" => "Captions, tags and galleries were written",
        _ => char.ToUpperInvariant(what[0]) + what[1..].Replace('_', ' '),
    };

    /// <summary>What a notification tells.</summary>
    public static string Told(string kind) => kind switch
    {
        "import_cancelled" => "The import was cancelled",
        "account_suspended" => "The account was suspended",
        _ => Event(kind),
    };

    /// <summary>Where a notification goes, as a person writes it.</summary>
    public static string Address(string url) => Notify.Target.MailOf(url) ?? url;

    /// <summary>A time as a date and time field of the browser holds it, in UTC; empty for none.</summary>
    public static string Field(DateTimeOffset? time) =>
        time?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm", CultureInfo.InvariantCulture) ?? "";

    /// <summary>What a failure means for its record; empty for a code that has no class.</summary>
    public static string Of(FailureClass? kind) => kind?.InWords() ?? "";

    /// <summary>The same as the style sheet names it.</summary>
    public static string ClassOf(FailureClass? kind) => kind is { } known ? Code(known) : "";

    /// <summary>A sentence in parts, each with the time that stands behind it; the last part has none.</summary>
    public static IEnumerable<(string Text, DateTimeOffset? At)> WithTimes(string sentence)
    {
        var from = 0;
        foreach (Match match in TimeInUtc().Matches(sentence))
        {
            yield return (sentence[from..match.Index],
                DateTimeOffset.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal));
            from = match.Index + match.Length;
        }
        yield return (sentence[from..], null);
    }

    [GeneratedRegex(@"(\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?) UTC")]
    private static partial Regex TimeInUtc();

    /// <summary>The address without its query, which is often a signature and never what tells two files apart.</summary>
    public static string ShortUrl(string? url)
    {
        if (url is null) return "";
        var query = url.IndexOf('?', StringComparison.Ordinal);
        return query < 0 ? url : url[..query] + "?…";
    }
}

/// <summary>How an import stands, for somebody who does not look at it.</summary>
internal enum ImportOutcome
{
    /// <summary>It goes on by itself.</summary>
    None,

    /// <summary>All of it is in Cincopa.</summary>
    Good,

    /// <summary>It has failures, or stands still until somebody does something.</summary>
    Troubled,

    /// <summary>It ended by a person, or waits for one to begin.</summary>
    Over,
}
