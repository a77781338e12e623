using k8s.LeaderElection;
using Microsoft.Extensions.Logging;

namespace KubeOps.Operator.LeaderElection;

/// <summary>Stands for election as long as the host runs.</summary>
internal sealed partial class LeaderElectionBackgroundService(LeaderElector elector, ILogger<LeaderElectionBackgroundService> logger) : RestartableHostedService
{
    protected override Task ExecuteAsync(CancellationToken cancellationToken) => elector.RunAndTryToHoldLeadershipForeverAsync(cancellationToken);

    protected override void OnLoopFaulted(Exception exception) => LogFaulted(exception);

    [LoggerMessage(9123, LogLevel.Error, "Failed to hold the leadership; trying again")]
    private partial void LogFaulted(Exception exception);
}
