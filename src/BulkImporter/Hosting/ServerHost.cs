using System.Net.Sockets;
using BulkImporter.Access;
using BulkImporter.Accounts;
using BulkImporter.Cli;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Console;

namespace BulkImporter.Hosting;

/// <summary>The roles of a server process, put together from the features' own set-ups.</summary>
internal static class ServerHost
{
    public const string ConnectionName = "BulkImporter";

    /// <summary>Dashboard, API and worker in one process.</summary>
    public static Task<int> ServeAsync(ServeOptions options, CancellationToken cancellationToken) =>
        RunAsync(options, web: true, work: true, cancellationToken);

    /// <summary>Dashboard and API.</summary>
    public static Task<int> WebAsync(ServeOptions options, CancellationToken cancellationToken) =>
        RunAsync(options, web: true, work: false, cancellationToken);

    /// <summary>A worker, with no more of the web than the health probes.</summary>
    public static Task<int> WorkAsync(ServeOptions options, CancellationToken cancellationToken) =>
        RunAsync(options, web: false, work: true, cancellationToken);

    /// <summary>Brings the schema up to date.</summary>
    public static Task<int> MigrateAsync(ServeOptions options, CancellationToken cancellationToken) => ToldAsync(async () =>
    {
        var builder = Builder(options);
        await using var database = await ServerDatabase.OpenAsync(builder.Configuration, mayEmbed: true, cancellationToken);
        var applied = await MigrateDatabase.RunAsync(database.ConnectionString, cancellationToken);
        Console.WriteLine(applied.Count == 0
            ? "The database is up to date." : $"Applied {applied.Count} migrations: {string.Join(", ", applied)}.");
        return ExitCode.Done;
    });

    private static Task<int> RunAsync(ServeOptions options, bool web, bool work, CancellationToken cancellationToken) =>
        ToldAsync(async () =>
    {
        var builder = Builder(options);
        // Only a process that does everything may bring its own PostgreSQL; the others share one that outlives them.
        await using var database = await ServerDatabase.OpenAsync(builder.Configuration, mayEmbed: web && work, cancellationToken);
        if (database.IsEmbedded) await MigrateDatabase.RunAsync(database.ConnectionString, cancellationToken);

        builder.Services.AddImporter(database.ConnectionString).ProtectKeyRing(builder.Configuration).AddTelemetry(builder.Configuration);
        if (work) builder.Services.AddWorker();
        if (web) builder.Services.AddWeb();
        await using var app = builder.Build();
        // The host would check them too, but with a stack trace in the log.
        app.Services.GetRequiredService<IStartupValidator>().Validate();
        await RefuseOtherSchemaAsync(app.Services, cancellationToken);
        if (web) app.MapWeb();
        else app.MapWorkerProbes();

        var first = web ? await app.Services.GetRequiredService<FirstKey>().EnsureAsync(app.Configuration, cancellationToken) : null;
        // Before anything else can go wrong: it stands nowhere else.
        if (first?.KeySecret is { } key) Console.WriteLine($"The first admin API key, shown only now, valid for 30 days: {key}");
        if (web) await app.Services.GetRequiredService<FirstAccount>().EnsureAsync(app.Configuration, cancellationToken);
        // Like all that needs the database before the process has said that it runs.
        if (work)
            await app.Services.GetRequiredService<NoteDeed>().RunAsync("BulkImporter", "server_started", null,
                $"{(web ? "serve" : "work")} on {Environment.MachineName}", cancellationToken);
        await StartAsync(app, options, cancellationToken);
        if (web) Greet(app, first);
        await app.WaitForShutdownAsync(cancellationToken);
        return ExitCode.Done;
    });

    /// <summary>What keeps a server from starting is told to its operator in a sentence.</summary>
    private static async Task<int> ToldAsync(Func<Task<int>> run)
    {
        try
        {
            return await run();
        }
        catch (Exception e) when (Sentence(e) is { } sentence)
        {
            await Console.Error.WriteLineAsync(sentence);
            return ExitCode.Failed;
        }
    }

