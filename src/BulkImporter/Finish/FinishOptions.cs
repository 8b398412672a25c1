using System.ComponentModel.DataAnnotations;

namespace BulkImporter.Finish;

/// <summary>Settings under <c>BulkImporter:Finish</c>.</summary>
public sealed class FinishOptions
{
    public const string Section = "BulkImporter:Finish";

    /// <summary>Records being finished at the same time per worker process and account. Default 8.</summary>
    [Range(1, 500)]
    public int CallsInFlight { get; set; } = 8;

    /// <summary>Records of an account that one round claims. Default 100.</summary>
    [Range(1, 10_000)]
    public int Batch { get; set; } = 100;

    /// <summary>How long a claimed record is left to its finisher. Default 60 s.</summary>
    public TimeSpan ClaimFor { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Longest percent-encoded value that is written to an asset, and all values of one call together: they travel in the query, whose length
    /// is limited (INF). A longer value is not written, and the record's finishing says so. Default 1,700 characters.
    /// </summary>
    [Range(100, 100_000)]
    public int MaxEncodedValue { get; set; } = 1_700;

    /// <summary>Tries after which a record's finishing counts as failed. Default 8.</summary>
    [Range(1, 100)]
    public int Attempts { get; set; } = 8;
}
