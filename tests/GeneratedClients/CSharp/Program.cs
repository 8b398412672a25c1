using System.Globalization;
using System.Net.Http.Headers;
using ImporterClient.Api.V1.Imports.Item.Records;
using ImporterClient.Models;
using Microsoft.Kiota.Abstractions;
using Microsoft.Kiota.Abstractions.Authentication;
using Microsoft.Kiota.Http.HttpClientLibrary;

// What somebody writes on their first day with the generated client: upload a manifest, start it, wait for its end, read the records.
if (Environment.GetEnvironmentVariable("BULKIMPORTER_SERVER") is not { } server
    || Environment.GetEnvironmentVariable("BULKIMPORTER_API_KEY") is not { } key
    || args is not [var manifest])
{
    Console.Error.WriteLine("usage: BULKIMPORTER_SERVER=... BULKIMPORTER_API_KEY=... GeneratedClient MANIFEST");
    return 2;
}

// Kiota's own provider of keys takes https only; a server on this machine speaks plain http.
using var http = KiotaClientFactory.Create();
http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
using var adapter = new HttpClientRequestAdapter(new AnonymousAuthenticationProvider(), httpClient: http) { BaseUrl = server };
var imports = new ImporterClient.ImporterClient(adapter).Api.V1.Imports;

var body = new MultipartBody();
await using var file = File.OpenRead(manifest);
body.AddOrReplacePart("file", "text/csv", file, Path.GetFileName(manifest));
ImportView? import;
try
{
    import = await imports.PostAsync(body, request =>
    {
        request.QueryParameters.Name = "From the C# client";
        request.QueryParameters.Start = true;
    });
}
catch (ProblemDetails problem)
{
    Console.Error.WriteLine($"{problem.Title}: {problem.Detail}");
    return 1;
}

var id = import?.Id ?? throw new InvalidOperationException("The import has no id.");
while (import?.State != ImportState.Finished)
{
    await Task.Delay(TimeSpan.FromMilliseconds(200));
    import = await imports[id].GetAsync();
}

var records = await imports[id].Records.GetAsync(request => request.QueryParameters.State = GetStateQueryParameterType.Imported);
foreach (var record in records?.Items ?? [])
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{record.RowNumber} {record.Url} {record.Rid}"));
return 0;
