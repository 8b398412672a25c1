using Cincopa.Client;

namespace BulkImporter.Records;

/// <summary>What the comparison of what arrived with what was expected says of an imported record.</summary>
[StoredAsText]
public enum Arrival
{
    /// <summary>What could be compared is equal, and that is the size or the duration at least.</summary>
    Verified,

    /// <summary>The asset's size is not the one that the file should have.</summary>
    SizeDiffers,

    /// <summary>It plays for another time: two seconds and one per cent are allowed, because containers round it.</summary>
    DurationDiffers,

    /// <summary>What this server has sent has another MD5 than the manifest says.</summary>
    Md5Differs,

    /// <summary>Nothing was expected, or Cincopa has not said (yet) what arrived.</summary>
    Unverifiable,
}

public static class Arrivals
{
    /// <summary>Whether something else arrived than was expected.</summary>
    public static bool Differs(this Arrival arrival) =>
        arrival is Arrival.SizeDiffers or Arrival.DurationDiffers or Arrival.Md5Differs;
}

/// <summary>
/// What is known of an imported record's asset that does not follow from the <c>rid</c>: what Cincopa said of it when it was last asked,
/// what was sent to make it, and what was expected. There is a row only where there is something of that, so that a record that wants
/// nothing of it costs nothing.
/// </summary>
public sealed class RecordAsset
{
    public required int ImportId { get; init; }
    public required int RowNumber { get; init; }

    /// <summary>The asset that it was said of. When the record has another one since, this counts no more.</summary>
    public required string Rid { get; init; }

    /// <summary><c>video</c>, <c>image</c>, <c>audio</c> or <c>other</c>.</summary>
    public string? Type { get; init; }

    /// <summary>Bytes that arrived: as the asset is listed, else what the status call had fetched when it confirmed what was
    /// expected.</summary>
    public long? SizeBytes { get; init; }

    public double? Seconds { get; init; }

    /// <summary>Its original file, or the best version that there is.</summary>
    public string? FileUrl { get; init; }

    public string? ThumbnailUrl { get; init; }

    /// <summary>Its renditions are ready; null when Cincopa does not say.</summary>
    public bool? Playable { get; init; }

    /// <summary>When Cincopa was last asked about it; null while it was not.</summary>
    public DateTimeOffset? SeenAt { get; init; }

    /// <summary>Bytes that a push has sent.</summary>
    public long? SentBytes { get; init; }

    /// <summary>SHA-256 of what a push has sent, lower-case hexadecimal; null when several attempts sent it together, since none of them
    /// saw the whole file.</summary>
    public string? SentSha256 { get; init; }

    /// <summary>Likewise the MD5, only where the row says one.</summary>
    public string? SentMd5 { get; init; }

    /// <summary>The row's own size, else what the probe was told: as it was when they were last compared.</summary>
    public long? ExpectedBytes { get; init; }

    public double? ExpectedSeconds { get; init; }
    public string? ExpectedMd5 { get; init; }

    /// <summary>What comes of all this; computed by the database. Null for <see cref="Arrival.Unverifiable"/>.</summary>
    public Arrival? Arrival { get; private init; }

    /// <summary>What is to arrive: the row's word comes first, then the source's, then what was sent.</summary>
    private const string Expected = "coalesce(expected_bytes, sent_bytes)";

    private const string SecondsOff = "abs(seconds - expected_seconds) > greatest(2, expected_seconds / 100)";

    private static readonly string Compare = $"""
        CASE WHEN size_bytes <> {Expected} THEN '{EnumText<Arrival>.Of(Records.Arrival.SizeDiffers)}'
            WHEN {SecondsOff} THEN '{EnumText<Arrival>.Of(Records.Arrival.DurationDiffers)}'
            WHEN sent_md5 <> expected_md5 THEN '{EnumText<Arrival>.Of(Records.Arrival.Md5Differs)}'
            WHEN size_bytes = {Expected} OR NOT {SecondsOff} THEN '{EnumText<Arrival>.Of(Records.Arrival.Verified)}' END
        """;

    // Only of the asset that the record has still: an undo or a rerun may have come in between. What is not said now, and was said of
    // the same asset before, still holds.
    private const string Write = """
        WITH seen AS MATERIALIZED (SELECT *, 'imported' AS state FROM unnest($1::importer.seen_asset[]))
        INSERT INTO importer.record_asset AS a
            (import_id, row_number, rid, type, size_bytes, seconds, file_url, thumbnail_url, playable, seen_at, expected_bytes,
                expected_seconds, expected_md5)
        SELECT s.import_id, s.row_number, s.rid, s.type, s.size_bytes, s.seconds, s.file_url, s.thumbnail_url, s.playable, now(),
            coalesce(m.expected_bytes, m.source_bytes), m.expected_seconds, m.expected_md5
        FROM seen s
        JOIN importer.import_record r ON r.import_id = s.import_id AND r.row_number = s.row_number AND r.state = s.state AND r.rid = s.rid
        LEFT JOIN importer.record_meta m ON m.import_id = s.import_id AND m.row_number = s.row_number
        ON CONFLICT (import_id, row_number) DO UPDATE SET (rid, type, size_bytes, seconds, file_url, thumbnail_url, playable, seen_at,
                expected_bytes, expected_seconds, expected_md5, sent_bytes, sent_sha256, sent_md5)
            = (excluded.rid, excluded.type,
                coalesce(excluded.size_bytes, CASE WHEN a.rid = excluded.rid THEN a.size_bytes END), excluded.seconds, excluded.file_url,
                excluded.thumbnail_url, excluded.playable, excluded.seen_at, excluded.expected_bytes, excluded.expected_seconds,
                excluded.expected_md5, CASE WHEN a.rid = excluded.rid THEN a.sent_bytes END,
                CASE WHEN a.rid = excluded.rid THEN a.sent_sha256 END, CASE WHEN a.rid = excluded.rid THEN a.sent_md5 END)
        """;

