using System.CommandLine;
using System.CommandLine.Parsing;
using BulkImporter.Accounts;
using BulkImporter.Api;
using BulkImporter.Records;
using static BulkImporter.Cli.Options;

namespace BulkImporter.Cli;

/// <summary>
/// <c>account add|list|check|galleries|limits|player|token|resume|source-header</c>: the Cincopa accounts that the server imports for.
/// </summary>
internal static class AccountVerb
{
    public static Verb Of(Surroundings surroundings) =>
        new Verb("account", "Add, check, limit and resume Cincopa accounts.", "BulkImporter account list",
            "BulkImporter account add museum --token-stdin < token.txt")
            .Takes(Add(surroundings), List(surroundings), Check(surroundings), Galleries(surroundings), Limits(surroundings),
                Player(surroundings), Token(surroundings), Resume(surroundings), SourceHeader(surroundings));

    private static Argument<string> AccountName() => new("NAME") { Description = "The account's name" };

    private static string PathOf(string name) => $"accounts/{Uri.EscapeDataString(name)}";

    private static Option<bool> TokenStdin() => Flag("--token-stdin",
        "Read the API token from standard input, the only way: every user of the machine can see arguments");

    private static Func<CommandResult, string?[]> Needs(Option<bool> tokenStdin) => result => result.GetValue(tokenStdin) ? [] :
    [
        "The token comes from standard input only, and --token-stdin says that you know: BulkImporter account "
            + $"{result.Command.Name} NAME --token-stdin < token.txt",
    ];

    private static Option<bool> Anyway() => Flag("--anyway", "Save the token even if Cincopa does not accept it now");

    private static async Task<string> ReadTokenAsync(Call call)
    {
        var token = PlainText.Trimmed(await call.Surroundings.Input.ReadToEndAsync(call.CancellationToken));
        return token.Length == 0 || token.Any(char.IsWhiteSpace)
            ? throw new VerbFailure(ExitCode.Usage, "Standard input must contain the token and nothing else.",
                "For example: BulkImporter account add museum --token-stdin < token.txt")
            : token;
    }

    private static string Limit(string limit) => limit == "0" ? "none" : limit;

    private static string Sentence(AccountView account) =>
        $"Account {Wording.Plain(account.Name)} at {Wording.Plain(account.BaseUrl)}: "
            + $"{Wording.Of(account.State)}{(account.Reason is null ? "" : $" ({Wording.Plain(account.Reason)})")}. Limits: "
            + $"{string.Join(", ", AccountLimit.All.Select(l => $"{l.Words} {Limit(l.Text(account))}"))}. "
            + $"Verb: {VerbOf(account)}. Now: {Wording.Count(account.InFlight, "record", "records")} being sent, "
            + $"{account.Outstanding} being fetched."
            + $"{(account.Warning is null ? "" : $" Warning: {Wording.Plain(account.Warning)}")}";

    private static string VerbOf(AccountView account) =>
        account.Verb == VerbSetting.Auto ? $"auto (now {Wording.Of(account.VerbInUse).ToUpperInvariant()})" : Wording.Of(account.Verb);

    /// <summary>The account after a change, or as it is when there is none.</summary>
    private static Task<ApiReply<AccountView>> ChangedAsync(Call call, string name, AccountChange change) =>
        call.SendAsync<AccountView>(change == new AccountChange() ? HttpMethod.Get : HttpMethod.Patch, PathOf(name),
            change == new AccountChange() ? null : change);

    private static ClientVerb Add(Surroundings surroundings)
    {
        var (name, tokenStdin, anyway) = (AccountName(), TokenStdin(), Anyway());
        var baseUrl = Text("--base-url", "URL", "Where Cincopa's API is, when not at its usual address");
        return new(surroundings, "add", "Add an account. Its token is stored encrypted and never shown again.",
            ["BulkImporter account add museum --token-stdin < token.txt",
                "pass show cincopa/museum | BulkImporter account add museum --token-stdin"],
            [name, tokenStdin, baseUrl, anyway],
            async call => await call.TellAsync(call.PostAsync<AccountView>("accounts", new NewAccountBody(
                call.Get(name), await ReadTokenAsync(call), call.Get(baseUrl), call.Get(anyway) ? true : null)), Sentence),
            refuses: Needs(tokenStdin));
    }

