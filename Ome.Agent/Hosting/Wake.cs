using System.Threading.Channels;

namespace Ome.Agent.Hosting;

/// <summary>What a loop waits for besides its time. Any number of calls before it looks again are one.</summary>
public sealed class Wake
{
    private readonly Channel<bool> _calls = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>From any thread; never blocks.</summary>
    public void Call() => _calls.Writer.TryWrite(true);

    /// <summary>Waits for a call, one that came before included, and no longer than <paramref name="longest"/>. For one loop at a time.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task WaitAsync(TimeSpan longest, TimeProvider time, CancellationToken cancellationToken)
    {
        using var wait = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task called = _calls.Reader.ReadAsync(wait.Token).AsTask();
        await Task.WhenAny(called, Task.Delay(longest, time, wait.Token));
        await wait.CancelAsync();
        await called.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }
}
