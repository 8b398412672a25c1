using System.Buffers;
using System.IO.Pipelines;
using System.Numerics;
using System.Text.Encodings.Web;
using System.Text.Json;
using BulkImporter.Manifests;

namespace BulkImporter.Export;

/// <summary>What reads the map.</summary>
public enum MapFormat
{
    /// <summary><c>old_url,new_url,rid,import,row</c>.</summary>
    Csv,

    /// <summary>An array of objects with the same members.</summary>
    Json,

    /// <summary>Two <c>map</c> blocks to be included in the <c>http</c> block.</summary>
    Nginx,

    /// <summary>A text file for <c>RewriteMap</c>.</summary>
    Apache,

    /// <summary>A <c>_redirects</c> file.</summary>
    Netlify,

    /// <summary>A CSV file for the plugin Redirection.</summary>
    Wordpress,
}

/// <summary>What is special to a format.</summary>
/// <param name="FileName">What its file is called.</param>
/// <param name="Writer">Writes a map into the response.</param>
internal sealed record MapFacts(string FileName, string ContentType, Func<Mappable.Ready, PipeWriter, MapWriter> Writer)
{
    /// <summary>In SQL, what two addresses have in common that the format takes for one.</summary>
    public string Key { get; init; } = "host || path";

    /// <summary>Said of addresses that differ in the manifest.</summary>
    public string Because { get; init; } = "";

    /// <summary>In SQL, whether the format can hold the address.</summary>
    public string Fits { get; init; } = "true";
}

internal static class MapFormats
{
    private const string Csv = "text/csv; charset=utf-8";
    private const string Plain = "text/plain; charset=utf-8";

    public static MapFacts Facts(this MapFormat format) => format switch
    {
        MapFormat.Csv => new("old-addresses.csv", Csv, (_, output) => new CsvMap(output)),
        MapFormat.Json => new("old-addresses.json", "application/json; charset=utf-8", (_, output) => new JsonMap(output)),
        MapFormat.Nginx => new("old-addresses.conf", Plain, (map, output) => new NginxMap(map, output))
        {
            // nginx looks keys of a map up in small letters.
            Key = "lower(host || path)",
            Because = " (nginx does not tell upper from lower case)",
        },
        // A line of Apache's map has at most 1,023 bytes, of which the new address takes some.
        MapFormat.Apache => new("old-addresses.txt", Plain, (map, output) => new ApacheMap(map, output))
        { Fits = "octet_length(host || path) <= 700" },
        // It compares arguments by name.
        MapFormat.Netlify => new("_redirects", Plain, (map, output) => new NetlifyMap(map, output))
        { Fits = @"path !~ '\?' OR path ~ '\?[^?&=]+=[^&=]*(&[^&=]+=[^&=]*)*$'" },
        MapFormat.Wordpress => new("old-addresses-wordpress.csv", Csv, (_, output) => new WordpressMap(output))
        {
            // A site of its own knows only its own pages.
            Key = "path",
            Because = " (WordPress knows the path only)",
        },
    };

    /// <summary>The host as it is asked for: names in other scripts have another form on the wire.</summary>
    public static string AsciiHost(this MapEntry entry)
    {
        if (Ascii.IsValid(entry.Host)) return entry.Host;
        try
        {
            return new IdnMapping().GetAscii(entry.Host);
        }
        catch (ArgumentException)
        {
            // No name that can be asked for; it does no harm in the map.
            return Uri.EscapeDataString(entry.Host);
        }
    }

    /// <summary>What a person reads in a file with comments.</summary>
    public static string Title(this Mappable.Ready map) =>
        $"# {map.Report.Addresses:N0} old addresses of import {string.Join(", ", map.Order.ImportIds)}, by BulkImporter.";
}

/// <summary>One way to write a map. The addresses without a host come in a part of their own, the first.</summary>
internal abstract class MapWriter(PipeWriter output)
{
    public abstract void Begin();

    public virtual void BeginPart(bool withHost)
    {
    }

    public abstract void Write(MapEntry entry, string target);

    public virtual void EndPart()
    {
    }

    public virtual void End()
    {
    }

    protected void Text(string text) => Encoding.UTF8.GetBytes(text, output);

    protected void Line(string text)
    {
        Text(text);
        output.Write("\n"u8);
    }
}

internal sealed class CsvMap(PipeWriter output) : MapWriter(output)
{
    public override void Begin() => Line("old_url,new_url,rid,import,row");

    public override void Write(MapEntry entry, string target) => Line(
        $"{FormulaGuard.Cell(entry.Address)},{FormulaGuard.Cell(target)},{FormulaGuard.Cell(entry.Rid)},"
            + $"{entry.ImportId},{entry.RowNumber}");
}

