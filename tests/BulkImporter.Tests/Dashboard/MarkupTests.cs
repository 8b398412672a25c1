using System.Text.RegularExpressions;
using BulkImporter.Access;
using BulkImporter.Finish;
using BulkImporter.Imports;
using BulkImporter.Reconcile;
using BulkImporter.Records;
using BulkImporter.Tests.Api;

namespace BulkImporter.Tests.Dashboard;

/// <summary>What comes from a manifest, or from Cincopa, is shown as the text that it is.</summary>
public sealed class MarkupTests(ImporterServer server) : IClassFixture<ImporterServer>
{
    /// <summary>Ends an attribute and a tag, whichever it stands in, and begins another.</summary>
    private const string Evil = "'\"><img src=x onerror=alert(1)><script>alert(1)</script>";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Markup_in_whatever_a_manifest_or_Cincopa_says_is_text_on_every_page()
    {
        var id = await server.Database.ImportAsync(ImportState.Finished,
            [RecordState.Imported, RecordState.Failed, RecordState.Unknown, RecordState.Invalid]);
        await FillAsync(id);
        await server.FedAsync(v => v.Id == id && v.Name == Evil);

        foreach (var (path, shown) in new[]
        {
            ("/", true), ($"/?search={Uri.EscapeDataString(Evil)}", true), ($"/imports/{id}", true),
            ($"/imports/{id}/records", true),
            ($"/imports/{id}/records?search={Uri.EscapeDataString(Evil)}&code={Uri.EscapeDataString(Evil)}", true),
            ($"/imports/{id}/records/1", true), ($"/imports/{id}/records/2", true), ($"/imports/{id}/records/3", true),
            ($"/imports/{id}/records/4", true),
            ($"/imports/{id}/fix?code={Uri.EscapeDataString(Evil)}", true),
            ($"/audit?import={id}", true), ("/accounts", true), ("/hangfire/imports", true), ("/hangfire/imports/live", true),
            ("/upload", false),
            ($"/{Uri.EscapeDataString(Evil)}", false),
        })
        {
            using var answer = await server.Client(server.AdminKey).GetAsync(path, Token);
            var html = await answer.Content.ReadAsStringAsync(Token);
            Assert.False(html.Contains("<img src=x", StringComparison.OrdinalIgnoreCase)
                || html.Contains("<script>", StringComparison.OrdinalIgnoreCase), $"{path} holds the markup as markup");
            Assert.False(Regex.IsMatch(html, "(href|src)\\s*=\\s*[\"']?\\s*javascript:", RegexOptions.IgnoreCase),
                $"{path} links to a script");
            Assert.True(!shown || html.Contains("&lt;img src=x onerror=alert(1)&gt;", StringComparison.Ordinal),
                $"{path} does not show the text at all");
        }
    }

    [Fact]
    public void No_component_writes_markup_past_the_encoder()
    {
        var sources = Directory.EnumerateFiles(Path.Combine(Repository.Root, "src", "BulkImporter"), "*.*", SearchOption.AllDirectories)
            .Where(f => f.EndsWith(".razor", StringComparison.Ordinal) || f.EndsWith(".cs", StringComparison.Ordinal)).ToList();
        Assert.Contains(sources, f => f.EndsWith("ImportPage.razor", StringComparison.Ordinal));
        Assert.DoesNotContain(sources, f => Regex.IsMatch(File.ReadAllText(f), "MarkupString|AddMarkupContent|innerHTML|Html\\.Raw"));
    }

    [Fact]
    public void What_is_typed_or_chosen_is_not_told_to_a_handler_that_each_drawing_makes_anew()
    {
        // A tick of a box is seen where it was set; a text that is lost is seen when it is too late.
        var components = Directory.EnumerateFiles(
            Path.Combine(Repository.Root, "src", "BulkImporter"), "*.razor", SearchOption.AllDirectories).ToList();
        var fields = components.SelectMany(f => Regex.Matches(
            File.ReadAllText(f), "<(input|select|textarea)\\b[^<]*?@on(change|input)=\"(?<handler>[^\"]*)\"")
            .Where(m => !m.Value.Contains("type=\"checkbox\"", StringComparison.Ordinal))
            .Select(m => $"{Path.GetFileName(f)}: {m.Groups["handler"].Value}")).ToList();
        Assert.Contains("ReviewForm.razor: OnChange(setting.Name)", fields);
        Assert.DoesNotContain(fields, f => f.Contains("=>", StringComparison.Ordinal));
    }

