namespace Cincopa.Client;

/// <summary>The answer to <see cref="ICincopaClient.UploadFromUrlAsync"/>: one of four, and the four are all.</summary>
public abstract record SubmitResult
{
    private SubmitResult() { }

    /// <summary>The API said yes and gave a ticket. Accepted is not imported.</summary>
    public sealed record Accepted(StatusId StatusId) : SubmitResult;

    /// <summary>A clear refusal: nothing was started, sending again is safe.</summary>
    public sealed record Refused(RemoteError Error) : SubmitResult, IFailure;

    /// <summary>The failure provably came before the first byte left: nothing was started, sending again is safe.</summary>
    public sealed record NeverSent(RemoteError Error) : SubmitResult, IFailure;

    /// <summary>An import may exist: never send again without having looked.</summary>
    public sealed record Unknown(RemoteError Error) : SubmitResult, IFailure;
}
