using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Tests.Api;
using Cincopa.Client;

namespace BulkImporter.Tests.Reconcile;

/// <summary>The operator's way out of doubt, over HTTP.</summary>
public sealed class AdoptAssetTests(ImporterServer server) : IClassFixture<ImporterServer>, IAsyncLifetime
{
    private int id;

    public async ValueTask InitializeAsync()
    {
        // The account belongs to all imports of the class: what another test adopted would be taken.
        await server.Database.SqlAsync("DELETE FROM importer.import_record");
        await server.Database.SqlAsync("DELETE FROM importer.import");
        await server.Database.SqlAsync("UPDATE importer.account SET token_protected = $1", Protected());
        id = await server.Database.ImportAsync(ImportState.Finished, [RecordState.Unknown, RecordState.Imported, RecordState.Failed]);
        await server.Database.AddAsync(ImporterDatabase.Attempt(id, 1, "reply_lost"));
        server.List = query => ScriptedCincopa.Page(query, [new(new Rid("Known"), "other.mp4", null, null, null, null, null, null)]);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_candidate_is_adopted_without_asking_Cincopa_and_it_is_in_the_audit_log()
    {
        await CandidateAsync("AbC");
        server.List = _ => throw new InvalidOperationException("Nobody has to be asked.");
        var (status, record) = await AdoptAsync("AbC");
        Assert.Equal((200, "imported", "AbC", "reconciled"),
            (status, (string?)record!["state"], (string?)record["rid"], (string?)record["history"]![0]!["outcome"]));
        Assert.Equal("reply_lost: Adopted by otto.", (string?)record["history"]![0]!["message"]);
        Assert.Equal("imported 2, failed 1", await server.Database.CountsAsync(id));
        Assert.Equal("otto asset_adopted row 1, asset AbC", await AuditAsync());
    }

    [Fact]
    public async Task All_at_once_adopts_the_only_candidates_and_leaves_what_several_could_be()
    {
        var other = await server.Database.ImportAsync(ImportState.Finished, [.. Enumerable.Repeat(RecordState.Unknown, 5)]);
        await server.Database.AddAsync([.. Enumerable.Range(1, 5).Select(n => ImporterDatabase.Attempt(other, n, "reply_lost"))]);
        // Row 1 has one candidate of its own, row 2 has two, rows 3 and 4 share one, row 5 has none.
        foreach (var (row, rid) in new[] { (1, "Own"), (2, "One"), (2, "Two"), (3, "Shared"), (4, "Shared") })
            await server.Database.AddAsync(ImporterDatabase.Candidate(other, row, rid));

        var (status, answer) = await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{other}/adopt");
        Assert.Equal((200, 1, 4), (status, (int)answer!["adopted"]!, (int)answer["stillUnknown"]!));
        Assert.Equal("imported 1, unknown 4", await server.Database.CountsAsync(other));
        Assert.Equal("Own",
            await server.Database.OneAsync<string>("SELECT rid FROM importer.import_record WHERE import_id = $1 AND row_number = 1",
                other));

        Assert.Equal(403, (await server.PostAsync(server.ViewerKey, $"/api/v1/imports/{other}/adopt")).Status);
        Assert.Equal(404, (await server.PostAsync(server.OperatorKey, "/api/v1/imports/999999/adopt")).Status);
    }

    [Fact]
    public async Task A_selection_in_doubt_is_given_up_at_once_and_nothing_else_of_it()
    {
        var (status, answer) = await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/give-up", """{"code":"reply_lost"}""");
        Assert.Equal((200, 0, 1), (status, (int)answer!["givenUp"]!, (int)answer["stillUnknown"]!));
        (status, answer) = await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/give-up");
        Assert.Equal((200, 1, 0), (status, (int)answer!["givenUp"]!, (int)answer["stillUnknown"]!));
        Assert.Equal("imported 1, failed 2", await server.Database.CountsAsync(id));
        Assert.Equal(404, (await server.PostAsync(server.OperatorKey, "/api/v1/imports/999999/give-up")).Status);
    }

    [Fact]
    public async Task Any_asset_that_Cincopa_confirms_is_adopted()
    {
        AssetListQuery? asked = null;
        var list = server.List;
        server.List = query => list(asked = query);
        var (status, record) = await AdoptAsync("Known");
        Assert.Equal((200, "Known"), (status, (string?)record!["rid"]));
        Assert.Equal((new Rid("Known"), true), (asked!.Rid!.Value, asked.BypassCache));
    }

    [Fact]
    public async Task An_asset_that_Cincopa_does_not_have_is_refused_with_422()
    {
        // Whatever it answers: another asset is not this one.
        server.List = _ =>
            ScriptedCincopa.Page(new AssetListQuery(), [new(new Rid("known"), "other.mp4", null, null, null, null, null, null)]);
        await RefusedAsync("Known", 422, "no-such-asset", "The account has no asset Known.");
    }

    [Fact]
    public async Task When_Cincopa_cannot_be_asked_the_answer_is_424_and_why()
    {
        server.List = _ => new AssetListResult.Failed(new RemoteError(RemoteErrorKind.PermissionMissing, 403, "permission denied", null));
        await RefusedAsync("Known", 424, "cincopa-not-asked", "permission denied");
    }

    [Fact]
    public async Task An_asset_of_another_record_is_refused_with_409_and_its_row()
    {
        await CandidateAsync("rid2");
        await RefusedAsync("rid2", 409, "adoption-refused", $"The asset rid2 already belongs to row 2 of import {id}.");
    }

    [Theory]
    [InlineData(2, "imported")]
    [InlineData(3, "failed")]
    public async Task A_record_that_is_not_in_doubt_is_refused_with_409(int row, string state)
    {
        var (status, problem) = await AdoptAsync("Known", row);
        Assert.Equal((409, $"Row {row} is {state}. Only an unknown record can adopt an asset."), (status, (string?)problem!["detail"]));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"rid":""}""")]
    [InlineData("""{"rid":"a b"}""")]
    [InlineData("""{"rid":"a\u0000"}""")]
    public async Task A_rid_that_cannot_be_one_is_refused_with_400(string body)
    {
        var (status, problem) = await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/records/1/adopt", body);
        Assert.Equal((400, "rid"), (status, (string?)problem!["argument"]));
    }

