using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Ome.Tests.Support;

/// <summary>Keeps log lines for a test to read.</summary>
public sealed class RecordingLogger<T> : ILogger<T>
{
    /// <summary>What was logged, in order.</summary>
    public ConcurrentQueue<(LogLevel Level, int Id, string Text)> Lines { get; } = [];

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => true;

    /// <inheritdoc/>
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue((logLevel, eventId.Id, formatter(state, exception)));
}
