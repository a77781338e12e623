using System.Collections.Concurrent;
using Ome.Shared.Domain.Models;

namespace Ome.Agent.Models;

/// <summary>One operation per model at a time: staging, checking, repairing and removing take the same gate.</summary>
public sealed class ModelGates
{
    private readonly ConcurrentDictionary<ModelKey, SemaphoreSlim> _gates = new();

    /// <summary>Waits for the model to be free; disposing the answer frees it.</summary>
    public async Task<IDisposable> EnterAsync(ModelKey key, CancellationToken cancellationToken)
    {
        var gate = _gates.GetOrAdd(key, static _ => new SemaphoreSlim(1, 1));
        await gate.WaitAsync(cancellationToken);
        return new Hold(gate);
    }

    private sealed class Hold(SemaphoreSlim gate) : IDisposable
    {
        private SemaphoreSlim? _gate = gate;

        public void Dispose() => Interlocked.Exchange(ref _gate, null)?.Release();
    }
}
