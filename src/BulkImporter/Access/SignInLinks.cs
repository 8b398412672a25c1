using BulkImporter.Data;
using Npgsql;

namespace BulkImporter.Access;

/// <param name="Path">To be put behind the server's address; opens a browser session once.</param>
public sealed record MadeSignInLink(string Path, DateTimeOffset ExpiresAt);

/// <summary>Makes a link that signs a browser in once, within 15 minutes.</summary>
public sealed class MakeSignInLink(NpgsqlDataSource database)
{
    public async Task<MadeSignInLink> RunAsync(Role role, CancellationToken cancellationToken)
    {
        var code = SecretText.New();
        var expiries = await database.QueryAsync(
            "INSERT INTO importer.sign_in_link (hash, role, expires_at) VALUES ($1, $2, now() + interval '15 minutes') RETURNING expires_at",
            r => r.GetFieldValue<DateTimeOffset>(0), cancellationToken, SecretText.Hash(code), EnumText<Role>.Of(role));
        return new($"/sign-in/once?code={code}", expiries[0]);
    }
}

/// <summary>Takes a link's code, once.</summary>
public sealed class UseSignInLink(NpgsqlDataSource database)
{
    private const string Use = """
        UPDATE importer.sign_in_link SET used_at = now() WHERE hash = $1 AND used_at IS NULL AND expires_at > now() RETURNING role
        """;

    /// <summary>The role that it gives, or null when it is unknown, used or too old.</summary>
    public async Task<Role?> RunAsync(string code, CancellationToken cancellationToken) =>
        await database.QueryAsync(Use, r => EnumText<Role>.Parse(r.GetString(0)), cancellationToken, SecretText.Hash(code)) is [var role] ? role : null;
}
