namespace BulkImporter.EndToEndTests.Durability;

/// <summary>
/// A worker is killed at each step of a record's way out, and another one finishes what it left. Everything that the victim was doing has
/// stopped at that step when it dies, so that what must follow is known for each record.
/// </summary>
[Trait("Category", "Durability")]
public sealed class KillPointTests(SharedCompany shared) : IClassFixture<SharedCompany>, IAsyncDisposable
{
    // A chunk for each of the victim's threads.
    private const int Rows = Company.Workers * Company.ChunkSize;
    private const int InFlight = Company.Workers * Company.Window;

    // So that the only calls on the wire are those for the rows.
    private static readonly Settings AsksNothing = new()
    {
        ["BulkImporter__Accounts__PingBeforeSending"] = "false",
        ["BulkImporter__Work__LookAfter"] = "01:00:00",
    };

    private static readonly string Unlistable =
        Company.Brisk.TrimEnd('}') + ""","rules":[{"on":"list","fault":"permission_missing"}]}""";

    private readonly Company company = shared.Company;
    private RunningProgram victim = null!;
    private int before;

    public ValueTask DisposeAsync()
    {
        shared.Stage.ShowFailure();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Before_the_intents_commit_nothing_was_begun_and_every_row_is_sent_once()
    {
        await using var gate = await Gate.BeforeCommitAsync(company.Postgres, "submitting");
        var id = await BeginAsync();
        await gate.HasStoppedAsync(Company.RunLimit);
        victim.Kill();
        await gate.LoseAsync();

        Assert.Empty(await company.UrlsAsync(id, "submitting"));
        Assert.Empty(await SentAsync());
        await EndsWithUnknownAsync(id, []);
        Assert.Equal(Rows, (await SentAsync()).Count);
    }

    [Fact]
    public async Task After_the_intents_commit_and_before_the_send_just_those_are_unknown_and_are_never_sent()
    {
        // The commit is carried out; the one who could have sent then is dead.
        await using var gate = await Gate.BeforeCommitAsync(company.Postgres, "submitting");
        var id = await BeginAsync();
        await gate.HasStoppedAsync(Company.RunLimit);
        victim.Kill();
        await gate.OpenAsync();

        var inDoubt = await InDoubtAsync(id);
        Assert.Empty(await SentAsync());
        await EndsWithUnknownAsync(id, inDoubt);
        Assert.Equal(Rows - inDoubt.Count, (await SentAsync()).Count);
    }

    [Fact]
    public async Task While_its_calls_are_on_the_wire_just_those_are_unknown_and_are_not_sent_again()
    {
        company.ToCincopa.Requests.Hold();
        var id = await BeginAsync();
        await Wait.UntilAsync(Company.RunLimit, "the calls have left", () => Task.FromResult(company.ToCincopa.Requests.Held == InFlight));
        victim.Kill();
        company.ToCincopa.Break();

        var inDoubt = await InDoubtAsync(id);
        Assert.Empty(await SentAsync());
        await EndsWithUnknownAsync(id, inDoubt);
        Assert.Equal(Rows - inDoubt.Count, (await SentAsync()).Count);
    }

    [Fact]
    public async Task After_the_send_and_before_the_reply_just_those_are_unknown_and_are_not_sent_again()
    {
        var (id, sent) = await BeginUntilAnsweredAsync();
        victim.Kill();
        company.ToCincopa.Break();

        var inDoubt = await InDoubtAsync(id);
        Assert.Subset(inDoubt.ToHashSet(), sent);
        await EndsWithUnknownAsync(id, inDoubt);
        Assert.Equal(Rows - inDoubt.Count + sent.Count, (await SentAsync()).Count);
    }

    [Fact]
    public async Task After_the_send_what_is_in_doubt_is_sent_again_where_a_duplicate_is_preferred_to_a_gap()
    {
        var (id, sent) = await BeginUntilAnsweredAsync("&whenUnknown=resubmit");
        victim.Kill();
        company.ToCincopa.Break();

        // The assets cannot be listed, so that nobody finds what has arrived.
        await company.Cincopa.BehaveAsync(Unlistable);
        var looking = await EndsWithUnknownAsync(id, [], new Settings { ["BulkImporter__Work__LookAfter"] = "00:00:01" });
        // The next test's victim must not look for assets while it sends.
        looking.Kill();
        await company.Cincopa.BehaveAsync(Company.Brisk);
        // Those that had arrived arrived twice, and no others.
        Assert.Equal(Rows + sent.Count, (await SentAsync()).Count);
        Assert.Equal(sent.Order(), await TwiceAsync());
    }

    [Fact]
    public async Task After_the_reply_and_before_the_answer_is_written_just_those_are_unknown_and_are_not_sent_again()
    {
        var (id, sent) = await BeginUntilAnsweredAsync();
        await using var gate = await Gate.BeforeWriteAsync(company.Postgres);
        company.ToCincopa.Replies.Open();
        await gate.HasStoppedAsync(Company.RunLimit);
        victim.Kill();
        await gate.LoseAsync();

        var inDoubt = await InDoubtAsync(id);
        Assert.Subset(inDoubt.ToHashSet(), sent);
        await EndsWithUnknownAsync(id, inDoubt);
        Assert.Empty(await TwiceAsync());
    }

    [Fact]
    public async Task Before_the_answers_commit_just_those_are_unknown_and_are_not_sent_again()
    {
        await using var gate = await Gate.BeforeCommitAsync(company.Postgres, "submitted");
        var id = await BeginAsync();
        await gate.HasStoppedAsync(Company.RunLimit);
        victim.Kill();
        await gate.LoseAsync();

        var inDoubt = await InDoubtAsync(id);
        Assert.Empty(await company.UrlsAsync(id, "submitted"));
        await EndsWithUnknownAsync(id, inDoubt);
        Assert.Empty(await TwiceAsync());
    }

    [Fact]
    public async Task After_the_answers_commit_those_are_imported_and_only_what_was_still_under_way_is_unknown()
    {
        await using var gate = await Gate.BeforeCommitAsync(company.Postgres, "submitted");
        var id = await BeginAsync();
        await gate.HasStoppedAsync(Company.RunLimit);
        victim.Kill();
        await gate.OpenAsync();

        Assert.NotEmpty(await company.UrlsAsync(id, "submitted"));
        await EndsWithUnknownAsync(id, await company.UrlsAsync(id, "submitting"));
        Assert.Empty(await TwiceAsync());
    }

    /// <summary>Starts an import for a victim that works alone.</summary>
    private async Task<int> BeginAsync(string query = "")
    {
        before = (await company.Cincopa.SubmitsAsync()).Count;
        victim = shared.Stage.Alive("work") ?? await company.HireAsync(AsksNothing);
        return await company.ImportAsync(Rows, query);
    }

    /// <summary>As above, and all its calls have arrived; their replies are held back. Returns what was sent.</summary>
    private async Task<(int Id, HashSet<string> Sent)> BeginUntilAnsweredAsync(string query = "")
    {
        company.ToCincopa.Replies.Hold();
        var id = await BeginAsync(query);
        await Wait.UntilAsync(Company.RunLimit, "all calls are answered", () =>
            Task.FromResult(company.ToCincopa.Replies.Held == InFlight));
        return (id, [.. await SentAsync()]);
    }

    private async Task<List<string>> InDoubtAsync(int id)
    {
        var inDoubt = await company.UrlsAsync(id, "submitting");
        Assert.InRange(inDoubt.Count, 1, Company.MostInDoubt);
        return inDoubt;
    }

    /// <summary>The sources that were called for in this test.</summary>
    private async Task<List<string>> SentAsync() => [.. (await company.Cincopa.SubmitsAsync()).Skip(before).Select(c => c.Input!)];

    private async Task<IEnumerable<string>> TwiceAsync() =>
        (await SentAsync()).CountBy(input => input).Where(sent => sent.Value > 1).Select(sent => sent.Key).Order();

    /// <summary>Another worker, which is returned, finishes unaided.</summary>
    private async Task<RunningProgram> EndsWithUnknownAsync(int id, IReadOnlyCollection<string> expected, Settings? settings = null)
    {
        // Unless it is told to, it does not look for the assets.
        var another = await company.HireAsync((settings ?? []).With(AsksNothing));
        await company.RecoveredAsync(victim);
        await company.Api.FinishedAsync(id, Company.RunLimit);
        var unknown = await company.AuditAsync(id, Rows);
        Assert.Equal(expected.Order(), unknown.Select(r => r.Url!).Order());
        Assert.All(unknown, r => Assert.Equal("worker_lost", r.Error?.Code));
        return another;
    }
}
