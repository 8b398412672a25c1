using System.Text;
using BulkImporter.Manifests;
using BulkImporter.Sources;
using FsCheck;
using FsCheck.Fluent;

namespace BulkImporter.Tests.Sources;

public class SourceUrlRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 15, 12, 0, 0, TimeSpan.Zero);

    private static readonly SourceUrlRules Rules = new(new ManifestOptions());

    [Theory]
    [InlineData("https://media.example.org/a.mp4")]
    [InlineData("HTTP://Media.Example.org:8080/a%20b.mp4?x=1#t=3")]
    [InlineData("https://media.example.org")]
    [InlineData("https://8.8.8.8/a.mp4")]
    [InlineData("http://134744072/a.mp4")]
    [InlineData("https://172.32.0.1/a.mp4")]
    [InlineData("https://[2606:4700::1111]/a.mp4")]
    [InlineData("https://münchen.example/a.mp4")]
    [InlineData("https://media.example.org/private/10.0.0.1/localhost")]
    [InlineData("https://localhost.example.org/a.mp4")]
    [InlineData("https://notyoutube.com/watch")]
    [InlineData("https://player.vimeo.com/external/1234.hd.mp4?s=abc")]
    [InlineData("https://player.vimeo.com/progressive_redirect/playback/1/rendition/720p?loc=external")]
    [InlineData("https://cdn.loom.com/sessions/raw/abc.MP4?v=2")]
    [InlineData("https://media.example.org/a.mp4?Expires=1")]
    [InlineData("https://media.example.org/a.mp4?se=2001-01-01")]
    [InlineData("https://media.example.org/a@b.mp4")]
    [InlineData("https://media.example.org/a\\@b.mp4")]
    [InlineData("https://media.example.org/a,b;c.mp4")]
    public void Nothing_is_found_in_a_url_in_order(string url) => Assert.Empty(Rules.Check(url, Now));

    [Theory]
    [InlineData("", FindingCode.UrlMissing)]
    [InlineData("   ", FindingCode.UrlMissing)]
    [InlineData("a.mp4", FindingCode.UrlNotAbsolute)]
    [InlineData("//media.example.org/a.mp4", FindingCode.UrlNotAbsolute)]
    [InlineData("media.example.org/a.mp4", FindingCode.UrlNotAbsolute)]
    [InlineData("media.example.org:8080/a.mp4", FindingCode.UrlNotAbsolute)]
    [InlineData("https:/media.example.org/a.mp4", FindingCode.UrlNotAbsolute)]
    [InlineData("https://", FindingCode.UrlNotAbsolute)]
    [InlineData("https:///a.mp4", FindingCode.UrlNotAbsolute)]
    [InlineData("ftp://media.example.org/a.mp4", FindingCode.UrlScheme)]
    [InlineData("s3://bucket/a.mp4", FindingCode.UrlScheme)]
    [InlineData("file:///etc/passwd", FindingCode.UrlScheme)]
    [InlineData("data:video/mp4;base64,AAAA", FindingCode.UrlScheme)]
    [InlineData("C:\\media\\a.mp4", FindingCode.UrlScheme)]
    [InlineData("https://me:secret@media.example.org/a.mp4", FindingCode.UrlCredentials)]
    [InlineData("https://token@media.example.org/a.mp4", FindingCode.UrlCredentials)]
    [InlineData("https://media.example.org:99999/a.mp4", FindingCode.UrlMalformed)]
    [InlineData("https://media.example.org:http/a.mp4", FindingCode.UrlMalformed)]
    [InlineData("https://media example.org/a.mp4", FindingCode.UrlMalformed)]
    [InlineData("https://media..example.org/a.mp4", FindingCode.UrlMalformed)]
    [InlineData("https://media.example.org/a\nb.mp4", FindingCode.UrlMalformed)]
    [InlineData("https://[::1/a.mp4", FindingCode.UrlMalformed)]
    [InlineData("https://media.example%00.org/a.mp4", FindingCode.UrlMalformed)]
    [InlineData("https://media.example\0.org/a.mp4", FindingCode.UrlMalformed)]
    [InlineData("https://media.example.org%2F@evil.example/a.mp4", FindingCode.UrlCredentials)]
    [InlineData("https://media.example.org\\@evil.example/a.mp4", FindingCode.UrlMalformed)]
    [InlineData("https://media.example.org\\a.mp4", FindingCode.UrlMalformed)]
    [InlineData("https://media.example.org:443\\.evil.example/a.mp4", FindingCode.UrlMalformed)]
    [InlineData("https://media.example.org/my clip.mp4", FindingCode.UrlUnencodedSpace)]
    [InlineData("https://media.example.org/a.mp4,", FindingCode.UrlEndsWithSeparator)]
    [InlineData("https://media.example.org/a.mp4?x=1;", FindingCode.UrlEndsWithSeparator)]
    public void One_problem_is_named(string url, FindingCode code) => Assert.Equal([code], Rules.Check(url, Now));

    [Theory]
    [InlineData("localhost")]
    [InlineData("LOCALHOST.")]
    [InlineData("app.localhost")]
    [InlineData("nas.local")]
    [InlineData("metadata.google.internal")]
    [InlineData("fileserver")]
    [InlineData("127.0.0.1")]
    [InlineData("127.1")]
    [InlineData("0x7f.0.0.1")]
    [InlineData("0177.0.0.1")]
    [InlineData("2130706433")]
    [InlineData("0x7f000001")]
    [InlineData("0")]
    [InlineData("10.1.2.3")]
    [InlineData("172.31.255.255")]
    [InlineData("192.168.0.1.")]
    [InlineData("169.254.169.254")]
    [InlineData("100.64.0.1")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("%31%32%37.0.0.1")]
    [InlineData("１２７。０。０。１")]
    [InlineData("①②⑦.0.0.1")]
    [InlineData("ⓛocalhost")]
    [InlineData("[::1]")]
    [InlineData("[::]")]
    [InlineData("[fe80::1]")]
    [InlineData("[fd00::1]")]
    [InlineData("[::ffff:10.0.0.1]")]
    [InlineData("[::ffff:7f00:1]")]
    [InlineData("[64:ff9b::a00:1]")]
    [InlineData("[2002:a00:1::]")]
    public void Host_of_an_inner_network_is_refused_unless_allowed(string host)
    {
        var url = $"http://{host}:8080/a.mp4";
        Assert.Equal([FindingCode.UrlHostPrivate], Rules.Check(url, Now));
        Assert.Empty(new SourceUrlRules(new ManifestOptions { AllowPrivateHosts = true }).Check(url, Now));
    }

    [Theory]
    [InlineData("https://www.youtube.com/watch?v=dQw4w9WgXcQ")]
    [InlineData("https://m.youtube.com/shorts/abc")]
    [InlineData("https://YOUTU.BE/dQw4w9WgXcQ")]
    [InlineData("https://www.youtube-nocookie.com/embed/abc")]
    [InlineData("https://vimeo.com/76979871")]
    [InlineData("https://player.vimeo.com/video/76979871")]
    [InlineData("https://www.dailymotion.com/video/x7tgad0")]
    [InlineData("https://www.facebook.com/watch/?v=1")]
    [InlineData("https://www.tiktok.com/@someone/video/1")]
    [InlineData("https://www.loom.com/share/abc")]
    public void Watch_page_is_refused(string url) => Assert.Equal([FindingCode.UrlConsumerVideoSite], Rules.Check(url, Now));

    public static TheoryData<string, string> SignedLinks => new()
    {
        { "S3 version 4", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={0:yyyyMMdd'T'HHmmss'Z'}&X-Amz-Expires=0&X-Amz-Signature=ab" },
        { "S3 version 2", "AWSAccessKeyId=AK&Expires={1}&Signature=ab" },
        { "GCS version 4", "X-Goog-Date={0:yyyyMMdd'T'HHmmss'Z'}&X-Goog-Expires=0&X-Goog-Signature=ab" },
        { "GCS version 2", "GoogleAccessId=a@b&Expires={1}&Signature=ab" },
        { "Azure", "sv=2022-11-02&se={0:yyyy-MM-dd'T'HH'%3A'mm'%3A'ss'Z'}&sr=b&sp=r&sig=ab" },
        { "CloudFront", "Expires={1}&Signature=ab&Key-Pair-Id=K1" },
        { "CloudFront with a policy", "Policy={2}&Signature=ab&Key-Pair-Id=K1" },
    };

    [Theory, MemberData(nameof(SignedLinks))]
    public void Signed_link_is_judged_by_its_end(string kind, string query)
    {
        Assert.NotEmpty(kind);
        Assert.Equal([FindingCode.UrlExpired], Rules.Check(Signed(query, Now), Now));
        Assert.Equal([FindingCode.UrlExpiresSoon], Rules.Check(Signed(query, Now.AddSeconds(1)), Now));
        Assert.Equal([FindingCode.UrlExpiresSoon], Rules.Check(Signed(query, Now.AddHours(24)), Now));
        Assert.Empty(Rules.Check(Signed(query, Now.AddHours(24).AddSeconds(1)), Now));
    }

    [Theory]
    [InlineData("X-Amz-Date=20260115T120000Z&X-Amz-Expires=99999999999999999999&X-Amz-Signature=a")]
    [InlineData("X-Amz-Date=yesterday&X-Amz-Expires=60&X-Amz-Signature=a")]
    [InlineData("Expires=999999999999999&Signature=a")]
    [InlineData("Expires=-5&Signature=a")]
    [InlineData("Policy=%%%&Signature=a")]
    [InlineData("Policy=bm90anNvbg__&Signature=a")]
    [InlineData("se=sometime&sig=a")]
    public void Unreadable_end_is_no_finding(string query) => Assert.Empty(Rules.Check("https://media.example.org/a.mp4?" + query, Now));

    [Fact]
    public void Encoded_length_decides_at_the_limit()
    {
        var prefix = "https://media.example.org/";
        var fits = prefix + new string('a', 1800 - Uri.EscapeDataString(prefix).Length);
        Assert.Empty(Rules.Check(fits, Now));
        Assert.Equal([FindingCode.UrlTooLong], Rules.Check(fits + "a", Now));
        Assert.Equal([FindingCode.UrlTooLong], Rules.Check(fits[..^2] + "é", Now));
    }

    [Fact]
    public void Several_problems_are_all_named() => Assert.Equal(
        [FindingCode.UrlCredentials, FindingCode.UrlTooLong, FindingCode.UrlUnencodedSpace, FindingCode.UrlHostPrivate,
            FindingCode.UrlExpired],
        Rules.Check("http://me@10.0.0.1/a b?Expires=1&Signature=" + new string('a', 1800), Now));

    [Fact]
    public void Encoded_length_is_that_of_EscapeDataString_for_any_text()
    {
        Prop.ForAll<NonNull<string>>(text =>
        {
            var wellFormed = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text.Get));
            return SourceUrlRules.EncodedLength(Encoding.UTF8.GetBytes(wellFormed)) == Uri.EscapeDataString(wellFormed).Length;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Any_text_is_judged_without_an_exception()
    {
        Prop.ForAll<NonNull<string>, NonNull<string>>((host, rest) =>
            Rules.Check($"https://{host.Get}/{rest.Get}", Now).Count <= SourceUrlRules.MaxProblems
                && Rules.Check(rest.Get, Now).Count <= SourceUrlRules.MaxProblems)
            .QuickCheckThrowOnFailure();
    }

    private static string Signed(string query, DateTimeOffset end)
    {
        var policy =
            Convert.ToBase64String(
                Encoding.UTF8.GetBytes("{\"Statement\":[{\"Resource\":\"*\",\"Condition\":{\"DateLessThan\":{\"AWS:EpochTime\":"
                    + end.ToUnixTimeSeconds() + "}}}]}"))
            .Replace('+', '-').Replace('=', '_').Replace('/', '~');
        return "https://media.example.org/a.mp4?"
            + string.Format(System.Globalization.CultureInfo.InvariantCulture, query, end.UtcDateTime, end.ToUnixTimeSeconds(), policy);
    }
}
