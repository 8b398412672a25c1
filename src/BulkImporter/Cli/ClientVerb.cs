using System.CommandLine;
using System.Globalization;
using BulkImporter.Access;
using BulkImporter.Data;

namespace BulkImporter.Cli;

/// <summary>A verb that talks to a server.</summary>
internal abstract class ClientVerb : Verb
{
    public const string DefaultServer = "http://127.0.0.1:5080";

    private readonly Option<string?> server =
        new("--server") { HelpName = "URL", Description = $"Where the server is [BULKIMPORTER_SERVER, else {DefaultServer}]" };
    private readonly Option<string?> apiKey = new("--api-key")
    { HelpName = "KEY", Description = "Who is asking [BULKIMPORTER_API_KEY, which other users of this machine cannot see]" };

    protected ClientVerb(Surroundings surroundings, string name, string description, params string[] examples)
        : base(name, description, examples)
    {
        Surroundings = surroundings;
        SetAction(async (line, cancellationToken) =>
        {
            using var api = Open(line);
            return await RunAsync(line, api, cancellationToken);
        });
    }

    protected Surroundings Surroundings { get; }

    protected Option<bool> Json { get; } = new("--json") { Description = "Print the API's answer as it is" };

    protected abstract Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken);

    /// <summary>What the verb takes, and then how to reach the server.</summary>
    protected void TakesFromServer(params ReadOnlySpan<Symbol> symbols)
    {
        Takes(symbols);
        Takes(server, apiKey);
    }

    protected static Argument<int> ImportId() => new("ID") { Description = "The import's number, as `BulkImporter list` shows it" };

    protected static Option<string> RoleOption(string description)
    {
        var option = new Option<string>("--role") { HelpName = "ROLE", Description = description, Required = true };
        option.AcceptOnlyFromAmong([.. EnumText<Role>.All]);
        return option;
    }

    protected static Option<int> LimitOption() =>
        AtLeast(1, new Option<int>("--limit") { HelpName = "N", Description = "At most so many", DefaultValueFactory = _ => 50 });

    protected static Option<string?> AfterOption() =>
        new("--after") { HelpName = "CURSOR", Description = "Go on where an earlier page ended" };

    internal static Option<T> AtLeast<T>(double least, Option<T> option)
    {
        option.Validators.Add(result =>
        {
            // A text that is no number is the parser's complaint, not this one's.
            foreach (var token in result.Tokens)
            {
                if (PlainNumber.TryDecimal(token.Value, out var value) && value < least)
                    result.AddError(string.Create(CultureInfo.InvariantCulture, $"{option.Name} must be {least} or more."));
            }
        });
        return option;
    }

    private ImporterApi Open(ParseResult line)
    {
        var given = line.GetValue(server);
        var text = PlainText.Trimmed(given ?? Surroundings.Environment("BULKIMPORTER_SERVER") ?? DefaultServer);
        var origin = given is null ? "BULKIMPORTER_SERVER" : "--server";
        // The text is not repeated: somebody may have put a password or a key into it.
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            throw new VerbFailure(ExitCode.Usage, $"{origin} is not an http or https address.", $"For example: {origin} {DefaultServer}");
        if (uri.UserInfo.Length > 0 || uri.Query.Length > 0 || uri.Fragment.Length > 0)
            throw new VerbFailure(ExitCode.Usage, $"{origin} must be a plain address; credentials and keys do not belong in a URL.",
                "Give the key with BULKIMPORTER_API_KEY.");
        return new ImporterApi(Surroundings.HttpHandler(), uri, Key(line));
    }

    private string Key(ParseResult line)
    {
        var given = line.GetValue(apiKey);
        var key = PlainText.Trimmed(given ?? Surroundings.Environment("BULKIMPORTER_API_KEY") ?? "");
        try
        {
            PlainText.RequireSendable(given is null ? "BULKIMPORTER_API_KEY" : "--api-key", key);
            return key;
        }
        catch (InvalidArgumentException refused)
        {
            throw new VerbFailure(ExitCode.Usage, refused.Message, "Copy the key again, as it was shown when it was made.");
        }
    }
}

/// <summary>Builds the query of a call; leaves out what is not set.</summary>
internal static class Query
{
    public static string Of(params ReadOnlySpan<(string Name, string? Value)> parts)
    {
        var query = "";
        foreach (var (name, value) in parts)
        {
            if (value is not null)
                query += $"{(query.Length == 0 ? '?' : '&')}{name}={Uri.EscapeDataString(value)}";
        }

        return query;
    }
}
