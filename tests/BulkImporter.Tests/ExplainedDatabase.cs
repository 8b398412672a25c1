using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using BulkImporter.Data;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace BulkImporter.Tests;

/// <summary>
/// A test's database through connections that tell the plan of every statement that they run, triggers' statements too. The plans are the
/// server's own, told by auto_explain, for which the test's user must be a superuser.
/// </summary>
internal sealed partial class ExplainedDatabase : IAsyncDisposable
{
    private readonly Notices notices = new();
    private readonly ILoggerFactory loggers;

    /// <param name="connectionString">Of the test's database.</param>
    /// <param name="planMode">A value of <c>plan_cache_mode</c>.</param>
    public ExplainedDatabase(string connectionString, string planMode)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        { NoResetOnClose = true, MaxAutoPrepare = 50, AutoPrepareMinUsages = 2, ApplicationName = "explained" };
        var builder = StoredAsRowAttribute.MapAll(new NpgsqlDataSourceBuilder(settings.ConnectionString));
        // Npgsql logs the server's notices, whichever connection they come on.
        loggers = LoggerFactory.Create(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(notices));
        builder.UseLoggerFactory(loggers);
        builder.UsePhysicalConnectionInitializer(_ => throw new NotSupportedException(), async connection =>
        {
            await connection.ExecuteAsync("LOAD 'auto_explain'", CancellationToken.None);
            foreach (var (name, value) in new[]
            {
                ("auto_explain.log_min_duration", "0"), ("auto_explain.log_nested_statements", "on"), ("auto_explain.log_level", "notice"),
                    ("plan_cache_mode", planMode),
                ("auto_explain.log_analyze", "on"), ("auto_explain.log_timing", "off"),
            })
            {
                await connection.ExecuteAsync($"SET {name} = '{value}'", CancellationToken.None);
            }
        });
        Source = builder.Build();
    }

    public NpgsqlDataSource Source { get; }

    /// <summary>Those of all statements so far that were not taken.</summary>
    public IReadOnlyCollection<string> Plans => notices.Texts;

    public static bool ReadsAWholeTable(string plan) => SeqScan().IsMatch(plan);

    public List<string> TakePlans()
    {
        List<string> taken = [.. notices.Texts];
        notices.Texts.Clear();
        return taken;
    }

    public List<string> AssertByKey(string what)
    {
        var taken = TakePlans();
        Assert.True(taken.Exists(p => p.Contains("pk_import_record", StringComparison.Ordinal)),
            $"The {what} did not use the key:\n{string.Join('\n', taken)}");
        Assert.True(!taken.Exists(ReadsAWholeTable), $"The {what} read a whole table:\n{string.Join('\n', taken)}");
        return taken;
    }

    public void AssertReads(int most, string what) => AssertReads(most, what, _ => true);

    /// <param name="most">Rows that a step of a plan may give up, or look at and throw away.</param>
    /// <param name="what">The statements.</param>
    /// <param name="isMeant">Which of the plans are judged.</param>
    public void AssertReads(int most, string what, Func<string, bool> isMeant)
    {
        var taken = TakePlans().FindAll(p => isMeant(p));
        Assert.True(taken.Exists(p => p.Contains("import_record", StringComparison.Ordinal)), $"Nothing was seen of the {what}.");
        foreach (var plan in taken)
        {
            var read = RowsRead().Matches(plan).Select(m => m.Groups["rows"].Success
                ? long.Parse(m.Groups["rows"].Value, CultureInfo.InvariantCulture)
                    * long.Parse(m.Groups["loops"].Value, CultureInfo.InvariantCulture)
                : long.Parse(m.Groups["removed"].Value, CultureInfo.InvariantCulture));
            Assert.True(read.Max() <= most, $"The {what} read {read.Max()} rows in a step:\n{plan}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        loggers.Dispose();
    }

    // What a node of the plan gave up and what it threw away, each time it ran.
    [GeneratedRegex(
        @"actual rows=(?<rows>\d+)(\.\d+)? loops=(?<loops>\d+)|Rows Removed by (Filter|Index Recheck|Join Filter): (?<removed>\d+)")]
    private static partial Regex RowsRead();

    [GeneratedRegex("Seq Scan on (import_record|attempt|status_poll)")]
    private static partial Regex SeqScan();

    /// <summary>Keeps the plans among what Npgsql logs.</summary>
    private sealed class Notices : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Texts { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var text = formatter(state, exception);
            if (text.Contains("Query Text:", StringComparison.Ordinal)) Texts.Enqueue(text);
        }

        public void Dispose()
        {
        }
    }
}
