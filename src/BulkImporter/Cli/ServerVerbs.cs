using System.CommandLine;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary>What the command line told a server verb.</summary>
/// <param name="Urls">Where to listen, separated by semicolons; null for a role that listens nowhere unless told.</param>
/// <param name="DataDirectory">Where the embedded PostgreSQL and the rest of the server's files live; null = as configured.</param>
public sealed record ServeOptions(string? Urls, string? DataDirectory);

/// <summary>The roles of a server process. Each runs until its token is cancelled and answers with an <see cref="ExitCode"/>.</summary>
public sealed record ServerVerbs(
    Func<ServeOptions, CancellationToken, Task<int>> Serve,
    Func<ServeOptions, CancellationToken, Task<int>> Web,
    Func<ServeOptions, CancellationToken, Task<int>> Work,
    Func<ServeOptions, CancellationToken, Task<int>> Migrate);

/// <summary>
/// <c>serve</c>, <c>web</c>, <c>work</c> and <c>migrate</c>: they differ in what the process does, not in how it is told.
/// </summary>
internal sealed class ServerVerb : Verb
{
    private ServerVerb(string name, string description,
        Func<ServeOptions, CancellationToken, Task<int>> run, Option<string?>? urls, params string[] examples)
        : base(name, description, examples)
    {
        var data = new Option<DirectoryInfo?>("--data")
        {
            HelpName = "DIR",
            Description =
                "Where the embedded PostgreSQL lives, when ConnectionStrings__BulkImporter names no server [BulkImporter__DataDirectory]"
        };
        Takes(urls is null ? [data] : [urls, data]);
        SetAction((line, cancellationToken) =>
            run(new ServeOptions(urls is null ? null : line.GetValue(urls), line.GetValue(data)?.FullName), cancellationToken));
    }

    public static ServerVerb Serve(ServerVerbs verbs, Surroundings surroundings) =>
        new("serve", "Dashboard, API and worker in one process. The default if there are options and no verb.", verbs.Serve,
            Listen(surroundings),
        "BulkImporter serve",
        "BulkImporter serve --urls http://127.0.0.1:8080 --data /var/lib/bulkimporter",
        "CINCOPA_API_TOKEN=... BULKIMPORTER_API_KEY=... BulkImporter serve    first start: the account `default` and the first admin key");

    public static ServerVerb Web(ServerVerbs verbs, Surroundings surroundings) =>
        new("web", "Dashboard and API only. Worker processes (`work`) do the work.", verbs.Web, Listen(surroundings),
        "ConnectionStrings__BulkImporter='Host=db;...' BulkImporter web");

    public static ServerVerb Work(ServerVerbs verbs, Surroundings surroundings) =>
        new("work", "A worker only. Any number of workers, on any number of machines, share one database.", verbs.Work,
        Text("--urls", "URLS", "Where to answer health probes and metrics [nowhere]"),
        "ConnectionStrings__BulkImporter='Host=db;...' BulkImporter work",
        "BulkImporter work --urls http://127.0.0.1:5081");

    public static ServerVerb Migrate(ServerVerbs verbs) =>
        new("migrate", "Bring the database's schema up to date, and exit.", verbs.Migrate, null,
        "ConnectionStrings__BulkImporter='Host=db;...' BulkImporter migrate");

    private static Option<string?> Listen(Surroundings surroundings) => new("--urls")
    {
        HelpName = "URLS",
        Description = $"Where to listen [ASPNETCORE_URLS, else {ClientVerb.DefaultServer}]",
        DefaultValueFactory = _ => PlainText.Trimmed(surroundings.Environment("ASPNETCORE_URLS") ?? ClientVerb.DefaultServer),
    };
}
