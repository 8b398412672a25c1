using System.Text;
using BulkImporter.Sources;

namespace BulkImporter.Tests.Sources;

/// <summary>Links as the hosts' own share buttons give them, with the link of the file as each host documents it.</summary>
public sealed class ShareLinksTests
{
    [Theory]
    // Dropbox: dl=1 forces the download.
    [InlineData("https://www.dropbox.com/scl/fi/abc/clip.mp4?rlkey=x&st=y&dl=0", "https://www.dropbox.com/scl/fi/abc/clip.mp4?rlkey=x&st=y&dl=1")]
    [InlineData("https://www.dropbox.com/scl/fi/abc/clip.mp4?rlkey=x", "https://www.dropbox.com/scl/fi/abc/clip.mp4?rlkey=x&dl=1")]
    [InlineData("https://www.dropbox.com/s/abc/clip.mp4?dl=0", "https://www.dropbox.com/s/abc/clip.mp4?dl=1")]
    [InlineData("http://dropbox.com/s/abc/clip.mp4", "https://dropbox.com/s/abc/clip.mp4?dl=1")]
    // Google Drive and Docs: uc?export=download, and the exports of documents.
    [InlineData("https://drive.google.com/file/d/1AbC_d-E/view?usp=sharing", "https://drive.google.com/uc?export=download&id=1AbC_d-E")]
    [InlineData("https://drive.google.com/file/d/1AbC_d-E/view?usp=drive_link&resourcekey=0-k", "https://drive.google.com/uc?export=download&id=1AbC_d-E&resourcekey=0-k")]
    [InlineData("https://drive.google.com/open?id=1AbC_d-E", "https://drive.google.com/uc?export=download&id=1AbC_d-E")]
    [InlineData("https://docs.google.com/file/d/1AbC_d-E/edit", "https://drive.google.com/uc?export=download&id=1AbC_d-E")]
    [InlineData("https://docs.google.com/document/d/1AbC_d-E/edit?tab=t.0", "https://docs.google.com/document/d/1AbC_d-E/export?format=pdf")]
    [InlineData("https://docs.google.com/presentation/d/1AbC_d-E/edit#slide=id.p", "https://docs.google.com/presentation/d/1AbC_d-E/export/pdf")]
    [InlineData("https://docs.google.com/spreadsheets/d/1AbC_d-E/edit#gid=0", "https://docs.google.com/spreadsheets/d/1AbC_d-E/export?format=pdf")]
    // OneDrive: the share named by its link in base64; the link of an embedding code.
    [InlineData("https://1drv.ms/v/s!AbCdEf", "https://api.onedrive.com/v1.0/shares/u!aHR0cHM6Ly8xZHJ2Lm1zL3YvcyFBYkNkRWY/root/content")]
    [InlineData("https://onedrive.live.com/redir?resid=1!2&authkey=!A", "https://api.onedrive.com/v1.0/shares/u!aHR0cHM6Ly9vbmVkcml2ZS5saXZlLmNvbS9yZWRpcj9yZXNpZD0xITImYXV0aGtleT0hQQ/root/content")]
    [InlineData("https://onedrive.live.com/embed?resid=1%212&authkey=%21A", "https://onedrive.live.com/download?resid=1%212&authkey=%21A")]
    // SharePoint: download=1.
    [InlineData("https://example-my.sharepoint.com/:v:/g/personal/someone_example_org/EAbCdEf?e=xYz", "https://example-my.sharepoint.com/:v:/g/personal/someone_example_org/EAbCdEf?e=xYz&download=1")]
    [InlineData("https://example.sharepoint.com/:i:/s/Media/EAbCdEf", "https://example.sharepoint.com/:i:/s/Media/EAbCdEf?download=1")]
    // GitHub, GitLab, Hugging Face: the raw file.
    [InlineData("https://github.com/example/repo/blob/main/blob/clip.mp4", "https://github.com/example/repo/raw/main/blob/clip.mp4")]
    [InlineData("https://gitlab.com/group/sub/repo/-/blob/main/clip.mp4?ref_type=heads", "https://gitlab.com/group/sub/repo/-/raw/main/clip.mp4")]
    [InlineData("https://gitlab.example.org/group/repo/-/blob/main/clip.mp4", "https://gitlab.example.org/group/repo/-/raw/main/clip.mp4")]
    [InlineData("https://huggingface.co/datasets/a/b/blob/main/clip.mp4", "https://huggingface.co/datasets/a/b/resolve/main/clip.mp4")]
    // Wikimedia: Special:FilePath, whatever the wiki's language calls a file.
    [InlineData("https://commons.wikimedia.org/wiki/File:Clip_%28a%29.webm", "https://commons.wikimedia.org/wiki/Special:FilePath/Clip_%28a%29.webm")]
    [InlineData("https://de.wikipedia.org/wiki/Datei:Clip.webm", "https://de.wikipedia.org/wiki/Special:FilePath/Clip.webm")]
    [InlineData("https://commons.wikimedia.org/w/index.php?title=File:Clip.webm&x=1", "https://commons.wikimedia.org/wiki/Special:FilePath/Clip.webm")]
    // Internet Archive: /download/ITEM/FILE.
    [InlineData("https://archive.org/details/item/disc%201/clip.mp4", "https://archive.org/download/item/disc%201/clip.mp4")]
    // The consoles of S3 and Google Cloud Storage.
    [InlineData("https://s3.console.aws.amazon.com/s3/object/media?region=eu-west-1&prefix=films/a+b.mp4", "https://media.s3.eu-west-1.amazonaws.com/films/a%20b.mp4")]
    [InlineData("https://eu-west-1.console.aws.amazon.com/s3/object/media.example.org?region=eu-west-1&bucketType=general&prefix=films%2Fa.mp4", "https://s3.eu-west-1.amazonaws.com/media.example.org/films/a.mp4")]
    [InlineData("https://console.cloud.google.com/storage/browser/_details/media/films/a.mp4;tab=live_object?project=p", "https://storage.googleapis.com/media/films/a.mp4")]
    [InlineData("https://storage.cloud.google.com/media/films/a.mp4", "https://storage.googleapis.com/media/films/a.mp4")]
    public void A_share_link_is_made_direct_as_its_host_documents_it(string link, string direct)
    {
        Assert.Equal(direct, Of(link)?.Direct);
        // What was made is left alone, and is the same source.
        Assert.Null(Of(direct));
        Assert.Equal(SourceKey.Of(link), SourceKey.Of(direct));
    }

