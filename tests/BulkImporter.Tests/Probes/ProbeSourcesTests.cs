using BulkImporter.Accounts;
using BulkImporter.Imports;
using BulkImporter.Probes;
using BulkImporter.Records;
using BulkImporter.Sources;
using BulkImporter.Tests.Client;
using BulkImporter.Tests.Dispatch;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Probes;

public sealed class ProbeSourcesTests(ImporterDatabase database) : IClassFixture<ImporterDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_source_answers_becomes_a_warning_and_touches_no_record()
    {
        await using var server = Library();
        var origin = server.BaseUrl.GetLeftPart(UriPartial.Authority);
        var id = await ImportAsync($"{origin}/a.mp4", $"{origin}/missing.mp4", $"{origin}/denied.mp4", $"{origin}/page.mp4",
            $"{origin}/empty.mp4", $"{origin}/text.mp4", $"{origin}/broken.mp4", $"{origin}/inside.mp4", "http://nowhere.test/a.mp4",
            $"{origin}/disguised.mp4", $"{origin}/mislabelled.mp4");

        await StartAsync(id, null);
        await ProbeAsync(id);

        Assert.Equal(
            "2 source_missing, 3 source_denied, 4 source_is_a_page, 5 source_empty, 6 source_is_no_media, 7 source_failed, 8 "
                + "source_inside, 9 source_not_reached, 10 source_is_a_page",
            await database.OneAsync<string>(
                "SELECT string_agg(row_number || ' ' || code, ', ' ORDER BY row_number) FROM importer.finding WHERE import_id = $1 AND "
                    + "severity = 'warning'", id));
        Assert.Equal("pending 11", await database.CountsAsync(id));
        var probe = await new ReadProbe(database.Contexts).FindAsync(id, Token);
        Assert.Equal(("finished", 11, 11, 9), (probe!.State, probe.Total, probe.Probed, probe.Problems));
        Assert.All(server.Requests, request => Assert.Contains("Range: bytes=0-511", request, StringComparison.Ordinal));
    }

    [Fact]
    public async Task New_probe_takes_the_place_of_the_last()
    {
        await using var server = Library();
        var id = await ImportAsync(new Uri(server.BaseUrl, "/missing.mp4").AbsoluteUri);
        await database.AddAsync(ImporterDatabase.Finding(id, 1, "stray_quote"));
        for (var time = 0; time < 2; time++)
        {
            await StartAsync(id, null);
            await ProbeAsync(id);
        }

        Assert.Equal("source_missing 1, stray_quote 1", await database.OneAsync<string>(
            "SELECT string_agg(code || ' ' || count, ', ' ORDER BY code) FROM (SELECT code, count(*) FROM importer.finding WHERE "
                + "import_id = $1 GROUP BY code) f", id));
    }

    [Fact]
    public async Task Sample_is_as_large_as_asked_for_at_most_and_spread_over_the_manifest()
    {
        await using var server = Library();
        var id = await ImportAsync([.. Enumerable.Range(1, 200).Select(n => new Uri(server.BaseUrl, $"/{n}.mp4").AbsoluteUri)]);

        await StartAsync(id, 20);
        await ProbeAsync(id);

        var probe = await new ReadProbe(database.Contexts).FindAsync(id, Token);
        Assert.InRange(probe!.Total, 5, 20);
        Assert.Equal((probe.Total, probe.Total), (probe.Probed, server.Requests.Count));
        var rows = server.Requests.Select(r => int.Parse(r.Split('/')[1].Split('.')[0], System.Globalization.CultureInfo.InvariantCulture))
            .ToList();
        Assert.True(rows.Max() - rows.Min() > 50, string.Join(' ', rows));
    }

    [Fact]
    public async Task Host_of_which_every_file_has_a_problem_is_dark_and_one_that_gives_any_is_not()
    {
        await using var dark = Library();
        await using var mixed = Library();
        var (host, other) = (dark.BaseUrl.Authority, mixed.BaseUrl.GetLeftPart(UriPartial.Authority));
        string[] urls =
        [
            .. Enumerable.Repeat($"http://{host}/denied.mp4", 30), $"{other}/missing.mp4", $"{other}/denied.mp4", $"{other}/a.mp4",
            "http://nowhere.test/1.mp4", "http://nowhere.test/2.mp4",
        ];
        var id = await ImportAsync(urls);
        // Thirty are more than one batch, and a probe that is begun anew counts anew.
        for (var time = 0; time < 2; time++)
        {
            await StartAsync(id, null);
            await ProbeAsync(id);
            Assert.Equal([new DarkHost(host, 30)], (await new ReadProbe(database.Contexts).FindAsync(id, Token))!.DarkHosts);
        }
        await database.SqlAsync("DELETE FROM importer.probe WHERE import_id = $1", id);
        Assert.Equal(0, await database.OneAsync<long>("SELECT count(*) FROM importer.probe_host WHERE import_id = $1", id));
    }

    [Fact]
    public async Task Probe_whose_worker_died_goes_on_behind_the_last_batch()
    {
        using var died = new CancellationTokenSource();
        var asked = 0;
        await using var server = new RawServer(async connection =>
        {
            while (await connection.ReadRequestAsync() is not null)
            {
                if (Interlocked.Increment(ref asked) == 26) await died.CancelAsync();
                await connection.WriteAsync(RawServer.Reply(206, "video/mp4", "a", "Content-Range: bytes 0-0/9\r\n"));
            }
        });
        var id = await ImportAsync([.. Enumerable.Range(1, 30).Select(n => new Uri(server.BaseUrl, $"/{n}.mp4").AbsoluteUri)]);
        await StartAsync(id, null);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ProbeAsync(id, stop: died.Token));
        Assert.Equal(24, (await new ReadProbe(database.Contexts).FindAsync(id, Token))!.Probed);
        await ProbeAsync(id);

        Assert.Equal(("finished", 30),
            ((await new ReadProbe(database.Contexts).FindAsync(id, Token)) is { } p ? (p.State, p.Probed) : default));
        // What the sources say of their sizes is kept, for what arrives.
        Assert.Equal((30L, 9L), (await database.OneAsync<long>("SELECT count(*) FROM importer.record_meta WHERE import_id = $1", id),
            await database.OneAsync<long>("SELECT max(source_bytes) FROM importer.record_meta WHERE import_id = $1", id)));
        var times = server.Requests.GroupBy(r => r.Split(' ')[1]).ToDictionary(g => g.Key, g => g.Count());
        Assert.All(Enumerable.Range(1, 24), n => Assert.Equal(1, times[$"/{n}.mp4"]));
    }

    [Fact]
    public async Task Probe_ends_when_the_import_is_started_and_only_one_in_review_is_probed()
    {
        await using var server = Library();
        var id = await ImportAsync(new Uri(server.BaseUrl, "/missing.mp4").AbsoluteUri);
        await StartAsync(id, null);
        await database.SqlAsync("UPDATE importer.import SET state = 'running' WHERE id = $1", id);

        await ProbeAsync(id);

        Assert.Equal("stopped", (await new ReadProbe(database.Contexts).FindAsync(id, Token))!.State);
        Assert.Empty(server.Requests);
        Assert.IsType<ImportChange.Refused>(await new StartProbe(database.Source).RunAsync(id, null, "otto", Token));
        Assert.IsType<ImportChange.NotFound>(await new StartProbe(database.Source).RunAsync(999_999, null, "otto", Token));
    }

    [Fact]
    public async Task Job_that_was_followed_by_another_asks_nothing()
    {
        await using var server = Library();
        var id = await ImportAsync(new Uri(server.BaseUrl, "/a.mp4").AbsoluteUri);
        await StartAsync(id, null);
        var run = await database.OneAsync<int>("SELECT run FROM importer.probe WHERE import_id = $1", id);
        await database.SqlAsync("UPDATE importer.probe SET run = run + 1 WHERE import_id = $1", id);

        await ProbeAsync(id, run);

        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Ordered_probe_is_enqueued_and_again_only_when_it_gave_no_sign_of_life()
    {
        var id = await ImportAsync("http://nowhere.test/a.mp4");
        await StartAsync(id, null);
        var jobs = new NotedJobs();
        var queue = new QueueProbes(database.Source, jobs);

        await queue.RunAsync(Token);
        await queue.RunAsync(Token);
        await database.SqlAsync("UPDATE importer.probe SET queued_at = now() - interval '1 hour' WHERE import_id = $1", id);
        await queue.RunAsync(Token);

        Assert.Equal([1, 2], jobs.Chunks.Where(job => job.ImportId == id).Select(job => job.Number));
    }

    [Fact]
    public async Task Sources_of_a_host_get_the_header_that_the_account_keeps_for_it()
    {
        await using var server = Library();
        var id = await ImportAsync($"{server.BaseUrl}good.mp4");
        await HeaderAsync(id, server);
        await StartAsync(id, null);
        await ProbeAsync(id);
        Assert.Contains("x-key: s3cret\r\n", Assert.Single(server.Requests), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Probe_that_cannot_decrypt_the_headers_stops_and_finds_nothing()
    {
        await using var server = Library();
        var id = await ImportAsync($"{server.BaseUrl}good.mp4");
        await HeaderAsync(id, server);
        await StartAsync(id, null);

        await ProbeAsync(id, keys: new EphemeralDataProtectionProvider());

        Assert.Equal("stopped", await database.OneAsync<string>("SELECT state FROM importer.probe WHERE import_id = $1", id));
        Assert.Equal(0, await database.OneAsync<long>("SELECT count(*) FROM importer.finding WHERE import_id = $1", id));
    }

    [Fact]
    public async Task A_probe_that_fails_unexpectedly_stops_after_some_tries_and_says_why()
    {
        await using var server = Library();
        var id = await ImportAsync(new Uri(server.BaseUrl, "/missing.mp4").AbsoluteUri);
        await StartAsync(id, null);
        await database.SqlAsync("ALTER TABLE importer.finding ADD CONSTRAINT refuses_one CHECK (code <> 'source_missing') NOT VALID");
        try
        {
            for (var tries = 1; tries <= 5; tries++)
            {
                Assert.Equal("running", await StateAsync(id));
                await Assert.ThrowsAsync<Npgsql.PostgresException>(() => ProbeAsync(id));
            }
        }
        finally
        {
            await database.SqlAsync("ALTER TABLE importer.finding DROP CONSTRAINT refuses_one");
        }
        Assert.Equal("stopped", await StateAsync(id));
        Assert.StartsWith("The probe of the sources stopped: PostgresException 23514: ",
            await database.OneAsync<string>("SELECT reason FROM importer.import WHERE id = $1", id), StringComparison.Ordinal);

        await StartAsync(id, null);
        Assert.Equal(1L, await database.OneAsync<long>("SELECT count(*) FROM importer.import WHERE id = $1 AND reason IS NULL", id));
        await ProbeAsync(id);
        Assert.Equal("finished", await StateAsync(id));
    }

    private Task<string> StateAsync(int id) => database.OneAsync<string>("SELECT state FROM importer.probe WHERE import_id = $1", id);

    private async Task HeaderAsync(int id, RawServer server)
    {
        var account = await database.OneAsync<string>(
            "SELECT a.name FROM importer.account a JOIN importer.import i ON i.account_id = a.id WHERE i.id = $1", id);
        await new SourceHeaders(database.Contexts, PushUnderTest.Protection, TimeProvider.System)
            .SetAsync(account, server.BaseUrl.GetLeftPart(UriPartial.Authority), "X-Key", "s3cret", "ann", Token);
    }

    private async Task<int> ImportAsync(params string[] urls)
    {
        var id = await database.ImportAsync(ImportState.Review, [.. urls.Select(_ => RecordState.Pending)]);
        await database.SqlAsync(
            "UPDATE importer.import_record r SET source_url = u.url FROM unnest($2::text[]) WITH ORDINALITY AS u(url, n) WHERE "
                + "r.import_id = $1 AND r.row_number = u.n", id, urls);
        return id;
    }

    private async Task StartAsync(int id, int? sample) =>
        Assert.IsType<ImportChange.Done>(await new StartProbe(database.Source).RunAsync(id, sample, "otto", Token));

    private async Task ProbeAsync(int id, int? run = null, CancellationToken? stop = null, IDataProtectionProvider? keys = null)
    {
        var networks = new SourceNetworks(Options.Create(new SourceOptions { AllowedNetworks = ["127.0.0.1/32"] }));
        using var reach = new ReachSource(networks, (_, _) =>
            throw new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.HostNotFound), TimeProvider.System);
        await new ProbeSources(database.Source, reach,
            new SourceHeaders(database.Contexts, keys ?? PushUnderTest.Protection, TimeProvider.System), TimeProvider.System,
            NullLogger<ProbeSources>.Instance)
        { RatePerSecond = 1000, Concurrency = 4 }
            .RunAsync(id, run ?? await database.OneAsync<int>("SELECT run FROM importer.probe WHERE import_id = $1", id), "test", stop
                ?? Token);
    }

    private static RawServer Library() => new(async connection =>
    {
        while (await connection.ReadRequestAsync() is { } request)
        {
            await connection.WriteAsync(request.Split(' ')[1] switch
            {
                "/missing.mp4" => RawServer.Html(404, "gone"),
                "/denied.mp4" => RawServer.Html(403, "no"),
                "/page.mp4" => RawServer.Html(200, "<html>"),
                "/empty.mp4" => RawServer.Reply(416, "text/plain", "", "Content-Range: bytes */0\r\n"),
                // A page that is called a film, and a film that is called a page: the first bytes tell.
                "/disguised.mp4" => RawServer.Reply(200, "video/mp4", "<!DOCTYPE html><title>Sign in</title>"),
                "/mislabelled.mp4" => RawServer.Html(200, "....ftypisom...."),
                "/text.mp4" => RawServer.Json(200, "{}"),
                "/broken.mp4" => RawServer.Html(500, "oops"),
                "/inside.mp4" => RawServer.Reply(302, "text/plain", "", "Location: http://10.0.0.1/\r\n"),
                _ => RawServer.Reply(206, "video/mp4", "a", "Content-Range: bytes 0-0/9\r\n"),
            });
        }
    });
}
