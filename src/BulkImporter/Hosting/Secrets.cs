namespace BulkImporter.Hosting;

/// <summary>
/// Settings from files, one file for each, so that a secret stands neither in the environment nor on a command line. The file's name is the
/// setting's, with <c>__</c> between its parts: <c>CINCOPA_API_TOKEN</c>, <c>BulkImporter__DatabasePassword</c>,
/// <c>BulkImporter__Telemetry__MetricsToken</c>.
/// </summary>
internal static class Secrets
{
    /// <summary>Names another folder than the one of containers.</summary>
    public const string FolderVariable = "BULKIMPORTER_SECRETS";

    public const string DatabasePasswordKey = $"{DatabaseOptions.Section}:{nameof(DatabaseOptions.DatabasePassword)}";

    /// <summary>Where containers mount secrets.</summary>
    private const string ContainerFolder = "/run/secrets";

    /// <summary>Where systemd mounts a unit's credentials.</summary>
    private const string SystemdVariable = "CREDENTIALS_DIRECTORY";

    /// <summary>Files win over the environment: who makes a file means it.</summary>
    /// <exception cref="StartupException">The folder that was named is not there.</exception>
    public static void AddFiles(IConfigurationManager configuration)
    {
        var named = PlainText.Trimmed(configuration[FolderVariable] ?? "");
        if (!string.IsNullOrEmpty(named) && !Directory.Exists(named))
            throw new StartupException($"The folder {named} that {FolderVariable} names does not exist.");
        foreach (var folder in new[] { string.IsNullOrEmpty(named) ? ContainerFolder : named, configuration[SystemdVariable] })
        {
            if (!string.IsNullOrEmpty(folder) && Directory.Exists(folder))
                configuration.AddKeyPerFile(Path.GetFullPath(folder), optional: true);
        }
    }

    /// <summary>
    /// Takes from all values what editors, shells and Windows leave at their ends (a line end, a byte order mark): with it a key is one
    /// that nobody can send, and an address one that leads nowhere. After every other source.
    /// </summary>
    public static void Trim(IConfigurationManager configuration) => configuration.AddInMemoryCollection(
        [.. configuration.AsEnumerable().Where(v => v.Value is { } text && PlainText.Trimmed(text).Length != text.Length)
            .Select(v => KeyValuePair.Create(v.Key, (string?)PlainText.Trimmed(v.Value!)))]);

    /// <summary>Gives a connection string the password that stands in a file of its own, unless it has one.</summary>
    public static void AddPassword(NpgsqlConnectionStringBuilder settings, IConfiguration configuration)
    {
        if (configuration[DatabasePasswordKey] is { Length: > 0 } password && string.IsNullOrEmpty(settings.Password))
            settings.Password = password;
    }
}
