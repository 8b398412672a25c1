using BulkImporter.Imports;
using BulkImporter.Records;
using Cincopa.Client;

namespace BulkImporter.Tests.Api;

public sealed class AccountsApiTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    private static readonly PingResult Rejected = new PingResult.Failed(new(RemoteErrorKind.TokenRejected, null, "Invalid token.", null));

    [Fact]
    public async Task A_token_that_Cincopa_does_not_confirm_is_saved_only_when_the_caller_says_so()
    {
        server.Ping = Rejected;
        var (status, problem) = await server.PostAsync(server.AdminKey, "/api/v1/accounts", """{"name":"wrong","token":"1ix"}""");
        Assert.Equal((422, "token-not-confirmed"), (status, (string?)problem!["type"]));
        Assert.Contains("Invalid token. Correct what is wrong, or save it anyway.", (string?)problem["detail"], StringComparison.Ordinal);
        Assert.Equal(404, (await server.GetAsync(server.AdminKey, "/api/v1/accounts/wrong")).Status);

        (status, _) = await server.PostAsync(server.AdminKey, "/api/v1/accounts", """{"name":"wrong","token":"1ix","anyway":true}""");
        Assert.Equal(201, status);
        (status, problem) = await PatchAsync("""{"token":"1iy","rate":3}""");
        Assert.Equal((422, "token-not-confirmed"), (status, (string?)problem!["type"]));
        Assert.Equal(0, (double)(await server.GetAsync(server.AdminKey, "/api/v1/accounts/wrong")).Body!["rate"]!);
        // Limits say nothing of the token.
        Assert.Equal(200, (await PatchAsync("""{"rate":3}""")).Status);

        server.Ping = new PingResult.Ok("AMDA1", null, null);
        Assert.Equal(200, (await PatchAsync("""{"token":"1iy"}""")).Status);
        Assert.Equal(201, (await server.PostAsync(server.AdminKey, "/api/v1/accounts", """{"name":"right","token":"1ix"}""")).Status);

        Task<(int Status, System.Text.Json.Nodes.JsonNode? Body)> PatchAsync(string json) => server.SendAsync(server.AdminKey,
            HttpMethod.Patch, "/api/v1/accounts/wrong", new StringContent(json, System.Text.Encoding.UTF8, "application/json"));
    }

    [Fact]
    public async Task An_account_is_resumed_when_Cincopa_accepts_its_token_and_that_stands_in_the_history_of_its_imports()
    {
        var id = await server.Database.ImportAsync(ImportState.Running, [RecordState.Pending]);
        await server.Database.SqlAsync("UPDATE importer.account SET state = 'suspended', reason = 'no' WHERE name = 'default'");
        server.Ping = Rejected;
        var (status, problem) = await server.PostAsync(server.OperatorKey, "/api/v1/accounts/default/resume");
        Assert.Equal((409, "suspended"), (status, (string?)problem!["state"]));
        Assert.Contains("does not accept the account's token", (string?)problem["detail"], StringComparison.Ordinal);
        Assert.Equal("suspended", (string?)(await server.GetAsync(server.ViewerKey, "/api/v1/accounts/default")).Body!["state"]);

        server.Ping = new PingResult.Ok("AMDA1", null, null);
        Assert.Equal(200, (await server.PostAsync(server.OperatorKey, "/api/v1/accounts/default/resume")).Status);
        Assert.Equal("otto", await server.Database.OneAsync<string>(
            "SELECT actor FROM importer.audit_entry WHERE action = 'account_resumed' AND import_id = $1", id));

        await server.Database.SqlAsync("UPDATE importer.account SET state = 'suspended', reason = 'no' WHERE name = 'default'");
        using var token = new StringContent("""{"token":"1iz"}""", System.Text.Encoding.UTF8, "application/json");
        Assert.Equal(200, (await server.SendAsync(server.AdminKey, HttpMethod.Patch, "/api/v1/accounts/default", token)).Status);
        Assert.Equal("ada", await server.Database.OneAsync<string>(
            "SELECT actor FROM importer.audit_entry WHERE action = 'account_resumed' AND import_id = $1 ORDER BY id DESC LIMIT 1", id));
    }
}
