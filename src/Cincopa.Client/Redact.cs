using System.Text;
using System.Text.RegularExpressions;

namespace Cincopa.Client;

/// <summary>
/// Makes a text from outside fit to be stored and shown: the account's token by its value, and, whatever their value, the
/// parameters that are secrets by their name: <c>api_token</c>, the hash of an upload address, the signature of a signed URL,
/// credentials in a URL. Plain, percent-encoded (also twice), JSON-escaped and HTML-escaped forms.
/// </summary>
public static partial class Redact
{
    /// <summary>What stands where a secret stood.</summary>
    public const string Mark = "***";

    private const int ShortestCutToken = 4;

    /// <summary>One line without secrets, at most <paramref name="maxLength"/> characters.</summary>
    /// <param name="text">May itself have been cut: the beginning of the token at its end goes too.</param>
    /// <param name="apiToken">The token that must not show.</param>
    /// <param name="maxLength">Length of the result at most.</param>
    public static string Line(string text, string apiToken, int maxLength)
    {
        text = WithoutToken(text, apiToken);
        var escaped = Uri.EscapeDataString(apiToken);
        if (escaped != apiToken)
            text = WithoutToken(text, escaped);
        text = OneLine(Secrets(text));
        return text.Length <= maxLength ? text : Cut(text, maxLength - 1) + "…";
    }

    /// <summary>The text without what is a secret by its name or place; line breaks stay.</summary>
    public static string Secrets(string text)
    {
        // The patterns are tried at each character, so a text without a sign that they end with is not given to them.
        if (text.AsSpan().ContainsAny('=', '"', '%')) text = SecretParameter().Replace(text, "$1" + Mark);
        if (text.AsSpan().ContainsAny('@', '%')) text = UrlCredentials().Replace(text, Mark + "@");
        return text;
    }

    private static string WithoutToken(string text, string token)
    {
        text = text.Replace(token, Mark, StringComparison.OrdinalIgnoreCase);
        for (var length = Math.Min(token.Length - 1, text.Length); length >= ShortestCutToken; length--)
        {
            if (text.AsSpan().EndsWith(token.AsSpan(0, length), StringComparison.OrdinalIgnoreCase))
                return string.Concat(text.AsSpan(0, text.Length - length), Mark);
        }

        return text;
    }

    private static string OneLine(string text)
    {
        var line = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            if (!char.IsControl(c) && !char.IsWhiteSpace(c))
                line.Append(c);
            else if (line.Length > 0 && line[^1] != ' ')
                line.Append(' ');
        }

        return line.ToString().TrimEnd();
    }

    private static string Cut(string text, int length) => text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)];

    /// <summary>
    /// The pattern of a parameter that is a secret by its name; its first group stays. Case does not count, white space in it neither.
    /// PostgreSQL reads it as .NET does, so that what a search looks at is what is shown.
    /// </summary>
    // $1 = what stays: the name with the sign after it. A name counts only at the start of a parameter, so that id=, width= stay.
    // `d` and `hash` belong to upload addresses (OWN S6), the others to S3, GCS, Azure, CloudFront, Akamai, other deliverers and OAuth.
    public const string SecretParameterPattern = """
        ((?: ^ | (?<=[\s?&;,"'(<>|]) | (?<=%(?:25)*(?:3F|26|3B|20)) | (?<=\\u0026) )
         (?: api_?token | access_?token | refresh_?token | token | hash | d | sig | signature
           | x-(?:amz|goog)-(?:signature|credential|security-token)
           | awsaccesskeyid | googleaccessid | key-pair-id | policy | hdnts | hdnea | __token__ | password | secret | client_secret
           | auth_?token | auth_?key | auth | rlkey | resourcekey | tempauth | api_?key | jwt | hmac | sign | md5 | passwd | pwd
           | wowzatokenhash | verify
           | x-[a-z]+-(?:token|signature) )
         (?: "\s*:\s*" | = | %(?:25)*3D ))
        (?: (?! %(?:25)*26 | \\u0026 ) [^&\s"'<>\\)] )+
        """;

    /// <summary>The pattern of a name and password in an address, with the sign behind them.</summary>
    public const string UrlCredentialsPattern =
        """(?<=://|%(?:25)*3A%(?:25)*2F%(?:25)*2F)(?:(?!%(?:25)*(?:2F|3F|40))[^/?#\s@"'<>])+(?:@|%(?:25)*40)""";

    [GeneratedRegex(SecretParameterPattern, RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex SecretParameter();

    [GeneratedRegex(UrlCredentialsPattern, RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex UrlCredentials();
}
