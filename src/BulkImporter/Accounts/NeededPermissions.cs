using Cincopa.Client;

namespace BulkImporter.Accounts;

/// <summary>
/// What an import asks of a token. The one place of that guess: the atoms are OWN (S8 S10) and 3P, which call needs which atom is INF.
/// Cincopa published no list; its WordPress plugin asks for <c>asset.read</c> and <c>asset.upload</c> (OWN S10), and its Moodle plugin
/// works with <c>asset.read|asset.write|gallery.*</c>. So it warns and stops nothing: the service decides.
/// </summary>
internal static class NeededPermissions
{
    private static readonly string[] Atoms = ["asset.upload", "asset.read"];

    /// <summary>Those that the token does not have; none when the reply did not say what it has.</summary>
    public static IReadOnlyList<string> MissingFrom(TokenPermissions? permissions) =>
        permissions is null ? [] : [.. Atoms.Where(atom => !permissions.Allows(atom))];

    /// <summary>The sentence for people, or null when nothing is missing.</summary>
    public static string? Warning(TokenPermissions? permissions) => MissingFrom(permissions) is { Count: > 0 } missing
        ? $"Cincopa does not list {string.Join(" and ", missing)} among the token's permissions. An import seems to need that, but "
            + "Cincopa documents no list, so rows are sent all the same. If they are refused, give the token that permission or replace it."
        : null;
}
