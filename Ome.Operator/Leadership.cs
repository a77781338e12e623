using k8s.LeaderElection;

namespace Ome.Operator;

/// <summary>Whether this process may write: always without an elector.</summary>
public sealed class Leadership : IDisposable
{
    private readonly LeaderElector? _elector;
    private readonly FleetMetrics _metrics;
    private volatile bool _leads;

    /// <summary>Follows the elector, if there is one.</summary>
    public Leadership(FleetMetrics metrics, LeaderElector? elector = null)
    {
        (_elector, _metrics, _leads) = (elector, metrics, elector?.IsLeader() ?? true);
        metrics.Leads(IsLeader);
        if (elector is null) return;
        elector.OnStartedLeading += OnStarted;
        elector.OnStoppedLeading += OnStopped;
    }

    /// <summary>Raised when leadership begins or ends.</summary>
    public event EventHandler? Changed;

    /// <summary>
    /// This process leads now. Told by the elector's events: asked, it names the holder of the lease it saw last, which is still this process
    /// when it could not renew and stepped down.
    /// </summary>
    public bool IsLeader => _leads;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_elector is null) return;
        _elector.OnStartedLeading -= OnStarted;
        _elector.OnStoppedLeading -= OnStopped;
    }

    private void OnStarted() => Set(true);

    private void OnStopped() => Set(false);

    private void Set(bool leads)
    {
        _leads = leads;
        _metrics.Leads(leads);
        Changed?.Invoke(this, EventArgs.Empty);
    }
}
