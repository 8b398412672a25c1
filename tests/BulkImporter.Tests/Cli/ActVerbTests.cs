using System.Net;
using BulkImporter.Cli;

namespace BulkImporter.Tests.Cli;

/// <summary>start, pause, resume, cancel, rerun and adopt.</summary>
public sealed class ActVerbTests
{
    [Theory]
    [InlineData("start")]
    [InlineData("pause")]
    [InlineData("resume")]
    [InlineData("cancel")]
    public async Task Action_is_posted_once_and_the_new_state_told(string verb)
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, $"/api/v1/imports/7/{verb}", Bodies.Import(state: "running"));

        Assert.Equal(ExitCode.Done, await run.RunAsync(verb, "7"));

        Assert.Single(run.Api.Calls);
        Assert.Contains("Import 7, Spring catalogue, account museum: running", run.Output);
    }

    [Fact]
    public async Task Cancel_asks_for_the_abort_at_Cincopa_only_when_told_to()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, @"/api/v1/imports/7/cancel\?abortRemote=true$", Bodies.Import(state: "cancelled"));

        Assert.Equal(ExitCode.Done, await run.RunAsync("cancel", "7", "--abort-remote"));

        Assert.Single(run.Api.Calls);
    }

    [Fact]
    public async Task Start_sends_only_the_first_records_when_told_to()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, @"/api/v1/imports/7/start\?first=10$", Bodies.Import(state: "running"));

        Assert.Equal(ExitCode.Done, await run.RunAsync("start", "7", "--first", "10"));
        Assert.Equal(ExitCode.Usage, await run.RunAsync("start", "7", "--first", "0"));

        Assert.Single(run.Api.Calls);
    }

    [Fact]
    public async Task Corrections_are_only_checked_when_told_to()
    {
        using var run = new CliRun();
        using var folder = new TemporaryFolder();
        run.Api.On(HttpMethod.Post, @"/api/v1/imports/7/corrections\?check=true$",
            """{"corrected":1,"refused":1,"rows":[{"line":2,"row":5,"outcome":"corrected","message":"Replaced: url."},{"line":3,"row":6,"outcome":"duplicate_url","message":"Row 5 has this address."}]}""");

        Assert.Equal(ExitCode.Done,
            await run.RunAsync("rerun", "7", "--file", folder.File("better.csv", "import_row,url\n"), "--check"));
        Assert.Contains("1 row would be corrected, 1 would not.", run.Output);
        Assert.Contains("line 3, row 6: duplicate_url. Row 5 has this address.", run.Output);
        Assert.Equal(ExitCode.Usage, await run.RunAsync("rerun", "7", "--check"));
    }

    [Theory]
    [InlineData("give-up 7 --all", "/api/v1/imports/7/give-up", """{"state":"unknown"}""", "3 records are given up, 1 is still in doubt.")]
    [InlineData("give-up 7 --code reply_lost", "/api/v1/imports/7/give-up", """{"state":"unknown","code":"reply_lost"}""",
        "3 records are given up, 1 is still in doubt.")]
    [InlineData("adopt 7 --all", "/api/v1/imports/7/adopt", null, "2 records adopted their only candidate, 1 is still in doubt.")]
    public async Task All_records_in_doubt_are_decided_at_once(string line, string path, string? body, string told)
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, path, """{"adopted":2,"givenUp":3,"stillUnknown":1}""");

        Assert.Equal(ExitCode.Done, await run.RunAsync(line.Split(' ')));

        Assert.Equal(body ?? "", run.Api.Calls.Single().Body ?? "");
        Assert.Contains(told, run.Output);
    }

    [Theory]
    [InlineData("undo 7 --dry-run", """{"dryRun":true}""", "12 assets would be deleted in Cincopa, 3 would stay.")]
    [InlineData("undo 7 --name Spring --record 3", """{"name":"Spring","recordIds":[3]}""",
        "12 assets are being deleted in Cincopa, 3 stay.")]
    public async Task An_undo_is_posted_with_the_name_or_as_a_dry_run_and_tells_what_stays(string line, string body, string told)
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/imports/7/undo",
            """{"toDelete":12,"left":3,"reasons":[{"reason":"adopted","count":3,"sentence":"It was adopted.","rowNumbers":[4,9]}]}""");

        Assert.Equal(ExitCode.Done, await run.RunAsync(line.Split(' ')));

        Assert.Equal(body, run.Api.Calls.Single().Body);
        Assert.Contains(told, run.Output);
        Assert.Contains("  3 adopted: It was adopted. Rows 4, 9, ….", run.Output);
        Assert.Equal(line.Contains("--name", StringComparison.Ordinal),
            run.Output.Contains("show 7 --watch", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("undo 7")]
    [InlineData("undo 7 --dry-run --name Spring")]
    [InlineData("give-up 7")]
    [InlineData("give-up 7 --all --record 3")]
    [InlineData("adopt 7")]
    [InlineData("adopt 7 3 --all")]
    public async Task What_is_decided_must_be_beyond_doubt(string line)
    {
        using var run = new CliRun();
        Assert.Equal(ExitCode.Usage, await run.RunAsync(line.Split(' ')));
        Assert.Empty(run.Api.Calls);
    }

    [Fact]
    public async Task Action_in_the_wrong_state_exits_5()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/imports/7/start", () =>
            FakeApi.Problem(HttpStatusCode.Conflict, "Refused", "Import 7 is finished."));

        Assert.Equal(ExitCode.Refused, await run.RunAsync("start", "7"));
    }

    [Theory]
    [InlineData("rerun 7", """{"state":"failed"}""")]
    [InlineData("rerun 7 --state unknown", """{"state":"unknown"}""")]
    [InlineData("rerun 7 --code source_timeout", """{"code":"source_timeout"}""")]
    [InlineData("rerun 7 --code source_forbidden --push", """{"push":true,"code":"source_forbidden"}""")]
    [InlineData("rerun 7 --record 3 --record 5", """{"recordIds":[3,5]}""")]
    public async Task Rerun_sends_exactly_the_selection(string line, string body)
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/imports/7/rerun", """{"rerun":2,"refused":0,"refusals":[]}""");

        Assert.Equal(ExitCode.Done, await run.RunAsync(line.Split(' ')));

        Assert.Equal(body, run.Api.Calls.Single().Body);
        Assert.Contains("2 records will be sent again", run.Output);
    }

    [Theory]
    [InlineData("revise 7 --map url=file --first-rows 10", """{"map":"url=file","firstRows":10}""")]
    [InlineData("revise 7 --account museum --when-unknown resubmit --priority -1",
        """{"account":"museum","whenUnknown":"resubmit","priority":-1}""")]
    public async Task Revise_sends_only_what_was_given(string line, string body)
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Patch, "/api/v1/imports/7", Bodies.Import(state: "parsing"));

        Assert.Equal(ExitCode.Done, await run.RunAsync(line.Split(' ')));

        Assert.Equal(body, run.Api.Calls.Single().Body);
    }

    [Fact]
    public async Task Records_are_given_up_one_by_one_and_a_refusal_ends_with_5()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/imports/7/records/3/give-up", """{"rowNumber":3,"state":"failed"}""");
        run.Api.On(HttpMethod.Post, "/api/v1/imports/7/records/5/give-up", () =>
            FakeApi.Problem(HttpStatusCode.Conflict, "Refused", "Row 5 is imported."));

        Assert.Equal(ExitCode.Refused, await run.RunAsync("give-up", "7", "--record", "3", "--record", "5"));

        Assert.Contains("Row 3 is given up: failed.", run.Output);
        Assert.Contains("Row 5 is imported.", run.Error);
    }

    [Fact]
    public async Task Rerun_tells_what_was_left_and_why()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/imports/7/rerun",
            """{"rerun":1,"refused":2,"refusals":[{"state":"imported","count":2,"reason":"It is imported."}]}""");

        Assert.Equal(ExitCode.Done, await run.RunAsync("rerun", "7", "--record", "1"));

        Assert.Contains("1 record will be sent again, 2 were not changed.", run.Output);
        Assert.Contains("2 imported: It is imported.", run.Output);
    }

    [Fact]
    public async Task Rerun_of_which_everything_was_refused_exits_5()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/imports/7/rerun",
            """{"rerun":0,"refused":1,"refusals":[{"state":"imported","count":1,"reason":"It is imported."}]}""");

        Assert.Equal(ExitCode.Refused, await run.RunAsync("rerun", "7", "--record", "1"));
    }

    [Theory]
    [InlineData(
        """{"corrected":1,"refused":1,"rows":[{"line":2,"row":5,"outcome":"corrected","message":""},{"line":3,"row":6,"outcome":"wrong_state","message":"It is imported."}]}""", ExitCode.Done)]
    [InlineData("""{"corrected":0,"refused":1,"rows":[{"line":3,"row":6,"outcome":"wrong_state","message":"It is imported."}]}""",
        ExitCode.Refused)]
    public async Task Rerun_with_a_file_sends_it_and_tells_the_rows_that_were_left(string answer, int exitCode)
    {
        using var folder = new TemporaryFolder();
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/imports/7/corrections", answer);

        Assert.Equal(exitCode,
            await run.RunAsync("rerun", "7", "--file", folder.File("better.csv", "import_row,url\n5,https://media.example/5.mp4\n")));

        var call = run.Api.Calls.Single();
        Assert.Equal(("import_row,url\n5,https://media.example/5.mp4\n", "text/csv"), (call.Body, call.ContentType));
        Assert.Contains("line 3, row 6: wrong_state. It is imported.", run.Output);
        Assert.DoesNotContain("line 2", run.Output);
    }

    [Fact]
    public async Task Rerun_with_a_file_that_is_not_there_exits_1_and_names_it()
    {
        using var run = new CliRun();
        Assert.NotEqual(ExitCode.Done, await run.RunAsync("rerun", "7", "--file", "/nowhere/better.csv"));
        Assert.Contains("/nowhere/better.csv", run.Error);
        Assert.Empty(run.Api.Calls);
    }

    [Fact]
    public async Task Adopt_sends_the_asset_and_tells_what_the_row_is_now()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/imports/7/records/12/adopt", """{"rowNumber":12,"state":"imported","rid":"AbC"}""");

        Assert.Equal(ExitCode.Done, await run.RunAsync("adopt", "7", "12", "AbC"));

        Assert.Equal("""{"rid":"AbC"}""", run.Api.Calls.Single().Body);
        Assert.Contains("Row 12 is imported: asset AbC.", run.Output);
    }

    [Fact]
    public async Task Adopt_orders_a_look_and_says_when_it_begins()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/imports/7/records/12/look", """{"dueAt":"2026-11-23T11:00:00Z"}""");

        Assert.Equal(ExitCode.Done, await run.RunAsync("adopt", "7", "12", "--look-again"));

        Assert.Contains("Cincopa is searched for row 12 at 2026-11-23 11:00:00", run.Output);
        Assert.Equal(ExitCode.Usage, await run.RunAsync("adopt", "7", "12", "AbC", "--look-again"));
        Assert.Equal(ExitCode.Usage, await run.RunAsync("adopt", "7", "--all", "--look-again"));
        Assert.Single(run.Api.Calls);
    }

    [Fact]
    public async Task Adopt_without_an_asset_lists_the_candidates_and_changes_nothing()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7/records/12/candidates",
            """{"items":[{"rid":"AbC","fileName":"clip.mp4","sizeBytes":2048,"uploadedAt":"2026-11-23T10:00:00Z","caption":"One","type":"video","reason":"uploaded 3 s after the attempt","isLikeliest":true}],"lookedAt":"2026-11-23T11:00:00Z","problem":"permission\ndenied"}""");

        Assert.Equal(ExitCode.Done, await run.RunAsync("adopt", "7", "12"));

        Assert.Matches(@"AbC\s+clip\.mp4\s+video\s+2\.0 KB\s+2026-11-23 10:00:00\s+One\s+likeliest: uploaded 3 s after the attempt",
            run.Output);
        Assert.Contains("Searched at 2026-11-23 11:00:00: 1 found. The account's assets cannot be listed now: permission denied",
            run.Error);
    }

    [Fact]
    public async Task Adopt_of_what_was_not_looked_for_yet_says_so()
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Get, "/api/v1/imports/7/records/12/candidates", """{"items":[],"lookedAt":null,"problem":null}""");

        Assert.Equal(ExitCode.Done, await run.RunAsync("adopt", "7", "12"));

        Assert.Equal("Cincopa has not been searched for it yet. Only records in doubt are searched for." + Environment.NewLine, run.Error);
    }

    [Theory]
    [InlineData(HttpStatusCode.Conflict, ExitCode.Refused)]
    [InlineData(HttpStatusCode.UnprocessableEntity, ExitCode.Failed)]
    [InlineData(HttpStatusCode.FailedDependency, ExitCode.Failed)]
    [InlineData(HttpStatusCode.NotFound, ExitCode.NotFound)]
    public async Task Adopt_that_is_refused_repeats_the_servers_words(HttpStatusCode status, int exitCode)
    {
        using var run = new CliRun();
        run.Api.On(HttpMethod.Post, "/api/v1/imports/7/records/12/adopt", () =>
            FakeApi.Problem(status, "Not adopted", "The asset AbC is row 3 of import 2 already."));

        Assert.Equal(exitCode, await run.RunAsync("adopt", "7", "12", "AbC"));

        Assert.Contains("The asset AbC is row 3 of import 2 already.", run.Error);
    }
}
