using System.Net;
using System.Net.Sockets;
using System.Text;

namespace BulkImporter.EndToEndTests;

/// <summary>A real nginx on this machine, which sends old addresses on as a map says.</summary>
internal static class Nginx
{
    private static readonly string Program = new[] { "/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/bin/nginx", "/opt/homebrew/bin/nginx" }
        .FirstOrDefault(File.Exists) ?? throw new InvalidOperationException("nginx was not found. Type: sudo apt-get install nginx-light");

    /// <summary>Has nginx check the map, starts it, and answers with its port.</summary>
    public static async Task<int> StartAsync(Stage stage, string map)
    {
        var port = FreePort.Take();
        var folder = Directory.CreateDirectory(Path.Combine(stage.Folder, $"nginx-{port}")).FullName;
        var settings = Path.Combine(folder, "nginx.conf");
        var temporary = string.Concat(new[] { "client_body", "proxy", "fastcgi", "uwsgi", "scgi" }
            .Select(name => $"    {name}_temp_path {folder}/{name};\n"));
        await File.WriteAllTextAsync(settings, $$"""
            # One process: a worker would outlive a master that is killed at the end of the test.
            master_process off;
            daemon off;
            {{(Environment.IsPrivilegedProcess ? "user root;" : "")}}
            pid {{folder}}/nginx.pid;
            error_log {{folder}}/error.log;
            events { worker_connections 64; }
            http {
                access_log off;
                large_client_header_buffers 4 32k;
            {{temporary}}
                include {{map}};
                server {
                    listen 127.0.0.1:{{port}} default_server;
                    if ($new_address) { return 301 $new_address; }
                    return 404;
                }
            }
            """);
        var check = stage.Start("nginx-check", Program, ["-t", "-p", folder, "-c", settings]);
        var code = await check.WaitForExitAsync(TimeSpan.FromMinutes(1));
        Assert.True(code == 0, $"nginx -t ended with {code}:\n{check.Tail(20)}");
        Assert.DoesNotContain("[warn]", check.Log);
        var program = stage.Start("nginx", Program, ["-p", folder, "-c", settings]);
        await Wait.UntilAsync(TimeSpan.FromMinutes(1), "nginx answers", async () =>
        {
            Assert.False(program.HasExited, program.Tail(20));
            try
            {
                return await AskAsync(port, "nobody.example", "/") == (404, null);
            }
            catch (SocketException)
            {
                return false;
            }
        });
        return port;
    }

    /// <summary>Asks as a browser that follows an old link: the address goes on the wire as it is written.</summary>
    public static async Task<(int Status, string? Location)> AskAsync(int port, string host, string pathAndQuery)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {pathAndQuery} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(stream, Encoding.ASCII);
        var lines = (await reader.ReadToEndAsync()).Split("\r\n");
        var location = Array.Find(lines, l => l.StartsWith("Location: ", StringComparison.OrdinalIgnoreCase));
        return (int.Parse(lines[0].Split(' ')[1]), location?["Location: ".Length..]);
    }
}
