using System.Net;

namespace Cincopa.Client;

/// <summary>
/// A body that is sent once, whatever the verb. It does three things that no body at all would not: HttpClient silently resends a request
/// without content whose connection closes before the first response byte (it looks at the content and not at the verb); it knows whether
/// the request began to leave, because the platform asks for the content after it has put the head into its buffer and before it sends the
/// first byte of it (held by a test); and it refuses to be asked twice, so that no rule of the platform that we do not know can send twice.
/// </summary>
/// <param name="leaving">Awaited at that moment, with the connection in hand. When it throws, no byte leaves.</param>
internal abstract class OnceContent(Func<CancellationToken, Task>? leaving = null) : HttpContent
{
    private int asked;
    private int left;

    /// <summary>False is a proof that no byte of the request left; true only says that it may have.</summary>
    public bool Left => Volatile.Read(ref left) != 0;

    protected sealed override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected sealed override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref asked, 1) != 0)
            throw new InvalidOperationException("This is sent once; something tried to send it again.");
        if (leaving is not null) await leaving(cancellationToken);
        Volatile.Write(ref left, 1);
        await WriteAsync(stream, cancellationToken);
    }

    protected abstract Task WriteAsync(Stream stream, CancellationToken cancellationToken);
}

/// <summary>
/// The empty body of a submit, and of every call that changes something: on the wire nothing but <c>Content-Length: 0</c>.
/// </summary>
internal sealed class SingleUseContent(Func<CancellationToken, Task>? leaving = null) : OnceContent(leaving)
{
    protected override Task WriteAsync(Stream stream, CancellationToken cancellationToken) => Task.CompletedTask;

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return true;
    }
}
