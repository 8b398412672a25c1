using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace BulkImporter.Accounts;

/// <summary>Tokens at rest: encrypted with the key ring that all processes share.</summary>
public sealed class ProtectToken(IDataProtectionProvider protection)
{
    private readonly IDataProtector protector = protection.CreateProtector("BulkImporter.Accounts.ApiToken");

    public string Protect(string token) => protector.Protect(token);

    /// <exception cref="CryptographicException">The key ring does not have the key that protected it.</exception>
    public string Unprotect(string tokenProtected) => protector.Unprotect(tokenProtected);
}
