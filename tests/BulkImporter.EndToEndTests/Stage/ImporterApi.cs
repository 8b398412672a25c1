using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace BulkImporter.EndToEndTests;

internal sealed record ImportBody(int Id, string State, string? Reason, int? Rows, CountsBody Counts);

internal sealed record CountsBody(
    int Pending, int Submitting, int Submitted, int Imported, int Failed, int Unknown, int Cancelled, int Invalid, int Duplicate,
    int Deleted)
{
    public int Total => Pending + Submitting + Submitted + Imported + Failed + Unknown + Cancelled + Invalid + Duplicate + Deleted;
}

internal sealed record RecordBody(
    int RowNumber, string? Url, string State, string? StatusId, string? Rid, int Attempts, ErrorBody? Error, bool PossiblyDuplicated);

internal sealed record ErrorBody(string Code, string? Message);

internal sealed record AccountBody(string Name, string State, string? Reason);

internal sealed record KeyBody(int Id, string Name, string Role);

/// <summary>The product's HTTP API, as any client sees it.</summary>
internal sealed class ImporterApi : IDisposable
{
    private readonly HttpClient http;

    public ImporterApi(string address, string key)
    {
        Address = address;
        Key = key;
        http = new HttpClient { BaseAddress = new Uri(address + "/"), Timeout = TimeSpan.FromSeconds(60) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    public string Address { get; }

    public string Key { get; }

    public async Task<bool> IsReadyAsync()
    {
        try
        {
            using var reply = await http.GetAsync("health/ready");
            return reply.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    public Task<ImportBody> ImportAsync(int id) => GetAsync<ImportBody>($"imports/{id}");

    /// <summary>An import with everything that is told of it.</summary>
    public Task<JsonElement> WholeImportAsync(int id) => GetAsync<JsonElement>($"imports/{id}");

    public async Task<IReadOnlyList<ImportBody>> ImportsAsync() => (await GetAsync<Page<ImportBody>>("imports")).Items;

    public Task<AccountBody> AccountAsync(string name = "default") => GetAsync<AccountBody>($"accounts/{name}");

    public async Task AddAccountAsync(string name, string token, string baseUrl) =>
        (await SendAsync(HttpMethod.Post, "accounts", JsonContent.Create(new { name, token, baseUrl }))).Dispose();

    public async Task AddTargetAsync(string name, string url) =>
        (await SendAsync(HttpMethod.Post, "notifications/targets", JsonContent.Create(new { name, url }))).Dispose();

    public async Task InviteAsync(string name, string role) =>
        (await SendAsync(HttpMethod.Post, "users", JsonContent.Create(new { name, role }))).Dispose();

    /// <summary>How many assets a record in doubt may have become, as far as was looked.</summary>
    public async Task<int> CandidatesAsync(int id, int row) =>
        (await GetAsync<CandidateList>($"imports/{id}/records/{row}/candidates")).Items.Count;

    /// <summary>The first record in this state.</summary>
    public async Task<RecordBody> FirstAsync(int id, string state) =>
        (await GetAsync<Page<RecordBody>>($"imports/{id}/records?state={state}&limit=1")).Items[0];

    public Task ChangeAccountAsync(object change) => SendAsync(HttpMethod.Patch, "accounts/default", JsonContent.Create(change));

    /// <summary>No limit at all, for runs that are about something else.</summary>
    public Task LiftLimitsAsync() => ChangeAccountAsync(new { rate = 0, maxInFlight = 0, backlog = 0 });

    /// <summary>Uploads and starts.</summary>
    public Task<int> StartAsync(string manifest, string query = "") => UploadAsync(manifest, $"&start=true{query}");

    /// <summary>Uploads for review.</summary>
    public async Task<int> UploadAsync(string manifest, string query = "")
    {
        var body = new StringContent(manifest, Encoding.UTF8, "text/csv");
        using var reply = await SendAsync(HttpMethod.Post,
            $"imports?{(query.Contains("fileName=", StringComparison.Ordinal) ? "" : "fileName=manifest.csv")}{query}", body);
        return (await reply.Content.ReadFromJsonAsync<ImportBody>())!.Id;
    }

    /// <param name="id">The import.</param>
    /// <param name="action">start, pause, resume or cancel.</param>
    public async Task ActAsync(int id, string action) => (await SendAsync(HttpMethod.Post, $"imports/{id}/{action}", null)).Dispose();

    /// <summary>Orders that an import that has ended is forgotten; its rows go afterwards.</summary>
    public async Task DeleteAsync(int id) => (await SendAsync(HttpMethod.Delete, $"imports/{id}", null)).Dispose();

    /// <summary>Orders that what it made is deleted in Cincopa. Returns the number of assets.</summary>
    public async Task<int> UndoAsync(int id, string name)
    {
        using var reply = await SendAsync(HttpMethod.Post, $"imports/{id}/undo", JsonContent.Create(new { name }));
        return (await reply.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("toDelete").GetInt32();
    }

    /// <summary>Makes an API key with this role and answers with its secret.</summary>
    public async Task<string> MakeKeyAsync(string role)
    {
        using var reply = await SendAsync(HttpMethod.Post, "keys", JsonContent.Create(new { name = $"test {role}", role }));
        return (await reply.Content.ReadFromJsonAsync<MadeKey>())!.Secret;
    }

    /// <summary>The keys that were made, by name, those that are revoked too.</summary>
    public async Task<IReadOnlyList<KeyBody>> KeysAsync() => (await GetAsync<Page<KeyBody>>("keys")).Items;

    public async Task RevokeKeyAsync(int id) => (await SendAsync(HttpMethod.Delete, $"keys/{id}", null)).Dispose();

    /// <summary>An address that signs a browser in, once, with this key's role.</summary>
    public async Task<string> SignInLinkAsync()
    {
        using var reply = await SendAsync(HttpMethod.Post, "sign-in-links", null);
        return (await reply.Content.ReadFromJsonAsync<SignInLink>())!.Url;
    }

    public async Task<IReadOnlyList<RecordBody>> RecordsAsync(int id)
    {
        var records = new List<RecordBody>();
        for (string? after = ""; after is not null;)
        {
            var page = await GetAsync<Page<RecordBody>>($"imports/{id}/records?limit=1000{(after.Length == 0 ? "" : $"&after={after}")}");
            records.AddRange(page.Items);
            after = page.Next;
        }

        return records;
    }

    /// <summary>
    /// Looks until the import is finished; at every look the states add up to the rows. A server that is away is asked again when
    /// <paramref name="mayBeAway"/> says that the test takes it away.
    /// </summary>
    public Task<ImportBody> FinishedAsync(int id, TimeSpan limit, bool mayBeAway = false) =>
        UntilAsync(id, import => import.State == "finished", limit, mayBeAway);

    /// <inheritdoc cref="FinishedAsync"/>
    public async Task<ImportBody> UntilAsync(int id, Func<ImportBody, bool> condition, TimeSpan limit, bool mayBeAway = false)
    {
        ImportBody? last = null;
        try
        {
            return await Wait.ForAsync(limit, $"import {id} as expected", async () =>
            {
                try
                {
                    last = await ImportAsync(id);
                }
                catch (Exception e) when (mayBeAway && e is HttpRequestException or TaskCanceledException)
                {
                    return null;
                }

                if (last.Rows is { } rows && last.State != "parsing") Assert.Equal(rows, last.Counts.Total);
                return condition(last) ? last : null;
            });
        }
        catch (Xunit.Sdk.FailException e)
        {
            throw Xunit.Sdk.FailException.ForFailure($"{e.Message} Last seen: {last}");
        }
    }

    public void Dispose() => http.Dispose();

    private async Task<T> GetAsync<T>(string path)
    {
        using var reply = await SendAsync(HttpMethod.Get, path, null);
        return (await reply.Content.ReadFromJsonAsync<T>())!;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content)
    {
        using var request = new HttpRequestMessage(method, $"api/v1/{path}") { Content = content };
        var reply = await http.SendAsync(request);
        if (!reply.IsSuccessStatusCode)
            throw new HttpRequestException($"{method} {path}: {(int)reply.StatusCode} {await reply.Content.ReadAsStringAsync()}", null,
                reply.StatusCode);
        return reply;
    }

    private sealed record CandidateList(IReadOnlyList<object> Items);

    private sealed record MadeKey(string Secret);

    private sealed record SignInLink(string Url);

    private sealed record Page<T>(IReadOnlyList<T> Items, string? Next);
}
