using BulkImporter.Sources;
using FsCheck;
using FsCheck.Fluent;

namespace BulkImporter.Tests.Sources;

public class SourceKeyTests
{
    [Theory]
    [InlineData("https://media.example.org/a.mp4", "https://media.example.org/a.mp4")]
    [InlineData(" HTTPS://Media.Example.ORG/A.mp4\t", "https://media.example.org/A.mp4")]
    [InlineData("https://media.example.org:443/a", "https://media.example.org/a")]
    [InlineData("http://media.example.org:80/a", "http://media.example.org/a")]
    [InlineData("http://media.example.org:443/a", "http://media.example.org:443/a")]
    [InlineData("https://media.example.org", "https://media.example.org/")]
    [InlineData("https://media.example.org?x=1", "https://media.example.org/?x=1")]
    [InlineData("https://media.example.org/a#t=10", "https://media.example.org/a")]
    [InlineData("https://media.example.org/%c3%a9", "https://media.example.org/%C3%A9")]
    [InlineData("https://media.example.org/é", "https://media.example.org/%C3%A9")]
    [InlineData("https://media.example.org/my clip.mp4", "https://media.example.org/my%20clip.mp4")]
    [InlineData("https://media.example.org/a?b=2&a=1", "https://media.example.org/a?b=2&a=1")]
    [InlineData("100%", "100%")]
    [InlineData("https://media.example.org/100%", "https://media.example.org/100%")]
    [InlineData("Not A Url", "Not A Url")]
    public void Url_is_normalised(string url, string expected) => Assert.Equal(expected, SourceKey.Normalise(url));

    [Theory]
    [InlineData("https://media.example.org/a", "https://media.example.org/A")]
    [InlineData("https://media.example.org/a", "http://media.example.org/a")]
    [InlineData("https://media.example.org/a?x=1&y=2", "https://media.example.org/a?y=2&x=1")]
    [InlineData("https://media.example.org/a", "https://media.example.org/a/")]
    [InlineData("https://media.example.org/a%2Fb", "https://media.example.org/a/b")]
    public void Sources_that_may_differ_keep_different_keys(string one, string other) =>
        Assert.NotEqual(SourceKey.Of(one), SourceKey.Of(other));

