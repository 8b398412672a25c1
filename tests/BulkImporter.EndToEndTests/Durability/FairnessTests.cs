namespace BulkImporter.EndToEndTests.Durability;

/// <summary>Imports of one account beside each other. Who was served when is read from the order of the ledger, not from a clock.</summary>
[Trait("Category", "Durability")]
public sealed class FairnessTests(SharedCompany shared, ITestOutputHelper output) : IClassFixture<SharedCompany>, IAsyncDisposable
{
    private const int Processes = 2;

    /// <summary>Chunks at work at the same time; as many again may be in the queue already when an import is started.</summary>
    private const int Places = Processes * Company.Workers;

    private static readonly int Huge = Form.Of(20_000, 100_000);

    private readonly Company company = shared.Company;

    public ValueTask DisposeAsync()
    {
        shared.Stage.ShowFailure();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Small_import_beside_a_huge_one_takes_a_small_multiple_of_its_time_alone()
    {
        const int Small = Company.ChunkSize;
        var huge = await BeginHugeAsync();
        var (started, small) = await StartAsync(Small);
        await company.Api.FinishedAsync(small, Company.RunLimit);

        var (first, last) = await SpanAsync(small);
        output.WriteLine(
            $"{first - started} calls for the huge import before the first for the small one, {last - first + 1 - Small} until its last.");
        // Alone it is one chunk in one place. Beside it the other places go on at the same pace: a few calls of theirs for one of its.
        Assert.InRange(last - first + 1, Small, 2 * Places * Small);
        // It waits for the chunks that stand before it, and not for the import that they belong to.
        Assert.InRange(first - started, 0, 4 * Places * Company.ChunkSize);

        await CancelAsync(huge);
        Assert.Empty(await company.AuditAsync(small, Small));
    }

    [Fact]
    public async Task Import_of_higher_priority_has_all_places_until_it_is_done()
    {
        const int Rows = 2000;
        var huge = await BeginHugeAsync();
        var (_, urgent) = await StartAsync(Rows, "&priority=1");
        await company.Api.FinishedAsync(urgent, Company.RunLimit);

        var (first, last) = await SpanAsync(urgent);
        output.WriteLine(
            $"{last - first + 1 - Rows} calls for the huge import between the first and the last of {Rows} for the urgent one.");
        // What was at work or in the queue when it came, and no more; sharing the places would have been as many as its own.
        Assert.InRange(last - first + 1 - Rows, 0, 2 * Places * Company.ChunkSize);

        await CancelAsync(huge);
        Assert.Empty(await company.AuditAsync(urgent, Rows));
    }

    private async Task<int> BeginHugeAsync()
    {
        if (shared.Stage.Alive("work") is null) await company.HireAsync(Processes);
        var huge = await company.ImportAsync(Huge);
        await company.Api.UntilAsync(huge, import => import.Counts.Imported > Places * Company.ChunkSize, Company.RunLimit);
        return huge;
    }

    /// <summary>Returns the number of calls that had arrived before the start.</summary>
    private async Task<(int Calls, int Import)> StartAsync(int rows, string query = "")
    {
        var id = await company.ReviewAsync(rows, query);
        var calls = (await company.Cincopa.SubmitsAsync()).Count;
        await company.Api.ActAsync(id, "start");
        return (calls, id);
    }

    /// <summary>The places of an import's first and last call among all calls, from 0.</summary>
    private async Task<(int First, int Last)> SpanAsync(int id)
    {
        var its = (await company.UrlsAsync(id, "imported")).ToHashSet();
        var calls = (await company.Cincopa.SubmitsAsync()).Select(c => its.Contains(c.Input!)).ToList();
        return (calls.IndexOf(true), calls.LastIndexOf(true));
    }

    /// <summary>It was far from its end: that is what the others did not have to wait for.</summary>
    private async Task CancelAsync(int huge)
    {
        await company.Api.ActAsync(huge, "cancel");
        var cancelled = await company.Api.UntilAsync(huge, import =>
            import.Counts is { Pending: 0, Submitting: 0, Submitted: 0 }, Company.RunLimit);
        Assert.InRange(cancelled.Counts.Cancelled, Huge / 4, Huge);
        Assert.Empty(await company.AuditAsync(huge, Huge));
    }
}
