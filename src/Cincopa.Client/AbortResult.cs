namespace Cincopa.Client;

/// <summary>
/// The answer to <see cref="ICincopaClient.AbortUploadAsync"/>. None of them says what became of the import: the status call does.
/// </summary>
public abstract record AbortResult
{
    private AbortResult() { }

    /// <summary>Cincopa took the order (3P S12 S14).</summary>
    public sealed record Agreed : AbortResult;

    /// <summary>
    /// Cincopa has nothing to abort under this ticket: finished, unknown, or for a reason that we have no word for (UNK).
    /// </summary>
    public sealed record Refused(RemoteError Error) : AbortResult, IFailure;

    /// <summary>The call did not work: the order may be given again.</summary>
    public sealed record Unavailable(RemoteError Error) : AbortResult, IFailure;
}
