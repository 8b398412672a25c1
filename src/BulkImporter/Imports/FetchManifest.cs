using System.Net;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using System.Web;
using BulkImporter.Accounts;
using BulkImporter.Manifests;
using BulkImporter.Sources;

namespace BulkImporter.Imports;

/// <summary>
/// Makes an import of a manifest that is fetched from an address: a file that another system publishes, or a Google Sheet. The address is
/// called as a source is, with the headers that the account keeps for its host, and nothing of what a foreign server says is repeated.
/// </summary>
public sealed partial class FetchManifest(
    ReachSource reach, SourceHeaders headers, UploadManifest upload, CreateImport create, IDbContextFactory<ImporterDb> contexts,
    TimeProvider clock)
{
    /// <summary>For the whole file, however slowly it comes.</summary>
    internal static readonly TimeSpan Limit = TimeSpan.FromMinutes(15);

    private const string Argument = "from";

    /// <param name="from">An https address; of a Google Sheet the one that its window shows.</param>
    /// <param name="fileName">What to call the file; null for the name that the server or the address gives it.</param>
    /// <exception cref="InvalidArgumentException">A setting cannot be used, or no manifest came from the address.</exception>
    /// <exception cref="ManifestTooLargeException">The file is larger than an uploaded one may be.</exception>
    public async Task<CreatedImport> RunAsync(NewImport import, string from, string? fileName, CancellationToken cancellationToken)
    {
        if (await create.FindByKeyAsync(import.IdempotencyKey, cancellationToken) is { } known) return known;
        await create.CheckAsync(import, mayNameAccount: false, cancellationToken);
        var manifest = await FetchAsync(Check(from), fileName, import.Account, cancellationToken);
        return await create.RunAsync(import with { ManifestId = manifest.Id }, cancellationToken);
    }

    private async Task<UploadedManifest> FetchAsync(Uri address, string? fileName, string? account, CancellationToken cancellationToken)
    {
        var sheet = SheetExport(address);
        using var late = new CancellationTokenSource(Limit, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            using var answer = await reach.RunAsync(
                new SourceRequest(sheet ?? address, Headers: await SecretsAsync(account, either.Token)), either.Token);
            // A sheet that nobody shared leads to Google's page for signing in.
            if (sheet is not null && (answer.Problem is SourceProblem.Forbidden || answer.MediaType == "text/html"))
                throw Refused(NotShared);
            if (answer.Problem is not null) throw Refused(answer.Detail);
            if (answer.Url.Scheme != address.Scheme) throw Refused($"{address.IdnHost} redirects to a URL that is not https.");
            return await upload.RunAsync(new Body(answer), fileName ?? answer.FileName ?? NameIn(address), either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Refused($"{address.IdnHost} did not send it within {Limit.TotalMinutes:0} minutes.");
        }
        catch (InvalidArgumentException notTaken) when (notTaken.Argument == "file")
        {
            throw Refused($"The file that {address.IdnHost} sent is not a manifest. {notTaken.Message}");
        }
    }

    private const string NotShared =
        "Google does not show this sheet to everybody. Open Share there and choose 'Anyone with the link', or download it as CSV.";

    /// <summary>The address as it can be called.</summary>
    /// <exception cref="InvalidArgumentException">It is not an https address, or it holds a password.</exception>
    private static Uri Check(string from)
    {
        if (!Uri.TryCreate(from.Trim(), UriKind.Absolute, out var address) || address.Scheme is not ("https" or "http"))
            throw new InvalidArgumentException(Argument, "The URL of a manifest must start with https://.");
        // In the clear, somebody on the way could write another manifest. In a network of the operator's own that is theirs to judge.
        if (address.Scheme == Uri.UriSchemeHttp && !(IPAddress.TryParse(address.DnsSafeHost, out var ip) && InnerAddress.Is(ip)))
            throw new InvalidArgumentException(Argument, "The URL of a manifest must start with https://, not with http://.");
        if (address.UserInfo.Length > 0)
            throw new InvalidArgumentException(Argument,
                "The URL has a user name. Add a source header for its host instead (Accounts, Source headers).");
        return address;
    }

    /// <summary>Where Google gives a sheet out as CSV; null for another address.</summary>
    internal static Uri? SheetExport(Uri address)
    {
        if (address.IdnHost != "docs.google.com" || SheetPath().Match(address.AbsolutePath) is not { Success: true } match) return null;
        // The tab that the window shows stands in the fragment, and in links from elsewhere in the query.
        var tab = HttpUtility.ParseQueryString(address.Fragment.TrimStart('#'))["gid"]
            ?? HttpUtility.ParseQueryString(address.Query)["gid"];
        var gid = tab is not null && tab.All(char.IsAsciiDigit) ? $"&gid={tab}" : "";
        return new Uri($"https://docs.google.com/spreadsheets/d/{match.Groups["id"].Value}/export?format=csv{gid}");
    }

    // A published one (/d/e/…/pub) says itself as what it is given out.
    [GeneratedRegex("^/spreadsheets/(u/[0-9]+/)?d/(?<id>[A-Za-z0-9_-]{10,})(/(edit|view|htmlview)?)?$", RegexOptions.ExplicitCapture)]
    private static partial Regex SheetPath();

    private async Task<IReadOnlyList<SecretHeader>> SecretsAsync(string? account, CancellationToken cancellationToken)
    {
        try
        {
            var accountId = await contexts.ReadAsync(db => CreateImport.AccountAsync(db, account, cancellationToken));
            return await headers.OfAccountAsync(accountId, cancellationToken);
        }
        catch (CryptographicException)
        {
            throw Refused("The source headers of the account cannot be decrypted. Set them again under Accounts.");
        }
    }

    private static InvalidArgumentException Refused(string why) => new(Argument, $"The manifest could not be fetched: {why}");

    private static string NameIn(Uri address) => Uri.UnescapeDataString(address.Segments[^1].Trim('/'));

    private sealed class Body(SourceAnswer answer) : ForwardStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            await answer.ReadAsync(buffer, cancellationToken) switch
            {
                { Problem: null, Count: var count } => count,
                { Problem: SourceProblem.TimedOut } => throw Refused($"{answer.Url.IdnHost} stopped sending in the middle of the file."),
                _ => throw Refused($"The connection to {answer.Url.IdnHost} broke off in the middle of the file."),
            };
    }
}
