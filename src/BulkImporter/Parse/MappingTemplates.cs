using System.Linq.Expressions;
using BulkImporter.Access;
using BulkImporter.Accounts;
using BulkImporter.Imports;
using BulkImporter.Manifests;

namespace BulkImporter.Parse;

/// <summary>
/// A column mapping that is kept for an account under a name, with the header that it was made for. A manifest of the account with the same
/// header, for which nobody names a mapping, is read by it.
/// </summary>
public sealed class MappingTemplate : IAudited
{
    public int Id { get; private set; }
    public required int AccountId { get; init; }
    public Account Account { get; private set; } = null!;
    public required string Name { get; set; }

    /// <summary>The header's names in their order, as the file had them.</summary>
    public string[] Columns { get; set; } = [];

    /// <summary>
    /// The header as one text in which case, the kind of white space and what nobody sees do not count: what is compared.
    /// </summary>
    public string Header { get; set; } = "";

    /// <summary><c>url=OriginalURL,caption=Title</c>.</summary>
    public string Mapping { get; set; } = "";

    public string CreatedBy { get; set; } = "";
    public DateTimeOffset CreatedAt { get; set; }

    /// <summary>
    /// The form in which two headers are compared. The names' order counts: a mapping names columns, but a person who sees another order
    /// expects another file.
    /// </summary>
    internal static string HeaderOf(IEnumerable<string> columns) =>
        string.Join('\n', columns.Select(c => ManifestFormat.Plain(c).ToLowerInvariant()));

    public sealed class Configuration : IEntityTypeConfiguration<MappingTemplate>
    {
        public void Configure(EntityTypeBuilder<MappingTemplate> entity)
        {
            entity.ToTable("mapping_template");
            entity.HasKey(t => t.Id);
            entity.HasIndex(t => new { t.AccountId, t.Name }).IsUnique();
            entity.HasOne(t => t.Account).WithMany().HasForeignKey(t => t.AccountId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}

/// <param name="Columns">The header that it is chosen for.</param>
public sealed record TemplateView(string Name, string Mapping, IReadOnlyList<string> Columns, string CreatedBy, DateTimeOffset CreatedAt)
{
    internal static readonly Expression<Func<MappingTemplate, TemplateView>> Of = t =>
        new(t.Name, t.Mapping, t.Columns, t.CreatedBy, t.CreatedAt);
}

/// <summary>The template whose header is a manifest's.</summary>
internal sealed record FoundTemplate(string Name, string Mapping)
{
    // Of several for one header the youngest: whoever saved it meant it to be used.
    private const string Find = """
        SELECT name, mapping FROM importer.mapping_template WHERE account_id = $1 AND header = $2 ORDER BY created_at DESC, id DESC LIMIT 1
        """;

    /// <summary>Null when the account has none for this header.</summary>
    public static async Task<FoundTemplate?> ForAsync(
        NpgsqlConnection connection, int accountId, IReadOnlyList<string> columns, CancellationToken cancellationToken) =>
        await connection.QueryAsync<FoundTemplate>(Find, cancellationToken, accountId, MappingTemplate.HeaderOf(columns)) is [var found]
            ? found : null;
}

/// <summary>An account's mapping templates, by name.</summary>
public sealed class ReadTemplates(IDbContextFactory<ImporterDb> contexts)
{
    /// <summary>Null when there is no such account.</summary>
    public async Task<IReadOnlyList<TemplateView>?> RunAsync(string account, CancellationToken cancellationToken)
    {
        await using var db = contexts.CreateDbContext();
        if (!await db.Set<Account>().AnyAsync(a => a.Name == account, cancellationToken)) return null;
        return await db.Set<MappingTemplate>().Where(t => t.Account.Name == account).OrderBy(t => t.Name).Select(TemplateView.Of)
            .ToListAsync(cancellationToken);
    }
}

/// <summary>
/// Keeps how an import's manifest is read for the manifests with the same header that its account gets later. The same name again replaces.
/// </summary>
public sealed class SaveTemplate(IDbContextFactory<ImporterDb> contexts, PreviewManifest manifests, TimeProvider clock)
{
    /// <summary>Null when there is no such import, or its manifest cannot be read.</summary>
    /// <exception cref="InvalidArgumentException">The name cannot be used, or the manifest has no header, or it is not settled which column
    /// holds the URL.</exception>
    public async Task<TemplateView?> RunAsync(int importId, string? name, string actor, CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(name) || name.Length > 100 || name.Any(char.IsControl))
            throw new InvalidArgumentException("name", "The name of a template must have 1 to 100 characters.");
        if (await manifests.RunAsync(importId, 0, cancellationToken) is not { } manifest) return null;
        if (!manifest.HasHeader)
            throw new InvalidArgumentException("import", "A template is found by the header, and this manifest has no header.");
        if (manifest.Question is { } question) throw new InvalidArgumentException("import", question);
        var mapping = ManifestMapping.From(manifest.Mapping).ToString();
        return await contexts.ChangeAsync(async db =>
        {
            if (await db.Set<Import>().Where(i => i.Id == importId).Select(i => (int?)i.AccountId)
                .SingleOrDefaultAsync(cancellationToken) is not { } account) return null;
            var template = await db.Set<MappingTemplate>()
                .SingleOrDefaultAsync(t => t.AccountId == account && t.Name == name.Trim(), cancellationToken)
                ?? db.Add(new MappingTemplate { AccountId = account, Name = name.Trim() }).Entity;
            (template.Columns, template.Header) = ([.. manifest.Columns], MappingTemplate.HeaderOf(manifest.Columns));
            (template.Mapping, template.CreatedBy, template.CreatedAt) = (mapping, actor, clock.GetUtcNow());
            db.Note(actor, "template_saved", $"{template.Name}: {mapping}", importId, account);
            await db.SaveChangesAsync(cancellationToken);
            return await db.Set<MappingTemplate>().Where(t => t.Id == template.Id).Select(TemplateView.Of).SingleAsync(cancellationToken);
        }, cancellationToken);
    }
}

/// <summary>Forgets a template. Imports that were read by it keep their mapping.</summary>
public sealed class DeleteTemplate(IDbContextFactory<ImporterDb> contexts)
{
    /// <summary>False when there was none.</summary>
    public Task<bool> RunAsync(string account, string name, string actor, CancellationToken cancellationToken) =>
        contexts.ChangeAsync(async db =>
    {
        if (await db.Set<MappingTemplate>()
            .SingleOrDefaultAsync(t => t.Account.Name == account && t.Name == name, cancellationToken) is not { } template) return false;
        db.Remove(template);
        db.Note(actor, "template_deleted", name, accountId: template.AccountId);
        await db.SaveChangesAsync(cancellationToken);
        return true;
    }, cancellationToken);
}
