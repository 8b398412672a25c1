using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace BulkImporter.EndToEndTests;

/// <summary>
/// The command line as a shell meets it: whatever is wrong with what surrounds it ends with a sentence and a documented exit code, never
/// with a stack trace.
/// </summary>
public sealed class CommandLineTests : IDisposable
{
    private const string Empty = """{"items":[],"next":null}""";

    private readonly string folder = Directory.CreateTempSubdirectory("command-line-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("list", "BULKIMPORTER_SERVER=http://127.0.0.1:1", "cannot be reached")]
    [InlineData("list", "BULKIMPORTER_API_KEY=$'a\\rb'", "cannot be sent")]
    [InlineData("submit - --idempotency-key $'a\\nb' < manifest.csv", "", "--idempotency-key takes", 2)]
    [InlineData("submit <(cat manifest.csv)", "BULKIMPORTER_SERVER=http://127.0.0.1:1", "cannot be reached")]
    [InlineData("submit /dev/stdin < manifest.csv", "BULKIMPORTER_SERVER=http://127.0.0.1:1", "cannot be reached")]
    [InlineData("migrate", "ConnectionStrings__BulkImporter='Host=127.0.0.1;Port=1'", "The database cannot be used")]
    [InlineData("migrate", "ConnectionStrings__BulkImporter='Hots=127.0.0.1'", "ConnectionStrings__BulkImporter")]
    [InlineData("migrate", "ConnectionStrings__BulkImporter='Host=127.0.0.1;Port=abc'", "ConnectionStrings__BulkImporter")]
    [InlineData("migrate", "ConnectionStrings__BulkImporter='nonsense'", "ConnectionStrings__BulkImporter")]
    [InlineData("migrate", "ConnectionStrings__BulkImporter='Host=no-such-host.invalid'", "The database cannot be used")]
    [InlineData("web --urls http://127.0.0.1:0", "ConnectionStrings__BulkImporter='Hots=127.0.0.1'", "ConnectionStrings__BulkImporter")]
    [InlineData("work", "ConnectionStrings__BulkImporter='Host=127.0.0.1;Port=1'", "The database cannot be used")]
    [InlineData("migrate", "BULKIMPORTER_SECRETS=/no/such/folder", "/no/such/folder")]
    [InlineData("web --urls http://127.0.0.1:0", "BULKIMPORTER_SECRETS=/no/such/folder", "/no/such/folder")]
    [InlineData("migrate --data $'two\\nlines'", "", "line break")]
    [InlineData("serve --urls http://127.0.0.1:0 --data $'two\\nlines'", "", "line break")]
    public async Task What_is_wrong_around_it_is_a_sentence_and_an_exit_code(
        string line, string environment, string sentence, int exitCode = 0)
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "manifest.csv"), "url\nhttps://media.example.org/a.mp4\n",
            TestContext.Current.CancellationToken);
        var (code, _, error) = await ShellAsync($"{environment} \"$IMPORTER\" {line}");

        Assert.Equal(exitCode == 0 ? environment.Contains("$'a") ? 2 : 1 : exitCode, code);
        Assert.Contains(sentence, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("list --json > /dev/full", 1, "No space left on device")]
    [InlineData("export 7 > /dev/full", 1, "No space left on device")]
    [InlineData("list --help > /dev/full", 1, "No space left on device")]
    [InlineData("export 7 -o /dev/stdout > /dev/full", 1, "No space left on device")]
    [InlineData("validate <(printf 'url\\nhttps://media.example.com/1.mp4\\n') > /dev/full", 1, "Standard output cannot be written")]
    [InlineData("list --json >&-", null, "")]
    [InlineData("export 7 >&-", null, "")]
    [InlineData("list --json > /dev/full 2>&1", 1, "")]
    [InlineData("list --nonsense 2>&-", null, "")]
    [InlineData("list --json | true", 0, "")]
    [InlineData("export 7 -o >(true)", 0, "Wrote")]
    public async Task Output_that_takes_nothing_is_a_sentence_and_an_exit_code(string line, int? exitCode, string sentence)
    {
        using var api = new OneAnswer(Empty);
        var (code, _, error) = await ShellAsync($"BULKIMPORTER_SERVER={api.Url} \"$IMPORTER\" {line}");

        // What a closed output does is the system's: the bytes go nowhere, or are refused, and then nothing else can be told.
        if (exitCode is { } expected) Assert.Equal(expected, code);
        else Assert.InRange(code, 0, 1);
        Assert.Contains(sentence, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Results_go_through_a_process_substitution_and_a_link_stays_one()
    {
        using var api = new OneAnswer("url\n");
        var (code, output, _) = await ShellAsync($"""
            export BULKIMPORTER_SERVER={api.Url}
            "$IMPORTER" export 7 -o >(cat > through; echo) | cat && cat through
            ln -s real link && "$IMPORTER" export 7 -q -o link && readlink link && stat -c %a real
            """);
        Assert.Equal(0, code);
        Assert.EndsWith("url\nreal\n600\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_at_all_prints_help_and_makes_no_database()
    {
        var (code, output, _) = await ShellAsync("\"$IMPORTER\"");
        Assert.Equal(0, code);
        Assert.Contains("Usage:", output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(folder));
    }

    private async Task<(int ExitCode, string Output, string Error)> ShellAsync(string script)
    {
        var start = new ProcessStartInfo("/bin/bash", ["-o", "pipefail", "-c", script])
        { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment["IMPORTER"] = BuiltPrograms.Importer;
        foreach (var name in new[] { "BULKIMPORTER_API_KEY", "BULKIMPORTER_SERVER", "ConnectionStrings__BulkImporter",
            "BULKIMPORTER_SECRETS" }) start.Environment.Remove(name);
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await process.WaitForExitAsync(patience.Token);
        return (process.ExitCode, await output, await error);
    }

    /// <summary>A server that gives every call the same answer.</summary>
    private sealed class OneAnswer : IDisposable
    {
        private readonly TcpListener listener = new(IPAddress.Loopback, 0);
        private readonly byte[] answer;

        public OneAnswer(string body)
        {
            answer =
                Encoding.UTF8.GetBytes(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                        + $"{Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n\r\n{body}");
            listener.Start();
            _ = AnswerAsync();
        }

        public string Url => $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";

        public void Dispose() => listener.Stop();

        private async Task AnswerAsync()
        {
            try
            {
                while (true)
                {
                    using var caller = await listener.AcceptTcpClientAsync();
                    _ = await caller.GetStream().ReadAsync(new byte[4096]);
                    await caller.GetStream().WriteAsync(answer);
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
            {
                // The test is over, or a caller went away.
            }
        }
    }
}
