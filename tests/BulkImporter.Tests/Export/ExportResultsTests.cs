using System.Text;
using System.Text.Json.Nodes;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Records;
using BulkImporter.Tests.Api;
using Microsoft.Extensions.DependencyInjection;

namespace BulkImporter.Tests.Export;

public sealed class ExportResultsTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    private const string Header =
        "url,Note,import_row,import_state,import_status_id,import_rid,import_attempts,import_error_code,import_error,import_submitted_at,import_finished_at,"
        + "import_hls_url,import_embed_url,import_file_url,import_thumbnail_url,import_fid,import_playable,"
        + "import_verified,import_expected_size,import_size,import_expected_duration,import_duration,import_sent_sha256";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_row_comes_back_with_its_own_columns_and_what_became_of_it()
    {
        var id = await ImportAsync("url,Note\nhttps://media.example/1.mp4,\"a, b\"\n\nhttps://media.example/2.mp4,=1+1\n",
            RecordState.Imported, RecordState.Failed);
        var lines = (await GetAsync(id, "")).TrimEnd('\n').Split('\n');
        Assert.Equal(Header, lines[0]);
        Assert.StartsWith("https://media.example/1.mp4,\"a, b\",1,imported,st-1,rid1,1,,,,", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("https://media.example/2.mp4,'=1+1,2,failed,,,1,source_not_found,It did not work.,,", lines[2],
            StringComparison.Ordinal);
        Assert.Equal(3, lines.Length);
    }

    [Fact]
    public async Task The_selection_of_the_list_is_the_selection_of_the_export_over_many_ranges()
    {
        const int Rows = 12_000; // more than two ranges
        var manifest = new StringBuilder("url,Note\n");
        for (var row = 1; row <= Rows; row++) manifest.Append($"https://media.example/{row}.mp4,{row}\n");
        var id = await ImportAsync(manifest.ToString(),
            [.. Enumerable.Range(1, Rows).Select(row => row % 1000 == 1 ? RecordState.Failed : RecordState.Imported)]);

        var failed = (await GetAsync(id, "?state=failed")).TrimEnd('\n').Split('\n');
        Assert.Equal(Enumerable.Range(0, 12).Select(n => ((n * 1000) + 1).ToString()), failed.Skip(1).Select(l => l.Split(',')[1]));
        var all = (await GetAsync(id, "")).TrimEnd('\n').Split('\n');
        Assert.Equal(Enumerable.Range(1, Rows).Select(n => n.ToString()), all.Skip(1).Select(l => l.Split(',')[2]));
    }

    [Fact]
    public async Task Json_lines_hold_the_same_columns_and_keep_both_of_two_equal_names()
    {
        var id = await ImportAsync("url,Note,Note\nhttps://media.example/1.mp4,x,\"y\"\"z\",extra\n", RecordState.Imported);
        var line = JsonNode.Parse((await GetAsync(id, "?format=jsonl")).TrimEnd('\n'))!.AsObject();
        Assert.Equal(["url", "Note", "Note (2)", "column 4", .. ManifestFormat.ResultColumns], line.Select(m => m.Key));
        Assert.Equal(("x", "y\"z", "extra", "imported", "rid1"),
            ((string?)line["Note"], (string?)line["Note (2)"], (string?)line["column 4"], (string?)line["import_state"],
                (string?)line["import_rid"]));
        Assert.Null(line["import_error_code"]);
    }

    [Fact]
    public async Task An_import_without_records_refuses_and_a_wrong_format_is_named()
    {
        var (status, problem) = await server.GetAsync(server.ViewerKey,
            $"/api/v1/imports/{await server.Database.ImportAsync(ImportState.Rejected, [])}/results");
        Assert.Equal((409, "refused-in-this-state"), (status, (string?)problem!["type"]));
        var id = await ImportAsync("url\nhttps://media.example/1.mp4\n", RecordState.Imported);
        (status, problem) = await server.GetAsync(server.ViewerKey, $"/api/v1/imports/{id}/results?format=xls");
        Assert.Equal((400, "format"), (status, (string?)problem!["argument"]));
    }

    private async Task<string> GetAsync(int id, string query)
    {
        using var response = await server.Client(server.ViewerKey).GetAsync($"/api/v1/imports/{id}/results{query}", Token);
        Assert.Equal("attachment", response.Content.Headers.ContentDisposition?.DispositionType);
        return await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync(Token);
    }

    private async Task<int> ImportAsync(string manifest, params RecordState[] records)
    {
        var id = await server.Database.ImportAsync(ImportState.Running, records, chunkSize: 500);
        var uploaded = await server.Services.GetRequiredService<UploadManifest>()
            .RunAsync(new MemoryStream(Encoding.UTF8.GetBytes(manifest)), "library.csv", Token);
        await server.Database.SqlAsync("UPDATE importer.import SET manifest_id = $2 WHERE id = $1", id, uploaded.Id);
        return id;
    }
}
