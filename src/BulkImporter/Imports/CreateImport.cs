using BulkImporter.Access;
using BulkImporter.Accounts;
using BulkImporter.Manifests;

namespace BulkImporter.Imports;

/// <summary>An order to import a manifest that was received.</summary>
/// <param name="CreatedBy">The actor, for the audit log.</param>
public sealed record NewImport(int ManifestId, string CreatedBy)
{
    /// <summary>For people; null = the manifest's file name.</summary>
    public string? Name { get; init; }

    /// <summary>The name of the Cincopa account that it runs for; null = the only one, or the one that is called "default".</summary>
    public string? Account { get; init; }

    /// <summary>The explicit column mapping (<c>url=OriginalURL,caption=Title</c>), or null to recognise the header.</summary>
    public string? Mapping { get; init; }

    /// <summary>Start without review as soon as the manifest is parsed.</summary>
    public bool Start { get; init; }

    public ImportSettings Settings { get; init; } = new();

    /// <summary>The caller's key: the same key again answers with the first import and makes no second.</summary>
    public string? IdempotencyKey { get; init; }
}

/// <param name="Existed">The idempotency key was used before; this is the import that it made.</param>
public sealed record CreatedImport(int Id, bool Existed);

/// <summary>Makes an import of a received manifest, in state parsing: the feeder hands it to a parse job.</summary>
public sealed class CreateImport(IDbContextFactory<ImporterDb> contexts, TimeProvider clock)
{
    /// <exception cref="InvalidArgumentException">A setting, the mapping, the account or the manifest cannot be used.</exception>
    public async Task<CreatedImport> RunAsync(NewImport import, CancellationToken cancellationToken)
    {
        Check(import);
        // Another caller may use the key in this moment: then it is run again, and finds the import of that one.
        return await contexts.ChangeAsync(async db =>
        {
            if (await FindByKeyAsync(db, import.IdempotencyKey, cancellationToken) is { } known) return known;
            var accountId = await AccountAsync(db, import.Account, cancellationToken);
            var fileName = await db.Set<Manifest>().Where(m => m.Id == import.ManifestId && m.ReceivedAt != null).Select(m => m.FileName)
                .SingleOrDefaultAsync(cancellationToken)
                ?? throw new InvalidArgumentException("manifest", $"There is no received manifest {import.ManifestId}.");
            var made = new Import
            {
                Name = import.Name ?? fileName,
                AccountId = accountId,
                ManifestId = import.ManifestId,
                Mapping = import.Mapping,
                Settings = await ImportSchedule.CheckedAsync(db, import.Settings, cancellationToken),
                StartWhenParsed = import.Start,
                IdempotencyKey = import.IdempotencyKey,
                CreatedBy = import.CreatedBy,
                CreatedAt = clock.GetUtcNow(),
            };
            db.Add(made);
            await db.SaveChangesAsync(cancellationToken);
            db.Note(import.CreatedBy, "import_created", importId: made.Id);
            await db.SaveChangesAsync(cancellationToken);
            return new CreatedImport(made.Id, Existed: false);
        }, cancellationToken);
    }

    /// <summary>The import that a key made before, or null: so that a repeated request need not upload its file again.</summary>
    public Task<CreatedImport?> FindByKeyAsync(string? key, CancellationToken cancellationToken) =>
        contexts.ReadAsync(db => FindByKeyAsync(db, key, cancellationToken));

    private static async Task<CreatedImport?> FindByKeyAsync(ImporterDb db, string? key, CancellationToken cancellationToken) =>
        key is null ? null : await db.Set<Import>().Where(i => i.IdempotencyKey == key).Select(i => new CreatedImport(i.Id, true))
            .SingleOrDefaultAsync(cancellationToken);

    /// <summary>Refuses what cannot work before a file of gigabytes is uploaded for it.</summary>
    /// <param name="import">As far as it is known.</param>
    /// <param name="mayNameAccount">Its account may still be named, behind the file.</param>
    /// <exception cref="InvalidArgumentException">A setting, the mapping or the account cannot be used.</exception>
    public async Task CheckAsync(NewImport import, bool mayNameAccount, CancellationToken cancellationToken)
    {
        Check(import);
        await using var db = contexts.CreateDbContext();
        if (import.Account is not null || !mayNameAccount) await AccountAsync(db, import.Account, cancellationToken);
        await ImportSchedule.CheckedAsync(db, import.Settings, cancellationToken);
    }

    /// <exception cref="InvalidArgumentException">A setting, the name, the mapping or the key cannot be used.</exception>
    private static void Check(NewImport import)
    {
        import.Settings.Check();
        if (import.Name is { } name) CheckName(name);
        if (import.Mapping is { } mapping) CheckMapping(mapping);
        if (import.IdempotencyKey is { } key && (string.IsNullOrWhiteSpace(key) || key.Length > 200))
            throw new InvalidArgumentException("Idempotency-Key", "An idempotency key must have 1 to 200 characters.");
    }

    internal static void CheckName(string name)
    {
        if (string.IsNullOrWhiteSpace(name) || name.Length > 200)
            throw new InvalidArgumentException("name", "A name must have 1 to 200 characters.");
    }

    internal static void CheckMapping(string mapping)
    {
        try
        {
            ManifestMapping.Parse(mapping);
        }
        catch (ManifestRejectedException unreadable)
        {
            throw new InvalidArgumentException("map", unreadable.Message);
        }
    }

    /// <exception cref="InvalidArgumentException">There is no account of this name, or none is named and it is not clear which.</exception>
    internal static async Task<int> AccountAsync(ImporterDb db, string? name, CancellationToken cancellationToken)
    {
        if (name is not null)
        {
            return await Account.IdAsync(db, name, cancellationToken)
                ?? throw new InvalidArgumentException("account", $"There is no account '{name}'. {HowToAdd(name)}");
        }

        if (await Account.IdAsync(db, FirstAccount.Name, cancellationToken) is { } first) return first;
        var all = await db.Set<Account>().OrderBy(a => a.Name).Select(a => new { a.Id, a.Name }).ToListAsync(cancellationToken);
        return all switch
        {
            [var only] => only.Id,
            [] => throw new InvalidArgumentException("account", $"There is no Cincopa account yet. {HowToAdd("NAME")}"),
            _ => throw new InvalidArgumentException("account",
                $"There is more than one account. Name one of these: {string.Join(", ", all.Select(a => a.Name))}."),
        };

        static string HowToAdd(string name) => $"An admin adds it on the page Accounts, or with 'BulkImporter account add {name}'.";
    }
}
