using Cincopa.Client;

namespace BulkImporter.Accounts;

/// <summary>Placeholder until the doors branch lands.</summary>
public sealed class AccountAccess
{
    public Task<CincopaAccess> GetAsync(int accountId, CancellationToken cancellationToken) => throw new NotSupportedException($"{accountId}{cancellationToken}");
}