internal sealed class JsonMap(PipeWriter output) : MapWriter(output)
{
    // The file is no web page: text stays readable.
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private string before = "";

    public override void Begin() => Text("[");

    public override void Write(MapEntry entry, string target)
    {
        Text(before + JsonSerializer.Serialize(
            new { old_url = entry.Address, new_url = target, rid = entry.Rid, import = entry.ImportId, row = entry.RowNumber }, Json));
        before = ",";
    }

    public override void End() => Text("]");
}

/// <summary>
/// Keys of a <c>map</c> are literal text in quotes. In values a dollar sign would begin a variable, and there is no way to write one, so
/// it is percent-encoded.
/// </summary>
internal sealed class NginxMap(Mappable.Ready map, PipeWriter output) : MapWriter(output)
{
    /// <summary>A table of nginx holds its keys in buckets of one size, which must take the longest with what stands beside it.</summary>
    private int BucketSize => (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(128, 2 * (map.Longest + 32)));

    private uint TableSize => BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(map.Report.Addresses, 2048, 1 << 30));

    public override void Begin()
    {
        Line(map.Title());
        Line("# In the http block:                       include /etc/nginx/old-addresses.conf;");
        Line("# In each server block of an old host:     if ($new_address) { return 301 $new_address; }");
        Line("# nginx does not tell upper from lower case in these addresses.");
        Line($"map_hash_bucket_size {BucketSize};");
        Line($"map_hash_max_size {TableSize};");
    }

    public override void BeginPart(bool withHost)
    {
        Line(withHost ? "map $host$request_uri $new_address {" : "map $request_uri $new_address_of_path {");
        Line(withHost ? "    default $new_address_of_path;" : "    default \"\";");
    }

    public override void Write(MapEntry entry, string target) =>
        Line($"    {Quoted(entry.AsciiHost() + entry.Path)} {Quoted(target.Replace("$", "%24", StringComparison.Ordinal))};");

    public override void EndPart() => Line("}");

    private static string Quoted(string text) =>
        $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}

/// <summary>Key and value of a <c>RewriteMap</c> are parted by a blank, which no address has.</summary>
internal sealed class ApacheMap(Mappable.Ready map, PipeWriter output) : MapWriter(output)
{
    public override void Begin()
    {
        Line(map.Title());
        Line("# In the configuration of each old host (not in .htaccess):");
        Line("#   RewriteEngine On");
        Line("#   RewriteMap lower int:tolower");
        Line("#   RewriteMap moved txt:/etc/apache2/old-addresses.txt");
        Line("#   RewriteCond %{THE_REQUEST} \"^[A-Z]+ ([^ ]+)\"");
        Line("#   RewriteCond ${moved:${lower:%{SERVER_NAME}}%1|${moved:%1}} ^(.+)$");
        Line("#   RewriteRule ^ %1 [R=301,L,NE]");
        Line("# With many thousands of lines: httxt2dbm -i old-addresses.txt -o old-addresses.map, and dbm: in place of txt:");
    }

    public override void Write(MapEntry entry, string target) => Line($"{entry.AsciiHost()}{entry.Path} {target}");
}

/// <summary>
/// Netlify takes an asterisk and a colon for placeholders, and arguments of the query stand behind the path, parted by blanks. An address
/// without a host is one of the site itself.
/// </summary>
internal sealed class NetlifyMap(Mappable.Ready map, PipeWriter output) : MapWriter(output)
{
    public override void Begin() => Line(map.Title());

    public override void Write(MapEntry entry, string target)
    {
        var path = entry.Path.Replace("*", "%2A", StringComparison.Ordinal).Replace(":", "%3A", StringComparison.Ordinal);
        var mark = path.IndexOf('?', StringComparison.Ordinal);
        var arguments = mark < 0 ? "" : " " + path[(mark + 1)..].Replace('&', ' ');
        var old = (entry.Host.Length == 0 ? "" : $"https://{entry.AsciiHost()}") + (mark < 0 ? path : path[..mark]);
        Line($"{old}{arguments} {target} 301!");
    }
}

/// <summary>As the plugin Redirection imports it: the paths of the site, each meant literally.</summary>
internal sealed class WordpressMap(PipeWriter output) : MapWriter(output)
{
    public override void Begin() => Line("source,target,regex,code");

    public override void Write(MapEntry entry, string target) => Line($"{FormulaGuard.Cell(entry.Path)},{FormulaGuard.Cell(target)},0,301");
}
