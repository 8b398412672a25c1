namespace BulkImporter.EndToEndTests;

/// <summary>The programs under test, in the configuration that this test program was built in, and the files of the repository.</summary>
internal static class BuiltPrograms
{
    public static string Importer { get; } = Find("BulkImporter");

    public static string Simulator { get; } = Find("Cincopa.Simulator");

    public static string Repository { get; } = FindRepository();

    /// <summary>axe-core's script, which ./run test installs.</summary>
    public static string Axe
    {
        get
        {
            var script = Path.Combine(Repository, "tests", "BulkImporter.EndToEndTests", "node_modules", "axe-core", "axe.min.js");
            return File.Exists(script) ? script : throw new FileNotFoundException($"{script} is missing. Type: ./run axe");
        }
    }

    /// <summary>The first of these programs that is installed.</summary>
    public static string OnPath(params string[] names) =>
        names.SelectMany(name => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, name)))
            .FirstOrDefault(File.Exists)
        ?? throw new FileNotFoundException($"None of {string.Join(", ", names)} is installed. Type: sudo apt-get install {names[0]}");

    public static string Sample(string name) => Path.Combine(Repository, "docs", "samples", name);

    /// <summary>
    /// artifacts/bin/BulkImporter.EndToEndTests/debug is where we are, artifacts/bin/BulkImporter/debug is where the other is.
    /// </summary>
    private static string Find(string name)
    {
        var here = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        var program = Path.GetFullPath(Path.Combine(here, "..", "..", name, Path.GetFileName(here), name));
        return File.Exists(program) ? program : throw new FileNotFoundException($"{program} is not built. Type: ./run build");
    }

    private static string FindRepository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "BulkImporter.sln"))) return folder.FullName;
        }

        throw new DirectoryNotFoundException($"No BulkImporter.sln above {AppContext.BaseDirectory}.");
    }
}
