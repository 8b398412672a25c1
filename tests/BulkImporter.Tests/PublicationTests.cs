using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace BulkImporter.Tests;

/// <summary>What a stranger needs who has the repository alone: each citation, link, package and recipe leads somewhere.</summary>
public sealed partial class PublicationTests
{
    [Fact]
    public void Each_source_that_a_comment_cites_stands_in_the_contract()
    {
        var told = SourceRow().Matches(Repository.Read("docs/cincopa-api.md")).Select(m => m.Groups[1].Value).ToHashSet();
        var cited = Files("*.cs", "src", "tests").Concat(Files("*.md", "docs", "src"))
            .SelectMany(file => Citation().Matches(File.ReadAllText(file)).SelectMany(m => Source().Matches(m.Groups[1].Value))
                .Select(m => (File: file, Id: m.Value)))
            .ToList();
        Assert.True(cited.Count > 50, $"only {cited.Count} citations were found");
        Assert.All(cited, citation => Assert.Contains(citation.Id, told));
    }

    [Fact]
    public void Each_link_of_a_document_leads_to_a_file_of_the_repository()
    {
        var links = Files("*.md", "docs", "src").Concat(Directory.EnumerateFiles(Repository.Root, "*.md"))
            .SelectMany(file => Link().Matches(File.ReadAllText(file)).Select(m => (File: file, Target: m.Groups[1].Value)))
            .Where(link => !link.Target.Contains("://", StringComparison.Ordinal) && link.Target != "…")
            .ToList();
        Assert.True(links.Count > 50, $"only {links.Count} links were found");
        Assert.All(links, link =>
            Assert.True(Path.Exists(Path.Combine(Path.GetDirectoryName(link.File)!, link.Target)), $"{link.File}: {link.Target}"));
    }

    [Theory]
    [InlineData("src/BulkImporter/BulkImporter.csproj", "bulkimporter", "bulkimporter")]
    [InlineData("src/Cincopa.Client/Cincopa.Client.csproj", "Cincopa.Client", null)]
    [InlineData("src/Cincopa.Simulator/Cincopa.Simulator.csproj", "Cincopa.Simulator", "cincopa-simulator")]
    public void Each_package_says_what_it_is(string project, string id, string? command)
    {
        var said = Properties(project).Concat(Properties("Directory.Build.props").Where(p => p.Name != "IsPackable"))
            .ToLookup(p => p.Name.LocalName, p => p.Value);
        Assert.Equal("true", Assert.Single(said["IsPackable"]));
        Assert.Equal(id, Assert.Single(said["PackageId"]));
        Assert.True(Assert.Single(said["Description"]).Length > 40);
        Assert.Equal("MIT", Assert.Single(said["PackageLicenseExpression"]));
        Assert.Equal("0.1.0", Assert.Single(said["Version"]));
        Assert.Equal(command, said["ToolCommandName"].SingleOrDefault());
        Assert.Equal(id.StartsWith("Cincopa", StringComparison.Ordinal) ? "README.md" : null, said["PackageReadmeFile"].SingleOrDefault());
    }

    /// <summary>
    /// The recipe copies what .dockerignore lets through: what a project names outside of src would be missing only there.
    /// </summary>
    [Fact]
    public void The_image_is_built_from_files_that_reach_the_engine()
    {
        var sent = Repository.Read(".dockerignore").Split('\n').Where(l => l.StartsWith('!')).Select(l => l[1..]).ToList();
        var named = Files("*.csproj", "src")
            .SelectMany(file => Outside().Matches(File.ReadAllText(file)).Select(m => m.Groups[1].Value)).Distinct().ToList();
        Assert.NotEmpty(named);
        Assert.All(named, file =>
            Assert.Contains(sent, prefix => file == prefix || file.StartsWith(prefix + "/", StringComparison.Ordinal)));
    }

    private static IEnumerable<XElement> Properties(string project) =>
        XDocument.Parse(Repository.Read(project)).Root!.Elements("PropertyGroup").Elements();

    private static IEnumerable<string> Files(string pattern, params string[] folders) =>
        folders.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), pattern, SearchOption.AllDirectories))
            .Where(file => !file.Contains("node_modules", StringComparison.Ordinal));

    [GeneratedRegex(@"^\| (S[0-9]+) \|", RegexOptions.Multiline)]
    private static partial Regex SourceRow();

    /// <summary>A mark with the sources after it, such as those of a fact that a third party's code shows (3P).</summary>
    [GeneratedRegex(@"\b(?:DOC|OWN|3P|INF)\b((?:[ -]S[0-9]+)+)")]
    private static partial Regex Citation();

    [GeneratedRegex("S[0-9]+")]
    private static partial Regex Source();

    [GeneratedRegex(@"\]\(([^)#\s]+)[^)]*\)")]
    private static partial Regex Link();

    [GeneratedRegex("Include=\"\\.\\./\\.\\./([^*\"]+?)/?(?:\\*[^\"]*)?\"")]
    private static partial Regex Outside();
}
