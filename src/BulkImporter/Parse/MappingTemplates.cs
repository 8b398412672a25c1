using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using Npgsql;

namespace BulkImporter.Parse;

/// <param name="Columns">The header that it is chosen for.</param>
public sealed record TemplateView(string Name, string Mapping, IReadOnlyList<string> Columns, string CreatedBy, DateTimeOffset CreatedAt);

/// <summary>The template whose header is a manifest's.</summary>
internal sealed record FoundTemplate(string Name, string Mapping)
{
    // Of several for one header the youngest: whoever saved it meant it to be used.
    private const string Find = """
        SELECT name, mapping FROM importer.mapping_template WHERE account_id = $1 AND header = $2 ORDER BY created_at DESC, id DESC LIMIT 1
        """;

    /// <summary>Null when the account has none for this header.</summary>
    public static async Task<FoundTemplate?> ForAsync(NpgsqlConnection connection, int accountId, IReadOnlyList<string> columns, CancellationToken cancellationToken) =>
        await connection.QueryAsync(Find, r => new FoundTemplate(r.GetString(0), r.GetString(1)), cancellationToken, accountId, MappingTemplate.HeaderOf(columns)) is [var found] ? found : null;
}

/// <summary>An account's mapping templates, by name.</summary>
public sealed class ReadTemplates(NpgsqlDataSource database)
{
    private const string List = """
        SELECT t.name, t.mapping, t.columns, t.created_by, t.created_at
        FROM importer.mapping_template t JOIN importer.account a ON a.id = t.account_id WHERE a.name = $1 ORDER BY t.name
        """;

    /// <summary>Null when there is no such account.</summary>
    public async Task<IReadOnlyList<TemplateView>?> RunAsync(string account, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        if (await CreateImport.MissingAccountAsync(connection, account, cancellationToken) is not null) return null;
        return await connection.QueryAsync(List, r => new TemplateView(
            r.GetString(0), r.GetString(1), r.GetFieldValue<string[]>(2), r.GetString(3), r.GetFieldValue<DateTimeOffset>(4)), cancellationToken, account);
    }
}

/// <summary>Keeps how an import's manifest is read for the manifests with the same header that its account gets later. The same name again replaces.</summary>
public sealed class SaveTemplate(NpgsqlDataSource database, PreviewManifest manifests)
{
    private const string Save = """
        WITH saved AS (
            INSERT INTO importer.mapping_template (account_id, name, columns, header, mapping, created_by, created_at)
            SELECT account_id, $2, $3, $4, $5, $6, now() FROM importer.import WHERE id = $1
            ON CONFLICT (account_id, name) DO UPDATE
            SET columns = excluded.columns, header = excluded.header, mapping = excluded.mapping, created_by = excluded.created_by, created_at = excluded.created_at
            RETURNING account_id, name, mapping, columns, created_by, created_at
        ), noted AS (
            INSERT INTO importer.audit_entry (at, actor, action, import_id, account_id, detail) SELECT now(), $6, 'template_saved', $1, account_id, name || ': ' || mapping FROM saved
        )
        SELECT name, mapping, columns, created_by, created_at FROM saved
        """;

    /// <summary>Null when there is no such import, or its manifest cannot be read.</summary>
    /// <exception cref="InvalidArgumentException">The name cannot be used, or the manifest has no header, or it is not settled which column holds the URL.</exception>
    public async Task<TemplateView?> RunAsync(int importId, string? name, string actor, CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(name) || name.Length > 100 || name.Any(char.IsControl))
            throw new InvalidArgumentException("name", "A template's name has 1 to 100 characters.");
        if (await manifests.RunAsync(importId, 0, cancellationToken) is not { } manifest) return null;
        if (!manifest.HasHeader) throw new InvalidArgumentException("import", "A template is chosen by the header, and this manifest has none.");
        if (manifest.Question is { } question) throw new InvalidArgumentException("import", question);
        var mapping = ManifestMapping.From(manifest.Mapping).ToString();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await connection.QueryAsync(Save, r => new TemplateView(
            r.GetString(0), r.GetString(1), r.GetFieldValue<string[]>(2), r.GetString(3), r.GetFieldValue<DateTimeOffset>(4)), cancellationToken,
            importId, name.Trim(), manifest.Columns.ToArray(), MappingTemplate.HeaderOf(manifest.Columns), mapping, actor) is [var saved] ? saved : null;
    }
}

/// <summary>Forgets a template. Imports that were read by it keep their mapping.</summary>
public sealed class DeleteTemplate(NpgsqlDataSource database)
{
    private const string Delete = """
        WITH deleted AS (
            DELETE FROM importer.mapping_template t USING importer.account a WHERE a.id = t.account_id AND a.name = $1 AND t.name = $2
            RETURNING t.account_id, t.name
        )
        INSERT INTO importer.audit_entry (at, actor, action, account_id, detail) SELECT now(), $3, 'template_deleted', account_id, name FROM deleted
        """;

    /// <summary>False when there was none.</summary>
    public async Task<bool> RunAsync(string account, string name, string actor, CancellationToken cancellationToken) =>
        await database.ExecuteAsync(Delete, cancellationToken, account, name, actor) > 0;
}
