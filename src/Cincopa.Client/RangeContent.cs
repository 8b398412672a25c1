using System.Globalization;
using System.Runtime.ExceptionServices;

namespace Cincopa.Client;

/// <summary>The raw bytes of one range of a file, under the headers of Cincopa's own uploader (OWN S6 S9).</summary>
internal sealed class RangeContent : OnceContent
{
    private readonly PushRange range;
    private readonly Func<Stream, CancellationToken, Task> write;
    private ExceptionDispatchInfo? thrown;

    public RangeContent(PushRange range, Func<Stream, CancellationToken, Task> write)
    {
        (this.range, this.write) = (range, write);
        // Literally this, without a boundary, although the body is raw.
        Headers.TryAddWithoutValidation("Content-Type", "multipart/form-data");
        var total = range.Total is { } bytes ? string.Create(CultureInfo.InvariantCulture, $"/{bytes}") : "";
        Headers.TryAddWithoutValidation("Content-Range",
            string.Create(CultureInfo.InvariantCulture, $"bytes {range.Start}-{range.End}{total}"));
    }

    /// <summary>A source that fails half-way ends the request like a lost connection; its owner wants to hear what it was.</summary>
    public void ThrowWhatTheSourceThrew() => thrown?.Throw();

    protected override async Task WriteAsync(Stream stream, CancellationToken cancellationToken)
    {
        var outer = new GuardedStream(stream);
        try
        {
            await write(outer, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException && !outer.Broke)
        {
            thrown = ExceptionDispatchInfo.Capture(e);
            throw;
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = range.Length;
        return true;
    }

    /// <summary>Tells a broken connection to Cincopa from a broken source: both come out of the same writer.</summary>
    private sealed class GuardedStream(Stream inner) : Stream
    {
        public bool Broke { get; private set; }

        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                await inner.WriteAsync(buffer, cancellationToken);
            }
            catch
            {
                Broke = true;
                throw;
            }
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override void Flush() => inner.Flush();
        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
