using System.Collections.Concurrent;
using Cincopa.Client;

namespace BulkImporter.Accounts;

/// <summary>
/// Asks Cincopa before the first row whether it knows the token. A token that is rejected is found out by a ping, and not by rows. What the
/// token may do is noted for the account's warning and holds nothing back, nor does anything that a ping cannot tell: the call itself will
/// say.
/// </summary>
public sealed class CheckBeforeSending(
    NpgsqlDataSource database, AccountAccess access, AccountBreaker breaker, ICincopaClient cincopa,
    IOptions<AccountsOptions> options, TimeProvider clock, ILogger<CheckBeforeSending> log)
{
    // Of remote text, so its length is bounded.
    private const string NotePermissions = """
        UPDATE importer.account SET permissions = left($3, 1000) WHERE id = $1 AND updated_at = $2 AND permissions IS DISTINCT
            FROM left($3, 1000)
        """;

    /// <summary>How long a person who starts an import waits for Cincopa's answer; what it would have said, the worker finds out.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    // A version of an account is asked about once by each process: a replaced token or a resumed account is another version.
    private readonly ConcurrentDictionary<int, DateTimeOffset> passed = new();

    /// <summary>
    /// Why an import of this account cannot be started, for people; null when nothing is known to be in the way. Starts nothing.
    /// </summary>
    public async Task<string?> ObstacleAsync(int accountId, CancellationToken cancellationToken)
    {
        var (current, problem) = await access.TryAsync(accountId, cancellationToken);
        if (current is null) return problem;
        var ping = await cincopa.PingAsync(current.Access, Patience, clock, cancellationToken);
        if (ping is PingResult.Ok ok) await NoteAsync(accountId, current.Version, ok.Permissions, cancellationToken);
        return ping is PingResult.Failed { Error: { Kind: RemoteErrorKind.TokenRejected } error }
            ? $"Cincopa does not accept the account's token: {error.Message} Replace it first." : null;
    }

    /// <summary>
    /// Whether a worker may send for the account now. False when Cincopa rejected the token, which counts towards the account's suspension.
    /// </summary>
    public async Task<bool> MaySendAsync(int accountId, CurrentAccess current, CancellationToken cancellationToken)
    {
        if (!options.Value.PingBeforeSending) return true;
        if (passed.GetValueOrDefault(accountId) == current.Version) return true;
        switch (await cincopa.PingAsync(current.Access, cancellationToken))
        {
            case PingResult.Failed { Error: { Kind: RemoteErrorKind.TokenRejected } error }:
                await breaker.CredentialRejectedAsync(accountId, current.Version, 1, error.Message);
                return false;
            case PingResult.Ok ok:
                await NoteAsync(accountId, current.Version, ok.Permissions, cancellationToken);
                passed[accountId] = current.Version;
                return true;
            default:
                return true;
        }
    }

    /// <summary>Keeps what a ping said of the token's permissions, and says so in the log when an import may miss one.</summary>
    public async Task NoteAsync(int accountId, DateTimeOffset version, TokenPermissions? permissions, CancellationToken cancellationToken)
    {
        if (permissions is null) return;
        var noted = await database.ExecuteAsync(NotePermissions, cancellationToken, accountId, version, permissions.ToString()
            .Replace("\0", "", StringComparison.Ordinal));
        if (noted > 0 && NeededPermissions.Warning(permissions) is { } warning) Log.PermissionsMissing(log, accountId, warning);
    }
}
