using System.Globalization;
using Cincopa.Simulator.Faults;
using Cincopa.Simulator.Remote;

namespace Cincopa.Simulator.Endpoints;

/// <summary><c>asset.upload_from_url</c>, its status and its abort (contract 2.2 to 2.4).</summary>
internal static class ImportEndpoints
{
    public static Result Submit(Call call)
    {
        if (call.Input is not { } input || !IsFetchable(input))
            return call.Refuse(400, Assumptions.InvalidInputMessage);
        var fid = call.Query["fid"];
        if (!string.IsNullOrEmpty(fid) && call.Library.FindGallery(fid, call.Script.AnyGallery) is null)
            return call.Refuse(404, Assumptions.UnknownGalleryMessage);
        int? attachTo = null;
        if (call.Query["rid"] is { Length: > 0 } rid)
        {
            if (string.IsNullOrEmpty(call.Query["type"]))
                return call.Refuse(400, Assumptions.TypeMissingMessage);
            if (call.Library.FindAsset(rid) is not { } asset)
                return call.Refuse(404, Assumptions.UnknownAssetMessage);
            attachTo = asset.Number;
        }

        var import = call.Library.Accept(input, fid, attachTo, call.Faults);
        call.Simulator.Webhooks.Announce(import, call.Script);
        return Result.Ok(Accepted(call.Library.StatusIdOf(import.Number)), import);
    }

    public static Result Status(Call call)
    {
        var clock = call.Simulator.Clock;
        if (call.Import is not { } import)
            return call.Refuse(404, Assumptions.UnknownStatusIdMessage);
        var age = clock.GetElapsedTime(import.StartedAt);
        if (age.TotalMilliseconds < call.Script.StatusIdUnknownForMs || age.TotalMilliseconds > call.Script.StatusIdExpiresAfterMs)
        {
            var refusal = call.Refuse(404, Assumptions.UnknownStatusIdMessage);
            return refusal with { Answer = refusal.Answer with { Import = import.Number } };
        }

        if (import.AbortedAt is not null && call.Script.Aborted == AbortedStatus.UnknownStatusId)
            return call.Refuse(404, Assumptions.UnknownStatusIdMessage);

        return Result.Ok(StatusOf(call, import, age), import);
    }

    public static Result Abort(Call call)
    {
        if (call.Import is not { } import)
            return call.Refuse(404, Assumptions.UnknownStatusIdMessage);
        call.Library.Abort(import);
        return Result.Ok(Reply.Success(("status_id", call.Library.StatusIdOf(import.Number))), import);
    }

    private static bool IsFetchable(string input) =>
        (input.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
            || input.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
        && Uri.TryCreate(input, UriKind.Absolute, out _);

    /// <summary>The hot path: put together by hand.</summary>
    private static Reply Accepted(string statusId)
    {
        var head = """{"success":true,"runtime":5,"status_id":" """u8[..^1];
        var tail = "\"}"u8;
        var body = new byte[head.Length + statusId.Length + tail.Length];
        head.CopyTo(body);
        System.Text.Encoding.ASCII.GetBytes(statusId, body.AsSpan(head.Length));
        tail.CopyTo(body.AsSpan(head.Length + statusId.Length));
        return new Reply(200, Reply.Json, body);
    }

    private static Reply StatusOf(Call call, Import import, TimeSpan age)
    {
        var script = call.Script;
        var done = import.DoneAfter(age);
        var failure = import.AbortedAt is not null ? Assumptions.AbortedText : done >= 1 ? import.Plan.FailureText : null;
        var ready = done >= 1 && failure is null;
        (string, object?)[] resid =
            failure is null && ShowsResid(import.Plan.Resid ?? script.Resid) ? [("resid", call.Library.RidOf(import))] : [];
        return Reply.Success(
        [
            ("status_id", call.Library.StatusIdOf(import.Number)),
            ("status", import.AbortedAt is not null && script.Aborted == AbortedStatus.Aborted
                ? "aborted" : Word(import.Plan.Vocabulary ?? script.Vocabulary, failure is not null, ready, done)),
            ("progress", Number(failure is null ? (long)(done * 100) : 0)),
            ("progress_bytes", Number(failure is null ? (long)(done * import.Arriving) : 0)),
            ("file_size_bytes", Number(failure is null ? import.Size : -1)),
            .. resid,
            ("more", failure ?? ""),
            ("debug", failure is null ? "" : $"transfer ended after {age.TotalSeconds:F3} s: {failure}"),
        ]);

        object Number(long value) => script.NumbersAsStrings ? value.ToString(CultureInfo.InvariantCulture) : value;

        bool ShowsResid(ResidTiming timing) => timing switch
        {
            ResidTiming.Early => true,
            ResidTiming.AtEnd => ready,
            ResidTiming.Late => ready && age >= import.Takes + TimeSpan.FromMilliseconds(script.ResidLateMs),
            ResidTiming.Missing => false,
        };
    }

    private static string Word(StatusVocabulary vocabulary, bool failed, bool ready, double done) => vocabulary switch
    {
        StatusVocabulary.A => failed ? "failed" : ready ? "ready" : "inprogress",
        StatusVocabulary.B => failed ? "failed" : ready ? "completed" : done < Assumptions.PendingShare ? "pending" : "in_progress",
    };
}
