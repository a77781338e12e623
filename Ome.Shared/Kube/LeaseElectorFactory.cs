using k8s;
using k8s.LeaderElection;
using k8s.LeaderElection.ResourceLock;
using KubeOps.Abstractions.Builder;
using KubeOps.KubernetesClient;
using KubeOps.Operator.LeaderElection;
using Microsoft.Extensions.Logging;

namespace Ome.Shared.Kube;

/// <summary>
/// The elector over Lease <c>NAME-leader</c> in the client's namespace, in KubeOps' seam. Beyond KubeOps' own: the identity is unique per
/// process, so two instances on one machine or one host network are two; one broken connection does not cost the leadership; and the lease
/// can be handed back. What becomes of the leadership is told in the log: the elector itself keeps a missing right to itself.
/// </summary>
public sealed partial class LeaseElectorFactory(IKubernetes kubernetes, IKubernetesClient client, OperatorSettings settings, ILogger<LeaseElectorFactory> logger) : ILeaderElectorFactory
{
    private readonly PatientLock _lock = new(new LeaseLock(
        kubernetes, client.GetCurrentNamespace(), settings.Name + "-leader", $"{Environment.MachineName}_{Guid.NewGuid().ToString("N")[..8]}"));

    /// <summary>Who this process is in the lease.</summary>
    public string Identity => _lock.Identity;

    /// <inheritdoc/>
    public LeaderElector CreateElector()
    {
        var elector = new LeaderElector(new LeaderElectionConfig(_lock)
        {
            LeaseDuration = settings.LeaderElectionLeaseDuration,
            RenewDeadline = settings.LeaderElectionRenewDeadline,
            RetryPeriod = settings.LeaderElectionRetryPeriod,
        });
        elector.OnNewLeader += LogNewLeader;
        elector.OnStoppedLeading += LogStoppedLeading;
        elector.OnError += LogTrouble;
        return elector;
    }

    /// <summary>Leaves the lease to whoever asks next, so that nobody waits for it to run out. Nothing happens when another holds it.</summary>
    public Task ReleaseAsync(CancellationToken cancellationToken) => _lock.ReleaseAsync(cancellationToken);

    [LoggerMessage(2121, LogLevel.Information, "The leader is {Leader}")]
    private partial void LogNewLeader(string leader);

    [LoggerMessage(2122, LogLevel.Warning, "Leadership ended")]
    private partial void LogStoppedLeading();

    [LoggerMessage(2123, LogLevel.Warning, "Could not reach the Lease; trying again. Check the API server, and the rights get, create and update on leases")]
    private partial void LogTrouble(Exception exception);
}
