using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace BulkImporter.Tests;

/// <summary>A log that tells when an event of the given name is written.</summary>
internal sealed class EventSignal(string name) : ILogger
{
    private readonly Channel<bool> happened = Channel.CreateUnbounded<bool>();

    /// <summary>Waits for the next event that nobody has waited for yet.</summary>
    /// <exception cref="TimeoutException">None was written within half a minute.</exception>
    public Task HappenedAsync() =>
        happened.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask()
            .WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (eventId.Name == name) happened.Writer.TryWrite(true);
    }

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
}