    [Fact]
    public async Task A_look_is_ordered_by_who_may_act_and_only_for_a_record_in_doubt()
    {
        var (status, answer) = await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/records/1/look");
        Assert.Equal((202, true), (status, answer!["dueAt"] is not null));
        Assert.Equal("otto assets_looked_for row 1", await AuditAsync());
        Assert.Equal(409, (await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/records/2/look")).Status);
        Assert.Equal(404, (await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/records/4/look")).Status);
        Assert.Equal(403, (await server.PostAsync(server.ViewerKey, $"/api/v1/imports/{id}/records/1/look")).Status);
    }

    [Fact]
    public async Task Who_only_looks_sees_the_candidates_and_cannot_adopt()
    {
        await CandidateAsync("AbC");
        var (status, found) = await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{id}/records/1/candidates");
        Assert.Equal((200, "AbC", "clip.mp4", 7),
            (status, (string?)found!["items"]![0]!["rid"], (string?)found["items"]![0]!["fileName"],
                (int)found["items"]![0]!["sizeBytes"]!));
        Assert.Null(found["lookedAt"]);
        Assert.Equal(403, (await server.PostAsync(server.ViewerKey, $"/api/v1/imports/{id}/records/1/adopt", """{"rid":"AbC"}""")).Status);
        Assert.Equal("imported 1, failed 1, unknown 1", await server.Database.CountsAsync(id));
    }

    [Fact]
    public async Task A_row_that_is_not_there_is_not_found()
    {
        Assert.Equal(404, (await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{id}/records/4/candidates")).Status);
        Assert.Equal(404, (await AdoptAsync("Known", row: 4)).Status);
    }

    private async Task RefusedAsync(string rid, int expected, string type, string detail)
    {
        var (status, problem) = await AdoptAsync(rid);
        Assert.Equal((expected, type), (status, (string?)problem!["type"]));
        Assert.Contains(detail, (string?)problem["detail"], StringComparison.Ordinal);
        Assert.Equal("imported 1, failed 1, unknown 1", await server.Database.CountsAsync(id));
        Assert.Equal("", await AuditAsync());
    }

    private Task<(int Status, System.Text.Json.Nodes.JsonNode? Body)> AdoptAsync(string rid, int row = 1) =>
        server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/records/{row}/adopt", $$"""{"rid":"{{rid}}"}""");

    private Task CandidateAsync(string rid) => server.Database.AddAsync(ImporterDatabase.Candidate(id, 1, rid));

    private Task<string> AuditAsync() => server.Database.OneAsync<string>(
        "SELECT coalesce(string_agg(concat_ws(' ', actor, action, detail), '; '), '') FROM importer.audit_entry WHERE import_id = $1", id);

    private string Protected() =>
        ((BulkImporter.Accounts.ProtectToken)server.Services.GetService(typeof(BulkImporter.Accounts.ProtectToken))!)
            .Protect("1000001itest");
}
