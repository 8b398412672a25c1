namespace BulkImporter.Access;

/// <summary>Who did what, when. Written in the same transaction as the deed.</summary>
public sealed class AuditEntry
{
    public long Id { get; private set; }

    /// <summary>Set when it is saved.</summary>
    public DateTimeOffset At { get; private set; }

    public required string Actor { get; init; }

    /// <summary>A past-tense fact with a stable name: <c>import_started</c>, <c>records_rerun</c>.</summary>
    public required string Action { get; init; }

    public int? ImportId { get; init; }
    public int? AccountId { get; init; }
    public string? Detail { get; init; }

    internal const string SweepOld = """
        DELETE FROM importer.audit_entry WHERE id IN (
            SELECT id FROM importer.audit_entry WHERE at < now() - $1 AND action <> 'cincopa_named' ORDER BY id LIMIT $2
                FOR UPDATE SKIP LOCKED)
        """;

    public sealed class Configuration : IEntityTypeConfiguration<AuditEntry>
    {
        public void Configure(EntityTypeBuilder<AuditEntry> entity)
        {
            entity.ToTable("audit_entry");
            entity.HasKey(e => e.Id);
            entity.HasIndex(e => new { e.ImportId, e.Id });
            // An import's story asks which processes started while it ran.
            entity.HasIndex(e => e.At).HasFilter("action = 'server_started'");
        }
    }
}

/// <summary>
/// Notes what changes nothing in the database and should be known all the same: who took what out, and who tried to come in.
/// </summary>
public sealed class NoteDeed(IDbContextFactory<ImporterDb> contexts)
{
    public async Task RunAsync(string actor, string action, int? importId, string detail, CancellationToken cancellationToken)
    {
        await using var db = contexts.CreateDbContext();
        db.Note(actor, action, detail, importId);
        await db.SaveChangesAsync(cancellationToken);
    }

    /// <param name="name">As it was typed; null when a key or a link was wrong.</param>
    /// <param name="how">As a sign-in is noted: <c>with a password</c>.</param>
    internal async Task FailedSignInAsync(string? name, string how, HttpContext context, CancellationToken cancellationToken)
    {
        await using var db = contexts.CreateDbContext();
        // What was typed as a name may be a password: only a name that there is is kept.
        var known = name is null || !UserName.IsOne(name) ? null
            : await db.Set<User>().Where(u => u.NormalizedUserName == UserName.Normal(name)).Select(u => u.UserName)
                .SingleOrDefaultAsync(cancellationToken);
        db.Note(known ?? "somebody", "sign_in_failed", $"{how}, from {Guesses.NetworkOf(context.Connection.RemoteIpAddress)}");
        await db.SaveChangesAsync(cancellationToken);
    }
}
