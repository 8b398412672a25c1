using System.ComponentModel.DataAnnotations;

namespace BulkImporter.Reconcile;

/// <summary>Settings under <c>BulkImporter:Reconcile</c>.</summary>
public sealed class ReconcileOptions
{
    public const string Section = "BulkImporter:Reconcile";

    /// <summary>How long a record is in doubt before its asset is looked for: the answer may come late, and Cincopa needs time to fetch the file. Default 10 min.</summary>
    public TimeSpan Grace { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long it is looked for again, each time after twice the time that it is in doubt. Default 24 h.</summary>
    public TimeSpan GiveUpAfter { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How far Cincopa's clock may be behind ours: an asset that was uploaded so long before an attempt began may still be its. Default 2 min.</summary>
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>Assets asked for with one call; Cincopa's own clients ask for 50, a third party caps at 100. Default 50.</summary>
    [Range(1, 100)]
    public int ItemsPerPage { get; set; } = 50;
}