    private static ClientVerb List(Surroundings surroundings) =>
        new(surroundings, "list", "List the accounts with their state and limits.", ["BulkImporter account list"], [],
            call => call.ListAsync<AccountView>("accounts",
                ["name", "state", .. AccountLimit.All.Select(l => l.Words), "verb", "address", "reason or warning"],
                account => [account.Name, Wording.Of(account.State), .. AccountLimit.All.Select(l => Limit(l.Text(account))),
                    VerbOf(account), account.BaseUrl, account.Reason ?? account.Warning],
                "No accounts yet. Add one with: BulkImporter account add NAME --token-stdin"));

    private static ClientVerb Check(Surroundings surroundings)
    {
        var name = AccountName();
        return new(surroundings, "check", "Ask Cincopa whether the account's token works and what it may do.",
            ["BulkImporter account check museum"], [name],
            async call =>
            {
                var answer = await call.PostAsync<AccountCheck>(PathOf(call.Get(name)) + "/check");
                call.Tell(answer, check =>
                {
                    call.Say(check.Ok ? $"The token works: Cincopa account {Wording.Plain(check.AccountId)}."
                        : $"The check failed: {Wording.Plain(check.Message)}");
                    if (check.Permissions is { Count: > 0 })
                        call.Say("Permissions: " + Wording.Plain(string.Join(", ", check.Permissions)));
                    if (check is { Ok: true, Message: { } warning }) call.Say("Warning: " + Wording.Plain(warning));
                });
                return answer.Value.Ok ? ExitCode.Done : ExitCode.Failed;
            });
    }

    private static ClientVerb Galleries(Surroundings surroundings)
    {
        var name = AccountName();
        var search = Text("--search", "TEXT", "Only galleries that Cincopa finds for this text");
        var after = Text("--after", "CURSOR", "Continue after the page that ended with this cursor");
        return new(surroundings, "galleries",
            "List the account's galleries at Cincopa, a page at a time: the id is what the setting fid of an import takes.",
            ["BulkImporter account galleries museum --search Spring"], [name, search, after],
            call => call.ShowAsync(call.GetAsync<Page<GalleryView>>($"{PathOf(call.Get(name))}/galleries"
                + Query.Of(("search", call.Get(search) ?? ""), ("after", call.Get(after) ?? ""))), page =>
            {
                foreach (var gallery in page.Items)
                    call.Say($"{Wording.Plain(gallery.Fid)}  {Wording.Plain(gallery.Name ?? "(without a name)")}");
                if (page.Next is { } next) call.Say($"There are more: --after {next}");
            }));
    }

    private static ClientVerb Limits(Surroundings surroundings)
    {
        var name = AccountName();
        var limits = AccountLimit.All.ToDictionary(l => l, OptionOf);
        var verb = Choice<VerbSetting>("--verb",
            "How upload_from_url is called: auto (GET, and POST where Cincopa does not take GET), get or post; a suspended account becomes "
                + "active", "VERB");
        return new(surroundings, "limits",
            "Show or change how an account is called and its limits. A change takes effect within seconds, without a restart.",
            ["BulkImporter account limits museum", "BulkImporter account limits museum --rate 10 --max-in-flight 20",
                "BulkImporter account limits museum --verb post"],
            [name, .. limits.Values, verb],
            call => call.TellAsync(ChangedAsync(call, call.Get(name), limits.Where(l => call.Get(l.Value) is not null).Aggregate(
                new AccountChange(Verb: call.Get(verb) is { } word ? EnumText<VerbSetting>.Parse(word) : null),
                (change, l) => l.Key.With(change, call.Get(l.Value)!))), Sentence));
    }

    private static Option<string?> OptionOf(AccountLimit limit)
    {
        var option = Text(limit.Option, "N", limit.Help);
        option.Validators.Add(result =>
        {
            try
            {
                foreach (var token in result.Tokens) limit.With(new AccountChange(), token.Value);
            }
            catch (InvalidArgumentException refused)
            {
                result.AddError($"{limit.Option}: {refused.Message}");
            }
        });
        return option;
    }

