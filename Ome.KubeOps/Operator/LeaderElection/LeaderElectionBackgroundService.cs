using k8s.Autorest;
using k8s.LeaderElection;
using Microsoft.Extensions.Logging;

namespace KubeOps.Operator.LeaderElection;

/// <summary>Stands for election as long as the host runs, and hands the lease back when it stops.</summary>
internal sealed partial class LeaderElectionBackgroundService(
    LeaderElector elector, ILeaderElectorFactory factory, ILogger<LeaderElectionBackgroundService> logger) : RestartableHostedService
{
    private static readonly TimeSpan ReleasePatience = TimeSpan.FromSeconds(2);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (factory is not LeaseElectorFactory lease) return;
        try
        {
            await lease.ReleaseAsync(cancellationToken).WaitAsync(ReleasePatience, Clock, cancellationToken);
        }
        catch (Exception trouble) when (trouble is TimeoutException or HttpOperationException or HttpRequestException or IOException or OperationCanceledException)
        {
            LogNotReleased(trouble);
        }
    }

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

    [LoggerMessage(9124, LogLevel.Information, "Could not hand the Lease back; the next leader waits until it runs out")]
    private partial void LogNotReleased(Exception exception);
}
