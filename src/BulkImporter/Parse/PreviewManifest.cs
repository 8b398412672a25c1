using System.Threading.RateLimiting;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Records;
using BulkImporter.Sources;
using Cincopa.Client;

namespace BulkImporter.Parse;

/// <summary>
/// A row as it will be read, without the secrets in its addresses. The URL of a row that cannot be sent is masked: it may hold a password.
/// </summary>
/// <param name="Values">By target name (<c>url</c>, <c>caption</c>, …); targets without a value are left out.</param>
/// <param name="Findings">What is wrong with the row, by code.</param>
/// <param name="Cells">The row as the file has it, column by column, cut and masked like every value that is only shown.</param>
public sealed record PreviewRow(
    int RowNumber, bool IsBlocked, IReadOnlyDictionary<string, string> Values, IReadOnlyList<string> Findings, IReadOnlyList<string> Cells);

/// <summary>A column of the file.</summary>
/// <param name="Target">What it is read as; null when it only stays in the results.</param>
/// <param name="Filled">The rows with a value in it, of <see cref="ManifestPreview.RowsLookedAt"/>.</param>
/// <param name="Samples">Its first different values, cut and masked like every value that is only shown.</param>
public sealed record PreviewColumn(string Name, string? Target, int Filled, IReadOnlyList<string> Samples);

/// <summary>What the beginning of a manifest shows.</summary>
/// <param name="Columns">The header's names; column1, column2, … without a header.</param>
/// <param name="Mapping">Target name to column name, as it is read now.</param>
/// <param name="FileFormat">What the file is.</param>
/// <param name="Sheet">The sheet of the workbook that is shown; null of any other file.</param>
/// <param name="Sheets">The sheets of the workbook that have rows.</param>
/// <param name="Separator">Of CSV: <c>,</c> <c>;</c> <c>|</c> or a tab.</param>
/// <param name="Question">What has to be answered before the manifest can be read; null when nothing has.</param>
/// <param name="ColumnFacts">The same columns, each with what it holds in the first rows.</param>
/// <param name="RowsLookedAt">From how many rows these facts are.</param>
/// <param name="Note">Why there are fewer rows than were asked for, although the manifest may have them; null otherwise.</param>
public sealed record ManifestPreview(
    IReadOnlyList<string> Columns, IReadOnlyDictionary<string, string> Mapping, FileFormat FileFormat, string? Sheet,
    IReadOnlyList<string> Sheets, bool HasHeader, char Separator, string Encoding, string? Question, IReadOnlyList<PreviewRow> Rows,
    IReadOnlyList<PreviewColumn> ColumnFacts, int RowsLookedAt, string? Note = null);

/// <summary>So many previews wait for their turn that one more would wait too long.</summary>
public sealed class TooManyPreviewsException() : Exception("Too many previews are open at the moment. Try again in a few seconds.")
{
    public static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);
}

