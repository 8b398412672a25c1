using System.Net;
using BulkImporter.Access;
using BulkImporter.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace BulkImporter.Tests.Hosting;

public sealed class BehindProxyTests
{
    [Theory]
    [InlineData("10.0.0.7", "10.0.0.7", "https://import.example 203.0.113.9")]
    [InlineData("10.0.0.0/24, 192.168.1.1", "10.0.0.200", "https://import.example 203.0.113.9")]
    [InlineData("10.0.0.7", "10.0.0.8", "http://localhost 10.0.0.8")]
    [InlineData(null, "127.0.0.1", "http://localhost 127.0.0.1")]
    public async Task What_a_proxy_says_is_believed_from_the_named_ones_only(string? trusted, string from, string expected) =>
        Assert.Equal(expected, await AskAsync(trusted, from));

    [Fact]
    public async Task A_name_that_is_neither_address_nor_network_stops_the_start() =>
        Assert.Contains("'proxy.example'",
            (await Assert.ThrowsAsync<StartupException>(() => AskAsync("proxy.example", "10.0.0.7"))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(null, "/imports/1", " /imports/1")]
    [InlineData("/", "/imports/1", " /imports/1")]
    [InlineData("/media/import", "/media/import/imports/1", "/media/import /imports/1")]
    [InlineData("/media/import/", "/media/import", "/media/import ")]
    [InlineData("/media/import", "/imports/1", "/media/import /imports/1")]
    [InlineData("/media/import", "/media/imports/1", "/media/import /media/imports/1")]
    public async Task The_path_of_the_site_is_taken_off_where_a_proxy_has_not_done_it(string? pathBase, string path, string expected)
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        builder.Configuration[OwnAddress.PagesKey] = pathBase is null ? null : "https://tools.example" + pathBase;
        await using var app = builder.Build();
        app.UsePathBaseOfSite();
        app.Run(context => context.Response.WriteAsync($"{context.Request.PathBase} {context.Request.Path}"));
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var client = app.GetTestClient();
        Assert.Equal(expected, await client.GetStringAsync(path, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("//media.example")]
    [InlineData("/media%22%3E%3Cscript%3E")]
    [InlineData("/media import/%C3%BC")]
    public void A_path_that_no_site_should_have_stops_the_start(string path) =>
        Assert.Contains("cannot be the path of a site", Assert.Throws<StartupException>(() =>
            BehindProxy.PathBase(new ConfigurationManager { [OwnAddress.PagesKey] = "https://tools.example" + path })).Message,
            StringComparison.Ordinal);

    private static async Task<string> AskAsync(string? trusted, string from)
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        builder.Configuration[BehindProxy.TrustedProxiesKey] = trusted;
        await using var app = builder.Build();
        app.Use((context, next) =>
        {
            context.Connection.RemoteIpAddress = IPAddress.Parse(from);
            return next(context);
        });
        app.UseTrustedProxies();
        app.Run(context =>
            context.Response.WriteAsync($"{context.Request.Scheme}://{context.Request.Host} {context.Connection.RemoteIpAddress}"));
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var client = app.GetTestClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add("X-Forwarded-For", "203.0.113.9");
        request.Headers.Add("X-Forwarded-Proto", "https");
        request.Headers.Add("X-Forwarded-Host", "import.example");
        using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }
}

public sealed class SecretsTests
{
    [Fact]
    public void A_file_of_the_secrets_folder_is_a_setting_and_fills_in_the_password()
    {
        var folder = Directory.CreateTempSubdirectory("bulkimporter-secrets-");
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, "CINCOPA_API_TOKEN"), "from-a-file\n");
            File.WriteAllText(Path.Combine(folder.FullName, "BulkImporter__DatabasePassword"), "p;w\n");
            var configuration = new ConfigurationManager
            { [Secrets.FolderVariable] = folder.FullName, ["CINCOPA_API_TOKEN"] = "from-the-environment" };
            Secrets.AddFiles(configuration);
            Assert.Equal("from-a-file", configuration["CINCOPA_API_TOKEN"]);
            foreach (var (text, password) in new[] { ("Host=db;Username=importer", "p;w"), ("Host=db;Password=own", "own") })
            {
                var filled = new Npgsql.NpgsqlConnectionStringBuilder(text);
                Secrets.AddPassword(filled, configuration);
                Assert.Equal(("db", password), (filled.Host, filled.Password));
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_folder_that_is_named_and_not_there_stops_the_start() =>
        Assert.Throws<StartupException>(() => Secrets.AddFiles(new ConfigurationManager { [Secrets.FolderVariable] = "/nowhere/at/all" }));
}
