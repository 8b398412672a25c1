using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Tracing;
using System.Globalization;
using Cincopa.Client;
using static BulkImporter.Tests.Client.ClientUnderTest;

namespace BulkImporter.Tests.Client;

public sealed class RedactTests
{
    [Theory]
    [InlineData("https://api.cincopa.com/v2/ping.json?api_token=999iother", "https://api.cincopa.com/v2/ping.json?api_token=***")]
    [InlineData("GET /v2/x?a=1&API_TOKEN=999iother&b=2 failed", "GET /v2/x?a=1&API_TOKEN=***&b=2 failed")]
    [InlineData("api_token=999iother", "api_token=***")]
    [InlineData("""{"api_token":"999iother","a":1}""", """{"api_token":"***","a":1}""")]
    [InlineData("""{"api_token" : "999iother"}""", """{"api_token" : "***"}""")]
    [InlineData("""{"u":"x?a=1\u0026api_token=999i\u0026b=2"}""", """{"u":"x?a=1\u0026api_token=***\u0026b=2"}""")]
    [InlineData("<a href=\"/x?a=1&amp;api_token=999i&amp;b=2\">", "<a href=\"/x?a=1&amp;api_token=***&amp;b=2\">")]
    [InlineData("x?next=%2Fv2%3Fapi_token%3D999i%26b%3D2", "x?next=%2Fv2%3Fapi_token%3D***%26b%3D2")]
    [InlineData("x?next=%252Fv2%253Fapi_token%253D999i%2526b%253D2", "x?next=%252Fv2%253Fapi_token%253D***%2526b%253D2")]
    [InlineData("https://mediaupload.cincopa.com/post.jpg?uid=1&d=AAAB&hash=cafe&addtofid=0",
        "https://mediaupload.cincopa.com/post.jpg?uid=1&d=***&hash=***&addtofid=0")]
    [InlineData("https://b.s3.amazonaws.com/k.mp4?X-Amz-Credential=AK%2F2025&X-Amz-Expires=60&X-Amz-Signature=cafe",
        "https://b.s3.amazonaws.com/k.mp4?X-Amz-Credential=***&X-Amz-Expires=60&X-Amz-Signature=***")]
    [InlineData("https://b.s3.amazonaws.com/k?X-Amz-Security-Token=abc%2Bdef%3D%3D#t",
        "https://b.s3.amazonaws.com/k?X-Amz-Security-Token=***")]
    [InlineData("https://b.s3.amazonaws.com/k?AWSAccessKeyId=AK&Expires=1&Signature=ab%3D",
        "https://b.s3.amazonaws.com/k?AWSAccessKeyId=***&Expires=1&Signature=***")]
    [InlineData("https://storage.googleapis.com/b/k?X-Goog-Signature=cafe&X-Goog-Date=1",
        "https://storage.googleapis.com/b/k?X-Goog-Signature=***&X-Goog-Date=1")]
    [InlineData("https://a.blob.core.windows.net/c/k?sv=2024&sig=ab%2Fcd%3D&se=2025",
        "https://a.blob.core.windows.net/c/k?sv=2024&sig=***&se=2025")]
    [InlineData("https://d.cloudfront.net/k?Policy=eyJ&Signature=ab~&Key-Pair-Id=AP",
        "https://d.cloudfront.net/k?Policy=***&Signature=***&Key-Pair-Id=***")]
    [InlineData("input=https%3A%2F%2Fb%2Fk%3FX-Amz-Signature%3Dcafe%26a%3D1&fid=F",
        "input=https%3A%2F%2Fb%2Fk%3FX-Amz-Signature%3D***%26a%3D1&fid=F")]
    [InlineData("https://t.sharepoint.com/d.aspx?UniqueId=1&tempauth=v1.eyJ", "https://t.sharepoint.com/d.aspx?UniqueId=1&tempauth=***")]
    [InlineData("https://www.dropbox.com/scl/fi/a/b.mp4?rlkey=abc&st=x&dl=1", "https://www.dropbox.com/scl/fi/a/b.mp4?rlkey=***&st=x&dl=1")]
    [InlineData("https://b.oss.test/k?x-oss-security-token=a&x-oss-credential=b&x-oss-date=1",
        "https://b.oss.test/k?x-oss-security-token=***&x-oss-credential=***&x-oss-date=1")]
    [InlineData("https://b.cos.test/k?q-sign-time=1&q-signature=cafe", "https://b.cos.test/k?q-sign-time=1&q-signature=***")]
    [InlineData("https://drive.test/f?resourcekey=0-a&oauth_token=b&session_token=c", "https://drive.test/f?resourcekey=***&oauth_token=***&session_token=***")]
    [InlineData("cannot read https://ann:pa55@host.test/a.mp4 now", "cannot read https://***@host.test/a.mp4 now")]
    [InlineData("input=https%3A%2F%2Fann%3Apa55%40host.test%2Fa.mp4", "input=https%3A%2F%2F***@host.test%2Fa.mp4")]
    public void Secret_is_redacted_wherever_it_stands(string text, string redacted) =>
        Assert.Equal(redacted, Redact.Line(text, Token, 500));

    [Theory]
    [InlineData("https://cdn.test/a%20b.mp4?width=10&id=5&end=3&method=GET&Expires=9")]
    [InlineData("https://cdn.test/token/hash/d/signature.mp4")]
    [InlineData("invalid token")]
    [InlineData("HTTP 404 at 12:30, mail someone@host.test")]
    [InlineData("file=clip.mp4; uid=17; sid=4; keyword=d")]
    [InlineData("https://cdn.test/@ann/a@b.mp4?to=ann@host.test")]
    [InlineData("""{"success":true,"status_id":"st-1","resid":"AbCdEf123"}""")]
    public void Other_text_stays(string text) => Assert.Equal(text, Redact.Line(text, Token, 500));

