using System.ComponentModel.DataAnnotations;
using System.Net;

namespace BulkImporter.Sources;

/// <summary>What this process itself reads: sources that it probes or pushes, and files that people send.</summary>
public sealed class SourceOptions
{
    public const string Section = "BulkImporter:Sources";

    /// <summary>
    /// Networks (CIDR, such as <c>10.20.0.0/16</c>) that are reached although they are not public: for teams whose sources, or whose
    /// stand-in for Cincopa, are inside. Anybody who may upload a manifest, or change an account, can make this process call any address in
    /// them.
    /// </summary>
    public IList<string> AllowedNetworks { get; init; } = [];

    /// <summary>
    /// The most bytes that all files together may have that people send here to be pushed. They are kept in the database until their
    /// imports have ended; uploads that run at the same time may exceed the limit by one file each.
    /// </summary>
    [Range(1, long.MaxValue)]
    public long FilesLimitBytes { get; set; } = 50L << 30;
}

/// <summary>Which addresses this process may call for a source: all public ones, and the networks that the operator allowed.</summary>
public sealed class SourceNetworks(IOptions<SourceOptions> options)
{
    public IReadOnlyList<IPNetwork> Allowed { get; } = [.. options.Value.AllowedNetworks.Select(network => IPNetwork.Parse(network))];

    public bool Permit(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return !InnerAddress.Is(address) || Allowed.Any(network => network.Contains(address));
    }
}
