using BulkImporter.Imports;
using Spectre.Console;

namespace BulkImporter.Cli;

/// <summary>
/// Follows an import until nothing of it moves any more, by asking once a second: a server that restarts in between is only a
/// few missed questions.
/// </summary>
internal sealed class Watch(ImporterApi api, Surroundings surroundings)
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>How long a server may be away before watching is given up.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>A log file of plain lines should not grow by one line a second for days.</summary>
    public static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(10);

    /// <summary>Watches and reports; answers with the exit code. Interrupted, it says how to come back.</summary>
    public async Task<int> RunAsync(ApiReply<ImportView> import, bool json, CancellationToken cancellationToken)
    {
        try
        {
            if (json)
            {
                surroundings.Output.WriteLine(import.Json);
                return ExitCodeOf(await FollowAsync(import, JsonLines(import.Json), Note, cancellationToken));
            }

            var last = await ShowAsync(import, cancellationToken);
            Report(last);
            return ExitCodeOf(last);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            var id = import.Value.Id;
            surroundings.Error.WriteLine(
                $"Stopped watching. Import {id} continues. Come back with: BulkImporter show {id} --watch    Stop it with: "
                    + $"BulkImporter pause {id}");
            return ExitCode.Interrupted;
        }
    }

    /// <summary>Nothing will change any more until a person acts. A cancelled import still follows what Cincopa had accepted.</summary>
    private static bool IsAtRest(ImportView import) => import.State switch
    {
        _ when import.Undo.IsUnderWay => false,
        ImportState.Review or ImportState.Finished or ImportState.Rejected => true,
        ImportState.Cancelled => import.Counts is { Submitting: 0, Submitted: 0 },
        _ => false,
    };

    /// <summary>The exit code of whoever waited for it.</summary>
    public static int ExitCodeOf(ImportView import) => import.State switch
    {
        ImportState.Rejected or ImportState.Cancelled => ExitCode.Failed,
        ImportState.Finished when import.Counts.Failed + import.Counts.Unknown + import.Finishing.Failed > 0 => ExitCode.DoneWithProblems,
        _ => ExitCode.Done,
    };

    /// <summary>Watches in the form that fits the terminal; answers with the import as it came to rest.</summary>
    public async Task<ImportView> ShowAsync(ApiReply<ImportView> import, CancellationToken cancellationToken)
    {
        if (!surroundings.IsLive)
        {
            surroundings.Output.WriteLine(ImportPicture.Headline(import.Value));
            return await FollowAsync(import, PlainLines(), Note, cancellationToken);
        }

        var last = import.Value;
        string? note = null;
        return await surroundings.Screen.Live(ImportPicture.Live(last, note)).AutoClear(true).StartAsync(picture =>
        {
            void Draw(ImportView now, string? told)
            {
                (last, note) = (now, told);
                picture.UpdateTarget(ImportPicture.Live(last, note));
                picture.Refresh();
            }

            return FollowAsync(import, reply => Draw(reply.Value, null), text => Draw(last, text), cancellationToken);
        });
    }

    /// <summary>The numbers at the end, and what to do next.</summary>
    public void Report(ImportView import)
    {
        surroundings.Output.WriteLine(ImportPicture.Headline(import));
        surroundings.Screen.Write(ImportPicture.Summary(import, surroundings));
        surroundings.Screen.WriteLine();
        if (ImportPicture.NextStep(import) is { } step)
            surroundings.Output.WriteLine(step);
    }

    private async Task<ImportView> FollowAsync(
        ApiReply<ImportView> import, Action<ApiReply<ImportView>> show, Action<string> note, CancellationToken cancellationToken)
    {
        long? awaySince = null;
        show(import);
        while (!IsAtRest(import.Value))
        {
            await Task.Delay(Interval, surroundings.Clock, cancellationToken);
            try
            {
                import = await api.GetAsync<ImportView>($"imports/{import.Value.Id}", cancellationToken);
            }
            catch (VerbFailure failure) when (failure.ServerIsAway)
            {
                if (awaySince is null)
                    note($"{failure.Message} Trying again for {Wording.Duration(Patience.TotalSeconds)}; the import goes on when the "
                        + "server does.");
                awaySince ??= surroundings.Clock.GetTimestamp();
                if (surroundings.Clock.GetElapsedTime(awaySince.Value) < Patience)
                    continue;
                throw new VerbFailure(failure.ExitCode, failure.Message,
                    $"It was away for {Wording.Duration(Patience.TotalSeconds)}. The import is kept. Look again with: BulkImporter "
                        + $"show {import.Value.Id} --watch");
            }

            if (awaySince is not null)
                note("The server answers again.");
            awaySince = null;
            show(import);
        }

        return import.Value;
    }

    private void Note(string text) => surroundings.Error.WriteLine(text);

    private Action<ApiReply<ImportView>> JsonLines(string first)
    {
        var shown = first;
        return reply =>
        {
            if (reply.Json != shown)
                surroundings.Output.WriteLine(shown = reply.Json);
        };
    }

    /// <summary>A line at every change of the import's state, and otherwise at most one in <see cref="PlainInterval"/>.</summary>
    private Action<ApiReply<ImportView>> PlainLines()
    {
        if (surroundings.IsQuiet)
            return _ => { };
        ImportView? shown = null;
        var shownAt = surroundings.Clock.GetTimestamp();
        return reply =>
        {
            var import = reply.Value;
            var news = shown is null || shown.State != import.State || shown.Reason != import.Reason || IsAtRest(import);
            if (!news && (shown!.Counts == import.Counts || surroundings.Clock.GetElapsedTime(shownAt) < PlainInterval))
                return;
            (shown, shownAt) = (import, surroundings.Clock.GetTimestamp());
            surroundings.Output.WriteLine(surroundings.Clock.GetLocalNow()
                .ToString("HH:mm:ss ", CultureInfo.InvariantCulture) + ImportPicture.Line(import));
        };
    }
}
