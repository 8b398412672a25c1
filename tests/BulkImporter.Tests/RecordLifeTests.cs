using System.Text.RegularExpressions;
using System.Xml.Linq;
using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Rerun;
using Cincopa.Client;

namespace BulkImporter.Tests;

/// <summary>
/// The one to read first: a record's life in the order of the table in ARCHITECTURE.md, and then the proof that the table, the members of
/// <see cref="RecordState"/> and what <see cref="RecordTransitions"/> really does are the same story.
/// </summary>
public sealed partial class RecordLifeTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    /// <summary>Every transition there is: the method that makes it, and from where to where it may lead. All others are refused.</summary>
    private static readonly Dictionary<string, (RecordState From, RecordState[] To)[]> Transitions = new()
    {
        [nameof(RecordTransitions.DuplicateAsync)] = [(RecordState.Pending, [RecordState.Duplicate])],
        [nameof(RecordTransitions.KnownEarlierAsync)] = [(RecordState.Pending, [RecordState.Duplicate])],
        [nameof(RecordTransitions.SubmittingAsync)] = [(RecordState.Pending, [RecordState.Submitting])],
        [nameof(RecordTransitions.AnsweredAsync)] =
        [
            (RecordState.Submitting,
                [RecordState.Submitted, RecordState.Imported, RecordState.Pending, RecordState.Failed, RecordState.Unknown]),
            (RecordState.Unknown,
                [RecordState.Submitted, RecordState.Imported, RecordState.Pending, RecordState.Failed, RecordState.Unknown]),
        ],
        [nameof(RecordTransitions.ConcludedAsync)] =
            [(RecordState.Submitted, [RecordState.Imported, RecordState.Pending, RecordState.Failed, RecordState.Unknown])],
        [nameof(RecordTransitions.RescuedAsync)] =
            [(RecordState.Submitting, [RecordState.Unknown, RecordState.Pending, RecordState.Failed])],
        [nameof(RecordTransitions.PushedAgainAsync)] = [(RecordState.Unknown, [RecordState.Pending])],
        [nameof(RecordTransitions.AdoptedAsync)] = [(RecordState.Unknown, [RecordState.Imported])],
        [nameof(RecordTransitions.ResubmittedAsync)] = [(RecordState.Unknown, [RecordState.Pending])],
        [nameof(RecordTransitions.GaveUpAsync)] = [(RecordState.Unknown, [RecordState.Failed])],
        [nameof(RecordTransitions.CancelledAsync)] = [(RecordState.Pending, [RecordState.Cancelled])],
        [nameof(RecordTransitions.PendingAgainAsync)] =
            [(RecordState.Failed, [RecordState.Pending]), (RecordState.Cancelled, [RecordState.Pending]),
                (RecordState.Unknown, [RecordState.Pending]),
                (RecordState.Invalid, [RecordState.Pending]), (RecordState.Duplicate, [RecordState.Pending]),
                (RecordState.Deleted, [RecordState.Pending]), (RecordState.Imported, [RecordState.Pending])],
        [nameof(RecordTransitions.DeletedAsync)] = [(RecordState.Imported, [RecordState.Deleted])],
        [nameof(RecordTransitions.CorrectedAsync)] =
            [(RecordState.Failed, [RecordState.Pending]), (RecordState.Invalid, [RecordState.Pending]),
                (RecordState.Duplicate, [RecordState.Pending])],
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // --- the life

    [Fact]
    public async Task Stage_2_a_row_of_the_manifest_is_a_pending_record_that_is_due()
    {
        var id = await database.ImportAsync(rows: 1, state: ImportState.Review);
        Assert.Equal("pending attempt 0 left 5", await database.RecordAsync(id, 1));
        Assert.Empty(await database.AttemptsAsync(id, 1));
        Assert.Equal("pending 1", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task Stage_4_the_intent_is_committed_before_the_call_and_the_answer_after_it()
    {
        var id = await database.ImportAsync(rows: 1);
        var lease = await database.LeaseAsync(id);

        var intent = Assert.Single(await database.Transitions.SubmittingAsync(lease, [1], Token));
        Assert.Equal("submitting attempt 1 left 4", await database.RecordAsync(id, 1));
        Assert.Equal(["1 open"], await database.AttemptsAsync(id, 1));

        // Between the two nothing sends it again, not even its own worker.
        Assert.Empty(await database.Transitions.SubmittingAsync(lease, [1], Token));

        await database.AnswerAsync(lease, EngineDatabase.Accepted(intent));
        Assert.Equal("submitted attempt 1 left 4 st-1-1", await database.RecordAsync(id, 1));
        Assert.Equal("submitted 1", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task Stage_4_when_the_worker_dies_in_between_the_record_is_in_doubt_and_never_blindly_resent()
    {
        var id = await database.ImportAsync(rows: 1);
        await database.Transitions.SubmittingAsync(await database.LeaseAsync(id), [1], Token);
        await database.ExpireAsync(id);
        await database.Transitions.RescuedAsync(id, 1, Token);
        Assert.Equal("unknown attempt 1 left 4 worker_lost", await database.RecordAsync(id, 1));

        Assert.Empty(await database.Transitions.SubmittingAsync(await database.LeaseAsync(id), [1], Token));
        Assert.Equal(0, Assert.IsType<RerunDone>(await database.RerunAsync(id)).Rerun);
        Assert.Equal("unknown 1", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task Stage_5_accepted_is_imported_only_when_the_status_names_the_asset()
    {
        var id = await database.ImportAsync(rows: 1);
        await database.SubmitAsync(id, 1, 1);
        await database.ConcludeAsync(id, 1, "st-1-1", RecordState.Imported);
        Assert.Equal("imported attempt 1 left 4 st-1-1 rid1", await database.RecordAsync(id, 1));
        Assert.Equal(["1 imported st-1-1"], await database.AttemptsAsync(id, 1));
        await database.Follow.RunAsync(Token);
        Assert.Equal("finished", await database.ImportStateAsync(id));
    }

    [Fact]
    public async Task Stage_7_a_rerun_gives_a_failed_record_all_its_attempts_again_and_keeps_those_that_were_made()
    {
        var id = await database.ImportAsync(rows: 1);
        await database.SubmitAsync(id, 1, 1);
        await database.ConcludeAsync(id, 1, "st-1-1", RecordState.Failed, FailureCode.SourceNotFound);
        await database.Follow.RunAsync(Token);
        Assert.Equal("finished", await database.ImportStateAsync(id));

        Assert.Equal(1, Assert.IsType<RerunDone>(await database.RerunAsync(id)).Rerun);
        Assert.Equal(("running", "pending attempt 1 left 5"), (await database.ImportStateAsync(id), await database.RecordAsync(id, 1)));
        await database.SubmitAsync(id, 1, 1);
        await database.ConcludeAsync(id, 1, "st-1-2", RecordState.Imported);
        Assert.Equal(["1 source_not_found st-1-1", "2 imported st-1-2"], await database.AttemptsAsync(id, 1));
        Assert.Equal("imported 1", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task A_record_in_doubt_takes_the_asset_that_was_found_for_it_and_keeps_what_its_attempt_had_ended_with()
    {
        var id = await database.ImportAsync(rows: 1);
        var intent = Assert.Single(await database.DoubtAsync(id, 11, (1, "https://media.example/a.mp4")));
        Assert.Equal(1, await database.AdoptAsync(id, 1, intent.Attempt, "found"));
        Assert.Equal("imported attempt 1 left 4 found", await database.RecordAsync(id, 1));
        Assert.Equal(["1 reconciled"], await database.AttemptsAsync(id, 1));
        Assert.Equal("reply_lost: It did not work. Found.",
            await database.OneAsync<string>("SELECT message FROM importer.attempt WHERE import_id = $1", id));
        Assert.Equal(0, Assert.IsType<RerunDone>(await database.RerunAsync(id, new RecordFilter { RowNumbers = [1] })).Rerun);
        Assert.Equal("imported 1", await database.SoundCountsAsync(id));
    }

    [Fact]
    public async Task An_asset_that_an_undo_has_deleted_is_told_of_by_its_attempt_and_its_record_is_sent_again_when_a_person_names_it()
    {
        var id = await database.ImportAsync(rows: 1);
        await database.SubmitAsync(id, 1, 1);
        await database.ConcludeAsync(id, 1, "st-1-1", RecordState.Imported);
        await database.Follow.RunAsync(Token);
        Assert.Equal(0, await database.Transitions.DeletedAsync([new(id, 1, new Rid("another"))], Token));
        Assert.Equal(1, await database.Transitions.DeletedAsync([new(id, 1, new Rid("rid1"))], Token));
        Assert.Equal("deleted attempt 1 left 4 st-1-1 rid1", await database.RecordAsync(id, 1));
        Assert.Equal(["1 imported st-1-1"], await database.AttemptsAsync(id, 1));
        Assert.Equal("An undo has deleted its asset rid1 in Cincopa.",
            await database.OneAsync<string>("SELECT message FROM importer.attempt WHERE import_id = $1", id));
        Assert.Equal("deleted 1", await database.SoundCountsAsync(id));

        Assert.Equal(0, Assert.IsType<RerunDone>(await database.RerunAsync(id)).Rerun);
        var again = await database.RerunAsync(id, new RecordFilter { State = RecordState.Deleted });
        Assert.Equal(1, Assert.IsType<RerunDone>(again).Rerun);
        await database.SubmitAsync(id, 1, 1);
        await database.ConcludeAsync(id, 1, "st-1-2", RecordState.Imported);
        Assert.Equal(["1 imported st-1-1", "2 imported st-1-2"], await database.AttemptsAsync(id, 1));
        Assert.Equal("imported 1", await database.SoundCountsAsync(id));
    }

    // --- the three places

    public static TheoryData<string, RecordState> MethodsAndStates()
    {
        var rows = new TheoryData<string, RecordState>();
        foreach (var method in Transitions.Keys)
        {
            foreach (var from in Enum.GetValues<RecordState>()) rows.Add(method, from);
        }
        return rows;
    }

    /// <summary>
    /// Every method meets a record in every state, with everything that it could make of it, and moves it where the table says or not at
    /// all.
    /// </summary>
    [Theory]
    [MemberData(nameof(MethodsAndStates))]
    public async Task A_transition_starts_from_the_states_that_allow_it_and_is_refused_from_all_others(string method, RecordState from)
    {
        var allowed = Transitions[method].Where(t => t.From == from).SelectMany(t => t.To).ToHashSet();
        var reached = new HashSet<RecordState>();
        foreach (var wanted in Enum.GetValues<RecordState>())
        {
            var id = await RecordInAsync(from);
            if (!await MoveAsync(method, id, wanted)) continue;
            var to = await database.StateAsync(id, 1);
            if (to != from || allowed.Contains(from)) reached.Add(to);
            await database.AssertSoundAsync(id);
        }
        Assert.Equal(allowed.Order(), reached.Order());
    }

    [Fact]
    public void Every_method_of_RecordTransitions_that_moves_records_is_among_the_transitions() =>
        Assert.Equal(
            typeof(RecordTransitions).GetMethods().Where(m => m.DeclaringType == typeof(RecordTransitions)).Select(m => m.Name)
                // Two only look, the third is two of them in one transaction, the fourth gives other addresses and moves nothing.
                .Except([nameof(RecordTransitions.RenewedAsync), nameof(RecordTransitions.OpenIntentsAsync), nameof(RecordTransitions.OwnersAsync),
                    nameof(RecordTransitions.AnsweredAndSubmittingAsync)]).Order(),
            Transitions.Keys.Order());

    [Fact]
    public void The_table_in_the_architecture_page_has_a_row_for_each_state_with_the_words_of_its_declaration()
    {
        var declared = Enum.GetValues<RecordState>().Select(s => (Name: EnumText<RecordState>.Of(s), Summary: SummaryOf(s)));
        var written = LifeTable().Select(row => (Name: row[0].Trim('`'), Summary: row[1])).ToList();
        Assert.Equal(declared, written);
    }

    [Fact]
    public void The_arrows_in_the_architecture_page_are_the_transitions_that_there_are()
    {
        var written = LifeTable()
            .SelectMany(row => StateName().Matches(row[3]).Select(m => (From: row[0].Trim('`'), To: m.Groups[1].Value)));
        // The rescue and a late answer may find a record in doubt that stays in doubt: that is no arrow.
        var real = Transitions.Values.SelectMany(t => t).SelectMany(t => t.To.Select(to => (t.From, To: to)))
            .Where(a => a.From != a.To).Distinct()
            .Select(a => (From: EnumText<RecordState>.Of(a.From), To: EnumText<RecordState>.Of(a.To)));
        Assert.Equal(real.Order(), written.Order());
    }

    [Fact]
    public void The_methods_in_the_architecture_page_are_those_that_lead_out_of_each_state()
    {
        var written = LifeTable()
            .SelectMany(row => MethodName().Matches(row[3]).Select(m => (From: row[0].Trim('`'), Method: m.Groups[1].Value))).Distinct();
        var real = Transitions.SelectMany(t => t.Value.Select(v => (From: EnumText<RecordState>.Of(v.From), Method: t.Key)));
        Assert.Equal(real.Order(), written.Order());
    }

    /// <summary>A record in each state, brought there by the life that leads there.</summary>
    private async Task<int> RecordInAsync(RecordState state)
    {
        var id = await database.ImportAsync(rows: 1);
        switch (state)
        {
            case RecordState.Pending:
                break;
            case RecordState.Submitting:
                await database.Transitions.SubmittingAsync(await database.LeaseAsync(id), [1], Token);
                break;
            case RecordState.Submitted:
                await database.SubmitAsync(id, 1, 1);
                break;
            case RecordState.Deleted:
                await database.SubmitAsync(id, 1, 1);
                await database.ConcludeAsync(id, 1, "st-1-1", RecordState.Imported);
                await database.Transitions.DeletedAsync([new(id, 1, new Rid("rid1"))], Token);
                break;
            case RecordState.Imported or RecordState.Failed:
                await database.SubmitAsync(id, 1, 1);
                await database.ConcludeAsync(id, 1, "st-1-1", state, state == RecordState.Failed ? FailureCode.SourceNotFound : null);
                // Something else arrived than was expected: otherwise no rerun takes it.
                if (state == RecordState.Imported)
                    await database.AddAsync(new RecordAsset { ImportId = id, RowNumber = 1, Rid = "rid1", SizeBytes = 1, ExpectedBytes = 2 });
                break;
            case RecordState.Unknown:
                await database.Transitions.SubmittingAsync(await database.LeaseAsync(id), [1], Token);
                await database.ExpireAsync(id);
                await database.Transitions.RescuedAsync(id, 1, Token);
                break;
            case RecordState.Cancelled:
                await using (var connection = await database.Source.OpenConnectionAsync(Token))
                    await database.Transitions.CancelledAsync(connection, id, Token);
                break;
            case RecordState.Invalid or RecordState.Duplicate:
                // The parse writes these; the trigger counts them like any other.
                await database.SqlAsync(
                    "UPDATE importer.import_record SET state = $2, error_code = $3, finished_at = now() WHERE import_id = $1", id,
                    EnumText<RecordState>.Of(state),
                    state == RecordState.Invalid ? "url_host_private" : null);
                break;
        }
        Assert.Equal(state, await database.StateAsync(id, 1));
        return id;
    }

    /// <summary>Lets a method try its best to move the record. False when it cannot be asked for that state at all.</summary>
    private async Task<bool> MoveAsync(string method, int id, RecordState wanted)
    {
        var attempt = await database.OneAsync<short>("SELECT attempt_count FROM importer.record_now WHERE import_id = $1", id);
        var statusId = $"st-1-{attempt}";
        await using var connection = await database.Source.OpenConnectionAsync(Token);
        switch (method)
        {
            case nameof(RecordTransitions.DuplicateAsync) when wanted == RecordState.Duplicate:
                // A source that a row before it names already.
                var source = Guid.NewGuid();
                await database.AddAsync(new ImportRecord
                {
                    ImportId = id,
                    RowNumber = 0,
                    ChunkNumber = 0,
                    LineNumber = 1,
                    State = RecordState.Cancelled,
                    SourceKey = source,
                    SourceUrl = "https://media.example/1.mp4",
                    AttemptsLeft = 5,
                    FinishedAt = DateTimeOffset.UtcNow,
                });
                await database.SqlAsync("UPDATE importer.import_record SET source_key = $2 WHERE import_id = $1 AND row_number = 1",
                    id, source);
                await database.Transitions.DuplicateAsync(connection, id, new(true, false, "url", null), byReference: false, Token);
                await database.SqlAsync("DELETE FROM importer.import_record WHERE import_id = $1 AND row_number = 0", id);
                return true;
            case nameof(RecordTransitions.KnownEarlierAsync) when wanted == RecordState.Duplicate:
                await database.SqlAsync(
                    "UPDATE importer.import_record SET source_key = '00000000-0000-0000-0000-000000000001' WHERE import_id = $1", id);
                await using (var known = new Npgsql.NpgsqlCommand("""
                    CREATE TEMP TABLE known_source AS SELECT '00000000-0000-0000-0000-000000000001'::uuid AS source_key, 7 AS import_id,
                        3 AS row_number, true AS imported
                    """, connection))
                    await known.ExecuteNonQueryAsync(Token);
                await database.Transitions.KnownEarlierAsync(connection, id, new(true, false, "url", null), byReference: false, Token);
                await using (var gone = new Npgsql.NpgsqlCommand("DROP TABLE known_source", connection)) await gone.ExecuteNonQueryAsync(
                    Token);
                return true;
            case nameof(RecordTransitions.CorrectedAsync) when wanted == RecordState.Pending:
                await database.Transitions.CorrectedAsync(connection, id,
                    [new(1, "https://media.example/corrected.mp4", Guid.NewGuid(), null, null, null)], "ann", Token);
                return true;
            case nameof(RecordTransitions.SubmittingAsync) when wanted == RecordState.Submitting:
                await database.Transitions.SubmittingAsync(await database.LeaseAsync(id), [1], Token);
                return true;
            case nameof(RecordTransitions.AnsweredAsync) when wanted is RecordState.Submitted or RecordState.Imported
                or RecordState.Pending or RecordState.Failed or RecordState.Unknown:
                var intent = new Intent(1, attempt, ImporterDatabase.Now);
                await database.AnswerAsync(await database.LeaseAsync(id), wanted == RecordState.Imported
                    ? new Answer(intent, RecordState.Imported, null, null, 200, null, null, GiveBack: false, new Rid("pushed"))
                    : wanted == RecordState.Submitted
                    ? EngineDatabase.Accepted(intent)
                    : EngineDatabase.Failed(intent, wanted, wanted == RecordState.Unknown
                        ? FailureCode.ReplyLost : FailureCode.RemoteError));
                return true;
            case nameof(RecordTransitions.ConcludedAsync) when wanted is RecordState.Imported or RecordState.Pending or RecordState.Failed
                or RecordState.Unknown:
                await database.ConcludeAsync(id, 1, statusId, wanted, wanted == RecordState.Imported ? null : FailureCode.SourceTimeout);
                return true;
            case nameof(RecordTransitions.RescuedAsync) when wanted is RecordState.Unknown or RecordState.Pending or RecordState.Failed:
                // A push whose last range had not begun is safe to go on with.
                if (wanted != RecordState.Unknown)
                    await database.SqlAsync("UPDATE importer.import_record SET is_push = true WHERE import_id = $1", id);
                if (wanted == RecordState.Failed)
                    await database.SqlAsync("UPDATE importer.import_record SET attempts_left = 0 WHERE import_id = $1", id);
                await database.LeaseAsync(id);
                await database.ExpireAsync(id);
                await database.Transitions.RescuedAsync(id, 1, Token);
                return true;
            case nameof(RecordTransitions.ResubmittedAsync) when wanted == RecordState.Pending:
                await database.SqlAsync("UPDATE importer.import SET when_unknown = 'resubmit' WHERE id = $1", id);
                await database.ListingFailsAsync(id);
                await database.Transitions.ResubmittedAsync(id, TimeSpan.Zero, Token);
                return true;
            case nameof(RecordTransitions.PushedAgainAsync) when wanted == RecordState.Pending:
                await database.SqlAsync("UPDATE importer.import_record SET is_push = true WHERE import_id = $1", id);
                await database.Transitions.PushedAgainAsync([new(id, 1, attempt)], Token);
                return true;
            case nameof(RecordTransitions.AdoptedAsync) when wanted == RecordState.Imported:
                await database.AdoptAsync(id, 1, attempt, "found");
                return true;
            case nameof(RecordTransitions.GaveUpAsync) when wanted == RecordState.Failed:
                await database.Transitions.GaveUpAsync(connection, id, RecordFilter.All, "Given up by ann.", Token);
                return true;
            case nameof(RecordTransitions.CancelledAsync) when wanted == RecordState.Cancelled:
                await database.Transitions.CancelledAsync(connection, id, Token);
                return true;
            case nameof(RecordTransitions.DeletedAsync) when wanted == RecordState.Deleted:
                await database.Transitions.DeletedAsync([new(id, 1, new Rid("rid1"))], Token);
                return true;
            case nameof(RecordTransitions.PendingAgainAsync) when wanted == RecordState.Pending:
                await database.Transitions.PendingAgainAsync(connection, id, RecordFilter.All,
                    [RecordState.Unknown, RecordState.Duplicate, RecordState.Deleted, RecordState.Imported], push: true, Token);
                return true;
            default:
                return false;
        }
    }

    /// <summary>The rows of the life table: state, meaning, what a crash does, ways out.</summary>
    private static List<string[]> LifeTable()
    {
        var page = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "ARCHITECTURE.md"));
        Assert.True(page.Length < 200, "The architecture page has grown to 200 lines.");
        return [.. page.SkipWhile(l => !l.StartsWith("| state |", StringComparison.Ordinal)).Skip(2).TakeWhile(l => l.StartsWith('|'))
            .Select(l => l.Split('|')[1..^1].Select(cell => cell.Trim()).ToArray())];
    }

    private static string SummaryOf(RecordState state)
    {
        var documentation = XDocument.Load(Path.Combine(AppContext.BaseDirectory, "BulkImporter.xml"));
        var member = documentation.Descendants("member")
            .Single(m => m.Attribute("name")!.Value == $"F:{typeof(RecordState).FullName}.{state}");
        return Whitespace().Replace(member.Element("summary")!.Value.Trim(), " ");
    }

    [GeneratedRegex("→ `([a-z]+)`")]
    private static partial Regex StateName();

    [GeneratedRegex("`([A-Z][A-Za-z]+Async)`")]
    private static partial Regex MethodName();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Whitespace();
}
