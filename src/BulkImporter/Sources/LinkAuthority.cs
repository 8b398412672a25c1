namespace BulkImporter.Sources;

/// <summary>
/// What of an address only authorises the call, or says when that ends, and so does not say which file is meant. A list that is exported
/// anew has the same files under other signatures; <see cref="SourceKey"/> leaves these parts out. When a link runs out, is for
/// <see cref="SignedLink"/> to say.
/// </summary>
/// <remarks>
/// A form that has names of its own (<c>X-Amz-Signature</c>) is known by them, on any host. One whose names others use for other things
/// (<c>token</c>) counts only where the path itself ends like a media file, or on the host that documents it: two files must never become
/// one. After a change of the rules <see cref="SourceKey.Generation"/> is raised.
/// </remarks>
internal static class LinkAuthority
{
    /// <param name="Proof">A link is of this form when it has all of these.</param>
    /// <param name="Parts">What else belongs to the signature. A name that ends in * stands for all that begin so.</param>
    /// <param name="NeedsName">Only where the path ends like a media file.</param>
    private sealed record Form(string[] Proof, string[] Parts, bool NeedsName = false);

    /// <param name="Domain">The last two labels of the host.</param>
    /// <param name="Hosts">The hosts; none for all of the domain.</param>
    /// <param name="Paths">What the path begins with, for it then names the file.</param>
    /// <param name="Parts">What authorises there, or says how the file is shown.</param>
    private sealed record Site(string Domain, string[] Hosts, string[] Paths, string[] Parts);

    private static readonly string[] Sas =
    [
        "ss", "srt", "sp", "st", "se", "spr", "sip", "si", "sr", "skoid", "sktid", "skt", "ske", "sks", "skv", "saoid", "suoid", "scid",
        "sdd", "ses",
    ];

    private static readonly Form[] Forms =
    [
        // Amazon S3, version 4, and what speaks its language (R2, B2, Wasabi, Spaces, MinIO). x-id names the operation.
        new(["X-Amz-Signature"], ["X-Amz-*", "x-id"]),
        // Amazon S3, version 2.
        new(["AWSAccessKeyId", "Signature"], ["Expires", "x-amz-security-token"]),
        // CloudFront, canned and custom policies.
        new(["Key-Pair-Id", "Signature"], ["Expires", "Policy"]),
        // Google Cloud Storage, version 4 and version 2.
        new(["X-Goog-Signature"], ["X-Goog-*"]),
        new(["GoogleAccessId", "Signature"], ["Expires"]),
        // Azure's shared access signatures, for one thing and for an account.
        new(["sig", "sv", "sr"], Sas),
        new(["sig", "sv", "ss"], Sas),
        // Alibaba Cloud OSS, both versions. x-oss-process stays: it says what is made of the file.
        new(["OSSAccessKeyId", "Signature"], ["Expires", "security-token"]),
        new(["x-oss-signature"], ["x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-expires", "x-oss-additional-headers",
            "x-oss-security-token"]),
        // Tencent Cloud COS and Huawei Cloud OBS.
        new(["q-signature"], ["q-sign-algorithm", "q-ak", "q-sign-time", "q-key-time", "q-header-list", "q-url-param-list",
            "x-cos-security-token"]),
        new(["AccessKeyId", "Signature"], ["Expires", "x-obs-security-token"]),
        // OpenStack Swift's temporary URLs.
        new(["temp_url_sig", "temp_url_expires"], ["temp_url_prefix", "temp_url_ip_range"]),
        // Akamai's tokens under their usual names.
        new(["hdnts"], []), new(["hdnea"], []), new(["hdntl"], []), new(["__token__"], []), new(["__gda__"], []),
        // Bunny, KeyCDN, JW Player, and sites that sign links themselves.
        new(["token", "expires"], ["token_path", "token_countries", "token_countries_blocked"], NeedsName: true),
        new(["token", "expire"], [], NeedsName: true),
        new(["sig", "exp"], [], NeedsName: true),
        new(["Signature", "Expires"], [], NeedsName: true),
    ];

    private static readonly Site[] Sites =
    [
        new("dropbox.com", ["dropbox.com", "www.dropbox.com", "dl.dropbox.com"], ["/s/", "/scl/fi/", "/scl/fo/", "/sh/"],
            ["dl", "raw", "st", "rlkey"]),
        new("dropboxusercontent.com", ["dl.dropboxusercontent.com"], ["/s/", "/scl/fi/", "/scl/fo/", "/sh/"], ["dl", "raw", "st", "rlkey"]),
        new("google.com", ["drive.google.com", "docs.google.com"], ["/uc", "/open", "/file/d/"],
            ["confirm", "uuid", "at", "resourcekey", "usp", "authuser"]),
        new("google.com", ["drive.usercontent.google.com"], ["/download"], ["confirm", "uuid", "at", "resourcekey", "authuser"]),
        new("googleapis.com", ["firebasestorage.googleapis.com"], ["/v0/b/"], ["token"]),
        new("vimeo.com", ["player.vimeo.com"], ["/external/", "/progressive_redirect/", "/play/"],
            ["s", "signature", "oauth2_token_id", "expires"]),
        // The path names the file of a Wistia medium.
        new("wistia.com", [], ["/deliveries/"], ["token", "expires", "signature"]),
        new("mux.com", ["stream.mux.com"], ["/"], ["token"]),
        new("zoom.us", [], ["/rec/download/"], ["access_token"]),
        new("sharepoint.com", [], ["/"], ["tempauth"]),
    ];

