using BulkImporter.Data;

namespace BulkImporter.Imports;

/// <summary>Where an import as a whole stands. Each member says how it gets there and what may follow.</summary>
[StoredAsText]
public enum ImportState
{
    /// <summary>Created by the upload; the parse job reads the manifest. Then <see cref="Review"/>, <see cref="Running"/> (start was asked for at once) or <see cref="Rejected"/>.</summary>
    Parsing,

    /// <summary>The records are there and nothing has been sent. A person starts or cancels it.</summary>
    Review,

    /// <summary>Records are dispatched and followed. Then <see cref="Finished"/> when no record can move any more, <see cref="Paused"/> or <see cref="Cancelled"/>.</summary>
    Running,

    /// <summary>A person or a breaker stopped the dispatch; what was submitted is still followed. Resumed by a person.</summary>
    Paused,

    /// <summary>No record is pending, submitting or submitted. A rerun makes it <see cref="Running"/> again. Like every end it may be followed by <see cref="Deleting"/>.</summary>
    Finished,

    /// <summary>A person ended it: pending records became cancelled, submitted ones are followed to their end.</summary>
    Cancelled,

    /// <summary>The manifest cannot be read at all; the reason says where and what to do.</summary>
    Rejected,

    /// <summary>A person deleted it after its end, or retention did: its rows are being removed, and it goes with the last of them.</summary>
    Deleting,
}

/// <summary>What to do with a record whose submit call may or may not have been received.</summary>
[StoredAsText]
public enum WhenUnknown
{
    /// <summary>Keep it <c>unknown</c> until a person decides: a gap rather than a duplicate.</summary>
    Hold,

    /// <summary>Submit it again after the grace time: a duplicate rather than a gap.</summary>
    Resubmit,
}

/// <summary>How the files of an import's rows reach Cincopa, unless a row says so itself.</summary>
[StoredAsText]
public enum ImportTransfer
{
    /// <summary>Cincopa fetches them from their addresses.</summary>
    Pull,

    /// <summary>We read them and send them.</summary>
    Push,

    /// <summary>Cincopa fetches those whose addresses fit into its call; the others are sent.</summary>
    Auto,
}

/// <summary>What to do with a row whose source another row brings already: an earlier row of the manifest, or one of an earlier import of the account.</summary>
[StoredAsText]
public enum WhenDuplicate
{
    /// <summary>The row becomes a <c>duplicate</c>, with a finding that names the other row and its import.</summary>
    Skip,

    /// <summary>The row is imported all the same: a second asset.</summary>
    Import,
}
