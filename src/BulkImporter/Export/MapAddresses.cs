using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Sources;

namespace BulkImporter.Export;

/// <summary>Where old addresses are to lead.</summary>
public enum MapTarget
{
    /// <summary>The page that plays the asset.</summary>
    Embed,

    /// <summary>Its playlist.</summary>
    Hls,

    /// <summary>Its file at Cincopa, of which Cincopa was asked.</summary>
    File,

    /// <summary>A page of the site's own, made of a template.</summary>
    Page,
}

/// <summary>What a map is made of.</summary>
public sealed record MapOrder(IReadOnlyList<int> ImportIds, MapFormat Format, MapTarget To, AddressTemplate? Page)
{
    /// <summary>Each of them is looked at in one statement.</summary>
    public const int MostImports = 100;

    /// <exception cref="InvalidArgumentException">There are no imports, or too many, or the page does not fit the target.</exception>
    public static MapOrder Of(IEnumerable<int> importIds, MapFormat? format, MapTarget? to, string? page)
    {
        int[] ids = [.. importIds.Distinct().Order()];
        if (ids.Length is 0 or > MostImports)
            throw new InvalidArgumentException("import", $"Name from 1 to {MostImports} imports.");
        var target = to ?? (string.IsNullOrEmpty(page) ? MapTarget.Embed : MapTarget.Page);
        if (target != MapTarget.Page && !string.IsNullOrEmpty(page))
            throw new InvalidArgumentException("page", "A template of a page goes with to=page only.");
        return new(ids, format ?? MapFormat.Csv, target,
            target == MapTarget.Page ? AddressTemplate.Parse("page", page, mayBePath: true) : null);
    }
}

/// <summary>What a map will hold.</summary>
/// <param name="Addresses">Old addresses in it.</param>
/// <param name="Repeated">Rows whose old address another row has too, for the same asset.</param>
/// <param name="WithoutTarget">Rows whose asset has no such target, and which are left out.</param>
/// <param name="WithoutAddress">Rows whose old address no web server is asked for, or not one of this format; they are left out.</param>
public sealed record MapReport(long Addresses, long Repeated, long WithoutTarget, long WithoutAddress);

/// <summary>Whether a map can be made.</summary>
public abstract record Mappable
{
    private Mappable() { }

    /// <param name="Paths">Addresses of them that are without a host.</param>
    /// <param name="Longest">Bytes of the longest address.</param>
    public sealed record Ready(MapOrder Order, MapReport Report, long Paths, int Longest) : Mappable;

    public sealed record NotFound(int ImportId) : Mappable;

    /// <summary>One old address would lead to two assets, or there is nothing to map.</summary>
    public sealed record Refused(string Sentence) : Mappable;
}

/// <summary>
/// The map from the addresses that people used until now to where the assets play now. The old address of a row is its <c>old_url</c>, else
/// the source that was imported. Two rows of one address and one asset are one entry; of two assets, the map is refused. Read by key range:
/// neither memory nor a snapshot grows with the imports, but for eight bytes of each repeated row.
/// </summary>
public sealed class MapAddresses(NpgsqlDataSource database)
{
    private const int RowsPerRange = 5000;

    private const int FlushAfter = 64 * 1024;

    /// <summary>Conflicts that a refusal names.</summary>
    private const int MostNamed = 20;

    private const string OfAsset = """
        r.rid, r.source_url, coalesce(m.fid, g.fid, i.fid) AS fid, s.type, s.file_url, a.player_template, a.hls_address, a.embed_address
        """;

    /// <summary>What is known of the asset of record <c>r</c>, whose row is in the range from $3 to $4.</summary>
    private const string WithAsset = """
        JOIN importer.import i ON i.id = r.import_id
        JOIN importer.account a ON a.id = i.account_id
        LEFT JOIN importer.record_meta m ON m.import_id = r.import_id AND m.row_number = r.row_number AND m.row_number BETWEEN $3 AND $4
        LEFT JOIN importer.named_gallery g ON g.account_id = i.account_id AND g.name = m.gallery
        LEFT JOIN importer.record_asset s ON s.import_id = r.import_id AND s.row_number = r.row_number AND s.rid = r.rid
            AND s.row_number BETWEEN $3 AND $4
        """;

