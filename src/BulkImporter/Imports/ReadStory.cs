namespace BulkImporter.Imports;

/// <summary>Something that happened to an import.</summary>
/// <param name="Actor">Who did it; null for what happened by itself.</param>
/// <param name="What">A past-tense fact with a stable name: of the audit log, of the notifications, or one of this operation.</param>
/// <param name="Detail">For people; null when the fact says it all.</param>
public sealed record StoryEntry(DateTimeOffset At, string? Actor, string What, string? Detail);

/// <summary>
/// What happened to an import, from whoever noted it: people and the engine in the audit log, ends and stalls in the notifications, what
/// was read and checked in the import itself, and processes that started while it ran.
/// </summary>
public sealed class ReadStory(NpgsqlDataSource database)
{
    private const string Latest = """
        SELECT at, actor, what, detail FROM (
            (SELECT at, actor, action AS what, detail, 1 AS place FROM importer.audit_entry WHERE import_id = $1 ORDER BY id DESC LIMIT $2)
            UNION ALL
            (SELECT at, NULL, kind, reason, 3 FROM importer.notification
             WHERE import_id = $1 AND kind IN ('import_finished', 'import_paused', 'import_stalled', 'undo_ended')
             ORDER BY id DESC LIMIT $2)
            UNION ALL
            SELECT checked_at, NULL, 'manifest_read',
                to_char(row_count, 'FM999,999,990') || CASE row_count WHEN 1 THEN ' row' ELSE ' rows' END, 0
            FROM importer.import WHERE id = $1 AND checked_at IS NOT NULL AND row_count IS NOT NULL
            UNION ALL
            SELECT started_at, NULL, 'sending_began', NULL, 1
            FROM importer.import i WHERE id = $1 AND start_when_parsed AND started_at IS NOT NULL
                -- Of a start that was ordered before; one that began it at once stands there itself.
                AND NOT EXISTS (SELECT 1 FROM importer.audit_entry e WHERE e.import_id = $1 AND e.action = 'import_started'
                    AND e.at BETWEEN i.started_at - interval '1 second' AND i.started_at)
            UNION ALL
            SELECT finished_at, NULL, 'files_checked', format('%s of %s, %s with a problem',
                to_char(probed_count, 'FM999,999,990'), to_char(total_count, 'FM999,999,990'), to_char(problem_count, 'FM999,999,990')), 0
            FROM importer.probe WHERE import_id = $1 AND finished_at IS NOT NULL
            UNION ALL
            (SELECT e.at, NULL, e.action, e.detail, 0 FROM importer.import i
             JOIN importer.audit_entry e ON e.action = 'server_started'
                AND e.at BETWEEN i.started_at AND coalesce(i.finished_at, 'infinity')
             WHERE i.id = $1 ORDER BY e.at DESC LIMIT $2)
            UNION ALL
            SELECT i.finished_at, NULL, 'texts_written', CASE WHEN f.failed > 0 THEN 'not for ' || to_char(f.failed, 'FM999,999,999') END, 2
            FROM importer.import i
            CROSS JOIN LATERAL (SELECT count(*) AS failed FROM importer.record_finish WHERE import_id = i.id AND state = 'failed') f
            WHERE i.id = $1 AND i.state = 'finished' AND (
                -- A manifest that has texts has them from its beginning; a size or an old address is none.
                EXISTS (SELECT 1 FROM (
                    SELECT coalesce(description, long_description, tags, related_link_text, related_link_url, gallery) AS says
                    FROM importer.record_meta WHERE import_id = i.id ORDER BY row_number LIMIT 200) m WHERE m.says IS NOT NULL)
                OR EXISTS (SELECT 1 FROM (SELECT caption, reference_id FROM importer.import_record WHERE import_id = i.id
                    ORDER BY row_number LIMIT 200) r WHERE coalesce(r.caption, r.reference_id) IS NOT NULL))
        ) story
        ORDER BY at DESC, place DESC LIMIT $2
        """;

    /// <summary>The latest first.</summary>
    public async Task<IReadOnlyList<StoryEntry>> LatestAsync(int importId, int limit, CancellationToken cancellationToken) =>
        await database.QueryAsync<StoryEntry>(Latest, cancellationToken, importId, limit);
}
