namespace BulkImporter.EndToEndTests.Durability;

/// <summary>A commit that is carried out and whose acknowledgement never comes: the worker lives and must find out.</summary>
[Trait("Category", "Durability")]
public sealed class LostAcknowledgementTests(SharedCompany shared) : IClassFixture<SharedCompany>, IAsyncDisposable
{
    private const int Rows = 400;

    private readonly Company company = shared.Company;

    public ValueTask DisposeAsync()
    {
        shared.Stage.ShowFailure();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData("submitting")]
    [InlineData("submitted")]
    public async Task Commit_whose_acknowledgement_is_cut_leaves_nothing_in_doubt_and_sends_nothing_twice(string state)
    {
        using var wire = new Wire(company.Postgres.Port);
        var worker = await company.HireAsync([], wire.Port);
        await using var gate = await Gate.BeforeCommitAsync(company.Postgres, state);
        var id = await company.ImportAsync(Rows);
        await gate.HasStoppedAsync(Company.RunLimit);
        wire.Replies.Hold();
        await gate.OpenAsync();
        // It is committed, and the worker does not know.
        var committed = await company.UrlsAsync(id, state);
        Assert.InRange(committed.Count, 1, Company.MostInDoubt);
        var sent = (await company.Cincopa.SubmitsAsync()).Select(c => c.Input).ToHashSet();
        Assert.All(committed, url => Assert.Equal(state == "submitted", sent.Contains(url)));
        wire.Break();

        // Should its lease have run out meanwhile, the import may have seemed finished before the worker knew better.
        await company.Api.UntilAsync(id, import => import.State == "finished" && import.Counts.Imported == Rows, Company.RunLimit);
        Assert.False(worker.HasExited);
        Assert.Empty(await company.AuditAsync(id, Rows));
        Assert.Equal(0, (await company.Cincopa.SummaryAsync()).InputsReceivedMoreThanOnce);
        worker.Kill();
    }
}
