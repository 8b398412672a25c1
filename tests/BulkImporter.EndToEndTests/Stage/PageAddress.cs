using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace BulkImporter.EndToEndTests;

/// <summary>
/// Waits for the address of a page, and not for the event that it was loaded, which Playwright can miss when it is sent while one begins to
/// wait. Whatever comes next waits for what it needs.
/// </summary>
internal static class PageAddress
{
    /// <param name="end">How the address ends, with * for anything but a slash.</param>
    public static Task ArriveAtAsync(this IPage page, string end) =>
        Expect(page).ToHaveURLAsync(new Regex(Regex.Escape(end).Replace("\\*", "[^/]*", StringComparison.Ordinal) + "$"));

    public static Task ArriveWithAsync(this IPage page, string part) => Expect(page).ToHaveURLAsync(new Regex(Regex.Escape(part)));

    public static Task LeaveAsync(this IPage page, string part) => Expect(page).Not.ToHaveURLAsync(new Regex(Regex.Escape(part)));
}
