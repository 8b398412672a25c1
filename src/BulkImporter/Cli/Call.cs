using System.CommandLine;
using Spectre.Console;

namespace BulkImporter.Cli;

/// <summary>A client verb at work: what was typed, the server, and where its answers are printed.</summary>
/// <param name="IsJson">Answers are printed as they come, and not in words.</param>
internal sealed record Call(
    ParseResult Line, ImporterApi Api, Surroundings Surroundings, bool IsJson, CancellationToken CancellationToken)
{
    public T Get<T>(Option<T> option) => Line.GetValue(option)!;

    public T Get<T>(Argument<T> argument) => Line.GetValue(argument)!;

    public Task<ApiReply<T>> GetAsync<T>(string path) => SendAsync<T>(HttpMethod.Get, path);

    public Task<ApiReply<T>> PostAsync<T>(string path, object? body = null) => SendAsync<T>(HttpMethod.Post, path, body);

    public Task<ApiReply<T>> SendAsync<T>(HttpMethod method, string path, object? body = null) =>
        Api.SendAsync<T>(method, path, body, CancellationToken);

    /// <summary>An order whose answer is that it was done.</summary>
    public async Task<int> OrderAsync(HttpMethod method, string path, string done, object? body = null)
    {
        await Api.OrderAsync(method, path, body, CancellationToken);
        Say(done);
        return ExitCode.Done;
    }

    public Task DownloadAsync(string path, OutputFile file) =>
        file.WriteAsync(bytes => Api.DownloadAsync(path, bytes, CancellationToken), Surroundings, CancellationToken);

    public void Say(string text) => Surroundings.Output.WriteLine(text);

    public void Note(string text) => Surroundings.Error.WriteLine(text);

    /// <summary>Prints an answer as it came, or in the words that <paramref name="tell"/> prints.</summary>
    public void Tell<T>(ApiReply<T> answer, Action<T> tell)
    {
        if (IsJson) Say(answer.Json);
        else tell(answer.Value);
    }

    /// <summary>All that a verb does which prints one answer.</summary>
    public async Task<int> ShowAsync<T>(Task<ApiReply<T>> answering, Action<T> show)
    {
        Tell(await answering, show);
        return ExitCode.Done;
    }

    /// <summary>The same of an answer that is one sentence.</summary>
    public Task<int> TellAsync<T>(Task<ApiReply<T>> answering, Func<T, string> sentence) =>
        ShowAsync(answering, answer => Say(sentence(answer)));

    /// <summary>All that a verb does which prints a page of a list.</summary>
    /// <param name="none">Noted of an empty page, in the place of a table without rows.</param>
    public Task<int> ListAsync<T>(string path, string[] columns, Func<T, string?[]> cells, string? none = null) =>
        ShowAsync(GetAsync<Page<T>>(path), page =>
        {
            if (none is not null && page.Items.Count == 0)
            {
                Note(none);
                return;
            }

            Table(columns, page.Items.Select(cells));
            if (page.Next is { } next) Note($"There are more: --after {next}");
        });

    public void Table(IEnumerable<string> columns, IEnumerable<string?[]> rows)
    {
        var table = ImportPicture.TableOf(Surroundings, [.. columns]);
        foreach (var row in rows) table.AddRow(row.Select(cell => new Text(Wording.Plain(cell))));
        Surroundings.Screen.Write(table);
    }

    /// <summary>A time as the table's reader has it on the clock.</summary>
    public string Time(DateTimeOffset? at) => Wording.Time(at, Surroundings.Clock);
}
