using System.Net;
using BulkImporter.Sources;

namespace BulkImporter.Accounts;

/// <summary>
/// Connects the client of Cincopa. An admin of the API writes an account's address and a reply names the one for uploads, so neither may
/// lead inside: each address is judged after DNS like a source's. Free are the place that the operator himself named in the environment
/// (<see cref="FirstAccount.BaseUrlKey"/>) of this process or of the web's, which notes it for the workers, and a proxy of the environment,
/// which judges for itself where it goes.
/// </summary>
public sealed class ReachCincopa(
    SourceNetworks networks, ResolveName resolve, IConfiguration configuration, IDbContextFactory<ImporterDb> contexts)
{
    private readonly Uri? own = Place(configuration[FirstAccount.BaseUrlKey]);

    /// <exception cref="IOException">The address is refused; the message is for people.</exception>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var target = context.DnsEndPoint;
        try
        {
            return await JudgedConnection.OpenAsync(
                target, resolve, IsProxy(context) || Is(own, target.Host, target.Port) ? _ => true : networks.Permit, cancellationToken);
        }
        catch (AddressRefusedException refused)
        {
            // Asked for only here, which is rare: nearly all addresses are public.
            var named = await contexts.ReadAsync(db => FirstAccount.NamedAsync(db, cancellationToken));
            if (Is(Place(named), target.Host, target.Port))
                return await JudgedConnection.OpenAsync(target, resolve, _ => true, cancellationToken);
            throw new IOException(Refusal(target.Host, refused.Address), refused);
        }
    }

    /// <summary>
    /// Why nothing would be sent to this address, for people; null when it is not known before its name is looked up, or is good.
    /// </summary>
    public string? RefusalOf(Uri address) =>
        IPAddress.TryParse(address.IdnHost, out var literal) && !Is(own, address.IdnHost, address.Port) && !networks.Permit(literal)
            ? Refusal(address.IdnHost, literal) : null;

    private static Uri? Place(string? address) => Uri.TryCreate(address, UriKind.Absolute, out var url) ? url : null;

    private static bool Is(Uri? place, string host, int port) =>
        place is not null && port == place.Port && host.Equals(place.IdnHost, StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// A tunnel is asked for by CONNECT, which no call of ours is; without one the connection is not to the host of the request.
    /// </summary>
    private static bool IsProxy(SocketsHttpConnectionContext context) => context.InitialRequestMessage is var request
        && (request.Method == HttpMethod.Connect || request.RequestUri is not { } asked || asked.Port != context.DnsEndPoint.Port
            || !asked.IdnHost.Equals(context.DnsEndPoint.Host, StringComparison.OrdinalIgnoreCase));

    private static string Refusal(string host, IPAddress address) =>
        $"{(host == address.ToString() ? host : $"{host} leads to {address}, which")} is not a public address, so nothing was sent. "
        + "To send there, let the server's operator add its network to BulkImporter:Sources:AllowedNetworks, or name the address in "
            + "Cincopa__BaseUrl.";
}
