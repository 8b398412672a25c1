using BulkImporter.Dashboard;

namespace BulkImporter.Tests.Dashboard;

public sealed class DashboardPageTests
{
    [Fact]
    public void What_goes_on_after_a_page_has_left_finds_its_token_cancelled()
    {
        var page = new AnyPage();
        Assert.False(page.Token.IsCancellationRequested);

        page.Dispose();

        Assert.True(page.Token.IsCancellationRequested);
    }

    private sealed class AnyPage : DashboardPage
    {
        public CancellationToken Token => Left;
    }
}
