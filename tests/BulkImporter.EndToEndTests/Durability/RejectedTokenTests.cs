namespace BulkImporter.EndToEndTests.Durability;

/// <summary>A token that stops working in the middle of a run: that is the account's trouble, not the rows'.</summary>
[Trait("Category", "Durability")]
public sealed class RejectedTokenTests : IAsyncDisposable
{
    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    public async Task Rejected_token_suspends_the_account_costs_no_row_an_attempt_and_a_new_token_resumes(int status)
    {
        const int Rows = 600;
        const string NewToken = "1000001ianew0token";
        var company = await Company.FoundAsync(stage, Company.Brisk);
        await company.Cincopa.TokenAsync(Stage.Token);
        await company.HireAsync(2);
        var id = await company.ImportAsync(Rows);
        await company.Cincopa.HasSubmitsAsync(Rows / 4, Company.RunLimit);

        await company.Cincopa.TokenAsync(Stage.Token, status);
        var account = await Wait.ForAsync(Company.RunLimit, "the account is suspended", async () =>
            await company.Api.AccountAsync() is { State: "suspended" } suspended ? suspended : null);
        Assert.Contains("token", account.Reason, StringComparison.Ordinal);
        // Nothing is under way any more, and the import says why it stands still.
        var still = await company.Api.UntilAsync(id, import => import.Counts.Submitting == 0, Company.RunLimit);
        Assert.Equal("running", still.State);
        Assert.Contains("suspended", still.Reason, StringComparison.Ordinal);
        Assert.Equal((0, 0), (still.Counts.Failed, still.Counts.Unknown));
        Assert.True(still.Counts.Pending > 0);

        await company.Cincopa.TokenAsync(NewToken);
        await company.Api.ChangeAccountAsync(new { token = NewToken });
        await company.Api.FinishedAsync(id, Company.RunLimit);

        Assert.Empty(await company.AuditAsync(id, Rows));
        Assert.Equal(0L, await company.Postgres.AskAsync<long>("""
            SELECT count(*) FROM importer.import_record r JOIN importer.import i ON i.id = r.import_id
                WHERE r.attempts_left <> i.max_attempts - 1
            """));
        // Those that two workers had under way when it happened; and calls that were accepted just before may make the first rejections be
        // forgotten once.
        var rejected = (await company.Cincopa.SubmitsAsync()).Count(c => c.Outcome is "token_rejected" or "permission_missing");
        TestContext.Current.TestOutputHelper?.WriteLine($"{rejected} calls were rejected.");
        Assert.InRange(rejected, 1, 2 * 2 * Company.MostInDoubt);
    }
}
