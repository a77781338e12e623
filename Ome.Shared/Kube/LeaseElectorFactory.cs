using k8s;
using k8s.LeaderElection;
using k8s.LeaderElection.ResourceLock;
using KubeOps.Abstractions.Builder;
using KubeOps.KubernetesClient;
using KubeOps.Operator.LeaderElection;

namespace Ome.Shared.Kube;

/// <summary>
/// The elector over Lease <c>NAME-leader</c> in the client's namespace, in KubeOps' seam. Beyond KubeOps' own: the identity is unique per
/// process, so two instances on one machine or one host network are two; one broken connection does not cost the leadership; and the lease
/// can be handed back.
/// </summary>
public sealed class LeaseElectorFactory(IKubernetes kubernetes, IKubernetesClient client, OperatorSettings settings) : ILeaderElectorFactory
{
    private readonly PatientLock _lock = new(new LeaseLock(
        kubernetes, client.GetCurrentNamespace(), settings.Name + "-leader", $"{Environment.MachineName}_{Guid.NewGuid().ToString("N")[..8]}"));

    /// <summary>Who this process is in the lease.</summary>
    public string Identity => _lock.Identity;

    /// <inheritdoc/>
    public LeaderElector CreateElector() => new(new LeaderElectionConfig(_lock)
    {
        LeaseDuration = settings.LeaderElectionLeaseDuration,
        RenewDeadline = settings.LeaderElectionRenewDeadline,
        RetryPeriod = settings.LeaderElectionRetryPeriod,
    });

    /// <summary>Leaves the lease to whoever asks next, so that nobody waits for it to run out. Nothing happens when another holds it.</summary>
    public Task ReleaseAsync(CancellationToken cancellationToken) => _lock.ReleaseAsync(cancellationToken);
}
