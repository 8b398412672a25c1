using BulkImporter.Tests.Simulator;
using Cincopa.Client;

namespace BulkImporter.Tests.Client;

/// <summary>
/// The client and the simulator, which share no code, read the contract alike. Every row of its tables that the client uses has a test here
/// or in the class that is named; where the API may speak in two ways, in both.
/// <list type="bullet">
/// <item>1, conventions: the token and all arguments in the query, and nowhere else: here and <c>SubmitIsSentOnceTests</c>; both styles of
/// failure: here and <c>SubmitReplyTests</c>; <c>cache=never</c>: here; numbers as text: here and <c>StatusReplyTests</c>.</item>
/// <item>1.2, permissions: here and <c>PingAndListTests</c>. 2.1 ping: here.</item>
/// <item>2.2 submit with and without <c>fid</c>; 2.3 status in both vocabularies, resid early, at the end, late, missing; 2.4 abort:
/// here.</item>
/// <item>2.7 list: paging, both names of the page count, <c>search</c>, <c>rid</c>, <c>reference_id</c>: here. 2.10 gallery.list:
/// here.</item>
/// <item>2.11 webhooks: here, and their deliveries in <c>SimulatorWebhookTests</c>.</item>
/// <item>3, errors: tokens, permissions, input, ticket, quota, rate with and without Retry-After, length of the URL, empty and foreign
/// replies: here.</item>
/// </list>
/// </summary>
public sealed class ContractTests
{
    private const string Url = "https://cdn.example.test/a/clip one.mp4";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Styles => ["json", "success_false"];

