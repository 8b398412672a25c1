using System.Text;
using BulkImporter.Manifests;
using BulkImporter.Sources;

namespace BulkImporter.Tests;

/// <summary>What the product does with the bytes of URLs, for those that are strings.</summary>
internal static class UrlsAsText
{
    extension(SourceKey)
    {
        /// <summary>What the key of a URL is made of.</summary>
        public static string Normalise(string url)
        {
            var bytes = CellText.Trim(Encoding.UTF8.GetBytes(url));
            var normalised = new byte[3 * bytes.Length + 1];
            var length = SourceKey.WriteNormalised(bytes, normalised, out var direct);
            return direct is not null ? SourceKey.Normalise(direct) : Encoding.UTF8.GetString(normalised, 0, length);
        }
    }

    /// <summary>The problems of a URL, with white space around it ignored.</summary>
    public static IReadOnlyList<FindingCode> Check(this SourceUrlRules rules, string url, DateTimeOffset now)
    {
        var problems = new FindingCode[SourceUrlRules.MaxProblems];
        return problems[..rules.Check(Encoding.UTF8.GetBytes(url.Trim()), now, problems)];
    }
}
