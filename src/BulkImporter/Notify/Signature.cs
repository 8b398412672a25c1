using System.Security.Cryptography;

namespace BulkImporter.Notify;

/// <summary>Signs as the Standard Webhooks specification has it, so that receivers find a library for it in their language.</summary>
public static class Signature
{
    /// <summary>What secrets are encrypted for where they are kept, with the key ring that all processes share.</summary>
    internal const string SecretsAtRest = "BulkImporter.Notify.SigningSecret";

    private const string SecretPrefix = "whsec_";
    private const int SecretBytes = 32;

    public static string NewSecret() => SecretPrefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(SecretBytes));

    /// <summary><c>v1,</c> and the base64 of HMAC-SHA256 over <c>ID.TIMESTAMP.BODY</c>.</summary>
    /// <param name="id">The same with every try of a notification.</param>
    /// <param name="timestamp">Of this try, in seconds since 1970.</param>
    /// <param name="body">The very text that is sent.</param>
    public static string Of(string secret, string id, long timestamp, string body)
    {
        var key = Convert.FromBase64String(secret[SecretPrefix.Length..]);
        return "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{id}.{timestamp}.{body}")));
    }
}
