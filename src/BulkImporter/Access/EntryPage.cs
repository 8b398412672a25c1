using BulkImporter.Access.Entry;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http.HttpResults;

namespace BulkImporter.Access;

/// <summary>The pages before the dashboard: 200, or 400 when they complain of what was typed.</summary>
internal static class EntryPage
{
    /// <param name="typed">The name that was typed before a complaint.</param>
    /// <param name="isNobodyYet">Nobody has a password: the page says how the first person gets one.</param>
    public static IResult SignIn(
        HttpContext context, string? returnUrl, bool withKey, string? complaint, string? typed = null, bool isNobodyYet = false) =>
        Page<SignIn>(new
        {
            ReturnUrl = Local(context, returnUrl),
            WithKey = withKey,
            Complaint = complaint,
            Typed = typed,
            IsNobodyYet = isNobodyYet,
        }, complaint);

    /// <param name="name">As whom the link signs in.</param>
    public static IResult SignInOnce(string code, string name) => Page<SignInOnce>(new { Code = code, Name = name }, null);

    /// <param name="name">Whose password it is; null when the first admin chooses a name too.</param>
    /// <param name="typed">The name that was typed before a complaint.</param>
    public static IResult ChoosePassword(string code, string? name, string? complaint, string? typed = null) =>
        Page<ChoosePassword>(new { Code = code, Name = name, Complaint = complaint, Typed = typed }, complaint);

    public static IResult ChangePassword(HttpContext context, string? complaint) =>
        Page<ChangeOwnPassword>(new { Name = context.User.Actor(), Complaint = complaint }, complaint);

    /// <summary>Only a path of ours: an address from outside could lead a person who just signed in elsewhere.</summary>
    internal static string Local(HttpContext context, string? returnUrl)
    {
        var site = $"{context.Request.PathBase}/";
        return returnUrl is ['/', ..] and not ['/', '/' or '\\', ..]
            && returnUrl.StartsWith(site, StringComparison.Ordinal) && !returnUrl.Any(char.IsControl) ? returnUrl : site;
    }

    private static RazorComponentResult<T> Page<T>(object parameters, string? complaint) where T : IComponent =>
        new(parameters) { StatusCode = complaint is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest };
}
