using k8s.LeaderElection;

namespace KubeOps.Operator.LeaderElection;

/// <summary>
/// Tells its owner when leadership begins and ends, each at most once in a row, also when leadership was gained before the owner
/// began to listen.
/// </summary>
internal sealed class LeadershipTerm(LeaderElector elector, Action begin, Action end)
{
    private readonly Lock _lock = new();
    private bool _follows;
    private bool _leads;

    internal void Follow()
    {
        lock (_lock)
        {
            if (_follows) return;
            _follows = true;
            elector.OnStartedLeading += Gained;
            elector.OnStoppedLeading += Lost;
        }

        if (elector.IsLeader()) Gained();
    }

    internal void Unfollow()
    {
        lock (_lock)
        {
            if (!_follows) return;
            _follows = false;
            elector.OnStartedLeading -= Gained;
            elector.OnStoppedLeading -= Lost;
        }
    }

    private void Gained()
    {
        lock (_lock)
        {
            if (!_follows || _leads) return;
            _leads = true;
            begin();
        }
    }

    private void Lost()
    {
        lock (_lock)
        {
            if (!_follows || !_leads) return;
            _leads = false;
            end();
        }
    }
}
