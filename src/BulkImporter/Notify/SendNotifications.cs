using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using BulkImporter.Access;
using BulkImporter.Accounts;
using BulkImporter.Imports;
using BulkImporter.Records;
using BulkImporter.Telemetry;
using Microsoft.AspNetCore.DataProtection;

namespace BulkImporter.Notify;

/// <summary>
/// How often and how long a notification is tried. Nobody turns it: a target that is down for half a day misses nothing. Tests are faster.
/// </summary>
public sealed record DeliveryPace
{
    /// <summary>How long a target may take to answer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The wait after the first failed try; it doubles with each.</summary>
    public TimeSpan RetryBase { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest wait between two tries.</summary>
    public TimeSpan RetryCap { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Tries after which a delivery is given up, after about half a day; a person may replay it.</summary>
    public int MostTries { get; init; } = 20;
}

/// <summary>What is posted. <c>data</c> has the import as the API shows it, where it is about one.</summary>
/// <param name="Type">The fact, e.g. <c>import_finished</c>.</param>
/// <param name="Timestamp">When it happened.</param>
public sealed record NotificationBody(string Type, DateTimeOffset Timestamp, NotificationData Data);

/// <param name="Links">Null when nobody said where the pages are (<see cref="WebOptions.PageBaseUrl"/>), or when it is about no
/// import.</param>
public sealed record NotificationData(string Account, string? Reason, ImportView? Import, NotificationLinks? Links);

/// <param name="Import">Its page.</param>
/// <param name="Failed">The list of its failed records.</param>
public sealed record NotificationLinks(Uri Import, Uri Failed);

/// <summary>
/// Brings notifications to their targets: notes imports that stall, addresses what is new, and posts what is due. At least once, in no
/// certain order; a target tells repetitions by <c>webhook-id</c>.
/// </summary>
public sealed class SendNotifications(
    NpgsqlDataSource database, ReadImports imports, IDataProtectionProvider protection, PostNotification post, MailNotification mail,
    DeliveryPace pace, IOptions<WebOptions> web, IOptions<WorkOptions> work, Func<double> random, TimeProvider clock,
    ILogger<SendNotifications> log)
{
    private const int Batch = 20;

    /// <summary>Each worker looks for stalls, and forgets what is old, so often: the one reads what is outstanding.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);

    /// <summary>How long notifications are kept, delivered or not.</summary>
    private static readonly TimeSpan KeepFor = TimeSpan.FromDays(30);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    /// <summary>Once a day for an import of which something stalls, as long as it does.</summary>
    private const string NoteStalled = $"""
        {Facts.Insert}
        SELECT 'import_stalled', now(), i.id, i.account_id,
            s.count || ' submitted records have made no progress at Cincopa for ' || $2 || ' or longer.'
        FROM importer.import i
        CROSS JOIN LATERAL (SELECT {ReadImports.CountStalled} AS count) s
        WHERE i.state IN ('running', 'paused') AND s.count > 0
            AND NOT EXISTS (SELECT 1 FROM importer.notification n WHERE n.import_id = i.id AND n.kind = 'import_stalled'
                AND n.at > now() - interval '1 day')
        """;

    private const string ReadNew = """
        SELECT n.kind, n.at, n.import_id, a.name AS account, n.reason FROM importer.notification n JOIN importer.account a
            ON a.id = n.account_id
        WHERE n.id = $1 AND n.addressed_at IS NULL FOR UPDATE OF n SKIP LOCKED
        """;

    private const string FindNew = "SELECT id FROM importer.notification WHERE addressed_at IS NULL ORDER BY id LIMIT $1";

    private const string GiveUp = "UPDATE importer.notification SET addressed_at = now() WHERE id = $1 AND addressed_at IS NULL";

    private const string Address = """
        WITH addressed AS (UPDATE importer.notification SET body = $2, addressed_at = now() WHERE id = $1)
        INSERT INTO importer.notification_delivery (notification_id, target_id, next_at, try_count)
        SELECT $1, id, now(), 0 FROM importer.notification_target
        """;

    private const string Claim = """
        WITH due AS (
            SELECT notification_id, target_id FROM importer.notification_delivery WHERE next_at <= now() ORDER BY next_at LIMIT $1
                FOR UPDATE SKIP LOCKED
        )
        UPDATE importer.notification_delivery d SET next_at = now() + $2, try_count = d.try_count + 1
        FROM due, importer.notification n, importer.notification_target t
        WHERE d.notification_id = due.notification_id AND d.target_id = due.target_id AND n.id = d.notification_id AND t.id = d.target_id
        RETURNING d.notification_id, d.target_id, d.try_count, t.url, t.secret_protected, n.body, t.name AS target
        """;

    private const string NoteDelivered = """
        UPDATE importer.notification_delivery SET next_at = NULL, delivered_at = now(), problem = NULL WHERE notification_id = $1
            AND target_id = $2
        """;

    private const string NoteProblem = """
        UPDATE importer.notification_delivery SET next_at = now() + $4, problem = $3 WHERE notification_id = $1 AND target_id = $2
            AND delivered_at IS NULL
        """;

    private const string Forget = "DELETE FROM importer.notification WHERE at < now() - $1";

    private readonly IDataProtector secrets = protection.CreateProtector(Signature.SecretsAtRest);
    private long? lookedAt;

    /// <summary>One round. Returns how many posts were tried.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var tried = 0;
        (string Name, Func<Task> Run)[] steps =
        [
            ("the look for imports that stall", () => LookAsync(cancellationToken)),
            ("new notifications", () => AddressAsync(cancellationToken)),
            ("due notifications", async () => tried = await DeliverAsync(cancellationToken)),
        ];
        await EachItem.RunAsync(steps, s => s.Name, s => s.Run(), cancellationToken);
        return tried;
    }

    private async Task<int> DeliverAsync(CancellationToken cancellationToken)
    {
        var due = await database.QueryAsync<Due>(Claim, cancellationToken, Batch, pace.Timeout * 2);
        var deliveries = due.ConvertAll(d => (d.NotificationId, Delivery: DeliverAsync(d, cancellationToken)));
        await EachItem.RunAsync(deliveries, d => $"notification {d.NotificationId}", d => d.Delivery, cancellationToken);
        return due.Count;
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        if (lookedAt is { } last && clock.GetElapsedTime(last) < LookEvery) return;
        await database.ExecuteAsync(Forget, cancellationToken, KeepFor);
        var stalledAfter = work.Value.StalledAfter;
        await database.ExecuteAsync(NoteStalled, cancellationToken, stalledAfter, $"{stalledAfter.TotalMinutes:0.#} min");
        lookedAt = clock.GetTimestamp();
    }

    private async Task AddressAsync(CancellationToken cancellationToken)
    {
        var fresh = await database.QueryAsync<long>(FindNew, cancellationToken, Batch);
        await EachItem.RunAsync(fresh, id => $"notification {id}", async id =>
        {
            try
            {
                await database.TransactionAsync(connection => AddressAsync(connection, id, cancellationToken), cancellationToken);
            }
            catch (Exception e) when (!e.MayPass() && !cancellationToken.IsCancellationRequested)
            {
                // Nobody would ever get it, and it would stand before the others for ever.
                await database.ExecuteAsync(GiveUp, cancellationToken, id);
                throw;
            }
        }, cancellationToken);
    }

    private async Task<bool> AddressAsync(NpgsqlConnection connection, long notificationId, CancellationToken cancellationToken)
    {
        if (await connection.QueryAsync<Fresh>(ReadNew, cancellationToken, notificationId) is not [var fresh]) return false;
        var import = fresh.ImportId is { } known ? await imports.FindAsync(known, cancellationToken) : null;
        var data = new NotificationData(fresh.Account, fresh.Reason, import, LinksTo(fresh.ImportId));
        await connection.ExecuteAsync(Address, cancellationToken, notificationId,
            JsonSerializer.Serialize(new NotificationBody(fresh.Kind, fresh.At, data), Json));
        return true;
    }

    private async Task DeliverAsync(Due due, CancellationToken cancellationToken)
    {
        string? problem;
        try
        {
            problem = due.TryCount > pace.MostTries
                ? "The result of the last try could not be written; it is not tried again." : await TryAsync(due, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            await NoteAsync(due, e.Reason());
            throw;
        }
        await NoteAsync(due, problem);
    }

    /// <summary>Null when it was delivered; otherwise why not.</summary>
    private async Task<string?> TryAsync(Due due, CancellationToken cancellationToken)
    {
        if (Target.MailOf(due.Url) is { } address)
            return await mail.RunAsync(address, IdOf(due.NotificationId), due.Body, cancellationToken);
        string secret;
        try
        {
            secret = secrets.Unprotect(due.SecretProtected);
        }
        catch (CryptographicException)
        {
            return "Its signing secret cannot be decrypted: remove the target and add it again.";
        }
        return await post.RunAsync(new Uri(due.Url), secret, IdOf(due.NotificationId), due.Body, cancellationToken);
    }

    /// <param name="problem">Null when it was delivered.</param>
    private async Task NoteAsync(Due due, string? problem)
    {
        if (problem is null)
        {
            await database.ExecuteAsync(NoteDelivered, CancellationToken.None, due.NotificationId, due.TargetId);
            return;
        }
        var wait = due.TryCount >= pace.MostTries ? (TimeSpan?)null
            : TimeSpan.FromSeconds(Math.Min(pace.RetryCap.TotalSeconds,
                pace.RetryBase.TotalSeconds * Math.Pow(2, Math.Min(due.TryCount - 1, 30))) * (0.75 + 0.5 * random()));
        Log.NotificationNotDelivered(log, due.NotificationId, due.Target, due.TryCount, problem);
        await database.ExecuteAsync(NoteProblem, CancellationToken.None, due.NotificationId, due.TargetId, problem, wait);
    }

    private NotificationLinks? LinksTo(int? importId)
    {
        if (importId is not { } id || web.Value.PageBaseUrl is not { } root) return null;
        var page = $"{root.AbsoluteUri.TrimEnd('/')}/imports/{id}";
        return new(new Uri(page), new Uri(page + "/records?state=failed"));
    }

    private static string IdOf(long notificationId) => $"msg_{notificationId}";

    private sealed record Fresh(string Kind, DateTimeOffset At, int? ImportId, string Account, string? Reason);

    private sealed record Due(
        long NotificationId, int TargetId, int TryCount, string Url, string SecretProtected, string Body, string Target);
}
