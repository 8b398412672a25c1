using System.Data.Common;
using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.Configuration.KeyPerFile;

namespace BulkImporter.Hosting;

/// <summary>
/// The connection string as an operator writes it: Npgsql's <c>Host=db;Database=bulkimporter</c>, or the URL that other programs are given,
/// <c>postgresql://user:password@db:5432/bulkimporter?sslmode=require</c>. What is wrong with it is said in one sentence that names the
/// place where it stands, and never a value: any of them may hold the password.
/// </summary>
internal static class ConnectionSetting
{
    private const string Form = "Write Host=...;Database=...;Username=... or postgresql://USER:PASSWORD@HOST:PORT/DATABASE";

    private static readonly string[] Schemes = ["postgres://", "postgresql://"];

    /// <summary>What PostgreSQL's own programs call a thing that has another name here.</summary>
    private static readonly Dictionary<string, string> OfLibpq = new(StringComparer.OrdinalIgnoreCase)
    {
        ["user"] = "Username",
        ["dbname"] = "Database",
        ["sslrootcert"] = "Root Certificate",
        ["sslcert"] = "SSL Certificate",
        ["sslkey"] = "SSL Key",
        ["sslpassword"] = "SSL Password",
        ["sslnegotiation"] = "SSL Negotiation",
        ["gssencmode"] = "GSS Encryption Mode",
        ["krbsrvname"] = "Kerberos Service Name",
        ["channel_binding"] = "Channel Binding",
        ["require_auth"] = "Require Auth",
        ["connect_timeout"] = "Timeout",
        ["application_name"] = "Application Name",
        ["client_encoding"] = "Client Encoding",
        ["target_session_attrs"] = "Target Session Attributes",
        ["load_balance_hosts"] = "Load Balance Hosts",
        ["keepalives_idle"] = "Tcp Keepalive Time",
        ["keepalives_interval"] = "Tcp Keepalive Interval",
    };

    /// <summary>What is set, or null when nothing is. It may hold a password: not for a log.</summary>
    /// <exception cref="StartupException">It cannot be understood.</exception>
    public static NpgsqlConnectionStringBuilder? Read(IConfiguration configuration)
    {
        var key = ConfigurationPath.Combine("ConnectionStrings", ServerHost.ConnectionName);
        return configuration[key]?.Trim().Trim('\uFEFF') is { Length: > 0 } text ? Parse(text, Place(configuration, key)) : null;
    }

    /// <param name="text">Not empty.</param>
    /// <param name="place">Where it stands, as a sentence begins: "The file X".</param>
    /// <exception cref="StartupException">It cannot be understood.</exception>
    internal static NpgsqlConnectionStringBuilder Parse(string text, string place)
    {
        if (Array.Find(Schemes, s => text.StartsWith(s, StringComparison.OrdinalIgnoreCase)) is { } scheme)
            return ParseUrl(text[scheme.Length..], place);
        if (text.IndexOf("://", StringComparison.Ordinal) is var colon and >= 0 && text.IndexOf('=') is var equals
            && (equals < 0 || colon < equals))
            throw new StartupException($"{place} has a URL that does not begin with postgresql://. {Form}.");

        var parts = new DbConnectionStringBuilder();
        try
        {
            parts.ConnectionString = text;
        }
        catch (ArgumentException)
        {
            throw new StartupException(
                $"{place} has no valid connection string: its parts have the form Keyword=value, separated by semicolons, and a value "
                    + $"with ; or = in it must be in quotes. {Form}.");
        }

        var settings = new NpgsqlConnectionStringBuilder();
        foreach (string keyword in parts.Keys)
        {
            // The keys come in lower case, and a person knows what was typed.
            var typed = text.Substring(text.IndexOf(keyword, StringComparison.OrdinalIgnoreCase), keyword.Length);
            Set(settings, typed, (string)parts[keyword], place);
        }

        if (settings.Host?.Contains('=') == true)
            throw new StartupException(
                $"{place} has a connection string whose parts are separated by spaces. Separate them by semicolons. {Form}.");
        return Usable(settings, place);
    }

