namespace BulkImporter.Tests;

/// <summary>The checkout that these tests were built from, for the files that are not code: documents, compose, dashboards.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(new DirectoryInfo(AppContext.BaseDirectory));

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    private static string Find(DirectoryInfo? folder) =>
        folder is null ? throw new DirectoryNotFoundException("The tests run outside of the repository.")
        : File.Exists(Path.Combine(folder.FullName, "BulkImporter.sln")) ? folder.FullName
        : Find(folder.Parent);
}
