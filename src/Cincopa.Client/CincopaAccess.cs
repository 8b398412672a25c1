namespace Cincopa.Client;

/// <summary>Where and as whom to call. <see cref="ToString"/> never shows the token.</summary>
/// <param name="BaseUrl">Absolute http(s) address up to and with the version, e.g. <c>https://api.cincopa.com/v2/</c>;
/// a missing last slash is added. Credentials, a query or a fragment in it are refused.</param>
/// <param name="ApiToken">The account's token, sent as <c>api_token</c> with every call (DOC S2).</param>
/// <exception cref="ArgumentException">The address or the token cannot be used; the message repeats neither.</exception>
public sealed record CincopaAccess(Uri BaseUrl, string ApiToken)
{
    public Uri BaseUrl { get; } = Usable(BaseUrl);

    public string ApiToken { get; } = string.IsNullOrWhiteSpace(ApiToken)
        ? throw new ArgumentException("The API token is empty.", nameof(ApiToken))
        : ApiToken;

    /// <summary>
    /// How <c>upload_from_url</c> is called. Default GET, as every client that was seen to work calls it (3P S11); catalogues list POST (3P
    /// S16), and for other calls the verb was seen not to matter (OWN S7-S10).
    /// </summary>
    public SubmitVerb SubmitVerb { get; init; }

    public override string ToString() => $"{nameof(CincopaAccess)} {{ {nameof(BaseUrl)} = {BaseUrl} }}";

    private static Uri Usable(Uri url)
    {
        ArgumentNullException.ThrowIfNull(url);
        if (!url.IsAbsoluteUri || (url.Scheme != Uri.UriSchemeHttps && url.Scheme != Uri.UriSchemeHttp)
            || url.UserInfo.Length > 0 || url.Query.Length > 0 || url.Fragment.Length > 0)
        {
            throw new ArgumentException("The base address must be an absolute http or https URL without credentials, query and fragment.",
                nameof(url));
        }

        return url.AbsoluteUri.EndsWith('/') ? url : new Uri(url.AbsoluteUri + "/");
    }
}

/// <summary>The HTTP verb of a submit call.</summary>
public enum SubmitVerb
{
    Get,
    Post,
}
