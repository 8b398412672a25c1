using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using Cincopa.Client;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace BulkImporter.Hosting;

/// <summary>
/// Writes each event of the log as one line, for people or as JSON, and takes out of it whatever looks like a secret. It is the last stop
/// and not the first: messages are declared and are given no secrets. But an exception's text, or a library's, may bring one along.
/// </summary>
internal sealed partial class RedactedConsole(IOptions<TelemetryOptions> options, TimeProvider clock) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "bulkimporter";

    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        textWriter.WriteLine(options.Value.JsonLog ? Json(logEntry, message) : OneLine(Redacted(Text(logEntry, message))));
    }

    /// <summary>The text without secrets.</summary>
    internal static string Redacted(string text)
    {
        text = Redact.Secrets(text);
        text = ConnectionPassword().Replace(text, "$1" + Redact.Mark);
        text = ApiKey().Replace(text, "bik_" + Redact.Mark);
        text = LinkCode().Replace(text, "$1" + Redact.Mark);
        return Authorization().Replace(text, "$1" + Redact.Mark);
    }

    private string Text<TState>(in LogEntry<TState> entry, string message)
    {
        var line =
            new StringBuilder(
                $"{clock.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {Level(entry.LogLevel)}: {entry.Category}[{entry.EventId.Id}] {message}");
        return entry.Exception is null ? line.ToString() : line.Append(' ').Append(entry.Exception).ToString();
    }

    private string Json<TState>(in LogEntry<TState> entry, string message)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, Readable))
        {
            json.WriteStartObject();
            json.WriteString("time", clock.GetUtcNow());
            json.WriteString("level", Level(entry.LogLevel));
            json.WriteString("event", entry.EventId.Name);
            json.WriteString("category", entry.Category);
            json.WriteString("message", Redacted(message));
            if (entry.State is IReadOnlyList<KeyValuePair<string, object?>> fields)
            {
                foreach (var (name, value) in fields)
                {
                    if (name == "{OriginalFormat}") continue;
                    if (value is int or long) json.WriteNumber(name, Convert.ToInt64(value, null));
                    else json.WriteString(name, Redacted(value?.ToString() ?? ""));
                }
            }
            if (entry.Exception is { } error) json.WriteString("exception", Redacted(error.ToString()));
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    private static string OneLine(string text) => LineBreaks().Replace(text, " ");

    private static string Level(LogLevel level) => level switch
    {
        LogLevel.Trace => "trce",
        LogLevel.Debug => "dbug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "fail",
        _ => "crit",
    };

    [GeneratedRegex(@"((?:password|pwd)\s*=\s*)(?:""[^""]*""|'[^']*'|[^;\s]+)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ConnectionPassword();

    [GeneratedRegex("bik_[A-Za-z0-9_-]{8,}")]
    private static partial Regex ApiKey();

    [GeneratedRegex(@"((?:/sign-in/once|/choose-password)\?code=)[^&\s""']+", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex LinkCode();

    [GeneratedRegex(@"(\b(?:Bearer|Basic) )[A-Za-z0-9+/=._~-]{8,}", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Authorization();

    [GeneratedRegex(@"[\r\n]+\s*")]
    private static partial Regex LineBreaks();
}
