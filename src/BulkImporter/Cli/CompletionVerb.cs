using System.CommandLine;

namespace BulkImporter.Cli;

/// <summary>
/// <c>completion SHELL</c>: prints a script that lets the shell complete verbs, options and their values by asking this program.
/// </summary>
internal sealed class CompletionVerb : Verb
{
    // The program itself knows what comes next: a line that begins with [suggest:POSITION] makes it print the possible words.
    private const string Bash = """
        _bulkimporter() {
            local words
            words="$("$1" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)" || return
            mapfile -t COMPREPLY < <(compgen -W "$words" -- "$2")
        }
        complete -o default -F _bulkimporter bulkimporter BulkImporter
        """;

    private const string Zsh = """
        _bulkimporter() {
            local -a found
            found=("${(@f)$("$words[1]" "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)}")
            compadd -- $found || _files
        }
        compdef _bulkimporter bulkimporter BulkImporter
        """;

    private const string Fish = """
        function __bulkimporter
            set -l line (commandline -cp)
            $argv[1] "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c bulkimporter -a '(__bulkimporter bulkimporter)'
        complete -c BulkImporter -a '(__bulkimporter BulkImporter)'
        """;

    private readonly Argument<string> shell = new("SHELL") { Description = "bash, zsh or fish" };

    public CompletionVerb(Surroundings surroundings)
        : base("completion", "Print a script that makes the shell complete verbs, options and their values.",
            "BulkImporter completion bash >> ~/.bashrc",
            "BulkImporter completion zsh  >> ~/.zshrc            after compinit",
            "BulkImporter completion fish > ~/.config/fish/completions/bulkimporter.fish")
    {
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        Takes(shell);
        SetAction(line => surroundings.Output.WriteLine(line.GetRequiredValue(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Fish }));
    }
}
