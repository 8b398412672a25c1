using System.Text.RegularExpressions;
using BulkImporter.Data;
using Microsoft.AspNetCore.DataProtection;
using MimeKit;
using Npgsql;

namespace BulkImporter.Notify;

/// <summary>Signing secrets at rest: encrypted with the key ring that all processes share.</summary>
public sealed class ProtectSecret(IDataProtectionProvider protection)
{
    private readonly IDataProtector protector = protection.CreateProtector("BulkImporter.Notify.SigningSecret");

    public string Protect(string secret) => protector.Protect(secret);

    /// <exception cref="System.Security.Cryptography.CryptographicException">The key ring does not have the key that protected it.</exception>
    public string Unprotect(string secretProtected) => protector.Unprotect(secretProtected);
}

/// <summary>What a target's address says of how it is reached.</summary>
internal static class Target
{
    public const string Mail = "mailto:";

    /// <summary>The mail address; null when notifications are posted to it.</summary>
    public static string? MailOf(string url) => url.StartsWith(Mail, StringComparison.OrdinalIgnoreCase) ? url[Mail.Length..] : null;
}

/// <summary>A target without its secret.</summary>
public sealed record TargetView(string Name, string Url, DateTimeOffset CreatedAt);

/// <param name="Secret">Shown once, here; it cannot be read again. Null for a mail address: mails are not signed.</param>
public sealed record MadeTarget(string Name, string Url, string? Secret)
{
    public override string ToString() => $"{nameof(MadeTarget)} {{ {nameof(Name)} = {Name} }}";
}

/// <summary>Adds and removes the addresses that notifications are posted to.</summary>
public sealed partial class ChangeTargets(NpgsqlDataSource database, ProtectSecret secrets)
{
    private const int LongestUrl = 2000;

    private const string Add = """
        WITH added AS (
            INSERT INTO importer.notification_target (name, url, secret_protected, created_at) VALUES ($1, $2, $3, now()) ON CONFLICT (name) DO NOTHING RETURNING name
        ), noted AS (
            INSERT INTO importer.audit_entry (at, actor, action, detail) SELECT now(), $4, 'target_added', name FROM added
        )
        SELECT name FROM added
        """;

    private const string Remove = """
        WITH removed AS (DELETE FROM importer.notification_target WHERE name = $1 RETURNING name)
        INSERT INTO importer.audit_entry (at, actor, action, detail) SELECT now(), $2, 'target_removed', name FROM removed
        """;

    /// <summary>Null when there is a target of this name already.</summary>
    /// <exception cref="InvalidArgumentException">Name or address cannot be used.</exception>
    public async Task<MadeTarget?> AddAsync(string name, string url, string actor, CancellationToken cancellationToken)
    {
        if (!Name().IsMatch(name)) throw new InvalidArgumentException("name", "A name has 1 to 64 letters, digits, dots, dashes or underscores, and begins with a letter or digit.");
        if (Target.MailOf(url) is { } mail)
        {
            if (url.Length > LongestUrl || mail.Contains('?', StringComparison.Ordinal) || !MailboxAddress.TryParse(mail, out var mailbox) || !mailbox.Address.Contains('@', StringComparison.Ordinal))
                throw new InvalidArgumentException("url", $"'{mail}' is no mail address; for example: mailto:ops@example.com.");
            return await KeepAsync(name, Target.Mail + mailbox.Address, "", actor, cancellationToken) ? new MadeTarget(name, Target.Mail + mailbox.Address, null) : null;
        }
        if (url.Length > LongestUrl || !Uri.TryCreate(url, UriKind.Absolute, out var address)
            || (address.Scheme != Uri.UriSchemeHttps && address.Scheme != Uri.UriSchemeHttp) || address.UserInfo.Length > 0 || address.Fragment.Length > 0)
        {
            throw new InvalidArgumentException("url", $"The address must be an absolute http or https URL of at most {LongestUrl} characters, without credentials and fragment, or a mail address after mailto:.");
        }
        var secret = Signature.NewSecret();
        return await KeepAsync(name, address.AbsoluteUri, secret, actor, cancellationToken) ? new MadeTarget(name, address.AbsoluteUri, secret) : null;
    }

    private async Task<bool> KeepAsync(string name, string url, string secret, string actor, CancellationToken cancellationToken) =>
        await database.QueryAsync(Add, r => r.GetString(0), cancellationToken, name, url, secrets.Protect(secret), actor) is [_];

    /// <summary>False when there is no target of this name. What was on its way to it is not delivered any more.</summary>
    public async Task<bool> RemoveAsync(string name, string actor, CancellationToken cancellationToken) =>
        await database.ExecuteAsync(Remove, cancellationToken, name, actor) == 1;

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z")]
    private static partial Regex Name();
}
