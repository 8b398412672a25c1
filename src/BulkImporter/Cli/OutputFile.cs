using System.CommandLine;

namespace BulkImporter.Cli;

/// <summary>
/// Where <c>-o</c> writes. A regular file appears whole or not at all: it is written beside and renamed. Whatever else the name leads to (a
/// device, a FIFO, the <c>&gt;(…)</c> of a shell) is written into as it is, and <c>-</c> is standard output. A link stays, and what it
/// points to is written.
/// </summary>
internal sealed class OutputFile
{
    private const string StandardOutput = "-";

    /// <summary>Results hold signed links: a new file is its owner's alone.</summary>
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>EPIPE: the reader has what it wanted and went away, as <c>head</c> does.</summary>
    private const int BrokenPipe = 32;

    private readonly string path;
    private readonly FileKind? there;

    private OutputFile(string path, string name, FileKind? there) => (this.path, Name, this.there) = (path, name, there);

    /// <summary>As messages name it.</summary>
    public string Name { get; }

    /// <summary>It can be read again when it is written.</summary>
    public bool IsRegular => path != StandardOutput && there is not { IsRegular: false };

    public static Option<string?> Option(string description = "Where to write, completely or not at all [standard output]")
    {
        var option = new Option<string?>("--output", "-o") { HelpName = "FILE", Description = description };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: "" }]) result.AddError("--output names no file. Give a name, or - for standard output.");
        });
        return option;
    }

    /// <exception cref="VerbFailure">A folder has this name, or its links lead nowhere.</exception>
    public static OutputFile At(string name)
    {
        if (name == StandardOutput) return new(name, "standard output", null);
        var full = Path.GetFullPath(name);
        if (Directory.Exists(full)) throw new VerbFailure(ExitCode.Failed, $"{full} is a folder. Name a file in it.");
        if (FileKind.Of(full) is { IsRegular: false } device) return new(full, full, device);
        try
        {
            var target = new FileInfo(full).LinkTarget is null ? full : File.ResolveLinkTarget(full, returnFinalTarget: true)!.FullName;
            return new(target, full, FileKind.Of(target));
        }
        catch (IOException e)
        {
            throw CannotBeWritten(full, e);
        }
    }

    /// <summary>Gives <paramref name="write"/> the stream to write to.</summary>
    public async Task WriteAsync(Func<Stream, Task> write, Surroundings surroundings, CancellationToken cancellationToken)
    {
        try
        {
            if (IsRegular) await ReplaceAsync(write, cancellationToken);
            else await HandOnAsync(write, surroundings, cancellationToken);
        }
        catch (IOException e) when (!IsRegular && e.HResult == BrokenPipe)
        {
            // Whoever reads decides how much.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CannotBeWritten(Name, e);
        }
    }

    private async Task HandOnAsync(Func<Stream, Task> write, Surroundings surroundings, CancellationToken cancellationToken)
    {
        await using var stream = path == StandardOutput
            ? surroundings.OutputBytes()
            : new FileStream(path, new FileStreamOptions
            { Mode = FileMode.Open, Access = FileAccess.Write, Share = FileShare.ReadWrite, Options = FileOptions.Asynchronous });
        await write(stream);
        await stream.FlushAsync(cancellationToken);
    }

    private async Task ReplaceAsync(Func<Stream, Task> write, CancellationToken cancellationToken)
    {
        var partial = $"{path}.{Path.GetRandomFileName()}.part";
        try
        {
            var options = new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                Share = FileShare.None,
                BufferSize = 128 * 1024,
                Options = FileOptions.Asynchronous
            };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = Private;
            await using (var file = new FileStream(partial, options))
            {
                await write(file);
                await file.FlushAsync(cancellationToken);
                file.Flush(flushToDisk: true);
            }

            if (!OperatingSystem.IsWindows() && there is not null)
            {
                there.Own(partial);
                File.SetUnixFileMode(partial, File.GetUnixFileMode(path));
            }

            File.Move(partial, path, overwrite: true);
        }
        finally
        {
            // Deleting what is not there is fine; in a folder that is not there it is not.
            if (File.Exists(partial)) File.Delete(partial);
        }
    }

    private static VerbFailure CannotBeWritten(string name, Exception e) => new(ExitCode.Failed, e is DirectoryNotFoundException
        ? $"{name} cannot be written: there is no such folder." : $"{name} cannot be written: {e.Message}");
}
