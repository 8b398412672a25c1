using BulkImporter.Access;
using BulkImporter.Accounts;
using Microsoft.AspNetCore.Http.HttpResults;

namespace BulkImporter.Api;

/// <param name="BaseUrl">Null = Cincopa's public URL.</param>
/// <param name="Anyway">The account is added even if Cincopa does not accept its token now.</param>
public sealed record NewAccountBody(string? Name, string? Token, string? BaseUrl = null, bool? Anyway = null)
{
    public override string ToString() => $"{nameof(NewAccountBody)} {{ {nameof(Name)} = {Name} }}";
}

/// <param name="Host">Where the header is sent: <c>media.example.com</c> over https, <c>media.example.com:8443</c>, or
/// <c>http://media.example.com</c> unencrypted.</param>
/// <param name="Name">The header, as in <c>Authorization</c>.</param>
/// <param name="Value">It can be set here and is never returned.</param>
public sealed record SourceHeaderBody(string? Host, string? Name, string? Value)
{
    public override string ToString() => $"{nameof(SourceHeaderBody)} {{ {nameof(Host)} = {Host}, {nameof(Name)} = {Name} }}";
}

internal static class AccountsApi
{
    public static void MapAccounts(this IEndpointRouteBuilder api)
    {
        var accounts = api.MapGroup("/accounts").WithTags("Accounts");
        accounts.MapGet("/", ListAsync).WithName("listAccounts")
            .RequireAuthorization(Policy.Viewer).WithSummary("List accounts; a token is never shown");
        accounts.MapGet("/{name}", FindAsync).WithName("getAccount")
            .RequireAuthorization(Policy.Viewer).WithSummary("One account").Problems(404);
        accounts.MapPost("/", AddAsync).WithName("addAccount").RequireAuthorization(Policy.Admin).WithSummary("Add an account")
            .WithDescription("Cincopa is asked about the token first; if it does not confirm it, nothing is saved unless anyway is true.")
            .Problems(400, 409, 422);
        accounts.MapPatch("/{name}", ChangeAsync).WithName("changeAccount").RequireAuthorization(Policy.Admin)
            .WithSummary("Change limits (0 = none), token, address, verb, or where its assets play")
            .WithDescription(
                "Cincopa is asked about a new token first; if it does not confirm it, nothing is saved unless anyway is true.")
            .Problems(400, 404, 422);
        accounts.MapPost("/{name}/check", CheckAsync).WithName("checkAccount").RequireAuthorization(Policy.Operator)
            .WithSummary("Ask Cincopa whether the token works and what it may do").Problems(404);
        accounts.MapGet("/{name}/galleries", GalleriesAsync).WithName("listGalleries").RequireAuthorization(Policy.Viewer)
            .WithSummary("The account's galleries, as Cincopa lists them now; search looks at their names").Problems(400, 404, 424);
        accounts.MapGet("/{name}/source-headers", ListHeadersAsync).WithName("listSourceHeaders").RequireAuthorization(Policy.Viewer)
            .WithSummary("The request headers that are saved for sources; a value is never shown").Problems(404);
        accounts.MapPut("/{name}/source-headers", SetHeaderAsync).WithName("setSourceHeader").RequireAuthorization(Policy.Admin)
            .WithSummary("Save a request header for the sources of one host, or replace its value")
            .WithDescription(
                "It is sent with pushes and probes of the account's imports to this host only, not to where it redirects. Cincopa, which "
                    + "fetches pulled files itself, does not get it.")
            .Problems(400, 404);
        accounts.MapDelete("/{name}/source-headers", RemoveHeaderAsync).WithName("removeSourceHeader").RequireAuthorization(Policy.Admin)
            .WithSummary("Delete a request header for sources").Problems(400, 404);
        accounts.MapPost("/{name}/resume", ResumeAsync).WithName("resumeAccount").RequireAuthorization(Policy.Operator)
            .WithSummary("Let a suspended account work again")
            .WithDescription("Refused while Cincopa does not accept the account's token.").Problems(404, 409);
    }

    private static async Task<Ok<Page<AccountView>>> ListAsync(ReadAccounts accounts, CancellationToken cancellationToken) =>
        TypedResults.Ok(new Page<AccountView>(await accounts.ListAsync(cancellationToken), null));

    private static async Task<Results<Ok<AccountView>, ProblemHttpResult>> FindAsync(
        string name, ReadAccounts accounts, CancellationToken cancellationToken) =>
        await accounts.FindAsync(name, cancellationToken) is { } account ? TypedResults.Ok(account) : Problem.AccountNotFound(name);