    // Cincopa was asked about these assets and does not list them: nobody knows any more what arrived.
    private const string Forget = """
        WITH gone AS MATERIALIZED (SELECT * FROM unnest($1::importer.seen_asset[]))
        UPDATE importer.record_asset a SET size_bytes = NULL, seconds = NULL, playable = NULL, seen_at = now()
        FROM gone g
        WHERE a.import_id = g.import_id AND a.row_number = g.row_number AND a.rid = g.rid
        """;

    private static readonly string Lock = RecordTransitions.LockChunksOf("unnest($1::importer.seen_asset[])");

    /// <summary>
    /// Keeps what was said of assets, at the beginning of the caller's transaction, since it locks their chunks. May be done twice.
    /// </summary>
    /// <param name="unlisted">Those that Cincopa was asked about and does not list.</param>
    internal static IEnumerable<NpgsqlBatchCommand> Keep(SeenAsset[] seen, SeenAsset[] unlisted)
    {
        if (seen.Length + unlisted.Length > 0) yield return Sql.BatchCommand(Lock, [seen.Concat(unlisted).ToArray()]);
        if (seen.Length > 0) yield return Sql.BatchCommand(Write, [seen]);
        if (unlisted.Length > 0) yield return Sql.BatchCommand(Forget, [unlisted]);
    }

    /// <summary>What was sent of a pushed file, of those that <c>moved</c> (with <c>size_bytes</c>, <c>sha256</c>, <c>md5</c>).</summary>
    internal const string KeepSent = """
        INSERT INTO importer.record_asset (import_id, row_number, rid, sent_bytes, sent_sha256, sent_md5)
            SELECT import_id, row_number, rid, size_bytes, sha256, md5 FROM moved WHERE state = 'imported' AND size_bytes IS NOT NULL
            ON CONFLICT (import_id, row_number) DO UPDATE SET (rid, sent_bytes, sent_sha256, sent_md5, type, size_bytes, seconds, file_url,
                    thumbnail_url, playable, seen_at, expected_bytes, expected_seconds, expected_md5)
                = (excluded.rid, excluded.sent_bytes, excluded.sent_sha256, excluded.sent_md5, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                    NULL, NULL, NULL)
        """;

    /// <summary>
    /// What the status call had fetched, of those that <c>moved</c> (with <c>size_bytes</c>, and what their <c>record_meta</c> expects):
    /// only where it is what was expected. Where it is not, the asset is asked.
    /// </summary>
    internal const string KeepConfirmed = """
        INSERT INTO importer.record_asset (import_id, row_number, rid, size_bytes, expected_bytes, expected_seconds, expected_md5)
            SELECT m.import_id, m.row_number, m.rid, m.size_bytes, m.size_bytes, x.expected_seconds, x.expected_md5
            FROM moved m JOIN importer.record_meta x ON x.import_id = m.import_id AND x.row_number = m.row_number
            WHERE m.state = 'imported' AND m.size_bytes = coalesce(x.expected_bytes, x.source_bytes)
            ON CONFLICT (import_id, row_number) DO NOTHING
        """;

    /// <summary>Of record <c>r</c> and its <c>record_meta</c> row <c>m</c>: there is something to be compared that was not yet found
    /// equal.</summary>
    internal const string IsToBeSeen = $"""
        (r.is_push OR {RecordMeta.IsExpecting}) AND NOT EXISTS (
                SELECT 1 FROM importer.record_asset a
                WHERE a.import_id = r.import_id AND a.row_number = r.row_number AND a.rid = r.rid AND a.arrival = 'verified'
                    AND (m.expected_seconds IS NULL OR a.seconds IS NOT NULL))
        """;

    public sealed class Configuration : IEntityTypeConfiguration<RecordAsset>
    {
        public void Configure(EntityTypeBuilder<RecordAsset> entity)
        {
            // No foreign key, for the reason that records have none.
            entity.ToTable("record_asset");
            entity.HasKey(a => new { a.ImportId, a.RowNumber });
            entity.Property(a => a.Arrival).HasComputedColumnSql(Compare, stored: true);
            // For the totals and the selections: what cannot be compared is no part of it, and costs it nothing.
            entity.HasIndex(a => new { a.ImportId, a.Arrival, a.RowNumber }, "asset_compared").HasFilter("arrival IS NOT NULL");
        }
    }
}

/// <summary>An asset as it was listed, as the statement takes it.</summary>
[StoredAsRow("seen_asset")]
internal sealed record SeenAsset(
    int ImportId, int RowNumber, string Rid, string? Type, long? SizeBytes, double? Seconds, string? FileUrl, string? ThumbnailUrl,
    bool? Playable)
{
    /// <summary>Longer is no address that anybody can use.</summary>
    private const int LongestAddress = 4000;

    public static SeenAsset Of(int importId, int rowNumber, RemoteAsset asset) => new(
        importId, rowNumber, asset.Rid.Value, PlainText.Storable(asset.Type), asset.FileSize,
        asset.Duration?.TotalSeconds, Address(asset.FileUrl), Address(asset.ThumbnailUrl),
        asset.SyncStatus is { } status ? status.Equals("synced", StringComparison.OrdinalIgnoreCase) : null);

    /// <summary>One of which nothing is known.</summary>
    public static SeenAsset Unlisted(int importId, int rowNumber, Rid rid) =>
        new(importId, rowNumber, rid.Value, null, null, null, null, null, null);

    private static string? Address(string? url) =>
        url is { Length: <= LongestAddress } && Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http"
            ? PlainText.Storable(url) : null;
}