    [Theory]
    [InlineData("bad token " + Token + "!", "bad token ***!")]
    [InlineData(Token, "***")]
    [InlineData(Token + Token, "******")]
    [InlineData("1234567IQ8W7E6R5T4Y3U2I1O0P9 in capitals", "*** in capitals")]
    [InlineData("cut in the middle of 1234567iq8w7e", "cut in the middle of ***")]
    [InlineData("cut early 1234", "cut early ***")]
    [InlineData("the year 2123", "the year 2123")]
    public void Token_is_redacted_by_its_value_also_when_it_was_cut(string text, string redacted) =>
        Assert.Equal(redacted, Redact.Line(text, Token, 500));

    [Fact]
    public void Token_with_other_characters_is_redacted_in_its_encoded_form_too() =>
        Assert.Equal("a ***, b ***.", Redact.Line("a s3cr/t+, b s3cr%2Ft%2B.", "s3cr/t+", 500));

    [Fact]
    public void Cut_comes_after_redaction_and_keeps_characters_whole()
    {
        Assert.Equal("xxxxx***…", Redact.Line("xxxxx" + Token + "tail of text", Token, 9));
        Assert.Equal("x…", Redact.Line("x🎬yz", Token, 3));
        Assert.Equal("a b", Redact.Line(" a\r\n\t\0 b\n", Token, 500));
    }

    [Fact]
    public void Access_does_not_show_its_token_and_refuses_addresses_that_hide_secrets()
    {
        Assert.Equal("CincopaAccess { BaseUrl = https://api.cincopa.com/v2/ }",
            new CincopaAccess(new Uri("https://api.cincopa.com/v2"), Token).ToString());
        Assert.All(
            ["ftp://api.cincopa.com/", "https://u:p@api.cincopa.com/", "https://api.cincopa.com/?a=b",
                "https://api.cincopa.com/#f", "/v2/"],
            url => Assert.DoesNotContain("u:p",
                Assert.Throws<ArgumentException>(() => new CincopaAccess(new Uri(url, UriKind.RelativeOrAbsolute), Token)).Message));
        Assert.Throws<ArgumentException>(() => new CincopaAccess(new Uri("https://api.cincopa.com/"), " "));
    }

    [Theory]
    [InlineData(
        "HTTP/1.1 403 No\r\nContent-Length: 90\r\n\r\n{\"message\":\"bad token TOKEN\"}                                                  "
            + "           ")]
    [InlineData("HTTP/1.1 502 No\r\nConnection: close\r\n\r\n<html>GET /v2/asset.upload_from_url.json?api_token=TOKEN</html>")]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>TOKEN</html>")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"echo\":\"TOK")]
    [InlineData("HTTP/1.1 302 No\r\nLocation: http://x.test/?api_token=TOKEN\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("TOKEN is not http\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTOKEN without colon\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nTOKEN\r\n")]
    public async Task Token_that_a_server_echoes_shows_in_no_result(string reply)
    {
        reply = reply.Replace("TOKEN", Token, StringComparison.Ordinal).Replace("TOK", Token[..12], StringComparison.Ordinal);
        await using var server = RawServer.ReplyingOnceAndClosing(reply);
        using var client = New();

        object[] results =
        [
            await client.PingAsync(To(server), CancellationToken.None),
            await client.UploadFromUrlAsync(To(server), "https://cdn.test/a.mp4", null, CancellationToken.None),
            await client.GetUploadStatusAsync(To(server), Ticket, CancellationToken.None),
            await client.ListAssetsAsync(To(server), new AssetListQuery(), CancellationToken.None),
        ];

        Assert.All(results, result => Assert.DoesNotContain(Token[..12], result.ToString(), StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Token_shows_in_no_trace_and_no_event_of_the_platform()
    {
        var seen = new ConcurrentQueue<string>();
        using var activities = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "System.Net.Http",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
                seen.Enqueue("activity " + string.Join(' ', activity.TagObjects.Select(tag => $"{tag.Key}={tag.Value}"))),
        };
        ActivitySource.AddActivityListener(activities);
        await using var server = RawServer.Replying(RawServer.Json(200, """{"success":true,"status_id":"st-1"}"""));
        using (new EventsOfHttp(seen))
        {
            using var client = New();
            await client.UploadFromUrlAsync(To(server), "https://cdn.test/a.mp4", null, CancellationToken.None);
        }

        var port = server.BaseUrl.Port.ToString(CultureInfo.InvariantCulture);
        Assert.Contains(seen, line => line.StartsWith("event", StringComparison.Ordinal) && line.Contains(port, StringComparison.Ordinal));
        Assert.DoesNotContain(seen, line => line.StartsWith("activity", StringComparison.Ordinal)
            && line.Contains(port, StringComparison.Ordinal));
        Assert.DoesNotContain(seen, line => line.Contains(Token, StringComparison.OrdinalIgnoreCase));
    }

    private sealed class EventsOfHttp(ConcurrentQueue<string> seen) : EventListener
    {
        protected override void OnEventSourceCreated(EventSource source)
        {
            if (source.Name == "System.Net.Http")
                EnableEvents(source, EventLevel.Verbose);
        }

        protected override void OnEventWritten(EventWrittenEventArgs e) =>
            seen?.Enqueue($"event {e.EventName} " + string.Join(' ', e.Payload ?? (IReadOnlyCollection<object?>)[]));
    }
}
