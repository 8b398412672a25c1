using BulkImporter.Imports;
using BulkImporter.Parse;

namespace BulkImporter.Cli;

/// <summary>A page of a list; <c>next</c> is the cursor of the one after it, null on the last.</summary>
internal sealed record PageBody<T>
{
    public IReadOnlyList<T> Items { get; init; } = [];
    public string? Next { get; init; }
}

/// <summary>A file that the server keeps until it is pushed.</summary>
internal sealed record KeptFileBody
{
    public string Sha256 { get; init; } = "";
    public long SizeBytes { get; init; }
}

/// <summary>A file of an import that is to be made, and what the server keeps it by.</summary>
internal sealed record FileToSend(string Name, string Sha256);

internal sealed record FilesBody(IReadOnlyList<FileToSend> Files);

/// <summary>An import as the API tells it. Rates are records per second; null means not known.</summary>
internal sealed record ImportBody
{
    public int Id { get; init; }
    public string Name { get; init; } = "";
    public string Account { get; init; } = "";
    public string State { get; init; } = "";
    public string? Reason { get; init; }

    /// <summary>Data rows of the manifest; null until it is parsed.</summary>
    public int? Rows { get; init; }

    /// <summary>Rows read so far while the manifest is parsed.</summary>
    public int ParsedRows { get; init; }

    public CountsBody Counts { get; init; } = new();
    public double? RatePerSecond { get; init; }
    public double? EtaSeconds { get; init; }
    public IReadOnlyList<FailureBody> Failures { get; init; } = [];
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>The latest earlier import of the same bytes.</summary>
    public int? SameManifestAs { get; init; }

    /// <summary>Nothing will change any more until a person acts. A cancelled import still follows what Cincopa had accepted.</summary>
    public bool IsAtRest => State switch
    {
        "review" or "finished" or "rejected" => true,
        "cancelled" => Counts is { Submitting: 0, Submitted: 0 },
        _ => false,
    };

    /// <summary>The exit code of whoever waited for it.</summary>
    public int ExitCode => State switch
    {
        "rejected" or "cancelled" => Cli.ExitCode.Failed,
        "finished" when Counts.Failed + Counts.Unknown > 0 => Cli.ExitCode.DoneWithProblems,
        _ => Cli.ExitCode.Done,
    };
}

/// <summary>Records per state; the sum is the number of data rows.</summary>
internal sealed record CountsBody
{
    public int Pending { get; init; }
    public int Submitting { get; init; }
    public int Submitted { get; init; }
    public int Imported { get; init; }
    public int Failed { get; init; }
    public int Unknown { get; init; }
    public int Cancelled { get; init; }
    public int Invalid { get; init; }
    public int Duplicate { get; init; }

    /// <summary>Rows that will not move by themselves any more.</summary>
    public int Ended => Imported + Failed + Unknown + Cancelled + Invalid + Duplicate;

    /// <summary>The states that have records, ended ones first: the order of a bar that fills from the left.</summary>
    public IEnumerable<(string State, int Count)> Present => new[]
    {
        ("imported", Imported), ("failed", Failed), ("unknown", Unknown), ("cancelled", Cancelled), ("invalid", Invalid), ("duplicate", Duplicate),
        ("submitted", Submitted), ("submitting", Submitting), ("pending", Pending),
    }.Where(s => s.Item2 > 0);
}

internal sealed record FailureBody
{
    public string Code { get; init; } = "";
    public string? Class { get; init; }
    public int Count { get; init; }
}

internal sealed record RecordBody
{
    public int RowNumber { get; init; }
    public string? Url { get; init; }
    public string? Caption { get; init; }
    public string State { get; init; } = "";
    public string? StatusId { get; init; }
    public string? Rid { get; init; }
    public int Attempts { get; init; }
    public ErrorBody? Error { get; init; }
}

internal sealed record ErrorBody
{
    public string? Code { get; init; }
    public string? Message { get; init; }
}