    public static TheoryData<string, string, string> Ways()
    {
        var ways = new TheoryData<string, string, string>();
        foreach (var style in new[] { "json", "success_false" })
        {
            foreach (var vocabulary in new[] { "a", "b" })
            {
                foreach (var numbers in new[] { "true", "false" }) ways.Add(style, vocabulary, numbers);
            }
        }
        return ways;
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_source_becomes_an_asset_whatever_words_and_numbers_the_status_speaks_in(
        string style, string vocabulary, string numbersAsStrings)
    {
        await using var simulator =
            await RunningSimulator.StartAsync(
                $$"""{"importMs":1000,"refusals":"{{style}}","vocabulary":"{{vocabulary}}","numbersAsStrings":{{numbersAsStrings}},"resid":"at_end"}""");
        using var client = ClientUnderTest.New();

        var ticket = Assert.IsType<SubmitResult.Accepted>(await client.UploadFromUrlAsync(Access(simulator), Url, null, Token)).StatusId;
        simulator.Clock.Advance(TimeSpan.FromMilliseconds(50));
        Assert.Equal((5, null), await RunningAsync());
        simulator.Clock.Advance(TimeSpan.FromMilliseconds(450));
        Assert.Equal((50, null), await RunningAsync());
        simulator.Clock.Advance(TimeSpan.FromMilliseconds(500));
        var rid = Assert.IsType<StatusResult.Done>(await client.GetUploadStatusAsync(Access(simulator), ticket, Token)).Rid;

        var listed =
            Assert.IsType<AssetListResult.Ok>(await client.ListAssetsAsync(Access(simulator), new AssetListQuery { Rid = rid }, Token));
        Assert.Equal("clip one.mp4", Assert.Single(listed.Items).FileName);

        async Task<(int?, string?)> RunningAsync()
        {
            var running = Assert.IsType<StatusResult.Running>(await client.GetUploadStatusAsync(Access(simulator), ticket, Token));
            Assert.True(running.TotalBytes > running.ProgressBytes);
            return (running.ProgressPercent, running.UnknownWord);
        }
    }

    [Theory]
    [InlineData("a", "missing", RemoteErrorKind.SourceNotFound)]
    [InlineData("b", "missing", RemoteErrorKind.SourceNotFound)]
    [InlineData("a", "forbidden", RemoteErrorKind.SourceForbidden)]
    [InlineData("b", "timeout", RemoteErrorKind.SourceTimeout)]
    [InlineData("a", "notmedia", RemoteErrorKind.UnsupportedMedia)]
    [InlineData("b", "broken", RemoteErrorKind.Rejected)]
    public async Task An_import_that_fails_says_so_in_either_vocabulary(string vocabulary, string outcome, RemoteErrorKind kind)
    {
        await using var simulator =
            await RunningSimulator.StartAsync($$"""{"importMs":0,"vocabulary":"{{vocabulary}}","outcomes":[{"outcome":"{{outcome}}"}]}""");
        using var client = ClientUnderTest.New();
        Assert.Equal(kind,
            Assert.IsType<StatusResult.Failed>(
                await client.GetUploadStatusAsync(Access(simulator), await SubmitAsync(client, simulator), Token)).Error.Kind);
    }

    [Theory]
    [InlineData("early", true, true)]
    [InlineData("at_end", false, true)]
    [InlineData("late", false, false)]
    [InlineData("missing", false, false)]
    public async Task The_assets_id_counts_only_when_the_import_is_done(string resid, bool whileRunning, bool whenReady)
    {
        await using var simulator = await RunningSimulator.StartAsync($$"""{"importMs":1000,"resid":"{{resid}}"}""");
        using var client = ClientUnderTest.New();
        var ticket = await SubmitAsync(client, simulator);
        Assert.Equal(whileRunning,
            Assert.IsType<StatusResult.Running>(await client.GetUploadStatusAsync(Access(simulator), ticket, Token)).Rid is not null);
        simulator.Clock.Advance(TimeSpan.FromSeconds(1));
        var ready = await client.GetUploadStatusAsync(Access(simulator), ticket, Token);
        Assert.Equal(whenReady ? typeof(StatusResult.Done) : typeof(StatusResult.DoneWithoutRid), ready.GetType());
    }

    [Theory]
    [InlineData("stalled")]
    [InlineData("endless")]
    public async Task An_import_that_never_ends_is_running_with_or_without_progress(string outcome)
    {
        await using var simulator = await RunningSimulator.StartAsync($$"""{"importMs":1000,"outcomes":[{"outcome":"{{outcome}}"}]}""");
        using var client = ClientUnderTest.New();
        var ticket = await SubmitAsync(client, simulator);
        var before = await ProgressAsync();
        simulator.Clock.Advance(TimeSpan.FromHours(10));
        var after = await ProgressAsync();
        Assert.Equal(outcome == "endless", after > before);

        async Task<long?> ProgressAsync() =>
            Assert.IsType<StatusResult.Running>(await client.GetUploadStatusAsync(Access(simulator), ticket, Token)).ProgressBytes;
    }

    [Theory]
    [MemberData(nameof(Styles))]
    public async Task A_ticket_that_is_not_known_yet_or_any_more_is_not_found_in_either_style(string style)
    {
        await using var simulator =
            await RunningSimulator.StartAsync($$"""{"refusals":"{{style}}","statusIdUnknownForMs":100,"statusIdExpiresAfterMs":60000}""");
        using var client = ClientUnderTest.New();
        var ticket = await SubmitAsync(client, simulator);
        Assert.IsType<StatusResult.NotFound>(await client.GetUploadStatusAsync(Access(simulator), ticket, Token));
        simulator.Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.IsType<StatusResult.Done>(await client.GetUploadStatusAsync(Access(simulator), ticket, Token));
        simulator.Clock.Advance(TimeSpan.FromSeconds(60));
        var missing = Assert.IsType<StatusResult.NotFound>(await client.GetUploadStatusAsync(Access(simulator), ticket, Token));
        Assert.Equal(RemoteErrorKind.UnknownStatusId, missing.Error.Kind);
        Assert.IsType<StatusResult.NotFound>(await client.GetUploadStatusAsync(Access(simulator), new StatusId("never given"), Token));
    }

    [Theory]
    [InlineData("json", "failed")]
    [InlineData("success_false", "failed")]
    [InlineData("json", "aborted")]
    [InlineData("success_false", "aborted")]
    public async Task An_aborted_import_is_told_as_aborted_in_any_word(string style, string word)
    {
        await using var simulator =
            await RunningSimulator.StartAsync($$"""{"importMs":60000,"refusals":"{{style}}","aborted":"{{word}}"}""");
        using var client = ClientUnderTest.New();
        var ticket = await SubmitAsync(client, simulator);
        Assert.IsType<AbortResult.Agreed>(await client.AbortUploadAsync(Access(simulator), ticket, Token));
        Assert.IsType<AbortResult.Agreed>(await client.AbortUploadAsync(Access(simulator), ticket, Token));
        Assert.Equal(RemoteErrorKind.Aborted,
            Assert.IsType<StatusResult.Failed>(await client.GetUploadStatusAsync(Access(simulator), ticket, Token)).Error.Kind);
        Assert.IsType<AbortResult.Refused>(await client.AbortUploadAsync(Access(simulator), new StatusId("never given"), Token));
    }

    [Fact]
    public async Task An_aborted_import_whose_ticket_is_gone_is_not_found()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":60000,"aborted":"unknown_status_id"}""");
        using var client = ClientUnderTest.New();
        var ticket = await SubmitAsync(client, simulator);
        await client.AbortUploadAsync(Access(simulator), ticket, Token);
        Assert.IsType<StatusResult.NotFound>(await client.GetUploadStatusAsync(Access(simulator), ticket, Token));
    }

    [Theory]
    [InlineData("token_rejected", "json", 403, RemoteErrorKind.TokenRejected)]
    [InlineData("token_rejected", "json", 401, RemoteErrorKind.TokenRejected)]
    [InlineData("token_rejected", "success_false", 200, RemoteErrorKind.TokenRejected)]
    [InlineData("permission_missing", "json", 403, RemoteErrorKind.PermissionMissing)]
    [InlineData("permission_missing", "success_false", 200, RemoteErrorKind.PermissionMissing)]
    [InlineData("quota_exceeded", "json", 403, RemoteErrorKind.QuotaExceeded)]
    [InlineData("quota_exceeded", "success_false", 200, RemoteErrorKind.QuotaExceeded)]
    [InlineData("rate_limited", "json", 429, RemoteErrorKind.RateLimited)]
    [InlineData("rate_limited", "success_false", 200, RemoteErrorKind.RateLimited)]
    [InlineData("rate_limited", "html", 429, RemoteErrorKind.RateLimited)]
    public async Task A_refusal_is_the_same_in_either_style_and_for_every_call(string fault, string style, int status, RemoteErrorKind kind)
    {
        await using var simulator =
            await RunningSimulator.StartAsync($$"""{"rules":[{"fault":"{{fault}}","style":"{{style}}","httpStatus":{{status}}}]}""");
        using var client = ClientUnderTest.New();
        var access = Access(simulator);
        Assert.Equal(kind, Assert.IsType<PingResult.Failed>(await client.PingAsync(access, Token)).Error.Kind);
        Assert.Equal(kind, Assert.IsType<SubmitResult.Refused>(await client.UploadFromUrlAsync(access, Url, null, Token)).Error.Kind);
        Assert.Equal(kind,
            Assert.IsType<StatusResult.Unavailable>(await client.GetUploadStatusAsync(access, new StatusId("s"), Token)).Error.Kind);
        Assert.Equal(kind,
            Assert.IsType<AbortResult.Unavailable>(await client.AbortUploadAsync(access, new StatusId("s"), Token)).Error.Kind);
        Assert.Equal(kind,
            Assert.IsType<AssetListResult.Failed>(await client.ListAssetsAsync(access, new AssetListQuery(), Token)).Error.Kind);
        Assert.Equal(kind,
            Assert.IsType<GalleryListResult.Failed>(await client.ListGalleriesAsync(access, new GalleryListQuery(), Token)).Error.Kind);
        Assert.Equal(0, (await simulator.SummaryAsync()).GetProperty("submitsAccepted").GetInt32());
    }

    [Theory]
    [InlineData("bad_gateway")]
    [InlineData("empty_reply")]
    [InlineData("invalid_json")]
    [InlineData("reply_lost")]
    [InlineData("reply_cut")]
    public async Task A_reply_that_cannot_be_read_leaves_a_submit_in_doubt_and_says_nothing_of_a_read(string fault)
    {
        await using var simulator = await RunningSimulator.StartAsync($$"""{"rules":[{"fault":"{{fault}}"}]}""");
        using var client = ClientUnderTest.New();
        var access = Access(simulator);
        Assert.IsType<SubmitResult.Unknown>(await client.UploadFromUrlAsync(access, Url, null, Token));
        Assert.IsType<StatusResult.Unavailable>(await client.GetUploadStatusAsync(access, new StatusId("s"), Token));
        Assert.IsType<AbortResult.Unavailable>(await client.AbortUploadAsync(access, new StatusId("s"), Token));
        Assert.IsType<AssetListResult.Failed>(await client.ListAssetsAsync(access, new AssetListQuery(), Token));
        Assert.IsType<GalleryListResult.Failed>(await client.ListGalleriesAsync(access, new GalleryListQuery(), Token));
    }

    [Fact]
    public async Task A_submit_without_a_ticket_is_in_doubt()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"rules":[{"fault":"no_status_id"}]}""");
        using var client = ClientUnderTest.New();
        Assert.IsType<SubmitResult.Unknown>(await client.UploadFromUrlAsync(Access(simulator), Url, null, Token));
    }

    [Theory]
    [InlineData("none", null)]
    [InlineData("seconds", 7)]
    [InlineData("date", 7)]
    public async Task A_429_says_how_long_to_wait_in_either_form_or_not_at_all(string form, int? seconds)
    {
        // A Retry-After date is counted from the simulator's clock, so the client has the same.
        await using var simulator =
            await RunningSimulator.StartAsync($$"""{"rules":[{"fault":"rate_limited","retryAfter":"{{form}}","retryAfterSeconds":7}]}""");
        using var client = ClientUnderTest.New(simulator.Clock);
        var refused = Assert.IsType<SubmitResult.Refused>(await client.UploadFromUrlAsync(Access(simulator), Url, null, Token));
        Assert.Equal(seconds, refused.Error.RetryAfter is { } wait ? (int)Math.Round(wait.TotalSeconds) : null);
    }

    [Theory]
    [MemberData(nameof(Styles))]
    public async Task An_input_or_a_gallery_that_does_not_exist_is_refused_in_either_style(string style)
    {
        await using var simulator = await RunningSimulator.StartAsync($$"""{"refusals":"{{style}}","anyGallery":false}""");
        using var client = ClientUnderTest.New();
        Assert.Equal(RemoteErrorKind.InvalidInput,
            Assert.IsType<SubmitResult.Refused>(
                await client.UploadFromUrlAsync(Access(simulator), "ftp://x/a.mp4", null, Token)).Error.Kind);
        Assert.IsType<SubmitResult.Refused>(await client.UploadFromUrlAsync(Access(simulator), Url, new Fid("Nowhere"), Token));
    }

    [Fact]
    public async Task A_query_that_is_too_long_is_refused_by_the_host_and_not_by_the_API()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        using var client = ClientUnderTest.New();
        var refused = Assert.IsType<SubmitResult.Refused>(
            await client.UploadFromUrlAsync(Access(simulator), "https://cdn.example.test/" + new string('a', 3000), null, Token));
        Assert.Equal(RemoteErrorKind.NotTheApi, refused.Error.Kind);
    }

    [Theory]
    [InlineData("|asset.read|gallery.read|", false)]
    [InlineData("|asset.read|asset.upload|", true)]
    [InlineData("|asset.*|", true)]
    public async Task Ping_names_the_permissions_by_which_a_submit_is_then_judged(string permissions, bool mayUpload)
    {
        await using var simulator = await RunningSimulator.StartAsync();
        using var grant = await simulator.Http.PostAsync("/_sim/tokens",
            new StringContent($$"""{"token":"1i2","permissions":"{{permissions}}"}"""), Token);
        using var client = ClientUnderTest.New();
        var ok = Assert.IsType<PingResult.Ok>(await client.PingAsync(Access(simulator), Token));
        Assert.Equal(mayUpload, ok.Permissions!.CanUpload);
        var submitted = await client.UploadFromUrlAsync(Access(simulator), Url, null, Token);
        Assert.Equal(mayUpload, submitted is SubmitResult.Accepted);
        if (!mayUpload) Assert.Equal(RemoteErrorKind.PermissionMissing, Assert.IsType<SubmitResult.Refused>(submitted).Error.Kind);
    }

    [Theory]
    [InlineData("pages_count", 2)]
    [InlineData("page_count", 2)]
    [InlineData("none", null)]
    public async Task Lists_come_in_pages_whatever_their_number_is_called(string total, int? pages)
    {
        await using var simulator =
            await RunningSimulator.StartAsync($$"""{"importMs":0,"pageTotal":"{{total}}","galleryPageTotal":"{{total}}"}""");
        using var client = ClientUnderTest.New();
        for (var n = 1; n <= 3; n++)
        {
            Assert.IsType<SubmitResult.Accepted>(
                await client.UploadFromUrlAsync(Access(simulator), $"https://cdn.example.test/{n}.mp4", null, Token));
            await simulator.CallAsync($"gallery.create.json?name=Gallery%20{n}");
        }

        var assets = Assert.IsType<AssetListResult.Ok>(
            await client.ListAssetsAsync(Access(simulator), new AssetListQuery { Page = 2, ItemsPerPage = 2 }, Token));
        Assert.Equal((1, pages), (assets.Items.Count, assets.PagesCount));
        var galleries = Assert.IsType<GalleryListResult.Ok>(
            await client.ListGalleriesAsync(Access(simulator), new GalleryListQuery { Page = 2, ItemsPerPage = 2 }, Token));
        Assert.Equal((1, 3, pages), (galleries.Items.Count, galleries.ItemsCount, galleries.PagesCount));
        var found = Assert.IsType<GalleryListResult.Ok>(
            await client.ListGalleriesAsync(Access(simulator), new GalleryListQuery { Search = "caption=Gallery 2" }, Token));
        Assert.Equal("Gallery 2", Assert.Single(found.Items).Name);
        Assert.DoesNotContain("hash", found.ToString() + string.Join(' ', found.Items), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_stale_list_is_passed_by_and_an_asset_found_by_reference_id_and_search()
    {
        await using var simulator = await RunningSimulator.StartAsync("""{"importMs":0,"listLagMs":60000}""");
        using var client = ClientUnderTest.New();
        var ticket = await SubmitAsync(client, simulator);
        var rid = Assert.IsType<StatusResult.Done>(await client.GetUploadStatusAsync(Access(simulator), ticket, Token)).Rid;
        await simulator.CallAsync($"asset.set_meta.json?rid={rid}&reference_id=import-7%2F12&tags=spring");

        Assert.Empty(await FoundAsync(new AssetListQuery()));
        Assert.Equal(rid, Assert.Single(await FoundAsync(new AssetListQuery { BypassCache = true })).Rid);
        Assert.Equal("import-7/12",
            Assert.Single(await FoundAsync(new AssetListQuery { BypassCache = true, ReferenceId = "import-7/12" })).ReferenceId);
        Assert.Empty(await FoundAsync(new AssetListQuery { BypassCache = true, ReferenceId = "import-7" }));
        Assert.Single(await FoundAsync(new AssetListQuery { BypassCache = true, Search = "tag=spring" }));

        async Task<IReadOnlyList<RemoteAsset>> FoundAsync(AssetListQuery query) =>
            Assert.IsType<AssetListResult.Ok>(await client.ListAssetsAsync(Access(simulator), query, Token)).Items;
    }

    [Fact]
    public async Task Every_call_carries_its_arguments_in_the_query_and_no_body()
    {
        await using var server = RawServer.Replying(RawServer.Json(200, """{"success":true,"galleries":[]}"""));
        using var client = ClientUnderTest.New();
        var access = ClientUnderTest.To(server);
        await client.AbortUploadAsync(access, new StatusId("st 1"), Token);
        await client.ListGalleriesAsync(access, new GalleryListQuery { Page = 2, Search = "a b", BypassCache = true }, Token);
        Assert.Equal(
            [
                $"POST /v2/asset.upload_from_url_abort.json?api_token={ClientUnderTest.Token}&status_id=st%201 HTTP/1.1",
                $"GET /v2/gallery.list.json?api_token={ClientUnderTest.Token}&page=2&items_per_page=50&search=a%20b&cache=never HTTP/1.1",
            ],
            server.Requests.Select(r => r[..r.IndexOf("\r\n", StringComparison.Ordinal)]));
        Assert.All(server.Requests, r => Assert.EndsWith("\r\n\r\n", r, StringComparison.Ordinal));
    }

    private static CincopaAccess Access(RunningSimulator simulator) => new(simulator.Http.BaseAddress!, "1i2");

    private static async Task<StatusId> SubmitAsync(CincopaClient client, RunningSimulator simulator) =>
        Assert.IsType<SubmitResult.Accepted>(await client.UploadFromUrlAsync(Access(simulator), Url, null, Token)).StatusId;
}
