using System.Text.Json;
using BulkImporter.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace BulkImporter.Tests.Hosting;

public sealed class RedactedConsoleTests
{
    [Theory]
    [InlineData("GET https://api.example/v2/ping.json?api_token=77xyzsecret&page=1",
        "GET https://api.example/v2/ping.json?api_token=***&page=1")]
    [InlineData("Host=db;Username=importer;Password=hunter2;Database=x", "Host=db;Username=importer;Password=***")]
    [InlineData("the key bik_Abcdefghijklmnop was used", "the key bik_*** was used")]
    [InlineData("GET /sign-in/once?code=abcDEF123 answered 302", "GET /sign-in/once?code=*** answered 302")]
    [InlineData("GET /choose-password?code=abcDEF123", "GET /choose-password?code=***")]
    [InlineData("Authorization: Bearer abcdefghijkl", "Authorization: Bearer ***")]
    [InlineData("https://user:pass@media.example/a.mp4", "https://***@media.example/a.mp4")]
    [InlineData("https://bucket.example/a.mp4?X-Amz-Signature=deadbeef&x=1", "https://bucket.example/a.mp4?X-Amz-Signature=***&x=1")]
    public void A_secret_is_taken_out(string text, string expected) =>
        Assert.StartsWith(expected, RedactedConsole.Redacted(text), StringComparison.Ordinal);

    [Theory]
    [InlineData("Import 7 chunk 3: 500 calls answered in 12.5 s")]
    [InlineData("Import 7 record 12 attempt 2: accepted as 889123 after the record had moved on")]
    [InlineData("5 wrong passwords in a row locked ann out")]
    [InlineData("https://media.example/library/clip-0001.mp4?width=640&id=7")]
    [InlineData("The bearer of this key is otto")]
    public void What_is_none_stays(string text) => Assert.Equal(text, RedactedConsole.Redacted(text));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_event_is_one_line_and_its_exception_brings_no_secret_along(bool json)
    {
        var console = new RedactedConsole(Options.Create(new TelemetryOptions { JsonLog = json }),
            new FakeTimeProvider(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero)));
        var state = new KeyValuePair<string, object?>[] { new("ImportId", 7), new("Error", "Password=hunter2;"),
            new("{OriginalFormat}", "x") };
        var entry = new LogEntry<IReadOnlyList<KeyValuePair<string, object?>>>(
            LogLevel.Warning, "BulkImporter.Test", new EventId(4, "LeaseLost"), state,
            new InvalidOperationException("first\nPassword=hunter2;"), (_, _) => "Import 7 lost its lease");
        using var written = new StringWriter();
        console.Write(entry, null, written);

        var line = written.ToString().TrimEnd();
        Assert.DoesNotContain("hunter2", line, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', line);
        if (!json)
        {
            Assert.StartsWith("2026-01-02T03:04:05.000Z warn: BulkImporter.Test[4] Import 7 lost its lease", line,
                StringComparison.Ordinal);
            return;
        }
        using var parsed = JsonDocument.Parse(line);
        var root = parsed.RootElement;
        Assert.Equal(("LeaseLost", 7, "warn"),
            (root.GetProperty("event").GetString(), root.GetProperty("ImportId").GetInt32(), root.GetProperty("level").GetString()));
    }
}