    private static async Task<Results<Created<AccountView>, ProblemHttpResult>> AddAsync(
        NewAccountBody body, AddAccount add, CheckAccount check, ReadAccounts accounts, HttpContext context,
        CancellationToken cancellationToken)
    {
        var account = new NewAccount(body.Name ?? "", body.Token ?? "", string.IsNullOrEmpty(body.BaseUrl) ? null : body.BaseUrl);
        if (body.Anyway != true
            && await check.RunAsync(null, account.BaseUrl, account.Token, cancellationToken) is { Ok: false } unconfirmed)
            return Problem.TokenNotConfirmed(unconfirmed);
        if (!await add.RunAsync(account, context.User.Actor(), cancellationToken))
            return Problem.AlreadyExists($"An account named '{account.Name}' already exists.");
        return context.Created($"accounts/{account.Name}", (await accounts.FindAsync(account.Name, cancellationToken))!);
    }

    private static async Task<Results<Ok<AccountView>, ProblemHttpResult>> ChangeAsync(
        string name, AccountChange body, ChangeAccount change, CheckAccount check, ReadAccounts accounts, HttpContext context,
        CancellationToken cancellationToken)
    {
        if (body is { Token: { } token, Anyway: not true }
            && await check.RunAsync(name, body.BaseUrl, token, cancellationToken) is { Ok: false } unconfirmed)
            return Problem.TokenNotConfirmed(unconfirmed);
        return await change.RunAsync(name, body, context.User.Actor(), cancellationToken)
            ? await FindAsync(name, accounts, cancellationToken) : Problem.AccountNotFound(name);
    }

    private static async Task<Results<Ok<AccountCheck>, ProblemHttpResult>> CheckAsync(
        string name, CheckAccount check, CancellationToken cancellationToken) =>
        await check.RunAsync(name, cancellationToken) is { } result ? TypedResults.Ok(result) : Problem.AccountNotFound(name);

    private static async Task<Results<Ok<Page<SourceHeaderView>>, ProblemHttpResult>> ListHeadersAsync(
        string name, SourceHeaders headers, ReadAccounts accounts, CancellationToken cancellationToken) =>
        await accounts.FindAsync(name, cancellationToken) is null
            ? Problem.AccountNotFound(name)
            : TypedResults.Ok(new Page<SourceHeaderView>(await headers.ListAsync(name, cancellationToken), null));

    private static async Task<Results<NoContent, ProblemHttpResult>> SetHeaderAsync(
        string name, SourceHeaderBody body, SourceHeaders headers, HttpContext context, CancellationToken cancellationToken) =>
        await headers.SetAsync(name, body.Host, body.Name, body.Value, context.User.Actor(), cancellationToken)
            ? TypedResults.NoContent() : Problem.AccountNotFound(name);

    private static async Task<Results<NoContent, ProblemHttpResult>> RemoveHeaderAsync(
        string name, string host, string header, SourceHeaders headers, HttpContext context, CancellationToken cancellationToken) =>
        await headers.RemoveAsync(name, host, header, context.User.Actor(), cancellationToken)
            ? TypedResults.NoContent()
            : Problem.NotFound($"Account '{name}' has no header of this name for this host.");

    private static async Task<Results<Ok<Page<GalleryView>>, ProblemHttpResult>> GalleriesAsync(
        string name, ReadGalleries galleries, string? search, string? after, CancellationToken cancellationToken) =>
        await galleries.RunAsync(name, search, Math.Max(1, ApiArguments.Cursor(after) ?? 1), cancellationToken) switch
        {
            GalleriesResult.Page page => TypedResults.Ok(new Page<GalleryView>(page.Items, page.Next)),
            GalleriesResult.CannotAsk cannot => Problem.CincopaNotAsked(cannot.Sentence),
            _ => Problem.AccountNotFound(name),
        };

    private static async Task<Results<Ok<AccountView>, ProblemHttpResult>> ResumeAsync(
        string name, ResumeAccount resume, ReadAccounts accounts, HttpContext context, CancellationToken cancellationToken) =>
        await resume.RunAsync(name, context.User.Actor(), cancellationToken) switch
        {
            ResumedAccount.Refused refused => Problem.RefusedInThisState(AccountState.Suspended, refused.Sentence),
            ResumedAccount.NotFound => Problem.AccountNotFound(name),
            _ => await FindAsync(name, accounts, cancellationToken),
        };
}
