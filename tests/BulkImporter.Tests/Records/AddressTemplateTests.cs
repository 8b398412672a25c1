using BulkImporter.Data;
using BulkImporter.Records;

namespace BulkImporter.Tests.Records;

public sealed class AddressTemplateTests
{
    [Theory]
    [InlineData("https://x.test/{rid}.m3u8", "https://x.test/a%2Fb%20-_.m3u8")]
    [InlineData("https://x.test/?fid={fid}!{rid}", "https://x.test/?fid=F%261!a%2Fb%20-_")]
    [InlineData("https://x.test/{reference_id}/{rid}/{rid}", "https://x.test/R1/a%2Fb%20-_/a%2Fb%20-_")]
    public void Places_are_filled_and_encoded(string template, string address) =>
        Assert.Equal(address, AddressTemplate.Parse("page", template).Of("a/b -_", "F&1", "R1"));

    [Theory]
    [InlineData("https://x.test/{fid}/{rid}", null, "R1")]
    [InlineData("https://x.test/{reference_id}", "F1", null)]
    [InlineData("https://x.test/{reference_id}", "F1", "")]
    public void There_is_no_address_without_what_it_needs(string template, string? fid, string? referenceId) =>
        Assert.Null(AddressTemplate.Parse("page", template).Of("rid", fid, referenceId));

    [Theory]
    [InlineData("")]
    [InlineData("https://x.test/{rid}/{title}")]
    [InlineData("https://x.test/{rid")]
    [InlineData("https://x.test/{rid}{}")]
    [InlineData("https://x.test/all")]
    [InlineData("https://x.test/{fid}")]
    [InlineData("https://x.test/a {rid}")]
    [InlineData("ftp://x.test/{rid}")]
    [InlineData("javascript:alert('{rid}')")]
    [InlineData("//x.test/{rid}")]
    [InlineData("watch/{rid}")]
    public void What_is_no_address_of_each_asset_is_refused(string template) =>
        Assert.Equal("page", Assert.Throws<InvalidArgumentException>(() => AddressTemplate.Parse("page", template, mayBePath: true)).Argument);

    [Fact]
    public void A_path_of_the_site_itself_is_taken_only_where_it_may_be_one()
    {
        Assert.Equal("/watch/rid", AddressTemplate.Parse("page", "/watch/{rid}", mayBePath: true).Of("rid", null, null));
        Assert.Throws<InvalidArgumentException>(() => AddressTemplate.Parse("hls", "/watch/{rid}"));
    }

    [Theory]
    [InlineData(null, "https://m.test/a.mp4", true)]
    [InlineData(null, "https://m.test/download?id=7", true)]
    [InlineData(null, "https://m.test/a.JPG?x=.mp4", false)]
    [InlineData(null, "https://m.test/a.pdf#page", false)]
    [InlineData("image", "https://m.test/a.mp4", false)]
    [InlineData("audio", "https://m.test/a.jpg", true)]
    public void A_playlist_is_there_for_films_and_sounds(string? type, string url, bool plays)
    {
        Assert.Equal(plays ? "https://rt.cincopa.com/A%21.m3u8" : null, new PlayerSettings().HlsOf("A!", type, url));
    }

    [Fact]
    public void An_embed_plays_with_the_template_of_the_account_before_the_gallery_of_the_row()
    {
        Assert.Null(new PlayerSettings().EmbedOf("A1", null));
        Assert.Equal("https://www.cincopa.com/media-platform/iframe.aspx?fid=G1!A1", new PlayerSettings().EmbedOf("A1", "G1"));
        Assert.Equal("https://www.cincopa.com/media-platform/iframe.aspx?fid=T1!A1",
            new PlayerSettings { PlayerTemplate = "T1" }.EmbedOf("A1", "G1"));
    }
}
