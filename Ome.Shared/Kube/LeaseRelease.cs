using k8s.Autorest;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using KubeOps.Operator.LeaderElection;

namespace Ome.Shared.Kube;

/// <summary>Hands the lease back when the host stops. It starts before the election and so stops after it, when nobody renews any more.</summary>
internal sealed partial class LeaseRelease(LeaseElectorFactory election, TimeProvider time, ILogger<LeaseRelease> logger) : IHostedService
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        try
        {
            await election.ReleaseAsync(cancellationToken).WaitAsync(Patience, time, cancellationToken);
        }
        catch (Exception trouble) when (trouble is TimeoutException or HttpOperationException or HttpRequestException or IOException or OperationCanceledException)
        {
            LogKept(trouble);
        }
    }

    [LoggerMessage(2120, LogLevel.Information, "Could not hand the lease back; the next leader waits until it runs out")]
    private partial void LogKept(Exception exception);
}

/// <summary>Registration of the election.</summary>
public static class LeaseElectionRegistration
{
    /// <summary>Call it before <c>AddKubernetesOperator</c>, with <c>LeaderElectionType.Single</c> there.</summary>
    public static IServiceCollection AddLeaseElection(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<LeaseElectorFactory>();
        services.AddSingleton<ILeaderElectorFactory>(provider => provider.GetRequiredService<LeaseElectorFactory>());
        return services.AddHostedService<LeaseRelease>();
    }
}
