using BulkImporter.Dashboard;
using Microsoft.AspNetCore.Components;

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

    [Fact]
    public async Task A_field_has_the_same_handler_at_each_drawing_and_another_field_another()
    {
        using var page = new AnyPage();
        var said = new List<object?>();
        var drawn = page.Handler(("row", 1), said);
        Assert.Same(drawn, page.Handler(("row", 1), []));
        Assert.NotSame(drawn, page.Handler(("row", 2), []));
        await drawn(new ChangeEventArgs { Value = "typed" });
        Assert.Equal(["typed"], said);
    }

    private sealed class AnyPage : DashboardPage
    {
        public Func<ChangeEventArgs, Task> Handler(object field, List<object?> said) => HandlerOf(field, text =>
        {
            said.Add(text);
            return Task.CompletedTask;
        });

        public CancellationToken Token => Left;
    }
}
