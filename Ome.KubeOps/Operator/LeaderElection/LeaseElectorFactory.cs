using k8s;
using k8s.LeaderElection;
using k8s.LeaderElection.ResourceLock;
using KubeOps.Abstractions.Builder;
using KubeOps.KubernetesClient;

namespace KubeOps.Operator.LeaderElection;

/// <summary>
/// An elector over Lease <c>name-leader</c> in the current namespace. The identity is unique per process: two instances on one
/// machine are two.
/// </summary>
internal sealed class LeaseElectorFactory(IKubernetes kubernetes, IKubernetesClient client, OperatorSettings settings) : ILeaderElectorFactory
{
    private readonly PatientLock _lock = new(new LeaseLock(
        kubernetes, client.GetCurrentNamespace(), settings.Name + "-leader", $"{Environment.MachineName}_{Guid.NewGuid().ToString("N")[..8]}"));

    public LeaderElector CreateElector() => new(new LeaderElectionConfig(_lock)
    {
        LeaseDuration = settings.LeaderElectionLeaseDuration,
        RenewDeadline = settings.LeaderElectionRenewDeadline,
        RetryPeriod = settings.LeaderElectionRetryPeriod,
    });

    /// <summary>Leaves the lease to whoever asks next, so that nobody waits for it to run out after a clean stop.</summary>
    internal Task ReleaseAsync(CancellationToken cancellationToken) => _lock.ReleaseAsync(cancellationToken);
}
