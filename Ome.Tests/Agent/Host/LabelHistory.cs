using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Ome.Shared.Domain.Models;
using Ome.Shared.Kube;

namespace Ome.Tests.Agent.Host;

/// <summary>Every value the label of a model had on a node, in order: a wrong one in between is seen too.</summary>
internal sealed class LabelHistory : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly List<string?> _values = [];
    private readonly string _label;
    private readonly Task _running;

    public LabelHistory(IKubernetes client, string node, string model)
    {
        _label = ModelKey.Cluster(model).LabelKey;
        var options = new InformerOptions { FieldSelector = "metadata.name=" + node, BackoffFirst = TimeSpan.FromMilliseconds(20) };
        var informer = new Informer<V1Node, string?>(client, options, ValueOf, TakeAsync, TimeProvider.System, NullLogger<Informer<V1Node, string?>>.Instance);
        _running = informer.RunAsync(_stop.Token);
    }

    /// <summary>The values since this was last asked, once the newest is the wanted one.</summary>
    public async Task<IReadOnlyList<string?>> TakeUntilAsync(string? wanted, CancellationToken cancellationToken)
    {
        while (true)
        {
            lock (_gate)
            {
                if (_values.Count > 0 && _values[^1] == wanted)
                {
                    var seen = _values.ToList();
                    _values.Clear();
                    _values.Add(wanted);
                    return seen;
                }
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private string? ValueOf(V1Node node) => node.Metadata.Labels is { } labels && labels.TryGetValue(_label, out var value) ? value : null;

    private ValueTask TakeAsync(InformerEvent<string?> change, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_values.Count == 0 || _values[^1] != change.Item) _values.Add(change.Item);
        }

        return ValueTask.CompletedTask;
    }
}
