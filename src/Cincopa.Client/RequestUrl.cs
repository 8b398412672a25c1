using System.Runtime.CompilerServices;

namespace Cincopa.Client;

/// <summary>Builds a call's address: all arguments travel in the query string, for reads and writes (OWN S7-S10).</summary>
internal static class RequestUrl
{
    // Uri's own clean-up of path and query is off: what EscapeDataString wrote is what must arrive, and the work is saved.
    private static readonly UriCreationOptions Verbatim = new() { DangerousDisablePathAndQueryCanonicalization = true };

    /// <summary>Arguments whose value is null are left out.</summary>
    public static Uri For(CincopaAccess access, string operation, params ReadOnlySpan<(string Name, string? Value)> arguments)
    {
        var url = new DefaultInterpolatedStringHandler(0, 0, null, stackalloc char[512]);
        url.AppendLiteral(access.BaseUrl.AbsoluteUri);
        url.AppendLiteral(operation);
        url.AppendLiteral(".json?api_token=");
        url.AppendLiteral(Uri.EscapeDataString(access.ApiToken));
        foreach (var (name, value) in arguments)
        {
            if (value is null)
                continue;
            url.AppendLiteral("&");
            url.AppendLiteral(name);
            url.AppendLiteral("=");
            url.AppendLiteral(Uri.EscapeDataString(value));
        }

        return new Uri(url.ToStringAndClear(), Verbatim);
    }
}
