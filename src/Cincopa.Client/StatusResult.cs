namespace Cincopa.Client;

/// <summary>The answer to <see cref="ICincopaClient.GetUploadStatusAsync"/>: one of six, and the six are all.</summary>
public abstract record StatusResult
{
    private StatusResult() { }

    /// <summary>The import goes on, as far as the API says.</summary>
    /// <param name="ProgressPercent">0 to 100, for display only; null when not said.</param>
    /// <param name="ProgressBytes">Bytes fetched so far; null when not said.</param>
    /// <param name="TotalBytes">Size of the source; null when not said or not yet known.</param>
    /// <param name="Rid">The asset's id when it shows early; its presence is not completion (3P S12).</param>
    /// <param name="UnknownWord">The status word, cut to 100 characters, when it is none that we know; else null.</param>
    public sealed record Running(int? ProgressPercent, long? ProgressBytes, long? TotalBytes, Rid? Rid, string? UnknownWord) : StatusResult;

    /// <summary>The file is in. Its renditions follow and are not waited for.</summary>
    /// <param name="Bytes">Bytes that had been fetched when it was done (<c>progress_bytes</c>, 3P S12); null when not said or 0. That this
    /// is the whole file then, and not what the last progress was, is INF: it may confirm a size and never deny one.</param>
    public sealed record Done(Rid Rid, long? Bytes = null) : StatusResult;

    /// <summary>Said to be done, without the asset's id: ask again, and in the end treat as unknown.</summary>
    public sealed record DoneWithoutRid : StatusResult;

    /// <summary>The import failed at the remote side.</summary>
    public sealed record Failed(RemoteError Error) : StatusResult, IFailure;

    /// <summary>
    /// The API does not know this <c>status_id</c>: perhaps not yet, perhaps no longer. Of kind <see cref="RemoteErrorKind.NotTheApi"/>
    /// when a page says so and not the API.
    /// </summary>
    public sealed record NotFound(RemoteError Error) : StatusResult, IFailure;

    /// <summary>The status call itself did not work: says nothing about the import.</summary>
    public sealed record Unavailable(RemoteError Error) : StatusResult, IFailure;
}
