using BulkImporter.Notify;
using BulkImporter.Tests.Api;

namespace BulkImporter.Tests.Notify;

/// <summary>Targets and notifications over HTTP: an admin's business.</summary>
public sealed class NotificationsApiTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    private const string Targets = "/api/v1/notifications/targets";

    [Fact]
    public async Task A_target_is_added_once_listed_without_its_secret_and_removed()
    {
        var (status, made) = await server.PostAsync(server.AdminKey, Targets, """{"name":"ops","url":"https://ops.example/hook?a=b"}""");
        Assert.Equal(201, status);
        Assert.StartsWith("whsec_", (string?)made!["secret"], StringComparison.Ordinal);
        Assert.Equal(409, (await server.PostAsync(server.AdminKey, Targets, """{"name":"ops","url":"https://ops.example/"}""")).Status);

        var (_, list) = await server.GetAsync(server.AdminKey, Targets);
        Assert.Equal("https://ops.example/hook?a=b", (string?)list!["items"]![0]!["url"]);
        Assert.DoesNotContain("whsec_", list.ToJsonString(), StringComparison.Ordinal);

        Assert.Equal(204, (await server.SendAsync(server.AdminKey, HttpMethod.Delete, $"{Targets}/ops")).Status);
        Assert.Equal(404, (await server.SendAsync(server.AdminKey, HttpMethod.Delete, $"{Targets}/ops")).Status);
    }

    [Theory]
    [InlineData("""{"name":"a b","url":"https://ops.example/"}""", "name")]
    [InlineData("""{"name":"x","url":"ops.example"}""", "url")]
    [InlineData("""{"name":"x","url":"file:///etc/passwd"}""", "url")]
    [InlineData("""{"name":"x","url":"https://ann:secret@ops.example/"}""", "url")]
    [InlineData("{}", "name")]
    public async Task A_target_that_cannot_be_used_is_refused_with_what_is_wrong(string body, string argument)
    {
        var (status, problem) = await server.PostAsync(server.AdminKey, Targets, body);
        Assert.Equal((400, argument), (status, (string?)problem!["argument"]));
    }

    [Fact]
    public async Task Only_an_admin_sees_and_changes_them()
    {
        Assert.Equal(403, (await server.GetAsync(server.OperatorKey, Targets)).Status);
        Assert.Equal(403, (await server.PostAsync(server.OperatorKey, Targets, """{"name":"x","url":"https://ops.example/"}""")).Status);
        Assert.Equal(403, (await server.GetAsync(server.OperatorKey, "/api/v1/notifications")).Status);
        Assert.Equal(404, (await server.PostAsync(server.AdminKey, "/api/v1/notifications/999999/replay")).Status);
    }

    [Fact]
    public async Task Notifications_are_listed_with_their_deliveries_the_latest_first()
    {
        var (now, account) = (DateTimeOffset.UtcNow, await server.Database.OneAsync<int>("SELECT id FROM importer.account LIMIT 1"));
        var (one, two) = (Target("one"), Target("two"));
        var finished = new Notification { Kind = "import_finished", At = now, AccountId = account, Body = "{}", AddressedAt = now };
        await server.Database.AddAsync(one, two,
            new Notification { Kind = "account_suspended", At = now, AccountId = account, Body = "{}", AddressedAt = now });
        await server.Database.AddAsync(finished);
        await server.Database.AddAsync(
            new NotificationDelivery { NotificationId = finished.Id, TargetId = one.Id, TryCount = 1, DeliveredAt = now },
            new NotificationDelivery
            { NotificationId = finished.Id, TargetId = two.Id, TryCount = 1, Problem = "It answered with HTTP 500." });
        var (_, page) = await server.GetAsync(server.AdminKey, "/api/v1/notifications?limit=1");
        var told = page!["items"]![0]!;
        Assert.Equal("import_finished", (string?)told["kind"]);
        Assert.Equal(["one delivered", "two given_up It answered with HTTP 500."],
            told["deliveries"]!.AsArray().Select(d => $"{(string?)d!["target"]} {(string?)d["state"]} {(string?)d["problem"]}".Trim()));
        var (_, rest) = await server.GetAsync(server.AdminKey, $"/api/v1/notifications?after={(string?)page["next"]}");
        Assert.Equal("account_suspended", (string?)rest!["items"]![0]!["kind"]);
        Assert.Empty(rest["items"]![0]!["deliveries"]!.AsArray());

        var id = (long)told["id"]!;
        var (status, replayed) = await server.PostAsync(server.AdminKey, $"/api/v1/notifications/{id}/replay");
        Assert.Equal((200, 2), (status, (int)replayed!["targets"]!));
        await server.Database.SqlAsync("DELETE FROM importer.notification_target");
    }

    private static NotificationTarget Target(string name) =>
        new() { Name = name, Url = $"https://{name}.example/", SecretProtected = "", CreatedAt = DateTimeOffset.UtcNow };
}
