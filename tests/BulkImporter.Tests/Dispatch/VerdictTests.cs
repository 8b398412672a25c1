using BulkImporter.Records;
using Cincopa.Client;
using Verdict = BulkImporter.Dispatch.Verdict;

namespace BulkImporter.Tests.Dispatch;

public sealed class VerdictTests
{
    private static readonly Intent Intent = new(7, 2, new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private static readonly RetrySchedule Schedule = new(TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(1), () => 0.5);

    private static RemoteError Error(RemoteErrorKind kind, TimeSpan? retryAfter = null) => new(kind, 500, "text", retryAfter);

    public static TheoryData<RemoteErrorKind> AllKinds() => [.. Enum.GetValues<RemoteErrorKind>()];

    [Fact]
    public void Accepted_is_submitted_and_not_imported()
    {
        var answer = Verdict.Of(Intent, new SubmitResult.Accepted(new StatusId("s-1")), Schedule);
        Assert.Equal((RecordState.Submitted, new StatusId("s-1"), null), (answer.To, answer.StatusId, answer.Code));
    }

    [Theory]
    [MemberData(nameof(AllKinds))]
    public void Whatever_the_error_a_call_in_doubt_is_unknown_and_never_pending(RemoteErrorKind kind)
    {
        var answer = Verdict.Of(Intent, new SubmitResult.Unknown(Error(kind)), Schedule);
        Assert.Equal(RecordState.Unknown, answer.To);
        Assert.Equal(FailureClass.Unknown, answer.Code!.Value.Class());
        Assert.False(answer.GiveBack);
    }

    [Theory]
    [MemberData(nameof(AllKinds))]
    public void A_call_that_never_left_is_pending_again_and_costs_no_attempt(RemoteErrorKind kind)
    {
        var answer = Verdict.Of(Intent, new SubmitResult.NeverSent(Error(kind)), Schedule);
        Assert.Equal((RecordState.Pending, FailureCode.ApiUnreachable, true), (answer.To, answer.Code, answer.GiveBack));
    }

    [Theory]
    [InlineData(RemoteErrorKind.RateLimited, RecordState.Pending, true)]
    [InlineData(RemoteErrorKind.TokenRejected, RecordState.Pending, true)]
    [InlineData(RemoteErrorKind.PermissionMissing, RecordState.Pending, true)]
    [InlineData(RemoteErrorKind.QuotaExceeded, RecordState.Pending, true)]
    [InlineData(RemoteErrorKind.ServerError, RecordState.Pending, false)]
    [InlineData(RemoteErrorKind.Rejected, RecordState.Pending, false)]
    [InlineData(RemoteErrorKind.InvalidInput, RecordState.Failed, false)]
    [InlineData(RemoteErrorKind.UnsupportedMedia, RecordState.Failed, false)]
    [InlineData(RemoteErrorKind.SourceNotFound, RecordState.Failed, false)]
    public void A_refusal_is_judged_by_its_kind_and_charged_to_who_caused_it(RemoteErrorKind kind, RecordState to, bool giveBack)
    {
        var answer = Verdict.Of(Intent, new SubmitResult.Refused(Error(kind)), Schedule);
        Assert.Equal((to, giveBack), (answer.To, answer.GiveBack));
    }

    [Fact]
    public void A_retry_after_is_obeyed()
    {
        var answer = Verdict.Of(Intent, new SubmitResult.Refused(Error(RemoteErrorKind.RateLimited, TimeSpan.FromSeconds(30))), Schedule);
        Assert.True(answer.RetryAfter >= TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void Every_failure_code_has_a_class_and_unknown_ones_are_never_the_accounts()
    {
        foreach (var code in Enum.GetValues<FailureCode>())
        {
            if (code.Class() == FailureClass.Unknown) Assert.False(code.IsNotTheRows());
        }
    }
}
