using System.Collections.Concurrent;
using Cincopa.Client;
using Microsoft.Extensions.Options;

namespace BulkImporter.Accounts;

/// <summary>
/// Asks Cincopa before the first row whether it would take one at all. A token that may not upload is found out by a ping, and not by rows. What
/// a ping cannot tell (nobody answers, the reply names no permissions) holds nothing back: the call itself will say.
/// </summary>
public sealed class CheckBeforeSending(AccountAccess access, AccountBreaker breaker, ICincopaClient cincopa, IOptions<AccountsOptions> options, TimeProvider clock)
{
    /// <summary>How long a person who starts an import waits for Cincopa's answer; what it would have said, the worker finds out.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    // A version of an account is asked about once by each process: a replaced token or a resumed account is another version.
    private readonly ConcurrentDictionary<int, DateTimeOffset> passed = new();

    /// <summary>Why an import of this account cannot be started, for people; null when nothing is known to be in the way. Changes nothing.</summary>
    public async Task<string?> ObstacleAsync(int accountId, CancellationToken cancellationToken)
    {
        CurrentAccess current;
        try
        {
            current = await access.GetAsync(accountId, cancellationToken);
        }
        catch (InvalidOperationException lost)
        {
            return lost.Message;
        }
        using var patience = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            return await cincopa.PingAsync(current.Access, either.Token) switch
            {
                PingResult.Ok ok when Lacks(ok) is { } atom => Lacking(atom),
                PingResult.Failed { Error: { Kind: RemoteErrorKind.TokenRejected } error } => $"Cincopa does not accept the account's token: {error.Message} Replace it first.",
                _ => null,
            };
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>
    /// Whether a worker may send for the account now. False when Cincopa rejected the token, which counts towards the account's suspension, or
    /// when the token lacks a permission, which suspends it at once.
    /// </summary>
    public async Task<bool> MaySendAsync(int accountId, CurrentAccess current, CancellationToken cancellationToken)
    {
        if (!options.Value.RequirePermissions) return true;
        if (passed.TryGetValue(accountId, out var version) && version == current.Version) return true;
        switch (await cincopa.PingAsync(current.Access, cancellationToken))
        {
            case PingResult.Ok ok when Lacks(ok) is { } atom:
                await breaker.PermissionMissingAsync(accountId, current.Version, Lacking(atom), cancellationToken);
                return false;
            case PingResult.Failed { Error: { Kind: RemoteErrorKind.TokenRejected } error }:
                await breaker.CredentialRejectedAsync(accountId, current.Version, 1, error.Message, cancellationToken);
                return false;
            case PingResult.Ok:
                passed[accountId] = current.Version;
                return true;
            default:
                return true;
        }
    }

    private string? Lacks(PingResult.Ok ok) =>
        options.Value.RequirePermissions && NeededPermissions.MissingFrom(ok.Permissions).Contains(NeededPermissions.ToSend) ? NeededPermissions.ToSend : null;

    private static string Lacking(string atom) =>
        $"The account's token lacks the permission {atom}, so Cincopa would refuse every row. Give the token that permission, or replace it by one that has it.";
}
