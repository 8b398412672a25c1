using System.Net.Sockets;
using System.Text.Json;
using Cincopa.Client;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace BulkImporter.Notify;

/// <summary>One mail to a target whose address is <c>mailto:</c>: the notification in words, with the links to its import.</summary>
public sealed class MailNotification(IOptions<MailOptions> options, DeliveryPace pace, TimeProvider clock)
{
    private const int LongestProblem = 300;

    /// <summary>Null when the mail server took it; otherwise why it did not, for people.</summary>
    /// <param name="address">Whom it goes to, without <c>mailto:</c>.</param>
    /// <param name="id">The same with every try of a notification, and so is the mail's id.</param>
    /// <param name="body">A <see cref="NotificationBody"/> as JSON.</param>
    public async Task<string?> RunAsync(string address, string id, string body, CancellationToken cancellationToken)
    {
        var mail = options.Value;
        if (mail.Server is not { } server || mail.From is not { Length: > 0 } from)
            return $"No mail server is set: {MailOptions.Section}:Server and :From.";
        using var message = Compose(from, address, id, body);
        using var timer = new CancellationTokenSource(pace.Timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        try
        {
            using var smtp = new SmtpClient();
            await smtp.ConnectAsync(server.Host, mail.Port, mail.Security, either.Token);
            if (mail.SignIn is var (name, password)) await smtp.AuthenticateAsync(name, password, either.Token);
            await smtp.SendAsync(message, either.Token);
            // It is taken. Leaving without goodbye is allowed, and cannot fail any more.
            return null;
        }
        catch (Exception e) when (Problem(e) is { } problem)
        {
            return problem;
        }

        string? Problem(Exception error) => error switch
        {
            OperationCanceledException when !cancellationToken.IsCancellationRequested =>
                $"The mail server did not answer within {pace.Timeout.TotalSeconds:0.#} s.",
            SmtpCommandException e => Redact.Line($"The mail server refused the message ({(int)e.StatusCode}): {e.Message}",
                mail.SignIn is { Password.Length: > 0 } signIn ? signIn.Password : from, LongestProblem),
            AuthenticationException => "The mail server did not accept the user name and password.",
            // No STARTTLS, or no way to sign in.
            NotSupportedException e => $"The mail server does not support what is needed. {e.Message}",
            SslHandshakeException => "TLS with the mail server failed: its certificate is not trusted, or this port does not use TLS.",
            SocketException e => $"The mail server cannot be reached: {e.Message}.",
            ProtocolException or IOException => "The connection to the mail server broke off.",
            _ => null,
        };
    }

    internal static MimeMessage Compose(string from, string address, string id, string body)
    {
        var told = JsonDocument.Parse(body).RootElement;
        var (data, type) = (told.GetProperty("data"), told.GetProperty("type").GetString()!);
        var import = Of(data, "import");
        var name = import is { } named ? named.GetProperty("name").GetString()! : data.GetProperty("account").GetString()!;
        var subject = OneLine(type switch
        {
            "import_finished" => $"{name} has finished: {Counts(import)}",
            "import_cancelled" => $"{name} was cancelled: {Counts(import)}",
            "import_paused" => $"{name} was paused automatically: {Counts(import)}",
            "import_stalled" => $"{name} makes no progress",
            "undo_ended" => $"The undo of {name} has ended: {Counts(import)}",
            "account_suspended" => $"The account {name} is suspended",
            _ => $"{name}: {type.Replace('_', ' ')}",
        });

        var text = new StringBuilder(subject).Append(".\n");
        if (Of(data, "reason") is { } reason) text.Append('\n').Append(reason.GetString()).Append('\n');
        text.Append(CultureInfo.InvariantCulture, $"\nAccount: {data.GetProperty("account").GetString()}\n");
        if (import is { } about) text.Append(CultureInfo.InvariantCulture, $"Import: {about.GetProperty("id").GetInt32()}\n");
        text.Append(CultureInfo.InvariantCulture,
            $"Time: {told.GetProperty("timestamp").GetDateTimeOffset().UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC\n");
        if (Of(data, "links") is { } links)
        {
            text.Append('\n');
            foreach (var link in links.EnumerateObject())
                text.Append(CultureInfo.InvariantCulture,
                    $"{link.Name switch { "import" => "Import", "failed" => "Failed records", var other => other }}: "
                        + $"{link.Value.GetString()}\n");
        }

        var message = new MimeMessage
        {
            Subject = subject,
            Body = new TextPart("plain") { Text = text.ToString() },
            MessageId = $"{id}@bulkimporter.invalid"
        };
        message.From.Add(MailboxAddress.Parse(from));
        message.To.Add(MailboxAddress.Parse(address));
        // So that nobody's holiday answer comes back.
        message.Headers.Add("Auto-Submitted", "auto-generated");
        return message;
    }

    private static string Counts(JsonElement? import)
    {
        if (import is not { } known || Of(known, "counts") is not { } counts) return "";
        var told = new[] { "imported", "failed", "unknown", "pending", "cancelled", "invalid", "duplicate" }
            .Where(state => counts.TryGetProperty(state, out var count) && count.GetInt32() > 0)
            .Select(state => $"{counts.GetProperty(state).GetInt32():N0} {state}");
        return string.Join(", ", told) is { Length: > 0 } some ? some : "no records";
    }

    private static JsonElement? Of(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string OneLine(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
}