    /// <summary>Null for what nobody expects.</summary>
    private static string? Sentence(Exception e) => e switch
    {
        StartupException or InvalidArgumentException => e.Message,
        NpgsqlException or SocketException or TimeoutException =>
            $"The database cannot be used: {e.Message.TrimEnd('.')}. Is it running, and does ConnectionStrings__BulkImporter name it "
                + "rightly?",
        IOException or UnauthorizedAccessException => $"A file or the output cannot be used: {e.Message}",
        OptionsValidationException invalid => string.Join(' ', invalid.Failures),
        InvalidOperationException { InnerException: FormatException unreadable } => $"{e.Message} {unreadable.Message}",
        _ => null,
    };

    private static WebApplicationBuilder Builder(ServeOptions options)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        if (options.DataDirectory is { } directory) builder.Configuration[ServerDatabase.DataDirectoryKey] = directory;
        builder.WebHost.UseUrls(options.Urls ?? "http://127.0.0.1:0");
        // Static files of packages lie in the package cache until the program is published; this finds them in every environment.
        builder.WebHost.UseStaticWebAssets();
        Secrets.AddFiles(builder.Configuration);
        Secrets.Trim(builder.Configuration);
        PlainSettings.Use();
        builder.Logging.ClearProviders().AddConsoleFormatter<RedactedConsole, ConsoleFormatterOptions>()
            .AddConsole(console => console.FormatterName = RedactedConsole.FormatterName);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Information)
            // A failed start is told in a sentence. A service of ours that fails is told at this level, with what it failed of.
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical)
            .AddFilter("Hangfire", LogLevel.Warning).AddFilter("Npgsql", LogLevel.Warning).AddFilter("System.Net.Http", LogLevel.Warning);
        return builder;
    }

    /// <exception cref="StartupException">The database is too old for this program, or too new.</exception>
    internal static async Task RefuseOtherSchemaAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        var database = services.GetRequiredService<NpgsqlDataSource>();
        var missing = await MigrateDatabase.MissingAsync(database, cancellationToken);
        if (missing.Count > 0)
            throw new StartupException(
                $"The database lacks {missing.Count} migrations ({string.Join(", ", missing)}). Run 'BulkImporter migrate' with the same "
                    + "connection string first.");
        var oldest = await SchemaGeneration.OldestProgramAsync(database, cancellationToken);
        if (oldest > SchemaGeneration.OfThisProgram)
            throw new StartupException(
                $"The database was migrated by a newer BulkImporter, in a way that this one cannot work on (schema generation {oldest}, "
                    + $"this program knows {SchemaGeneration.OfThisProgram}). Start the newer program here too.");
    }

    /// <exception cref="StartupException">It cannot listen where it was told to.</exception>
    private static async Task StartAsync(WebApplication app, ServeOptions options, CancellationToken cancellationToken)
    {
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (Exception e) when (e is SocketException or FormatException or ArgumentOutOfRangeException or IOException
        { InnerException: AddressInUseException })
        {
            // The loops run already, and would complain of what is taken from under them.
            await app.StopAsync(cancellationToken);
            throw new StartupException(
                $"Cannot listen at {options.Urls}: {(e.InnerException ?? e).Message.TrimEnd('.')}. End what listens there, or choose "
                    + "another with --urls.");
        }
    }

    private static void Greet(WebApplication app, FirstStart? first)
    {
        var address = app.Urls.First() + BehindProxy.PathBase(app.Configuration);
        if (first?.KeySecret is { } key) Console.WriteLine($"Use it with: export BULKIMPORTER_SERVER={address} BULKIMPORTER_API_KEY={key}");
        if (first is not null) Console.WriteLine($"Choose a name and a password, once, within an hour: {address}/{first.Setup.Path}");
        Console.WriteLine($"Dashboard: {address}");
    }
}

/// <summary>The server cannot start. The message says what is wrong and what to do, and is shown as it is.</summary>
internal sealed class StartupException(string message, Exception? innerException = null) : Exception(message, innerException);
