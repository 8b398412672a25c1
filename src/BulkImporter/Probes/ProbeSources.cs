using System.Security.Cryptography;
using System.Threading.RateLimiting;
using BulkImporter.Access;
using BulkImporter.Accounts;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Records;
using BulkImporter.Sources;
using BulkImporter.Telemetry;
using Hangfire;

namespace BulkImporter.Probes;

/// <summary>
/// The job of a probe: asks the sources of an import in review for their first bytes and writes what it finds as warnings, and what sizes
/// they tell. Nothing is sent to Cincopa and no record is touched. It goes on from where the last batch was committed; a batch that was
/// asked and not committed is asked again, which harms nobody. Of two jobs for one probe only the later one's writes count.
/// </summary>
public sealed class ProbeSources(
    NpgsqlDataSource database, ReachSource reach, SourceHeaders headers, TimeProvider clock, ILogger<ProbeSources> log)
{
    public const string Queue = "probe";

    /// <summary>
    /// Whether a record belongs to the sample, given its step as $2. By a hash, because rows that differ often follow each other in turn.
    /// </summary>
    internal const string IsInSample = "(hashint4extended(row_number, 0) & 2147483647) % $2 = 0";

    private const int BatchLength = 24;

    /// <summary>Enough to tell a page from a file, also behind a comment or an XML line.</summary>
    private const int FirstBytes = 512;

    /// <summary>Sources that one worker process asks a second: what no host takes for an attack. A test is faster.</summary>
    internal double RatePerSecond { get; init; } = 20;

    /// <summary>Sources that one worker process asks at the same time.</summary>
    internal int Concurrency { get; init; } = 8;

    /// <summary>What a probe may find; a new probe removes those of the last.</summary>
    internal static readonly string[] Codes =
    [
        .. new[] { FindingCode.SourceMissing, FindingCode.SourceDenied, FindingCode.SourceNotReached, FindingCode.SourceInside,
            FindingCode.SourceFailed, FindingCode.SourceIsAPage, FindingCode.SourceIsNoMedia, FindingCode.SourceEmpty }
            .Select(code => code.Name()),
    ];

    private const string FindProbe = """
        SELECT p.step, p.total_count - p.probed_count AS left, p.last_row, i.state = 'review' AS in_review, i.account_id,
            a.per_host_limit AS per_host
        FROM importer.probe p JOIN importer.import i ON i.id = p.import_id JOIN importer.account a ON a.id = i.account_id
        WHERE p.import_id = $1 AND p.run = $2 AND p.state = 'running'
        """;

    private const string NextSources = $"""
        SELECT row_number, line_number, source_url AS url FROM importer.import_record
        WHERE import_id = $1 AND state = 'pending' AND row_number > $3 AND {IsInSample}
        ORDER BY row_number LIMIT $4
        """;

    // Locked with the import's state, so that a probe that ends late adds nothing to an import that is read again meanwhile.
    private const string Note = $"""
        WITH going AS (
            SELECT i.id FROM importer.import i JOIN importer.probe p ON p.import_id = i.id
            WHERE i.id = $1 AND i.state = 'review' AND p.run = $2 AND p.state = 'running' FOR SHARE OF i FOR UPDATE OF p
        ), found AS (
            {StoredFinding.Insert}
            SELECT going.id, f.row_number, f.line_number, NULL, f.code, 'warning', f.value, NULL, NULL
            FROM going CROSS JOIN unnest($6::int[], $7::bigint[], $8::text[], $9::text[]) AS f (row_number, line_number, code, value)
        ), counted AS (
            INSERT INTO importer.probe_host AS h (import_id, host, probed_count, problem_count)
            SELECT going.id, importer.host_of(s.url), count(*), count(*) FILTER (WHERE s.has_problem)
            FROM going CROSS JOIN unnest($10::text[], $11::boolean[]) AS s (url, has_problem)
            WHERE importer.host_of(s.url) IS NOT NULL
            GROUP BY 1, 2
            ON CONFLICT (import_id, host) DO UPDATE SET probed_count = h.probed_count + excluded.probed_count,
                problem_count = h.problem_count + excluded.problem_count
        ), sized AS (
            {RecordMeta.KeepSourceBytes}
            SELECT going.id, s.row_number, s.bytes FROM going CROSS JOIN unnest($12::int[], $13::bigint[]) AS s (row_number, bytes)
            WHERE s.bytes > 0
            {RecordMeta.OrReplaceSourceBytes}
        )
        UPDATE importer.probe SET last_row = $3, probed_count = probed_count + $4, problem_count = problem_count + $5, queued_at = now()
        WHERE import_id IN (SELECT id FROM going)
        """;

    /// <summary>Jobs of a probe that fail unexpectedly before it is stopped; a person starts it again.</summary>
    private const int MostTries = 5;

    private const string NoteFailure = $"""
        WITH failed AS (
            {Audit.Entry}
            SELECT now(), 'probe', 'import_not_probed', p.import_id, NULL, $3 FROM importer.probe p WHERE p.import_id = $1 AND p.run = $2
                AND p.state = 'running'
            RETURNING import_id
        ), tries AS (
            SELECT count(*)::int + 1 AS count FROM importer.audit_entry a JOIN importer.probe p ON p.import_id = a.import_id
                AND a.at >= p.started_at
            WHERE a.import_id = $1 AND a.action = 'import_not_probed'
        ), told AS (
            {ImportTransitions.ProbeStopped}
        )
        UPDATE importer.probe p
        SET state = CASE WHEN tries.count >= $4 THEN 'stopped' ELSE p.state END, finished_at = CASE WHEN tries.count >= $4
            THEN now() END, queued_at = now()
        FROM tries, failed WHERE p.import_id = failed.import_id
        """;

    private const string End = """
        UPDATE importer.probe SET state = $3, finished_at = now() WHERE import_id = $1 AND run = $2 AND state = 'running'
        """;

    /// <param name="title">What a person reads in the dashboard: "Spring catalogue, probing the sources".</param>
    [JobDisplayName("{2}")]
    [Queue(Queue)]
    public async Task RunAsync(int importId, int run, string title, CancellationToken cancellationToken)
    {
        try
        {
            await ProbeAsync(importId, run, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // Hangfire shows the job as failed; QueueProbes enqueues the next one.
            Log.ProbeFailed(log, importId, e);
            Measures.LoopFailed("probe", "item", 1);
            await database.ExecuteAsync(NoteFailure, CancellationToken.None, importId, run, e.Reason(), MostTries);
            throw;
        }
    }

    private async Task ProbeAsync(int importId, int run, CancellationToken cancellationToken)
    {
        using var places = Places(Concurrency);
        using var turn = Places(1);
        while (true)
        {
            var found = await database.QueryAsync<Going>(FindProbe, cancellationToken, importId, run);
            if (found is not [var probe]) return;
            var sources = !probe.InReview || probe.Left <= 0 ? [] : await database.QueryAsync<Source>(
                NextSources, cancellationToken, importId, probe.Step, probe.LastRow, Math.Min(BatchLength, probe.Left));
            if (sources.Count == 0)
            {
                await database.ExecuteAsync(End, cancellationToken, importId, run, probe.InReview ? "finished" : "stopped");
                return;
            }

            IReadOnlyList<SecretHeader> secrets;
            try
            {
                secrets = await headers.OfAccountAsync(probe.AccountId, cancellationToken);
            }
            catch (CryptographicException)
            {
                // Without them the sources would seem forbidden, which they are not.
                Log.ProbeWithoutHeaders(log, importId, probe.AccountId);
                await database.ExecuteAsync(End, cancellationToken, importId, run, "stopped");
                return;
            }
            // A host without a place keeps only its own files waiting, so the places of hosts come before those of all.
            var ofHosts = sources.Select(s => SourceHost.Of(s.Url) ?? "").Distinct()
                .ToDictionary(h => h, _ => Places(probe.PerHost > 0 ? probe.PerHost : Concurrency));
            var answers = await Task.WhenAll(sources.Select(source =>
                AtItsTurnAsync(source, secrets, ofHosts[SourceHost.Of(source.Url) ?? ""], places, turn, cancellationToken)));
            var findings = answers.Select(a => a.Finding).OfType<ProbeFinding>().ToList();
            if (findings.FindAll(f => f.Error is not null) is [var first, ..] broken)
            {
                Log.SourcesNotProbed(log, importId, broken.Count, first.Source.RowNumber, first.Error!);
                Measures.LoopFailed("probe", "item", broken.Count);
            }
            // When nothing was written, the import left review, or another job has the probe: the next look tells which.
            await database.ExecuteAsync(
                Note, cancellationToken, importId, run, sources[^1].RowNumber, sources.Count, findings.Count,
                findings.Select(f => f.Source.RowNumber).ToArray(),
                findings.Select(f => f.Source.LineNumber).ToArray(), findings.Select(f => f.Code.Name())
                    .ToArray(), findings.Select(f => f.Value).ToArray(), sources.Select(s => s.Url).ToArray(),
                sources.Select(s => findings.Exists(f => f.Source == s)).ToArray(), sources.Select(s => s.RowNumber).ToArray(),
                answers.Select(a => a.Bytes).ToArray());
        }
    }

    /// <summary>Asks when its host and all together have a place for it, and no faster than the rate.</summary>
    private async Task<Answered> AtItsTurnAsync(
        Source source, IReadOnlyList<SecretHeader> secrets, ConcurrencyLimiter ofHost, ConcurrencyLimiter places, ConcurrencyLimiter turn,
        CancellationToken cancellationToken)
    {
        using var here = await ofHost.AcquireAsync(1, cancellationToken);
        using var place = await places.AcquireAsync(1, cancellationToken);
        using (await turn.AcquireAsync(1, cancellationToken))
            await Task.Delay(TimeSpan.FromSeconds(1 / RatePerSecond), clock, cancellationToken);
        return await AskAsync(source, secrets, cancellationToken);
    }

    private static ConcurrencyLimiter Places(int count) => new(new() { PermitLimit = count, QueueLimit = int.MaxValue });

    private async Task<Answered> AskAsync(Source source, IReadOnlyList<SecretHeader> secrets, CancellationToken cancellationToken)
    {
        try
        {
            // Not HEAD: links that are signed for GET refuse it, and some servers answer it with another head than GET's.
            if (!Uri.TryCreate(source.Url, UriKind.Absolute, out var url))
                return new(new(source, FindingCode.SourceNotReached, "The address cannot be read."), null);
            // A file of the server's own, which a push reads: there is nobody to ask.
            if (url.Scheme is not ("http" or "https")) return new(null, null);
            using var answer = await reach.RunAsync(
                new SourceRequest(url, Range: new(0, FirstBytes - 1), Headers: secrets), cancellationToken);
            var first = answer.Problem is null ? await FirstOfAsync(answer, cancellationToken) : default;
            return Judge(answer, first.Span) is { } code
                ? new(new(source, code, Value(answer, code)), null) : new(null, answer.Size);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return new(new(source, FindingCode.SourceNotReached, e.Reason(), e), null);
        }
    }

    /// <summary>What comes of the first bytes; less where the source says no more.</summary>
    private static async Task<ReadOnlyMemory<byte>> FirstOfAsync(SourceAnswer answer, CancellationToken cancellationToken)
    {
        var bytes = new byte[FirstBytes];
        var length = 0;
        while (length < bytes.Length)
        {
            var read = await answer.ReadAsync(bytes.AsMemory(length), cancellationToken);
            if (read.Count == 0) break;
            length += read.Count;
        }
        return bytes.AsMemory(0, length);
    }

    /// <summary>Null when nothing speaks against it. The bytes count for more than what the source calls them.</summary>
    internal static FindingCode? Judge(SourceAnswer answer, ReadOnlySpan<byte> first) => answer.Problem switch
    {
        SourceProblem.NotFound => FindingCode.SourceMissing,
        SourceProblem.Forbidden => FindingCode.SourceDenied,
        SourceProblem.AddressRefused => FindingCode.SourceInside,
        // An empty file has no first byte: that is what 416 says of the range.
        SourceProblem.Refused when answer.Status == System.Net.HttpStatusCode.RequestedRangeNotSatisfiable => FindingCode.SourceEmpty,
        SourceProblem.Busy or SourceProblem.Refused or SourceProblem.ServerFailed => FindingCode.SourceFailed,
        not null => FindingCode.SourceNotReached,
        null when answer.Size == 0 => FindingCode.SourceEmpty,
        null when MediaBytes.IsPage(first) => FindingCode.SourceIsAPage,
        null when MediaBytes.IsMedia(first) => null,
        null => answer.MediaType switch
        {
            "text/html" or "application/xhtml+xml" => FindingCode.SourceIsAPage,
            null or "application/octet-stream" or "binary/octet-stream" => null,
            var type when type.StartsWith("text/", StringComparison.Ordinal) || type is "application/json" or "application/xml" =>
                FindingCode.SourceIsNoMedia,
            _ => null,
        },
    };

    private static string Value(SourceAnswer answer, FindingCode code) =>
        code is FindingCode.SourceIsAPage or FindingCode.SourceIsNoMedia
            ? $"{answer.Url.IdnHost}: {answer.MediaType}{(answer.Size is { } size ? $", {size} bytes" : "")}" : answer.Detail;

    /// <param name="Finding">Null when nothing speaks against the source.</param>
    /// <param name="Bytes">The size that it told then, if it told one.</param>
    private readonly record struct Answered(ProbeFinding? Finding, long? Bytes);

    private sealed record Going(int Step, int Left, int LastRow, bool InReview, int AccountId, int PerHost);

    private sealed record Source(int RowNumber, long LineNumber, string Url);

    /// <param name="Error">Something that nobody foresaw; null otherwise.</param>
    private sealed record ProbeFinding(Source Source, FindingCode Code, string Value, Exception? Error = null);
}
