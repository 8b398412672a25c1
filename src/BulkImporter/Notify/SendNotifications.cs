using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using BulkImporter.Data;
using BulkImporter.Imports;
using Microsoft.Extensions.Options;
using Npgsql;

namespace BulkImporter.Notify;

/// <summary>What is posted. <c>data</c> has the import as the API shows it, where it is about one.</summary>
/// <param name="Type">The fact, e.g. <c>import_finished</c>.</param>
/// <param name="Timestamp">When it happened.</param>
public sealed record NotificationBody(string Type, DateTimeOffset Timestamp, NotificationData Data);

/// <param name="Links">Null when nobody said where the pages are (<see cref="NotifyOptions.PageBaseUrl"/>), or when it is about no import.</param>
public sealed record NotificationData(string Account, string? Reason, ImportView? Import, NotificationLinks? Links);

/// <param name="Import">Its page.</param>
/// <param name="Failed">The list of its failed records.</param>
public sealed record NotificationLinks(Uri Import, Uri Failed);

/// <summary>
/// Brings notifications to their targets: notes imports that stall, addresses what is new, and posts what is due. At least once, in no certain
/// order; a target tells repetitions by <c>webhook-id</c>.
/// </summary>
public sealed class SendNotifications(
    NpgsqlDataSource database, ReadImports imports, ProtectSecret secrets, PostNotification post, MailNotification mail, IOptions<NotifyOptions> options,
    IOptions<ImportsOptions> importsOptions, Func<double> random, TimeProvider clock, ILogger<SendNotifications> log)
{
    private const int Batch = 20;

    /// <summary>Each worker looks for stalls, and forgets what is old, so often: the one reads what is outstanding.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    /// <summary>Once a day for an import of which something stalls, as long as it does.</summary>
    private const string NoteStalled = $"""
        INSERT INTO importer.notification (kind, at, import_id, account_id, reason)
        SELECT 'import_stalled', now(), i.id, i.account_id, s.count || ' submitted records have made no progress at Cincopa for ' || $2 || ' or longer.'
        FROM importer.import i
        CROSS JOIN LATERAL (SELECT count(*) AS count FROM importer.status_poll p WHERE {ReadImports.IsStalled}) s
        WHERE i.state IN ('running', 'paused') AND s.count > 0
            AND NOT EXISTS (SELECT 1 FROM importer.notification n WHERE n.import_id = i.id AND n.kind = 'import_stalled' AND n.at > now() - interval '1 day')
        """;

    private const string ReadNew = """
        SELECT n.id, n.kind, n.at, n.import_id, a.name, n.reason FROM importer.notification n JOIN importer.account a ON a.id = n.account_id
        WHERE n.addressed_at IS NULL ORDER BY n.id LIMIT $1 FOR UPDATE OF n SKIP LOCKED
        """;

    private const string Address = """
        WITH addressed AS (UPDATE importer.notification SET body = $2, addressed_at = now() WHERE id = $1)
        INSERT INTO importer.notification_delivery (notification_id, target_id, next_at, try_count)
        SELECT $1, id, now(), 0 FROM importer.notification_target
        """;

    private const string Claim = """
        WITH due AS (
            SELECT notification_id, target_id FROM importer.notification_delivery WHERE next_at <= now() ORDER BY next_at LIMIT $1 FOR UPDATE SKIP LOCKED
        )
        UPDATE importer.notification_delivery d SET next_at = now() + $2, try_count = d.try_count + 1
        FROM due, importer.notification n, importer.notification_target t
        WHERE d.notification_id = due.notification_id AND d.target_id = due.target_id AND n.id = d.notification_id AND t.id = d.target_id
        RETURNING d.notification_id, d.target_id, d.try_count, t.url, t.secret_protected, n.body, t.name
        """;

    private const string NoteDelivered = """
        UPDATE importer.notification_delivery SET next_at = NULL, delivered_at = now(), problem = NULL WHERE notification_id = $1 AND target_id = $2
        """;

    private const string NoteProblem = """
        UPDATE importer.notification_delivery SET next_at = now() + $4, problem = $3 WHERE notification_id = $1 AND target_id = $2 AND delivered_at IS NULL
        """;

    private const string Forget = "DELETE FROM importer.notification WHERE at < now() - $1";

    private long? lookedAt;

    /// <summary>One round. Answers how many posts were tried.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        if (lookedAt is not { } last || clock.GetElapsedTime(last) >= LookEvery) await LookAsync(cancellationToken);
        await AddressAsync(cancellationToken);

        var due = await database.QueryAsync(Claim,
            r => new Due(r.GetInt64(0), r.GetInt32(1), r.GetInt32(2), r.GetString(3), r.GetString(4), r.GetString(5), r.GetString(6)),
            cancellationToken, Batch, options.Value.Timeout * 2);
        await Task.WhenAll(due.Select(d => DeliverAsync(d, cancellationToken)));
        return due.Count;
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        await database.ExecuteAsync(Forget, cancellationToken, options.Value.KeepFor);
        var stalledAfter = importsOptions.Value.StalledAfter;
        await database.ExecuteAsync(NoteStalled, cancellationToken, stalledAfter, string.Create(CultureInfo.InvariantCulture, $"{stalledAfter.TotalMinutes:0.#} min"));
        lookedAt = clock.GetTimestamp();
    }

    private async Task AddressAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var fresh = await connection.QueryAsync(ReadNew,
            r => (Id: r.GetInt64(0), Kind: r.GetString(1), At: r.GetFieldValue<DateTimeOffset>(2), ImportId: r.Number(3), Account: r.GetString(4), Reason: r.Text(5)),
            cancellationToken, Batch);
        foreach (var (id, kind, at, importId, account, reason) in fresh)
        {
            var import = importId is { } known ? await imports.FindAsync(known, cancellationToken) : null;
            await connection.ExecuteAsync(Address, cancellationToken, id, JsonSerializer.Serialize(new NotificationBody(kind, at, new(account, reason, import, LinksTo(importId))), Json));
        }
        await transaction.CommitAsync(cancellationToken);
    }

    private async Task DeliverAsync(Due due, CancellationToken cancellationToken)
    {
        if (Target.MailOf(due.Url) is { } address)
        {
            await NoteAsync(due, await mail.RunAsync(address, IdOf(due.NotificationId), due.Body, cancellationToken));
            return;
        }
        string secret;
        try
        {
            secret = secrets.Unprotect(due.SecretProtected);
        }
        catch (CryptographicException)
        {
            await NoteAsync(due, "Its signing secret cannot be decrypted: remove the target and add it again.");
            return;
        }
        await NoteAsync(due, await post.RunAsync(new Uri(due.Url), secret, IdOf(due.NotificationId), due.Body, cancellationToken));
    }

    /// <param name="due">What was tried.</param>
    /// <param name="problem">Null when it was delivered.</param>
    private async Task NoteAsync(Due due, string? problem)
    {
        if (problem is null)
        {
            await database.ExecuteAsync(NoteDelivered, CancellationToken.None, due.NotificationId, due.TargetId);
            return;
        }
        var wait = due.TryCount >= options.Value.MostTries ? (TimeSpan?)null
            : TimeSpan.FromSeconds(Math.Min(options.Value.RetryCap.TotalSeconds, options.Value.RetryBase.TotalSeconds * Math.Pow(2, Math.Min(due.TryCount - 1, 30))) * (0.75 + 0.5 * random()));
        Log.NotificationNotDelivered(log, due.NotificationId, due.Target, due.TryCount, problem);
        await database.ExecuteAsync(NoteProblem, CancellationToken.None, due.NotificationId, due.TargetId, problem, wait);
    }

    private NotificationLinks? LinksTo(int? importId)
    {
        if (importId is not { } id || options.Value.PageBaseUrl is not { } root) return null;
        var page = string.Create(CultureInfo.InvariantCulture, $"{root.AbsoluteUri.TrimEnd('/')}/imports/{id}");
        return new(new Uri(page), new Uri(page + "/records?state=failed"));
    }

    private static string IdOf(long notificationId) => string.Create(CultureInfo.InvariantCulture, $"msg_{notificationId}");

    private sealed record Due(long NotificationId, int TargetId, int TryCount, string Url, string SecretProtected, string Body, string Target);
}
