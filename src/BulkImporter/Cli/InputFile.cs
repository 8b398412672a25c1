using System.CommandLine;
using System.CommandLine.Parsing;

namespace BulkImporter.Cli;

/// <summary>A file that a verb reads: a name, a pipe such as the <c>&lt;(…)</c> of a shell, or <c>-</c> for standard input.</summary>
internal sealed class InputFile
{
    private const string StandardInput = "-";

    /// <summary>What opened descriptors are called; a file behind one of them has another name.</summary>
    private static readonly string[] StandardNames = ["/dev/fd/", "/dev/stdin", "/proc/"];

    private readonly string path;

    private InputFile(string path) => this.path = path;

    /// <summary>As messages name it.</summary>
    public string Name => path == StandardInput ? "Standard input" : path;

    /// <summary>What the file is called; null for a pipe, whose name says nothing about what comes out of it.</summary>
    public string? FileName => path != StandardInput && FileKind.Of(path) is { IsRegular: true }
        && !StandardNames.Any(n => path.StartsWith(n, StringComparison.Ordinal))
        ? Path.GetFileName(path)
        : null;

    public static Argument<InputFile> Argument(string description) =>
        new("FILE") { Description = description + "; - for standard input", CustomParser = Parse };

    /// <summary>One or more, each by a name of its own: what comes through a pipe has none.</summary>
    public static Argument<InputFile[]> Arguments(string description, string whyNamed) => new("FILE")
    {
        Description = description,
        Arity = ArgumentArity.OneOrMore,
        CustomParser = result =>
        {
            var named = new List<InputFile>();
            foreach (var token in result.Tokens)
            {
                if (Parse(result, token.Value) is not { } file) return null;
                if (file.FileName is not null) named.Add(file);
                else result.AddError($"{file.Name} is a pipe or a device and has no file name. {whyNamed}");
            }

            return [.. named];
        },
    };

    public static Option<InputFile?> Option(string name, string description) =>
        new(name) { HelpName = "FILE", Description = description + "; - for standard input", CustomParser = Parse };

    /// <exception cref="VerbFailure">It cannot be read.</exception>
    public Stream Open(Surroundings surroundings)
    {
        try
        {
            return path == StandardInput
                ? surroundings.InputBytes()
                : new FileStream(path, new FileStreamOptions
                {
                    Mode = FileMode.Open,
                    Access = FileAccess.Read,
                    Share = FileShare.Read,
                    BufferSize = 128 * 1024,
                    Options = FileOptions.Asynchronous | FileOptions.SequentialScan
                });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CannotBeRead(e);
        }
    }

    /// <summary>
    /// For what is read more than once or from its end: what comes through a pipe is kept in a temporary file as long as the stream is
    /// open.
    /// </summary>
    /// <exception cref="VerbFailure">It cannot be read.</exception>
    public async Task<Stream> OpenWholeAsync(Surroundings surroundings, CancellationToken cancellationToken)
    {
        var stream = Open(surroundings);
        if (stream.CanSeek) return stream;
        await using var piped = stream;
        return await ReadAsync(async () =>
        {
            var options = new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                BufferSize = 128 * 1024,
                Options = FileOptions.Asynchronous | FileOptions.DeleteOnClose
            };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            var whole = new FileStream(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()), options);
            await piped.CopyToAsync(whole, cancellationToken);
            whole.Position = 0;
            return whole;
        });
    }

    /// <summary>What is read of the file, or the sentence that it cannot be. What is printed meanwhile has a sentence of its own.</summary>
    /// <exception cref="VerbFailure">It cannot be read.</exception>
    public async ValueTask<T> ReadAsync<T>(Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CannotBeRead(e);
        }
    }

    private VerbFailure CannotBeRead(Exception e) => new(ExitCode.Failed, $"{Name} cannot be read: {e.Message}");

    private static InputFile? Parse(ArgumentResult result) => Parse(result, result.Tokens.Single().Value);

    private static InputFile? Parse(ArgumentResult result, string name)
    {
        if (name == StandardInput) return new(name);
        if (File.Exists(name)) return new(Path.GetFullPath(name));
        result.AddError(Directory.Exists(name) ? $"'{name}' is a folder. Name a file in it." : $"File does not exist: '{name}'.");
        return null;
    }
}
