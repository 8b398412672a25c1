using System.Buffers;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Sources;
using Cincopa.Client;

namespace BulkImporter.Parse;

/// <summary>How the file reaches Cincopa: fetched from its URL by Cincopa, or sent by us.</summary>
public enum Transfer
{
    Pull,
    Push,
}

/// <summary>
/// What a row says, after the checks. Values are without white space around them; null means empty or no column. The URL is what
/// <see cref="UrlCell"/> reads from the cell, and empty when it is missing. A blocked row had an error: it is kept as <c>invalid</c>, never
/// becomes work, and has no key; one that is blocked for pull only can still be pushed by a rerun. A row that is imported already, as a
/// result file says of itself, is kept as <c>duplicate</c>.
/// </summary>
public readonly record struct CheckedRow(
    int RowNumber,
    long LineNumber,
    bool IsBlocked,
    string Url,
    SourceKey? Key,
    string? Caption,
    string? Description,
    string? LongDescription,
    string? Tags,
    string? ReferenceId,
    string? Gallery,
    string? Filename,
    Transfer Transfer,
    bool IsImported,
    DateTimeOffset? ExpiresAt,
    string? Fid = null,
    string? RelatedLinkText = null,
    string? RelatedLinkUrl = null,
    string? OldUrl = null,
    long? ExpectedBytes = null,
    string? ExpectedMd5 = null,
    double? ExpectedSeconds = null,
    bool IsBlockedForPull = false)
{
    /// <summary>Whether it says something that most rows do not, which is kept apart.</summary>
    internal bool HasMeta =>
        (Description ?? LongDescription ?? Tags ?? Gallery ?? Fid ?? Filename ?? RelatedLinkText ?? RelatedLinkUrl ?? OldUrl ?? ExpectedMd5)
            is not null || ExpectedBytes is not null || ExpectedSeconds is not null;
}

