using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using BulkImporter.Accounts;
using BulkImporter.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace BulkImporter.Tests.Hosting;

public sealed class KeyRingTests(ImporterDatabase database) : IClassFixture<ImporterDatabase>, IDisposable
{
    private const string Password = "opens the private key";

    private readonly string folder = Directory.CreateTempSubdirectory("keyring").FullName;

    [Theory]
    [InlineData("first.pem", null)]
    [InlineData("first.pem", Password)]
    [InlineData("first.pfx", Password)]
    public async Task With_a_certificate_the_database_alone_opens_no_token_and_a_new_certificate_opens_what_the_former_closed(
        string name, string? password)
    {
        await database.SqlAsync("DELETE FROM importer.data_protection_key");
        var first = Certificate(name, password);
        var closed = Open(tokens => tokens.Protect("1000001isecret"), first, password);

        Assert.DoesNotContain("<value>", await database.OneAsync<string>("SELECT string_agg(xml, ' ') FROM importer.data_protection_key"),
            StringComparison.Ordinal);
        Assert.Equal("1000001isecret", Open(tokens => tokens.Unprotect(closed), first, password));
        Assert.ThrowsAny<CryptographicException>(() => Open(tokens => tokens.Unprotect(closed), null, null));
        var next = Certificate("next.pem", password);
        Assert.ThrowsAny<CryptographicException>(() => Open(tokens => tokens.Unprotect(closed), next, password));
        Assert.Equal("1000001isecret", Open(tokens => tokens.Unprotect(closed), $"{next}, {first}", password));
    }

    [Fact]
    public void A_certificate_that_cannot_be_used_keeps_the_server_from_starting_and_is_named()
    {
        var missing = Path.Combine(folder, "missing.pem");
        Assert.Contains(missing, Assert.Throws<StartupException>(() => Open(_ => "", missing, null)).Message, StringComparison.Ordinal);
        var locked = Certificate("locked.pfx", Password);
        Assert.Contains("CertificatePassword", Assert.Throws<StartupException>(() => Open(_ => "", locked, "wrong")).Message,
            StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Certificate(string name, string? password)
    {
        using var key = RSA.Create(2048);
        using var made = new CertificateRequest("CN=keys", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
        var path = Path.Combine(folder, name);
        if (name.EndsWith(".pfx", StringComparison.Ordinal)) File.WriteAllBytes(path, made.Export(X509ContentType.Pkcs12, password));
        else File.WriteAllText(path,
            $"{made.ExportCertificatePem()}\n{(password is null ? key.ExportPkcs8PrivateKeyPem() : key.ExportEncryptedPkcs8PrivateKeyPem(password, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000)))}\n");
        return path;
    }

    /// <summary>As a process that starts with these settings.</summary>
    private string Open(Func<ProtectToken, string> use, string? certificates, string? password)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            [KeyRing.CertificatesKey] = certificates,
            [KeyRing.PasswordKey] = password,
        }).Build();
        using var services = new ServiceCollection().AddLogging().AddSingleton<IConfiguration>(configuration)
            .AddImporter(database.ConnectionString).ProtectKeyRing(configuration).BuildServiceProvider();
        return use(services.GetRequiredService<ProtectToken>());
    }
}
