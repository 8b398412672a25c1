using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace BulkImporter.EndToEndTests;

/// <summary>The start after which somebody must be able to come in.</summary>
public sealed partial class FirstStartTests : IAsyncDisposable
{
    private readonly Stage stage = new();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task First_key_is_shown_even_when_the_address_is_taken_which_is_said_with_what_to_do()
    {
        var postgres = await stage.StartPostgresAsync();
        var settings = new Settings { ["ConnectionStrings__BulkImporter"] = postgres.ConnectionString };
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var taken = $"http://127.0.0.1:{((IPEndPoint)other.LocalEndpoint).Port}";

        var refused = await RefusedAsync(taken, "already in use");
        // An address of no machine (it is kept for documentation), and none at all.
        await RefusedAsync("http://192.0.2.1:5080", "Cannot assign");
        await RefusedAsync("nonsense", "Invalid url");

        // The key is in the database now and is never shown again, so it has to work.
        other.Stop();
        var api = stage.Kept(new ImporterApi(taken, Key().Match(refused.Log).Value));
        stage.Start("web", BuiltPrograms.Importer, ["web", "--urls", taken], settings);
        await Wait.UntilAsync(TimeSpan.FromMinutes(3), "the server is up", api.IsReadyAsync);
        await stage.VerbAsync(api, 0, TimeSpan.FromMinutes(1), "user", "add", "ada", "--role", "admin");

        async Task<RunningProgram> RefusedAsync(string address, string why)
        {
            var program = stage.Start("web", BuiltPrograms.Importer, ["web", "--urls", address], settings, errorsApart: true);
            Assert.Equal(1, await program.WaitForExitAsync(TimeSpan.FromMinutes(3)));
            var complaint = await File.ReadAllTextAsync(program.ErrorFile, TestContext.Current.CancellationToken);
            Assert.Matches($"^Cannot listen at {Regex.Escape(address)}: .*{why}.* choose another with --urls", complaint);
            Assert.DoesNotContain("   at ", complaint, StringComparison.Ordinal);
            return program;
        }
    }

    [GeneratedRegex("bik_[A-Za-z0-9_-]{43}")]
    private static partial Regex Key();
}
