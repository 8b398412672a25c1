namespace Cincopa.Client;

/// <summary>Where the bytes of a file are sent to (DOC S2, OWN S7). <see cref="ToString"/> shows no secret of it.</summary>
/// <param name="Value">Holds the signature of the account: as secret as the token.</param>
public sealed record UploadUrl(Uri Value)
{
    public override string ToString() => $"{nameof(UploadUrl)} {{ {Value.GetLeftPart(UriPartial.Path)} }}";
}

/// <summary>The answer to <see cref="ICincopaClient.GetUploadUrlAsync"/>.</summary>
public abstract record UploadUrlResult
{
    private UploadUrlResult() { }

    public sealed record Ok(UploadUrl UploadUrl) : UploadUrlResult;

    /// <summary>No address came. Asking again is harmless.</summary>
    public sealed record Failed(RemoteError Error) : UploadUrlResult, IFailure;
}

/// <summary>One range of a pushed file.</summary>
/// <param name="FileName">The only place where the asset's file name is told (OWN S6).</param>
/// <param name="UniqueId">Chosen by us for the file, the same for all its ranges (OWN S6).</param>
/// <param name="Start">Bytes before this range.</param>
/// <param name="Length">Bytes of this range.</param>
/// <param name="Total">Bytes of the file; null while it is not known, which the last range may not be.</param>
public sealed record PushRange(string FileName, string UniqueId, long Start, long Length, long? Total)
{
    /// <summary>Exclusive, one more than RFC 9110 has it (OWN S6 S9).</summary>
    public long End => Start + Length;

    public bool IsLast => End == Total;
}

/// <summary>The answer to <see cref="ICincopaClient.PushRangeAsync"/>.</summary>
public abstract record PushResult
{
    private PushResult() { }

    /// <summary>The range was taken, and more are expected.</summary>
    public sealed record Taken : PushResult;

    /// <summary>The last range was taken and the reply names the asset.</summary>
    public sealed record Stored(Rid Rid) : PushResult;

    /// <summary>The reply says <c>error</c>, or the server clearly refused: the range was not taken.</summary>
    public sealed record Refused(RemoteError Error) : PushResult, IFailure;

    /// <summary>The failure provably came before the first byte left.</summary>
    public sealed record NeverSent(RemoteError Error) : PushResult, IFailure;

    /// <summary>
    /// The range may have been taken. Repeating it is what Cincopa's own client does (OWN S6); after the last one an asset may exist.
    /// </summary>
    public sealed record Unknown(RemoteError Error) : PushResult, IFailure;
}
