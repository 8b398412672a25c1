using BulkImporter.Imports;
using BulkImporter.Parse;
using BulkImporter.Records;
using BulkImporter.Tests.Manifests;

namespace BulkImporter.Tests.Parse;

/// <summary>Share links become the links of their files when a manifest is read, and a person can take that back host by host.</summary>
public sealed class MadeDirectTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private const string Shared = "url,title\nhttps://drive.google.com/file/d/1AbC/view?usp=sharing,One\nhttps://www.dropbox.com/s/abc/clip.mp4?dl=0,Two\nhttps://drive.google.com/file/d/2DeF/view,Three\nhttps://media.example.org/a.mp4,Four\nhttps://app.box.com/s/abcdef,Five\n";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Links_are_made_direct_when_the_manifest_is_read_and_the_export_keeps_them_as_written()
    {
        var stage = await ManifestStage.OfAsync(database);
        var id = await stage.ReadAsync(Shared);
        Assert.Equal("pending 5", await database.SoundCountsAsync(id));
        Assert.Equal("https://drive.google.com/uc?export=download&id=1AbC https://www.dropbox.com/s/abc/clip.mp4?dl=1", await UrlsAsync(id));
        var findings = await stage.FindingsAsync(id);
        Assert.Equal([(1, "url_made_direct"), (2, "url_made_direct"), (3, "url_made_direct"), (5, "url_share_page")],
            findings.Select(f => (f.Row, f.Code)));
        Assert.Equal("https://drive.google.com/file/d/2DeF/view → https://drive.google.com/uc?export=download&id=2DeF", findings[2].Value);
        Assert.Contains("Box", findings[3].Hint, StringComparison.Ordinal);
        Assert.StartsWith(Shared.Split('\n')[1], (await stage.ExportAsync(id)).Split('\n')[1], StringComparison.Ordinal);
        Assert.Equal(
            [
                new DirectHost("drive.google.com", 2,
                    "https://drive.google.com/file/d/1AbC/view?usp=sharing → https://drive.google.com/uc?export=download&id=1AbC"),
                new DirectHost("www.dropbox.com", 1, "https://www.dropbox.com/s/abc/clip.mp4?dl=0 → https://www.dropbox.com/s/abc/clip.mp4?dl=1"),
            ],
            await new ReadFindings(database.Contexts).DirectHostsAsync(id, Token));
    }

    [Fact]
    public async Task A_host_is_left_as_written_when_a_person_says_so()
    {
        var stage = await ManifestStage.OfAsync(database);
        var id = await stage.ReadAsync(Shared);
        Assert.Equal(new ImportChange.Done(ImportState.Parsing),
            await stage.ReviseAsync(id, new ImportRevision { ["linksAsWritten"] = "drive.google.com" }));
        await stage.ParseAsync(id);
        Assert.Equal("https://drive.google.com/file/d/1AbC/view?usp=sharing https://www.dropbox.com/s/abc/clip.mp4?dl=1", await UrlsAsync(id));
        // What is left a page is warned of.
        Assert.Equal([(1, "url_share_page"), (2, "url_made_direct"), (3, "url_share_page"), (5, "url_share_page")],
            (await stage.FindingsAsync(id)).Select(f => (f.Row, f.Code)));
        await stage.ReviseAsync(id, new ImportRevision { ["linksAsWritten"] = "GOOGLE.com, dropbox.com" });
        await stage.ParseAsync(id);
        // Dropbox works as it is, so nothing is said of it.
        Assert.Equal([(1, "url_share_page"), (3, "url_share_page"), (5, "url_share_page")],
            (await stage.FindingsAsync(id)).Select(f => (f.Row, f.Code)));
        await stage.ReviseAsync(id, new ImportRevision { ["linksAsWritten"] = "*" });
        await stage.ParseAsync(id);
        Assert.DoesNotContain((await stage.FindingsAsync(id)), f => f.Code == "url_made_direct");
    }

    [Fact]
    public async Task A_share_link_and_the_link_of_its_file_are_one_source_and_a_key_in_a_link_is_not_shown()
    {
        var stage = await ManifestStage.OfAsync(database);
        var id = await stage.ReadAsync(
            "url\nhttps://drive.google.com/file/d/1AbC/view?resourcekey=0-secret\nhttps://drive.google.com/uc?export=download&id=1AbC\n");
        Assert.Equal("pending 1, duplicate 1", await database.SoundCountsAsync(id));
        Assert.DoesNotContain("0-secret", (await stage.FindingsAsync(id))[0].Value!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_correction_may_bring_a_share_link()
    {
        var stage = await ManifestStage.OfAsync(database);
        var id = await stage.ReadAsync("url\nhttps://media.example.org/a.mp4\n");
        await stage.StartAsync(id);
        await stage.EndAsync(id, 1, RecordState.Failed);
        Assert.Equal(1, (await stage.CorrectAsync(id, "import_row,url\n1,https://www.dropbox.com/s/abc/clip.mp4?dl=0\n")).Corrected);
        Assert.Equal("https://www.dropbox.com/s/abc/clip.mp4?dl=1",
            await database.OneAsync<string>("SELECT source_url FROM importer.import_record WHERE import_id = $1", id));
    }

    private Task<string> UrlsAsync(int id) => database.OneAsync<string>(
        "SELECT string_agg(source_url, ' ' ORDER BY row_number) FROM importer.import_record WHERE import_id = $1 AND row_number < 3", id);
}
