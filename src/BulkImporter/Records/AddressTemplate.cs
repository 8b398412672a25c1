using System.Text.RegularExpressions;

namespace BulkImporter.Records;

/// <summary>
/// An address with places for what is known of an asset: <c>{rid}</c>, <c>{fid}</c> and <c>{reference_id}</c>. What is put in is
/// percent-encoded, because ids are opaque text.
/// </summary>
public sealed partial class AddressTemplate
{
    /// <summary>The longest address that a person may write.</summary>
    public const int MostCharacters = 1000;

    private readonly string[] parts;

    private AddressTemplate(string text) => parts = Place().Split(text);

    public bool NeedsFid => Needs("fid");

    public bool NeedsReferenceId => Needs("reference_id");

    /// <param name="name">What a complaint calls it.</param>
    /// <param name="mayBePath">An address without a host, for a page of the site itself, will do.</param>
    /// <exception cref="InvalidArgumentException">It is no address, or has a place that nothing is known for.</exception>
    public static AddressTemplate Parse(string name, string? text, bool mayBePath = false)
    {
        text = PlainText.Trimmed(text ?? "");
        if (text.Length is 0 or > MostCharacters || !Plain().IsMatch(text))
            throw new InvalidArgumentException(name,
                $"Give an address of up to {MostCharacters} characters. Spaces, quotes and letters beyond ASCII must be percent-encoded.");
        var template = new AddressTemplate(text);
        var sample = template.Of("rid", "fid", "reference") ?? throw new InvalidArgumentException(name,
            "An address may have {rid}, {fid} and {reference_id} in it, and no other braces.");
        var isPath = mayBePath && sample.StartsWith('/') && !sample.StartsWith("//", StringComparison.Ordinal);
        if (!isPath && !(Uri.TryCreate(sample, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http"))
            throw new InvalidArgumentException(name,
                mayBePath ? "Give an http or https address, or a path that begins with /." : "Give an http or https address.");
        if (!template.Needs("rid") && !template.NeedsReferenceId)
            throw new InvalidArgumentException(name,
                $"Without {{rid}}{(mayBePath ? " or {reference_id}" : "")} all assets would have one address.");
        return template;
    }

    /// <summary>The address of an asset; null when it has a place for something that is not known of it.</summary>
    public string? Of(string rid, string? fid, string? referenceId)
    {
        var address = new StringBuilder();
        for (var n = 0; n < parts.Length; n++)
        {
            if (n % 2 == 0)
            {
                if (parts[n].AsSpan().ContainsAny('{', '}')) return null;
                address.Append(parts[n]);
                continue;
            }
            var value = parts[n] switch { "rid" => rid, "fid" => fid, _ => referenceId };
            if (string.IsNullOrEmpty(value)) return null;
            address.Append(Uri.EscapeDataString(value));
        }
        return address.ToString();
    }

    private bool Needs(string place) => parts.Where((_, n) => n % 2 == 1).Contains(place);

    [GeneratedRegex(@"^[A-Za-z0-9\-._~:/?#@!$&'()*+,;=%{}\[\]]+$")]
    private static partial Regex Plain();

    [GeneratedRegex(@"\{(rid|fid|reference_id)\}")]
    private static partial Regex Place();
}
