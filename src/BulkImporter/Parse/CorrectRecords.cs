using BulkImporter.Access;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Records;
using BulkImporter.Sources;

namespace BulkImporter.Parse;

/// <summary>The result for a row of a corrections file.</summary>
/// <param name="Line">Where it starts in that file.</param>
/// <param name="Row">The row of the import that it is about; null when none was found.</param>
/// <param name="Outcome"><c>corrected</c>, or why it was refused: <c>unmatched</c>, <c>ambiguous</c>, <c>repeated</c>, <c>wrong_state</c>,
/// <c>unchanged</c>, <c>invalid</c>, <c>duplicate_url</c>, <c>already_imported</c>.</param>
/// <param name="Message">For people: what was changed, or what to do.</param>
public sealed record CorrectedRow(long Line, int? Row, string Outcome, string Message);

/// <param name="Corrected">Rows whose values were replaced and which are sent again.</param>
/// <param name="Refused">Rows of the file that changed nothing.</param>
/// <param name="Rows">Each row of the file, in its order.</param>
public sealed record CorrectionReport(int Corrected, int Refused, IReadOnlyList<CorrectedRow> Rows);

/// <summary>The file was gone through.</summary>
public sealed record CorrectionDone(CorrectionReport Report) : ImportChange;

/// <summary>
/// Replaces address, caption, reference id or transfer of failed, invalid and duplicate rows by those of a file and makes just these
/// pending again; an import that had ended runs again. Of an import in review any row can be corrected, and its manifest is read again with
/// the new values. A cell that is empty, or a column that is not there, leaves the value as it is. All of it is one transaction.
/// </summary>
public sealed class CorrectRecords(
    NpgsqlDataSource database, RecordTransitions transitions, SourceUrlRules rules, TimeProvider clock, ILogger<CorrectRecords> log)
{
    /// <summary>Rows that one file may hold: each is answered.</summary>
    internal const int MostRows = 50_000;

    /// <summary>The largest file, as it comes and unpacked: its rows are held until all are read.</summary>
    public const long MostBytes = 64L << 20;

    private const string LockImport = """
        SELECT i.already_imported, i.account_id, i.duplicate_rows, i.match_by, i.state FROM importer.import i
        WHERE i.id = $1 AND i.state IN ('review', 'running', 'paused', 'finished', 'cancelled') AND i.row_count IS NOT NULL
        FOR NO KEY UPDATE
        """;

    private const string OfImport = """
        SELECT row_number, state, source_url, caption, reference_id, is_push, source_key FROM importer.record_now WHERE import_id = $1
        """;

    private const string ByRow = $"{OfImport} AND row_number = ANY($2)";

    private const string ByReference = $"{OfImport} AND reference_id = ANY($2)";

    // Rows that were never work hold no source that counts.
    private const string ReadSources = """
        SELECT source_key, import_id, min(row_number) AS row_number FROM importer.import_record
        WHERE import_id = $1 AND source_key = ANY($2) AND state <> 'invalid' GROUP BY source_key, import_id
        """;

    private const string ReadEarlier = $"""
        SELECT DISTINCT ON (r.source_key) r.source_key, r.import_id, r.row_number
        FROM importer.import i JOIN importer.record_now r ON r.import_id = i.id
        WHERE i.account_id = $1 AND i.id <> $2 AND i.state IN ('running', 'paused', 'finished', 'cancelled') AND r.source_key = ANY($3)
            AND {EarlierSources.IsThere}
        ORDER BY r.source_key, r.import_id DESC
        """;

    /// <param name="onlyCheck">Says what would become of each row and changes nothing.</param>
    /// <exception cref="InvalidArgumentException">The file cannot be read, has too many rows, or no column that says which row is
    /// meant.</exception>
    public async Task<ImportChange> RunAsync(
        int importId, Stream file, string? mapping, string? encoding, string? sheet, string actor, CancellationToken cancellationToken,
        bool onlyCheck = false)
    {
        // 1. The file, before anything is locked.
        var asked = await ReadAsync(importId, file, mapping, encoding, sheet, cancellationToken);
        return await database.OnConnectionAsync(
            connection => CorrectAsync(connection, importId, asked, actor, onlyCheck, cancellationToken), cancellationToken);
    }

    private async Task<ImportChange> CorrectAsync(
        NpgsqlConnection connection, int importId, List<Asked> asked, string actor, bool onlyCheck, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await connection.QueryAsync<Locked>(LockImport, cancellationToken, importId) is not [var import])
            return await ImportChange.RefusalAsync(
                connection, importId, "only an import whose manifest was read can be corrected", cancellationToken);

        // 2. Which row each means, and whether that may be changed so.
        var isReview = import.State == ImportState.Review;
        await MatchAsync(connection, importId, isReview, asked, cancellationToken);
        await CheckSourcesAsync(connection, importId, import, asked, cancellationToken);

        // 3. The change, and the import goes on, or is read again.
        var changes = asked.Where(a => a.Refusal is null).Select(a => a.Change!).ToList();
        var moved = onlyCheck ? changes.Select(c => c.RowNumber).ToHashSet()
            : changes.Count == 0 ? new HashSet<int>()
            : isReview ? await Correction.NoteAsync(connection, importId, changes, actor, cancellationToken)
            : await transitions.CorrectedAsync(connection, importId, changes, actor, cancellationToken);
        if (moved.Count > 0 && !onlyCheck)
        {
            var goesOn = isReview ? ImportTransitions.ReadAgain : ImportTransitions.RunsAgain;
            await connection.ExecuteAsync(goesOn, cancellationToken, importId);
            if (isReview) await ForgetRows.RunAsync(connection, importId, cancellationToken);
            var detail = $"{moved.Count} {(moved.Count == 1 ? "row" : "rows")}";
            await connection.NoteAsync(actor, "records_corrected", cancellationToken, detail, importId);
            await transaction.CommitAsync(cancellationToken);
        }
        var rows = asked.ConvertAll(a => a.Answer(moved, isReview));
        var corrected = rows.Count(r => r.Outcome == Asked.Corrected);
        return new CorrectionDone(new(corrected, rows.Count - corrected, rows));
    }

    private async Task<List<Asked>> ReadAsync(
        int importId, Stream file, string? mapping, string? encoding, string? sheet, CancellationToken cancellationToken)
    {
        var asked = new List<Asked>();
        try
        {
            // The import's own mapping is for its own header; a file with other columns is read by its names.
            var import =
                (await database.QueryAsync<ReadAs>("SELECT mapping, transfer, links_as_written FROM importer.import WHERE id = $1",
                    cancellationToken, importId)).SingleOrDefault();
            var how = ManifestReading.Of(mapping, encoding, sheet) with
            {
                TemplateFor = columns => Task.FromResult(Fitting(mapping is null ? import?.Mapping : null, columns)),
            };
            await using var reader = await ManifestReader.OpenAsync(file, how, MostBytes, cancellationToken);
            var checks = new ManifestChecks(reader.Layout, rules, clock.GetUtcNow(), import?.Transfer ?? default, skipImported: false,
                import?.LinksAsWritten, log);
            var rowColumn = reader.Layout.Columns.ToList().FindLastIndex(column => ManifestFormat.IsNamed(column, "import_row"));
            if (rowColumn < 0 && reader.Layout.IndexOf(ManifestColumn.ReferenceId) < 0)
                throw new InvalidArgumentException("file",
                    "The file does not say which rows it corrects. Keep the column import_row of the results, or give reference ids.");
            var findings = new List<Finding>();
            while (await reader.ReadAsync(cancellationToken))
            {
                if (asked.Count == MostRows)
                    throw new InvalidArgumentException("file",
                        $"A corrections file can have at most {MostRows:N0} rows. Leave out the rows that need no correction, or "
                            + "split it.");
                findings.Clear();
                var row = checks.Check(reader.Row, findings);
                asked.Add(new Asked(WithoutTexts(row), !reader.Row.Value(ManifestColumn.Transfer).IsEmpty,
                    rowColumn < 0 ? null : reader.Row.GetString(rowColumn).Trim(),
                    findings.Find(f => f.Severity == FindingSeverity.Error && f.Code != FindingCode.UrlMissing)));
            }
            return asked;
        }
        catch (ManifestRejectedException unreadable)
        {
            throw new InvalidArgumentException("file", unreadable.Message);
        }
    }

    /// <summary>What cannot be corrected is not held.</summary>
    private static CheckedRow WithoutTexts(CheckedRow row) => row with
    {
        Description = null,
        LongDescription = null,
        Tags = null,
        Gallery = null,
        Filename = null,
        Fid = null,
        RelatedLinkText = null,
        RelatedLinkUrl = null,
        ExpectedBytes = null,
        ExpectedMd5 = null,
        ExpectedSeconds = null,
    };

    private static ManifestMapping? Fitting(string? mapping, IReadOnlyList<string> columns)
    {
        if (string.IsNullOrEmpty(mapping)) return null;
        var own = ManifestMapping.Parse(mapping);
        return own.Columns.Values.Where(name => name.Length > 0).All(name => columns.Any(c => ManifestFormat.IsNamed(c, name)))
            ? own : null;
    }

    private static async Task MatchAsync(
        NpgsqlConnection connection, int importId, bool isReview, List<Asked> asked, CancellationToken cancellationToken)
    {
        var numbers = asked.Select(a => a.RowNumber).OfType<int>().Distinct().ToArray();
        var references = asked.Where(a => !a.NamesRow).Select(a => a.Row.ReferenceId).OfType<string>().Distinct().ToArray();
        var byRow = (await connection.QueryAsync<Current>(ByRow, cancellationToken, importId, numbers)).ToDictionary(c => c.RowNumber);
        var byReference = (await connection.QueryAsync<Current>(ByReference, cancellationToken, importId, references))
            .ToLookup(c => c.ReferenceId!);
        var seen = new HashSet<int>();
        foreach (var one in asked)
        {
            var named = one.RowNumber is { } number ? byRow.GetValueOrDefault(number) : null;
            Current[] found = one.NamesRow
                ? named is null ? [] : [named]
                : one.Row.ReferenceId is { } reference ? [.. byReference[reference]] : [];
            one.Match(found, seen, isReview);
        }
    }

    /// <summary>A corrected address may be one that the import, or an earlier one, has already.</summary>
    private static async Task CheckSourcesAsync(
        NpgsqlConnection connection, int importId, Locked import, List<Asked> asked, CancellationToken cancellationToken)
    {
        var moving = asked.Where(a => a.Refusal is null && a.Change!.SourceKey is not null).ToList();
        // Where the reference id alone says what a row is, two rows may have one address.
        if (moving.Count == 0 || import.MatchBy == RowMatch.ReferenceId) return;
        var keys = moving.Select(a => a.Change!.SourceKey!.Value).Distinct().ToArray();
        var skipRepeated = import.DuplicateRows == WhenDuplicate.Skip;
        var here = skipRepeated ? (await connection.QueryAsync<Holder>(ReadSources, cancellationToken, importId, keys))
            .ToDictionary(h => h.SourceKey, h => h.RowNumber) : [];
        var earlier = import.AlreadyImported == WhenDuplicate.Skip
            ? (await connection.QueryAsync<Holder>(ReadEarlier, cancellationToken, import.AccountId, importId, keys))
                .ToDictionary(h => h.SourceKey)
            : [];
        foreach (var one in moving)
        {
            var key = one.Change!.SourceKey!.Value;
            if (here.TryGetValue(key, out var row) && row != one.Change.RowNumber)
                one.Refuse("duplicate_url", $"Row {row} has this address.");
            else if (earlier.TryGetValue(key, out var other))
                one.Refuse("already_imported", $"Row {other.RowNumber} of import {other.ImportId} has this address.");
            else if (skipRepeated)
                here[key] = one.Change.RowNumber;
        }
    }

    /// <summary>The import, as long as it is locked.</summary>
    private sealed record Locked(
        int AccountId, WhenDuplicate AlreadyImported, WhenDuplicate DuplicateRows, RowMatch MatchBy, ImportState State);

    private sealed record ReadAs(string? Mapping, ImportTransfer Transfer, string? LinksAsWritten);

    /// <summary>The row that has a source.</summary>
    private sealed record Holder(Guid SourceKey, int ImportId, int RowNumber);

    /// <summary>A record as it stands.</summary>
    private sealed record Current(
        int RowNumber, RecordState State, string? SourceUrl, string? Caption, string? ReferenceId, bool IsPush, Guid? SourceKey);

    /// <summary>A row of the file on its way to an answer.</summary>
    private sealed class Asked(CheckedRow row, bool saysTransfer, string? named, Finding? error)
    {
        public const string Corrected = "corrected";

        private int? matched;
        private string? why;

        public CheckedRow Row => row;

        /// <summary>Its column import_row is filled: that decides, and not the reference id, which may be what is corrected.</summary>
        public bool NamesRow => !string.IsNullOrEmpty(named);

        public int? RowNumber => int.TryParse(named, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

        public string? Refusal { get; private set; }
        public RecordCorrection? Change { get; private set; }

        public void Refuse(string outcome, string message) => (Refusal, why) = (outcome, message);

        public void Match(Current[] found, HashSet<int> seen, bool isReview)
        {
            if (found.Length > 1)
            {
                Refuse("ambiguous", $"{found.Length} rows have this reference id. Say which one by import_row.");
                return;
            }
            if (found is not [var current])
            {
                Refuse("unmatched", NamesRow ? $"The import has no row '{FindingMask.Mask(named!)}'." : row.ReferenceId is null
                    ? "Neither import_row nor a reference id is filled in." : "No row has this reference id.");
                return;
            }
            matched = current.RowNumber;
            if (!seen.Add(current.RowNumber))
                Refuse("repeated", "The file has this row more than once. The first one counts.");
            else if (current.State is not (RecordState.Failed or RecordState.Invalid or RecordState.Duplicate) && !isReview)
                Refuse("wrong_state",
                    $"The row is {EnumText<RecordState>.Of(current.State)}. Only failed, invalid and duplicate rows can be corrected.");
            else if (error is not null)
                Refuse("invalid", $"{error.Code.Name()}: {error.Hint}");
            else
                Compare(current);
        }

        private void Compare(Current current)
        {
            // What the record of an invalid row has is masked, and may be in order but for a quote: the file's word counts.
            // That of a duplicate may be masked, too, but its key is that of its own address: only another source takes it out of its
            // state.
            var isNew = current.State switch
            {
                RecordState.Invalid => true,
                RecordState.Duplicate => row.Key?.Value != current.SourceKey,
                _ => row.Url != current.SourceUrl,
            };
            var url = row.Url.Length > 0 && isNew ? row.Url : null;
            var caption = row.Caption is { } c && c != current.Caption ? c : null;
            var reference = row.ReferenceId is { } r && r != current.ReferenceId ? r : null;
            // A new address goes as the import says of it; one that stays, as before, unless the row itself says otherwise.
            var isPush = saysTransfer || (url is not null && !current.IsPush) ? row.Transfer == Transfer.Push : current.IsPush;
            if (url is null && current.State == RecordState.Invalid)
                Refuse("invalid", "The row needs a URL, and the file does not give it one.");
            else if (url is null && current.State == RecordState.Duplicate)
                Refuse("unchanged",
                    "The file has no other URL for this duplicate. To send it as it is, rerun the row itself, or all duplicates.");
            else if (url is null && caption is null && reference is null && isPush == current.IsPush)
                Refuse("unchanged", "Nothing in it differs from the import. To send the row again as it is, rerun it.");
            else if (url is not null && ReadRowsToFix.IsMasked(url))
                Refuse("invalid", "The URL has *** or … for parts that are not shown. Write the whole URL.");
            else
                Change = new(current.RowNumber, url, url is null
                    ? null : SourceKey.Of(url).Value, caption, reference, isPush == current.IsPush ? null : isPush);
        }

        public CorrectedRow Answer(IReadOnlySet<int> moved, bool isReview)
        {
            if (Refusal is not null) return new(row.LineNumber, matched, Refusal, why!);
            if (!moved.Contains(matched!.Value)) return new(row.LineNumber, matched, "wrong_state", "The row has changed in the meantime.");
            string[] what =
                [.. new[] { Change!.Url is null ? null : "url", Change.Caption is null ? null : "caption", Change.ReferenceId is null
                    ? null : "reference_id", Change.IsPush is null ? null : "transfer" }.OfType<string>()];
            return new(row.LineNumber, matched, Corrected, $"Replaced: {string.Join(", ", what)}.{(isReview ? "" : " It is sent again.")}");
        }
    }
}
