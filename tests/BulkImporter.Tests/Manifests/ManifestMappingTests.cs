using BulkImporter.Manifests;

namespace BulkImporter.Tests.Manifests;

public class ManifestMappingTests
{
    [Theory]
    [InlineData("url=OriginalURL,caption=Title", "url=OriginalURL,caption=Title")]
    [InlineData(" caption = Title , url = Original URL ", "url=Original URL,caption=Title")]
    [InlineData("source_url=a,FID=b", "url=a,fid=b")]
    [InlineData("url=\"a,b=\"\"c\"\"\"", "url=\"a,b=\"\"c\"\"\"")]
    [InlineData("reference_id=", "reference_id=")]
    [InlineData("", "")]
    public void Mapping_is_read_and_written_back(string text, string expected)
    {
        Assert.Equal(expected, ManifestMapping.Parse(text).ToString());
        Assert.Equal(expected, ManifestMapping.Parse(expected).ToString());
    }

    [Theory]
    [InlineData("url")]
    [InlineData("url=a,,caption=b")]
    [InlineData("colour=a")]
    [InlineData("url=")]
    [InlineData("url=a,link=b")]
    [InlineData("url=\"a")]
    [InlineData("url=\"a\"b")]
    public void Mapping_is_refused_when_it_cannot_be_meant(string text) =>
        Assert.Equal(RejectionCode.MappingInvalid, Assert.Throws<ManifestRejectedException>(() => ManifestMapping.Parse(text)).Code);

    [Theory]
    [InlineData("original_url")]
    [InlineData("ORIGINAL URL")]
    [InlineData("OriginalUrl")]
    public async Task Column_is_found_however_it_is_spelled(string name)
    {
        var content = await WholeManifest.ReadAsync("nr,Original URL\n1,https://media.example.org/a.mp4\n", $"url={name}");
        Assert.Equal(1, content.Layout.IndexOf(ManifestColumn.Url));
    }

    [Fact]
    public async Task Exact_name_goes_before_a_like_one()
    {
        var content = await WholeManifest.ReadAsync("Film_Url,FilmUrl\nhttps://media.example.org/a.mp4,https://media.example.org/b.mp4\n",
            "url=FilmUrl");
        Assert.Equal(1, content.Layout.IndexOf(ManifestColumn.Url));
    }

    [Fact]
    public async Task Mapped_column_is_not_taken_for_something_else()
    {
        var content = await WholeManifest.ReadAsync("url,title\nhttps://media.example.org/a.mp4,One\n", "description=title");
        Assert.Equal(1, content.Layout.IndexOf(ManifestColumn.Description));
        Assert.Equal(-1, content.Layout.IndexOf(ManifestColumn.Caption));
    }

    [Fact]
    public async Task Column_of_a_manifest_without_header_is_mapped_by_its_number()
    {
        var content = await WholeManifest.ReadAsync("https://media.example.org/a.jpg,https://media.example.org/a.mp4,One\n",
            "url=column2,caption=column3");
        Assert.Equal("https://media.example.org/a.mp4", content.Rows[0].Checked.Url);
        Assert.Equal("One", content.Rows[0].Checked.Caption);
    }

    [Theory]
    [InlineData("\"Link\nto file\",\"Poster\u00A0URL\"")]
    [InlineData("Lin\u200Bk to file,Poster URL")]
    [InlineData("\"Link, to file\",\"Poster \"\"URL\"\"\"")]
    [InlineData(",Poster URL")]
    [InlineData(
        "Link to a file with a name that is so long that no message shows all of it, because whoever made it wanted to say all that "
            + "there is to say in one name,Poster URL")]
    public async Task Names_as_a_message_shows_them_can_be_mapped(string header)
    {
        var text = header + "\nhttps://media.example.org/a.mp4,https://media.example.org/a.jpg\n";
        var rejection = await Assert.ThrowsAsync<ManifestRejectedException>(() => WholeManifest.ReadAsync(text));
        Assert.Equal(RejectionCode.UrlColumnAmbiguous, rejection.Code);
        var example = rejection.Message[(rejection.Message.IndexOf("for example ", StringComparison.Ordinal) + "for example ".Length)..^1];

        Assert.Equal(0, (await WholeManifest.ReadAsync(text, example)).Layout.IndexOf(ManifestColumn.Url));
        for (var index = 0; index < 2; index++)
        {
            var map = ManifestMapping.From([new("url", rejection.Candidates[index])]).ToString();
            Assert.Equal(index, (await WholeManifest.ReadAsync(text, map)).Layout.IndexOf(ManifestColumn.Url));
        }
    }

    [Theory]
    [InlineData("*Source URL:")]
    [InlineData("SOURCE\u00A0URL")]
    [InlineData("Source\u2003\u200BURL\u200E")]
    [InlineData("\"Source\r\nURL\"")]
    public async Task Name_is_known_whatever_white_space_and_unseen_characters_are_in_it(string name) =>
        Assert.Equal(1,
            (await WholeManifest.ReadAsync($"nr,{name}\n1,https://media.example.org/a.mp4\n")).Layout.IndexOf(ManifestColumn.Url));
}
