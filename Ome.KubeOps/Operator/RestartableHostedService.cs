using Microsoft.Extensions.Hosting;

namespace KubeOps.Operator;

/// <summary>
/// A background loop that can be stopped and started again within one process, as leadership comes and goes. A loop that throws
/// is started again with back-off. Two terms never overlap, except when the old one ignores its token for 30 s.
/// </summary>
public abstract class RestartableHostedService : IHostedService, IDisposable, IAsyncDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private Term? _term;
    private Task _last = Task.CompletedTask;
    private bool _disposed;

    /// <summary>Gets the clock of waits between restarts.</summary>
    private protected virtual TimeProvider Clock => TimeProvider.System;

    public virtual Task StartAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_disposed || _term is not null) return Task.CompletedTask;
            var term = new Term();
            var previous = _last;
            _term = term;
#pragma warning disable VSTHRD003 // The pool awaits the pool: no context is involved.
            _last = Task.Run(() => RunAfterAsync(previous, term), CancellationToken.None);
#pragma warning restore VSTHRD003
        }

        return Task.CompletedTask;
    }

    public virtual async Task StopAsync(CancellationToken cancellationToken)
    {
        await RequestStopAsync();
        await DrainAsync(cancellationToken);
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    public async ValueTask DisposeAsync()
    {
        OnDisposing();
        await RequestStopAsync();
        await DrainAsync(CancellationToken.None);
        Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Ends the current term without waiting for it; <see cref="StartAsync"/> begins another.</summary>
    protected Task RequestStopAsync()
    {
        Term? ending;
        lock (_lock)
        {
            ending = _term;
            _term = null;
        }

        return ending?.Stop.CancelAsync() ?? Task.CompletedTask;
    }

    protected abstract Task ExecuteAsync(CancellationToken cancellationToken);

    protected virtual void OnLoopFaulted(Exception exception)
    {
    }

    protected virtual void OnDisposing()
    {
    }

    protected virtual void Dispose(bool disposing)
    {
        lock (_lock) _disposed = true;
    }

    private async Task DrainAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _last.WaitAsync(Grace, Clock, cancellationToken);
        }
        catch (Exception unfinished) when (unfinished is TimeoutException or OperationCanceledException)
        {
            // The host is in a hurry, or a controller ignores its token: the process ends all the same.
        }
    }

    private async Task RunAfterAsync(Task previous, Term term)
    {
        using (term.Stop)
        {
            var token = term.Stop.Token;
            try
            {
                await previous.WaitAsync(Grace, Clock, token);
            }
            catch (TimeoutException)
            {
                // See the class comment: better two terms than none.
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await LoopAsync(token);
            lock (_lock) if (ReferenceEquals(_term, term)) _term = null;
        }
    }

    private async Task LoopAsync(CancellationToken token)
    {
        var faults = 0;
        while (!token.IsCancellationRequested)
        {
            var started = Clock.GetTimestamp();
            try
            {
                await ExecuteAsync(token);
                return;
            }
            catch (OperationCanceledException) when (token.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault)
            {
                OnLoopFaulted(fault);
                faults = Clock.GetElapsedTime(started) > TimeSpan.FromMinutes(1) ? 1 : faults + 1;
            }

            try
            {
                await Task.Delay(Backoff.Delay(faults, this), Clock, token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private sealed class Term
    {
        internal CancellationTokenSource Stop { get; } = new();
    }
}
