using BulkImporter.Records;

namespace BulkImporter.Tests.Reconcile;

public sealed class SourceNameTests
{
    [Theory]
    [InlineData("https://media.example/a/clip.mp4", "clip.mp4")]
    [InlineData("https://media.example/a/clip.mp4?X-Amz-Signature=a/b#t=1", "clip.mp4")]
    [InlineData("https://media.example/a/clip.mp4#a/b", "clip.mp4")]
    [InlineData("https://media.example/My%20Clip%20%C3%A4.mp4", "My Clip ä.mp4")]
    [InlineData("https://media.example/My%20Clip%20%c3%a4.mp4", "My Clip ä.mp4")]
    [InlineData("https://media.example/50%.mp4", "50%.mp4")]
    [InlineData("https://media.example/a+b.mp4", "a+b.mp4")]
    [InlineData("https://media.example/a%2Fb.mp4", "a/b.mp4")]
    [InlineData("https://media.example/folder/", "")]
    public void The_last_segment_of_the_path_is_percent_decoded(string url, string name) => Assert.Equal(name, SourceName.Of(url));
}
