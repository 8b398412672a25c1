namespace Cincopa.Client;

/// <summary>The client's limits. None of them is published by Cincopa; all are ours.</summary>
public sealed record CincopaClientOptions
{
    /// <summary>How long <c>upload_from_url</c> may take, connecting included. Default 100 s: a submit given up too early is a
    /// record in doubt, so it waits long.</summary>
    public TimeSpan SubmitTimeout { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>How long ping, status and list may take. Default 30 s.</summary>
    public TimeSpan ReadTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long one range of a pushed file may take, its bytes and its reply. Default 15 min: 51,200,000 bytes at half a megabit a second.
    /// </summary>
    public TimeSpan PushTimeout { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long a connection, TLS included, may take to be made. Default 10 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Whether the prose of refusals and failed imports is read for what it says of the token, the quota or the source. No list of texts is
    /// published, so all of it is INF but <c>out of assets quota</c> (OWN S9), which counts in any case. False: the HTTP status decides,
    /// and the rest is tried again. Default true.
    /// </summary>
    public bool ReadErrorText { get; init; } = true;

    /// <summary>How long an unused connection is kept. Default 20 s, less than the usual keep-alive of a server: a submit on a
    /// connection that the server is just closing would end in doubt.</summary>
    public TimeSpan ConnectionIdleTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a connection is used at most, so that a changed DNS entry is followed. Default 5 minutes.</summary>
    public TimeSpan ConnectionLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Connections to one server at most. Default: no limit; the engine's window is the limit.</summary>
    public int MaxConnections { get; init; } = int.MaxValue;
}