/// <summary>What <c>POST /imports/{id}/rerun</c> takes: one selection.</summary>
internal sealed record SelectionBody
{
    public string? State { get; init; }
    public string? Code { get; init; }
    public IReadOnlyList<int>? RecordIds { get; init; }

    /// <summary>Of a rerun only: the server reads the files and sends them.</summary>
    public bool? Push { get; init; }
}

/// <summary>What <c>PATCH /imports/{id}</c> takes; null leaves a setting as it is.</summary>
internal sealed record RevisionBody(
    string? Name, string? Account, string? Map, int? FirstRows, int? MaxAttempts, string? WhenUnknown, int? Priority, string? Fid,
    string? Encoding, string? AlreadyImported, string? DuplicateRows, string? Transfer, string? StartAt, string? Window, int? StopAtFailurePercent, int? StopAfterRows);

/// <summary>What became of each row of a corrections file.</summary>
internal sealed record CorrectionsBody
{
    public int Corrected { get; init; }
    public int Refused { get; init; }
    public IReadOnlyList<CorrectedRowBody> Rows { get; init; } = [];
}

internal sealed record CorrectedRowBody
{
    public long Line { get; init; }
    public int? Row { get; init; }
    public string Outcome { get; init; } = "";
    public string Message { get; init; } = "";
}

internal sealed record TemplateBody
{
    public string Name { get; init; } = "";
    public string Mapping { get; init; } = "";
    public IReadOnlyList<string> Columns { get; init; } = [];
    public string CreatedBy { get; init; } = "";
}

internal sealed record NewTemplateBody(string Name);

/// <summary>What a rerun did: how many records are pending again, and which of the selection are left as they were, and why.</summary>
internal sealed record RerunBody
{
    public int Rerun { get; init; }
    public int Refused { get; init; }
    public IReadOnlyList<RefusalBody> Refusals { get; init; } = [];
}

/// <summary>How many records' assets are being finished again.</summary>
internal sealed record FinishAgainBody
{
    public int Again { get; init; }
}

internal sealed record RefusalBody
{
    public string State { get; init; } = "";
    public int Count { get; init; }
    public string Reason { get; init; } = "";
}

/// <summary>Assets that may be the one of a record in doubt.</summary>
internal sealed record CandidatesBody
{
    public IReadOnlyList<CandidateBody> Items { get; init; } = [];

    /// <summary>When they were last looked for; null when they were not yet.</summary>
    public DateTimeOffset? LookedAt { get; init; }

    /// <summary>Why they cannot be looked for at present.</summary>
    public string? Problem { get; init; }
}

internal sealed record CandidateBody
{
    public string Rid { get; init; } = "";
    public string FileName { get; init; } = "";
    public long? SizeBytes { get; init; }
    public DateTimeOffset? UploadedAt { get; init; }
    public string? Caption { get; init; }
}

internal sealed record AdoptBody(string Rid);

/// <summary>An account; never with its token. Limits of 0 mean none.</summary>
internal sealed record AccountBody
{
    public string Name { get; init; } = "";
    public string BaseUrl { get; init; } = "";
    public string State { get; init; } = "";
    public string? Reason { get; init; }
    public double Rate { get; init; }
    public int MaxInFlight { get; init; }
    public int Backlog { get; init; }
    public string Verb { get; init; } = "";
    public string VerbInUse { get; init; } = "";
    public string? Warning { get; init; }
    public int InFlight { get; init; }
    public int Outstanding { get; init; }
}

internal sealed record NewAccountBody(string Name, string Token, string? BaseUrl);

internal sealed record NewTokenBody(string Token);

/// <summary>Limits and verb to change; null leaves one as it is, a limit of 0 is lifted.</summary>
internal sealed record LimitsBody(double? Rate, int? MaxInFlight, int? Backlog, string? Verb);

/// <summary>A request header for sources; its value only on the way in.</summary>
internal sealed record SourceHeaderBody
{
    public string Host { get; init; } = "";
    public string Name { get; init; } = "";
    public string? Value { get; init; }

    public override string ToString() => $"{Name} for {Host}";
}

