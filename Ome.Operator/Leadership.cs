using k8s.LeaderElection;

namespace Ome.Operator;

/// <summary>Whether this process may write: always without an elector.</summary>
public sealed class Leadership : IDisposable
{
    private readonly LeaderElector? _elector;
    private readonly FleetMetrics _metrics;

    /// <summary>Follows the elector, if there is one.</summary>
    public Leadership(FleetMetrics metrics, LeaderElector? elector = null)
    {
        (_elector, _metrics) = (elector, metrics);
        metrics.Leads(IsLeader);
        if (elector is null) return;
        elector.OnStartedLeading += OnChanged;
        elector.OnStoppedLeading += OnChanged;
    }

    /// <summary>Raised when leadership begins or ends.</summary>
    public event EventHandler? Changed;

    /// <summary>This process leads now.</summary>
    public bool IsLeader => _elector?.IsLeader() ?? true;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_elector is null) return;
        _elector.OnStartedLeading -= OnChanged;
        _elector.OnStoppedLeading -= OnChanged;
    }

    private void OnChanged()
    {
        _metrics.Leads(IsLeader);
        Changed?.Invoke(this, EventArgs.Empty);
    }
}
