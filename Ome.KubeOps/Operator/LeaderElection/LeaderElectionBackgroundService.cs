using k8s.LeaderElection;
using Microsoft.Extensions.Logging;

namespace KubeOps.Operator.LeaderElection;

/// <summary>Stands for election as long as the host runs.</summary>
internal sealed partial class LeaderElectionBackgroundService(LeaderElector elector, ILogger<LeaderElectionBackgroundService> logger) : RestartableHostedService
{
    protected override async Task ExecuteAsync(CancellationToken cancellationToken)
    {
        elector.OnNewLeader += LogNewLeader;
        elector.OnStoppedLeading += LogStoppedLeading;
        elector.OnError += LogTrouble;
        try
        {
            await elector.RunAndTryToHoldLeadershipForeverAsync(cancellationToken);
        }
        finally
        {
            elector.OnNewLeader -= LogNewLeader;
            elector.OnStoppedLeading -= LogStoppedLeading;
            elector.OnError -= LogTrouble;
        }
    }

    protected override void OnLoopFaulted(Exception exception) => LogTrouble(exception);

    [LoggerMessage(9121, LogLevel.Information, "The leader is {Leader}")]
    private partial void LogNewLeader(string leader);

    [LoggerMessage(9122, LogLevel.Warning, "Leadership ended")]
    private partial void LogStoppedLeading();

    [LoggerMessage(9123, LogLevel.Warning, "Could not reach the Lease; trying again. Check the API server, and the rights get, create and update on leases")]
    private partial void LogTrouble(Exception exception);
}
