using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Cincopa.Simulator.Remote;

/// <summary>
/// A temporary token that its holder made from a parent without asking (V3, OWN): <c>ACCOUNTi3LAST4</c> and, in base64url, a salt, an IV
/// and what AES-256-CBC made of <c>expiry!pPERMISSIONS!iADDRESS…</c> under the key that HKDF-SHA256 derives from parent and salt. Expiry,
/// permissions and source address are obeyed; the limits to an asset, a gallery or a host are read over.
/// </summary>
internal static class OfflineToken
{
    private const int Salt = 16, Iv = 16, Key = 32;

    /// <summary>What the token may do by the parent that it names; null when no parent opens it.</summary>
    public static TokenGrant? Read(string token, IEnumerable<TokenGrant> parents)
    {
        var mark = token.IndexOf("i3", StringComparison.Ordinal);
        if (mark < 1 || token.Length <= mark + 6 || token.AsSpan(0, mark).ContainsAnyExceptInRange('0', '9'))
            return null;
        var (account, last4, sealedText) = (token[..(mark + 1)], token[(mark + 2)..(mark + 6)], token[(mark + 6)..]);
        foreach (var parent in parents)
        {
            if (parent.Token.StartsWith(account, StringComparison.Ordinal) && parent.Token.EndsWith(last4, StringComparison.Ordinal)
                && Open(parent.Token, sealedText) is { } text)
                return Grant(parent, token, text);
        }

        return null;
    }

    private static string? Open(string parent, string sealedText)
    {
        try
        {
            var bytes = System.Buffers.Text.Base64Url.DecodeFromChars(sealedText);
            if (bytes.Length <= Salt + Iv)
                return null;
            using var aes = Aes.Create();
            aes.Key = HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(parent), Key, salt: bytes[..Salt]);
            return Encoding.UTF8.GetString(aes.DecryptCbc(bytes.AsSpan(Salt + Iv), bytes.AsSpan(Salt, Iv)));
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            return null;
        }
    }

    private static TokenGrant? Grant(TokenGrant parent, string token, string text)
    {
        var parts = text.Split('!');
        if (!DateTimeOffset.TryParse(parts[0], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var expiresAt))
            return null;
        return parent.For(token, Part('p'), expiresAt, Part('i'));

        string? Part(char mark) => parts.Skip(1).FirstOrDefault(part => part.StartsWith(mark)) is { } part ? part[1..] : null;
    }
}