    /// <summary>Each imported record with its own asset.</summary>
    private const string Imported = $"""
        SELECT r.import_id, r.row_number, {OfAsset}, r.reference_id, coalesce(m.old_url, r.source_url) AS address
        FROM importer.import_record r {WithAsset}
        WHERE r.import_id = ANY ($1) AND r.row_number BETWEEN $3 AND $4 AND r.state = 'imported'
        """;

    /// <summary>
    /// A row that has the source of another was not sent, and its old address is another page with the same film: it leads to the asset
    /// that the source became.
    /// </summary>
    private const string Duplicates = $"""
        SELECT DISTINCT ON (d.import_id, d.row_number)
            d.import_id, d.row_number, {OfAsset}, coalesce(d.reference_id, r.reference_id) AS reference_id, dm.old_url AS address
        FROM importer.import_record d
        JOIN importer.record_meta dm ON dm.import_id = d.import_id AND dm.row_number = d.row_number AND dm.old_url IS NOT NULL
        JOIN importer.import_record r ON r.import_id = ANY ($1) AND r.source_key = d.source_key AND r.state = 'imported'
        {WithAsset}
        WHERE d.import_id = ANY ($1) AND d.state = 'duplicate'
        ORDER BY d.import_id, d.row_number, d.import_id <> r.import_id, r.import_id, r.row_number
        """;

    /// <summary>What a browser sends as it is; everything else is percent-encoded.</summary>
    private const string Sent = @"[]!#-;=?-[^_a-z|~]";

    /// <summary>
    /// The address as a server meets it: the host in small letters without its port, then path and query without the fragment, encoded as
    /// browsers do. Scheme and password are not part of it.
    /// </summary>
    private const string Parts = $$"""
        CROSS JOIN LATERAL (
            SELECT address ~* '^https?://[^/?#]' AS has_host, address ~ '^/' AS is_path,
                regexp_replace(regexp_replace(address, '#.*$', ''), '^https?://([^/?#@]*@)?', '', 'i') AS rest) p1
        CROSS JOIN LATERAL (
            SELECT CASE WHEN has_host THEN regexp_replace(lower(substring(rest FROM '^[^/?]*')), ':[0-9]*$', '') ELSE '' END AS host,
                CASE WHEN has_host THEN regexp_replace(rest, '^[^/?]*', '') ELSE rest END AS tail) p2
        CROSS JOIN LATERAL (SELECT CASE WHEN tail LIKE '/%' THEN tail ELSE '/' || tail END AS plain) p3
        CROSS JOIN LATERAL (
            SELECT CASE WHEN plain ~ '^{{Sent}}*$' THEN plain ELSE (
                SELECT string_agg(CASE WHEN c ~ '{{Sent}}' THEN c
                    ELSE regexp_replace(upper(encode(convert_to(c, 'UTF8'), 'hex')), '(..)', '%\1', 'g') END, '' ORDER BY n)
                FROM regexp_split_to_table(plain, '') WITH ORDINALITY AS letter(c, n)) END AS path) p4
        """;

    // Where the target comes from is known here as well as in the program, so that what is left out is counted before the first byte.
    private static string HasTarget(MapOrder order) => order.To switch
    {
        MapTarget.Embed => "(e.embed_address NOT LIKE '%{fid}%' OR coalesce(e.player_template, e.fid) IS NOT NULL)",
        MapTarget.Hls => "((e.hls_address NOT LIKE '%{fid}%' OR e.player_template IS NOT NULL) "
            + "AND CASE WHEN e.type IS NULL THEN e.source_url !~* $2 ELSE e.type IN ('video', 'audio') END)",
        MapTarget.File => "e.file_url IS NOT NULL",
        MapTarget.Page => $"({(order.Page!.NeedsFid ? "e.fid" : "e.rid")} <> '' "
            + $"AND {(order.Page.NeedsReferenceId ? "e.reference_id" : "e.rid")} <> '')",
    };

    private static string Entries(MapOrder order, string rows) => $"""
        SELECT e.*, host, path, {order.Format.Facts().Key} AS key, {HasTarget(order)} AS has_target,
            (has_host OR is_path) AND ({order.Format.Facts().Fits}) AS has_address
        FROM ({rows}) e {Parts}
        """;

