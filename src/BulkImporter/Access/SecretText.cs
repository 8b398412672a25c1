using System.Buffers.Text;
using System.Security.Cryptography;

namespace BulkImporter.Access;

/// <summary>Secrets that we hand out once and keep only as a hash.</summary>
internal static class SecretText
{
    /// <summary>256 random bits, safe in a URL.</summary>
    public static string New() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    public static byte[] Hash(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));
}
