using System.Text;
using BulkImporter.Cli;
using BulkImporter.Manifests;
using BulkImporter.Parse;
using BulkImporter.Records;
using BulkImporter.Rerun;
using BulkImporter.Sources;
using BulkImporter.Tests.Cli;
using BulkImporter.Tests.Manifests;
using Microsoft.Extensions.Logging;

namespace BulkImporter.Tests.Parse;

/// <summary>Cells as people and their programs really write them: what is read from each, and what is said about it.</summary>
public sealed class RowCellsTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private const string A = "https://media.example.org/a.mp4";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // --- a row's check fails only that row

    [Theory]
    [InlineData("m.example.com..")]
    [InlineData("m.example.com...")]
    [InlineData("m.example.com%2e%2e")]
    [InlineData("m.example.com%2E.")]
    [InlineData("m.example.com。。")]
    [InlineData("m.example.com．。")]
    [InlineData("m.example.com｡｡")]
    [InlineData("m.example.com..:443")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("。")]
    [InlineData("%2e")]
    [InlineData(".example.com")]
    [InlineData("a..example.com")]
    [InlineData("[")]
    [InlineData("[]")]
    [InlineData("[::1%25eth0]")]
    [InlineData("[fe80::1%eth0]")]
    [InlineData("[1.2.3.4]")]
    [InlineData("[::1]x")]
    [InlineData("256.1.1.1")]
    [InlineData("1.2.3.4.5")]
    [InlineData("1.2.3.0x1ffffffff")]
    [InlineData("09.1.1.1")]
    [InlineData("m.example.com%00")]
    [InlineData("m\u0000.example.com")]
    [InlineData("m.exa\tmple.com")]
    [InlineData("m.example.com:-1")]
    [InlineData("m.example.com:00000000000000065536")]
    [InlineData("%")]
    [InlineData("%zz.example.com")]
    [InlineData("m\uFFFD.example.com")]
    [InlineData("m.\u200Bexample.com")]
    [InlineData("a123456789b123456789c123456789d123456789e123456789f123456789abcd.example.com")]
    public async Task Host_that_nobody_can_mean_is_a_finding_of_its_row_and_the_next_row_is_read(string host)
    {
        var content = await WholeManifest.ReadAsync($"url\n{A}\n\"https://{host}/b.mp4\"\nhttps://media.example.org/c.mp4\n");
        Assert.Equal(["pending", "invalid", "pending"], content.Rows.Select(r => r.State));
        Assert.Contains(FindingCode.UrlMalformed, content.Rows[1].Codes);
    }

    [Fact]
    public async Task Host_of_two_dots_ends_neither_validate_nor_parse_nor_preview_nor_a_correction()
    {
        const string text = "url\nhttps://v.example.org/a.mp4\nhttps://m.example.com../b.mp4\n";
        using var folder = new TemporaryFolder();
        using var run = new CliRun();
        Assert.Equal(ExitCode.DoneWithProblems, await run.RunAsync("validate", folder.File("in.csv", text)));
        Assert.Contains("line 3, row 2: error url_malformed in url (https://m.example.com../b.mp4)", run.Output, StringComparison.Ordinal);

        var stage = await ManifestStage.OfAsync(database);
        var id = await stage.ReadAsync(text);
        Assert.Equal("pending 1, invalid 1", await database.SoundCountsAsync(id));
        var preview = await stage.Preview.RunAsync(id, 10, Token);
        Assert.Equal([false, true], preview!.Rows.Select(r => r.IsBlocked));
        await stage.StartAsync(id);
        var report = await stage.CorrectAsync(id, "import_row,url\n2,https://m.example.com..:443/b.mp4\n");
        Assert.StartsWith("url_malformed: ", Assert.Single(report.Rows).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whatever_throws_inside_the_check_of_a_row_is_a_finding_of_that_row_and_is_logged_once()
    {
        await using var reader = await ManifestReader.OpenAsync(new MemoryStream(Encoding.UTF8.GetBytes($"url,title\n{A},One\n{A},Two\n")),
            new ManifestReading(null, null), Token);
        var log = new CountingLog();
        var checks = new ManifestChecks(reader.Layout, rules: null!, WholeManifest.Now, log: log); // no rules: every check throws
        var findings = new List<Finding>();
        var rows = new List<CheckedRow>();
        while (await reader.ReadAsync(Token)) rows.Add(checks.Check(reader.Row, findings));
        Assert.Equal([(2L, FindingCode.RowCheckFailed), (3L, FindingCode.RowCheckFailed)], findings.Select(f => (f.LineNumber, f.Code)));
        Assert.All(rows, r => Assert.True(r is { IsBlocked: true, Key: null, Url: "" }));
        Assert.Equal("Two", rows[1].Caption);
        Assert.Equal(1, log.Errors);
    }

    public static TheoryData<int> Seeds => new(Enumerable.Range(1, 20));

    /// <summary>Fixed seeds, the seed in every message.</summary>
    [Theory, MemberData(nameof(Seeds))]
    public void Random_addresses_are_judged_without_an_exception_and_have_a_key(int seed)
    {
        string[] pieces =
        [
            "https://", "http:", "//", "/", "\\", "@", ":", "::", ".", "..", "%2e", "%", "%00", "%zz", "[", "]", "::ffff:1.2.3.4",
            "%25eth0", "xn--", "xn--80ak6aa92e", "0x7f", "0177", "127", "1",
            "4294967296", "。", "．", "ａ", "①", "\uD83C\uDFAC", "\uFFFD", "\u200B", "\u00AD", "\t", "\n", "\0", " ", "#", "#3.mp4", "?", "&",
            "&amp;", "&#38;", ";", ",", "|", "<", ">", "\"", "'", "“", "”",
            "=HYPERLINK(\"", "\";\"", "\")", "a", "m.example.com", "youtube.com", "sharepoint.com", ".mp4", "X-Amz-Date=99991231T235959Z",
            "X-Amz-Expires=3199999999", "Expires=253402300799",
            "Signature=", "Policy=eyJEYXRlTGVzc1RoYW4iOjF9", "Policy=eyJcdWQ4MDAiOjF9", "se=9999-12-31", "sig=", new string('a', 70),
            new string('.', 300),
        ];
        var random = new Random(seed);
        var rules = new SourceUrlRules(new ManifestOptions());
        var problems = new FindingCode[SourceUrlRules.MaxProblems];
        for (var round = 0; round < 3000; round++)
        {
            var text = (random.Next(3) > 0 ? "https://" : "")
                + string.Concat(Enumerable.Range(0, random.Next(1, 9)).Select(_ => pieces[random.Next(pieces.Length)]));
            try
            {
                var url = UrlCell.Read(CellText.Trim(Encoding.UTF8.GetBytes(text)), out _, out _);
                var count = rules.Check(url, WholeManifest.Now, problems);
                SourceUrlRules.Expiry(url);
                var normal = SourceKey.Normalise(Encoding.UTF8.GetString(url));
                if (!problems.Take(count).Any(p => p.Severity() == FindingSeverity.Error))
                    Assert.Equal(normal, SourceKey.Normalise(normal));
            }
            catch (Exception e)
            {
                Assert.Fail($"Seed {seed}, round {round}, {text}: {e}");
            }
        }
    }

    /// <summary>
    /// What is repeated could be looked for anew at each place where it stands: half an hour for one cell of quotes, before there was a
    /// limit.
    /// </summary>
    [Theory]
    [InlineData("\"")]
    [InlineData("'")]
    [InlineData("<")]
    [InlineData("(")]
    [InlineData("<a href='x' ")]
    [InlineData("[x](y)")]
    [InlineData("=HYPERLINK('x'")]
    [InlineData("URL:")]
    [InlineData("://")]
    [InlineData("https://")]
    [InlineData("?x=https://a,")]
    [InlineData("&amp;")]
    [InlineData("&eacute;")]
    [InlineData("&amp")]
    [InlineData("%25")]
    [InlineData("//")]
    [InlineData("sig=")]
    [InlineData("Policy=")]
    [InlineData("a@")]
    [InlineData("\u00A0")]
    [InlineData("\u00AD")]
    [InlineData("\n")]
    [InlineData("a:b,\n")]
    public async Task A_sign_that_is_repeated_in_a_cell_costs_no_more_than_the_cell_is_long(string sign)
    {
        var rules = new SourceUrlRules(new ManifestOptions());
        var long1 = $"https://media.example.org/{string.Concat(Enumerable.Repeat(sign, 3_000_000 / sign.Length))}";
        var longest = string.Concat(Enumerable.Repeat(sign, 8000 / sign.Length));
        var since = System.Diagnostics.Stopwatch.StartNew();
        foreach (var cell in new[] { long1, long1[25..] })
        {
            var row =
                Assert.Single(
                    (await WholeManifest.ReadAsync($"title,url\nx,\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"\n")).Rows.Take(
                        1));
            Assert.True(row.Checked.IsBlocked);
        }
        // The longest address that is looked into, many times.
        foreach (var cell in Enumerable.Repeat(longest, 20).Concat(Enumerable.Repeat($"https://media.example.org/{longest}", 20)))
        {
            var url = UrlCell.Read(CellText.Trim(Encoding.UTF8.GetBytes(cell)), out _, out _);
            rules.Check(url, WholeManifest.Now, new FindingCode[SourceUrlRules.MaxProblems]);
            FindingMask.Mask(cell);
        }
        Assert.True(since.Elapsed < TimeSpan.FromSeconds(20), $"It took {since.Elapsed}.");
    }

    // --- one address in a cell

    [Theory]
    [InlineData("https://a.example.org/1.jpg|https://a.example.org/2.jpg")]
    [InlineData("https://a.example.org/1.jpg | https://a.example.org/2.jpg")]
    [InlineData("https://a.example.org/1.jpg, https://a.example.org/2.jpg")]
    [InlineData("https://a.example.org/1.jpg,https://a.example.org/2.jpg")]
    [InlineData("https://a.example.org/1.jpg;https://a.example.org/2.jpg")]
    [InlineData("https://a.example.org/1.jpg\nhttps://a.example.org/2.jpg")]
    [InlineData("https://a.example.org/1.jpg\r\n\r\nHTTP://a.example.org/2.jpg")]
    [InlineData("https://a.example.org/1.jpg https://a.example.org/2.jpg")]
    [InlineData("https://a.example.org/1.jpg\thttps://a.example.org/2.jpg")]
    [InlineData("https://a.example.org/1.jpg\u00A0https://a.example.org/2.jpg")]
    [InlineData("https://a.example.org/1.jpghttps://a.example.org/2.jpg")]
    [InlineData("https://a.example.org/1.jpg<br>https://a.example.org/2.jpg")]
    [InlineData("https://a.example.org/1.jpg and ftp://a.example.org/2.jpg")]
    [InlineData("https://a.example.org/1.jpg?x=1|https://a.example.org/2.jpg?x=2")]
    [InlineData("https://a.example.org/1.jpg?x=1, https://a.example.org/2.jpg?x=2")]
    [InlineData("https://a.example.org/1.jpg?x=1;https://a.example.org/2.jpg?x=2")]
    [InlineData("https://a.example.org/1.jpg?x=1\nhttps://a.example.org/2.jpg")]
    public async Task Several_addresses_in_a_cell_are_one_finding_that_says_how_to_split(string cell)
    {
        var content = await WholeManifest.ReadAsync($"url,title\n\"{cell}\",Two\n{A},One\n");
        Assert.Equal([FindingCode.UrlSeveral], content.Rows[0].Codes);
        Assert.True(content.Rows[0].Checked.IsBlocked);
        Assert.Contains("its own row", content.Findings[0].Hint, StringComparison.Ordinal);
        Assert.Equal("pending", content.Rows[1].State);
    }

    [Theory]
    [InlineData("https://web.archive.org/web/2020/https://a.example.org/1.jpg", FindingCode.UrlHoldsAnother)]
    [InlineData("https://img.example.org/plain/s3://bucket/1.jpg", FindingCode.UrlHoldsAnother)]
    [InlineData("https://a.example.org/get?file=https://b.example.org/1.jpg", null)]
    [InlineData("https://a.example.org/get?files=https://b.example.org/1.jpg,https://b.example.org/2.jpg", null)]
    [InlineData("https://a.example.org/1,2;3.jpg", null)]
    [InlineData("https://https://a.example.org/1.jpg", FindingCode.UrlSchemeTwice)]
    [InlineData("HTTP://https://a.example.org/1.jpg", FindingCode.UrlSchemeTwice)]
    [InlineData("https://http//a.example.org/1.jpg", FindingCode.UrlSchemeTwice)]
    [InlineData("https:https://a.example.org/1.jpg", FindingCode.UrlSchemeTwice)]
    [InlineData("https://www.https://a.example.org/1.jpg", FindingCode.UrlSchemeTwice)]
    public async Task Address_within_an_address_is_told_from_two_addresses(string cell, FindingCode? code)
    {
        var content = await WholeManifest.ReadAsync($"url,title\n\"{cell}\",x\n");
        Assert.Equal(code is null ? [] : [code.Value], content.Rows[0].Codes);
    }

    // --- what cannot be seen

    [Theory]
    [InlineData("\u00A0")]
    [InlineData("\u200B")]
    [InlineData("\u200E")]
    [InlineData("\uFEFF")]
    [InlineData("\u2003")]
    [InlineData("\u3000")]
    [InlineData("\u2028")]
    [InlineData("\u0085")]
    [InlineData("\u2060")]
    [InlineData("\u00AD")]
    [InlineData("\u202A\u2066")]
    [InlineData("\u001A")]
    [InlineData(" \u00A0 \u200B ")]
    public async Task Invisible_characters_around_a_value_are_taken_away_and_reported_and_the_source_is_the_same(string c)
    {
        var content = await WholeManifest.ReadAsync(
            $"caption,url,id,gallery\n1,{A}{c},R1{c},Spring\n2,{c}{A},{c}R2,Spring{c}\n3,{c}{A}{c},R3,{c}Spring\n4,{A},R4,\n");
        Assert.Equal(["pending", "duplicate", "duplicate", "duplicate"], content.Rows.Select(r => r.State));
        Assert.All(content.Rows, r => Assert.Equal((A, content.Rows[3].Checked.Key), (r.Checked.Url, r.Checked.Key)));
        Assert.Equal(["R1", "R2", "R3", "R4"], content.Rows.Select(r => r.Checked.ReferenceId!));
        Assert.Equal(["Spring", "Spring", "Spring"], content.Rows.Take(3).Select(r => r.Checked.Gallery!));
        Assert.Equal(
            ["1 url", "1 id", "2 url", "2 id", "2 gallery", "3 url", "3 gallery"],
            content.Findings.Where(f => f.Code == FindingCode.InvisibleCharacters).Select(f => $"{f.RowNumber} {f.Column}")
                .OrderBy(f => f[0]));
    }

    [Theory]
    [InlineData("❤️")]
    [InlineData("Ende 👨‍👩‍👧")]
    [InlineData("🏴󠁧󠁢󠁥󠁮󠁧󠁿")]
    [InlineData("é")]
    public async Task Signs_of_several_characters_keep_all_of_them(string caption)
    {
        var content = await WholeManifest.ReadAsync($"url,caption\n{A},{caption}\n");
        Assert.Equal(caption, content.Rows[0].Checked.Caption);
        Assert.Empty(content.Findings);
    }

    [Fact]
    public async Task Invisible_character_inside_an_address_is_a_finding_and_the_address_stays()
    {
        var content =
            await WholeManifest.ReadAsync(
                "url\nhttps://media.example.org/h\u00AD-i.mp4\nhttps://media.\u200Bexample.org/j.mp4\nhttps://media.example.org/می‌خواهم.mp4\n");
        Assert.Equal([FindingCode.UrlHiddenCharacter], content.Rows[0].Codes);
        Assert.Equal([FindingCode.UrlHiddenCharacter, FindingCode.UrlMalformed], content.Rows[1].Codes);
        Assert.Empty(content.Rows[2].Codes); // a joiner between letters belongs to the word
        Assert.Contains('\u00AD', content.Rows[0].Checked.Url);
    }

    // --- what stands around an address, and entities in it

    [Theory]
    [InlineData("“https://media.example.org/a.mp4”")]
    [InlineData("„https://media.example.org/a.mp4“")]
    [InlineData("«https://media.example.org/a.mp4»")]
    [InlineData("« https://media.example.org/a.mp4 »")]
    [InlineData("‘https://media.example.org/a.mp4’")]
    [InlineData("'https://media.example.org/a.mp4'")]
    [InlineData("'https://media.example.org/a.mp4")]
    [InlineData("’https://media.example.org/a.mp4")]
    [InlineData("<https://media.example.org/a.mp4>")]
    [InlineData("<URL:https://media.example.org/a.mp4>")]
    [InlineData("(https://media.example.org/a.mp4)")]
    [InlineData("[https://media.example.org/a.mp4]")]
    [InlineData("`https://media.example.org/a.mp4`")]
    [InlineData("#https://media.example.org/a.mp4#")]
    [InlineData("\"\"https://media.example.org/a.mp4\"\"")]
    [InlineData("=HYPERLINK(\"\"https://media.example.org/a.mp4\"\")")]
    [InlineData("=HYPERLINK(\"\"https://media.example.org/a.mp4\"\",\"\"A film\"\")")]
    [InlineData("=hyperlink( \"\"https://media.example.org/a.mp4\"\" ; \"\"A film\"\" )")]
    [InlineData("'=HYPERLINK(\"\"https://media.example.org/a.mp4\"\";\"\"A film\"\")")]
    [InlineData("=\"\"https://media.example.org/a.mp4\"\"")]
    [InlineData("[A film](https://media.example.org/a.mp4)")]
    [InlineData("<a href=\"\"https://media.example.org/a.mp4\"\">A film</a>")]
    [InlineData("\u200B“\u00A0https://media.example.org/a.mp4 ”")]
    public async Task Signs_around_an_address_are_taken_away_and_reported(string cell)
    {
        var content = await WholeManifest.ReadAsync($"url,title\n\"{cell}\",x\n{A},y\n");
        Assert.Equal(A, content.Rows[0].Checked.Url);
        Assert.Contains(FindingCode.UrlUnwrapped, content.Rows[0].Codes);
        Assert.Equal(["pending", "duplicate"], content.Rows.Select(r => r.State));
    }

    [Theory]
    [InlineData("https://en.example.org/wiki/Film_(1999)")]
    [InlineData("https://media.example.org/it's")]
    [InlineData("https://media.example.org/a[1]")]
    [InlineData("https://media.example.org/a?x=(1)")]
    [InlineData("https://media.example.org/é")]
    public async Task Signs_that_belong_to_an_address_stay(string url)
    {
        var content = await WholeManifest.ReadAsync($"url,title\n{url},x\n");
        Assert.Equal(url, content.Rows[0].Checked.Url);
        Assert.Empty(content.Findings);
    }

    [Theory]
    [InlineData("=HYPERLINK(A2)")]
    [InlineData("=HYPERLINK(\"\"https://a.example.org/\"\"&A2)")]
    [InlineData("“clip.mp4”")]
    public async Task Cell_from_which_no_address_can_be_read_is_refused_as_it_stands(string cell)
    {
        var content = await WholeManifest.ReadAsync($"url,title\n\"{cell}\",x\n");
        Assert.True(content.Rows[0].Checked.IsBlocked);
        Assert.DoesNotContain(FindingCode.UrlUnwrapped, content.Rows[0].Codes);
    }

    [Theory]
    [InlineData("https://media.example.org/get?id=1&amp;type=mp4", "https://media.example.org/get?id=1&type=mp4")]
    [InlineData("https://media.example.org/get?id=1&AMP;type=mp4", "https://media.example.org/get?id=1&type=mp4")]
    [InlineData("https://media.example.org/get?id=1&amp;amp;type=mp4", "https://media.example.org/get?id=1&type=mp4")]
    [InlineData("https://media.example.org/get?id=1&#38;type=mp4", "https://media.example.org/get?id=1&type=mp4")]
    [InlineData("https://media.example.org/get?id=1&#x26;type=mp4", "https://media.example.org/get?id=1&type=mp4")]
    [InlineData("https:&#x2F;&#x2F;media.example.org&#x2F;a.mp4", A)]
    [InlineData("https://media.example.org/rock&amp;roll.mp4", "https://media.example.org/rock&roll.mp4")]
    [InlineData("https://media.example.org/caf&eacute;.mp4", "https://media.example.org/caf\u00E9.mp4")]
    [InlineData("https://media.example.org/&Auml;rger&frac12;.mp4?a=1", "https://media.example.org/\u00C4rger\u00BD.mp4?a=1")]
    [InlineData("&lt;https://media.example.org/a.mp4&gt;", A)]
    public async Task Entities_are_read_as_the_characters_that_they_are(string cell, string url)
    {
        var content = await WholeManifest.ReadAsync($"url,title\n{cell},x\n{url},y\n");
        Assert.Equal(url, content.Rows[0].Checked.Url);
        Assert.Contains(FindingCode.UrlEntities, content.Rows[0].Codes);
        Assert.Equal(["pending", "duplicate"], content.Rows.Select(r => r.State));
    }

    [Theory]
    [InlineData("https://media.example.org/get?a=1&copy=2;b=3")]
    [InlineData("https://media.example.org/get?a=1&copy;b=3")]
    [InlineData("https://media.example.org/get?a=1&amp=2")]
    [InlineData("https://media.example.org/get?a=1&eacute;b=2")]
    [InlineData("https://media.example.org/rock&roll;pop.mp4")]
    public async Task Arguments_that_only_look_like_entities_stay(string url) =>
        Assert.Equal(url, (await WholeManifest.ReadAsync($"url,title\n{url},x\n")).Rows[0].Checked.Url);

    [Fact]
    public async Task End_of_a_signed_link_is_seen_through_entities()
    {
        const string signed =
            "https://bucket.s3.amazonaws.com/a.mp4?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20200101T000000Z&X-Amz-Expires=60&X-Amz-Signature=00";
        var content =
            await WholeManifest.ReadAsync($"url,title\n{signed.Replace("&", "&amp;", StringComparison.Ordinal)},One\n{signed},Two\n");
        Assert.Equal([[FindingCode.UrlEntities, FindingCode.UrlExpired], [FindingCode.UrlExpired]], content.Rows.Select(r => r.Codes));
    }

    [Fact]
    public async Task Original_cell_stays_in_the_result_file_and_the_address_that_was_read_is_sent()
    {
        var stage = await ManifestStage.OfAsync(database);
        var id = await stage.ReadAsync("url,title\n\"<https://media.example/get?a=1&amp;b=2>\u00A0\",One\n");
        await stage.StartAsync(id);
        Assert.Equal("https://media.example/get?a=1&b=2",
            await database.OneAsync<string>("SELECT source_url FROM importer.import_record WHERE import_id = $1", id));
        Assert.Equal(["invisible_characters", "url_unwrapped", "url_entities"], (await stage.FindingsAsync(id)).Select(f => f.Code));
        Assert.Contains("<https://media.example/get?a=1&amp;b=2>\u00A0", await stage.ExportAsync(id), StringComparison.Ordinal);
    }

    // --- apostrophes for quotes

    [Theory]
    [InlineData("'{0}','Harbour, at dusk','A-1'", "columns_shifted", "invalid")]
    [InlineData("{0},'Harbour, at dusk',A-1", "columns_shifted", "invalid")]
    [InlineData("{0},Harbour, at dusk,A-1", "too_many_fields", "pending")]
    [InlineData("{0},'Tis the season,A-1,x", "too_many_fields", "pending")]
    [InlineData("'{0}','Fog','A-1'", null, "pending")]
    public async Task Value_that_apostrophes_enclose_is_not_cut_into_two_columns(string line, string? code, string state)
    {
        var content =
            await WholeManifest.ReadAsync($"url,caption,id\n{string.Format(System.Globalization.CultureInfo.InvariantCulture, line, A)}\n");
        Assert.Equal(state, content.Rows[0].State);
        Assert.Equal(code, content.Findings.Select(f => f.Code.Name()).FirstOrDefault(c => c is "columns_shifted" or "too_many_fields"));
    }

    // --- a # in a name

    [Theory]
    [InlineData("https://a.example.org/Take#3.mp4", true)]
    [InlineData("https://a.example.org/Concert #1.mp4", true)]
    [InlineData("https://a.example.org/Concert%20#1", true)]
    [InlineData("https://a.example.org/Vol#1/clip.MOV", true)]
    [InlineData("https://a.example.org/get?name=Take#3.mp4", true)]
    [InlineData("https://a.example.org/Learn C#/lesson.mp4", true)]
    [InlineData("https://a.example.org/#1.mp4", true)]
    [InlineData("https://a.example.org/Take#3.mp4?download=1", true)]
    [InlineData("https://a.example.org/a.mp4#t=10", false)]
    [InlineData("https://a.example.org/a.mp4#b.mp4", false)]
    [InlineData("https://a.example.org/page#section", false)]
    [InlineData("https://a.example.org/page#/media/File:Clip.webm", false)]
    [InlineData("https://a.example.org/page#!clip.mp4", false)]
    [InlineData("https://a.example.org/Take%233.mp4", false)]
    public async Task Hash_that_belongs_to_a_name_is_warned_of_and_counts(string url, bool isName)
    {
        var bare = url.Split('#')[0];
        var content = await WholeManifest.ReadAsync($"url,title\n{bare},x\n{url},y\n{url},z\n");
        Assert.Equal(isName, content.Rows[1].Codes.Contains(FindingCode.UrlHashInName));
        Assert.Equal(["pending", isName ? "pending" : "duplicate", "duplicate"], content.Rows.Select(r => r.State));
        Assert.Equal(url, content.Rows[1].Checked.Url);
        Assert.Contains("%23", FindingCode.UrlHashInName.Hint(), StringComparison.Ordinal);
    }

    // --- duplicates can be taken back

    [Fact]
    public async Task Duplicates_are_sent_when_a_person_names_them_and_only_then()
    {
        var stage = await ManifestStage.OfAsync(database);
        var id = await stage.ReadAsync($"url,title\n{A},One\n{A}#t=1,Two\n{A}#t=2,Three\nhttps://media.example.org/d.mp4,Four\n");
        await stage.StartAsync(id);
        Assert.Equal("pending 2, duplicate 2", await database.SoundCountsAsync(id));

        var untouched = Assert.IsType<RerunDone>(await database.RerunAsync(id));
        Assert.Equal((0, 2), (untouched.Rerun, untouched.Left.Single(r => r.State == RecordState.Duplicate).Count));
        Assert.Equal(1, Assert.IsType<RerunDone>(await database.RerunAsync(id, new RecordFilter { RowNumbers = [3] })).Rerun);
        Assert.Equal(1,
            Assert.IsType<RerunDone>(await database.RerunAsync(id, new RecordFilter { State = RecordState.Duplicate })).Rerun);
        Assert.Equal("pending 4", await database.SoundCountsAsync(id));
        Assert.Equal("pending attempt 0 left 5", await database.RecordAsync(id, 2));
        Assert.Equal(0, Assert.IsType<RerunDone>(await database.RerunAsync(id, new RecordFilter { Code = "duplicate_url" })).Rerun);
    }

    [Fact]
    public async Task Duplicate_gets_its_own_address_by_a_correction_and_the_same_one_is_refused()
    {
        var stage = await ManifestStage.OfAsync(database);
        var id =
            await stage.ReadAsync(
                "url,title\nhttps://media.example.org/Take,One\nhttps://media.example.org/Take#3,Two\nhttps://media.example.org/Take#4,Three\n");
        await stage.StartAsync(id);
        Assert.Equal("pending 1, duplicate 2", await database.SoundCountsAsync(id));
        var report = await stage.CorrectAsync(id,
            "import_row,url,title\n2,https://media.example.org/Take%233,Two\n3,https://media.example.org/Take#5,Other\n");
        Assert.Equal(["corrected", "unchanged"], report.Rows.Select(r => r.Outcome));
        Assert.Contains("rerun", report.Rows[1].Message, StringComparison.Ordinal);
        Assert.Equal("pending 2, duplicate 1", await database.SoundCountsAsync(id));
        Assert.Equal("https://media.example.org/Take%233",
            await database.OneAsync<string>("SELECT source_url FROM importer.import_record WHERE import_id = $1 AND row_number = 2", id));
    }

    [Fact]
    public async Task Row_that_a_result_file_calls_imported_is_not_sent_under_a_masked_address()
    {
        const string signed = "https://media.example.org/a.mp4?sig=secret";
        var stage = await ManifestStage.OfAsync(database);
        var id =
            await stage.ReadAsync(
                $"url,import_row,import_state\n{signed},1,imported\nhttps://media.example.org/b.mp4,2,imported\nhttps://media.example.org/c.mp4,3,failed\n");
        await stage.StartAsync(id);
        var done = Assert.IsType<RerunDone>(await database.RerunAsync(id, new RecordFilter { State = RecordState.Duplicate }));
        Assert.Equal((1, 1), (done.Rerun, done.Left.Single().Count));
        Assert.Equal("pending 2, duplicate 1", await database.SoundCountsAsync(id));
        // The whole result file as a corrections file does not send it either: it is the same source.
        Assert.Equal("unchanged", Assert.Single((await stage.CorrectAsync(id, $"url,import_row\n{signed},1\n")).Rows).Outcome);
    }

    // --- pages that only show a file

    [Theory]
    [InlineData("https://example-my.sharepoint.com/:v:/g/personal/someone_example_org/EAbCdEf?e=xYz", true)]
    [InlineData("https://example.sharepoint.com/sites/Media/_layouts/15/stream.aspx?id=%2Fsites%2FMedia%2Fa.mp4", true)]
    [InlineData("https://example.sharepoint.com/:v:/s/Media/EAbCdEf?download=1", false)]
    [InlineData("https://example.sharepoint.com/sites/Media/Shared%20Documents/a.mp4", false)]
    [InlineData("https://example.box.com/s/abcdefabcdef", true)]
    [InlineData("https://company.app.box.com/s/abcdefabcdef", true)]
    [InlineData("https://app.box.com/s/abcdefabcdef", true)]
    [InlineData("https://app.box.com/shared/static/abc.mp4", false)]
    [InlineData("https://docs.google.com/file/d/AbCdEf/edit", true)]
    [InlineData("https://docs.google.com/uc?export=download&id=AbCdEf", false)]
    [InlineData("https://photos.app.goo.gl/AbCdEf", true)]
    [InlineData("https://photos.google.com/share/AbC", true)]
    [InlineData("https://lh3.googleusercontent.com/abc", false)]
    [InlineData("https://www.icloud.com/iclouddrive/0abc#clip", true)]
    [InlineData("https://share.icloud.com/photos/0abc", true)]
    [InlineData("https://mega.nz/file/abcd#key", true)]
    [InlineData("https://archive.org/details/clip", true)]
    [InlineData("https://archive.org/download/clip/clip.mp4", false)]
    [InlineData("https://disk.yandex.ru/i/abc", true)]
    [InlineData("https://us02web.zoom.us/rec/share/abc", true)]
    [InlineData("https://app.frame.io/reviews/abc", true)]
    [InlineData("https://www.dropbox.com/scl/fi/abc/clip.mp4?rlkey=x&dl=0", true)]
    [InlineData("https://www.dropbox.com/scl/fi/abc/clip.mp4?rlkey=x&dl=1", false)]
    [InlineData("https://www.dropbox.com/s/abc/clip.mp4?raw=1", false)]
    [InlineData("https://www.dropbox.com/s/raw/abc/clip.mp4", false)]
    [InlineData("https://dl.dropbox.com/s/abc/clip.mp4", false)]
    [InlineData("https://drive.google.com/uc?export=download&id=AbCdEf", false)]
    [InlineData("https://github.com/example/repo/blob/main/clip.mp4", true)]
    [InlineData("https://github.com/example/repo/blob/main/clip.mp4?raw=true", false)]
    [InlineData("https://github.com/example/repo/raw/main/clip.mp4", false)]
    [InlineData("https://raw.githubusercontent.com/example/repo/main/clip.mp4", false)]
    [InlineData("https://gitlab.example.org/group/repo/-/blob/main/clip.mp4", true)]
    [InlineData("https://commons.wikimedia.org/wiki/File:Clip.webm", true)]
    [InlineData("https://de.wikipedia.org/wiki/Datei:Clip.webm", true)]
    [InlineData("https://commons.wikimedia.org/w/index.php?title=File:Clip.webm&x=1", true)]
    [InlineData("https://commons.wikimedia.org/wiki/Special:FilePath/Clip.webm", false)]
    [InlineData("https://upload.wikimedia.org/wikipedia/commons/a/ab/Clip.webm", false)]
    [InlineData("https://1drv.ms/v/s!AbCdEf", true)]
    [InlineData("https://notbox.com/s/abc", false)]
    public async Task Page_that_shows_a_shared_file_is_recognised(string url, bool isPage) =>
        Assert.Equal(isPage, (await WholeManifest.ReadAsync($"url,title\n{url},x\n")).Rows[0].Codes
            .Any(code => code is FindingCode.UrlSharePage or FindingCode.UrlMadeDirect));

    // --- lengths

    [Theory]
    [InlineData("gallery", 250)]
    [InlineData("fid", 250)]
    [InlineData("reference_id", 250)]
    [InlineData("filename", 250)]
    [InlineData("caption", 2000)]
    [InlineData("related_link_text", 2000)]
    [InlineData("related_link_url", 2000)]
    [InlineData("tags", 5000)]
    [InlineData("description", 5000)]
    [InlineData("long_description", 20_000)]
    public async Task Value_is_refused_when_it_is_longer_than_its_column_may_be(string column, int longest)
    {
        var fits = string.Concat(Enumerable.Repeat("é", longest));
        var content = await WholeManifest.ReadAsync(
            $"url,{column}\nhttps://a.example.org/1.mp4,{fits}\nhttps://a.example.org/2.mp4,{fits}x\nhttps://a.example.org/3.mp4,ok\n");
        Assert.Equal(["pending", "invalid", "pending"], content.Rows.Select(r => r.State));
        Assert.Equal([(2, column, FindingCode.FieldTooLong)],
            content.Findings.Where(f => f.RowNumber == 2).Select(f => (f.RowNumber, f.Column!, f.Code)));
    }

    [Theory]
    [InlineData("x", 1700)]
    [InlineData("é", 283)] // Six characters each, %C3%A9.
    [InlineData(" ", 566, "a")]
    public async Task A_text_that_no_call_can_hold_is_told_before_anything_is_sent(string letter, int most, string end = "")
    {
        var fits = "a" + string.Concat(Enumerable.Repeat(letter, most - (letter == "x" ? 1 : 0))) + end;
        var content = await WholeManifest.ReadAsync(
            $"url,Description\nhttps://a.example.org/1.mp4,{fits}\nhttps://a.example.org/2.mp4,{fits}{letter}{letter}{end}\n");
        Assert.Equal(["pending", "pending"], content.Rows.Select(r => r.State));
        Assert.Equal([(2, "Description", FindingCode.TextNotWritten, FindingSeverity.Warning)],
            content.Findings.Select(f => (f.RowNumber, f.Column!, f.Code, f.Severity)));
    }

    [Fact]
    public async Task Long_gallery_name_and_long_reference_id_block_their_rows_and_no_correction_brings_one_in()
    {
        var stage = await ManifestStage.OfAsync(database);
        var id =
            await stage.ReadAsync(
                $"url,id,gallery\nhttps://a.example.org/1.mp4,R1,Spring\nhttps://a.example.org/2.mp4,R2,{new string('g', 9000)}\nhttps://a.example.org/3.mp4,{new string('r', 100_000)},Spring\n");
        Assert.Equal("pending 1, invalid 2", await database.SoundCountsAsync(id));
        Assert.Equal([(2, "gallery"), (3, "id")], (await stage.FindingsAsync(id)).Select(f => (f.Row, f.Column!)));
        await stage.StartAsync(id);
        await stage.EndAsync(id, 1, RecordState.Failed);
        var report = await stage.CorrectAsync(id, $"import_row,url,id\n1,https://a.example.org/1.mp4,{new string('r', 251)}\n");
        Assert.StartsWith("field_too_long: ", Assert.Single(report.Rows).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1,5")]
    [InlineData("1.0")]
    [InlineData("1e0")]
    [InlineData("+1")]
    [InlineData("1 000")]
    [InlineData("٣")]
    public async Task Row_number_that_is_not_plainly_one_number_is_no_row(string number)
    {
        var stage = await ManifestStage.OfAsync(database);
        var id = await stage.ReadAsync("url\nhttps://a.example.org/1.mp4\nftp://a.example.org/2.mp4\n");
        await stage.StartAsync(id);
        Assert.Equal("unmatched",
            Assert.Single((await stage.CorrectAsync(id, $"import_row,url\n\"{number}\",https://a.example.org/3.mp4\n")).Rows).Outcome);
    }

    private sealed class CountingLog : ILogger
    {
        public int Errors { get; private set; }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel == LogLevel.Error) Errors++;
        }
    }
}
