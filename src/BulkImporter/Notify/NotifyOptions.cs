using System.ComponentModel.DataAnnotations;

namespace BulkImporter.Notify;

/// <summary>Settings under <c>BulkImporter:Notify</c>.</summary>
public sealed class NotifyOptions
{
    public const string Section = "BulkImporter:Notify";

    /// <summary>How long a target may take to answer. Default 15 s.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>The wait after the first failed try; it doubles with each. Default 10 s.</summary>
    public TimeSpan RetryBase { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest wait between two tries. Default 1 h.</summary>
    public TimeSpan RetryCap { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Tries after which a delivery is given up; a person may replay it. Default 20, which is about half a day.</summary>
    [Range(1, 1000)]
    public int MostTries { get; set; } = 20;

    /// <summary>How long notifications are kept. Default 30 days.</summary>
    public TimeSpan KeepFor { get; set; } = TimeSpan.FromDays(30);

    /// <summary>The address at which people open these pages, as in <c>https://imports.example/</c>: notifications then link to their import. Default none.</summary>
    public Uri? PageBaseUrl { get; set; }
}

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

/// <summary>Settings under <c>BulkImporter:Mail</c>: the server that takes the mails of targets like <c>mailto:ops@example.com</c>.</summary>
public sealed class MailOptions
{
    public const string Section = "BulkImporter:Mail";

    /// <summary>The SMTP server. Without it no mail is sent, and deliveries say so.</summary>
    public string? Host { get; set; }

    /// <summary>Default 587.</summary>
    [Range(1, 65535)]
    public int Port { get; set; } = 587;

    public MailSecurity Security { get; set; } = MailSecurity.StartTls;

    /// <summary>Whom the mails come from: <c>Imports &lt;imports@example.com&gt;</c>.</summary>
    public string? From { get; set; }

    /// <summary>Null signs in nowhere.</summary>
    public string? UserName { get; set; }

    /// <summary>A secret: best from a file.</summary>
    public string? Password { get; set; }
}