    private static ClientVerb Player(Surroundings surroundings)
    {
        var name = AccountName();
        var template = Text("--player-template", "FID",
            "The gallery or template that embeds play with; empty for the gallery that each asset is in");
        var embed = Text("--embed-address", "URL",
            $"The URL of embeds, empty for {PlayerSettings.DefaultEmbed}, which is unproven");
        var hls = Text("--hls-address", "URL", $"The URL of playlists, empty for {PlayerSettings.DefaultHls}, which is unproven");
        return new(surroundings, "player",
            "Show or change where the account's assets play. Result files, record pages and the map of old addresses use it.",
            ["BulkImporter account player museum", "BulkImporter account player museum --player-template AkIAw6ufdBqZ"],
            [name, template, embed, hls],
            call => call.TellAsync(
                ChangedAsync(call, call.Get(name), new AccountChange(
                    PlayerTemplate: call.Get(template), EmbedAddress: call.Get(embed), HlsAddress: call.Get(hls))),
                account => $"Embeds play with {Wording.Plain(account.PlayerTemplate ?? "the gallery of each asset")}, at "
                    + $"{Wording.Plain(account.EmbedAddress)}. Playlists are at {Wording.Plain(account.HlsAddress)}."));
    }

    private static ClientVerb Token(Surroundings surroundings)
    {
        var (name, tokenStdin, anyway) = (AccountName(), TokenStdin(), Anyway());
        var baseUrl = Text("--base-url", "URL", "Where Cincopa's API is from now on");
        return new(surroundings, "token", "Replace the account's API token. A suspended account becomes active.",
            ["BulkImporter account token museum --token-stdin < token.txt"], [name, tokenStdin, baseUrl, anyway],
            async call => await call.TellAsync(ChangedAsync(call, call.Get(name), new AccountChange(
                Token: await ReadTokenAsync(call), BaseUrl: call.Get(baseUrl), Anyway: call.Get(anyway) ? true : null)), Sentence),
            refuses: Needs(tokenStdin));
    }

    private static ClientVerb SourceHeader(Surroundings surroundings)
    {
        var name = AccountName();
        var host = Text("--host", "HOST",
            "Where it is sent: media.example.com (https), media.example.com:8443, or http://media.example.com (unencrypted)");
        var header = Text("--header", "NAME", "The header, e.g. Authorization");
        var valueStdin = Flag("--value-stdin",
            "Read the value from standard input, the only way: every user of the machine can see arguments");
        var remove = Flag("--remove", "Forget it");
        return new(surroundings, "source-header",
            "Request headers that the account's sources need, for pushes and probes: list them, set one, remove one. Values are stored "
                + "encrypted and never shown.",
            ["BulkImporter account source-header museum",
                "BulkImporter account source-header museum --host media.example.com --header Authorization --value-stdin < header.txt",
                "BulkImporter account source-header museum --host media.example.com --header Authorization --remove"],
            [name, host, header, valueStdin, remove],
            async call =>
            {
                var path = PathOf(call.Get(name)) + "/source-headers";
                if (call.Get(host) is not { } toHost || call.Get(header) is not { } named)
                    return await call.ShowAsync(call.GetAsync<Page<SourceHeaderView>>(path), page =>
                    {
                        if (page.Items.Count == 0) call.Note("No header is kept.");
                        foreach (var kept in page.Items) call.Say($"{Wording.Plain(kept.Name)} for {Wording.Plain(kept.Host)}");
                    });
                if (call.Get(remove))
                    return await call.OrderAsync(HttpMethod.Delete, path + Query.Of(("host", toHost), ("header", named)),
                        $"{Wording.Plain(named)} is no longer sent to {Wording.Plain(toHost)}.");

                var value = (await call.Surroundings.Input.ReadToEndAsync(call.CancellationToken)).Trim();
                if (value.Length == 0)
                    throw new VerbFailure(ExitCode.Usage, "Standard input must contain the header's value and nothing else.",
                        "For example: Bearer 1234");
                return await call.OrderAsync(HttpMethod.Put, path,
                    $"{Wording.Plain(named)} is sent to {Wording.Plain(toHost)}, and to no other host.",
                    new SourceHeaderBody(toHost, named, value));
            },
            refuses: result =>
            {
                var (sets, removes) = (result.GetValue(valueStdin), result.GetValue(remove));
                var given = (result.GetValue(host) is null ? 0 : 1) + (result.GetValue(header) is null ? 0 : 1);
                return given == (sets || removes ? 2 : 0) && !(sets && removes) ? [] :
                [
                    "To set a header, give --host, --header and --value-stdin. To remove it, give --host, --header and --remove. Without "
                        + "any of these, the headers are listed.",
                ];
            });
    }

    private static ClientVerb Resume(Surroundings surroundings)
    {
        var name = AccountName();
        return new(surroundings, "resume", "Resume a suspended account, after its token or quota was corrected.",
            ["BulkImporter account resume museum"], [name],
            call => call.TellAsync(call.PostAsync<AccountView>(PathOf(call.Get(name)) + "/resume"), Sentence));
    }
}