    // Bits: of each proof, and of each form or site whose part a name is. The names are few enough for both.
    private static readonly Dictionary<string, Meaning> Names = new(StringComparer.Ordinal);
    private static readonly List<(string Prefix, ulong Of)> Prefixes = [];
    private static readonly ulong[] Proofs = new ulong[Forms.Length];
    private static readonly Dictionary<string, Meaning>.AlternateLookup<ReadOnlySpan<char>> Lookup;
    private static readonly ByDomain<Site[]> SitesOf = new(Sites.GroupBy(s => s.Domain).ToDictionary(g => g.Key, g => g.ToArray()));
    private static readonly int LongestName;

    private readonly record struct Meaning(ulong Proves, ulong PartOf);

    static LinkAuthority()
    {
        var proof = 0;
        for (var form = 0; form < Forms.Length; form++)
        {
            foreach (var name in Forms[form].Proof)
            {
                Proofs[form] |= 1UL << proof;
                Mean(name, new(1UL << proof++, 1UL << form));
            }
            foreach (var name in Forms[form].Parts) Mean(name, new(0, 1UL << form));
        }
        for (var site = 0; site < Sites.Length; site++)
        {
            foreach (var name in Sites[site].Parts) Mean(name, new(0, 1UL << (Forms.Length + site)));
        }
        LongestName = Names.Keys.Max(n => n.Length);
        Lookup = Names.GetAlternateLookup<ReadOnlySpan<char>>();

        static void Mean(string name, Meaning meaning)
        {
            name = name.ToLowerInvariant();
            if (name.EndsWith('*'))
            {
                Prefixes.Add((name[..^1], meaning.PartOf));
                return;
            }
            var known = Names.GetValueOrDefault(name);
            Names[name] = new(known.Proves | meaning.Proves, known.PartOf | meaning.PartOf);
        }
    }

    /// <summary>Which forms and sites a link is of; 0 for one of which every parameter counts.</summary>
    /// <param name="host">In lower case.</param>
    /// <param name="query">As written, not empty.</param>
    public static ulong Of(ReadOnlySpan<byte> host, ReadOnlySpan<byte> path, ReadOnlySpan<byte> query)
    {
        var proven = 0UL;
        var parts = 0UL;
        foreach (var part in query.Split((byte)'&'))
        {
            var meaning = MeaningOf(query[part]);
            proven |= meaning.Proves;
            parts |= meaning.PartOf;
        }
        if (parts == 0)
            return 0;

        var of = 0UL;
        for (var form = 0; form < Forms.Length; form++)
        {
            if ((proven & Proofs[form]) == Proofs[form] && (!Forms[form].NeedsName || MediaHints.IsMediaName(path)))
                of |= 1UL << form;
        }
        return of | parts & SitesAt(host, path);
    }

    /// <summary>Whether a parameter is left out of a link of these forms and sites.</summary>
    public static bool IsLeftOut(ReadOnlySpan<byte> parameter, ulong of) => (MeaningOf(parameter).PartOf & of) != 0;

    /// <summary>A part of a path that is a token: Akamai's, as Vimeo has it (<c>exp=…~hmac=…</c>), and Bunny's.</summary>
    public static bool IsToken(ReadOnlySpan<byte> segment) =>
        segment.StartsWith("bcdn_token="u8) || (segment.StartsWith("exp="u8) && segment.IndexOf("~hmac="u8) > 0);

    /// <summary>Whether a path may have a token in it, quickly false for nearly all.</summary>
    public static bool MayHoldToken(ReadOnlySpan<byte> path) => path.IndexOf("~hmac="u8) >= 0 || path.IndexOf("bcdn_token="u8) >= 0;

    private static Meaning MeaningOf(ReadOnlySpan<byte> parameter)
    {
        var mark = parameter.IndexOf((byte)'=');
        var name = mark < 0 ? parameter : parameter[..mark];
        Span<char> text = stackalloc char[64];
        if (name.IsEmpty || name.Length > text.Length)
            return default;
        for (var index = 0; index < name.Length; index++)
            text[index] = (char)(name[index] is >= (byte)'A' and <= (byte)'Z' ? name[index] | 0x20 : name[index]);
        text = text[..name.Length];
        if (name.Length <= LongestName && Lookup.TryGetValue(text, out var meaning))
            return meaning with { PartOf = meaning.PartOf | ByPrefix(text) };
        return new(0, ByPrefix(text));
    }

    private static ulong ByPrefix(ReadOnlySpan<char> name)
    {
        if (!name.StartsWith("x-"))
            return 0;
        var of = 0UL;
        foreach (var (prefix, form) in Prefixes)
        {
            if (name.StartsWith(prefix))
                of |= form;
        }
        return of;
    }

    private static ulong SitesAt(ReadOnlySpan<byte> host, ReadOnlySpan<byte> path)
    {
        if (SitesOf.Of(host) is not { } sites)
            return 0;
        var text = Encoding.UTF8.GetString(path);
        var whole = Encoding.ASCII.GetString(host);
        var of = 0UL;
        foreach (var site in sites)
        {
            if ((site.Hosts.Length == 0 || site.Hosts.Contains(whole))
                && Array.Exists(site.Paths, p => text.StartsWith(p, StringComparison.Ordinal)))
                of |= 1UL << (Forms.Length + Array.IndexOf(Sites, site));
        }
        return of;
    }
}