    /// <summary>The same file, listed twice, with what each service signs its links with.</summary>
    public static TheoryData<string, string, string> SignedTwice() => new()
    {
        {
            "S3, version 4",
            "https://bucket.s3.amazonaws.com/film1.mp4?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=K%2F20261129%2Feu%2Fs3%2Faws4_request&X-Amz-Date=20261129T000000Z&X-Amz-Expires=604800&X-Amz-SignedHeaders=host&X-Amz-Signature=aaaa",
            "https://bucket.s3.amazonaws.com/film1.mp4?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=K%2F20261130%2Feu%2Fs3%2Faws4_request&X-Amz-Date=20261130T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=bbbb&X-Amz-Security-Token=t&x-id=GetObject"
        },
        {
            "S3, version 2", "https://s3.amazonaws.com/b/a.mp4?AWSAccessKeyId=K&Expires=1&Signature=a%3D",
            "https://s3.amazonaws.com/b/a.mp4?AWSAccessKeyId=L&Signature=b%3D&Expires=2&x-amz-security-token=t"
        },
        {
            "CloudFront, canned", "https://d1.cloudfront.net/a.mp4?Expires=1&Signature=a~&Key-Pair-Id=K",
            "https://d1.cloudfront.net/a.mp4?Expires=2&Signature=b~&Key-Pair-Id=L"
        },
        {
            "CloudFront, custom", "https://cdn.example.org/a.mp4?Policy=e30_&Signature=a&Key-Pair-Id=K",
            "https://cdn.example.org/a.mp4?Policy=e31_&Signature=b&Key-Pair-Id=K"
        },
        {
            "Google, version 4",
            "https://storage.googleapis.com/b/a.mp4?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=c&X-Goog-Date=20261129T000000Z&X-Goog-Expires=60&X-Goog-SignedHeaders=host&X-Goog-Signature=00",
            "https://storage.googleapis.com/b/a.mp4?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=d&X-Goog-Date=20261130T000000Z&X-Goog-Expires=60&X-Goog-SignedHeaders=host&X-Goog-Signature=01"
        },
        {
            "Google, version 2", "https://storage.googleapis.com/b/a.mp4?GoogleAccessId=a%40b&Expires=1&Signature=a",
            "https://storage.googleapis.com/b/a.mp4?GoogleAccessId=a%40b&Expires=2&Signature=b"
        },
        {
            "Azure, a blob", "https://a.blob.core.windows.net/c/a.mp4?sp=r&st=2026-11-29T00:00:00Z&se=2026-11-30T00:00:00Z&spr=https&sv=2024-11-04&sr=b&sig=a%3D",
            "https://a.blob.core.windows.net/c/a.mp4?sv=2025-01-05&sr=b&si=policy&sig=b%3D"
        },
        {
            "Azure, an account", "https://a.blob.core.windows.net/c/a.mp4?sv=2024-11-04&ss=b&srt=o&sp=r&se=2026-11-30T00:00:00Z&sig=a",
            "https://a.blob.core.windows.net/c/a.mp4?sv=2024-11-04&ss=b&srt=sco&sp=rl&se=2027-11-30T00:00:00Z&sig=b"
        },
        { "Alibaba", "https://b.oss-eu.aliyuncs.com/a.mp4?OSSAccessKeyId=K&Expires=1&Signature=a", "https://b.oss-eu.aliyuncs.com/a.mp4?OSSAccessKeyId=K&Expires=2&Signature=b&security-token=t" },
        { "Alibaba, version 4", "https://b.oss-eu.aliyuncs.com/a.mp4?x-oss-date=1&x-oss-expires=2&x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-credential=c&x-oss-signature=a", "https://b.oss-eu.aliyuncs.com/a.mp4?x-oss-date=3&x-oss-expires=2&x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-credential=c&x-oss-signature=b" },
        { "Tencent", "https://b.cos.eu.myqcloud.com/a.mp4?q-sign-algorithm=sha1&q-ak=K&q-sign-time=1;2&q-key-time=1;2&q-header-list=host&q-url-param-list=&q-signature=a", "https://b.cos.eu.myqcloud.com/a.mp4?q-sign-algorithm=sha1&q-ak=K&q-sign-time=3;4&q-key-time=3;4&q-header-list=host&q-url-param-list=&q-signature=b" },
        { "Huawei", "https://b.obs.eu.myhuaweicloud.com/a.mp4?AccessKeyId=K&Expires=1&Signature=a", "https://b.obs.eu.myhuaweicloud.com/a.mp4?AccessKeyId=K&Expires=2&Signature=b" },
        { "Swift", "https://o.example.org/v1/A/c/a.mp4?temp_url_sig=a&temp_url_expires=1", "https://o.example.org/v1/A/c/a.mp4?temp_url_sig=b&temp_url_expires=2" },
        { "Akamai", "https://a.akamaihd.net/a.mp4?hdnts=exp=1~acl=/*~hmac=a", "https://a.akamaihd.net/a.mp4?hdnts=exp=2~acl=/*~hmac=b" },
        { "Akamai, __token__", "https://a.akamaized.net/a.mp4?__token__=exp=1~hmac=a", "https://a.akamaized.net/a.mp4?__token__=exp=2~hmac=b" },
        { "Bunny", "https://z.b-cdn.net/a.mp4?token=a&token_path=%2F&expires=1", "https://z.b-cdn.net/a.mp4?token=HS256-b&expires=2" },
        { "Bunny, in the path", "https://z.b-cdn.net/bcdn_token=a&expires=1&token_path=%2Fx%2F/x/a.mp4", "https://z.b-cdn.net/bcdn_token=b&expires=2&token_path=%2Fx%2F/x/a.mp4" },
        { "KeyCDN", "https://z.kxcdn.com/a.mp4?token=a&expire=1", "https://z.kxcdn.com/a.mp4?token=b&expire=2" },
        { "JW Player", "https://cdn.jwplayer.com/videos/a-b.mp4?exp=1&sig=a", "https://cdn.jwplayer.com/videos/a-b.mp4?exp=2&sig=b" },
        { "a site's own", "https://www.example.org/media/a.mp4?expires=1&signature=a", "https://www.example.org/media/a.mp4?expires=2&signature=b" },
        { "Vimeo, play", "https://player.vimeo.com/play/0a-1b/hd?s=1_2_a&oauth2_token_id=1", "https://player.vimeo.com/play/0a-1b/hd?s=1_3_b&oauth2_token_id=2" },
        { "Vimeo, external", "https://player.vimeo.com/external/1.hd.mp4?s=a&profile_id=174", "https://player.vimeo.com/external/1.hd.mp4?s=b&profile_id=174" },
        { "Vimeo, delivered", "https://vod-progressive.akamaized.net/exp=1~acl=%2Fvimeo%2F%2A~hmac=a/vimeo/1/2.mp4", "https://vod-progressive.akamaized.net/exp=2~acl=%2Fvimeo%2F%2A~hmac=b/vimeo/1/2.mp4" },
        { "Wistia", "https://embed-ssl.wistia.com/deliveries/0a1b.bin?Expires=1&Signature=a&Key-Pair-Id=K", "https://embed-ssl.wistia.com/deliveries/0a1b.bin" },
        { "Firebase", "https://firebasestorage.googleapis.com/v0/b/x/o/a.mp4?alt=media&token=a", "https://firebasestorage.googleapis.com/v0/b/x/o/a.mp4?alt=media&token=b" },
        { "Mux", "https://stream.mux.com/0a/high.mp4?token=a.b.c", "https://stream.mux.com/0a/high.mp4?token=d.e.f" },
        { "Zoom", "https://us02web.zoom.us/rec/download/0a?access_token=a", "https://us02web.zoom.us/rec/download/0a?access_token=b" },
        { "SharePoint", "https://x.sharepoint.com/_layouts/15/download.aspx?UniqueId=1&tempauth=a", "https://x.sharepoint.com/_layouts/15/download.aspx?UniqueId=1&tempauth=b" },
        { "Dropbox", "https://www.dropbox.com/scl/fi/0a/a.mp4?rlkey=k&st=a&dl=0", "https://www.dropbox.com/scl/fi/0a/a.mp4?rlkey=k&st=b&raw=1" },
        { "Google Drive", "https://drive.google.com/uc?export=download&id=0a&confirm=t", "https://drive.google.com/uc?export=download&id=0a&resourcekey=r" },
        { "a place in the film", "https://media.example.org/a.mp4#t=10", "https://media.example.org/a.mp4" },
    };

