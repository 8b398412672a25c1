using System.Collections.Concurrent;
using System.Net;
using System.Reflection;
using BulkImporter.Data;
using BulkImporter.Hosting;
using BulkImporter.Telemetry;
using BulkImporter.Tests.Accounts;
using BulkImporter.Tests.Dispatch;
using BulkImporter.Tests.Notify;
using BulkImporter.Tests.Parse;
using BulkImporter.Tests.Probes;
using BulkImporter.Tests.Reconcile;
using BulkImporter.Tests.Retention;
using BulkImporter.Tests.Status;
using BulkImporter.Tests.Undo;
using Hangfire;
using Hangfire.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace BulkImporter.Tests.Hosting;

/// <summary>
/// Every periodic loop, every Hangfire job and every hosted service of ours, with what each does with an exception. A new one has no line
/// here, and the test fails until somebody has thought about it.
/// </summary>
public sealed class LoopsTests(ImporterDatabase database) : IClassFixture<ImporterDatabase>
{
    /// <summary>
    /// What a loop does with one item that throws, and the test that shows it. What leaves a round is the same for all: see the test below.
    /// </summary>
    private static readonly Dictionary<string, (string WithAnItem, string ShownBy)> Loops = new()
    {
        ["parse feeder"] = ("the others are enqueued; the one is enqueued again after a minute", nameof(ChunkFeederTests)),
        ["probe feeder"] = ("the others are enqueued; the one is enqueued again after three minutes", nameof(ChunkFeederTests)),
        ["chunk feeder"] = ("the others are enqueued; the one is enqueued again after a minute",
            nameof(ChunkFeederTests.A_lost_enqueue_is_sent_again_when_it_has_been_unleased_too_long_and_not_before)),
        ["lease rescue"] = ("the others are rescued; the one is tried again in the next round",
            nameof(An_item_that_throws_takes_its_turn_from_nobody)),
        ["status poller"] = ("the others are written; the one is asked about again, and in doubt with its reason after the grace time",
            nameof(StatusPollerTests.A_status_that_cannot_be_read_leaves_the_others_concluded_and_its_record_in_doubt_after_the_grace)),
        ["finisher"] =
            ("the others are written; the one shows its reason, is tried again with a growing wait, and has failed after its tries",
                nameof(AccountRoundTests.One_that_throws_has_a_reason_and_an_end_and_the_others_are_done_in_the_same_round)),
        ["abort sender"] =
            ("the others are written; the one is ordered again each half minute, and after ten minutes its attempt says why it was not",
                nameof(AbortRemoteTests.An_order_that_nobody_can_give_is_given_up_with_its_reason_and_the_others_are_given)),
        ["asset deleter"] =
            ("the others are deleted; the one is asked about before it is tried again with a growing wait, and stays after its tries",
                nameof(UndoImportTests.One_that_throws_is_asked_about_before_it_is_tried_again_and_the_others_are_deleted)),
        ["import follower"] = ("each step is taken for itself; the one that fails is taken again in the next round",
            nameof(An_item_that_throws_takes_its_turn_from_nobody)),
        ["unknown reconciler"] = ("the other accounts are looked through; the one shows its problem and waits, twice as long each time",
            nameof(ReconcileUnknownTests.What_nobody_foresaw_is_the_accounts_problem_and_is_looked_at_again_later)),
        ["unknown resubmitter"] = ("the other imports are resubmitted; the one is tried again in the next round",
            nameof(An_item_that_throws_takes_its_turn_from_nobody)),
        ["notification sender"] = ("the others are sent; the one shows its problem and is tried again until its tries are used up",
            nameof(NotificationTests.A_notification_that_cannot_be_made_is_given_up_and_stands_before_no_other)),
        ["counter comparison"] = ("it has no items: the next round compares again",
            nameof(What_leaves_a_round_is_logged_counted_tried_again_and_no_trouble_of_Hangfire)),
        ["key rebuild"] = ("the other blocks of keys are made anew; the one is tried again",
            nameof(RebuildKeysTests.Keys_of_an_older_generation_are_made_anew_in_the_background)),
        ["manifest sweep"] = ("the others are removed; the one is tried again", nameof(An_item_that_throws_takes_its_turn_from_nobody)),
        ["deletion"] = ("the other imports are removed; the one is tried again",
            nameof(SweepEndedTests.An_import_that_cannot_be_removed_keeps_none_of_the_others)),
        ["retention"] = ("the other kinds of rows are removed; the one is tried again",
            nameof(An_item_that_throws_takes_its_turn_from_nobody)),
    };

