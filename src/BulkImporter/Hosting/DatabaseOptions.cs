namespace BulkImporter.Hosting;

/// <summary>
/// The database. <c>ConnectionStrings:BulkImporter</c> names a PostgreSQL server; without it <c>serve</c> brings its own, and only then are
/// the data directory and the settings beside it used.
/// </summary>
public sealed record DatabaseOptions
{
    public const string Section = "BulkImporter";

    /// <summary>The password, if the connection string has none. A secret: best kept in a file.</summary>
    public string? DatabasePassword { get; set; }

    /// <summary>Our own server keeps all its data in the folder <c>postgres</c> below this one.</summary>
    public string DataDirectory { get; set; } = "data";

    /// <summary>The folder that holds <c>initdb</c>, <c>pg_ctl</c> and <c>postgres</c>. Not set: searched for.</summary>
    public string? PostgresBinaries { get; set; }

    /// <summary>
    /// Settings of our own server by their PostgreSQL names. They are written after ours and so override them, except for its address.
    /// </summary>
    public IDictionary<string, string> PostgresSettings { get; init; } = new Dictionary<string, string>();
}
