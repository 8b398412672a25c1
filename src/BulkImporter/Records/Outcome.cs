using Cincopa.Client;

namespace BulkImporter.Records;

/// <summary>What a call makes of a record.</summary>
/// <param name="To">submitted, imported, pending (again; failed when no attempt is left), failed or unknown.</param>
/// <param name="RetryAfter">How long the record waits when it becomes pending.</param>
/// <param name="GiveBack">The failure was not the row's: the attempt does not count against it.</param>
public abstract record Outcome(RecordState To, Rid? Rid, FailureCode? Code, string? Message, TimeSpan? RetryAfter, bool GiveBack)
{
    /// <summary>The message of a record whose answer came and that the database refuses to hold.</summary>
    public const string UnstorableMessage = "The answer came and cannot be stored.";

    /// <summary>
    /// What is written in place of an outcome that the database refuses for what is in it. What it said of the call is lost, so the call
    /// may have done its work.
    /// </summary>
    protected Outcome InDoubt() => this with
    {
        To = RecordState.Unknown,
        Rid = null,
        Code = FailureCode.ReplyUnreadable,
        Message = UnstorableMessage,
        RetryAfter = null,
        GiveBack = false,
    };
}

/// <summary>What the answer to an attempt makes of its record. It is imported at once when its file was pushed.</summary>
public sealed record Answer(
    Intent Intent, RecordState To, StatusId? StatusId, FailureCode? Code, short? HttpStatus, string? Message,
    TimeSpan? RetryAfter, bool GiveBack, Rid? Rid = null) : Outcome(To, Rid, Code, Message, RetryAfter, GiveBack)
{
    /// <summary>What was sent, of a file that was pushed to its end.</summary>
    public SentFile? Sent { get; init; }

    public int RowNumber => Intent.RowNumber;

    public short Attempt => Intent.Attempt;

    /// <inheritdoc cref="Outcome.InDoubt"/>
    public Answer Unstorable() => (Answer)InDoubt() with { StatusId = null };
}

/// <summary>What a push has sent.</summary>
/// <param name="Sha256">Lower-case hexadecimal; null when several attempts sent it together.</param>
/// <param name="Md5">Likewise; also null where nobody asked for it.</param>
public sealed record SentFile(long Bytes, string? Sha256, string? Md5);

/// <summary>What the status call makes of a submitted record.</summary>
/// <param name="Bytes">What had been fetched when it was done, if the call said so.</param>
/// <param name="BatchId">The batch that it waits in, if this was its first look.</param>
public sealed record Conclusion(
    int ImportId, int RowNumber, StatusId StatusId, RecordState To, Rid? Rid, FailureCode? Code, string? Message,
    TimeSpan? RetryAfter, bool GiveBack = false, long? BatchId = null, long? Bytes = null)
    : Outcome(To, Rid, Code, Message, RetryAfter, GiveBack)
{
    /// <inheritdoc cref="Outcome.InDoubt"/>
    public Conclusion Unstorable() => (Conclusion)InDoubt();
}

/// <summary>An asset that is taken to be the one of a record in doubt.</summary>
/// <param name="Attempt">The attempt in doubt; when the record has begun another, nothing is adopted.</param>
/// <param name="Note">Who says so, kept with the attempt.</param>
public sealed record Adoption(int ImportId, int RowNumber, short Attempt, Rid Rid, string Note);

/// <summary>One attempt of one record.</summary>
public readonly record struct AttemptKey(int ImportId, int RowNumber, short Attempt);

/// <summary>What is known of an attempt, as the statements take it.</summary>
[StoredAsRow("outcome")]
internal sealed record OutcomeRow(
    int ImportId, int RowNumber, short? Attempt, DateTimeOffset? StartedAt, string? StatusId, string? State, string? Rid, string? Code,
    short? HttpStatus, string? Message, TimeSpan? RetryAfter, short GiveBack, long? SizeBytes = null, string? Sha256 = null,
    string? Md5 = null)
{
    public static OutcomeRow Of(int importId, Answer answer) =>
        Of(importId, answer.RowNumber, answer.Attempt, answer.StatusId, answer) with
        {
            HttpStatus = answer.HttpStatus,
            StartedAt = answer.Intent.StartedAt,
            SizeBytes = answer.Sent?.Bytes,
            Sha256 = answer.Sent?.Sha256,
            Md5 = answer.Sent?.Md5,
        };

    public static OutcomeRow Of(Conclusion conclusion) =>
        Of(conclusion.ImportId, conclusion.RowNumber, null, conclusion.StatusId, conclusion) with { SizeBytes = conclusion.Bytes };

    public static OutcomeRow Of(Adoption adoption) =>
        Of(new AttemptKey(adoption.ImportId, adoption.RowNumber, adoption.Attempt)) with
        {
            Rid = adoption.Rid.Value,
            Message = adoption.Note,
        };

    public static OutcomeRow Of(AttemptKey key) =>
        new(key.ImportId, key.RowNumber, key.Attempt, null, null, null, null, null, null, null, null, 0);

    private static OutcomeRow Of(int importId, int rowNumber, short? attempt, StatusId? statusId, Outcome outcome) => new(
        importId, rowNumber, attempt, null, statusId?.Value, EnumText<RecordState>.Of(outcome.To), outcome.Rid?.Value,
        outcome.Code is { } code ? EnumText<FailureCode>.Of(code) : null, null, outcome.Message, outcome.RetryAfter,
        (short)(outcome.GiveBack ? 1 : 0));
}
