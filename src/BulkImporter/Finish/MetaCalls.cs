using Cincopa.Client;

namespace BulkImporter.Finish;

/// <summary>
/// Cuts what is to be written into calls: all arguments travel in the query, whose length is limited (INF), and a field that is not sent
/// stays as it is, so several calls are as good as one.
/// </summary>
internal static class MetaCalls
{
    /// <param name="most">Percent-encoded characters of values in one call; the rest of the 2,048 is for names, token and rid.</param>
    /// <param name="tooLong">The fields that fit into no call, by name with their encoded length.</param>
    public static IReadOnlyList<AssetMeta> Of(AssetMeta meta, int most, out IReadOnlyList<(string Field, int Length)> tooLong)
    {
        (string Name, string? Value, Func<AssetMeta, string, AssetMeta> Set)[] fields =
        [
            ("reference_id", meta.ReferenceId, (m, v) => m with { ReferenceId = v }),
            ("caption", meta.Caption, (m, v) => m with { Caption = v }),
            ("tags", meta.Tags, (m, v) => m with { Tags = v }),
            ("description", meta.Description, (m, v) => m with { Description = v }),
            ("related_link_text", meta.RelatedLinkText, (m, v) => m with { RelatedLinkText = v }),
            ("related_link_url", meta.RelatedLinkUrl, (m, v) => m with { RelatedLinkUrl = v }),
            ("long_description", meta.LongDescription, (m, v) => m with { LongDescription = v }),
        ];
        var calls = new List<AssetMeta>();
        var unfit = new List<(string, int)>();
        var (call, used) = (new AssetMeta(), 0);
        foreach (var (name, value, set) in fields)
        {
            if (value is null) continue;
            var length = Uri.EscapeDataString(value).Length;
            if (length > most)
            {
                unfit.Add((name, length));
                continue;
            }
            if (used + length > most)
            {
                calls.Add(call);
                (call, used) = (new AssetMeta(), 0);
            }
            (call, used) = (set(call, value), used + length);
        }
        if (used > 0) calls.Add(call);
        tooLong = unfit;
        return calls;
    }
}