internal sealed record GalleryBody(string Fid, string? Name);

/// <summary>What Cincopa's <c>ping</c> said about the account's token.</summary>
internal sealed record AccountCheckBody
{
    public bool Ok { get; init; }
    public string? AccountId { get; init; }
    public IReadOnlyList<string> Permissions { get; init; } = [];
    public IReadOnlyList<string> Missing { get; init; } = [];
    public string? Message { get; init; }
}

internal sealed record SignInLinkBody(string Url);

/// <summary>A person who signs in with a password.</summary>
internal sealed record UserBody
{
    public string Name { get; init; } = "";
    public string Role { get; init; } = "";
    public string State { get; init; } = "";
    public DateTimeOffset? LockedOutUntil { get; init; }
    public DateTimeOffset? SignedInAt { get; init; }
}

internal sealed record NewUserBody(string Name, string Role);

/// <summary>What to change; null leaves it as it is.</summary>
internal sealed record UserChangeBody(string? Role, bool? Locked);

internal sealed record PasswordLinkBody(string Url, DateTimeOffset ExpiresAt);

internal sealed record AddedUserBody(UserBody User, PasswordLinkBody Link);

/// <summary>An API key without its secret.</summary>
internal sealed record KeyBody
{
    public int Id { get; init; }
    public string Name { get; init; } = "";
    public string Prefix { get; init; } = "";
    public string Role { get; init; } = "";
    public DateTimeOffset? ExpiresAt { get; init; }
    public DateTimeOffset? RevokedAt { get; init; }
    public DateTimeOffset? LastUsedAt { get; init; }
}

internal sealed record NewKeyBody(string Name, string Role, DateTimeOffset? ExpiresAt);

internal sealed record MadeKeyBody(KeyBody Key, string Secret);

/// <summary>RFC 9457.</summary>
internal sealed record ProblemBody
{
    public string? Title { get; init; }
    public string? Detail { get; init; }
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Errors { get; init; }
}

/// <summary>What an order about all records in doubt came to.</summary>
internal sealed record AllInDoubtBody
{
    public int Adopted { get; init; }
    public int GivenUp { get; init; }
    public int StillUnknown { get; init; }
}

internal sealed record NewTargetBody(string Name, string Url);

internal sealed record MadeTargetBody(string Name, string Url, string? Secret);

internal sealed record TargetBody(string Name, string Url, DateTimeOffset CreatedAt);

internal sealed record ReplayedBody(int Targets);

/// <summary>What was told to the targets.</summary>
internal sealed record NotificationBody
{
    public long Id { get; init; }
    public string Kind { get; init; } = "";
    public DateTimeOffset At { get; init; }
    public int? ImportId { get; init; }
    public IReadOnlyList<DeliveryBody> Deliveries { get; init; } = [];
}

internal sealed record DeliveryBody
{
    public string Target { get; init; } = "";
    public string State { get; init; } = "";
    public int Tries { get; init; }
    public string? Problem { get; init; }
}

internal sealed record FindingBody(int Row, long Line, string? Column, string Code, string Severity, string? Value, string? Hint);

internal sealed record PreviewBody(IReadOnlyList<string> Columns, IReadOnlyDictionary<string, string> Mapping, string? Question, IReadOnlyList<PreviewRowBody> Rows, string? Note);

internal sealed record PreviewRowBody(int RowNumber, bool IsBlocked, IReadOnlyList<string> Cells);

internal sealed record AuditBody(DateTimeOffset At, string Actor, string Action, int? ImportId, string? Account, string? Detail);

internal sealed record RecordHistoryBody(int RowNumber, string State, string? Url, string? Rid, ErrorBody? Error, IReadOnlyList<AttemptBody> History);

internal sealed record AttemptBody(int Number, DateTimeOffset StartedAt, DateTimeOffset? FinishedAt, string? StatusId, string? Outcome, int? HttpStatus, string? Message);

internal sealed record ProbeBody(string State, int? Sample, int Total, int Probed, int Problems);
