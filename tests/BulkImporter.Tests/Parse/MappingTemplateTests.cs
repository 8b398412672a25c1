using System.Text;
using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Parse;
using BulkImporter.Tests.Manifests;

namespace BulkImporter.Tests.Parse;

/// <summary>What an operator settled once, about columns or encoding, and what is made of it.</summary>
public sealed class MappingTemplateTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private const string TwoLinks = "page,file,label\nhttps://media.example/p.html,https://media.example/1.mp4,One\n";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_saved_mapping_is_chosen_for_the_next_manifest_with_the_same_header_and_for_no_other()
    {
        var stage = await ManifestStage.OfAsync(database);
        var first = await stage.ReadAsync(TwoLinks);
        Assert.Equal("rejected", await database.ImportStateAsync(first));
        await Assert.ThrowsAsync<InvalidArgumentException>(() => SaveAsync(stage, first));
        await stage.ReviseAsync(first, new ImportRevision { ["map"] = "url=file,caption=label" });
        await stage.ParseAsync(first);
        Assert.Equal("url=file,caption=label", (await SaveAsync(stage, first))!.Mapping);

        var second = await stage.ReadAsync(TwoLinks.Replace("page,file,label", " Page ,FILE,label", StringComparison.Ordinal));
        Assert.Equal("review url=file,caption=label Old platform", await SettingsAsync(second));
        Assert.Equal("https://media.example/1.mp4",
            await database.OneAsync<string>("SELECT source_url FROM importer.import_record WHERE import_id = $1", second));
        Assert.Equal("rejected", await SettingsAsync(await stage.ReadAsync(TwoLinks.Replace("label", "title", StringComparison.Ordinal))));
        Assert.Equal("rejected", await SettingsAsync(await (await ManifestStage.OfAsync(database)).ReadAsync(TwoLinks)));
        // A mapping that somebody names is his word, also the empty one: go by the header.
        Assert.Equal("review url=page", await SettingsAsync(await stage.ReadAsync(TwoLinks, i => i with { Mapping = "url=page" })));
        await stage.ReviseAsync(second, new ImportRevision { ["map"] = "" });
        await stage.ParseAsync(second);
        Assert.Equal("rejected", (await SettingsAsync(second)).Trim());
    }

    [Fact]
    public async Task A_template_is_found_whatever_white_space_and_unseen_characters_are_in_the_header()
    {
        var stage = await ManifestStage.OfAsync(database);
        const string rows = "\nhttps://media.example/1.jpg,https://media.example/1.mp4\n";
        var first = await stage.ReadAsync("\"Poster\nURL\",\"Link\u00A0to file\"" + rows);
        await stage.ReviseAsync(first, new ImportRevision { ["map"] = "url=Link to file" });
        await stage.ParseAsync(first);
        await SaveAsync(stage, first);

        var second = await stage.ReadAsync("Poster URL,\u200Blink to  file" + rows);
        Assert.Equal("https://media.example/1.mp4",
            await database.OneAsync<string>("SELECT source_url FROM importer.import_record WHERE import_id = $1", second));
    }

    [Fact]
    public async Task Columns_without_names_are_shown_by_number_and_can_be_chosen()
    {
        var stage = await ManifestStage.OfAsync(database);
        var id = await stage.ReadAsync("nr,,\n1,https://media.example/1.jpg,https://media.example/1.mp4\n");
        var preview = (await stage.Preview.RunAsync(id, 5, Token))!;
        Assert.Contains("column2, column3", preview.Question, StringComparison.Ordinal);
        await stage.ReviseAsync(id, new ImportRevision { ["map"] = "url=column3" });
        await stage.ParseAsync(id);
        Assert.Equal("url=column3", (await SaveAsync(stage, id))!.Mapping);
        Assert.Equal("https://media.example/1.mp4",
            await database.OneAsync<string>("SELECT source_url FROM importer.import_record WHERE import_id = $1", id));
    }

    [Fact]
    public async Task Templates_are_listed_replaced_by_name_and_deleted()
    {
        var stage = await ManifestStage.OfAsync(database);
        var id = await stage.ReadAsync(TwoLinks, i => i with { Mapping = "url=file" });
        await SaveAsync(stage, id);
        await stage.ReviseAsync(id, new ImportRevision { ["map"] = "url=page" });
        await stage.ParseAsync(id);
        await SaveAsync(stage, id);
        var read = new ReadTemplates(database.Contexts);
        var only = Assert.Single((await read.RunAsync(stage.Account, Token))!);
        Assert.Equal(("Old platform", "url=page", "page,file,label", "ann"),
            (only.Name, only.Mapping.Split(',')[0], string.Join(',', only.Columns), only.CreatedBy));
        Assert.Null(await read.RunAsync("nobody", Token));

        var delete = new DeleteTemplate(database.Contexts);
        Assert.True(await delete.RunAsync(stage.Account, "Old platform", "ann", Token));
        Assert.False(await delete.RunAsync(stage.Account, "Old platform", "ann", Token));
        Assert.Equal("rejected", await SettingsAsync(await stage.ReadAsync(TwoLinks)));
    }

    [Fact]
    public async Task A_manifest_in_Windows_1252_is_offered_shown_and_read_when_that_is_asked_for()
    {
        var stage = await ManifestStage.OfAsync(database);
        var western = CodePagesEncodingProvider.Instance.GetEncoding(1252)!;
        var id = await stage.ReadAsync(western.GetBytes("url,title\nhttps://media.example/1.mp4,Café – 5 €\n"));
        Assert.Equal("rejected", await database.ImportStateAsync(id));
        var reason = await database.OneAsync<string>("SELECT reason FROM importer.import WHERE id = $1", id);
        Assert.Contains("Café – 5 €", reason, StringComparison.Ordinal);
        Assert.Contains("encoding=windows-1252", reason, StringComparison.Ordinal);
        var preview = (await stage.Preview.RunAsync(id, 5, Token))!;
        Assert.Equal(("windows-1252", reason, "Café – 5 €"), (preview.Encoding, preview.Question, preview.Rows[0].Cells[1]));

        await stage.ReviseAsync(id, new ImportRevision { ["encoding"] = "windows-1252" });
        await stage.ParseAsync(id);
        Assert.Equal("pending 1", await database.SoundCountsAsync(id));
        Assert.Equal("Café – 5 €", await database.OneAsync<string>("SELECT caption FROM importer.import_record WHERE import_id = $1", id));
        Assert.StartsWith("https://media.example/1.mp4,Café – 5 €,1,pending,", (await stage.ExportAsync(id))
            .Split('\n')[1], StringComparison.Ordinal);
        Assert.Equal("encoding",
            (await Assert.ThrowsAsync<InvalidArgumentException>(() =>
                stage.ReviseAsync(id, new ImportRevision { ["encoding"] = "ebcdic" }))).Argument);
    }

    private Task<TemplateView?> SaveAsync(ManifestStage stage, int id) =>
        new SaveTemplate(database.Contexts, stage.Preview, TimeProvider.System).RunAsync(id, "Old platform", "ann", Token);

    private Task<string> SettingsAsync(int id) =>
        database.OneAsync<string>("SELECT concat_ws(' ', state, mapping, template) FROM importer.import WHERE id = $1", id);
}