    [Theory]
    [MemberData(nameof(SignedTwice))]
    public void A_file_signed_anew_is_the_same_source(string service, string one, string other)
    {
        Assert.True(SourceKey.Of(one) == SourceKey.Of(other), $"{service}: {SourceKey.Normalise(one)} | {SourceKey.Normalise(other)}");
        // Another file of the same service is not.
        Assert.NotEqual(SourceKey.Of(one), SourceKey.Of(one.Replace("0a", "0b", StringComparison.Ordinal)
            .Replace("a.mp4", "other.mp4", StringComparison.Ordinal).Replace("a-b", "a-c", StringComparison.Ordinal)
            .Replace("film1", "film2", StringComparison.Ordinal).Replace("/1", "/9", StringComparison.Ordinal)
            .Replace("UniqueId=1", "UniqueId=2", StringComparison.Ordinal)));
    }

    /// <summary>What looks like part of a signature may name the file: then it stays.</summary>
    [Theory]
    [InlineData("https://www.example.org/get?token=a&expires=1", "https://www.example.org/get?token=b&expires=1")]
    [InlineData("https://www.example.org/get?signature=a&expires=1", "https://www.example.org/get?signature=b&expires=1")]
    [InlineData("https://www.example.org/a.mp4?token=a", "https://www.example.org/a.mp4?token=b")]
    [InlineData("https://www.example.org/a.mp4?dl=1", "https://www.example.org/a.mp4?dl=0")]
    [InlineData("https://www.example.org/show?sig=x&se=1&sp=2", "https://www.example.org/show?sig=x&se=2&sp=2")]
    [InlineData("https://www.dropbox.com/request?rlkey=a", "https://www.dropbox.com/request?rlkey=b")]
    [InlineData("https://www.dropbox.com/scl/fo/0a/h?rlkey=k&preview=a.mp4", "https://www.dropbox.com/scl/fo/0a/h?rlkey=k&preview=b.mp4")]
    [InlineData("https://b.s3.amazonaws.com/a.mp4?versionId=1&X-Amz-Signature=a", "https://b.s3.amazonaws.com/a.mp4?versionId=2&X-Amz-Signature=a")]
    [InlineData("https://player.vimeo.com/external/1.mp4?s=a&profile_id=174", "https://player.vimeo.com/external/1.mp4?s=a&profile_id=175")]
    [InlineData("https://b.oss-eu.aliyuncs.com/a.mp4?x-oss-process=video/snapshot&x-oss-signature=a", "https://b.oss-eu.aliyuncs.com/a.mp4?x-oss-signature=a")]
    [InlineData("https://media.example.org/Take#3.mp4", "https://media.example.org/Take#4.mp4")]
    public void What_may_name_the_file_is_kept(string one, string other) => Assert.NotEqual(SourceKey.Of(one), SourceKey.Of(other));

