namespace BulkImporter.EndToEndTests.Durability;

/// <summary>Cincopa takes upload_from_url by one verb only: that is the account's matter, and no row loses an attempt for it.</summary>
[Trait("Category", "Durability")]
public sealed class SubmitVerbTests : IAsyncDisposable
{
    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Theory]
    [InlineData(30)]
    [InlineData(600)]
    public async Task Auto_goes_over_to_post_where_get_is_not_taken(int rows)
    {
        var company = await Company.FoundAsync(stage, Only("post"));
        await company.HireAsync(2);
        var id = await company.ImportAsync(rows);
        await company.Api.FinishedAsync(id, Company.RunLimit);

        Assert.Empty(await company.AuditAsync(id, rows));
        Assert.Equal(0L, await AttemptsLostAsync(company));
        var calls = await company.Cincopa.SubmitsAsync();
        Assert.All(calls, call => Assert.Equal(call.Method == "POST" ? "ok" : "method_not_allowed", call.Outcome));
        // What the workers had under way when the first 405 came.
        Assert.InRange(calls.Count(call => call.Method == "GET"), 1, 2 * Company.MostInDoubt);
        Assert.Equal(rows, calls.Count(call => call.Accepted));
    }

    [Fact]
    public async Task A_verb_that_was_set_and_is_not_taken_suspends_the_account_with_the_reason_until_another_is_set()
    {
        const int Rows = 30;
        var company = await Company.FoundAsync(stage, Only("get"));
        await company.Api.ChangeAccountAsync(new { verb = "post" });
        await company.HireAsync();
        var id = await company.ImportAsync(Rows);
        var account = await Wait.ForAsync(Company.RunLimit, "the account is suspended", async () =>
            await company.Api.AccountAsync() is { State: "suspended" } suspended ? suspended : null);
        Assert.Contains("does not accept upload_from_url by POST (HTTP 405)", account.Reason, StringComparison.Ordinal);
        var still = await company.Api.UntilAsync(id, import => import.Counts.Submitting == 0, Company.RunLimit);
        Assert.Equal(Rows, still.Counts.Pending);
        Assert.InRange((await company.Cincopa.SubmitsAsync()).Count, 1, Company.MostInDoubt);

        await company.Api.ChangeAccountAsync(new { verb = "auto" });
        await company.Api.FinishedAsync(id, Company.RunLimit);
        Assert.Empty(await company.AuditAsync(id, Rows));
        Assert.Equal(0L, await AttemptsLostAsync(company));
        Assert.Equal(Rows, (await company.Cincopa.SubmitsAsync()).Count(call => call.Method == "GET"));
    }

    private static string Only(string verb) => Company.Brisk.Replace("{", $"{{\"submitVerb\":\"{verb}\",", StringComparison.Ordinal);

    private static Task<long> AttemptsLostAsync(Company company) => company.Postgres.AskAsync<long>("""
        SELECT count(*) FROM importer.import_record r JOIN importer.import i ON i.id = r.import_id
            WHERE r.attempts_left <> i.max_attempts - 1
        """);
}