    [Theory]
    [InlineData("https://www.dropbox.com/sh/abc/def?dl=0", "Share each file")]
    [InlineData("https://www.dropbox.com/scl/fo/abc/h?rlkey=x&dl=0", "Share each file")]
    [InlineData("https://drive.google.com/drive/folders/1AbC", "not of its folder")]
    [InlineData("https://photos.google.com/share/AbC", "push them")]
    [InlineData("https://photos.app.goo.gl/AbCdEf", "push them")]
    [InlineData("https://1drv.ms/v/c/abc/EAbCdEf", "embedding code")]
    [InlineData("https://example.sharepoint.com/:f:/s/Media/EAbCdEf", "anyone who has the link")]
    [InlineData("https://example.sharepoint.com/sites/Media/_layouts/15/stream.aspx?id=%2Fa.mp4", "anyone who has the link")]
    [InlineData("https://app.box.com/s/abcdefabcdef", "direct link")]
    [InlineData("https://example.box.com/s/abcdefabcdef", "direct link")]
    [InlineData("https://github.com/example/repo/tree/main/films", "Raw")]
    [InlineData("https://archive.org/details/item", "Show all")]
    [InlineData("https://s3.console.aws.amazon.com/s3/buckets/media?region=eu-west-1", "presigned")]
    [InlineData("https://console.cloud.google.com/storage/browser/media", "signed link")]
    [InlineData("https://us02web.zoom.us/rec/share/abc", "Zoom's API")]
    [InlineData("https://example.wistia.com/medias/abc", "Data API")]
    [InlineData("https://fast.wistia.net/embed/iframe/abc", "Data API")]
    [InlineData("https://www.icloud.com/iclouddrive/0abc", "push it")]
    [InlineData("https://mega.nz/file/abcd", "push it")]
    [InlineData("https://we.tl/t-abc", "push it")]
    public void What_cannot_be_made_direct_says_what_to_do(string link, string advice)
    {
        var share = Of(link);
        Assert.NotNull(share);
        Assert.Null(share.Direct);
        Assert.Contains(advice, share.Advice, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://www.dropbox.com/scl/fi/abc/clip.mp4?rlkey=x&raw=1")]
    [InlineData("https://dl.dropboxusercontent.com/scl/fi/abc/clip.mp4?rlkey=x")]
    [InlineData("https://drive.usercontent.google.com/download?id=1AbC&export=download&confirm=t")]
    [InlineData("https://app.box.com/shared/static/abc.mp4")]
    [InlineData("https://raw.githubusercontent.com/example/repo/main/clip.mp4")]
    [InlineData("https://upload.wikimedia.org/wikipedia/commons/a/ab/Clip.webm")]
    [InlineData("https://embed-ssl.wistia.com/deliveries/abc.bin")]
    [InlineData("https://notdropbox.com/s/abc/clip.mp4?dl=0")]
    [InlineData("https://media.example.org/file/d/1AbC/view")]
    [InlineData("https://storage.googleapis.com/media/a.mp4")]
    public void A_link_that_gives_the_file_is_left_alone(string link) => Assert.Null(Of(link));

    [Fact]
    public void A_page_that_a_probe_meets_has_the_advice_of_its_host() =>
        Assert.Equal((true, true, true),
            (ShareLinks.AdviceOf("drive.usercontent.google.com")!.Contains("virus scan", StringComparison.Ordinal),
                ShareLinks.AdviceOf("www.dropbox.com") is not null, ShareLinks.AdviceOf("media.example.org") is null));

    [Theory]
    [InlineData("<!DOCTYPE html><title>x", true)]
    [InlineData("\uFEFF \r\n<!-- a --><HTML lang=en>", true)]
    [InlineData("<?xml version=\"1.0\"?>\n<html xmlns=\"x\">", true)]
    [InlineData("<?xml version=\"1.0\"?><svg>", false)]
    [InlineData("<!-- never closed <html>", false)]
    [InlineData("WEBVTT", false)]
    [InlineData("", false)]
    public void A_page_is_told_by_its_first_bytes(string first, bool isPage) =>
        Assert.Equal(isPage, MediaBytes.IsPage(Encoding.UTF8.GetBytes(first)));

    [Fact]
    public void A_film_is_told_by_its_first_bytes() =>
        Assert.Equal((true, true, false), (MediaBytes.IsMedia("\0\0\0\u0018ftypmp42"u8), MediaBytes.IsMedia("RIFF....WAVE"u8),
            MediaBytes.IsMedia("<html>"u8)));

    private static ShareLink? Of(string url) => ShareLinks.Of(Encoding.UTF8.GetBytes(url));
}
