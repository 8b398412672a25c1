using System.CommandLine;
using System.Globalization;
using BulkImporter.Data;
using BulkImporter.Export;

namespace BulkImporter.Cli;

/// <summary><c>map IMPORT…</c>: from the addresses that people used until now to where the assets play.</summary>
internal sealed class MapVerb : ClientVerb
{
    private readonly Argument<int[]> imports = new("IMPORT")
    {
        Description = "The numbers of the imports, as `BulkImporter list` shows them",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string> format = new("--format")
    {
        HelpName = string.Join('|', EnumText<MapFormat>.All),
        Description =
            "Who reads the map: nginx (to be included), apache (for RewriteMap), netlify (_redirects), wordpress (for the plugin "
                + "Redirection), or anybody",
        DefaultValueFactory = _ => EnumText<MapFormat>.Of(MapFormat.Csv),
    };

    private readonly Option<string?> to = new("--to")
    {
        HelpName = string.Join('|', EnumText<MapTarget>.All),
        Description = "Where old addresses lead: the embed page, the playlist, the file, or a page of yours [embed; page with --page]",
    };

    private readonly Option<string?> page = new("--page")
    {
        HelpName = "TEMPLATE",
        Description = "The address of your pages, with {rid}, {fid} or {reference_id} in it",
    };

    private readonly Option<string?> output = OutputFile.Option("Where to write; the file appears whole or not at all [standard output]");

    public MapVerb(Surroundings surroundings)
        : base(surroundings, "map",
            "Write the map from old addresses to new ones, so that links to the old library still play. The old address of a row is its "
                + "column old_url, else its source. Refused when one address would lead to two assets.",
            "BulkImporter map 7 --format nginx -o old-addresses.conf", "BulkImporter map 7 8 --format csv --to hls",
            "BulkImporter map 7 --format netlify --page 'https://www.example.com/watch/{reference_id}' -o _redirects")
    {
        format.AcceptOnlyFromAmong([.. EnumText<MapFormat>.All]);
        to.AcceptOnlyFromAmong([.. EnumText<MapTarget>.All]);
        TakesFromServer(imports, format, to, page, output);
    }

    protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
    {
        var query = Query.Of([
            .. line.GetRequiredValue(imports).Select(id => ("import", (string?)id.ToString(CultureInfo.InvariantCulture))),
            ("format", line.GetValue(format)), ("to", line.GetValue(to)), ("page", line.GetValue(page)),
        ]);
        var report = (await api.GetAsync<MapReport>("map/check" + query, cancellationToken)).Value;
        var file = OutputFile.At(line.GetValue(output) ?? "-");
        await file.WriteAsync(bytes => api.DownloadAsync("map" + query, bytes, cancellationToken), Surroundings, cancellationToken);
        Surroundings.Error.WriteLine($"Wrote {file.Name}: {Sentence(report)}");
        return ExitCode.Done;
    }

    /// <summary>What is in it, and what is not.</summary>
    internal static string Sentence(MapReport report) => string.Join(' ', ((string?[])
    [
        $"{Wording.Count(report.Addresses, "old address", "old addresses")}.",
        Left(report.Repeated, "repeats the address and the asset of another row", "repeat the address and the asset of another row"),
        Left(report.WithoutTarget, "is left out because its asset has no such address",
            "are left out because their assets have no such address"),
        Left(report.WithoutAddress, "is left out because its old address cannot be written in this format",
            "are left out because their old addresses cannot be written in this format"),
    ]).Where(s => s is not null));

    private static string? Left(long count, string one, string many) =>
        count == 0 ? null : $"{Wording.Count(count, "row", "rows")} {(count == 1 ? one : many)}.";
}
