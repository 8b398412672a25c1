using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using BulkImporter.Manifests;
using BulkImporter.Parse;
using BulkImporter.Sources;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary>
/// <c>validate FILE</c>: the checks of a manifest, without server and account; memory grows by 60 bytes a row, for the duplicates.
/// </summary>
internal sealed class ValidateVerb : Verb
{
    private readonly Surroundings surroundings;
    private readonly Argument<InputFile> file = InputFile.Argument("The manifest: .csv, .tsv, .xlsx or .jsonl, text also as .gz");
    private readonly Option<string?> map = Map();
    private readonly Option<string?> encoding = Encoding();
    private readonly Option<string?> sheet = Sheet();
    private readonly Option<bool> json = Flag("--json", "Print columns, every finding and the counts as one JSON object");
    private readonly Option<int> limit = new("--limit")
    { HelpName = "N", Description = "Findings to print. All are counted", DefaultValueFactory = _ => 50 };

    public ValidateVerb(Surroundings surroundings)
        : base("validate",
            "Check a manifest on this machine: no server, no account, nothing sent. Exit code 3 if rows cannot be imported, 1 if the "
                + "file is not a manifest.",
            "BulkImporter validate library.csv",
            "BulkImporter validate library.csv --json | jq -r '.findings[] | select(.severity == \"error\") | \"\\(.line): \\(.code)\"'")
    {
        this.surroundings = surroundings;
        Takes(file, map, encoding, sheet, limit, json);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult line, CancellationToken cancellationToken)
    {
        var manifest = line.GetRequiredValue(file);
        try
        {
            var mapping = line.GetValue(map) is { } text ? ManifestMapping.Parse(text) : null;
            await using var bytes = manifest.Open(surroundings);
            await using var reader = await manifest.ReadAsync(() => ManifestReader.OpenAsync(bytes,
                new ManifestReading(mapping, line.GetValue(encoding), line.GetValue(sheet)), cancellationToken));
            return line.GetValue(json)
                ? await PrintJsonAsync(manifest, reader, cancellationToken)
                : await PrintTextAsync(manifest, reader, line.GetValue(limit), cancellationToken);
        }
        catch (ManifestRejectedException e)
        {
            var advice = e.Code is RejectionCode.MappingInvalid or RejectionCode.ColumnUnknown or RejectionCode.UrlColumnAmbiguous
                or RejectionCode.UrlColumnMissing
                ? "Name the columns with --map, for example: --map url=Link,caption=Name"
                : e is { Code: RejectionCode.SheetUnclear, Candidates: [var first, ..] }
                ? $"Name the sheet, for example: --sheet \"{first}\""
                : e.Encoding is { } offered ? $"To read it so: --encoding {offered}" : null;
            throw new VerbFailure(ExitCode.Failed, $"{manifest.Name} is not a manifest: {e.Message}", advice);
        }
    }

    private async Task<int> PrintTextAsync(InputFile manifest, ManifestReader reader, int most, CancellationToken cancellationToken)
    {
        var layout = reader.Layout;
        foreach (var (target, index) in layout.Mapping.OrderBy(m => m.Key))
            surroundings.Output.WriteLine($"{ManifestFormat.Name(target)} = {Wording.Plain(layout.Columns[index])}");
        var unused = layout.OriginalColumns.Where(index => !layout.Mapping.Values.Contains(index))
            .Select(index => layout.Columns[index]).ToList();
        if (unused.Count > 0)
            surroundings.Output.WriteLine(
                $"not imported: {string.Join(", ", unused.Take(40).Select(Wording.Plain))}"
                    + $"{(unused.Count > 40 ? $" and {Wording.Number(unused.Count - 40)} more" : "")}");

        var (printed, codes) = (0, new SortedDictionary<FindingCode, int>());
        var tally = await CheckAsync(manifest, reader, finding =>
        {
            codes[finding.Code] = codes.GetValueOrDefault(finding.Code) + 1;
            if (printed++ < most)
                surroundings.Output.WriteLine(Sentence(finding));
        }, cancellationToken);

        if (printed > most)
            surroundings.Output.WriteLine($"... and {Wording.Count(printed - most, "more finding", "more findings")}; --limit shows more.");
        surroundings.Output.WriteLine(
            $"{Wording.Count(tally.Rows, "row", "rows")}: {Wording.Number(tally.Valid)} valid, {Wording.Number(tally.Invalid)} invalid, "
                + $"{Wording.Number(tally.Duplicate)} duplicate.");
        foreach (var (code, count) in codes)
            surroundings.Output.WriteLine($"  {code.Name()} {Wording.Number(count)}");
        return tally.ExitCode;
    }