    private static readonly Dictionary<string, (string WithAnException, string ShownBy)> Jobs = new()
    {
        ["ParseManifest"] = ("logged, the import's reason at once, tried again with a growing wait, rejected after five tries",
            nameof(ParseManifestTests.A_reading_that_fails_unexpectedly_says_why_at_once_and_is_rejected_after_some_tries)),
        ["ProbeSources"] = ("of a source: a finding; otherwise logged, tried again, stopped after five tries with the import's reason",
            nameof(ProbeSourcesTests.A_probe_that_fails_unexpectedly_stops_after_some_tries_and_says_why)),
        ["DispatchChunk"] =
            ("logged, its chunk is rescued and fed again; after five within ten minutes the import is paused with the reason",
                nameof(DispatchChunkTests.A_job_that_fails_again_and_again_pauses_its_import_with_the_reason)),
    };

    private static readonly Dictionary<string, string> Services = new()
    {
        ["GaugeImports"] = "logged; there are no numbers until the next reading",
        ["GiveMemoryBack"] = "a clock and the collector, which throw nothing",
    };

    private readonly IConfiguration configuration = new ConfigurationBuilder().Build();
    private readonly SteppedClock clock = new();
    private readonly ConcurrentQueue<(string Category, string Text)> log = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_loop_job_and_service_has_a_line_that_says_what_it_does_with_an_exception()
    {
        await using var services = Build(database.ConnectionString);
        Assert.Equal(Loops.Keys.Order(), services.GetServices<IBackgroundProcess>()
            .Select(p => Assert.IsType<PeriodicProcess>(p).Name).Order());
        var jobs = typeof(ImporterDb).Assembly.GetTypes()
            .Where(t => t.GetMethods().Any(m => m.GetCustomAttribute<QueueAttribute>() is not null
                || m.GetCustomAttribute<JobDisplayNameAttribute>() is not null));
        Assert.Equal(Jobs.Keys.Order(), jobs.Select(t => t.Name).Order());
        Assert.Equal(Services.Keys.Order(), services.GetServices<IHostedService>()
            .Where(s => s.GetType().Assembly == typeof(ImporterDb).Assembly).Select(s => s.GetType().Name).Order());
        Assert.All(Loops.Values.Concat(Jobs.Values), line =>
            Assert.Contains(typeof(LoopsTests).Assembly.GetTypes(), t => t.Name == line.ShownBy || t.GetMethod(line.ShownBy) is not null));
    }

    [Fact]
    public async Task What_leaves_a_round_is_logged_counted_tried_again_and_no_trouble_of_Hangfire()
    {
        await using var services = Build("Host=127.0.0.1;Port=9;Database=nowhere;Username=nobody;Timeout=2");
        var health = services.GetRequiredService<LoopHealth>();
        foreach (var process in services.GetServices<IBackgroundProcess>()) process.Execute(Context());
        var said = log.Where(l => l.Category == typeof(LoopHealth).FullName).Select(l => l.Text).ToList();
        Assert.All(Loops.Keys, name => Assert.Contains($"The {name} failed and will try again; failures in a row: 1", said));

        // A minute later they still fail, and readiness tells it; what works again is not named any more.
        services.GetServices<IBackgroundProcess>().OfType<PeriodicProcess>().First(p => p.Name == "finisher").Execute(Context());
        Assert.Empty(health.Failing);
        clock.Advance(LoopHealth.Patience);
        Assert.Equal(Loops.Keys.Order(), health.Failing.Select(f => f.Name).Order());
        Assert.Equal(2, health.Failing.Single(f => f.Name == "finisher").Rounds);
        health.RoundWorked("finisher");
        Assert.DoesNotContain(health.Failing, f => f.Name == "finisher");
    }

