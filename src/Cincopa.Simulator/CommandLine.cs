using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Cincopa.Simulator.Faults;
using Cincopa.Simulator.Remote;

namespace Cincopa.Simulator;

/// <summary>What stands behind <c>Cincopa.Simulator</c> on the command line.</summary>
internal static class CommandLine
{
    public const string Usage = """
        usage: Cincopa.Simulator [--urls URL] [--token TOKEN]... [--faults FILE]
          --urls URL      where to listen (default ASPNETCORE_URLS, else http://127.0.0.1:5099)
          --token TOKEN   accept only this token; may be repeated. Without it any token is accepted
          --faults FILE   the fault script to start with, as POST /_sim/faults takes it
        """;

    public static bool TryRead(
        IReadOnlyList<string> args,
        Func<string, string?> environment,
        [NotNullWhen(true)] out SimulatorOptions? options,
        [NotNullWhen(false)] out string? complaint)
    {
        options = null;
        var urls = environment("ASPNETCORE_URLS") ?? "http://127.0.0.1:5099";
        var tokens = new List<TokenGrant>();
        var script = FaultScript.None;
        for (var i = 0; i < args.Count; i += 2)
        {
            if (i + 1 == args.Count)
            {
                complaint = $"a value is missing after {args[i]}";
                return false;
            }

            switch (args[i])
            {
                case "--urls":
                    urls = args[i + 1];
                    break;
                case "--token":
                    tokens.Add(new TokenGrant { Token = args[i + 1] });
                    break;
                case "--faults":
                    try
                    {
                        script = FaultScript.Parse(File.ReadAllBytes(args[i + 1]));
                    }
                    catch (Exception e) when (e is IOException or JsonException or UnauthorizedAccessException)
                    {
                        complaint = $"{args[i + 1]}: {e.Message}";
                        return false;
                    }

                    break;
                default:
                    complaint = $"unknown option {args[i]}";
                    return false;
            }
        }

        options = new SimulatorOptions { Urls = urls, Tokens = tokens, Script = script };
        complaint = null;
        return true;
    }
}