    /// <summary>Findings are written as they are found, so the counts stand behind them.</summary>
    private async Task<int> PrintJsonAsync(InputFile manifest, ManifestReader reader, CancellationToken cancellationToken)
    {
        var layout = reader.Layout;
        await using var output = surroundings.OutputBytes();
        await using var writer = new Utf8JsonWriter(output, new JsonWriterOptions
        { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        writer.WriteStartObject();
        writer.WriteStartArray("columns");
        foreach (var column in layout.Columns)
            writer.WriteStringValue(column);
        writer.WriteEndArray();
        writer.WriteStartObject("mapping");
        foreach (var (target, index) in layout.Mapping.OrderBy(m => m.Key))
            writer.WriteString(ManifestFormat.Name(target), layout.Columns[index]);
        writer.WriteEndObject();
        writer.WriteStartArray("findings");
        var tally = await CheckAsync(manifest, reader, finding =>
        {
            writer.WriteStartObject();
            writer.WriteNumber("row", finding.RowNumber);
            writer.WriteNumber("line", finding.LineNumber);
            writer.WriteString("column", finding.Column);
            writer.WriteString("code", finding.Code.Name());
            writer.WriteString("severity", EnumText<FindingSeverity>.Of(finding.Severity));
            writer.WriteString("value", finding.MaskedValue);
            writer.WriteString("hint", finding.Hint);
            if (finding.OtherRowNumber is { } other)
                writer.WriteNumber("otherRow", other);
            writer.WriteEndObject();
            if (writer.BytesPending > 64 * 1024)
                writer.Flush();
        }, cancellationToken);
        writer.WriteEndArray();
        writer.WriteNumber("rows", tally.Rows);
        writer.WriteNumber("valid", tally.Valid);
        writer.WriteNumber("invalid", tally.Invalid);
        writer.WriteNumber("duplicate", tally.Duplicate);
        writer.WriteEndObject();
        await writer.FlushAsync(cancellationToken);
        output.Write("\n"u8);
        return tally.ExitCode;
    }

    private async Task<Tally> CheckAsync(
        InputFile manifest, ManifestReader reader, Action<Finding> found, CancellationToken cancellationToken)
    {
        var checks = new ManifestChecks(reader.Layout, new SourceUrlRules(new ManifestOptions()), surroundings.Clock.GetUtcNow());
        var duplicates = new DuplicateRows(reader.Layout);
        var findings = new List<Finding>();
        var tally = new Tally(0, 0, 0);
        var next = () => reader.ReadAsync(cancellationToken).AsTask();
        while (await manifest.ReadAsync(next))
        {
            findings.Clear();
            var row = checks.Check(reader.Row, findings);
            var isDuplicate = duplicates.Check(row, findings);
            findings.ForEach(found);
            tally = new Tally(tally.Rows + 1, tally.Invalid + (row.IsBlocked ? 1 : 0), tally.Duplicate + (isDuplicate ? 1 : 0));
        }

        return tally;
    }

    private static string Sentence(Finding finding) =>
        $"line {finding.LineNumber}{(finding.RowNumber > 0 ? $", row {finding.RowNumber}" : "")}: "
            + $"{EnumText<FindingSeverity>.Of(finding.Severity)} {finding.Code.Name()}{Where(finding)}. {finding.Hint}";

    private static string Where(Finding finding)
    {
        var column = finding.Column is null ? "" : $" in {Wording.Plain(finding.Column)}";
        var value = finding.MaskedValue is null ? "" : $" ({Wording.Plain(finding.MaskedValue)})";
        var other = finding.OtherRowNumber is { } row ? $", as in row {row}" : "";
        return column + value + other;
    }

    private sealed record Tally(int Rows, int Invalid, int Duplicate)
    {
        public int Valid => Rows - Invalid - Duplicate;

        public int ExitCode => Invalid > 0 ? Cli.ExitCode.DoneWithProblems : Cli.ExitCode.Done;
    }
}
