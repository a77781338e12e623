using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Ome.Shared.Kube;

namespace Ome.Tests.Support;

/// <summary>Watches a kind and waits for what a test expects of it: no polling, no sleeping.</summary>
public sealed class ObjectObserver<T> : IAsyncDisposable
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<ObjectName, T> _objects = [];
    private readonly List<(Func<bool> IsMet, TaskCompletionSource Met)> _waiting = [];
    private readonly Task _running;

    /// <summary>Begins to watch.</summary>
    public ObjectObserver(IKubernetes client, string? ns = null)
    {
        var informer = new Informer<T, T>(client, new InformerOptions { Namespace = ns, BackoffFirst = TimeSpan.FromMilliseconds(20) }, static one => one, OnChangeAsync, TimeProvider.System, NullLogger<Informer<T, T>>.Instance);
        _running = informer.RunAsync(_stop.Token);
    }

    /// <summary>All objects at this moment.</summary>
    public IReadOnlyList<T> All
    {
        get
        {
            lock (_gate) return [.. _objects.Values];
        }
    }

    /// <summary>The object once the condition holds; null means it is not there.</summary>
    public async Task<T?> UntilAsync(string? ns, string name, Func<T?, bool> condition, CancellationToken cancellationToken)
    {
        var key = new ObjectName(ns ?? "", name);
        T? found = null;
        await UntilAsync(() => condition(found = _objects.GetValueOrDefault(key)), () => $"{typeof(T).Name} {key}: {(found is null ? "absent" : KubernetesJson.Serialize(found))}", cancellationToken);
        return found;
    }

    /// <summary>Some object for which the condition holds.</summary>
    public async Task<T> AnyAsync(Func<T, bool> condition, CancellationToken cancellationToken)
    {
        T? found = null;
        await UntilAsync(() => (found = _objects.Values.FirstOrDefault(condition)) is not null, () => string.Join('\n', _objects.Values.Select(one => KubernetesJson.Serialize(one))), cancellationToken);
        return found!;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private async Task UntilAsync(Func<bool> isMet, Func<string> describe, CancellationToken cancellationToken)
    {
        TaskCompletionSource met;
        lock (_gate)
        {
            if (isMet()) return;
            met = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((isMet, met));
        }

        try
        {
            await met.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException cancelled)
        {
            lock (_gate) throw new AssertionException("It did not come to be; last seen: " + describe(), cancelled);
        }
    }

    private ValueTask OnChangeAsync(InformerEvent<T> change, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (change.Type == InformerEventType.Deleted) _objects.Remove(change.Object.Name);
            else _objects[change.Object.Name] = change.Item;
            foreach (var one in _waiting.ToList())
            {
                if (!one.IsMet()) continue;
                _waiting.Remove(one);
                one.Met.TrySetResult();
            }
        }

        return ValueTask.CompletedTask;
    }
}
