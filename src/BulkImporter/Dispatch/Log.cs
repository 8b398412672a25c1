using Cincopa.Client;

namespace BulkImporter.Dispatch;

internal static partial class Log
{
    [LoggerMessage(EventName = "ChunkDispatched", Level = LogLevel.Information,
        Message = "Import {ImportId} chunk {Chunk}: {Sent} calls answered in {Seconds:F1} s")]
    public static partial void ChunkDispatched(ILogger logger, int importId, int chunk, int sent, double seconds);

    [LoggerMessage(EventName = "ChunkFailed", Level = LogLevel.Error,
        Message = "Import {ImportId} chunk {Chunk}: the job failed; the chunk is fed again when its lease runs out")]
    public static partial void ChunkFailed(ILogger logger, int importId, int chunk, Exception error);

    [LoggerMessage(EventName = "LeaseRenewalFailed", Level = LogLevel.Warning,
        Message = "Import {ImportId} chunk {Chunk}: the lease was not renewed: {Error}")]
    public static partial void LeaseRenewalFailed(ILogger logger, int importId, int chunk, string error);

    [LoggerMessage(EventName = "LeaseLost", Level = LogLevel.Warning,
        Message = "Import {ImportId} chunk {Chunk}: the lease is lost, nothing more is sent")]
    public static partial void LeaseLost(ILogger logger, int importId, int chunk);

    [LoggerMessage(EventName = "WriteInterrupted", Level = LogLevel.Warning,
        Message =
            "Import {ImportId} chunk {Chunk}: a write of {Answers} answers and the intents of {Intents} records was interrupted; the "
                + "answers are written again, nothing of the intents is sent: {Error}")]
    public static partial void WriteInterrupted(ILogger logger, int importId, int chunk, int answers, int intents, string error);

    [LoggerMessage(EventName = "AnswersKept", Level = LogLevel.Warning,
        Message =
            "Import {ImportId} chunk {Chunk}: {Count} answers or beginnings could not be written or taken back yet, they are kept and "
                + "tried again: {Error}")]
    public static partial void AnswersKept(ILogger logger, int importId, int chunk, int count, string error);

    [LoggerMessage(EventName = "IntentsRefused", Level = LogLevel.Error,
        Message =
            "Import {ImportId} chunk {Chunk}: the database refuses to begin {Count} records, nothing of them is sent and they come "
                + "again: {Error}")]
    public static partial void IntentsRefused(ILogger logger, int importId, int chunk, int count, string error);

    [LoggerMessage(EventName = "AnswersRefused", Level = LogLevel.Error,
        Message =
            "Import {ImportId} chunk {Chunk}: the database refuses what is in one of {Count} answers, "
                + "they are written one by one: {Error}")]
    public static partial void AnswersRefused(ILogger logger, int importId, int chunk, int count, string error);

    [LoggerMessage(EventName = "LateAcceptance", Level = LogLevel.Warning,
        Message =
            "Import {ImportId} record {RecordId} attempt {Attempt}: accepted as {StatusId} after the record had moved on; marked as "
                + "possibly duplicated")]
    public static partial void LateAcceptance(ILogger logger, int importId, int recordId, int attempt, StatusId? statusId);

    [LoggerMessage(EventName = "LeaseRescued", Level = LogLevel.Warning,
        Message = "Import {ImportId} chunk {Chunk}: lease ran out, {InDoubt} records are in doubt")]
    public static partial void LeaseRescued(ILogger logger, int importId, int chunk, int inDoubt);

    [LoggerMessage(EventName = "UnknownResubmitted", Level = LogLevel.Warning,
        Message = "Import {ImportId}: {Count} unknown records are sent again, as the import's setting says")]
    public static partial void UnknownResubmitted(ILogger logger, int importId, int count);

    [LoggerMessage(EventName = "ChunksFed", Level = LogLevel.Debug, Message = "{Count} chunks were enqueued")]
    public static partial void ChunksFed(ILogger logger, int count);

    [LoggerMessage(EventName = "PermitsFailed", Level = LogLevel.Warning,
        Message = "Import {ImportId} chunk {Chunk}: the database gave no permits, so nothing more is sent for now: {Error}")]
    public static partial void PermitsFailed(ILogger logger, int importId, int chunk, string error);

    [LoggerMessage(EventName = "PermitFailed", Level = LogLevel.Warning,
        Message = "Import {ImportId} record {RecordId} attempt {Attempt}: the database gave no permit, so it was not sent: {Error}")]
    public static partial void PermitFailed(ILogger logger, int importId, int recordId, int attempt, string error);

    [LoggerMessage(EventName = "UnexpectedDispatchError", Level = LogLevel.Error,
        Message =
            "Import {ImportId} record {RecordId} attempt {Attempt}: the call failed in a way that the client does not know; the record "
                + "is in doubt")]
    public static partial void UnexpectedDispatchError(ILogger logger, int importId, int recordId, int attempt, Exception error);
}