    private static NpgsqlConnectionStringBuilder ParseUrl(string text, string place)
    {
        var settings = new NpgsqlConnectionStringBuilder();
        var (address, parameters) = Cut(text, '?');
        var (authority, database) = Cut(address, '/');
        var at = authority.LastIndexOf('@');
        var hosts = authority[(at + 1)..];
        if (hosts.Split(',').Any(h => !IsHostAndPort(h)) || database.Contains('@') || parameters.Contains('@'))
        {
            throw new StartupException(
                $"{place} has a URL without a readable host and port. {Form}; in a password write / as %2F, ? as %3F, # as %23, @ as "
                    + "%40, : as %3A and % as %25.");
        }

        if (at >= 0)
        {
            var (user, password) = Cut(authority[..at], ':');
            if (user.Length > 0) settings.Username = Uri.UnescapeDataString(user);
            if (password.Length > 0) settings.Password = Uri.UnescapeDataString(password);
        }

        if (hosts.Length > 0) SetHosts(settings, Uri.UnescapeDataString(hosts));
        if (database.Length > 0) settings.Database = Uri.UnescapeDataString(database);
        foreach (var parameter in parameters.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = Cut(parameter, '=');
            Set(settings, Uri.UnescapeDataString(name), Uri.UnescapeDataString(value), place);
        }

        // A URL without a host means this machine, as it does for PostgreSQL's own programs.
        if (string.IsNullOrEmpty(settings.Host)) settings.Host = "localhost";
        return Usable(settings, place);
    }

    private static NpgsqlConnectionStringBuilder Usable(NpgsqlConnectionStringBuilder settings, string place)
    {
        if (settings.Port is < 1 or > 65535)
            throw new StartupException($"{place} has a connection string in which 'Port' is not a number from 1 to 65535.");
        try
        {
            // It connects nowhere, and refuses what does not go together.
            NpgsqlDataSource.Create(settings).Dispose();
            return settings;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or NotSupportedException)
        {
            throw new StartupException($"{place} has a connection string that cannot be used: {e.Message} {Form}.");
        }
    }

    /// <summary>One port for all is a setting of its own; several stand at their hosts.</summary>
    private static void SetHosts(NpgsqlConnectionStringBuilder settings, string hosts)
    {
        var single = hosts.Contains(',') ? -1 : hosts.LastIndexOf(':');
        if (single < 0 || hosts.EndsWith(']'))
        {
            settings.Host = hosts;
            return;
        }

        settings.Host = hosts[..single];
        if (single + 1 < hosts.Length) settings.Port = int.Parse(hosts[(single + 1)..], CultureInfo.InvariantCulture);
    }

    private static bool IsHostAndPort(string text)
    {
        if (text.StartsWith('['))
        {
            var end = text.IndexOf(']');
            return end > 0 && (end == text.Length - 1 || (text[end + 1] == ':' && IsPort(text[(end + 2)..])));
        }

        var (host, port) = Cut(text, ':');
        return !host.Any(c => char.IsWhiteSpace(c) || c is '#' or '=') && IsPort(port);
    }

    private static bool IsPort(string text) =>
        text.Length == 0 || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535);

    private static void Set(NpgsqlConnectionStringBuilder settings, string keyword, string value, string place)
    {
        try
        {
            settings[OfLibpq.GetValueOrDefault(keyword, keyword)] = keyword.Replace(" ", "", StringComparison.Ordinal)
                .ToLowerInvariant() switch
            {
                "sslmode" or "require_auth" => value.Replace("-", "", StringComparison.Ordinal),
                "load_balance_hosts" => value == "disable" ? "false" : "true",
                _ => value,
            };
        }
        catch (Exception e)
            when (e is ArgumentException or FormatException or OverflowException or InvalidCastException or NotSupportedException)
        {
            if (IsKnown(OfLibpq.GetValueOrDefault(keyword, keyword)))
                throw new StartupException($"{place} has a connection string in which the value of '{keyword}' is invalid.");
            // Behind a password that has a semicolon in it stands a piece of the password.
            var isPiece = settings.Password is not null
                && (keyword.Length <= 3 || !keyword.All(c => char.IsAsciiLetter(c) || c is ' ' or '_'));
            throw new StartupException(
                $"{place} has a connection string with {(isPiece ? "a keyword" : $"the keyword '{keyword}'")}, which is not known. "
                    + $"Check the spelling; a password with ; or = in it must be in quotes. {Form}.");
        }
    }

    private static bool IsKnown(string keyword)
    {
        try
        {
            _ = new NpgsqlConnectionStringBuilder()[keyword];
            return true;
        }
        catch (Exception e) when (e is ArgumentException or KeyNotFoundException)
        {
            return false;
        }
    }

    private static string Place(IConfiguration configuration, string key) =>
        ((IConfigurationRoot)configuration).Providers.LastOrDefault(p => p.TryGet(key, out _)) switch
        {
            KeyPerFileConfigurationProvider files => $"The file ConnectionStrings__{ServerHost.ConnectionName} ({files})",
            JsonConfigurationProvider json => $"The setting {key} in {json.Source.Path}",
            EnvironmentVariablesConfigurationProvider => $"The environment variable ConnectionStrings__{ServerHost.ConnectionName}",
            _ => $"The setting {key}",
        };

    private static (string Before, string After) Cut(string text, char sign) =>
        text.IndexOf(sign) is var at and >= 0 ? (text[..at], text[(at + 1)..]) : (text, "");
}
