using BulkImporter.Access;
using Microsoft.AspNetCore.DataProtection;
using MimeKit;

namespace BulkImporter.Notify;

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
public sealed class ChangeTargets(IDbContextFactory<ImporterDb> contexts, IDataProtectionProvider protection, TimeProvider clock)
{
    private const int LongestUrl = 2000;

    private readonly IDataProtector secrets = protection.CreateProtector(Signature.SecretsAtRest);

    /// <summary>Null when there is a target of this name already.</summary>
    /// <exception cref="InvalidArgumentException">Name or address cannot be used.</exception>
    public async Task<MadeTarget?> AddAsync(string name, string url, string actor, CancellationToken cancellationToken)
    {
        PlainText.RequireName(name);
        if (Target.MailOf(url) is { } mail)
        {
            if (url.Length > LongestUrl || mail.Contains('?', StringComparison.Ordinal) || !MailboxAddress.TryParse(mail, out var mailbox)
                || !mailbox.Address.Contains('@', StringComparison.Ordinal))
                throw new InvalidArgumentException("url", $"'{mail}' is not an email address; for example: mailto:ops@example.com.");
            return await KeepAsync(new(name, Target.Mail + mailbox.Address, null), actor, cancellationToken);
        }
        if (url.Length > LongestUrl || !Uri.TryCreate(url, UriKind.Absolute, out var address)
            || (address.Scheme != Uri.UriSchemeHttps && address.Scheme != Uri.UriSchemeHttp) || address.UserInfo.Length > 0
                || address.Fragment.Length > 0)
        {
            throw new InvalidArgumentException("url",
                $"The address must be an absolute http or https URL of at most {LongestUrl} characters, without credentials and "
                    + "fragment, or a mail address after mailto:.");
        }
        return await KeepAsync(new(name, address.AbsoluteUri, Signature.NewSecret()), actor, cancellationToken);
    }

    private Task<MadeTarget?> KeepAsync(MadeTarget made, string actor, CancellationToken cancellationToken) =>
        contexts.ChangeAsync(async db =>
    {
        if (await db.Set<NotificationTarget>().AnyAsync(t => t.Name == made.Name, cancellationToken)) return null;
        var secret = secrets.Protect(made.Secret ?? "");
        db.Add(new NotificationTarget { Name = made.Name, Url = made.Url, SecretProtected = secret, CreatedAt = clock.GetUtcNow() });
        db.Note(actor, "target_added", made.Name);
        await db.SaveChangesAsync(cancellationToken);
        return made;
    }, cancellationToken);

    /// <summary>False when there is no target of this name. What was on its way to it is not delivered any more.</summary>
    public Task<bool> RemoveAsync(string name, string actor, CancellationToken cancellationToken) => contexts.ChangeAsync(async db =>
    {
        if (await db.Set<NotificationTarget>().SingleOrDefaultAsync(t => t.Name == name, cancellationToken) is not { } target) return false;
        db.Remove(target);
        db.Note(actor, "target_removed", name);
        await db.SaveChangesAsync(cancellationToken);
        return true;
    }, cancellationToken);
}
