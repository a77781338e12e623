using System.Diagnostics;
using k8s;
using Microsoft.Extensions.Logging.Abstractions;
using Ome.Shared.Api;
using Ome.Shared.Kube;

namespace Ome.Benchmarks.Fleet;

/// <summary>The statuses as a watch shows them, when each was written, and who waits for one.</summary>
internal sealed class StatusWatch : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<string, BaseModelStatus?> _status = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<long>> _writes = new(StringComparer.Ordinal);
    private readonly List<(string Name, Func<BaseModelStatus?, bool> IsMet, TaskCompletionSource Met)> _waiting = [];
    private readonly Informer<ClusterBaseModel, ClusterBaseModel> _informer;
    private readonly Task _running;

    public StatusWatch(IKubernetes client)
    {
        _informer = new(client, new InformerOptions(), static model => model, OnModelAsync, TimeProvider.System, NullLogger<Informer<ClusterBaseModel, ClusterBaseModel>>.Instance);
        _running = _informer.RunAsync(_stop.Token);
    }

    public Task ListedAsync(CancellationToken cancellationToken) => _informer.WaitForSyncAsync(cancellationToken);

    public bool Shows(string name, Func<BaseModelStatus?, bool> condition)
    {
        lock (_gate) return _status.TryGetValue(name, out var status) && condition(status);
    }

    public Task UntilAsync(string name, Func<BaseModelStatus?, bool> isMet, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_status.TryGetValue(name, out var status) && isMet(status)) return Task.CompletedTask;
            var met = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((name, isMet, met));
            return met.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Writes of a model since a moment, per second between the first and the last of them.</summary>
    public (int Writes, double PerSecond) WritesSince(string name, long since)
    {
        lock (_gate)
        {
            var times = _writes.GetValueOrDefault(name, []).FindAll(at => at >= since);
            return (times.Count, times.Count < 2 ? 0 : (times.Count - 1) / Stopwatch.GetElapsedTime(times[0], times[^1]).TotalSeconds);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private ValueTask OnModelAsync(InformerEvent<ClusterBaseModel> change, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var name = change.Object.Name.Name;
            if (!_writes.TryGetValue(name, out var times)) _writes[name] = times = [];
            times.Add(Stopwatch.GetTimestamp());
            _status[name] = change.Item.Status;
            for (var i = _waiting.Count - 1; i >= 0; i--)
            {
                if (_waiting[i].Name != name || !_waiting[i].IsMet(change.Item.Status)) continue;
                _waiting[i].Met.TrySetResult();
                _waiting.RemoveAt(i);
            }
        }

        return ValueTask.CompletedTask;
    }
}
