using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using BulkImporter.Access;
using BulkImporter.Accounts;
using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Notify;
using BulkImporter.Records;
using BulkImporter.Telemetry;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Notify;

public sealed class NotificationTests(EngineDatabase database) : IClassFixture<EngineDatabase>, IAsyncLifetime
{
    private readonly EphemeralDataProtectionProvider protection = new();
    private readonly WebOptions web = new();
    private DeliveryPace pace = new()
    { RetryBase = TimeSpan.FromMinutes(1), RetryCap = TimeSpan.FromMinutes(4), MostTries = 3, Timeout = TimeSpan.FromSeconds(20) };
    private readonly MailOptions mail = new() { From = "Imports <imports@example.com>" };
    private readonly HookReceiver receiver = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await database.SqlAsync("DELETE FROM importer.notification");
        await database.SqlAsync("DELETE FROM importer.notification_target");
        await database.SqlAsync("DELETE FROM importer.import");
        await database.SqlAsync("DELETE FROM importer.status_poll");
        await database.SqlAsync("DELETE FROM importer.work_batch");
    }

    public ValueTask DisposeAsync()
    {
        receiver.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task The_end_of_an_import_is_posted_with_a_signature_that_a_receiver_can_verify()
    {
        var target = await TargetAsync();
        var id = await EndedAsync();

        Assert.Equal(1, await SendAsync());

        var (headers, body) = Assert.Single(receiver.Received);
        var told = JsonNode.Parse(body)!;
        Assert.Equal(("import_finished", id, "finished", 1),
            ((string?)told["type"], (int)told["data"]!["import"]!["id"]!, (string?)told["data"]!["import"]!["state"],
                (int)told["data"]!["import"]!["counts"]!["imported"]!));
        // As docs/webhooks.md tells a receiver to do it, without any code of ours.
        var signed = Encoding.UTF8.GetBytes($"{headers["webhook-id"]}.{headers["webhook-timestamp"]}.{body}");
        var expected = "v1,"
            + Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(target.Secret!["whsec_".Length..]), signed));
        Assert.Equal(expected, headers["webhook-signature"]);

        Assert.Equal(0, await SendAsync());
        Assert.Equal("delivered after 1", await DeliveryAsync());
        Assert.DoesNotContain(target.Secret!, await database.OneAsync<string>("SELECT secret_protected FROM importer.notification_target"),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_not_taken_is_tried_again_with_the_same_id_and_body_given_up_in_the_end_and_replayed_by_a_person()
    {
        await TargetAsync();
        await EndedAsync();
        receiver.Status = HttpStatusCode.InternalServerError;
        for (var tries = 1; tries <= 3; tries++)
        {
            Assert.Equal(1, await SendAsync());
            Assert.Equal(0, await SendAsync());
            if (tries < 3) Assert.Equal($"waiting {tries} It answered with HTTP 500.", await DeliveryAsync());
            // Twice the wait each time, a quarter more or less.
            if (tries == 2)
                Assert.True(
                    await database.OneAsync<bool>(
                        "SELECT next_at BETWEEN now() + interval '1 minute 20 seconds' AND now() + interval '2 minutes 30 seconds' FROM "
                            + "importer.notification_delivery"));
            await database.SqlAsync("UPDATE importer.notification_delivery SET next_at = now() WHERE next_at IS NOT NULL");
        }
        Assert.Equal("given up after 3 It answered with HTTP 500.", await DeliveryAsync());

        receiver.Status = HttpStatusCode.NoContent;
        var number = await database.OneAsync<long>("SELECT id FROM importer.notification");
        Assert.Equal(1, await new ReplayNotification(database.Contexts).RunAsync(number, "ada", Token));
        Assert.Equal(1, await SendAsync());
        Assert.Equal("delivered after 1", await DeliveryAsync());
        Assert.Single(receiver.Received.Select(r => (r.Headers["webhook-id"], r.Body)).Distinct());
        Assert.Null(await new ReplayNotification(database.Contexts).RunAsync(number + 1000, "ada", Token));
    }

    [Fact]
    public async Task A_target_that_is_not_there_or_link_local_or_redirects_is_a_problem_and_nothing_else()
    {
        await TargetAsync("http://127.0.0.1:9/");
        await EndedAsync();
        await SendAsync();
        Assert.StartsWith("waiting 1 127.0.0.1 refuses the connection.", await DeliveryAsync(), StringComparison.Ordinal);

        await InitializeAsync();
        await TargetAsync("http://169.254.169.254/latest/meta-data");
        await EndedAsync();
        await SendAsync();
        Assert.Equal("waiting 1 169.254.169.254 is a link-local address, to which nothing is sent.", await DeliveryAsync());

        await InitializeAsync();
        receiver.Status = HttpStatusCode.Found;
        await TargetAsync();
        await EndedAsync();
        await SendAsync();
        Assert.Equal("waiting 1 It answered with HTTP 302.", await DeliveryAsync());
        Assert.Single(receiver.Received);
    }

    [Fact]
    public async Task A_breaker_a_suspended_account_a_cancel_and_a_stall_are_told_each_once()
    {
        // The breaker of a failing import.
        var failing = await database.ImportAsync(rows: 3);
        // As if a thousand records had failed since it was last resumed.
        await database.SqlAsync("UPDATE importer.import SET breaker_finished_base = -1000, breaker_failed_base = -1000 WHERE id = $1",
            failing);
        await database.Follow.RunAsync(Token);
        await database.Follow.RunAsync(Token);

        // The breaker of an account.
        var account = await database.AccountAsync();
        var breaker = new AccountBreaker(database.Source, NullLogger<AccountBreaker>.Instance);
        var version = await database.OneAsync<DateTimeOffset>("SELECT updated_at FROM importer.account WHERE id = $1", account);
        for (var n = 0; n < 4; n++) await breaker.CredentialRejectedAsync(account, version, 1, "Invalid token.");
        var full = await database.AccountAsync();
        version = await database.OneAsync<DateTimeOffset>("SELECT updated_at FROM importer.account WHERE id = $1", full);
        await breaker.QuotaExceededAsync(full, version, "out of assets quota");
        await breaker.QuotaExceededAsync(full, version, "out of assets quota");

        // A stall, and a cancel by a person.
        var stalled = await database.ImportAsync(rows: 3);
        await database.SubmitAsync(stalled, 1, 1, 2);
        await database.SqlAsync("UPDATE importer.import SET started_at = now() - interval '31 minutes' WHERE id = $1", stalled);
        await database.SqlAsync("UPDATE importer.work_batch SET since = now() - interval '31 minutes' WHERE import_id = $1", stalled);
        await SendAsync();
        await SendAsync();
        await database.CancelAsync(stalled);

        Assert.Equal(
            [$"import_paused {failing}", "account_suspended", "account_suspended", $"import_stalled {stalled}",
                $"import_cancelled {stalled}"],
            await database.Source.QueryAsync("SELECT concat_ws(' ', kind, import_id) FROM importer.notification ORDER BY id", r =>
                r.GetString(0), Token));
        Assert.Equal(0L,
            await database.OneAsync<long>("SELECT count(*) FROM importer.notification WHERE kind <> 'import_finished' AND reason IS NULL"));
    }

    [Fact]
    public async Task Of_two_workers_one_posts()
    {
        await TargetAsync();
        await EndedAsync();
        var posted = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(SendAsync)));
        while (await SendAsync() is > 0 and var more) posted = [.. posted, more];
        Assert.Equal((1, 1), (posted.Sum(), receiver.Received.Count));
    }

    [Fact]
    public async Task A_mail_says_what_happened_and_links_what_failed()
    {
        using var server = new MailReceiver();
        mail.Server = new($"smtp://imports:s3cret@127.0.0.1:{server.Port}/?starttls=never");
        web.PageBaseUrl = new Uri("https://imports.example/bulk/");
        var target = await TargetAsync("mailto:ops@example.com");
        Assert.Null(target.Secret);
        var id = await EndedAsync();
        await database.SqlAsync("UPDATE importer.import SET name = 'Frühling' WHERE id = $1", id);

        Assert.Equal(1, await SendAsync());
        Assert.Equal("delivered after 1", await DeliveryAsync());

        Assert.Equal("imports:s3cret", server.SignedIn);
        var (from, to, data) = Assert.Single(server.Received);
        Assert.Equal(("imports@example.com", "ops@example.com"), (from, to));
        using var message = await MimeKit.MimeMessage.LoadAsync(new MemoryStream(data), Token);
        Assert.Equal("Frühling has finished: 1 imported", message.Subject);
        Assert.Equal(("Imports", "auto-generated"), (message.From.Mailboxes.Single().Name, message.Headers["Auto-Submitted"]));
        Assert.Equal($"msg_{await database.OneAsync<long>("SELECT id FROM importer.notification")}@bulkimporter.invalid",
            message.MessageId);
        Assert.Contains($"Import: https://imports.example/bulk/imports/{id}\n", message.TextBody!.ReplaceLineEndings("\n"),
            StringComparison.Ordinal);
        Assert.Contains($"Failed records: https://imports.example/bulk/imports/{id}/records?state=failed\n",
            message.TextBody!.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mail_that_is_not_taken_is_tried_again_and_the_reason_told()
    {
        await TargetAsync("mailto:ops@example.com");
        await EndedAsync();
        await TriedAsync("No mail server is set: BulkImporter:Mail:Server and :From.");

        using var server = new MailReceiver { Refusal = "550 no such person, ask s3cret" };
        // Nothing leaves in the clear unless that was asked for.
        mail.Server = new($"smtp://127.0.0.1:{server.Port}");
        await TriedAsync("The mail server does not support what is needed. The SMTP server does not support the STARTTLS extension.");
        mail.Server = new($"smtp://imports:wrong@127.0.0.1:{server.Port}/?starttls=never");
        await TriedAsync("The mail server did not accept the user name and password.");
        mail.Server = new($"smtp://imports:s3cret@127.0.0.1:{server.Port}/?starttls=never");
        pace = pace with { MostTries = 9 };
        await TriedAsync("The mail server refused the message (550): no such person, ask ***");
        mail.Server = new("smtp://127.0.0.1:9/?starttls=never");
        await TriedAsync("The mail server cannot be reached: Connection refused.");
        Assert.Empty(server.Received);

        async Task TriedAsync(string problem)
        {
            await database.SqlAsync("UPDATE importer.notification_delivery SET next_at = now()");
            Assert.Equal(1, await SendAsync());
            Assert.Equal(problem, await database.OneAsync<string>("SELECT problem FROM importer.notification_delivery"));
        }
    }

    [Theory]
    [InlineData("mailto:")]
    [InlineData("mailto:nobody")]
    [InlineData("mailto:a@example.com?subject=x")]
    [InlineData("mailto:a@example.com, b@example.com")]
    public async Task What_is_no_mail_address_is_refused(string url) =>
        Assert.Contains("is not an email address", (await Assert.ThrowsAsync<InvalidArgumentException>(() => TargetAsync(url))).Message,
            StringComparison.Ordinal);

    [Fact]
    public async Task A_notification_that_cannot_be_made_is_given_up_and_stands_before_no_other()
    {
        await TargetAsync();
        await EndedAsync();
        await EndedAsync();
        var odd = await database.OneAsync<long>("SELECT min(id) FROM importer.notification WHERE addressed_at IS NULL");
        await database.SqlAsync($"ALTER TABLE importer.notification_delivery ADD CONSTRAINT refuses_one CHECK (notification_id <> {odd})");
        try
        {
            Assert.Contains($"notification {odd}", (await Assert.ThrowsAsync<ItemsFailedException>(SendAsync)).Message,
                StringComparison.Ordinal);
        }
        finally
        {
            await database.SqlAsync("ALTER TABLE importer.notification_delivery DROP CONSTRAINT refuses_one");
        }
        Assert.Equal((0L, 1L), (await database.OneAsync<long>("SELECT count(*) FROM importer.notification WHERE addressed_at IS NULL"),
            await database.OneAsync<long>("SELECT count(*) FROM importer.notification_delivery WHERE delivered_at IS NOT NULL")));
        Assert.Equal(0, await SendAsync());
    }

    private async Task<int> SendAsync()
    {
        using var post = new PostNotification(pace, TimeProvider.System);
        var mails = new MailNotification(Options.Create(mail), pace, TimeProvider.System);
        return await new SendNotifications(database.Source, new ReadImports(database.Contexts, Options.Create(new WorkOptions())),
            protection, post, mails,
            pace, Options.Create(web), Options.Create(new WorkOptions()), () =>
                0.5, TimeProvider.System, NullLogger<SendNotifications>.Instance).RunAsync(Token);
    }

    private async Task<MadeTarget> TargetAsync(string? url = null) =>
        (await new ChangeTargets(database.Contexts, protection, TimeProvider.System).AddAsync("ops", url ?? receiver.Url, "ada", Token))!;

    /// <summary>An import whose only record is imported, and which has ended.</summary>
    private async Task<int> EndedAsync()
    {
        var id = await database.ImportAsync(rows: 1);
        await database.SubmitAsync(id, 1, 1);
        await database.ConcludeAsync(id, 1, "st-1-1", RecordState.Imported);
        await database.Follow.RunAsync(Token);
        return id;
    }

    private Task<string> DeliveryAsync() => database.OneAsync<string>("""
        SELECT CASE WHEN delivered_at IS NOT NULL THEN 'delivered after ' WHEN next_at IS NULL THEN 'given up after ' ELSE 'waiting ' END
            || concat_ws(' ', try_count, problem) FROM importer.notification_delivery
        """);
}
