using System.Security.Cryptography;
using BulkImporter.Accounts;
using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Sources;

namespace BulkImporter.Reconcile;

/// <summary>What a record's source says of its file now.</summary>
/// <param name="MediaType">For example <c>video/mp4</c>; null when it does not say.</param>
/// <param name="Problem">Why it says nothing, for people; null when it answered.</param>
public sealed record SourceView(long? SizeBytes, string? MediaType, string? Problem);

/// <summary>
/// Asks the source of a record for the first byte of its file, so that a person can compare its size and type with those of the assets that
/// it may have become. Nothing is kept.
/// </summary>
public sealed class LookAtSource(IDbContextFactory<ImporterDb> contexts, ReachSource reach, SourceHeaders headers)
{
    /// <summary>Null when the import has no such row, or its source is no web address.</summary>
    public async Task<SourceView?> RunAsync(int importId, int rowNumber, CancellationToken cancellationToken)
    {
        var source = await contexts.ReadAsync(db => (
            from r in db.Set<ImportRecord>()
            join i in db.Set<Import>() on r.ImportId equals i.Id
            where r.ImportId == importId && r.RowNumber == rowNumber
            select new { r.SourceUrl, i.AccountId }).SingleOrDefaultAsync(cancellationToken));
        if (source is null || !Uri.TryCreate(source.SourceUrl, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
            return null;
        IReadOnlyList<SecretHeader> secrets;
        try
        {
            secrets = await headers.OfAccountAsync(source.AccountId, cancellationToken);
        }
        catch (CryptographicException)
        {
            return new(null, null, "The account's source headers can no longer be decrypted. Set them again.");
        }
        using var answer = await reach.RunAsync(new SourceRequest(url, Range: new(0, 0), Headers: secrets), cancellationToken);
        return answer.Problem is null ? new(answer.Size, answer.MediaType, null) : new(null, null, answer.Detail);
    }
}
