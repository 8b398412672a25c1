using System.CommandLine;
using System.Globalization;
using BulkImporter.Accounts;
using BulkImporter.Api;
using BulkImporter.Data;
using BulkImporter.Records;
using Spectre.Console;

namespace BulkImporter.Cli;

/// <summary>
/// <c>account add|list|check|galleries|limits|player|token|resume|source-header</c>: the Cincopa accounts that the server imports for.
/// </summary>
internal sealed class AccountVerb : Verb
{
    public AccountVerb(Surroundings surroundings)
        : base("account", "Add, check, limit and resume Cincopa accounts.", "BulkImporter account list",
            "BulkImporter account add museum --token-stdin < token.txt")
    {
        Takes(new AccountAddVerb(surroundings), new AccountListVerb(surroundings), new AccountCheckVerb(surroundings),
            new AccountGalleriesVerb(surroundings), new AccountLimitsVerb(surroundings), new AccountPlayerVerb(surroundings),
            new AccountTokenVerb(surroundings),
            new AccountResumeVerb(surroundings), new AccountSourceHeaderVerb(surroundings));
    }

    private static Argument<string> AccountName() => new("NAME") { Description = "The account's name" };

    private static string PathOf(string name, string? action = null) => $"accounts/{Uri.EscapeDataString(name)}{action}";

    private static Option<bool> TokenStdin(Command verb)
    {
        var option = new Option<bool>("--token-stdin")
        { Description = "Read the API token from standard input, the only way in: arguments are seen by every user of the machine" };
        verb.Validators.Add(result =>
        {
            if (!result.GetValue(option))
                result.AddError(
                    $"The token comes from standard input only, and --token-stdin says that you know: BulkImporter account {verb.Name} "
                        + "NAME --token-stdin < token.txt");
        });
        return option;
    }

    private static Option<bool> Anyway() =>
        new("--anyway") { Description = "Save the token although Cincopa does not accept it now" };

    private static async Task<string> ReadTokenAsync(Surroundings surroundings, CancellationToken cancellationToken)
    {
        var token = PlainText.Trimmed(await surroundings.Input.ReadToEndAsync(cancellationToken));
        return token.Length == 0 || token.Any(char.IsWhiteSpace)
            ? throw new VerbFailure(ExitCode.Usage, "Standard input must hold the token and nothing else.",
                "For example: BulkImporter account add museum --token-stdin < token.txt")
            : token;
    }

    private static string Limit(string limit) => limit == "0" ? "none" : limit;

    private static string Sentence(AccountView account) => string.Create(CultureInfo.InvariantCulture,
        $"Account {Wording.Plain(account.Name)} at {Wording.Plain(account.BaseUrl)}: "
            + $"{Wording.Of(account.State)}{(account.Reason is null ? "" : $" ({Wording.Plain(account.Reason)})")}. Limits: "
            + $"{string.Join(", ", AccountLimit.All.Select(l => $"{l.Words} {Limit(l.Text(account))}"))}. "
            + $"Verb: {VerbOf(account)}. Now: {Wording.Count(account.InFlight, "record", "records")} being sent, "
            + $"{account.Outstanding} being fetched."
            + $"{(account.Warning is null ? "" : $" Warning: {Wording.Plain(account.Warning)}")}");

    private static string VerbOf(AccountView account) =>
        account.Verb == VerbSetting.Auto ? $"auto (now {Wording.Of(account.VerbInUse).ToUpperInvariant()})" : Wording.Of(account.Verb);

    private sealed class AccountAddVerb : ClientVerb
    {
        private readonly Argument<string> name = AccountName();
        private readonly Option<string?> baseUrl = new("--base-url")
        { HelpName = "URL", Description = "Where Cincopa's API is, when not at its usual address" };
        private readonly Option<bool> anyway = Anyway();

