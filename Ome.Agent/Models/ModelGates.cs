using Ome.Shared.Domain.Models;

namespace Ome.Agent.Models;

/// <summary>One operation per model at a time: staging, checking, repairing and removing take the same gate. A gate nobody holds or waits for is not kept.</summary>
public sealed class ModelGates
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ModelKey, Gate> _gates = [];

    /// <summary>Gates that are held.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _gates.Count;
        }
    }

    /// <summary>Waits for the model to be free; disposing the answer frees it.</summary>
    public async Task<IDisposable> EnterAsync(ModelKey key, CancellationToken cancellationToken)
    {
        Gate? gate;
        lock (_lock)
        {
            if (!_gates.TryGetValue(key, out gate)) _gates[key] = gate = new Gate();
            gate.Users++;
        }

        try
        {
            await gate.Turn.WaitAsync(cancellationToken);
        }
        catch
        {
            Leave(key, gate);
            throw;
        }

        return new Hold(this, key, gate);
    }

    private void Leave(ModelKey key, Gate gate)
    {
        lock (_lock)
        {
            if (--gate.Users > 0) return;
            _gates.Remove(key);
        }

        gate.Turn.Dispose();
    }

    private sealed class Gate
    {
        public SemaphoreSlim Turn { get; } = new(1, 1);

        /// <summary>Who holds it and who waits for it.</summary>
        public int Users;
    }

    private sealed class Hold(ModelGates gates, ModelKey key, Gate gate) : IDisposable
    {
        private Gate? _gate = gate;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _gate, null) is not { } held) return;
            held.Turn.Release();
            gates.Leave(key, held);
        }
    }
}
