namespace BulkImporter.EndToEndTests.Durability;

/// <summary>Replies that never come, come half, or say nothing: the call may have been accepted, and so it is never sent again.</summary>
[Trait("Category", "Durability")]
public sealed class LostRepliesTests : IAsyncDisposable
{
    private static readonly Settings ShortPatience = new() { ["Cincopa__SubmitTimeout"] = "00:00:04" };

    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task Calls_whose_replies_are_lost_cut_garbled_or_late_all_end_unknown_and_none_is_sent_again()
    {
        var rows = Form.Of(1500, 10_000);
        // One call in twenty, in four ways; each of them was accepted.
        var company = await Company.FoundAsync(stage, """
            {
              "statusLatencyMs": 0, "importMs": [20, 200], "rules": [
                { "on": "submit", "fault": "reply_lost", "share": 0.0125 },
                { "on": "submit", "fault": "reply_cut", "share": 0.0125 },
                { "on": "submit", "fault": "bad_gateway", "commits": true, "share": 0.0125 },
                { "on": "submit", "fault": "hang", "commits": true, "share": 0.0125 }]
            }
            """);
        await company.HireAsync(2, ShortPatience);
        var id = await company.ImportAsync(rows);
        await company.Api.FinishedAsync(id, Company.RunLimit);

        var calls = await company.Cincopa.SubmitsAsync();
        Assert.Equal(rows, calls.Count);
        var struck = calls.Where(c => c.Outcome != "ok").ToList();
        Assert.Equal(["bad_gateway", "hung", "reply_cut", "reply_lost"], struck.Select(c => c.Outcome).Distinct().Order());
        Assert.InRange(struck.Count, rows / 40, rows / 10);
        var unknown = await company.AuditAsync(id, rows);
        Assert.Equal(struck.Select(c => c.Input).Order(), unknown.Select(r => r.Url).Order());
    }

    [Fact]
    public async Task Assets_of_lost_replies_are_found_after_the_grace_each_by_its_own_record_and_none_is_sent_again()
    {
        var rows = Form.Of(600, 5000);
        // The list is slow to show what is new, and tells its pages otherwise than documented.
        var company = await Company.FoundAsync(stage, """
            {
              "statusLatencyMs": 0, "importMs": [20, 4000], "listLagMs": 3600000, "pageTotal": "page_count", "rules": [
                { "on": "list", "fault": "unavailable", "times": 1 },
                { "on": "submit", "fault": "reply_lost", "share": 0.02 },
                { "on": "submit", "fault": "hang", "commits": true, "share": 0.02 }]
            }
            """);
        await company.HireAsync(2, ShortPatience.With(new Settings { ["BulkImporter__Work__LookAfter"] = "00:00:06" }));
        var id = await company.ImportAsync(rows);
        await company.Api.UntilAsync(id, import => import.State == "finished" && import.Counts.Imported == rows, Company.RunLimit);

        Assert.Empty(await company.AuditAsync(id, rows));
        var summary = await company.Cincopa.SummaryAsync();
        Assert.Equal((rows, rows, 0), (summary.SubmitsReceived, summary.SubmitsAccepted, summary.InputsAcceptedMoreThanOnce));
        Assert.InRange(await company.Postgres.AskAsync<long>("SELECT count(*) FROM importer.attempt WHERE outcome = 'reconciled'"),
            rows / 100, rows / 10);
    }

    [Fact]
    public async Task Cincopa_that_falls_silent_leaves_only_the_calls_in_doubt_that_it_did_not_answer()
    {
        var rows = Form.Of(1000, 5000);
        var company = await Company.FoundAsync(stage, Company.Brisk, wired: true);
        await company.HireAsync(2, ShortPatience);
        var id = await company.ImportAsync(rows);
        await company.Cincopa.HasSubmitsAsync(rows / 4, Company.RunLimit);

        company.ToCincopa.Cut();
        // Longer than the lease: every window has been given up at least twice since.
        var begun = await company.Postgres.AskAsync<DateTime>("SELECT now()");
        await Wait.UntilAsync(Company.RunLimit, "silence for longer than a lease", async () =>
            await company.Postgres.AskAsync<bool>(
                $"SELECT now() > timestamptz '{begun:O}' + interval '{Company.Lease.TotalSeconds} seconds'"));
        company.ToCincopa.Mend();

        await company.Api.FinishedAsync(id, Company.RunLimit);
        var unknown = await company.AuditAsync(id, rows);
        Assert.All(unknown, r => Assert.Contains(r.Error?.Code, new[] { "reply_lost", "reply_timeout" }));
        // Two processes, a window each 4 seconds, and the first one.
        Assert.InRange(unknown.Count, 1, 2 * Company.Workers * Company.Window * (1 + (int)(Company.Lease / TimeSpan.FromSeconds(4)) + 1));
    }
}
