using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Numerics;

namespace BulkImporter.Cli;

/// <summary>A verb of the command line with the examples that its help shows.</summary>
internal class Verb(string name, string description, params string[] examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples => examples;

    public Verb Takes(params ReadOnlySpan<Symbol> symbols)
    {
        foreach (var symbol in symbols)
        {
            switch (symbol)
            {
                case Argument argument:
                    ReadPlainNumbers(argument);
                    Add(argument);
                    break;
                case Option option:
                    ReadPlainNumbers(option);
                    Add(option);
                    break;
                case Command command:
                    Add(command);
                    break;
            }
        }

        return this;
    }

    /// <summary>The library reads 25 from 2,5; see <see cref="PlainNumber"/>.</summary>
    private static void ReadPlainNumbers(Symbol symbol)
    {
        switch (symbol)
        {
            case Option<int> whole: whole.CustomParser = Whole<int>; break;
            case Option<int?> whole: whole.CustomParser = result => Whole<int>(result); break;
            case Option<int[]> several: several.CustomParser = WholeOnes; break;
            case Argument<int[]> several: several.CustomParser = WholeOnes; break;
            case Option<double?> number: number.CustomParser = result => Decimal(result, result.Tokens.Single()); break;
            case Argument<int> whole: whole.CustomParser = Whole<int>; break;
            case Argument<int?> whole: whole.CustomParser = result => Whole<int>(result); break;
            case Argument<long> whole: whole.CustomParser = Whole<long>; break;
        }
    }

    private static int[] WholeOnes(ArgumentResult result) => [.. result.Tokens.Select(token => Whole<int>(result, token))];

    private static T Whole<T>(ArgumentResult result) where T : IBinaryInteger<T> => Whole<T>(result, result.Tokens.Single());

    private static T Whole<T>(ArgumentResult result, Token token) where T : IBinaryInteger<T>
    {
        if (!PlainNumber.TryWhole<T>(token.Value, out var number))
            result.AddError($"{NameOf(result)}: {PlainNumber.WholeComplaint(token.Value)}");
        return number;
    }

    private static double Decimal(ArgumentResult result, Token token)
    {
        if (!PlainNumber.TryDecimal(token.Value, out var number))
            result.AddError($"{NameOf(result)}: {PlainNumber.DecimalComplaint(token.Value)}");
        return number;
    }

    private static string NameOf(ArgumentResult result) => result.Parent is OptionResult option ? option.Option.Name : result.Argument.Name;
}

/// <summary>The library's help, followed by examples: they are read first.</summary>
internal sealed class HelpWithExamples(HelpAction help, IReadOnlyList<string> rootExamples) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        help.Invoke(parseResult);
        var output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Examples:");
        foreach (var line in parseResult.CommandResult.Command is Verb verb ? verb.Examples : rootExamples)
            output.WriteLine($"  {line}");
        output.WriteLine();
        return ExitCode.Done;
    }
}
