using System.Text;
using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Status;
using Cincopa.Client;
using Microsoft.Extensions.DependencyInjection;

namespace BulkImporter.Tests.Api;

/// <summary>Cincopa tells that a file came in: a hint to ask now, and nothing more.</summary>
public sealed class HooksApiTests(ImporterServer server) : IClassFixture<ImporterServer>, IAsyncLifetime
{
    private string path = "";
    private int id;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Uri? registered = null;
        server.Cincopa.OnWebhook = hook =>
        {
            registered = hook;
            return new WebhookResult.Done();
        };
        Assert.Equal(204, (await server.SendAsync(server.AdminKey, HttpMethod.Put, "/api/v1/accounts/default/webhook")).Status);
        Assert.Equal("importer.example", registered!.Host);
        path = registered.AbsolutePath;
        id = await server.Database.ImportAsync(ImportState.Running, [RecordState.Submitted, RecordState.Submitted]);
        await server.Database.SqlAsync("""
            INSERT INTO importer.status_poll (import_id, row_number, attempt, account_id, status_id, submitted_at, next_poll_at, moved_at, poll_count)
            SELECT $1, n, 1, a.id, 'st-' || n, now(), now() + interval '1 hour', now(), 0 FROM generate_series(1, 2) n, importer.account a WHERE a.name = 'default'
            """, id);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_delivery_brings_the_status_call_of_its_file_forward_and_changes_no_record()
    {
        await server.Database.SqlAsync("UPDATE importer.import_record SET source_url = 'https://media.example/a%20clip.mp4?x=1' WHERE import_id = $1 AND row_number = 2", id);
        Assert.Equal(200, await DeliverAsync("""{"event":"asset.uploaded","drid":"R1","filename":"a clip.mp4","modified":"2026-01-01T00:00:00Z"}"""));
        await DueAsync("2");
        Assert.Equal("submitted 2", await server.Database.CountsAsync(id));

        // The same again is no news, whatever became of the record meanwhile.
        await server.Database.SqlAsync("UPDATE importer.status_poll SET next_poll_at = now() + interval '1 hour'");
        Assert.Equal(200, await DeliverAsync("""{"event":"asset.uploaded","drid":"R1","filename":"a clip.mp4","modified":"2026-01-01T00:00:00Z"}"""));
        Assert.False(Hints.Offer(new PollHint(1, "x"), $"{await server.Database.OneAsync<int>("SELECT id FROM importer.account WHERE name = 'default'")} asset.uploaded R1 2026-01-01T00:00:00Z a clip.mp4"));
        Assert.Equal(200, await DeliverAsync("""{"event":"asset.uploaded","drid":"R2","filename":"1.mp4","modified":"2026-01-01T00:00:00Z"}"""));
        await DueAsync("1");
    }

    [Theory]
    [InlineData("""{"event":"asset.deleted","drid":"R","filename":"1.mp4"}""", 200)]
    [InlineData("""{"event":"asset.uploaded","drid":"R"}""", 200)]
    [InlineData("""{"event":7}""", 200)]
    [InlineData("[]", 200)]
    [InlineData("no json", 400)]
    [InlineData("", 400)]
    public async Task What_is_no_hint_is_answered_and_does_nothing(string body, int status) => Assert.Equal(status, await DeliverAsync(body));

    [Fact]
    public async Task A_large_body_is_refused_and_an_address_that_is_not_the_accounts_is_not_there()
    {
        Assert.Equal(413, await DeliverAsync($$"""{"event":"{{new string('x', 70_000)}}"}"""));
        var (good, hint) = (path, """{"event":"asset.uploaded","drid":"R9","filename":"1.mp4"}""");
        path = good[..^1] + (good[^1] == '0' ? '1' : '0');
        Assert.Equal(404, await DeliverAsync(hint));
        path = good.Replace("/default/", "/nobody/", StringComparison.Ordinal);
        Assert.Equal(404, await DeliverAsync(hint));
    }

    [Fact]
    public async Task Only_an_admin_registers_and_a_refusal_does_not_show_the_secret()
    {
        Assert.Equal(403, (await server.SendAsync(server.OperatorKey, HttpMethod.Put, "/api/v1/accounts/default/webhook")).Status);
        server.Cincopa.OnWebhook = hook => new WebhookResult.Failed(new RemoteError(RemoteErrorKind.PermissionMissing, 403, $"not allowed: {hook}", null));
        var (status, problem) = await server.SendAsync(server.AdminKey, HttpMethod.Delete, "/api/v1/accounts/default/webhook");
        Assert.Equal(424, status);
        Assert.DoesNotContain(path.Split('/')[^1], (string?)problem!["detail"], StringComparison.Ordinal);
        Assert.Equal(404, (await server.SendAsync(server.AdminKey, HttpMethod.Put, "/api/v1/accounts/nobody/webhook")).Status);
    }

    private PollHints Hints => server.Services.GetRequiredService<PollHints>();

    private async Task<int> DeliverAsync(string body)
    {
        using var answer = await server.Client(null).PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"), Token);
        return (int)answer.StatusCode;
    }

    /// <summary>Waits until the rows that are due are these.</summary>
    private async Task DueAsync(string rows)
    {
        while (await server.Database.OneAsync<string>("SELECT coalesce(string_agg(row_number::text, ' ' ORDER BY row_number), '') FROM importer.status_poll WHERE import_id = $1 AND next_poll_at <= now()", id) != rows)
            await Task.Delay(20, Token);
    }
}