    private static string Numbered(MapOrder order) => $"""
        WITH entry AS MATERIALIZED (
            SELECT import_id, row_number, rid, host, path, key, coalesce(has_target, false) AS has_target,
                coalesce(has_address, false) AS has_address
            FROM ({Entries(order, $"({Imported}) UNION ALL ({Duplicates})")}) all_entries
        ), numbered AS MATERIALIZED (
            SELECT import_id, row_number, rid, host, path, key, row_number() OVER same AS n, first_value(rid) OVER same AS first_rid
            FROM entry WHERE has_target AND has_address WINDOW same AS (PARTITION BY key ORDER BY import_id, row_number)
        )
        """;

    private const string Count = """
        SELECT count(*) FILTER (WHERE n = 1) AS addresses, count(*) FILTER (WHERE n > 1) AS repeated,
            count(*) FILTER (WHERE n = 1 AND host = '') AS paths, coalesce(max(octet_length(host || path)), 0) AS longest,
            count(DISTINCT key) FILTER (WHERE rid <> first_rid) AS conflicts,
            (SELECT count(*) FROM entry WHERE NOT has_address) AS without_address,
            (SELECT count(*) FROM entry WHERE has_address AND NOT has_target) AS without_target
        FROM numbered
        """;

    private static readonly string Conflicts = $"""
        SELECT min(host || path) AS address, (array_agg(format('row %s of import %s (asset %s)', row_number, import_id, rid)
            ORDER BY import_id, row_number))[1:4] AS rows
        FROM numbered GROUP BY key HAVING min(rid) <> max(rid) ORDER BY min(import_id), min(row_number) LIMIT {MostNamed}
        """;

    private const string Repeats =
        "SELECT (import_id::bigint << 32) | row_number FROM numbered WHERE n > 1 ORDER BY import_id, row_number";

    /// <summary>Looks before the first byte is written, while the answer can still be a refusal.</summary>
    public Task<Mappable> FindAsync(MapOrder order, CancellationToken cancellationToken) =>
        database.OnConnectionAsync<Mappable>(async connection =>
    {
        var ids = order.ImportIds.ToArray();
        var known = await connection.QueryAsync<ImportRow>(
            "SELECT id, state, coalesce(row_count, 0) AS rows FROM importer.import WHERE id = ANY ($1)", cancellationToken, ids);
        foreach (var id in ids)
        {
            if (known.Find(i => i.Id == id) is not { } import) return new Mappable.NotFound(id);
            if (import.Rows == 0)
                return new Mappable.Refused($"Import {id} has no records: it is {EnumText<ImportState>.Of(import.State)}.");
        }

        var numbered = Numbered(order);
        object?[] parameters = [ids, MediaHints.StillPattern, 1, int.MaxValue];
        var counted = (await connection.QueryLongAsync<Counted>($"{numbered} {Count}", cancellationToken, parameters))[0];
        if (counted.Conflicts > 0)
        {
            var named = await connection.QueryLongAsync<Conflict>($"{numbered} {Conflicts}", cancellationToken, parameters);
            return new Mappable.Refused(
                $"{counted.Conflicts:N0} old {(counted.Conflicts == 1 ? "address leads" : "addresses lead")} to more than one asset"
                + $"{order.Format.Facts().Because}: "
                + string.Join("; ", named.Select(c => $"{c.Address}: {string.Join(", ", c.Rows)}"))
                + (counted.Conflicts > named.Count ? "; and more" : "") + ". Map only the imports whose assets are the right ones, or "
                + "give these rows different old addresses.");
        }
        var report = new MapReport(counted.Addresses, counted.Repeated, counted.WithoutTarget, counted.WithoutAddress);
        return report.Addresses > 0
            ? new Mappable.Ready(order, report, counted.Paths, counted.Longest) : new Mappable.Refused(Empty(order));
    }, cancellationToken);

