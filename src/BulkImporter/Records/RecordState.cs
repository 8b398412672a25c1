using BulkImporter.Data;

namespace BulkImporter.Records;

/// <summary>
/// The life of a record. Each member says who puts a record in, who takes it out, and what a crash means here.
/// Every change is a method of <see cref="RecordTransitions"/>; nothing else writes the column.
/// </summary>
[StoredAsText]
public enum RecordState
{
    /// <summary>Due now or at next_attempt_at. In: parse, retry, rerun, correction. Out: dispatch, cancel, or the parse itself when another row, or an earlier import of the account, has the same source. A crash changes nothing.</summary>
    Pending,

    /// <summary>The intent is committed, the answer is not. In: dispatch. Out: the answer, or the rescue. A crash leaves it in doubt: it becomes unknown and is never blindly resent; but a push whose last part had not begun is pending again, and goes on where it stood.</summary>
    Submitting,

    /// <summary>Cincopa accepted it and gave a status_id. In: the answer. Out: the status. A crash changes nothing: asking again is harmless.</summary>
    Submitted,

    /// <summary>The asset exists; rid names it. In: the status, the answer to the last part of a push, or the adoption of an asset for a record in doubt. Final: no submit call ever again. A crash changes nothing.</summary>
    Imported,

    /// <summary>It will not be tried again by itself. In: the answer, the status, the rescue of a push without an attempt left, or a person who gives a record in doubt up. Out: rerun, or a correction. A crash changes nothing.</summary>
    Failed,

    /// <summary>A submit call may or may not have been received. In: the answer that could not be read, or the rescue. Out: the late answer, the adoption of the asset that was found for it, a person who reruns it knowing that this may make a second asset or who gives it up, the import's setting to submit again, or a look that did not find a pushed file under its name. A crash changes nothing.</summary>
    Unknown,

    /// <summary>A person ended the import before it was sent. In: cancel. Out: rerun. A crash changes nothing.</summary>
    Cancelled,

    /// <summary>The row cannot become work; its finding says why. In: parse. Out: a correction that gives it another address, or a rerun that pushes what only Cincopa cannot fetch. A crash during parse leaves no row.</summary>
    Invalid,

    /// <summary>Another row of the manifest, or an earlier import of the account, has the same source. In: parse. Out: a correction that gives it another address, or a rerun that names it. A crash during parse leaves no row.</summary>
    Duplicate,
}
