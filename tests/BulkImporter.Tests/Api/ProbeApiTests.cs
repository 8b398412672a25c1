using BulkImporter.Imports;
using BulkImporter.Records;

namespace BulkImporter.Tests.Api;

/// <summary>The probe at the doors; what it finds is in ProbeSourcesTests.</summary>
public sealed class ProbeApiTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    [Fact]
    public async Task Probe_is_ordered_and_told_of()
    {
        var id = await server.Database.ImportAsync(ImportState.Review, [RecordState.Pending, RecordState.Pending, RecordState.Invalid]);
        Assert.Equal(404, (await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{id}/probe")).Status);
        Assert.Equal(403, (await server.PostAsync(server.ViewerKey, $"/api/v1/imports/{id}/probe")).Status);

        var (status, probe) = await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/probe?sample=1000");

        Assert.Equal((200, "running", 2, 0), (status, (string?)probe!["state"], (int)probe["total"]!, (int)probe["probed"]!));
        Assert.Equal("running", (string?)(await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{id}/probe")).Body!["state"]);
        Assert.Equal(1L,
            await server.Database.OneAsync<long>(
                "SELECT count(*) FROM importer.audit_entry WHERE import_id = $1 AND action = 'import_probed' AND actor = 'otto'", id));
    }

    [Fact]
    public async Task Probe_is_refused_with_a_reason()
    {
        var id = await server.Database.ImportAsync(ImportState.Running, [RecordState.Pending]);
        var (status, problem) = await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/probe");
        Assert.Equal((409, "running"), (status, (string?)problem!["state"]));
        (status, problem) = await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/probe?sample=0");
        Assert.Equal((400, "sample"), (status, (string?)problem!["argument"]));
        Assert.Equal(404, (await server.PostAsync(server.OperatorKey, "/api/v1/imports/999999/probe")).Status);
    }

    [Fact]
    public async Task Page_of_an_import_in_review_offers_the_probe_to_who_may_act()
    {
        var id = await server.Database.ImportAsync(ImportState.Review, [RecordState.Pending]);
        Assert.Contains("data-testid=\"probe-sample\"", await PageAsync(server.OperatorKey, id), StringComparison.Ordinal);
        var seen = await PageAsync(server.ViewerKey, id);
        Assert.Contains("data-testid=\"probe\"", seen, StringComparison.Ordinal);
        Assert.DoesNotContain("data-testid=\"probe-sample\"", seen, StringComparison.Ordinal);

        await server.PostAsync(server.OperatorKey, $"/api/v1/imports/{id}/probe");
        Assert.Contains("0 of 1 file checked", await PageAsync(server.ViewerKey, id), StringComparison.Ordinal);
    }

    private Task<string> PageAsync(string key, int id) =>
        server.Client(key).GetStringAsync($"/imports/{id}", TestContext.Current.CancellationToken);
}
