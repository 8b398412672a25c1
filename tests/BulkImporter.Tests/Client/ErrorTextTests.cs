using Cincopa.Client;

namespace BulkImporter.Tests.Client;

/// <summary>The table of words. A text that the real service turns out to use belongs here first.</summary>
public sealed class ErrorTextTests
{
    [Theory]
    // Each row: text, its kind when a call is refused, its kind when an import failed.
    [InlineData("out of assets quota", RemoteErrorKind.QuotaExceeded, RemoteErrorKind.QuotaExceeded)]
    [InlineData("Out of storage quota", RemoteErrorKind.QuotaExceeded, RemoteErrorKind.QuotaExceeded)]
    [InlineData("Download quota exceeded for this file", RemoteErrorKind.QuotaExceeded, RemoteErrorKind.Rejected)]
    [InlineData("storage limit reached", RemoteErrorKind.QuotaExceeded, RemoteErrorKind.QuotaExceeded)]
    [InlineData("Rate limit exceeded", RemoteErrorKind.RateLimited, RemoteErrorKind.SourceUnreachable)]
    [InlineData("Too Many Requests", RemoteErrorKind.RateLimited, RemoteErrorKind.SourceUnreachable)]
    [InlineData("request was throttled", RemoteErrorKind.RateLimited, RemoteErrorKind.SourceUnreachable)]
    [InlineData("token lacks permission", RemoteErrorKind.PermissionMissing, RemoteErrorKind.SourceForbidden)]
    [InlineData("asset.upload is needed", RemoteErrorKind.PermissionMissing, RemoteErrorKind.SourceForbidden)]
    [InlineData("invalid api_token", RemoteErrorKind.TokenRejected, RemoteErrorKind.SourceForbidden)]
    [InlineData("Unauthorized", RemoteErrorKind.TokenRejected, RemoteErrorKind.SourceForbidden)]
    [InlineData("401", RemoteErrorKind.TokenRejected, RemoteErrorKind.SourceForbidden)]
    [InlineData("403 Forbidden", RemoteErrorKind.SourceForbidden, RemoteErrorKind.SourceForbidden)]
    [InlineData("Access denied by host", RemoteErrorKind.SourceForbidden, RemoteErrorKind.SourceForbidden)]
    [InlineData("source returned 404", RemoteErrorKind.SourceNotFound, RemoteErrorKind.SourceNotFound)]
    [InlineData("File not found", RemoteErrorKind.SourceNotFound, RemoteErrorKind.SourceNotFound)]
    [InlineData("the page does not exist", RemoteErrorKind.SourceNotFound, RemoteErrorKind.SourceNotFound)]
    [InlineData("Operation timed out", RemoteErrorKind.SourceTimeout, RemoteErrorKind.SourceTimeout)]
    [InlineData("connect timeout", RemoteErrorKind.SourceTimeout, RemoteErrorKind.SourceTimeout)]
    [InlineData("time-out", RemoteErrorKind.SourceTimeout, RemoteErrorKind.SourceTimeout)]
    [InlineData("unsupported format", RemoteErrorKind.UnsupportedMedia, RemoteErrorKind.UnsupportedMedia)]
    [InlineData("wrong media type", RemoteErrorKind.UnsupportedMedia, RemoteErrorKind.UnsupportedMedia)]
    [InlineData("got HTML instead of a video", RemoteErrorKind.UnsupportedMedia, RemoteErrorKind.UnsupportedMedia)]
    [InlineData("Invalid input", RemoteErrorKind.InvalidInput, RemoteErrorKind.InvalidInput)]
    [InlineData("parameter input is required", RemoteErrorKind.InvalidInput, RemoteErrorKind.InvalidInput)]
    [InlineData("aborted by user", RemoteErrorKind.Aborted, RemoteErrorKind.Aborted)]
    [InlineData("could not connect", RemoteErrorKind.SourceUnreachable, RemoteErrorKind.SourceUnreachable)]
    [InlineData("No address for host", RemoteErrorKind.SourceUnreachable, RemoteErrorKind.SourceUnreachable)]
    [InlineData("HTTP 503", RemoteErrorKind.SourceUnreachable, RemoteErrorKind.SourceUnreachable)]
    [InlineData("asset 14045 of 4030 stalled", RemoteErrorKind.Rejected, RemoteErrorKind.Rejected)]
    [InlineData("something else", RemoteErrorKind.Rejected, RemoteErrorKind.Rejected)]
    [InlineData("", RemoteErrorKind.Rejected, RemoteErrorKind.Rejected)]
    public void Kind_follows_from_the_words(string text, RemoteErrorKind refused, RemoteErrorKind failed)
    {
        Assert.Equal(refused, ErrorText.KindOfRefusal(text));
        Assert.Equal(failed, ErrorText.KindOfFailedImport(text));
    }

    [Theory]
    [InlineData("out of assets quota", RemoteErrorKind.QuotaExceeded)]
    [InlineData("invalid api_token", RemoteErrorKind.Rejected)]
    [InlineData("storage limit reached", RemoteErrorKind.Rejected)]
    [InlineData("source not found", RemoteErrorKind.Rejected)]
    public async Task Prose_can_be_left_unread_but_for_the_phrase_that_Cincopas_own_client_reads(string text, RemoteErrorKind kind)
    {
        await using var server = RawServer.Replying(RawServer.Json(200, $$"""{"success":false,"message":"{{text}}"}"""));
        using var client = ClientUnderTest.New(options: new CincopaClientOptions { ReadErrorText = false });
        var refused = Assert.IsType<SubmitResult.Refused>(
            await client.UploadFromUrlAsync(ClientUnderTest.To(server), "https://cdn.test/a.mp4", null, CancellationToken.None));
        Assert.Equal((kind, text), (refused.Error.Kind, refused.Error.Message));
        Assert.Equal(kind, ErrorText.KindOfFailedImport(text, reads: false));
    }

    [Fact]
    public void Of_a_status_only_what_HTTP_itself_says_counts_when_prose_is_left_unread()
    {
        Assert.Equal(RemoteErrorKind.Rejected, ErrorText.KindOfRefusal(402, "pay", reads: false));
        Assert.Equal(RemoteErrorKind.TokenRejected, ErrorText.KindOfRefusal(403, "no permission", reads: false));
        Assert.Equal(RemoteErrorKind.RateLimited, ErrorText.KindOfRefusal(429, "", reads: false));
    }
}
