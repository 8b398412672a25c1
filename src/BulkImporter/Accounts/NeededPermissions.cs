using Cincopa.Client;

namespace BulkImporter.Accounts;

/// <summary>
/// What an import asks of a token. The one place of that guess: the atoms are OWN (S8 S10) and 3P, which call needs which atom is INF. Cincopa
/// published no list; its WordPress plugin asks for <c>asset.read</c> and <c>asset.upload</c> (OWN S10).
/// </summary>
internal static class NeededPermissions
{
    /// <summary>Without this one no row could be sent, so no import begins. <see cref="AccountsOptions.RequirePermissions"/> switches that off.</summary>
    public const string ToSend = "asset.upload";

    /// <summary>Without this one Cincopa may not tell what became of a row; nothing is lost by trying.</summary>
    public const string ToFollow = "asset.read";

    /// <summary>Those that the token does not have; none when the reply did not say what it has.</summary>
    public static IReadOnlyList<string> MissingFrom(TokenPermissions? permissions) =>
        permissions is null ? [] : [.. new[] { ToSend, ToFollow }.Where(atom => !permissions.Allows(atom))];
}