/// <summary>
/// The checks that one row can be judged by alone; the server and the offline <c>validate</c> both go through here. Duplicates need more
/// than one row: see <see cref="DuplicateRows"/>, and the database for earlier imports.
/// </summary>
/// <param name="transfers">How files go of which their rows do not say it.</param>
/// <param name="now">One time for the whole manifest, so that two runs of one parse agree.</param>
/// <param name="skipImported">Whether a row that a result file calls imported is left alone.</param>
/// <param name="asWritten">Hosts whose share links are not made direct, with blanks or commas between them; * for all.</param>
/// <param name="log">Told of a row whose check ended in an exception; once, for the same fault may be in each of a million rows.</param>
public sealed class ManifestChecks(
    ManifestLayout layout, SourceUrlRules rules, DateTimeOffset now, ImportTransfer transfers = ImportTransfer.Pull,
    bool skipImported = true, string? asWritten = null,
    ILogger? log = null)
{
    private static readonly SearchValues<byte> Unseen = SearchValues.Create(
        [.. Enumerable.Range(1, 0x1F).Append(0x7F).Select(c => (byte)c).Where(c => c is not ((byte)'\t' or (byte)'\r' or (byte)'\n'))]);

    private static readonly SearchValues<byte> NoneInAddresses =
        SearchValues.Create([.. Enumerable.Range(0, 0x20).Append(0x7F).Append('\\').Select(c => (byte)c)]);

    private static readonly ManifestColumn[] Expectations = [ManifestColumn.Size, ManifestColumn.Md5, ManifestColumn.Duration];

    private static readonly ManifestColumn[] Texts =
    [
        ManifestColumn.Caption, ManifestColumn.Description, ManifestColumn.LongDescription, ManifestColumn.Tags, ManifestColumn.ReferenceId,
        ManifestColumn.RelatedLinkText, ManifestColumn.RelatedLinkUrl,
    ];

    private static readonly ManifestColumn[] Targets = Enum.GetValues<ManifestColumn>();

    private static readonly int ShortestLimit = Targets.Min(ManifestFormat.MaxLength);

    /// <summary>
    /// So many invalid rows in a row, and the file is no manifest of ours: as text of a few bytes each they would fill a database. Those
    /// that only Cincopa cannot fetch do not count, for they can be pushed.
    /// </summary>
    internal const int MostInvalidInARow = 100_000;

    /// <summary>Bytes of a cell that may still be an address of the longest length, in whichever characters.</summary>
    private static readonly int MostLookedInto = 4 * ManifestFormat.MaxLength(ManifestColumn.Url);

    /// <summary>Characters of each link that a finding shows of what was made direct.</summary>
    private const int MostShown = 200;

    private readonly string[] keptHosts = asWritten?.ToLowerInvariant().Split([' ', ',', ';'], StringSplitOptions.RemoveEmptyEntries) ?? [];
    private int invalidInARow;
    private bool isFaultLogged;
    private readonly FindingCode[] urlProblems = new FindingCode[SourceUrlRules.MaxProblems];
    private readonly int urlColumn = layout.IndexOf(ManifestColumn.Url);
    private readonly int stateColumn = skipImported ? layout.ResultColumn("import_state") : -1;

    /// <summary>
    /// Checks a row and appends what was found to <paramref name="findings"/>. Whatever goes wrong inside of it is a finding of this row,
    /// which is blocked by it: one row that nobody thought of cannot end the reading of all others.
    /// </summary>
    /// <exception cref="ManifestRejectedException"><see cref="MostInvalidInARow"/> were invalid.</exception>
    public CheckedRow Check(ManifestRow row, List<Finding> findings)
    {
        var read = CheckAlone(row, findings);
        invalidInARow = read.IsBlocked && !read.IsBlockedForPull ? invalidInARow + 1 : 0;
        if (invalidInARow == MostInvalidInARow)
        {
            var last = findings.FindLast(f => f.Severity == FindingSeverity.Error)!;
            throw new ManifestRejectedException(
                RejectionCode.TooManyInvalidRows,
                $"The {MostInvalidInARow:N0} rows up to line {row.LineNumber} are all invalid, the last with {last.Code.Name()}: "
                    + $"{last.Hint} Nothing of the manifest is imported.",
                line: row.LineNumber);
        }

        return read;
    }

    private CheckedRow CheckAlone(ManifestRow row, List<Finding> findings)
    {
        if (row.RowNumber == 1)
            findings.AddRange(layout.SkippedLines.Select(line => new Finding(0, line.Line, null, line.Text, FindingCode.LineSkipped)));
        var first = findings.Count;
        try
        {
            return Judge(row, findings);
        }
        catch (Exception e)
        {
            if (!isFaultLogged && log is not null)
                Log.RowCheckFailed(log, e, row.RowNumber, row.LineNumber);
            isFaultLogged = true;
            findings.RemoveRange(first, findings.Count - first);
            findings.Add(Of(row, null, FindingCode.RowCheckFailed));
            return Values(row, isBlocked: true, url: default, Transfer.Pull, isImported: false);
        }
    }

    private CheckedRow Judge(ManifestRow row, List<Finding> findings)
    {
        var first = findings.Count;
        if (!row.HasCorrectedUrl)
            CheckShape(row, findings);
        var url = row.Value(ManifestColumn.Url);
        var (unwrapped, decoded) = (false, false);
        // A longer cell is refused for that already, and what looks into an address may take a time that grows faster than its length.
        var isLookedInto = url.Length <= MostLookedInto;
        if (isLookedInto)
            url = UrlCell.Read(url, out unwrapped, out decoded);
        if (unwrapped)
            findings.Add(Of(row, layout.Columns[urlColumn], FindingCode.UrlUnwrapped, url));
        if (decoded)
            findings.Add(Of(row, layout.Columns[urlColumn], FindingCode.UrlEntities, url));
        if (row.Value(ManifestColumn.OldUrl) is { IsEmpty: false } old && !IsOldAddress(old))
            findings.Add(Of(row, layout.ColumnOf(ManifestColumn.OldUrl), FindingCode.OldUrlUnusable, old));
        foreach (var column in Expectations)
        {
            if (row.Value(column) is { IsEmpty: false } expected && !ExpectedFile.IsReadable(column, expected))
                findings.Add(Of(row, layout.ColumnOf(column), FindingCode.ExpectationUnusable, expected));
        }
        foreach (var column in Texts)
        {
            if (rules.IsTextTooLong(row.Value(column)) && layout.ColumnOf(column) is var name
                && !findings.Exists(f => f.RowNumber == row.RowNumber && f.Column == name && f.Code == FindingCode.FieldTooLong))
                findings.Add(Of(row, name, FindingCode.TextNotWritten));
        }
        var transfer = CheckTransfer(row, findings);
        if (isLookedInto)
            transfer = CheckUrl(row, ref url, transfer, row.Value(ManifestColumn.Transfer).IsEmpty
                && transfers == ImportTransfer.Auto, findings);

        var (isBlocked, isBlockedForPull) = (false, true);
        for (var index = first; index < findings.Count; index++)
        {
            if (findings[index].Severity != FindingSeverity.Error) continue;
            isBlocked = true;
            isBlockedForPull &= findings[index].Code is FindingCode.UrlTooLong or FindingCode.UrlHostPrivate;
        }
        var isImported = stateColumn >= 0 && !row.HasCorrectedUrl && row.QuoteProblem is null && !url.IsEmpty
            && row.Field(stateColumn).Trim(" "u8).SequenceEqual("imported"u8);
        if (isImported)
        {
            // Nothing will be fetched, so nothing else that was found matters: a signed link that has run out since, for example.
            isBlocked = false;
            findings.RemoveRange(first, findings.Count - first);
            findings.Add(Of(row, layout.Columns[stateColumn], FindingCode.AlreadyImported, url));
        }

        return Values(row, isBlocked, url, transfer, isImported) with { IsBlockedForPull = isBlocked && isBlockedForPull };
    }

    private static CheckedRow Values(ManifestRow row, bool isBlocked, ReadOnlySpan<byte> url, Transfer transfer, bool isImported) => new(
        row.RowNumber,
        row.LineNumber,
        isBlocked,
        Text(url, ManifestColumn.Url) ?? "",
        isBlocked || url.IsEmpty ? null : SourceKey.Of(url),
        Text(row, ManifestColumn.Caption),
        Text(row, ManifestColumn.Description),
        Text(row, ManifestColumn.LongDescription),
        Text(row, ManifestColumn.Tags),
        Text(row, ManifestColumn.ReferenceId),
        Text(row, ManifestColumn.Gallery),
        Text(row, ManifestColumn.Filename),
        transfer,
        isImported,
        isBlocked || isImported ? null : SourceUrlRules.Expiry(url),
        Text(row, ManifestColumn.Fid),
        Text(row, ManifestColumn.RelatedLinkText),
        Text(row, ManifestColumn.RelatedLinkUrl),
        row.Value(ManifestColumn.OldUrl) is { } old && IsOldAddress(old) ? Text(old, ManifestColumn.OldUrl) : null,
        ExpectedFile.Bytes(row.Value(ManifestColumn.Size)),
        ExpectedFile.Md5(row.Value(ManifestColumn.Md5)),
        ExpectedFile.Seconds(row.Value(ManifestColumn.Duration)));

    /// <summary>What a server can be asked for: an address, or a path on whichever host.</summary>
    private static bool IsOldAddress(ReadOnlySpan<byte> text) => !text.ContainsAny(NoneInAddresses)
        && ((text is [(byte)'/', ..] && text is not [_, (byte)'/', ..])
            || (UrlParts.TryParse(text, out var parts) && SourceUrlRules.IsHttp(parts.Scheme)));

    private static string? Text(ManifestRow row, ManifestColumn column) => Text(row.Value(column), column);

    /// <summary>
    /// A value as it can be stored: PostgreSQL takes no NUL, and one that is too long is an error anyway, so that its beginning will do.
    /// </summary>
    private static string? Text(ReadOnlySpan<byte> value, ManifestColumn column)
    {
        if (value.IsEmpty)
            return null;
        var most = ManifestFormat.MaxLength(column);
        var text = Encoding.UTF8.GetString(value[..Math.Min(value.Length, 4 * most)]);
        if (text.Length > most)
            text = text[..(char.IsHighSurrogate(text[most - 1]) ? most - 1 : most)];
        return text.Replace('\0', '\uFFFD');
    }

    private void CheckShape(ManifestRow row, List<Finding> findings)
    {
        var raw = row.RawText;
        if (row.QuoteProblem is { } problem)
            findings.Add(Of(row, null, problem == FindingCode.StrayQuote && IsShifted(row) ? FindingCode.ColumnsShifted : problem));
        else if (raw.ContainsAny((byte)'\r', (byte)'\n'))
            CheckLines(row, findings);
        if (raw.Contains((byte)0))
            findings.Add(Of(row, null, FindingCode.NulByte));
        if (raw.Length > ShortestLimit)
            CheckLengths(row, findings);
        if (!Ascii.IsValid(raw) || raw.ContainsAny(Unseen))
            CheckEnds(row, findings);
        if (row.FieldCount > layout.Columns.Count)
            CheckSurplus(row, findings);
    }

    private void CheckSurplus(ManifestRow row, List<Finding> findings)
    {
        for (var index = layout.Columns.Count; index < row.FieldCount; index++)
        {
            if (row.Field(index).IsEmpty)
            {
                // Separators at the end of each line are of no account; in one row alone, they say that something moved.
                if (index < layout.RowWidth)
                    continue;
                findings.Add(Of(row, null, FindingCode.TooManyFields));
                return;
            }

            var urlIsLast = urlColumn == layout.Columns.Count - 1 && !layout.IsResultFile;
            findings.Add(Of(row, null, IsCutInApostrophes(row) ? FindingCode.ColumnsShifted : urlIsLast
                ? FindingCode.UrlCutBySeparator : FindingCode.TooManyFields));
            return;
        }
    }

    /// <summary>
    /// Whether the stray quotes of a row enclose a separator, so that one value became two: the first of them stands behind other text and
    /// opens, a later one closes. Also whenever there are more values than columns.
    /// </summary>
    private bool IsShifted(ManifestRow row)
    {
        var opened = false;
        for (var index = 0; index < row.FieldCount; index++)
        {
            var raw = row.RawField(index).Trim(" \t"u8);
            if (index >= layout.Columns.Count && !raw.IsEmpty)
                return true;
            if (raw is [(byte)'"', ..] || raw.Count((byte)'"') % 2 == 0)
                continue;
            if (opened && raw[^1] == (byte)'"')
                return true;
            opened |= !char.IsAsciiLetterOrDigit((char)raw[raw.IndexOf((byte)'"') - 1]);
        }

        return false;
    }

    /// <summary>
    /// Whether apostrophes of a row with too many values enclose a separator: one opens a value, and a later value ends with one.
    /// </summary>
    private static bool IsCutInApostrophes(ManifestRow row)
    {
        var opened = false;
        for (var index = 0; index < row.FieldCount; index++)
        {
            var value = row.Field(index).Trim(" \t"u8);
            var (opens, closes) = (value is [(byte)'\'', ..], value is [.., (byte)'\''] && value.Length > 1);
            if (opened && closes && !opens)
                return true;
            opened = opens ? !closes : opened;
        }

        return false;
    }

    private void CheckLengths(ManifestRow row, List<Finding> findings)
    {
        for (var index = 0; index < row.FieldCount; index++)
        {
            var field = row.Field(index);
            if (field.Length > ManifestFormat.MaxFieldLength || (field.Length > ShortestLimit && IsTooLong(index, CellText.Trim(field))))
                findings.Add(Of(row, index < layout.Columns.Count ? layout.Columns[index] : null, FindingCode.FieldTooLong));
        }
    }

    private bool IsTooLong(int index, ReadOnlySpan<byte> value)
    {
        foreach (var target in Targets)
        {
            if (layout.IndexOf(target) == index && value.Length > ManifestFormat.MaxLength(target)
                && Encoding.UTF8.GetCharCount(value) > ManifestFormat.MaxLength(target))
                return true;
        }

        return false;
    }

    private void CheckEnds(ManifestRow row, List<Finding> findings)
    {
        foreach (var target in Targets)
        {
            var index = layout.IndexOf(target);
            if (index < 0)
                continue;
            var value = CellText.Trim(row.Field(index), out var unusual);
            if (unusual)
                findings.Add(Of(row, layout.Columns[index], FindingCode.InvisibleCharacters, value));
        }
    }

    /// <summary>
    /// An unclosed quote whose end happens to meet another quote is well-formed: then a value holds lines with an address in them and as
    /// many separators as a row has.
    /// </summary>
    private void CheckLines(ManifestRow row, List<Finding> findings)
    {
        for (var index = 0; index < row.FieldCount; index++)
        {
            var value = row.Field(index);
            var end = value.IndexOfAny((byte)'\r', (byte)'\n');
            while (end >= 0)
            {
                value = value[(end + 1)..];
                end = value.IndexOfAny((byte)'\r', (byte)'\n');
                var line = end < 0 ? value : value[..end];
                if (line.IndexOf("://"u8) < 0 || line.Count(layout.SeparatorByte) < layout.Columns.Count - 1)
                    continue;
                if (layout.Columns.Count == 1 && !line.StartsWith("http"u8))
                    continue;
                findings.Add(Of(row, index < layout.Columns.Count ? layout.Columns[index] : null, FindingCode.RowsMaybeMerged));
                return;
            }
        }
    }

    private Transfer CheckTransfer(ManifestRow row, List<Finding> findings)
    {
        var value = row.Value(ManifestColumn.Transfer);
        if (value.IsEmpty)
            return transfers == ImportTransfer.Push ? Transfer.Push : Transfer.Pull;
        if (Ascii.EqualsIgnoreCase(value, "pull"u8))
            return Transfer.Pull;
        if (Ascii.EqualsIgnoreCase(value, "push"u8))
            return Transfer.Push;
        findings.Add(Of(row, layout.ColumnOf(ManifestColumn.Transfer), FindingCode.TransferUnknown, value));
        return Transfer.Pull;
    }

    /// <summary>
    /// Makes a share link direct, and returns how the file goes: a URL that is too long for Cincopa's call, or whose host only we reach, is
    /// ours to read, when the import says so.
    /// </summary>
    private Transfer CheckUrl(ManifestRow row, ref ReadOnlySpan<byte> url, Transfer transfer, bool mayPush, List<Finding> findings)
    {
        // A file of this machine, or one that was sent here: whether it lies where files may be pushed from, or is kept, is judged when it
        // is opened.
        if (transfer == Transfer.Push && (url.StartsWith("file:///"u8) || url.StartsWith("upload:///"u8)))
            return transfer;
        var count = rules.Check(url, now, urlProblems);
        var share = urlProblems.AsSpan(0, count).Contains(FindingCode.UrlSharePage) ? ShareLinks.Of(url) : null;
        if (share is { Direct: { } direct } && !IsKept(share.Host))
        {
            findings.Add(Of(row, layout.Columns[urlColumn], FindingCode.UrlMadeDirect)
                with
            { MaskedValue = $"{Shown(Encoding.UTF8.GetString(url))} → {Shown(direct)}" });
            url = Encoding.UTF8.GetBytes(direct);
            count = rules.Check(url, now, urlProblems);
        }
        foreach (var code in urlProblems.AsSpan(0, count))
        {
            // Only the remote call's query is too short for it, or only Cincopa cannot reach the host; our own download can.
            if ((transfer == Transfer.Push || mayPush)
                && (code == FindingCode.UrlTooLong || (code == FindingCode.UrlHostPrivate && rules.MayPush(url))))
            {
                transfer = Transfer.Push;
                continue;
            }
            if (code != FindingCode.UrlSharePage)
                findings.Add(Of(row, layout.Columns[urlColumn], code, url));
            else if (share?.Advice is { } advice) // without one it works as it is
                findings.Add(Of(row, layout.Columns[urlColumn], code, url) with { Advice = advice });
        }
        return transfer;
    }

    private bool IsKept(string host) => Array.Exists(keptHosts, kept => kept == "*" || host == kept
        || (host.Length > kept.Length && host.EndsWith(kept, StringComparison.Ordinal) && host[^(kept.Length + 1)] == '.'));

    /// <summary>A link as people may see it: its secrets hidden, and not longer than needed to tell it.</summary>
    private static string Shown(string url)
    {
        var shown = Redact.Secrets(url);
        return shown.Length > MostShown ? $"{shown[..MostShown]}…" : shown;
    }

    private static Finding Of(ManifestRow row, string? column, FindingCode code, ReadOnlySpan<byte> value = default) =>
        new(row.RowNumber, row.LineNumber, column, value.IsEmpty ? null : FindingMask.Mask(Text(value, ManifestColumn.Url)!), code);
}
