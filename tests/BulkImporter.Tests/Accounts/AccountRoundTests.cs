using System.Collections.Concurrent;
using BulkImporter.Accounts;
using BulkImporter.Data;
using BulkImporter.Finish;
using BulkImporter.Manifests;
using BulkImporter.Records;
using BulkImporter.Telemetry;
using Cincopa.Client;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace BulkImporter.Tests.Accounts;

/// <summary>
/// The one shape of all rounds that call Cincopa, shown by the finisher: one that cannot be done, and a database that does not take what
/// came of the others.
/// </summary>
public sealed class AccountRoundTests(EngineDatabase database) : IClassFixture<EngineDatabase>, IAsyncLifetime
{
    private const int Rows = 12;
    private readonly ProtectToken tokens = new(new EphemeralDataProtectionProvider());
    private readonly ScriptedCincopa cincopa = new();
    private readonly ConcurrentBag<string> written = [];
    private readonly NotedLog log = new();
    private int account;
    private int id;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await database.SqlAsync("DELETE FROM importer.record_finish");
        await database.SqlAsync("DELETE FROM importer.work_batch");
        account = await database.AccountAsync();
        await database.SqlAsync("UPDATE importer.account SET token_protected = $2 WHERE id = $1", account, tokens.Protect("token"));
        id = await database.ImportAsync(rows: Rows, chunkSize: Rows, account: account);
        await database.SqlAsync("UPDATE importer.import_record SET caption = 'Clip' WHERE import_id = $1", id);
        await database.SubmitAsync(id, 1, [.. Enumerable.Range(1, Rows)]);
        for (var row = 1; row <= Rows; row++) await database.ConcludeAsync(id, row, $"st-{row}-1", RecordState.Imported);
        cincopa.OnSetMeta = (rid, _) =>
        {
            written.Add(rid.Value);
            return new ChangeResult.Ok();
        };
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task One_that_throws_has_a_reason_and_an_end_and_the_others_are_done_in_the_same_round()
    {
        var calls = 0;
        cincopa.OnSetMeta = (rid, _) =>
        {
            if (rid.Value is "rid3" or "rid7")
                throw new FormatException($"The reply {Interlocked.Increment(ref calls)} is odd\nand api_token=1000001itest is in it.");
            return new ChangeResult.Ok();
        };
        await RoundAsync();
        Assert.Equal("done 10, pending 2", await FinishesAsync());
        Assert.Matches(@"^1 unexpected_error FormatException: The reply \d is odd and api_token=\*\*\* is in it\.$", await FinishAsync(3));
        // Two records, one cause: one line of the log.
        var line = Assert.Single(log.Lines);
        Assert.Contains("finisher met an unexpected error 2 times, first with import", line, StringComparison.Ordinal);

        for (var round = 0; round < 5; round++) await RoundAsync();
        Assert.Equal(("done 10, failed 2", 6), (await FinishesAsync(), calls));
        Assert.Contains("3 unexpected_error", await FinishAsync(7), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_result_that_the_database_refuses_has_failed_and_the_others_are_written()
    {
        FailFifth();
        await using var refusal = await RefuseAsync("f.error_message IS DISTINCT FROM 'InvalidInput'");
        await RoundAsync();
        Assert.Equal("done 11, failed 1", await FinishesAsync());
        Assert.Equal("1 unexpected_error The answer came and cannot be stored.", await FinishAsync(5));
        Assert.Equal(Rows, written.Count);
    }

    [Fact]
    public async Task One_whose_end_can_never_be_written_keeps_none_of_the_others_and_is_not_called_for_ever()
    {
        FailFifth();
        await using (await RefuseAsync("NOT (f.row_number = 5 AND f.next_at < now() + interval '50 seconds')"))
        {
            await RoundAsync();
            Assert.Equal("done 11, pending 1", await FinishesAsync());
            for (var round = 0; round < 6; round++) await RoundAsync();
        }
        Assert.Equal(3, written.Count(rid => rid == "rid5"));
        await RoundAsync();
        Assert.Equal("done 11, failed 1", await FinishesAsync());
        Assert.Contains("its result could not be saved", await FinishAsync(5), StringComparison.Ordinal);
        Assert.Equal(3, written.Count(rid => rid == "rid5"));
    }

    [Fact]
    public async Task What_Cincopa_said_is_kept_while_the_database_is_away_and_nothing_is_called_twice()
    {
        await using var cut = new CutDatabase(database.ConnectionString);
        var calls = 0;
        cincopa.OnSetMeta = (rid, _) =>
        {
            written.Add(rid.Value);
            if (Interlocked.Increment(ref calls) == 3) cut.CutAsync(Token).GetAwaiter().GetResult();
            return new ChangeResult.Ok();
        };
        var round = RoundAsync(cut.Source);
        await Client.Poll.UntilAsync(() => log.Lines.Any(l => l.Contains("they are kept", StringComparison.Ordinal)));
        await cut.MendAsync(Token);
        await round;
        Assert.Equal($"done {Rows}", await FinishesAsync());
        Assert.Equal(Rows, written.Count);
        Assert.Contains(log.Lines, l => l.Contains("could not write 12 results; they are kept", StringComparison.Ordinal));
    }

    [Fact]
    public async Task With_too_few_connections_every_answer_is_written_and_nothing_is_called_twice()
    {
        await using var source = await RoleAsync("CONNECTION LIMIT 1");
        var others = await Task.WhenAll(Enumerable.Range(0, 3).Select(async n =>
        {
            await Task.Delay(n * 20, Token);
            try
            {
                await RoundAsync(source, due: false);
                return 0;
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.TooManyConnections)
            {
                return 1;
            }
        }));
        // A round that could not claim, or had no connection to get its permits on, has called nobody. If that was each of them, what they
        // claimed comes again when it is due.
        if (written.IsEmpty) await RoundAsync(source);
        else Assert.InRange(others.Sum(), 0, 2);
        Assert.Equal($"done {Rows}", await FinishesAsync());
        Assert.Equal(Rows, written.Count);
    }

    [Fact]
    public async Task A_role_whose_transactions_are_serializable_by_default_works_like_any_other()
    {
        await using var source = await RoleAsync("", "default_transaction_isolation = 'serializable'");
        Assert.Equal("read committed", (await source.QueryAsync("SHOW transaction_isolation", r => r.GetString(0), Token)).Single());
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => RoundAsync(source, due: false))));
        Assert.Equal($"done {Rows}", await FinishesAsync());
        Assert.Equal(Rows, written.Count);
    }

    [Fact]
    public async Task A_statement_that_others_undid_is_made_again_and_not_for_ever()
    {
        var tries = 0;
        Assert.Equal(3, await database.Source.UndisturbedAsync(() =>
            ++tries < 3 ? throw new PostgresException("deadlock detected", "ERROR", "ERROR", PostgresErrorCodes.DeadlockDetected)
                : Task.FromResult(tries)));
        tries = 0;
        await Assert.ThrowsAsync<PostgresException>(() => database.Source.UndisturbedAsync<int>(() =>
        {
            tries++;
            throw new PostgresException("could not serialize access", "ERROR", "ERROR", PostgresErrorCodes.SerializationFailure);
        }));
        Assert.Equal(5, tries);
        tries = 0;
        await Assert.ThrowsAsync<PostgresException>(() => database.Source.UndisturbedAsync<int>(() =>
        {
            tries++;
            throw new PostgresException("canceling statement due to statement timeout", "ERROR", "ERROR", PostgresErrorCodes.QueryCanceled);
        }));
        Assert.Equal(1, tries);
    }

    [Fact]
    public async Task An_account_whose_token_cannot_be_read_is_named_and_keeps_none_of_the_others()
    {
        var locked = await database.AccountAsync();
        var other = await database.ImportAsync(rows: 1, account: locked);
        await database.SqlAsync("UPDATE importer.import_record SET caption = 'Clip' WHERE import_id = $1", other);
        await database.SubmitAsync(other, 1, 1);
        await database.ConcludeAsync(other, 1, "st-1-1", RecordState.Imported);
        await RoundAsync();
        Assert.Equal($"done {Rows}", await FinishesAsync());
        Assert.Contains($"first with account {locked}", Assert.Single(log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Permits_are_taken_by_the_block_and_none_where_the_account_has_no_rate()
    {
        await database.SqlAsync("UPDATE importer.account SET status_rate = 8 WHERE id = $1", account);
        var needs = Rounds.Over(database.Source, tokens, cincopa);
        using var calls = new AccountCalls(needs, account, await needs.Accounts.GetAsync(account, Token), 6, CancellationToken.None, Token);
        // Half a second's worth with one statement, and the fifth asks again.
        Assert.True(await calls.MayCallAsync());
        var after = await NextAtAsync();
        for (var n = 0; n < 3; n++) Assert.True(await calls.MayCallAsync());
        Assert.Equal(after, await NextAtAsync());
        Assert.True(await calls.MayCallAsync());
        Assert.True(await NextAtAsync() > after);

        await database.SqlAsync("UPDATE importer.account SET status_rate = 0 WHERE id = $1", account);
        after = await NextAtAsync();
        using var free = new AccountCalls(needs, account, await needs.Accounts.GetAsync(account, Token), 6, CancellationToken.None, Token);
        for (var n = 0; n < 10; n++) Assert.True(await free.MayCallAsync());
        Assert.Equal(after, await NextAtAsync());
    }

    private void FailFifth() => cincopa.OnSetMeta = (rid, _) =>
    {
        written.Add(rid.Value);
        return rid.Value == "rid5" ? new ChangeResult.Failed(ScriptedCincopa.Error(RemoteErrorKind.InvalidInput)) : new ChangeResult.Ok();
    };

    private Task<DateTimeOffset> NextAtAsync() =>
        database.OneAsync<DateTimeOffset>("SELECT next_at FROM importer.call_budget WHERE account_id = $1 AND kind = 'status'", account);

    private async Task RoundAsync(NpgsqlDataSource? source = null, bool due = true)
    {
        if (due)
        {
            await database.SqlAsync("UPDATE importer.record_finish SET next_at = '1999-01-01' WHERE state = 'pending'");
            await database.SqlAsync("UPDATE importer.work_batch SET next_at = '1999-01-01'");
        }
        source ??= database.Source;
        await new FinishRecords(Rounds.Over(source, tokens, cincopa, log: log),
            new NameGallery(source, cincopa, NullLogger<NameGallery>.Instance),
            new RetrySchedule(TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(10), () => 1),
            Options.Create(new ManifestOptions()), NullLogger<FinishRecords>.Instance)
        { Attempts = 3 }.RunAsync(Token);
    }

    private async Task<string> FinishesAsync()
    {
        await using var db = database.Contexts.CreateDbContext();
        var counts = new List<string>();
        foreach (var state in new[] { "done", "failed", "pending" })
            if (await new RecordFilter { Finish = state }.Of(db, id).CountAsync(Token) is > 0 and var count) counts.Add($"{state} {count}");
        return string.Join(", ", counts);
    }

    private Task<string> FinishAsync(int row) => database.OneAsync<string>(
        "SELECT concat_ws(' ', failed_count, error_code, error_message) FROM importer.record_finish WHERE import_id = $1 AND row_number "
            + "= $2", id, row);

    /// <summary>
    /// A database that takes only such rows of what is to be finished, as a constraint or a trigger of somebody else's would.
    /// </summary>
    private async Task<IAsyncDisposable> RefuseAsync(string unless)
    {
        await database.SqlAsync($"""
            CREATE FUNCTION importer.refuse_finish() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE f importer.record_finish := NEW;
            BEGIN IF NOT ({unless}) THEN RAISE EXCEPTION 'refused'; END IF; RETURN NEW; END $$
            """);
        await database.SqlAsync(
            "CREATE TRIGGER refuse_finish BEFORE INSERT OR UPDATE ON importer.record_finish FOR EACH ROW WHEN (NEW.next_at > '2000-01-01') EXECUTE "
                + "FUNCTION importer.refuse_finish()");
        return new Undone(() => database.SqlAsync("DROP FUNCTION importer.refuse_finish() CASCADE"));
    }

    private async Task<NpgsqlDataSource> RoleAsync(string options, string? setting = null)
    {
        var role = $"role_{Guid.NewGuid():N}";
        await database.SqlAsync($"CREATE ROLE {role} LOGIN PASSWORD 'role' {options}");
        await database.SqlAsync($"GRANT USAGE ON SCHEMA importer TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA importer TO {role}");
        if (setting is not null) await database.SqlAsync($"ALTER ROLE {role} SET {setting}");
        return DataSetup.CreateDataSource(new NpgsqlConnectionStringBuilder(database.ConnectionString)
        { Username = role, Password = "role" }.ConnectionString);
    }

    private sealed class Undone(Func<Task> undo) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await undo();
    }

    private sealed class NotedLog : ILogger<LoopHealth>
    {
        private readonly ConcurrentQueue<string> lines = new();

        public IReadOnlyCollection<string> Lines => lines;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => lines.Enqueue(formatter(state, exception));
    }
}
