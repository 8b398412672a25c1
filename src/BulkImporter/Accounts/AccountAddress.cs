using Cincopa.Client;

namespace BulkImporter.Accounts;

public static class AccountAddress
{
    /// <summary>
    /// True when nothing at the account's address speaks the API: ping, which asks for nothing that could be missing, is answered by a page
    /// too. Asked when a call was, because a front server may also turn away a single call so.
    /// </summary>
    public static async Task<bool> IsElsewhereAsync(
        this ICincopaClient cincopa, CincopaAccess access, CancellationToken cancellationToken) =>
        await cincopa.PingAsync(access, cancellationToken) is PingResult.Failed { Error.Kind: RemoteErrorKind.NotTheApi };
}
