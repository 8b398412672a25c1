using BulkImporter.Hosting;
using Microsoft.AspNetCore.Http;

namespace BulkImporter.Tests.Hosting;

public sealed class OwnOriginTests
{
    [Theory]
    [InlineData("GET", "cross-site", "http://evil.example", true)]
    [InlineData("POST", null, null, true)]
    [InlineData("POST", "same-origin", "http://importer.local", true)]
    [InlineData("POST", "none", null, true)]
    [InlineData("POST", "same-site", "http://localhost:9", false)]
    [InlineData("POST", "cross-site", "http://evil.example", false)]
    [InlineData("POST", null, "http://importer.local", true)]
    [InlineData("DELETE", null, "http://importer.local:81", false)]
    [InlineData("POST", null, "null", false)]
    public void A_change_is_taken_from_our_own_pages_and_from_programs(string method, string? site, string? origin, bool isOwn)
    {
        var request = new DefaultHttpContext().Request;
        request.Method = method;
        request.Host = new HostString("importer.local");
        if (site is not null) request.Headers["Sec-Fetch-Site"] = site;
        if (origin is not null) request.Headers.Origin = origin;
        Assert.Equal(isOwn, OwnOrigin.IsOwn(request));
    }
}