    [Fact]
    public void No_attribute_of_a_component_holds_an_entity_which_would_be_encoded_once_more()
    {
        // The compiler takes what stands in an attribute as text, so that &amp; in an address becomes &amp;amp; on the page.
        var components = Directory.EnumerateFiles(
            Path.Combine(Repository.Root, "src", "BulkImporter"), "*.razor", SearchOption.AllDirectories).ToList();
        Assert.Contains(components, f => f.EndsWith("CorrectDialog.razor", StringComparison.Ordinal));
        var entities = components.SelectMany(f =>
            Regex.Matches(File.ReadAllText(f), "=\"[^\"]*&#?\\w+;[^\"]*\"").Select(m => $"{Path.GetFileName(f)}: {m.Value}"));
        Assert.Empty(entities);
    }

    [Fact]
    public async Task The_link_to_a_source_is_its_whole_address()
    {
        var id = await server.Database.ImportAsync(ImportState.Finished, [RecordState.Imported]);
        await server.Database.SqlAsync(
            "UPDATE importer.import_record SET source_url = 'https://media.example/watch?v=a1&t=2' WHERE import_id = $1", id);
        using var answer = await server.Client(server.AdminKey).GetAsync($"/imports/{id}/records/1", Token);
        Assert.Contains("href=\"https://media.example/watch?v=a1&amp;t=2\"", await answer.Content.ReadAsStringAsync(Token),
            StringComparison.Ordinal);
    }

    private async Task FillAsync(int id)
    {
        await server.Database.SqlAsync("""
            UPDATE importer.import SET name = $2, reason = $2, created_by = $2, mapping = $2, template = $2, fid = $2 WHERE id = $1
            """, id, Evil);
        await server.Database.SqlAsync(
            "UPDATE importer.manifest SET file_name = $2 WHERE id = (SELECT manifest_id FROM importer.import WHERE id = $1)", id, Evil);
        await server.Database.SqlAsync("""
            UPDATE importer.import_record
            SET source_url = CASE row_number WHEN 4 THEN 'javascript:alert(1)' ELSE 'https://media.example/' || $2 END, caption = $2,
                reference_id = $2, status_id = $2,
                rid = CASE state WHEN 'imported' THEN $2 END, error_message = CASE state WHEN 'imported' THEN NULL ELSE $2 END
            WHERE import_id = $1
            """, id, Evil);
        var now = DateTimeOffset.UtcNow;
        await server.Database.AddAsync([.. Enumerable.Range(1, 3).Select(row => new Attempt
        {
            ImportId = id,
            RowNumber = row,
            Number = 1,
            StartedAt = now,
            Worker = Evil,
            StatusId = Evil,
            Outcome = Evil,
            Message = Evil,
            LookedAt = now,
        })]);
        await server.Database.AddAsync([.. Enumerable.Range(1, 4).Select(row => new RecordMeta
        {
            ImportId = id,
            RowNumber = row,
            Description = Evil,
            LongDescription = Evil,
            Tags = Evil,
            RelatedLinkText = Evil,
            RelatedLinkUrl = "javascript:alert(1)",
            Gallery = Evil,
            Fid = Evil,
            FileName = Evil,
        })]);
        var finish = server.Database.Finish(id, 1, Evil);
        (finish.State, finish.FailedCount, finish.ErrorCode, finish.ErrorMessage) = (FinishState.Failed, 1, Evil, Evil);
        await server.Database.AddAsync(
            finish,
            new StoredFinding
            {
                ImportId = id,
                RowNumber = 4,
                LineNumber = 5,
                ColumnName = Evil,
                Code = "url_invalid",
                Severity = "error",
                Value = Evil,
            },
            new Candidate { ImportId = id, RowNumber = 3, Attempt = 1, Rid = Evil, FileName = Evil, UploadedAt = now, Caption = Evil },
            new Correction { ImportId = id, RowNumber = 2, At = now, Actor = Evil, Field = "caption", OldValue = Evil, NewValue = Evil },
            new AuditEntry { Actor = Evil, Action = "import_started", ImportId = id, Detail = Evil });
        await server.Database.SqlAsync("UPDATE importer.account SET state = 'suspended', reason = $1", Evil);
        await server.Database.SqlAsync("UPDATE importer.call_budget SET blocked_until = now() + interval '1 hour', blocked_reason = $1",
            Evil);
    }
}
