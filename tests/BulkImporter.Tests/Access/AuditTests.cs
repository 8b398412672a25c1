using BulkImporter.Access;
using BulkImporter.Data;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace BulkImporter.Tests.Access;

public sealed class AuditTests(ImporterDatabase database) : IClassFixture<ImporterDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_deed_is_noted_with_what_it_changes_or_neither_is_there()
    {
        var before = DateTimeOffset.UtcNow;
        await database.Contexts.ChangeAsync(async db =>
        {
            db.Add(Key("noted"));
            db.Note("ada", "key_made", "noted");
            await db.Connection.NoteAsync("ada", "by_sql", Token, "noted", importId: 7);
            return await db.SaveChangesAsync(Token);
        }, Token);
        var noted = await Entries("noted").SingleAsync(e => e.Action == "key_made", Token);
        Assert.Equal(("ada", null, null), (noted.Actor, noted.ImportId, noted.AccountId));
        Assert.InRange(noted.At, before.AddSeconds(-1), DateTimeOffset.UtcNow.AddSeconds(1));
        Assert.Equal(7, (await Entries("noted").SingleAsync(e => e.Action == "by_sql", Token)).ImportId);

        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => database.Contexts.ChangeAsync<int>(async db =>
        {
            db.Add(Key("undone"));
            db.Note("ada", "key_made", "undone");
            await db.Connection.NoteAsync("ada", "by_sql", Token, "undone");
            await db.SaveChangesAsync(Token);
            throw new InvalidTimeZoneException();
        }, Token));
        Assert.Equal(0, await Entries("undone").CountAsync(Token));
        Assert.Equal(0L, await database.OneAsync<long>("SELECT count(*) FROM importer.api_key WHERE name = 'undone'"));
    }

    [Fact]
    public async Task What_is_audited_is_not_changed_without_a_note()
    {
        await using var db = database.Contexts.CreateDbContext();
        var key = db.Add(Key("quiet")).Entity;
        await db.SaveChangesAsync(Token);

        key.RevokedAt = DateTimeOffset.UtcNow;
        Assert.Contains("ApiKey", (await Assert.ThrowsAsync<InvalidOperationException>(() => db.SaveChangesAsync(Token))).Message,
            StringComparison.Ordinal);
        db.Note("ada", "key_revoked", "quiet");
        await db.SaveChangesAsync(Token);
        db.Remove(key);
        await Assert.ThrowsAsync<InvalidOperationException>(() => db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task An_entry_is_never_changed()
    {
        await using var db = database.Contexts.CreateDbContext();
        db.Note("ada", "something", "kept");
        await db.SaveChangesAsync(Token);
        db.Remove(await db.Set<AuditEntry>().SingleAsync(e => e.Detail == "kept", Token));
        await Assert.ThrowsAsync<InvalidOperationException>(() => db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Who_comes_second_begins_again_and_what_cannot_be_is_the_databases_own_refusal()
    {
        // The one changes what the other has loaded; the other loads it again.
        var id = await database.Contexts.ChangeAsync(async db =>
        {
            var user = db.Add(new User { UserName = "two", NormalizedUserName = "TWO", SecurityStamp = "1", Role = Role.Viewer }).Entity;
            await db.SaveChangesAsync(Token);
            return user.Id;
        }, Token);
        var tries = 0;
        await database.Contexts.ChangeAsync(async db =>
        {
            var user = await db.Set<User>().SingleAsync(u => u.Id == id, Token);
            if (++tries == 1)
                await database.SqlAsync("UPDATE importer.app_user SET role = 'operator', concurrency_stamp = 'other' WHERE id = $1", id);
            user.SecurityStamp += user.Role;
            return await db.SaveChangesAsync(Token);
        }, Token);
        Assert.Equal((2, "1Operator"),
            (tries, await database.OneAsync<string>("SELECT security_stamp FROM importer.app_user WHERE id = $1", id)));

        // A name that stays taken is refused in the end, as it is from SQL.
        var refused = await Assert.ThrowsAsync<PostgresException>(() => database.Contexts.ChangeAsync(db =>
        {
            tries++;
            db.Add(new User { UserName = "two", NormalizedUserName = "TWO", SecurityStamp = "1", Role = Role.Viewer });
            return db.SaveChangesAsync(Token);
        }, Token));
        Assert.Equal((PostgresErrorCodes.UniqueViolation, 7), (refused.SqlState, tries));
    }

    private IQueryable<AuditEntry> Entries(string detail) =>
        database.Contexts.CreateDbContext().Set<AuditEntry>().Where(e => e.Detail == detail);

    private static ApiKey Key(string name) =>
        new() { Name = name, Prefix = "bik_", Hash = Guid.NewGuid().ToByteArray(), Role = Role.Viewer };
}
