using BulkImporter.Manifests;
using BulkImporter.Sources;

namespace BulkImporter.Parse;

/// <summary>
/// Duplicates inside one manifest, in memory: for <c>validate FILE</c>, which has no database to ask. Takes some 60 bytes
/// a row.
/// </summary>
public sealed class DuplicateRows(ManifestLayout layout)
{
    private readonly Dictionary<Guid, int> byUrl = [];
    private readonly Dictionary<Guid, int> byReferenceId = [];

    /// <summary>
    /// True when an earlier row has the same source, or the row itself is imported already; appends what was found. Blocked rows take no
    /// part.
    /// </summary>
    public bool Check(in CheckedRow row, List<Finding> findings)
    {
        if (row.Key is not { } key)
            return false;
        if (row.IsImported)
        {
            byUrl.TryAdd(key.Value, row.RowNumber);
            return true;
        }

        if (!byUrl.TryAdd(key.Value, row.RowNumber))
        {
            findings.Add(new Finding(row.RowNumber, row.LineNumber, layout.ColumnOf(ManifestColumn.Url), FindingMask.Mask(row.Url),
                FindingCode.DuplicateUrl, byUrl[key.Value]));
            return true;
        }

        // The key of any text is its hash; a reference id is no URL and so is hashed as it stands.
        if (row.ReferenceId is { } referenceId && SourceKey.Of(referenceId).Value is var reference
            && !byReferenceId.TryAdd(reference, row.RowNumber))
            findings.Add(new Finding(row.RowNumber, row.LineNumber, layout.ColumnOf(ManifestColumn.ReferenceId),
                FindingMask.Mask(referenceId), FindingCode.DuplicateReferenceId, byReferenceId[reference]));
        return false;
    }
}
