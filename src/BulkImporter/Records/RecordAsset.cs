using BulkImporter.Data;
using Cincopa.Client;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Npgsql;

namespace BulkImporter.Records;

/// <summary>
/// What Cincopa said of an imported record's asset when it was last asked: what does not follow from the <c>rid</c>. There is a row only
/// where it was asked, so that a record that wants nothing of it costs nothing.
/// </summary>
public sealed class RecordAsset
{
    public required int ImportId { get; init; }
    public required int RowNumber { get; init; }

    /// <summary>The asset that it was said of. When the record has another one since, this counts no more.</summary>
    public required string Rid { get; init; }

    /// <summary><c>video</c>, <c>image</c>, <c>audio</c> or <c>other</c>.</summary>
    public string? Type { get; init; }

    public long? SizeBytes { get; init; }
    public double? Seconds { get; init; }

    /// <summary>Its original file, or the best version that there is.</summary>
    public string? FileUrl { get; init; }

    public string? ThumbnailUrl { get; init; }

    /// <summary>Its renditions are ready; null when Cincopa does not say.</summary>
    public bool? Playable { get; init; }

    public required DateTimeOffset SeenAt { get; init; }

    private const string Write = """
        INSERT INTO importer.record_asset AS a
            (import_id, row_number, rid, type, size_bytes, seconds, file_url, thumbnail_url, playable, seen_at)
        SELECT import_id, row_number, rid, type, size_bytes, seconds, file_url, thumbnail_url, playable, now()
        FROM unnest($1::importer.seen_asset[])
        ON CONFLICT (import_id, row_number) DO UPDATE SET (rid, type, size_bytes, seconds, file_url, thumbnail_url, playable, seen_at)
            = (excluded.rid, excluded.type, excluded.size_bytes, excluded.seconds, excluded.file_url, excluded.thumbnail_url,
                excluded.playable, excluded.seen_at)
        """;

    /// <summary>Keeps what was said of assets, in the caller's transaction. May be done twice.</summary>
    internal static NpgsqlBatchCommand Keep(IEnumerable<SeenAsset> seen) => Sql.BatchCommand(Write, [seen.ToArray()]);

    public sealed class Configuration : IEntityTypeConfiguration<RecordAsset>
    {
        public void Configure(EntityTypeBuilder<RecordAsset> entity)
        {
            // No foreign key, for the reason that records have none.
            entity.ToTable("record_asset");
            entity.HasKey(a => new { a.ImportId, a.RowNumber });
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
        importId, rowNumber, asset.Rid.Value, asset.Type is { } type ? PlainText.Storable(type) : null, asset.FileSize,
        asset.Duration?.TotalSeconds, Address(asset.FileUrl), Address(asset.ThumbnailUrl),
        asset.SyncStatus is { } status ? status.Equals("synced", StringComparison.OrdinalIgnoreCase) : null);

    private static string? Address(string? url) =>
        url is { Length: <= LongestAddress } && Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http"
            ? PlainText.Storable(url) : null;
}
