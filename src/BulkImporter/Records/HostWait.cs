namespace BulkImporter.Records;

/// <summary>A host that waits, as every door shows it.</summary>
/// <param name="Host">With its port when the addresses name one.</param>
/// <param name="FailedInARow">Files of it that failed since one worked.</param>
/// <param name="Since">When the first of them failed.</param>
/// <param name="Code">The <see cref="FailureCode"/> of the last one, as text.</param>
/// <param name="AskedAt">When one of its files is sent, to see whether it works again. A time that has passed: now.</param>
public record HostWait(string Host, int FailedInARow, DateTimeOffset Since, string Code, DateTimeOffset AskedAt)
{
    /// <summary>As a person reads it.</summary>
    public string Sentence => string.Create(CultureInfo.InvariantCulture,
        $"{Host} has failed {FailedInARow:N0} times in a row; asked again at {AskedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC.");
}
