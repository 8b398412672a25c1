namespace BulkImporter.Imports;

/// <summary>Where an import as a whole stands. Each member says how it gets there and what may follow.</summary>
[StoredAsText]
public enum ImportState
{
    /// <summary>
    /// Created by the upload; the parse job reads the manifest. Then <see cref="Review"/>, <see cref="Running"/> (start was asked for at
    /// once) or <see cref="Rejected"/>.
    /// </summary>
    Parsing,

    /// <summary>The records are there and nothing has been sent. A person starts or cancels it.</summary>
    Review,

    /// <summary>
    /// Records are dispatched and followed. Then <see cref="Finished"/> when no record can move any more, <see cref="Paused"/> or
    /// <see cref="Cancelled"/>.
    /// </summary>
    Running,

    /// <summary>A person or a breaker stopped the dispatch; what was submitted is still followed. Resumed by a person.</summary>
    Paused,

    /// <summary>
    /// No record is pending, submitting or submitted. A rerun makes it <see cref="Running"/> again. Like every end it may be followed by
    /// <see cref="Deleting"/>.
    /// </summary>
    Finished,

    /// <summary>A person ended it: pending records became cancelled, submitted ones are followed to their end.</summary>
    Cancelled,

    /// <summary>The manifest cannot be read at all; the reason says where and what to do.</summary>
    Rejected,

    /// <summary>
    /// A person deleted it after its end, or retention did: its rows are being removed, and it goes with the last of them.
    /// </summary>
    Deleting,
}
