using MailKit.Security;

namespace BulkImporter.Notify;

/// <summary>The server that sends email to targets like <c>mailto:ops@example.com</c>.</summary>
public sealed class MailOptions
{
    public const string Section = "BulkImporter:Mail";

    private const string InTheClear = "?starttls=never";

    /// <summary>
    /// The SMTP server, as in <c>smtp://imports:secret@mail.example.com:587</c>, with user name and password, if it needs them: encrypted
    /// once connected, or not sent at all. <c>smtps://</c> is encrypted from the start (port 465), and <c>smtp://…:25/?starttls=never</c>
    /// is unencrypted, for a relay nearby. Not set: no email is sent, and deliveries say so. A secret: best kept in a file.
    /// </summary>
    public Uri? Server { get; set; }

    /// <summary>The sender of the emails: <c>Imports &lt;imports@example.com&gt;</c>.</summary>
    public string? From { get; set; }

    /// <summary>Whether the server's address is one that we understand, or is not set.</summary>
    internal bool IsServerClear => Server is null
        || Server is { IsAbsoluteUri: true, Scheme: "smtp" or "smtps", Host.Length: > 0, AbsolutePath: "" or "/", Fragment: "" }
            && (Server.Query.Length == 0 || Server is { Scheme: "smtp", Query: InTheClear });

    internal int Port => Server switch
    {
        { IsDefaultPort: false } server => server.Port,
        { Scheme: "smtps" } => 465,
        _ => 587,
    };

    internal SecureSocketOptions Security => Server switch
    {
        { Scheme: "smtps" } => SecureSocketOptions.SslOnConnect,
        { Query: InTheClear } => SecureSocketOptions.None,
        _ => SecureSocketOptions.StartTls,
    };

    /// <summary>Who signs in; null when nobody does.</summary>
    internal (string Name, string Password)? SignIn
    {
        get
        {
            if (Server is not { UserInfo.Length: > 0 } server) return null;
            var parts = server.UserInfo.Split(':', 2);
            return (Uri.UnescapeDataString(parts[0]), parts.Length == 2 ? Uri.UnescapeDataString(parts[1]) : "");
        }
    }
}
