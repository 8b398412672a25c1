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
