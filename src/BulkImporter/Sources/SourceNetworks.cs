using System.Net;
using Microsoft.Extensions.Options;

namespace BulkImporter.Sources;

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
