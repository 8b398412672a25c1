using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using BulkImporter.Manifests;
using BulkImporter.Sources;
using Cincopa.Client;

namespace BulkImporter.Tests.Manifests;

/// <summary>
/// Seeded, the seed in every message. Most run a fixed number of rounds; what reads texts of others runs for so many seconds, by default 5
/// each, as
/// <c>BULKIMPORTER_FUZZ_SECONDS</c> says (120 is ten minutes for the five), from the seed in <c>BULKIMPORTER_FUZZ_SEED</c> on.
/// </summary>
public class ManifestFuzzTests
{
    private static readonly string[] Pieces =
        ["\"", "\"\"", ",", ";", "\t", "\n", "\r\n", "\r", "\0", "é", "🎬", "'", "=", " ", "https://a.test/x", "x", "\uFEFF"];

    public static TheoryData<int> Seeds => new(Enumerable.Range(1, 40));

    [Theory, MemberData(nameof(Seeds))]
    public async Task Random_bytes_are_read_or_rejected(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 25; round++)
        {
            var bytes = new byte[random.Next(0, 400)];
            random.NextBytes(bytes);
            if (round % 3 == 0)
                bytes = [.. Encoding.UTF8.GetBytes("url,caption\n"), .. bytes.Select(b => (byte)(b & 0x7F))];
            try
            {
                await WholeManifest.ReadAsync(bytes);
            }
            catch (ManifestRejectedException)
            {
                // the only answer besides rows
            }
        }
    }

    [Theory, MemberData(nameof(Seeds))]
    public async Task Random_bytes_asked_for_as_Windows_1252_are_read_with_every_line_accounted_for(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 25; round++)
        {
            // Any byte but quotes: then each line that is not blank is a row, whatever is in it.
            var bytes = new byte[random.Next(0, 400)];
            random.NextBytes(bytes);
            bytes = [.. Encoding.UTF8.GetBytes("url,caption\n"), .. bytes.Where(b => b != (byte)'"')];
            var content = await WholeManifest.ReadAsync(bytes, encoding: ManifestReading.Windows1252);
            var text = CodePagesEncodingProvider.Instance.GetEncoding(1252)!.GetString(bytes)
                .Replace("\r\n", "\n", StringComparison.Ordinal);
            var lines = text.Split('\r', '\n').Skip(1).Where(line => !IsBlank(line)).ToList();
            Assert.True(lines.SequenceEqual(content.Rows.Select(row => row.RawText)), $"Seed {seed}, round {round}.");
            Assert.All(content.Rows, row => Assert.True(row.State is "pending" or "duplicate" || row.Codes.Length > 0));
        }
    }

    [Theory, MemberData(nameof(Seeds))]
    public async Task Mutated_manifest_loses_no_text_and_no_row(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 25; round++)
        {
            var body = Mutated(random);
            var content = await WholeManifest.ReadAsync("url,caption,tags\n" + body);

            // Every row is a piece of the text, in order; between them lie only line breaks and blank rows.
            var at = 0;
            foreach (var row in content.Rows)
            {
                var found = body.IndexOf(row.RawText, at, StringComparison.Ordinal);
                Assert.True(found >= 0, $"Seed {seed}, round {round}: row {row.RowNumber} is not in the text.");
                Assert.True(IsBlank(body[at..found]),
                    $"Seed {seed}, round {round}: lost \"{body[at..found]}\" before row {row.RowNumber}.");
                Assert.Equal(2 + Breaks(body[..found]), row.LineNumber);
                at = found + row.RawText.Length;
            }

            Assert.True(IsBlank(body[at..]), $"Seed {seed}, round {round}: lost \"{body[at..]}\" at the end.");
            Assert.Equal(Enumerable.Range(1, content.Rows.Count), content.Rows.Select(row => row.RowNumber));
        }
    }

    [Theory, MemberData(nameof(Seeds))]
    public async Task Export_of_a_mutated_manifest_has_the_same_rows(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 25; round++)
        {
            var bytes = Encoding.UTF8.GetBytes("url,caption,tags\n" + Mutated(random));
            var original = await WholeManifest.ReadAsync(bytes);
            var exported = await WholeManifest.ReadAsync(await WholeManifest.ExportAsync(bytes));
            Assert.True(original.Rows.Count == exported.Rows.Count,
                $"Seed {seed}, round {round}: {original.Rows.Count} rows became {exported.Rows.Count}.");
            foreach (var (before, after) in original.Rows.Zip(exported.Rows))
            {
                if (before.Codes.Contains(FindingCode.UnterminatedQuote))
                    continue;
                Assert.True(before.Fields.Take(3).SequenceEqual(after.Fields.Take(3)),
                    $"Seed {seed}, round {round}, row {before.RowNumber}.");
            }
        }
    }

    [Fact, Trait("Category", "Slow")]
    public Task Any_bytes_are_a_manifest_or_refused() =>
        FuzzAsync("url,caption\nhttps://a.test/x.mp4,\"One\"\n# note\nsep=;\n", async (bytes, random) =>
    {
        try
        {
            await WholeManifest.ReadAsync(bytes, encoding: random.Next(4) == 0 ? ManifestReading.Windows1252 : null);
        }
        catch (ManifestRejectedException rejection)
        {
            Assert.NotEmpty(rejection.Message);
        }
    });

    [Fact, Trait("Category", "Slow")]
    public Task Any_bytes_are_an_address_or_have_a_problem() =>
        FuzzAsync("https://ann:pw@[::1]:443/a%20b.mp4?X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&se=2026-01-01#t", (bytes, _) =>
    {
        var rules = new SourceUrlRules(new ManifestOptions());
        bytes = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes));
        var url = UrlCell.Read(CellText.Trim(bytes), out var _, out var _);
        if (rules.Check(url, WholeManifest.Now, new FindingCode[SourceUrlRules.MaxProblems]) > 0 || url.IsEmpty) return Task.CompletedTask;
        SourceKey.Of(url);
        SourceUrlRules.Expiry(url);
        Assert.True(Uri.TryCreate(Encoding.UTF8.GetString(url), UriKind.Absolute, out var address)
            && address.Scheme is "http" or "https", Encoding.UTF8.GetString(url));
        return Task.CompletedTask;
    });

    [Fact, Trait("Category", "Slow")]
    public Task Any_Retry_After_is_a_wait_of_a_day_at_most_or_none() =>
        FuzzAsync("Fri, 31 Dec 9999 23:59:59 GMT 2147483647", async (bytes, random) =>
    {
        using var response =
            new HttpResponseMessage((HttpStatusCode)random.Next(300, 600)) { Content = new ByteArrayContent("{}"u8.ToArray()) };
        var value = Encoding.Latin1.GetString(bytes).Replace("\r", "", StringComparison.Ordinal)
            .Replace("\n", "", StringComparison.Ordinal);
        response.Headers.TryAddWithoutValidation("Retry-After", random.Next(3) == 0 ? $"{random.NextInt64(-10, 1L << 40)}" : value);
        using var reply = new Reply("999iother", readsText: true);
        await reply.ReadAsync(response, 10_000, WholeManifest.Now, TestContext.Current.CancellationToken);
        Assert.InRange(reply.RetryAfter ?? TimeSpan.Zero, TimeSpan.Zero, TimeSpan.FromDays(1));
        reply.Judge(out _, out var error);
        Assert.NotNull(error);
    });

    [Fact, Trait("Category", "Slow")]
    public Task Any_text_is_one_line_without_the_token() =>
        FuzzAsync("x?api_token=999iother&hash=cafe https://ann:pw@h/ %2525%3Fsig%3D999iother {\"token\" : \"999iother\"}",
            (bytes, random) =>
    {
        var line = Redact.Line(Encoding.UTF8.GetString(bytes), "999iother", 200);
        Assert.DoesNotContain("999iother", line, StringComparison.OrdinalIgnoreCase);
        Assert.True(line.Length <= 200 && !line.Any(char.IsControl), line);
        return Task.CompletedTask;
    });

    [Fact, Trait("Category", "Slow")]
    public Task Any_answer_to_a_push_says_how_it_ended() =>
        FuzzAsync("{\"success\":false,\"message\":\"out of assets quota\"}\nnew resource id 17 AbC_9\ndone error 999iother",
            async (bytes, random) =>
    {
        using var response = new HttpResponseMessage((HttpStatusCode)(random.Next(2) == 0 ? 200 : random.Next(200, 600)))
        { Content = new ByteArrayContent(bytes) };
        using var reply = new Reply("999iother", readsText: true) { Left = true };
        await reply.ReadAsync(response, 2000, WholeManifest.Now, TestContext.Current.CancellationToken);
        var isLast = random.Next(2) == 0;
        var error = reply.JudgePush(isLast) switch
        {
            PushResult.Taken => isLast ? throw new InvalidOperationException("the last range makes an asset or is in doubt") : null,
            PushResult.Stored stored => stored.Rid.Value.Length > 0 ? null : throw new InvalidOperationException("an asset without an id"),
            PushResult.Refused refused => refused.Error,
            PushResult.Unknown unknown => unknown.Error,
            var other => throw new InvalidOperationException($"{other}"),
        };
        Assert.DoesNotContain("999iother", error?.Message ?? "", StringComparison.OrdinalIgnoreCase);
    });

    /// <summary>
    /// Feeds mutations of <paramref name="text"/> until the time is over; one that takes longer than five seconds is a finding too.
    /// </summary>
    private static async Task FuzzAsync(string text, Func<byte[], Random, Task> feed)
    {
        var limit = TimeSpan.FromSeconds(double.Parse(Environment.GetEnvironmentVariable("BULKIMPORTER_FUZZ_SECONDS")
            ?? "5", CultureInfo.InvariantCulture));
        var since = Stopwatch.GetTimestamp();
        var first = int.Parse(Environment.GetEnvironmentVariable("BULKIMPORTER_FUZZ_SEED") ?? "1", CultureInfo.InvariantCulture);
        for (var seed = first; Stopwatch.GetElapsedTime(since) < limit; seed++)
        {
            var random = new Random(seed);
            var bytes = Encoding.UTF8.GetBytes(text).ToList();
            for (var mutation = random.Next(0, 20); mutation > 0 && bytes.Count > 0; mutation--)
            {
                var at = random.Next(bytes.Count);
                var length = Math.Min(random.Next(1, 30), bytes.Count - at);
                switch (random.Next(5))
                {
                    case 0: bytes[at] = (byte)random.Next(256); break;
                    case 1: bytes.RemoveRange(at, length); break;
                    case 2: bytes.InsertRange(at, Encoding.UTF8.GetBytes(Pieces[random.Next(Pieces.Length)])); break;
                    case 3: bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length)); break;
                    default:
                        var again = bytes.GetRange(at, length);
                        for (var times = random.Next(1, 200); times > 0; times--) bytes.InsertRange(at, again);
                        break;
                }
            }

            var started = Stopwatch.GetTimestamp();
            try
            {
                await feed([.. bytes], random);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {seed}: {Encoding.UTF8.GetString([.. bytes])}", e);
            }

            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(5), $"Seed {seed} took too long.");
        }
    }

    private static string Mutated(Random random)
    {
        var text = new StringBuilder();
        for (var row = 0; row < 30; row++)
            text.Append($"https://a.test/{row},\"Caption {row}\",\"a,b\"\n");
        for (var mutation = random.Next(1, 15); mutation > 0; mutation--)
        {
            var at = random.Next(text.Length);
            if (random.Next(3) == 0)
                text.Remove(at, Math.Min(random.Next(1, 8), text.Length - at));
            else
                text.Insert(at, Pieces[random.Next(Pieces.Length)]);
        }

        // A removal or an insertion may have split a surrogate pair; the manifest is made of whole characters.
        return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text.ToString()));
    }

    private static bool IsBlank(string text) => text.AsSpan().Trim(" ,\t\r\n\"").IsEmpty;

    private static int Breaks(string text) => text.Replace("\r\n", "\n", StringComparison.Ordinal).Count(c => c is '\r' or '\n');
}