/// <summary>Reads the beginning of an import's manifest for the review: no record is touched, and nothing is sent.</summary>
public sealed class PreviewManifest(
    NpgsqlDataSource database, ManifestBytes manifests, SourceUrlRules rules, TimeProvider clock, ILogger<PreviewManifest> log)
        : IDisposable
{
    /// <summary>
    /// How much of a manifest is looked at, unpacked. Rows have some hundreds of bytes, so this is thousands of them; without an end a
    /// preview of blank lines or of one long line would cost what the whole reading costs, for everybody who may look.
    /// </summary>
    internal const int MostBytes = 1024 * 1024;

    /// <summary>Previews that a process makes at a time, each within some megabytes and well under a second.</summary>
    internal const int AtATime = 2;

    /// <summary>Those that wait. Behind so many one would wait for seconds, so it is refused at once.</summary>
    internal const int Waiting = 32;

    /// <summary>Rows by which a column is described; fewer of a file with very many columns.</summary>
    internal const int RowsOfFacts = 1000;

    private const int CellsOfFacts = 100_000;

    private const int SamplesOfEach = 3;

    private static readonly string LookedAt =
        $"Only the first {MostBytes / (1024 * 1024)} MB of the manifest were looked at. The later rows are read too when the "
            + "import is.";

    private readonly ConcurrencyLimiter turns =
        new(new() { PermitLimit = AtATime, QueueLimit = Waiting, QueueProcessingOrder = QueueProcessingOrder.OldestFirst });

    /// <summary>Null when there is no such import, when its bytes are not kept any more, or when the file is no manifest at all.</summary>
    /// <exception cref="TooManyPreviewsException">Too many others come first.</exception>
    public async Task<ManifestPreview?> RunAsync(int importId, int rows, CancellationToken cancellationToken)
    {
        var found = await database.QueryAsync<Previewed>(
            "SELECT i.manifest_id, i.mapping, i.encoding, i.sheet, i.transfer, i.already_imported, i.links_as_written "
                + "FROM importer.import i WHERE i.id = $1", cancellationToken, importId);
        if (found is not [var import]) return null;
        var corrected = CorrectedField.ByRow(
            await database.QueryAsync<CorrectedField>(Correction.Latest, cancellationToken, importId, 1, rows));
        using var turn = await turns.AcquireAsync(1, cancellationToken);
        if (!turn.IsAcquired) throw new TooManyPreviewsException();
        return await TryAsync(import, corrected, new(), rows, cancellationToken);
    }

    public void Dispose() => turns.Dispose();

    private async Task<ManifestPreview?> TryAsync(
        Previewed import, Dictionary<int, Dictionary<ManifestColumn, string>> corrected, Guesses guessed, int rows,
        CancellationToken cancellationToken)
    {
        try
        {
            return await ReadAsync(import, corrected, guessed, rows, cancellationToken);
        }
        catch (ManifestRejectedException open) when (open.Code == RejectionCode.SheetUnclear)
        {
            // Which sheet it is is a question, too. What is shown is the first that can be chosen.
            return !guessed.Sheet && open.Candidates.FirstOrDefault(name => name.Length > 0) is { } first
                ? await TryAsync(import with { Sheet = first }, corrected, guessed with { Question = open.Message, Sheet = true }, rows,
                    cancellationToken)
                : null;
        }
        catch (ManifestRejectedException open) when (open.Candidates is [var column, ..] && !guessed.Url)
        {
            // Which column holds the URL is a question. Any answer lets the columns and the rows be seen; it is not shown as one.
            var answer = ManifestMapping.From([new(ManifestFormat.Name(ManifestColumn.Url), column)]).ToString();
            return await TryAsync(import with { Mapping = answer }, corrected,
                guessed with { Question = guessed.Question ?? open.Message, Url = true }, rows, cancellationToken);
        }
        catch (ManifestRejectedException open) when (open.Encoding is { } offered && import.Encoding is null)
        {
            // So is the encoding. What is shown is how the file would read.
            return await TryAsync(
                import with { Encoding = offered }, corrected, guessed with { Question = open.Message }, rows, cancellationToken);
        }
        catch (ManifestRejectedException behind) when (IsBehind(behind))
        {
            // Not even the header stands in what is looked at.
            return new(
                [], new Dictionary<string, string>(), FileFormat.Csv, null, [], false, ',', "", guessed.Question, [], [], 0, LookedAt);
        }
        catch (Exception none) when (none is ManifestRejectedException or FileNotFoundException or InvalidDataException)
        {
            return null;
        }
    }

    private async Task<ManifestPreview> ReadAsync(
        Previewed import, Dictionary<int, Dictionary<ManifestColumn, string>> corrected, Guesses guessed, int count,
        CancellationToken cancellationToken)
    {
        await using var bytes = await manifests.OpenAsync(import.ManifestId, cancellationToken);
        var how = ManifestReading.Of(import.Mapping, import.Encoding, import.Sheet);
        await using var reader = await ManifestReader.OpenAsync(bytes, how, MostBytes, cancellationToken);
        var checks = new ManifestChecks(reader.Layout, rules, clock.GetUtcNow(), import.Transfer,
            import.AlreadyImported == WhenDuplicate.Skip, import.LinksAsWritten, log);
        var rows = new List<PreviewRow>();
        var facts = reader.Layout.Columns.Select(_ => new Facts()).ToArray();
        var most = Math.Max(count, Math.Min(RowsOfFacts, CellsOfFacts / facts.Length));
        var looked = 0;
        string? note = null;
        try
        {
            for (; looked < most && await reader.ReadAsync(cancellationToken); looked++)
            {
                var row = reader.Row;
                for (var index = 0; index < facts.Length; index++) facts[index].Add(row, index);
                if (rows.Count == count) continue;
                if (corrected.TryGetValue(row.RowNumber, out var values)) row.Correct(values);
                rows.Add(Row(checks, row, !guessed.Url));
            }
        }
        catch (ManifestRejectedException end) when (end.Encoding is null || import.Encoding is not null)
        {
            // What stands before the damage is shown; the parse says where it is.
            note = IsBehind(end) && rows.Count < count ? LookedAt : null;
        }
        // A line that is no header may have been taken for one, and an address may stand in it.
        var columns = reader.Layout.Columns.Select(Redact.Secrets).ToList();
        var mapped = reader.Layout.Mapping.Where(m => !guessed.Url || m.Key != ManifestColumn.Url)
            .ToDictionary(m => m.Value, m => ManifestFormat.Name(m.Key));
        return new(columns, mapped.ToDictionary(m => m.Value, m => columns[m.Key]), reader.Layout.Format, reader.Layout.Sheet,
            reader.Layout.Sheets, reader.Layout.HasHeader, reader.Layout.Separator,
            reader.Layout.EncodingName, guessed.Question, rows,
            [.. facts.Select((f, index) => f.Of(columns[index], mapped.GetValueOrDefault(index)))], looked, note);
    }

    private static bool IsBehind(ManifestRejectedException end) => end.Code == RejectionCode.UnpackedTooLarge;

    private static PreviewRow Row(ManifestChecks checks, ManifestRow row, bool withUrl)
    {
        var findings = new List<Finding>();
        var read = checks.Check(row, findings);
        var values = new Dictionary<string, string>();
        foreach (var target in Enum.GetValues<ManifestColumn>())
        {
            if (target == ManifestColumn.Url ? withUrl : row.GetString(target) is not null)
                values[ManifestFormat.Name(target)] = target == ManifestColumn.Url && read.IsBlocked
                    ? FindingMask.Mask(read.Url) : Redact.Secrets(target == ManifestColumn.Url ? read.Url : row.GetString(target)!);
        }
        return new(
            row.RowNumber, withUrl && read.IsBlocked, values, withUrl
                ? [.. findings.Where(f => f.RowNumber > 0).Select(f => f.Code.Name()).Distinct()] : [],
            [.. Enumerable.Range(0, row.Layout.Columns.Count).Select(i => FindingMask.Mask(Redact.Secrets(row.GetString(i))))]);
    }

    /// <summary>What the first rows hold in a column.</summary>
    private sealed class Facts
    {
        private readonly List<string> samples = [];
        private int filled;

        public void Add(ManifestRow row, int index)
        {
            var value = CellText.Trim(row.Field(index));
            if (value.IsEmpty) return;
            filled++;
            if (samples.Count == SamplesOfEach) return;
            var text = FindingMask.Mask(Redact.Secrets(System.Text.Encoding.UTF8.GetString(value)));
            if (!samples.Contains(text)) samples.Add(text);
        }

        public PreviewColumn Of(string name, string? target) => new(name, target, filled, samples);
    }

    /// <summary>What was guessed in order to show something: the column of the URL, the sheet; and the question that it raises.</summary>
    private readonly record struct Guesses(string? Question, bool Url, bool Sheet);

    private sealed record Previewed(
        int ManifestId, string? Mapping, string? Encoding, string? Sheet, ImportTransfer Transfer, WhenDuplicate AlreadyImported,
        string? LinksAsWritten);
}
