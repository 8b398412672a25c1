using BulkImporter.Dashboard;
using Microsoft.AspNetCore.Components;

namespace BulkImporter.Tests.Dashboard;

/// <summary>On a slow connection the page arrives at an address long after the fields have led to it.</summary>
public sealed class FilterAddressTests
{
    private const string Site = "http://127.0.0.1:5000/";

    private readonly SlowNavigation navigation = new();
    private readonly FilterAddress address;

    public FilterAddressTests() => address = new(navigation);

    [Fact]
    public void First_address_fills_the_fields_and_drawing_it_again_does_not()
    {
        Assert.True(address.FillsFields());
        Assert.False(address.FillsFields());
    }

    [Fact]
    public void Address_that_the_fields_led_to_does_not_overwrite_what_was_typed_since()
    {
        Assert.True(address.FillsFields());
        address.Go("?state=failed");
        address.Go("?state=failed&search=clip");
        navigation.Arrive("?state=failed");
        Assert.False(address.FillsFields());
        navigation.Arrive("?state=failed&search=clip");
        Assert.False(address.FillsFields());
    }

    /// <summary>As the back button and a link do.</summary>
    [Fact]
    public void Address_that_the_fields_did_not_lead_to_fills_them()
    {
        Assert.True(address.FillsFields());
        address.Go("?state=failed");
        navigation.Arrive("?state=failed");
        Assert.False(address.FillsFields());
        navigation.Arrive("");
        Assert.True(address.FillsFields());
        navigation.Arrive("?state=failed");
        Assert.True(address.FillsFields());
    }

    [Fact]
    public void Searching_again_for_the_same_is_forgotten_when_the_page_leaves()
    {
        Assert.True(address.FillsFields());
        address.Go("?search=clip");
        navigation.Arrive("?search=clip");
        Assert.False(address.FillsFields());
        address.Go("?search=clip");
        Assert.Equal([Site + "?search=clip", Site + "?search=clip"], navigation.Asked);
        navigation.Arrive("");
        Assert.True(address.FillsFields());
        navigation.Arrive("?search=clip");
        Assert.True(address.FillsFields());
    }

    private sealed class SlowNavigation : NavigationManager
    {
        public SlowNavigation() => Initialize(Site, Site);

        public List<string> Asked { get; } = [];

        public void Arrive(string address) => Uri = Site + address;

        protected override void NavigateToCore(string uri, NavigationOptions options) => Asked.Add(uri);
    }
}
