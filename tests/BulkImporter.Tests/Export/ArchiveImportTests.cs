using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using BulkImporter.Access;
using BulkImporter.Export;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Records;
using BulkImporter.Tests.Api;
using Microsoft.Extensions.DependencyInjection;

namespace BulkImporter.Tests.Export;

public sealed class ArchiveImportTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    private const string Manifest = "url,Note\nhttps://media.example/1.mp4?sig=whole,x\nhttps://media.example/2.mp4,y\n";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Everything_that_is_known_is_in_it_and_can_be_verified()
    {
        var id = await EndedAsync(Manifest, RecordState.Imported, RecordState.Failed);
        await server.Database.AddAsync(ImporterDatabase.Attempt(id, 2, "source_not_found"),
            ImporterDatabase.Finding(id, 0, "column_ignored"),
            new AuditEntry { Actor = "ann", Action = "import_started", ImportId = id });

        var bytes = await ArchiveAsync(id);
        Assert.Equal(new VerifiedArchive(id, "Library", 12, 2), await VerifyAsync(bytes));

        using var zip = new ZipArchive(new MemoryStream(bytes));
        Assert.Equal(Manifest, Text(zip, "manifest/library.csv"));
        Assert.Contains(",1,imported,st-1,rid1,", Text(zip, "results.csv"), StringComparison.Ordinal);
        Assert.Equal("default", (string?)JsonNode.Parse(Text(zip, "import.json"))!["account"]);
        var records = Text(zip, "records.jsonl").TrimEnd('\n').Split('\n').Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Equal([("imported", "rid1"), ("failed", null)], records.Select(r => ((string?)r["state"], (string?)r["rid"])));
        Assert.Equal("source_not_found", (string?)JsonNode.Parse(Text(zip, "attempts.jsonl"))!["outcome"]);
        Assert.Equal("column_ignored", (string?)JsonNode.Parse(Text(zip, "findings.jsonl"))!["code"]);
        Assert.Equal("import_started", (string?)JsonNode.Parse(Text(zip, "audit.jsonl"))!["action"]);
    }

    [Fact]
    public async Task Rows_of_many_ranges_are_all_there_and_a_manifest_that_is_kept_no_more_is_missing()
    {
        var id = await server.Database.ImportAsync(ImportState.Cancelled, [.. Enumerable.Repeat(RecordState.Cancelled, 11_000)],
            chunkSize: 500);
        var bytes = await ArchiveAsync(id);
        Assert.Equal(new VerifiedArchive(id, "Library", 10, 11_000), await VerifyAsync(bytes));
        using var zip = new ZipArchive(new MemoryStream(bytes));
        Assert.Equal(Enumerable.Range(1, 11_000), Text(zip, "records.jsonl").TrimEnd('\n').Split('\n')
            .Select(line => (int)JsonNode.Parse(line)!["row_number"]!));
    }

    [Fact]
    public async Task What_was_changed_taken_out_put_in_or_cut_off_is_found()
    {
        var bytes = await ArchiveAsync(await EndedAsync(Manifest, RecordState.Imported, RecordState.Failed));

        Assert.Contains("records.jsonl was changed or damaged",
            await ComplaintAsync(bytes, zip =>
                Replace(zip, "records.jsonl", Text(zip, "records.jsonl").Replace("failed", "imported", StringComparison.Ordinal))),
                    StringComparison.Ordinal);
        Assert.Contains("results.csv is missing", await ComplaintAsync(bytes, zip => zip.GetEntry("results.csv")!.Delete()),
            StringComparison.Ordinal);
        Assert.Contains("more.txt is not in the list", await ComplaintAsync(bytes, zip => Replace(zip, "more.txt", "x")),
            StringComparison.Ordinal);
        Assert.Contains("It has no SHA256SUMS", await ComplaintAsync(bytes, zip => zip.GetEntry("SHA256SUMS")!.Delete()),
            StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidDataException>(() => VerifyAsync(bytes[..^40]));
        await Assert.ThrowsAsync<InvalidDataException>(() => VerifyAsync(Encoding.UTF8.GetBytes(Manifest)));
    }

    [Fact]
    public async Task Only_what_has_ended_is_archived_and_only_for_operators()
    {
        var running = await server.Database.ImportAsync(ImportState.Running, [RecordState.Pending]);
        var (status, problem) = await server.GetAsync(server.OperatorKey, $"/api/v1/imports/{running}/archive");
        Assert.Equal((409, $"Import {running} is running. Only an import that has ended can be archived."),
            (status, (string?)problem!["detail"]));
        Assert.Equal(403, (await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{running}/archive")).Status);
        Assert.Equal(404, (await server.GetAsync(server.OperatorKey, "/api/v1/imports/999999/archive")).Status);
    }

    private async Task<int> EndedAsync(string manifest, params RecordState[] records)
    {
        var id = await server.Database.ImportAsync(ImportState.Finished, records, chunkSize: 500);
        var uploaded = await server.Services.GetRequiredService<UploadManifest>()
            .RunAsync(new MemoryStream(Encoding.UTF8.GetBytes(manifest)), "library.csv", Token);
        await server.Database.SqlAsync("UPDATE importer.import SET manifest_id = $2 WHERE id = $1", id, uploaded.Id);
        return id;
    }

    private async Task<byte[]> ArchiveAsync(int id)
    {
        using var response = await server.Client(server.OperatorKey).GetAsync($"/api/v1/imports/{id}/archive", Token);
        Assert.Equal("application/zip", response.EnsureSuccessStatusCode().Content.Headers.ContentType?.MediaType);
        return await response.Content.ReadAsByteArrayAsync(Token);
    }

    private static Task<VerifiedArchive> VerifyAsync(byte[] bytes) => VerifyArchive.RunAsync(new MemoryStream(bytes), Token);

    /// <summary>What is said of an archive that somebody changed.</summary>
    private static async Task<string> ComplaintAsync(byte[] bytes, Action<ZipArchive> change)
    {
        using var file = new MemoryStream();
        file.Write(bytes);
        using (var zip = new ZipArchive(file, ZipArchiveMode.Update, leaveOpen: true)) change(zip);
        return (await Assert.ThrowsAsync<InvalidDataException>(() => VerifyAsync(file.ToArray()))).Message;
    }

    private static void Replace(ZipArchive zip, string name, string text)
    {
        zip.GetEntry(name)?.Delete();
        using var writer = new StreamWriter(zip.CreateEntry(name).Open());
        writer.Write(text);
    }

    private static string Text(ZipArchive zip, string name)
    {
        using var reader = new StreamReader(zip.GetEntry(name)!.Open());
        return reader.ReadToEnd();
    }
}
