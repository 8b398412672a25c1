using BulkImporter.Access;
using BulkImporter.Accounts;
using BulkImporter.Manifests;
using BulkImporter.Records;

namespace BulkImporter.Imports;

/// <summary>
/// What changes about an import, by the names that requests have: <c>name</c>, <c>account</c>, <c>map</c> and the settings
/// (<see cref="Setting.Name"/>). What is left out stays as it is; an empty text is the default.
/// </summary>
public sealed class ImportRevision : Dictionary<string, string>
{
    public const string Name = "name";
    public const string Account = "account";
    public const string Mapping = "map";
}

/// <summary>
/// Changes the settings of an import of which nothing was sent yet: one in review, or one whose manifest was rejected because a question
/// about its columns was open. What the records depend on (columns, account, and the settings that say so) makes the manifest be
/// read again: its records and findings go in the same transaction, and the import is <see cref="ImportState.Parsing"/> until the new ones
/// are there. Corrections stay with their rows, and go where the rows become others: of another sheet, or with the header among them. Of an
/// import that runs or is paused only what steers the sending can be changed.
/// </summary>
public sealed class ReviseImport(IDbContextFactory<ImporterDb> contexts, ManifestBytes manifests)
{
    private static readonly string Needs =
        "only an import in review, or one whose manifest was rejected, can be revised; one that runs or is paused only in " +
        string.Join(", ", Setting.All.Where(s => s.About.Steers).Select(s => s.Name));

    /// <exception cref="InvalidArgumentException">A setting, the mapping or the account cannot be used.</exception>
    public Task<ImportChange> RunAsync(int importId, ImportRevision revision, string actor, CancellationToken cancellationToken) =>
        contexts.ChangeAsync(db => RunAsync(db, importId, revision, actor, cancellationToken), cancellationToken);

    private async Task<ImportChange> RunAsync(
        ImporterDb db, int importId, ImportRevision revision, string actor, CancellationToken cancellationToken)
    {
        // Locked, not compared: the engine changes other columns of the row every second.
        await db.Database.ExecuteSqlAsync($"SELECT FROM importer.import WHERE id = {importId} FOR NO KEY UPDATE", cancellationToken);
        if (await db.Set<Import>().SingleOrDefaultAsync(i => i.Id == importId, cancellationToken) is not { } import)
            return new ImportChange.NotFound(importId);
        if (import.State is not (ImportState.Review or ImportState.Rejected or ImportState.Running or ImportState.Paused))
            return Refused(import);
        var account = await db.Set<Account>().Where(a => a.Id == import.AccountId).Select(a => a.Name).SingleAsync(cancellationToken);

        // 1. What changes, by the words of the audit log.
        var changes = new List<string>();
        var (mappingBefore, sheetBefore) = (import.Mapping, import.Settings.Sheet);
        var (isFixed, again) = (false, import.State == ImportState.Rejected);
        foreach (var (field, text) in revision)
        {
            switch (field)
            {
                case ImportRevision.Name when text != import.Name:
                    CreateImport.CheckName(text);
                    import.Name = text;
                    Note("name", text);
                    break;
                case ImportRevision.Account when text != account:
                    import.AccountId = await CreateImport.AccountAsync(db, text, cancellationToken);
                    again = true;
                    Note("account", text);
                    break;
                // An empty one is somebody's word too: go by the header, and by no template.
                case ImportRevision.Mapping when text.Trim() is var mapping && mapping != (import.Mapping ?? ""):
                    CreateImport.CheckMapping(mapping);
                    (import.Mapping, import.Template, again) = (mapping, null, true);
                    Note("columns", text);
                    break;
            }
        }
        var settings = import.Settings.With(revision.Where(r =>
            r.Key is not (ImportRevision.Name or ImportRevision.Account or ImportRevision.Mapping)));
        // A zone that was lost since keeps nobody from changing something else.
        if (settings.Window != import.Settings.Window) settings = await ImportSchedule.CheckedAsync(db, settings, cancellationToken);
        foreach (var setting in Setting.All.Where(s => !s.IsSame(settings, import.Settings)))
        {
            changes.Add($"{setting.About.Label}: {(setting.Text(settings) is { Length: > 0 } value ? value : "none")}");
            isFixed |= !setting.About.Steers;
            again |= setting.About.Reads && import.State == ImportState.Review;
        }

        // 2. Whether it may.
        var isUnderWay = import.State is ImportState.Running or ImportState.Paused;
        if (isUnderWay && isFixed) return Refused(import);
        if (changes.Count == 0 && !again) return new ImportChange.Done(import.State);

        // 3. The import; and its records go where they were made by what changed.
        import.Settings = settings;
        if (!isUnderWay) import.StartWhenParsed = false;
        if (again)
        {
            (import.State, import.RowCount, import.ParsedRows, import.ParseQueuedAt) = (ImportState.Parsing, null, 0, null);
            (import.Reason, import.OfferedEncoding, import.FinishedAt) = (null, null, null);
        }
        if (again && (import.Mapping != mappingBefore || settings.Sheet != sheetBefore)
            && await db.Set<Correction>().AnyAsync(c => c.ImportId == importId, cancellationToken)
            && (await FirstRowAsync(import, mappingBefore, sheetBefore, cancellationToken) is not { } before
                || await FirstRowAsync(import, import.Mapping, settings.Sheet, cancellationToken) != before))
        {
            var left = await ForgetRows.CorrectionsAsync(db.Connection, importId, cancellationToken);
            changes.Add($"corrections: {left} {(left == 1 ? "value" : "values")} left out, because the rows are others now");
        }
        db.Note(actor, "import_revised", changes.Count == 0 ? "read again" : string.Join("; ", changes), importId);
        await db.SaveChangesAsync(cancellationToken);
        if (again) await ForgetRows.RunAsync(db.Connection, importId, cancellationToken);
        return new ImportChange.Done(import.State);

        void Note(string what, string? value)
        {
            changes.Add($"{what}: {(string.IsNullOrWhiteSpace(value) ? "none" : value)}");
            isFixed = true;
        }
    }

    /// <summary>
    /// Returns the sheet and the line of row 1, by which all rows are numbered; null when the manifest cannot be read so. The header is
    /// found by the mapping, so another one can make a row of it.
    /// </summary>
    private async Task<(string? Sheet, long Line)?> FirstRowAsync(
        Import import, string? mapping, string? sheet, CancellationToken cancellationToken)
    {
        try
        {
            await using var bytes = await manifests.OpenAsync(import.ManifestId, cancellationToken);
            await using var reader = await ManifestReader.OpenAsync(
                bytes, ManifestReading.Of(mapping, import.Settings.Encoding, sheet), cancellationToken);
            return await reader.ReadAsync(cancellationToken) ? (reader.Layout.Sheet, reader.Row.LineNumber) : null;
        }
        catch (Exception unreadable) when (unreadable is ManifestRejectedException or FileNotFoundException or InvalidDataException)
        {
            // The next reading says why.
            return null;
        }
    }

    private static ImportChange.Refused Refused(Import import) => ImportChange.RefusalOf(import.Id, import.State, Needs);
}
