using Spectre.Console;

namespace BulkImporter.Cli;

/// <summary>Everything outside the process that a verb touches: terminal, environment, network, clock.</summary>
internal sealed class Surroundings
{
    /// <summary>What was asked for: tables, JSON, results. Lines written here are never wrapped or coloured.</summary>
    public required TextWriter Output { get; init; }

    /// <summary>Why a verb failed, said even when it should be quiet.</summary>
    public required TextWriter Complaints { get; init; }

    /// <summary>Notes and progress, so that a pipe gets only what was asked for. Goes nowhere when the caller wants it quiet.</summary>
    public TextWriter Error => IsQuiet ? TextWriter.Null : Complaints;

    public bool IsQuiet { get; set; }

    public required TextReader Input { get; init; }

    /// <summary>The bytes of standard input, for files that a person pipes in.</summary>
    public required Func<Stream> InputBytes { get; init; }

    /// <summary>The bytes of standard output, for results that are not ours to encode.</summary>
    public required Func<Stream> OutputBytes { get; init; }

    /// <summary>Tables and live pictures on standard output.</summary>
    public required IAnsiConsole Screen { get; init; }

    public required Func<string, string?> Environment { get; init; }

    public required Func<HttpMessageHandler> HttpHandler { get; init; }

    public required TimeProvider Clock { get; init; }

    /// <summary>A person looks at it: pictures may move. Otherwise plain lines.</summary>
    public bool IsLive => !IsQuiet && Screen.Profile is { Out.IsTerminal: true, Capabilities: { Interactive: true, Ansi: true } };

    public static Surroundings OfTheProcess()
    {
        Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        return new Surroundings
        {
            Output = Console.Out,
            Complaints = Console.Error,
            Input = Console.In,
            InputBytes = Console.OpenStandardInput,
            OutputBytes = Console.OpenStandardOutput,
            Screen = ScreenOn(new AnsiConsoleSettings()),
            Environment = System.Environment.GetEnvironmentVariable,
            HttpHandler = () => new SocketsHttpHandler
            {
                // A redirect would carry the key elsewhere, and turns a POST into a GET.
                AllowAutoRedirect = false,
                ConnectTimeout = TimeSpan.FromSeconds(10),
                UseCookies = false,
            },
            Clock = TimeProvider.System,
        };
    }

    /// <summary>Outside a terminal a table is as wide as its content: a cut URL in a file or a pipe is a wrong URL.</summary>
    public static IAnsiConsole ScreenOn(AnsiConsoleSettings settings)
    {
        var screen = AnsiConsole.Create(settings);
        if (!screen.Profile.Out.IsTerminal)
            screen.Profile.Width = 4096;
        return screen;
    }
}