    [Fact]
    public async Task Readiness_names_a_loop_that_has_failed_for_a_minute_and_says_no()
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        var health = new LoopHealth(clock, NullLogger<LoopHealth>.Instance);
        builder.Services.AddImporter(database.ConnectionString).AddTelemetry(builder.Configuration).AddSingleton(health);
        await using var app = builder.Build();
        app.MapWorkerProbes();
        await app.StartAsync(Token);
        using var client = app.GetTestClient();
        health.RoundFailed("finisher", new InvalidOperationException("No."));
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health/ready", Token)).StatusCode);
        clock.Advance(LoopHealth.Patience);
        health.RoundFailed("finisher", new InvalidOperationException("No."));
        using var answer = await client.GetAsync("/health/ready", Token);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal("failing again and again, see the log: finisher (2 rounds)", await answer.Content.ReadAsStringAsync(Token));
        health.RoundWorked("finisher");
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health/ready", Token)).StatusCode);
    }

    [Fact]
    public async Task An_item_that_throws_takes_its_turn_from_nobody()
    {
        var done = new List<int>();
        var failed = await Assert.ThrowsAsync<ItemsFailedException>(() => EachItem.RunAsync([1, 2, 3, 4], n => $"import {n}", n =>
        {
            if (n is 2) throw new FormatException("Odd.");
            done.Add(n);
            return Task.CompletedTask;
        }, Token));
        Assert.Equal([1, 3, 4], done);
        Assert.Equal(("import 2", false), (Assert.Single(failed.Items).What, failed.NoneWorked));
    }

    [Fact]
    public async Task A_cause_is_told_once_a_minute_with_how_often_it_came()
    {
        await using var services = Build(database.ConnectionString);
        var health = services.GetRequiredService<LoopHealth>();
        FailedItem[] items = [new("import 1", new FormatException("Row 1.")), new("import 2", new FormatException("Row 2.")),
            new("import 3", new IOException("Away."))];
        health.ItemsFailed("finisher", items);
        health.ItemsFailed("finisher", items);
        Assert.Equal(2, log.Count);
        clock.Advance(LoopHealth.Patience);
        health.ItemsFailed("finisher", items);
        Assert.Equal(
            [
                "The finisher met an unexpected error 2 times, first with import 1; the others are done",
                "The finisher met an unexpected error 1 times, first with import 3; the others are done",
                "The finisher met an unexpected error 4 times, first with import 1; the others are done",
                "The finisher met an unexpected error 2 times, first with import 3; the others are done",
            ], log.Select(l => l.Text));
    }

    private static BackgroundProcessContext Context() =>
        new("server", new NoStorage(), new Dictionary<string, object>(), Guid.NewGuid(), Token, Token, Token);

    /// <summary>A worker that is not started: its loops are run by the test.</summary>
    private ServiceProvider Build(string connectionString) => new ServiceCollection()
        .AddMetrics()
        .AddSingleton(configuration)
        .AddLogging(logging => logging.AddProvider(new NotedLog(log)))
        .AddSingleton<IHostEnvironment>(new HostingEnvironment
        { ApplicationName = "BulkImporter", EnvironmentName = "Test", ContentRootPath = AppContext.BaseDirectory })
        .AddImporter(connectionString)
        .AddTelemetry(configuration)
        .AddWorker()
        .AddSingleton<TimeProvider>(clock)
        .AddSingleton<Func<double>>(() => 0)
        .BuildServiceProvider();

    private sealed class NoStorage : JobStorage
    {
        public override Hangfire.Storage.IMonitoringApi GetMonitoringApi() => throw new NotSupportedException();

        public override Hangfire.Storage.IStorageConnection GetConnection() => throw new NotSupportedException();
    }

    private sealed class NotedLog(ConcurrentQueue<(string, string)> lines) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => new Noting(categoryName, lines);

        public void Dispose()
        {
        }

        private sealed class Noting(string category, ConcurrentQueue<(string, string)> lines) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(
                LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            {
                if (category == typeof(LoopHealth).FullName) lines.Enqueue((category, formatter(state, exception)));
            }
        }
    }
}
