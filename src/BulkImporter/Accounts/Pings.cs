using Cincopa.Client;

namespace BulkImporter.Accounts;

public static class Pings
{
    /// <summary>Null when no answer came in time: a person waits for it.</summary>
    public static async Task<PingResult?> PingAsync(
        this ICincopaClient cincopa, CincopaAccess access, TimeSpan patience, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        try
        {
            return await cincopa.PingAsync(access, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>
    /// True when nothing at the account's address speaks the API: ping, which asks for nothing that could be missing, is answered by a page
    /// too. Asked when a call was, because a front server may also turn away a single call so.
    /// </summary>
    public static async Task<bool> IsElsewhereAsync(
        this ICincopaClient cincopa, CincopaAccess access, CancellationToken cancellationToken) =>
        await cincopa.PingAsync(access, cancellationToken) is PingResult.Failed { Error.Kind: RemoteErrorKind.NotTheApi };
}