    public async Task RunAsync(Mappable.Ready map, PipeWriter output, CancellationToken cancellationToken)
    {
        var order = map.Order;
        var ids = order.ImportIds.ToArray();
        var repeats = map.Report.Repeated == 0 ? [] : await RepeatsAsync(order, ids, cancellationToken);
        var players = new Dictionary<(string?, string, string), PlayerSettings>();
        var writer = order.Format.Facts().Writer(map, output);
        writer.Begin();
        // Addresses without a host come first: those with one fall back on them.
        foreach (var withHost in (bool[])[false, true])
        {
            writer.BeginPart(withHost);
            if ((withHost ? map.Report.Addresses - map.Paths : map.Paths) > 0)
            {
                await foreach (var entry in EntriesAsync(order, ids, withHost, cancellationToken))
                {
                    if (repeats.BinarySearch(((long)entry.ImportId << 32) | (uint)entry.RowNumber) >= 0) continue;
                    // What was known when it was counted may be known no more.
                    if (TargetOf(entry, order, PlayerOf(entry)) is not { } target) continue;
                    writer.Write(entry, target);
                    if (output.UnflushedBytes >= FlushAfter) await output.FlushAsync(cancellationToken);
                }
            }
            writer.EndPart();
        }
        writer.End();
        await output.FlushAsync(cancellationToken);

        // The same for all rows of an account, and its templates are parsed once.
        PlayerSettings PlayerOf(MapEntry entry)
        {
            var settings = (entry.PlayerTemplate, entry.HlsAddress, entry.EmbedAddress);
            if (!players.TryGetValue(settings, out var player))
            {
                players[settings] = player = new()
                { PlayerTemplate = entry.PlayerTemplate, HlsAddress = entry.HlsAddress, EmbedAddress = entry.EmbedAddress };
            }
            return player;
        }
    }

    private Task<List<long>> RepeatsAsync(MapOrder order, int[] ids, CancellationToken cancellationToken) =>
        database.OnConnectionAsync(connection => connection.QueryLongAsync<long>(
            $"{Numbered(order)} {Repeats}", cancellationToken, ids, MediaHints.StillPattern, 1, int.MaxValue), cancellationToken);

    private async IAsyncEnumerable<MapEntry> EntriesAsync(
        MapOrder order, int[] ids, bool withHost, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        static string Wanted(string entries, bool withHost) =>
            $"SELECT * FROM ({entries}) wanted WHERE has_address AND has_target AND (host <> '') = {(withHost ? "true" : "false")}";

        // 1. Row by row in ranges of the key, each a statement of its own.
        var range = $"{Wanted(Entries(order, Imported), withHost)} ORDER BY row_number";
        foreach (var id in ids)
        {
            var counted = await database.QueryAsync<int>(
                "SELECT coalesce(row_count, 0) FROM importer.import WHERE id = $1", cancellationToken, id);
            var last = counted is [var rows] ? rows : 0;
            for (var first = 1; first <= last; first += RowsPerRange)
            {
                foreach (var entry in await database.QueryAsync<MapEntry>(
                    range, cancellationToken, (int[])[id], MediaHints.StillPattern, first, first + RowsPerRange - 1))
                    yield return entry;
            }
        }

        // 2. Duplicates, whose assets may be anywhere: one statement.
        await foreach (var entry in database.StreamLongAsync<MapEntry>(
            Wanted(Entries(order, Duplicates), withHost), cancellationToken, ids, MediaHints.StillPattern, 1, int.MaxValue))
            yield return entry;
    }

    private static string? TargetOf(MapEntry entry, MapOrder order, PlayerSettings player) => order.To switch
    {
        MapTarget.Embed => player.EmbedOf(entry.Rid, entry.Fid),
        MapTarget.Hls => player.HlsOf(entry.Rid, entry.Type, entry.SourceUrl),
        MapTarget.File => entry.FileUrl is { } url ? new Uri(url).AbsoluteUri : null,
        MapTarget.Page => order.Page!.Of(entry.Rid, entry.Fid, entry.ReferenceId),
    };

    private static string Empty(MapOrder order) => "There is nothing to map. " + order.To switch
    {
        MapTarget.Embed => "An embed address needs a player template of the account, or a gallery of the rows.",
        MapTarget.File => "The addresses of files are known only of assets that Cincopa was asked about.",
        MapTarget.Hls => "Only imported videos and audio have a playlist.",
        MapTarget.Page => "No imported record has what the template of the page needs.",
    };

    private sealed record ImportRow(int Id, ImportState State, int Rows);

    private sealed record Counted(
        long Addresses, long Repeated, long Paths, int Longest, long Conflicts, long WithoutAddress, long WithoutTarget);

    private sealed record Conflict(string Address, string[] Rows);
}

/// <summary>An old address with what its new one is made of.</summary>
/// <param name="Address">As the manifest has it.</param>
/// <param name="Host">In small letters, without a port; empty when the address is a path.</param>
/// <param name="Path">With the query, encoded.</param>
internal sealed record MapEntry(
    int ImportId, int RowNumber, string Rid, string? ReferenceId, string? Fid, string? Type, string? FileUrl, string? SourceUrl,
    string Address, string Host, string Path, string? PlayerTemplate, string HlsAddress, string EmbedAddress);
