using System.Globalization;

namespace BulkImporter.Sources;

/// <summary>A header with its value in clear, on its way to a source. Its text does not show the value.</summary>
public sealed record SecretHeader(string Host, string Name, string Value)
{
    /// <summary>
    /// Where a URL's request goes, as headers are kept for it: <c>media.example.com</c> over https, <c>media.example.com:8443</c> at
    /// another port, <c>http://media.example.com</c> in clear.
    /// </summary>
    internal static string PlaceOf(Uri url) =>
        (url.Scheme == Uri.UriSchemeHttps ? "" : "http://") + (url.HostNameType == UriHostNameType.IPv6 ? url.Host : url.IdnHost)
            .ToLowerInvariant()
        + (url.IsDefaultPort ? "" : string.Create(CultureInfo.InvariantCulture, $":{url.Port}"));

    public override string ToString() => $"{Name} for {Host}";
}