    [Fact]
    public void What_is_left_of_a_signed_link_is_its_address() => Assert.Equal(
        "https://b.s3.amazonaws.com/a.mp4?versionId=1&x=2",
        SourceKey.Normalise("https://b.s3.amazonaws.com/a.mp4?versionId=1&X-Amz-Signature=a&X-Amz-Date=b&x=2"));

    /// <summary>When this fails, what is stored has other keys than what is read: raise the generation, and write the new sum here.</summary>
    [Fact]
    public void A_change_of_the_rules_is_a_new_generation()
    {
        string[] shared = ["https://drive.google.com/file/d/1AbC/view", "https://github.com/a/b/blob/main/c.mp4", "https://1drv.ms/v/s!AbC",
            "https://archive.org/details/a/b.mp4", "https://commons.wikimedia.org/wiki/File:A.webm", "https://storage.cloud.google.com/a/b.mp4"];
        var sum = SourceKey.Of(string.Join('\n', SignedTwice().Select(row => row.Data.Item2).Concat(shared).Select(SourceKey.Normalise)));
        Assert.Equal((1, "a5ffe4f4-6978-f631-533d-4ee9f4e5d315"), (SourceKey.Generation, sum.ToString()));
    }

    [Fact]
    public void Key_is_stable_across_versions() =>
        Assert.Equal("868b23db-4ca5-3f7f-f87a-a8262aeca4e9", SourceKey.Of("https://media.example.org/a.mp4").ToString());

    [Fact]
    public void Normalising_twice_is_normalising_once() => Prop.ForAll(AnyUrl(), url =>
        SourceKey.Normalise(SourceKey.Normalise(url)) == SourceKey.Normalise(url)).QuickCheckThrowOnFailure();

    [Fact]
    public void Key_is_the_same_under_every_rule() => Prop.ForAll(AnyUrl(), url =>
    {
        var key = SourceKey.Of(url);
        var authorityEnd = url.IndexOfAny(['/', '?'], 8) is var at and >= 0 ? at : url.Length;
        var (authority, rest) = (url[..authorityEnd], url[authorityEnd..]);
        return key == SourceKey.Of(authority.ToUpperInvariant() + rest)
            && key == SourceKey.Of(authority + ":443" + rest)
            && key == SourceKey.Of(url + "#fragment")
            && key == SourceKey.Of("  " + url + "\r\n")
            && key == SourceKey.Of(url.Replace("%c3", "%C3", StringComparison.Ordinal))
            && key == SourceKey.Of(SourceKey.Normalise(url));
    }).QuickCheckThrowOnFailure();

    private static Arbitrary<string> AnyUrl() =>
        (from host in Gen.Elements("media.example.org", "a.test", "x-1.example.com")
         from path in Gen.ListOf(Gen.Elements("/", "a", "B", "%c3%a9", "%2F", "é", " x", "%", "🎬", ".", "-"))
         from query in Gen.Elements("", "?", "?x=1&y=%c3", "?q=a b")
         select "https://" + host + (path.Count > 0 ? "/" : "") + string.Concat(path) + query + (query.EndsWith(' ') ? "." : ""))
             .ToArbitrary();
}
