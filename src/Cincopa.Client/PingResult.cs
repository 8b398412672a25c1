using System.Collections.Frozen;

namespace Cincopa.Client;

/// <summary>The answer to <see cref="ICincopaClient.PingAsync"/>.</summary>
public abstract record PingResult
{
    private PingResult() { }

    /// <summary>The token is good.</summary>
    /// <param name="AccountId"><c>accid</c> (OWN S8 S10); null when not said.</param>
    /// <param name="AccountEmail"><c>accemail</c> (3P S12 S13); null when not said.</param>
    /// <param name="Permissions">What the token may do; null when the reply does not say.</param>
    public sealed record Ok(string? AccountId, string? AccountEmail, TokenPermissions? Permissions) : PingResult;

    /// <summary>The token is not good, or the call did not work; the error's kind tells which.</summary>
    public sealed record Failed(RemoteError Error) : PingResult, IFailure;
}

/// <summary>
/// What a token may do: atoms such as <c>asset.read</c>, <c>asset.*</c> from a pipe-delimited list (OWN S8 S10). Which atom a call needs is
/// not stated anywhere; <see cref="CanUpload"/> and <see cref="CanRead"/> are INF.
/// </summary>
public sealed class TokenPermissions
{
    private readonly FrozenSet<string> atoms;

    private TokenPermissions(IEnumerable<string> atoms) => this.atoms = atoms.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>The atoms as the API gave them.</summary>
    public IReadOnlySet<string> Atoms => atoms;

    /// <summary>May it start imports? INF: <c>asset.upload</c>.</summary>
    public bool CanUpload => Allows("asset.upload");

    /// <summary>May it ask for the status of imports and list assets? INF: <c>asset.read</c>.</summary>
    public bool CanRead => Allows("asset.read");

    /// <summary>May it set caption, tags and reference id of assets? INF: <c>asset.write</c>.</summary>
    public bool CanWrite => Allows("asset.write");

    /// <summary>Is this atom granted, by itself, by <c>area.*</c> or by an all-embracing one?</summary>
    /// <param name="atom">An area and an act, e.g. <c>gallery.write</c>.</param>
    public bool Allows(string atom) =>
        atoms.Contains(atom) || atoms.Contains(string.Concat(atom.AsSpan(0, atom.IndexOf('.') + 1), "*"))
        || atoms.Contains("*") || atoms.Contains("*.*") || atoms.Contains("all");

    /// <summary>Reads the wire form, <c>|asset.*|gallery.read|</c>.</summary>
    public static TokenPermissions Parse(string wireForm) =>
        new(wireForm.Split('|', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    public override string ToString() => string.Join('|', atoms.Order(StringComparer.Ordinal));
}
