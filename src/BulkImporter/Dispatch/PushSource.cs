using System.Net.Http.Headers;
using System.Security.Cryptography;
using BulkImporter.Accounts;
using BulkImporter.Records;
using BulkImporter.Sources;

namespace BulkImporter.Dispatch;

/// <summary>A source that could not be read. The message is for people and holds no path or query of an address.</summary>
public sealed class SourceFailedException(FailureCode code, string message, TimeSpan? retryAfter = null) : Exception(message)
{
    public FailureCode Code => code;

    public TimeSpan? RetryAfter => retryAfter;
}

/// <summary>A source that is open at a place in the file.</summary>
/// <param name="tag">Tells two versions of the file apart; null when the source does not.</param>
internal abstract class OpenSource(long? size, string? tag) : IAsyncDisposable
{
    /// <summary>Of the whole file; null when the source does not say.</summary>
    public long? Size => size;

    public string? Tag => tag;

    /// <summary>0 at the end.</summary>
    /// <exception cref="SourceFailedException">It broke off.</exception>
    public abstract ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}

/// <summary>
/// Opens what is to be pushed: an http(s) address through the guard of all sources, a file under one of the configured folders, or one that
/// was sent here.
/// </summary>
public sealed class PushSource(ReachSource reach, SourceHeaders headers, ReadSourceFile kept, IOptions<PushOptions> options)
{
    /// <summary>
    /// Opens the source at <paramref name="offset"/>. A source that does not obey the range is read and thrown away up to there.
    /// </summary>
    /// <param name="accountId">Whose headers the source's host is sent.</param>
    /// <exception cref="SourceFailedException">It cannot be had.</exception>
    internal async Task<OpenSource> OpenAsync(string url, int accountId, long offset, CancellationToken cancellationToken)
    {
        if (ReadSourceFile.HashIn(url) is { } sha256) return await OpenKeptAsync(sha256, offset, cancellationToken);
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address)) throw Invalid();
        return address.IsFile ? OpenFile(address, offset) : await OpenUrlAsync(address, accountId, offset, cancellationToken);
    }

    private static async Task SkipAsync(OpenSource source, long count, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        while (count > 0)
        {
            var read = await source.ReadAsync(buffer.AsMemory(0, (int)Math.Min(count, buffer.Length)), cancellationToken);
            if (read == 0) throw new SourceFailedException(FailureCode.SourceUnreachable, "The source is shorter than it was.");
            count -= read;
        }
    }

    private async Task<OpenSource> OpenUrlAsync(Uri url, int accountId, long offset, CancellationToken cancellationToken)
    {
        var range = offset > 0 ? new RangeItemHeaderValue(offset, null) : null;
        var answer = await reach.RunAsync(new SourceRequest(url, Range: range, Headers: await HeadersAsync(accountId, cancellationToken)),
            cancellationToken);
        if (answer.Problem is { } problem)
        {
            using (answer) throw new SourceFailedException(CodeOf(problem), answer.Detail, answer.RetryAfter);
        }
        if (answer.MediaType == "text/html")
        {
            using (answer) throw new SourceFailedException(FailureCode.UnsupportedMedia, $"{answer.Url.IdnHost} answered with a web page.");
        }
        var source = new Answered(answer);
        try
        {
            if (answer.From > offset)
                throw new SourceFailedException(FailureCode.SourceUnreachable,
                    $"{answer.Url.IdnHost} answered with a different range than requested.");
            await SkipAsync(source, offset - answer.From, cancellationToken);
            return source;
        }
        catch
        {
            await source.DisposeAsync();
            throw;
        }
    }

    private async Task<IReadOnlyList<SecretHeader>> HeadersAsync(int accountId, CancellationToken cancellationToken)
    {
        try
        {
            return await headers.OfAccountAsync(accountId, cancellationToken);
        }
        catch (CryptographicException)
        {
            throw Forbidden("The account's source headers cannot be decrypted: the key ring has lost their key. Set them again.");
        }
    }

    private async Task<Kept> OpenKeptAsync(string sha256, long offset, CancellationToken cancellationToken) =>
        await kept.OpenAsync(sha256, offset, cancellationToken) is { } reader
            ? new Kept(reader, sha256)
            : throw new SourceFailedException(FailureCode.SourceNotFound,
                "The file that was sent here is no longer stored. Send it again, as a separate import.");

    private Opened OpenFile(Uri url, long offset)
    {
        if (url.IsUnc || url.Host.Length > 0) throw Forbidden("The URL names another machine.");
        if (url.LocalPath.Contains('\0', StringComparison.Ordinal)) throw Invalid();
        var path = Path.GetFullPath(url.LocalPath);
        var roots = options.Value.Roots;
        if (!roots.Any(root => LocalFile.IsUnder(path, root)))
            throw Forbidden("The file is not in a folder that may be pushed from (BulkImporter:Push:Roots).");
        var file = LocalFile.Open(path, roots);
        file.Position = offset;
        return new Opened(file,
            string.Create(CultureInfo.InvariantCulture, $"{file.Length}-{File.GetLastWriteTimeUtc(file.SafeFileHandle).Ticks}"));
    }

    private static SourceFailedException Invalid() => new(FailureCode.InvalidInput, "The URL is invalid.");

    private static SourceFailedException Forbidden(string message) => new(FailureCode.SourceForbidden, message);

    internal static FailureCode CodeOf(SourceProblem problem) => problem switch
    {
        SourceProblem.NotFound => FailureCode.SourceNotFound,
        SourceProblem.UrlRefused or SourceProblem.AddressRefused or SourceProblem.Forbidden or SourceProblem.Refused =>
            FailureCode.SourceForbidden,
        SourceProblem.TimedOut => FailureCode.SourceTimeout,
        SourceProblem.HostNotFound or SourceProblem.Unreachable or SourceProblem.TlsFailed or SourceProblem.Broken
            or SourceProblem.RedirectLost or SourceProblem.Busy or SourceProblem.ServerFailed => FailureCode.SourceUnreachable,
    };

    private sealed class Answered(SourceAnswer answer) : OpenSource(answer.Size, answer.StrongTag)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            var read = await answer.ReadAsync(buffer, cancellationToken);
            return read.Problem is { } problem
                ? throw new SourceFailedException(CodeOf(problem), $"{answer.Url.IdnHost} broke off.") : read.Count;
        }

        public override ValueTask DisposeAsync()
        {
            answer.Dispose();
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>The hash of its bytes is all that tells a version.</summary>
    private sealed class Kept(KeptFileReader reader, string sha256) : OpenSource(reader.Size, sha256)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            try
            {
                return await reader.ReadAsync(buffer, cancellationToken);
            }
            catch (IOException e)
            {
                throw new SourceFailedException(FailureCode.SourceNotFound, e.Message);
            }
        }

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class Opened(FileStream file, string tag) : OpenSource(file.Length, tag)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken) =>
            file.ReadAsync(buffer, cancellationToken);

        public override ValueTask DisposeAsync() => file.DisposeAsync();
    }
}
