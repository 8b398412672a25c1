using System.CommandLine;
using BulkImporter.Cli;
using BulkImporter.Tests.Data;

namespace BulkImporter.Tests.Cli;

public sealed class PlainNumbersOfTheCommandLineTests
{
    /// <summary>
    /// Every option and argument of every verb that takes a number: its last word, behind the verb's and the arguments before it.
    /// </summary>
    public static TheoryData<string> Numbers()
    {
        using var run = new CliRun();
        var found = new TheoryData<string>();
        foreach (var (path, command) in Verbs(CommandLine.Root(CliRun.NoServer, run.Surroundings), ""))
        {
            foreach (var option in command.Options.Where(o => IsNumber(o.ValueType))) found.Add($"{path}{option.Name}");
            // A verb that wants to be sure asks for a word more.
            var sure = string.Concat(command.Options.Where(o => o.Name is "--yes" or "--all").Select(o => $"{o.Name} "));
            foreach (var argument in command.Arguments.Where(a => IsNumber(a.ValueType)))
            {
                var before = string.Concat(command.Arguments.TakeWhile(a => a != argument).Select(_ => "1 "));
                found.Add($"{path}{(before.Length == 0 ? sure : "")}{before}{argument.Name}");
            }
        }
        return found;
    }

    [Theory]
    [MemberData(nameof(Numbers))]
    public async Task Number_that_is_not_plainly_one_exits_2_with_what_to_write_and_nothing_is_asked(string line)
    {
        var words = line.Split(' ');
        foreach (var text in PlainNumberTests.NotPlain.Select(row => (string)row)
            .Where(text => !text.Contains('\0') && text.Trim().Length > 0))
        {
            using var run = new CliRun();
            // What else the verb wants is missing at times; the complaint about the number is there all the same.
            string[] args = words[^1].StartsWith("--", StringComparison.Ordinal)
                ? [.. words[..^1], $"{words[^1]}={text}"] : [.. words[..^1], text];

            Assert.True(await run.RunAsync(args) == ExitCode.Usage, $"{line} took '{text}': {run.Error}{run.Output}");
            // A dash begins an option, and the library says so.
            if (!text.StartsWith('-') && !text.StartsWith('&'))
                Assert.True(run.Error.Contains("Write ", StringComparison.Ordinal),
                    $"{line} does not say what to write instead of '{text}': {run.Error}");
            Assert.Empty(run.Api.Calls);
        }
    }

    [Fact]
    public async Task Decimal_comma_is_never_dropped()
    {
        using var run = new CliRun();

        Assert.Equal(ExitCode.Usage, await run.RunAsync("account", "limits", "default", "--rate", "2,5"));

        Assert.Contains("--rate: '2,5' is not a valid number. Write 2.5", run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Api.Calls);
    }

    private static bool IsNumber(Type type)
    {
        var one = type.IsArray ? type.GetElementType()! : Nullable.GetUnderlyingType(type) ?? type;
        return one.IsPrimitive && one != typeof(bool);
    }

    private static IEnumerable<(string Path, Command Command)> Verbs(Command command, string path) =>
        command.Subcommands.SelectMany(verb => Verbs(verb, $"{path}{verb.Name} ")).Prepend((path, command));
}
