namespace Cincopa.Client;

/// <summary>What a status word means.</summary>
internal enum StatusMeaning
{
    Running,
    Done,
    Failed,
    Aborted,
    Unknown,
}

/// <summary>
/// The vocabulary of <c>upload_from_url_get_status</c>. <c>inprogress, ready, failed</c> are 3P S12, <c>pending, in_progress,
/// completed, failed</c> 3P S14; the full list is not published, the rest is INF.
/// </summary>
internal static class StatusWord
{
    public static StatusMeaning MeaningOf(string word) => Plain(word) switch
    {
        "inprogress" or "pending" or "queued" or "processing" or "downloading" or "uploading" or "waiting" => StatusMeaning.Running,
        "ready" or "completed" or "complete" or "done" or "success" or "synced" => StatusMeaning.Done,
        "failed" or "error" => StatusMeaning.Failed,
        "aborted" or "cancelled" or "canceled" => StatusMeaning.Aborted,
        _ => StatusMeaning.Unknown,
    };

    private static string Plain(string word)
    {
        if (word.AsSpan().IndexOfAnyExceptInRange('a', 'z') < 0)
            return word;
        return string.Concat(word.Where(c => c is not ('_' or '-' or ' '))).ToLowerInvariant();
    }
}
