using System.Net;

namespace Cincopa.Client;

/// <summary>
/// The empty body of a submit. It does three things that no body at all would not: HttpClient silently resends a request without
/// content whose connection closes before the first response byte; it knows whether the request began to leave, because the
/// platform asks for the content after it has put the head into its buffer and before it sends the first byte of it (held by a
/// test); and it refuses to be asked twice, so that no rule of the platform that we do not know can send twice.
/// </summary>
/// <param name="leaving">Awaited at that moment, with the connection in hand. When it throws, no byte leaves.</param>
internal sealed class SingleUseContent(Func<CancellationToken, Task>? leaving = null) : HttpContent
{
    private int asked;
    private int left;

    /// <summary>False is a proof that no byte of the request left; true only says that it may have.</summary>
    public bool Left => Volatile.Read(ref left) != 0;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref asked, 1) != 0) throw new InvalidOperationException("A submit is sent once; something tried to send it again.");
        if (leaving is not null) await leaving(cancellationToken);
        Volatile.Write(ref left, 1);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return true;
    }
}
