using Microsoft.AspNetCore.Components;

namespace BulkImporter.Dashboard;

/// <summary>
/// The fields of a filter lead to an address, and an address fills the fields. On a slow connection the fields are ahead: what is typed
/// before the first address has arrived must not be overwritten by it.
/// </summary>
public sealed class FilterAddress(NavigationManager navigation)
{
    /// <summary>Where the fields have led, and no page has arrived yet.</summary>
    private readonly List<string> asked = [];

    private string? arrived;

    /// <summary>Goes where the fields lead.</summary>
    public void Go(string address)
    {
        var whole = navigation.ToAbsoluteUri(address).AbsoluteUri;
        if (whole != (asked.LastOrDefault() ?? arrived)) asked.Add(whole);
        navigation.NavigateTo(whole);
    }

    /// <summary>
    /// Called when the page arrives at its address: whether the fields are to say what it says. They are not when it is they who led here.
    /// </summary>
    public bool FillsFields()
    {
        var here = new Uri(navigation.Uri).AbsoluteUri;
        if (here == arrived) return false;
        arrived = here;
        var own = asked.IndexOf(here);
        asked.RemoveRange(0, own < 0 ? asked.Count : own + 1);
        return own < 0;
    }
}
