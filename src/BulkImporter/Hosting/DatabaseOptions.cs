namespace BulkImporter.Hosting;

/// <summary>
/// The database. <c>ConnectionStrings:BulkImporter</c> names a PostgreSQL server; without it <c>serve</c> brings one of its own, and only
/// then the data directory and what stands with it is used.
/// </summary>
public sealed record DatabaseOptions
{
    public const string Section = "BulkImporter";

    /// <summary>The password, when the connection string holds none. A secret: best from a file.</summary>
    public string? DatabasePassword { get; set; }

    /// <summary>The server of our own keeps everything that it has in the folder <c>postgres</c> below this one.</summary>
    public string DataDirectory { get; set; } = "data";

    /// <summary>The folder that holds <c>initdb</c>, <c>pg_ctl</c> and <c>postgres</c>. Not set: searched for.</summary>
    public string? PostgresBinaries { get; set; }

    /// <summary>
    /// Settings of the server of our own by their PostgreSQL names, written after ours and so winning over them, except its address.
    /// </summary>
    public IDictionary<string, string> PostgresSettings { get; init; } = new Dictionary<string, string>();
}
