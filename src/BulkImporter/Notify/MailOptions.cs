using System.ComponentModel.DataAnnotations;

namespace BulkImporter.Notify;

/// <summary>How mails leave.</summary>
public enum MailSecurity
{
    /// <summary>Encrypted once connected, or not at all sent. Port 587.</summary>
    StartTls,

    /// <summary>Encrypted from the beginning. Port 465.</summary>
    Tls,

    /// <summary>In the clear, for a relay on this machine or network. Port 25.</summary>
    None,
}

/// <summary>The server that takes the mails of targets like <c>mailto:ops@example.com</c>.</summary>
public sealed class MailOptions
{
    public const string Section = "BulkImporter:Mail";

    /// <summary>The SMTP server. Not set: no mail is sent, and deliveries say so.</summary>
    public string? Host { get; set; }

    /// <summary>Its port.</summary>
    [Range(1, 65535)]
    public int Port { get; set; } = 587;

    /// <summary>
    /// How mails leave: encrypted once connected (<c>StartTls</c>), from the beginning (<c>Tls</c>, port 465), or in the clear for a relay
    /// nearby (<c>None</c>).
    /// </summary>
    public MailSecurity Security { get; set; } = MailSecurity.StartTls;

    /// <summary>Whom the mails come from: <c>Imports &lt;imports@example.com&gt;</c>.</summary>
    public string? From { get; set; }

    /// <summary>Who signs in there; not set: nobody does.</summary>
    public string? UserName { get; set; }

    /// <summary>A secret: best from a file.</summary>
    public string? Password { get; set; }
}