        public AccountAddVerb(Surroundings surroundings)
            : base(surroundings, "add", "Add an account. Its token is stored encrypted and never shown again.",
                "BulkImporter account add museum --token-stdin < token.txt",
                "pass show cincopa/museum | BulkImporter account add museum --token-stdin")
        {
            TakesFromServer(name, TokenStdin(this), baseUrl, anyway, Json);
        }

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            var token = await ReadTokenAsync(Surroundings, cancellationToken);
            var account = await api.SendAsync<AccountView>(HttpMethod.Post, "accounts",
                new NewAccountBody(line.GetRequiredValue(name), token, line.GetValue(baseUrl), line.GetValue(anyway) ? true : null),
                cancellationToken);
            Surroundings.Output.WriteLine(line.GetValue(Json) ? account.Json : Sentence(account.Value));
            return ExitCode.Done;
        }
    }

    private sealed class AccountListVerb : ClientVerb
    {
        public AccountListVerb(Surroundings surroundings)
            : base(surroundings, "list", "List the accounts with their state and limits.", "BulkImporter account list") =>
                TakesFromServer(Json);

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            var page = await api.GetAsync<Page<AccountView>>("accounts", cancellationToken);
            if (line.GetValue(Json))
            {
                Surroundings.Output.WriteLine(page.Json);
                return ExitCode.Done;
            }

            if (page.Value.Items.Count == 0)
            {
                Surroundings.Error.WriteLine("No accounts yet. Add one with: BulkImporter account add NAME --token-stdin");
                return ExitCode.Done;
            }

            var table = ImportPicture.TableOf(Surroundings,
                ["name", "state", .. AccountLimit.All.Select(l => l.Words), "verb", "address", "reason or warning"]);
            foreach (var account in page.Value.Items)
            {
                table.AddRow([new Text(Wording.Plain(account.Name)), new Text(Wording.Of(account.State)),
                    .. AccountLimit.All.Select(l => new Text(Limit(l.Text(account)))), new Text(VerbOf(account)),
                    new Text(Wording.Plain(account.BaseUrl)), new Text(Wording.Plain(account.Reason ?? account.Warning))]);
            }

            Surroundings.Screen.Write(table);
            return ExitCode.Done;
        }
    }

    private sealed class AccountCheckVerb : ClientVerb
    {
        private readonly Argument<string> name = AccountName();

        public AccountCheckVerb(Surroundings surroundings)
            : base(surroundings, "check", "Ask Cincopa whether the account's token works and what it may do.",
                "BulkImporter account check museum") => TakesFromServer(name, Json);

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            var check = await api.SendAsync<AccountCheck>(HttpMethod.Post, PathOf(line.GetRequiredValue(name), "/check"), null,
                cancellationToken);
            var ok = check.Value.Ok;
            if (line.GetValue(Json))
            {
                Surroundings.Output.WriteLine(check.Json);
            }
            else
            {
                Surroundings.Output.WriteLine(ok ? $"The token works: Cincopa account {Wording.Plain(check.Value.AccountId)}."
                    : $"The check failed: {Wording.Plain(check.Value.Message)}");
                if (check.Value.Permissions is { Count: > 0 })
                    Surroundings.Output.WriteLine("Permissions: " + Wording.Plain(string.Join(", ", check.Value.Permissions)));
                if (ok && check.Value.Message is { } warning)
                    Surroundings.Output.WriteLine("Warning: " + Wording.Plain(warning));
            }

            return ok ? ExitCode.Done : ExitCode.Failed;
        }
    }

    private sealed class AccountGalleriesVerb : ClientVerb
    {
        private readonly Argument<string> name = AccountName();
        private readonly Option<string?> search = new("--search")
        { HelpName = "TEXT", Description = "Only galleries that Cincopa finds for this text" };
        private readonly Option<string?> after = new("--after")
        { HelpName = "CURSOR", Description = "Go on after the page that ended with this cursor" };

        public AccountGalleriesVerb(Surroundings surroundings)
            : base(surroundings, "galleries",
                "List the account's galleries at Cincopa, a page at a time: the id is what the setting fid of an import takes.",
                "BulkImporter account galleries museum --search Spring") => TakesFromServer(name, search, after, Json);

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            var query =
                $"/galleries?search={Uri.EscapeDataString(line.GetValue(search) ?? "")}"
                    + $"&after={Uri.EscapeDataString(line.GetValue(after) ?? "")}";
            var page = await api.SendAsync<Page<GalleryView>>(HttpMethod.Get, PathOf(line.GetRequiredValue(name), query), null,
                cancellationToken);
            if (line.GetValue(Json))
            {
                Surroundings.Output.WriteLine(page.Json);
                return ExitCode.Done;
            }

            foreach (var gallery in page.Value.Items)
                Surroundings.Output.WriteLine($"{Wording.Plain(gallery.Fid)}  {Wording.Plain(gallery.Name ?? "(without a name)")}");
            if (page.Value.Next is { } next) Surroundings.Output.WriteLine($"There are more: --after {next}");
            return ExitCode.Done;
        }
    }

    private sealed class AccountLimitsVerb : ClientVerb
    {
        private readonly Argument<string> name = AccountName();
        private readonly Dictionary<AccountLimit, Option<string?>> limits = AccountLimit.All.ToDictionary(l => l, OptionOf);

        private readonly Option<string?> verb = new("--verb")
        {
            HelpName = "VERB",
            Description =
                    "How upload_from_url is called: auto (GET, and POST where Cincopa does not take GET), get or post; a suspended "
                        + "account becomes active"
        };

        public AccountLimitsVerb(Surroundings surroundings)
            : base(surroundings, "limits",
                "Show or change how an account is called and how hard it is worked. A change works within seconds, without a restart.",
                "BulkImporter account limits museum", "BulkImporter account limits museum --rate 10 --max-in-flight 20",
                "BulkImporter account limits museum --verb post")
        {
            verb.AcceptOnlyFromAmong([.. EnumText<VerbSetting>.All]);
            TakesFromServer([name, .. limits.Values, verb, Json]);
        }

        private static Option<string?> OptionOf(AccountLimit limit)
        {
            var option = new Option<string?>(limit.Option) { HelpName = "N", Description = limit.Help };
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

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            var change = limits.Where(l => line.GetValue(l.Value) is not null).Aggregate(
                new AccountChange(Verb: line.GetValue(verb) is { } word ? EnumText<VerbSetting>.Parse(word) : null),
                (change, l) => l.Key.With(change, line.GetValue(l.Value)!));
            var path = PathOf(line.GetRequiredValue(name));
            var account = change == new AccountChange()
                ? await api.GetAsync<AccountView>(path, cancellationToken)
                : await api.SendAsync<AccountView>(HttpMethod.Patch, path, change, cancellationToken);
            Surroundings.Output.WriteLine(line.GetValue(Json) ? account.Json : Sentence(account.Value));
            return ExitCode.Done;
        }
    }

    private sealed class AccountPlayerVerb : ClientVerb
    {
        private readonly Argument<string> name = AccountName();
        private readonly Option<string?> template = new("--player-template")
        {
            HelpName = "FID",
            Description = "The gallery or template that embeds play with; empty for the gallery that each asset stands in",
        };
        private readonly Option<string?> embed = new("--embed-address")
        {
            HelpName = "URL",
            Description = $"The address of embeds, empty for {PlayerSettings.DefaultEmbed}, which is unproven",
        };
        private readonly Option<string?> hls = new("--hls-address")
        {
            HelpName = "URL",
            Description = $"The address of playlists, empty for {PlayerSettings.DefaultHls}, which is unproven",
        };

        public AccountPlayerVerb(Surroundings surroundings)
            : base(surroundings, "player",
                "Show or change where the account's assets play. Result files, record pages and the map of old addresses use it.",
                "BulkImporter account player museum", "BulkImporter account player museum --player-template AkIAw6ufdBqZ") =>
            TakesFromServer(name, template, embed, hls, Json);

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            var change = new AccountChange(
                PlayerTemplate: line.GetValue(template), EmbedAddress: line.GetValue(embed), HlsAddress: line.GetValue(hls));
            var path = PathOf(line.GetRequiredValue(name));
            var account = change == new AccountChange()
                ? await api.GetAsync<AccountView>(path, cancellationToken)
                : await api.SendAsync<AccountView>(HttpMethod.Patch, path, change, cancellationToken);
            Surroundings.Output.WriteLine(line.GetValue(Json) ? account.Json
                : $"Embeds play with {Wording.Plain(account.Value.PlayerTemplate ?? "the gallery of each asset")}, at "
                    + $"{Wording.Plain(account.Value.EmbedAddress)}. Playlists are at {Wording.Plain(account.Value.HlsAddress)}.");
            return ExitCode.Done;
        }
    }

    private sealed class AccountTokenVerb : ClientVerb
    {
        private readonly Argument<string> name = AccountName();
        private readonly Option<string?> baseUrl = new("--base-url")
        { HelpName = "URL", Description = "Where Cincopa's API is from now on" };
        private readonly Option<bool> anyway = Anyway();

        public AccountTokenVerb(Surroundings surroundings)
            : base(surroundings, "token", "Replace the account's API token. A suspended account becomes active.",
                "BulkImporter account token museum --token-stdin < token.txt") =>
            TakesFromServer(name, TokenStdin(this), baseUrl, anyway, Json);

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            var token = await ReadTokenAsync(Surroundings, cancellationToken);
            var account = await api.SendAsync<AccountView>(HttpMethod.Patch, PathOf(line.GetRequiredValue(name)),
                new AccountChange(Token: token, BaseUrl: line.GetValue(baseUrl), Anyway: line.GetValue(anyway) ? true : null),
                cancellationToken);
            Surroundings.Output.WriteLine(line.GetValue(Json) ? account.Json : Sentence(account.Value));
            return ExitCode.Done;
        }
    }

    private sealed class AccountSourceHeaderVerb : ClientVerb
    {
        private readonly Argument<string> name = AccountName();
        private readonly Option<string?> host = new("--host")
        {
            HelpName = "HOST",
            Description =
                "Where it is sent: media.example.com (https), media.example.com:8443, or http://media.example.com (unencrypted)"
        };
        private readonly Option<string?> header = new("--header") { HelpName = "NAME", Description = "The header, e.g. Authorization" };
        private readonly Option<bool> valueStdin = new("--value-stdin")
        { Description = "Read the value from standard input, the only way in: arguments are seen by every user of the machine" };
        private readonly Option<bool> remove = new("--remove") { Description = "Forget it" };

        public AccountSourceHeaderVerb(Surroundings surroundings)
            : base(surroundings, "source-header",
                "Request headers that the account's sources want, for pushes and probes: list them, set one, remove one. Values are "
                    + "stored encrypted and never shown.",
                "BulkImporter account source-header museum",
                "BulkImporter account source-header museum --host media.example.com --header Authorization --value-stdin < header.txt",
                "BulkImporter account source-header museum --host media.example.com --header Authorization --remove")
        {
            TakesFromServer(name, host, header, valueStdin, remove, Json);
            Validators.Add(result =>
            {
                var names = result.GetValue(host) is not null && result.GetValue(header) is not null;
                var orders = result.GetValue(valueStdin) || result.GetValue(remove);
                if (names != orders || (result.GetValue(valueStdin) && result.GetValue(remove))
                    || (!names && (result.GetValue(host) ?? result.GetValue(header)) is not null))
                    result.AddError(
                        "To set a header, give --host, --header and --value-stdin. To remove it, give --host, --header and --remove. "
                            + "Without any of these, the headers are listed.");
            });
        }

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            var path = PathOf(line.GetRequiredValue(name), "/source-headers");
            if (line.GetValue(host) is not { } toHost || line.GetValue(header) is not { } named)
            {
                var page = await api.GetAsync<Page<SourceHeaderView>>(path, cancellationToken);
                if (line.GetValue(Json)) Surroundings.Output.WriteLine(page.Json);
                else if (page.Value.Items.Count == 0) Surroundings.Error.WriteLine("No header is kept.");
                else foreach (var kept in page.Value.Items)
                    Surroundings.Output.WriteLine($"{Wording.Plain(kept.Name)} for {Wording.Plain(kept.Host)}");
                return ExitCode.Done;
            }

            if (line.GetValue(remove))
            {
                await api.OrderAsync(HttpMethod.Delete, $"{path}?host={Uri.EscapeDataString(toHost)}&header={Uri.EscapeDataString(named)}",
                    cancellationToken);
                Surroundings.Output.WriteLine($"{Wording.Plain(named)} is not sent to {Wording.Plain(toHost)} any more.");
                return ExitCode.Done;
            }

            var value = (await Surroundings.Input.ReadToEndAsync(cancellationToken)).Trim();
            if (value.Length == 0)
                throw new VerbFailure(ExitCode.Usage, "Standard input must hold the header's value and nothing else.",
                    "For example: Bearer 1234");
            await api.OrderAsync(HttpMethod.Put, path, new SourceHeaderBody(toHost, named, value), cancellationToken);
            Surroundings.Output.WriteLine($"{Wording.Plain(named)} is sent to {Wording.Plain(toHost)}, and to no other host.");
            return ExitCode.Done;
        }
    }

    private sealed class AccountResumeVerb : ClientVerb
    {
        private readonly Argument<string> name = AccountName();

        public AccountResumeVerb(Surroundings surroundings)
            : base(surroundings, "resume", "Resume a suspended account, after its token or quota was corrected.",
                "BulkImporter account resume museum") => TakesFromServer(name, Json);

        protected override async Task<int> RunAsync(ParseResult line, ImporterApi api, CancellationToken cancellationToken)
        {
            var account = await api.SendAsync<AccountView>(HttpMethod.Post, PathOf(line.GetRequiredValue(name), "/resume"), null,
                cancellationToken);
            Surroundings.Output.WriteLine(line.GetValue(Json) ? account.Json : Sentence(account.Value));
            return ExitCode.Done;
        }
    }
}
