using BulkImporter.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Npgsql;

namespace BulkImporter.Access;

/// <summary>Who did what, when. Written in the same transaction as the deed.</summary>
public sealed class AuditEntry
{
    public long Id { get; private set; }
    public required DateTimeOffset At { get; init; }
    public required string Actor { get; init; }

    /// <summary>A past-tense fact with a stable name: <c>import_started</c>, <c>records_rerun</c>.</summary>
    public required string Action { get; init; }

    public int? ImportId { get; init; }
    public int? AccountId { get; init; }
    public string? Detail { get; init; }

    public sealed class Configuration : IEntityTypeConfiguration<AuditEntry>
    {
        public void Configure(EntityTypeBuilder<AuditEntry> entity)
        {
            entity.ToTable("audit_entry");
            entity.HasKey(e => e.Id);
            entity.HasIndex(e => new { e.ImportId, e.Id });
        }
    }
}

/// <summary>Notes what changes nothing in the database and should be known all the same: who took what out, and who tried to come in.</summary>
public sealed class NoteDeed(NpgsqlDataSource database)
{
    // What was typed as a name may be a password: only a name that there is is kept.
    private const string Failed = """
        INSERT INTO importer.audit_entry (at, actor, action, detail)
        VALUES (now(), coalesce((SELECT user_name FROM importer.app_user WHERE normalized_user_name = $1), 'somebody'), 'sign_in_failed', $2)
        """;

    public Task RunAsync(string actor, string action, int? importId, string detail, CancellationToken cancellationToken) => database.ExecuteAsync(
        "INSERT INTO importer.audit_entry (at, actor, action, import_id, detail) VALUES (now(), $1, $2, $3, $4)", cancellationToken, actor, action, importId, detail);

    /// <param name="name">As it was typed; null when a key or a link was wrong.</param>
    /// <param name="how">As a sign-in is noted: <c>with a password</c>.</param>
    internal Task FailedSignInAsync(string? name, string how, HttpContext context, CancellationToken cancellationToken) =>
        database.ExecuteAsync(Failed, cancellationToken, name is null || !UserName.IsOne(name) ? null : UserName.Normal(name), $"{how}, from {Guesses.NetworkOf(context.Connection.RemoteIpAddress)}");
}
