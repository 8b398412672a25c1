namespace BulkImporter.Records;

/// <summary>
/// The life of a record. Each member says who puts a record in, who takes it out, and what a crash means here.
/// Every change is a method of <see cref="RecordTransitions"/>; nothing else writes the column.
/// </summary>
[StoredAsText]
public enum RecordState
{
    /// <summary>
    /// Due now or at next_attempt_at.
    /// Parse, retry, rerun and correction put it in.
    /// Dispatch and cancel take it out, and so does the parse itself when another row, or an earlier import of the account, has the same
    /// source.
    /// A crash changes nothing.
    /// </summary>
    Pending,

    /// <summary>
    /// The intent is committed, the answer is not.
    /// Dispatch puts it in; the answer or the rescue takes it out.
    /// A crash leaves it in doubt: it becomes unknown and is never blindly resent. A push whose last part had not begun is pending again
    /// instead, and continues where it was.
    /// </summary>
    Submitting,

    /// <summary>
    /// Cincopa accepted it and gave a status_id.
    /// The answer puts it in; the status takes it out.
    /// A crash changes nothing: asking again is harmless.
    /// </summary>
    Submitted,

    /// <summary>
    /// The asset exists; rid names it.
    /// The status puts it in, or the answer to the last part of a push, or the adoption of an asset for a record in doubt.
    /// As long as it is imported, no submit call is made again.
    /// An undo takes it out and deletes the asset in Cincopa, or a rerun of what differs from what was expected, which leaves it there.
    /// A crash changes nothing.
    /// </summary>
    Imported,

    /// <summary>
    /// It is not tried again automatically.
    /// The answer or the status puts it in, or the rescue of a push without an attempt left, or a person who gives up a record in doubt.
    /// A rerun or a correction takes it out.
    /// A crash changes nothing.
    /// </summary>
    Failed,

    /// <summary>
    /// A submit call may or may not have been received.
    /// An answer that cannot be read, or the rescue, puts it in.
    /// A late answer takes it out, or the adoption of the asset that was found for it.
    /// So does a person who gives it up, or who reruns it knowing that this may make a second asset.
    /// So does the import's setting to submit again, or a search that does not find a pushed file under its name.
    /// A crash changes nothing.
    /// </summary>
    Unknown,

    /// <summary>
    /// A person cancelled the import before it was sent.
    /// Cancel puts it in; a rerun takes it out.
    /// A crash changes nothing.
    /// </summary>
    Cancelled,

    /// <summary>
    /// The row cannot become work; its finding says why.
    /// Parse puts it in.
    /// A correction that gives it another URL takes it out, or a rerun that pushes it if only Cincopa cannot fetch it.
    /// A crash during parse leaves no row.
    /// </summary>
    Invalid,

    /// <summary>
    /// Another row of the manifest, or an earlier import of the account, has the same source.
    /// Parse puts it in.
    /// A correction that gives it another URL takes it out, or a rerun that names it.
    /// A crash during parse leaves no row.
    /// </summary>
    Duplicate,

    /// <summary>
    /// An undo of its import deleted its asset in Cincopa; rid still says which one it was.
    /// The undo puts it in, when Cincopa says that the asset is gone.
    /// A rerun that names it takes it out.
    /// A crash changes nothing.
    /// </summary>
    Deleted,
}
