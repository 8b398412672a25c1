using System.CommandLine;
using BulkImporter.Export;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary><c>map IMPORT…</c>: from the addresses that people used until now to where the assets play.</summary>
internal static class MapVerb
{
    public static Verb Of(Surroundings surroundings)
    {
        var imports = new Argument<int[]>("IMPORT")
        { Description = "The numbers of the imports, as `BulkImporter list` shows them", Arity = ArgumentArity.OneOrMore };
        var format = Choice<MapFormat>("--format",
            "Who reads the map: nginx (to be included), apache (for RewriteMap), netlify (_redirects), wordpress (for the plugin "
                + "Redirection), or anybody");
        format.DefaultValueFactory = _ => Wording.Of(MapFormat.Csv);
        var to = Choice<MapTarget>("--to",
            "Where old addresses lead: the embed page, the playlist, the file, or a page of yours [embed; page with --page]");
        var page = Text("--page", "TEMPLATE", "The URL of your pages, with {rid}, {fid} or {reference_id} in it");
        var output = OutputFile.Option();
        return new ClientVerb(surroundings, "map",
            "Write the map from old addresses to new ones, so that links to the old library still play. The old address of a row is its "
                + "column old_url, else its source. Refused when one address would lead to two assets.",
            ["BulkImporter map 7 --format nginx -o old-addresses.conf", "BulkImporter map 7 8 --format csv --to hls",
                "BulkImporter map 7 --format netlify --page 'https://www.example.com/watch/{reference_id}' -o _redirects"],
            [imports, format, to, page, output],
            async call =>
            {
                var query = Query.Of([.. call.Get(imports).Select(id => ("import", (object?)id)), ("format", call.Get(format)),
                    ("to", call.Get(to)), ("page", call.Get(page))]);
                var report = (await call.GetAsync<MapReport>("map/check" + query)).Value;
                var file = OutputFile.At(call.Get(output) ?? "-");
                await call.DownloadAsync("map" + query, file);
                call.Note($"Wrote {file.Name}: {Sentence(report)}");
                return ExitCode.Done;
            },
            answers: false);
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
