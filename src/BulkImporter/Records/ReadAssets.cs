namespace BulkImporter.Records;

/// <summary>What is known of the assets of an import's records: what follows from the <c>rid</c>, and what Cincopa said of them.</summary>
internal static class ReadAssets
{
    private const string Player = """
        SELECT a.hls_address, a.embed_address, a.player_template, i.account_id, i.fid
        FROM importer.import i JOIN importer.account a ON a.id = i.account_id WHERE i.id = $1
        """;

    private const string Known = $"""
        SELECT coalesce(m.row_number, s.row_number) AS row_number, m.fid, s.rid, s.type, s.size_bytes, s.seconds, s.file_url,
            s.thumbnail_url, s.playable, s.arrival, coalesce(s.expected_bytes, m.bytes, s.sent_bytes) AS expected_bytes,
            coalesce(s.expected_seconds, m.expected_seconds) AS expected_seconds, coalesce(s.expected_md5, m.expected_md5) AS expected_md5,
            s.sent_md5, s.sent_sha256
        FROM (
            SELECT m.row_number, coalesce(m.fid, g.fid) AS fid, coalesce(m.expected_bytes, m.source_bytes) AS bytes, m.expected_seconds,
                m.expected_md5
            FROM importer.record_meta m
            LEFT JOIN importer.named_gallery g ON g.account_id = $3 AND g.name = m.gallery
            WHERE m.import_id = $1 AND m.row_number = ANY ($2)
                AND (coalesce(m.fid, m.gallery, m.expected_md5) IS NOT NULL OR {RecordMeta.IsExpecting})) m
        FULL JOIN (SELECT * FROM importer.record_asset WHERE import_id = $1 AND row_number = ANY ($2)) s ON s.row_number = m.row_number
        """;

    /// <summary>By row number, of those that have one.</summary>
    public static async Task<Dictionary<int, AssetView>> OfAsync(
        ImporterDb db, int importId, IReadOnlyCollection<ImportedRow> rows, CancellationToken cancellationToken)
    {
        if (rows.Count == 0 || await db.QueryAsync<PlayerRow>(Player, cancellationToken, importId) is not [var import]) return [];
        var player = import.Settings;
        var known = (await db.QueryAsync<KnownRow>(
            Known, cancellationToken, importId, rows.Select(r => r.RowNumber).ToArray(), import.AccountId)).ToDictionary(k => k.RowNumber);
        return rows.ToDictionary(r => r.RowNumber, r =>
        {
            var row = known.GetValueOrDefault(r.RowNumber);
            var seen = row?.Rid == r.Rid ? row : null;
            var fid = row?.Fid ?? import.Fid;
            return new AssetView(player.HlsOf(r.Rid, seen?.Type, r.SourceUrl), player.EmbedOf(r.Rid, fid), seen?.FileUrl,
                seen?.ThumbnailUrl, fid, seen?.Type, seen?.SizeBytes, seen?.Seconds, seen?.Playable,
                seen?.Arrival ?? Arrival.Unverifiable, row?.ExpectedBytes, row?.ExpectedSeconds, row?.ExpectedMd5, seen?.SentMd5,
                seen?.SentSha256);
        });
    }

    /// <param name="SourceUrl">What tells a picture while Cincopa has not been asked.</param>
    internal sealed record ImportedRow(int RowNumber, string Rid, string? SourceUrl);

    private sealed record PlayerRow(string HlsAddress, string EmbedAddress, string? PlayerTemplate, int AccountId, string? Fid)
    {
        public PlayerSettings Settings =>
            new() { HlsAddress = HlsAddress, EmbedAddress = EmbedAddress, PlayerTemplate = PlayerTemplate };
    }

    private sealed record KnownRow(
        int RowNumber, string? Fid, string? Rid, string? Type, long? SizeBytes, double? Seconds, string? FileUrl, string? ThumbnailUrl,
        bool? Playable, Arrival? Arrival, long? ExpectedBytes, double? ExpectedSeconds, string? ExpectedMd5, string? SentMd5,
        string? SentSha256);
}
