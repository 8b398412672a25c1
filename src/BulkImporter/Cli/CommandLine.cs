using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.InteropServices;

namespace BulkImporter.Cli;

/// <summary>The command line of the one executable: the verb chooses the role.</summary>
public static class CommandLine
{
    private const string Quiet = "--quiet";

    /// <summary>
    /// Runs the verb and answers with its <see cref="ExitCode"/>. Ctrl-C, SIGTERM and a closed terminal cancel it; a second Ctrl-C ends the
    /// process.
    /// </summary>
    public static async Task<int> RunAsync(string[] args, ServerVerbs verbs)
    {
        using var interrupted = new CancellationTokenSource();
        void Interrupt(PosixSignalContext signal)
        {
            signal.Cancel = !interrupted.IsCancellationRequested;
            interrupted.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Interrupt);
        return await RunAsync(args, verbs, Surroundings.OfTheProcess(), interrupted.Token);
    }

    /// <summary>
    /// Nothing leaves it as an exception: whatever happens is a sentence on standard error and an <see cref="ExitCode"/>.
    /// </summary>
    internal static async Task<int> RunAsync(
        string[] args, ServerVerbs verbs, Surroundings surroundings, CancellationToken cancellationToken)
    {
        try
        {
            return await ParseAndRunAsync(args, verbs, surroundings, cancellationToken);
        }
        catch (VerbFailure failure)
        {
            return Tell(surroundings, failure.ExitCode, Wording.Plain(failure.Message), failure.Advice);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Tell(surroundings, ExitCode.Interrupted, "Interrupted.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Every file that a person names has said so itself; what is left is where the verb prints.
            return Tell(surroundings, ExitCode.Failed, $"Standard output cannot be written: {Wording.Plain(e.Message)}",
                "Is the disk full, or was the output closed?");
        }
        catch (Exception e)
        {
            var place = e.TargetSite is { } method ? $" in {method.DeclaringType?.Name}.{method.Name}" : "";
            return Tell(surroundings, ExitCode.Failed,
                $"BulkImporter has failed unexpectedly ({e.GetType().Name}{place}): {Wording.Plain(e.Message)}",
                "Please report this line, and what you typed.");
        }
    }

    private static int Tell(Surroundings surroundings, int exitCode, string message, string? advice = null)
    {
        try
        {
            surroundings.Complaints.WriteLine(message);
            if (advice is not null) surroundings.Complaints.WriteLine(advice);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Standard error is closed too: the exit code is all that can still be told.
        }
        return exitCode;
    }

    private static async Task<int> ParseAndRunAsync(
        string[] args, ServerVerbs verbs, Surroundings surroundings, CancellationToken cancellationToken)
    {
        var root = Root(verbs, surroundings);
        // A file or a name that begins with @ is a name, not a file of arguments.
        var line = root.Parse(WithVerb(args), new ParserConfiguration { ResponseFileTokenReplacer = null });
        // The library would end a server two seconds after SIGTERM, in the middle of its graceful stop.
        var invocation = new InvocationConfiguration
        {
            Output = surroundings.Output,
            Error = surroundings.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null
        };
        if (line.Action is ParseErrorAction complaint)
        {
            complaint.ShowHelp = false;
            invocation.Output = surroundings.Error;
            await line.InvokeAsync(invocation, cancellationToken);
            var verb = line.CommandResult.Command is RootCommand ? "" : string.Join(' ', VerbPath(line.CommandResult.Command)) + " ";
            surroundings.Error.WriteLine($"For help type: BulkImporter {verb}--help");
            return ExitCode.Usage;
        }

        surroundings.IsQuiet = line.GetValue<bool>(Quiet);
        return await line.InvokeAsync(invocation, cancellationToken);
    }

    internal static RootCommand Root(ServerVerbs verbs, Surroundings surroundings)
    {
        var quiet = new Option<bool>(Quiet, "-q") { Description = "Print only the result: no notes and no progress", Recursive = true };
        var root =
            new RootCommand(
                "Moves a media library to Cincopa from a list of URLs (CSV, Excel, JSON lines). "
                    + "Nothing is sent again without your consent.")
        {
            ServerVerb.Serve(verbs, surroundings),
            ServerVerb.Web(verbs, surroundings),
            ServerVerb.Work(verbs, surroundings),
            ServerVerb.Migrate(verbs),
            new ValidateVerb(surroundings),
            SubmitVerb.Of(surroundings),
            PushVerb.Of(surroundings),
            ReviseVerb.Of(surroundings),
            PreviewVerb.Of(surroundings),
            FindingsVerb.Of(surroundings),
            ProbeVerb.Of(surroundings),
            ListVerb.Of(surroundings),
            ShowVerb.Of(surroundings),
            RecordVerb.All(surroundings),
            RecordVerb.Of(surroundings),
            SteerVerb.Start(surroundings),
            SteerVerb.Pause(surroundings),
            SteerVerb.Resume(surroundings),
            SteerVerb.Cancel(surroundings),
            RerunVerb.Of(surroundings),
            SteerVerb.Ask(surroundings),
            FinishVerb.Of(surroundings),
            FinishVerb.VerifyArrival(surroundings),
            AdoptVerb.Of(surroundings),
            FinishVerb.GiveUp(surroundings),
            ExportVerb.Of(surroundings),
            MapVerb.Of(surroundings),
            ArchiveVerb.Of(surroundings),
            ArchiveVerb.Verify(surroundings),
            UndoVerb.Of(surroundings),
            SteerVerb.Delete(surroundings),
            TemplateVerb.Of(surroundings),
            AccountVerb.Of(surroundings),
            UserVerb.Of(surroundings),
            KeyVerb.Of(surroundings),
            NotifyVerb.Of(surroundings),
            AuditVerb.Of(surroundings),
            DemoVerb.Of(surroundings),
            new CompletionVerb(surroundings),
            quiet,
        };
        var help = root.Options.OfType<HelpOption>().Single();
        var printed = (HelpAction)help.Action!;
        // Where nobody's terminal breaks the lines, they stay whole.
        if (!surroundings.Screen.Profile.Out.IsTerminal) printed.MaxWidth = int.MaxValue;
        help.Action = new HelpWithExamples(printed,
        [
            "BulkImporter demo                                    everything on this machine, against a simulator",
            "BulkImporter serve                                   dashboard, API and worker at http://127.0.0.1:5080",
            "BulkImporter submit library.csv --start --watch      upload, start, follow",
            "BulkImporter rerun 7 && BulkImporter show 7 --watch  try the failed records again",
            "BulkImporter export 7 -o results.csv                 which row became which asset",
            "",
            "Client verbs talk to BULKIMPORTER_SERVER with BULKIMPORTER_API_KEY.",
            "Exit codes: 0 done, 1 failed, 2 usage, 3 done with failed or unknown records, 4 not found, 5 refused in this state, 130 "
                + "interrupted.",
        ]);
        return root;
    }

    /// <summary>
    /// Nothing at all asks for help: a server, and the database that it may create, is never started by accident. Options alone are those
    /// of <c>serve</c>.
    /// </summary>
    private static string[] WithVerb(string[] args) => args switch
    {
        [] => ["--help"],
        ["-h" or "--help" or "-?" or "/?" or "/h" or "--version", ..] => args,
        [['-', '-', ..], ..] => ["serve", .. args],
        _ => args,
    };

    private static IEnumerable<string> VerbPath(Symbol command) =>
        command is RootCommand ? [] : [.. command.Parents.OfType<Command>().Take(1).SelectMany(VerbPath), command.Name];
}
