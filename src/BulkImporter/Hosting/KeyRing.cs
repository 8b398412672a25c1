using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.DataProtection;

namespace BulkImporter.Hosting;

/// <summary>A certificate that encrypts the keys in the database, so that a dump alone opens nothing.</summary>
public sealed class KeyRingOptions
{
    public const string Section = "BulkImporter:KeyRing";

    /// <summary>
    /// Files, separated by commas, each with an RSA certificate and its private key: PEM, or PKCS #12 if it is called .pfx or .p12. Keys
    /// are encrypted with the first; the others are old ones, whose keys can still be read. Every process needs the same.
    /// </summary>
    public string? Certificates { get; set; }

    /// <summary>The password of the private keys in all these files; not set if they need none. A secret: best kept in a file.</summary>
    public string? CertificatePassword { get; set; }
}

/// <summary>
/// The keys that encrypt tokens and cookies stand in the database. With a certificate they stand there encrypted to it, and a dump of the
/// database alone opens nothing. Without one (the default) they stand there as they are.
/// </summary>
internal static class KeyRing
{
    public const string CertificatesKey = $"{KeyRingOptions.Section}:{nameof(KeyRingOptions.Certificates)}";
    public const string PasswordKey = $"{KeyRingOptions.Section}:{nameof(KeyRingOptions.CertificatePassword)}";

    /// <exception cref="StartupException">A file cannot be read, or holds no RSA certificate with its private key.</exception>
    public static IServiceCollection ProtectKeyRing(this IServiceCollection services, IConfiguration configuration)
    {
        var settings = configuration.GetSection(KeyRingOptions.Section).Get<KeyRingOptions>() ?? new();
        var files = (settings.Certificates ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (files.Length == 0) return services;
        var certificates = files.Select(file => Load(file, settings.CertificatePassword)).ToArray();
        // The first opens what it closed, also where the machine's own store of certificates does not know it.
        services.AddDataProtection().ProtectKeysWithCertificate(certificates[0]).UnprotectKeysWithAnyCertificate(certificates);
        return services;
    }

    private static X509Certificate2 Load(string path, string? password)
    {
        try
        {
            var certificate = Path.GetExtension(path).ToUpperInvariant() is ".PFX" or ".P12"
                ? X509CertificateLoader.LoadPkcs12FromFile(path, password)
                : string.IsNullOrEmpty(password) ? X509Certificate2.CreateFromPemFile(path)
                : X509Certificate2.CreateFromEncryptedPemFile(path, password);
            using var key = certificate.GetRSAPrivateKey();
            return key is not null
                ? certificate
                    : throw new StartupException(
                        $"{CertificatesKey}: '{path}' has no RSA private key. Give it a certificate with an RSA key, and that key.");
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new StartupException(
                $"{CertificatesKey}: '{path}' cannot be used: {e.Message.TrimEnd('.')}. It must have a certificate and private key in PEM, "
                    + $"or be a .pfx file; its password is {PasswordKey}.");
        }
    }
}
