using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace BulkImporter.Cli;

/// <summary>A verb of the command line with the examples that its help shows.</summary>
internal abstract class Verb(string name, string description, params string[] examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; } = examples;

    protected void Takes(params ReadOnlySpan<Symbol> symbols)
    {
        foreach (var symbol in symbols)
        {
            switch (symbol)
            {
                case Argument argument:
                    Add(argument);
                    break;
                case Option option:
                    Add(option);
                    break;
                case Command command:
                    Add(command);
                    break;
            }
        }
    }
}

/// <summary>The library's help, followed by examples: they are read first.</summary>
internal sealed class HelpWithExamples(HelpAction help, IReadOnlyList<string> rootExamples) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        help.Invoke(parseResult);
        var output = parseResult.InvocationConfiguration.Output;
        var (title, lines) = parseResult.CommandResult.Command switch
        {
            RootCommand => ("Examples:", rootExamples),
            Verb verb => ("Examples:", verb.Examples),
            _ => ("", []),
        };
        if (lines.Count > 0)
        {
            output.WriteLine(title);
            foreach (var line in lines)
                output.WriteLine($"  {line}");
            output.WriteLine();
        }

        return ExitCode.Done;
    }
}
